"""`crnn explain line --out page.html`: a line, column by column, and every unit of the LSTM while it reads it."""

from __future__ import annotations

from typing import Any

import numpy as np

from crnn.core.charset import BLANK
from crnn.errors import ConfigError
from crnn.explain.gates import Walk
from crnn.explain.line import LineTrace, classes_that_matter
from crnn.explain.line_text import LINE, ORDERS_ZH, QUANTITIES_ZH, facts, walk_words
from crnn.explain.model import BUNDLED, Opened
from crnn.explain.order import ORDERS, events, orders, telling_unit
from crnn.explain.page import pack, page, picture_url, say, switches, text, visible

FLOOR = -12.0
"""Natural logarithm of a probability; what is less likely has the colour of it."""

SHORT, PROJECTED = "h = o · tanh(c)", "h = W_hr (o · tanh(c))"
"""What h is, without and with a projection."""
QUANTITIES = (
    ("i", "input gate", "i", "seq", "how much of the candidate is written: 0 nothing, 1 all of it"),
    ("f", "forget gate", "f", "seq", "how much of the old memory stays: 0 wiped, 1 kept"),
    ("g", "candidate", "g", "div", "what could be written into the memory"),
    ("o", "output gate", "o", "seq", "how much of the memory is shown outside"),
    ("c", "long memory, the cell state", "c", "div", "c = f · c before + i · g"),
    ("h", "short memory, the output", "h", "div", SHORT),
)
"""Name in `Walk`, title, symbol, colours, what it means."""


def ranges(line: LineTrace) -> dict[str, dict[str, Any]]:
    """How `pack` keeps each quantity: the same for all layers and directions, so that their colours compare.

    Some units count, and their long memory grows along the line; its colours end where 95 % of the values do.
    """
    short = max(1.0, *(float(walk.h.abs().max()) for walk in line.lstm.walks))
    long = np.concatenate([walk.c.abs().numpy().ravel() for walk in line.lstm.walks])
    most, usual = max(1.0, float(long.max())), max(1.0, float(np.ceil(np.quantile(long, 0.95))))
    return {
        **{gate: {"low": 0.0, "high": 1.0} for gate in "ifo"},
        "g": {"low": -1.0, "high": 1.0},
        "c": {"low": -most, "high": most, "bits": 16, "colours": (-usual, usual)},
        "h": {"low": -short, "high": short},
    }


def parse_unit(name: str | None, line: LineTrace) -> tuple[int, int]:
    """(walk, unit) that are looked at first.

    Args:
        name: ``17``: of the last layer, left to right; ``l0_reverse:17``: of the walk whose weights are called
            ``weight_ih_l0_reverse``; None: the one whose forget gate closes most clearly at characters.
        line: that was read.

    Raises:
        ConfigError: if there is no such unit.
    """
    walks = line.lstm.walks
    if name is None:
        return line.shown_walk, telling_unit(walks[line.shown_walk], events(line))
    tails = [tail_of(walk) for walk in walks]
    tail, _, number = name.rpartition(":")
    units = walks[0].c.shape[1]
    if not number.isdecimal() or int(number) >= units or (tail and tail not in tails):
        raise ConfigError(
            f"--unit {name}: is not there; allowed are 0 to {units - 1}, and one of {', '.join(tails)} before it, as "
            f"in {tails[0]}:{units - 1}"
        )
    return tails.index(tail) if tail else line.shown_walk, int(number)


def tail_of(walk: Walk) -> str:
    """How the names of its weights end: ``l0_reverse``."""
    return f"l{walk.layer}{'_reverse' if walk.backward else ''}"


def model_name(opened: Opened) -> str:
    """What the model is called, as HTML."""
    return say((BUNDLED, "自带模型"), "span") if opened.name == BUNDLED else text(opened.name)


def readings(line: LineTrace, known: dict[str, tuple[str, str]]) -> str:
    """What it reads, as HTML; both, where its decoder reads something else than the best path."""
    rows = [("reading", line.text)]
    if line.decoded != line.text:
        rows = [("best-path", line.text), ("decoded", line.decoded)]
    nothing = say(LINE["nothing"], "span")
    return "".join(
        f"<p>{say(known[name], 'span')} <span class=reading>{text(read) or nothing}</span></p>" for name, read in rows
    )


def line_data(opened: Opened, line: LineTrace, looked_at: tuple[int, int] = (0, 0)) -> dict[str, Any]:
    """What the page's script reads; `looked_at`: walk and unit at first."""
    network, charset = opened.network, opened.card.charset
    happens, limits, shown = events(line), ranges(line), classes_that_matter(line)
    log_probs = line.log_probs[:, shown].T  # (K, T)
    names = [walk_words(walk.layer, walk.backward, len(line.lstm.walks) == 1) for walk in line.lstm.walks]
    walks: list[dict[str, Any]] = [
        {
            "name": english,
            "zh": chinese,
            "layer": walk.layer,
            "backward": walk.backward,
            "orders": orders(walk, happens),
            **{name: pack(getattr(walk, name).numpy(), **limits[name]) for name in limits},
        }
        for walk, (english, chinese) in zip(line.lstm.walks, names, strict=True)
    ]
    return {
        "columns": line.columns,
        "step": line.step,
        "height": line.grey.shape[0],
        "width": line.grey.shape[1],
        "picture": picture_url(line.grey),
        "symbols": ["blank" if c == BLANK else visible(charset.symbol(c)) for c in shown],
        "log_probs": pack(log_probs, min(FLOOR, float(log_probs.min())), 0.0, bits=16, colours=(FLOOR, 0.0)),
        "path": [shown.index(c) for c in line.path],
        "spans": [
            {"text": visible(s.text), "start": s.start, "end": s.end, "p": round(s.confidence, 5)} for s in line.spans
        ],
        "directions": network.directions,
        "projected": bool(network.lstm.proj_size),
        "walk": looked_at[0],
        "unit": looked_at[1],
        "orders": {name: [words, ORDERS_ZH[name]] for name, words in ORDERS.items() if name in walks[0]["orders"]},
        "quantities": [
            {"name": name, "title": title, "zh": QUANTITIES_ZH[name][0], "symbol": symbol, "colour": colour}
            for name, title, symbol, colour, _ in QUANTITIES
        ],
        "walks": walks,
    }


def line_page(opened: Opened, line: LineTrace, looked_at: tuple[int, int] = (0, 0), language: str = "en") -> str:
    """The page.

    Args:
        opened: the model.
        line: what it made of a picture.
        looked_at: walk and unit at first.
        language: ``en`` or ``zh``, when the page opens; a switch on it shows the other.
    """
    title = f"How a CRNN reads “{line.text}”" if line.text else f"How a CRNN reads {line.name}"
    if language == "zh":
        title = f"{LINE['title'][1]}：{line.text or line.name}"
    height, width = line.grey.shape
    known = facts(opened.network, line.columns, line.step, height, width)

    def words(name: str, tag: str = "span", extra: str = "") -> str:
        return say(LINE[name], tag, extra)

    def key(name: str, kind: str, style: str = "") -> str:
        dash = f' style="border-top-style:{style}"' if style else ""
        return f'<span class="key {kind}"><i{dash}></i>{words(name)}</span>'

    projected = bool(opened.network.lstm.proj_size)
    body = f"""<main>
{switches(language)}
<h1>{words("title")}</h1>
{words("lead", "p", " class=lead")}
{readings(line, known)}
<ul class=facts>
<li><b>{model_name(opened)}</b> ({text(opened.network.config.name)})</li>
<li>{say(known["picture"], "span")}</li>
<li>{say(known["columns"], "span")}</li>
<li>{say(known["features"], "span")}</li>
<li>{say(known["layers"], "span")}</li>
<li>{words("p")} <b>{line.confidence:.1%}</b></li>
</ul>

<h2>{words("c-text")}</h2>
{words("text", "p")}
<div class=card>
<div class=head><b>{words("log")}</b>{words("log-note", "span", " class=small")}<span id=log-legend></span></div>
<div id=overview></div>
</div>
{words("point", "p", " class=small")}

<h2>{words("c-lstm")}</h2>
{words("lstm", "p")}
<div class=bar><span class=tabs id=walks role=group aria-label="layer and direction / 层与方向"></span>
<label>{words("sorted")} <select id=order></select></label></div>
{"".join(_heat(*quantity) for quantity in QUANTITIES).replace(SHORT, PROJECTED if projected else SHORT)}

<h2>{words("c-unit")}</h2>
{words("unit", "p")}
<div class=bar><label>{words("unit-name")} <input type=number id=unit min=0 value={looked_at[1]}></label>
<span>{key("i", "s1")}{key("f", "s2", "dashed")}{key("o", "s3", "dotted")}</span></div>
<div class=card><div id=one></div>
<p class=small>{key("c", "s2")}{key("g", "s1", "dotted")}{"" if projected else key("h", "s3", "dashed")}</p>
<div class=now id=now></div></div>

<div class=foot><p>{words("source")} {text(line.name)}.</p>{words("foot", "p")}</div>
</main>"""
    return page(title, body, line_data(opened, line, looked_at), ("line.js",), language)


def _heat(name: str, title: str, symbol: str, colour: str, meaning: str) -> str:
    title_zh, meaning_zh = QUANTITIES_ZH[name]
    titles, meanings = (title, title_zh), (meaning, meaning_zh)
    return (
        f"<div class=card><div class=head><b><em>{symbol}</em>&ensp;{say(titles, 'span')}</b>"
        f"{say(meanings, 'span', ' class=small')}<span id=legend-{name}></span></div><div id=heat-{name}></div></div>\n"
    )
