"""An evaluation as one page of HTML that needs nothing else: no network, no server; everything from outside escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from crnn.core.recognizer import Recognizer
from crnn.data.sources.base import LineSource
from crnn.errors import printable
from crnn.report.doubts import look_again
from crnn.report.evaluate import evaluate
from crnn.report.evaluation import Evaluation
from crnn.report.inline import embedded, policy
from crnn.report.page_data import PageData, page_data
from crnn.report.page_parts import cards, confusions, curve, groups, notices
from crnn.report.target import check_target, save

START = "<!doctype html>\n<!-- crnn evaluate -->\n<html lang=en><head><meta charset=utf-8>"
"""What every page begins with."""
_FOLDER = Path(__file__).parent
LEGEND = (
    "<p class=legend aria-hidden=true><span class='cell sub'><i>e</i><b>c</b></span> read as another"
    "<span class='cell del'><i>e</i><b></b></span> missing in the reading"
    "<span class='cell ins'><i></i><b>e</b></span> too many</p>"
)
LIST = (
    "<ol id=list aria-label=Lines></ol><p id=end class=note></p>"
    "<noscript><p>The list of lines needs JavaScript; nothing is loaded from elsewhere.</p></noscript></section>"
)


def report(
    path: Path, recognizer: Recognizer, source: LineSource, limit: int | None = None, reader: str = ""
) -> Evaluation:
    """Evaluate a model and write the page: what a training does in the end.

    Args:
        path: of the page.
        recognizer: the model.
        source: labelled lines.
        limit: only the first so many.
        reader: what the page calls the model; else the name that its card gives.

    Raises:
        DataError: if the page cannot be written.
    """
    check_target(path, START)
    evaluation = evaluate(recognizer, source, limit, keep_characters=True)
    evaluation.reader = reader or str(recognizer.card.training.get("name") or recognizer.card.network.get("name", ""))
    look_again(recognizer, evaluation)
    write_page(path, [evaluation])
    return evaluation


def write_page(path: Path, evaluations: Sequence[Evaluation]) -> None:
    """Write the page, whole or not at all.

    Args:
        path: of the page.
        evaluations: of one reader on one or several sources. Confidences of characters are shown if they were kept
            (``keep_characters``), probable label errors if `look_again` has been called.

    Raises:
        DataError: if it cannot be written.
    """
    save(path, render_page(evaluations))


def render_page(evaluations: Sequence[Evaluation]) -> str:
    """The page as text; see `write_page`."""
    whole = Evaluation.joined(evaluations)
    data = page_data(evaluations, whole)
    names = ", ".join(printable(one.source) for one in evaluations)
    parts = [
        cards(whole),
        notices(whole),
        f"<div class=columns>{groups(evaluations, whole)}{curve(whole)}</div>",
        confusions(data.confusions),
        _list(data, len(whole.lines)),
    ]
    what = f"<b>{escape(printable(whole.reader or 'a reader'))}</b> on <b>{escape(names)}</b>"
    return frame(f"{names}: how well it reads", "How well it reads", what, parts, _KEYS, data.to_dict(), "page.js")


def frame(
    title: str, heading: str, what: str, parts: Sequence[str], keys: str, data: Mapping[str, Any], script: str
) -> str:
    """A whole page.

    Args:
        title: of the window.
        heading: of the page.
        what: HTML under it.
        parts: HTML, one below the other.
        keys: HTML of the keys that this page has besides the common ones.
        data: for the script.
        script: the file; it runs behind ``kit.js``.
    """
    style = (_FOLDER / "page.css").read_text(encoding="utf-8")
    code = "\n".join((_FOLDER / name).read_text(encoding="utf-8") for name in ("kit.js", script))
    return (
        "\n".join(
            [
                START,
                f'<meta http-equiv=Content-Security-Policy content="{policy(code)}">',
                "<meta name=viewport content='width=device-width,initial-scale=1'>",
                f"<title>{escape(title)}</title><style>{style}</style></head><body>",
                "<a class=skip href=#lines>to the lines</a>",
                f"<header><div><h1>{heading}</h1>",
                f"<p class=what>{what}</p></div>",
                "<div class=tools><button id=theme type=button></button>"
                "<button id=help-button type=button aria-haspopup=dialog>Keys <kbd>?</kbd></button></div></header>"
                "<main>",
                *parts,
                "</main>",
                _HELP.format(keys=keys),
                f"<script type=application/json id=data>{embedded(data)}</script>",
                f"<script>{code}</script></body></html>",
            ]
        )
        + "\n"
    )


def _list(data: PageData, lines: int) -> str:
    """The controls of the list of lines; the lines themselves are made when they are looked at."""
    cut = "" if len(data.lines) == lines else f" The page lists {len(data.lines):,} of {lines:,} lines, worst first."
    doubt = "<option value=doubt>probable label errors first</option>" if data.doubted else ""
    doubtful = f"<option value=doubt>probable label errors ({data.doubted:,})</option>" if data.doubted else ""
    unsure = "<option value=unsure>least sure first</option>" if data.has_confidence else ""
    return (
        "<section id=lines aria-labelledby=lines-title><h2 id=lines-title>Lines</h2>"
        f"<p class=note>{data.pictures:,} lines come with their picture: the worst, the probable label errors, then "
        f"others.{cut}</p>{LEGEND}"
        "<div class=bar role=search><label>Order<select id=order><option value=worst>worst first</option>"
        f"{doubt}{unsure}<option value=data>as in the data</option><option value=long>longest first</option></select>"
        "</label><label>Show<select id=filter><option value=all>all lines</option><option value=wrong>with errors"
        f"</option><option value=more>with errors but for case</option>{doubtful}"
        "<option value=right>without errors</option></select></label>"
        "<label class=grow>Search<input id=search type=search placeholder='label, reading or place' "
        "autocomplete=off spellcheck=false></label>"
        "<button id=only type=button hidden></button><output id=count aria-live=polite></output></div>"
        f"{LIST}"
    )


_KEYS = "<dt><kbd>w</kbd><dd>worst first<dt><kbd>l</kbd><dd>probable label errors first"
_HELP = (
    "<dialog id=help aria-labelledby=help-title><h2 id=help-title>Keys</h2><dl>"
    "<dt><kbd>j</kbd> <kbd>↓</kbd><dd>next line<dt><kbd>k</kbd> <kbd>↑</kbd><dd>line before"
    "<dt><kbd>Enter</kbd><dd>open or close the line<dt><kbd>/</kbd><dd>search"
    "{keys}<dt><kbd>Esc</kbd><dd>clear the search<dt><kbd>d</kbd><dd>dark or light<dt><kbd>?</kbd><dd>these keys"
    "</dl><form method=dialog><button>Close</button></form></dialog>"
)
