"""The outcome of an inspection as one page of HTML: no scripts, nothing from elsewhere, everything escaped."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from PIL import Image

from crnn.data.sources.base import LineSource
from crnn.errors import DataError, printable
from crnn.inspect.figures import Bin, bins, character_rows, described, looked_for, verdict
from crnn.inspect.kinds import Finding
from crnn.inspect.results import Inspection, line_at
from crnn.report.inline import data_url
from crnn.report.target import save

PICTURES = 12
"""Thumbnails of each kind at most."""
START = "<!doctype html><html lang=en><meta charset=utf-8>\n<!-- crnn check -->"
"""What every page begins with."""
CHARACTERS = 5000
"""Rows of the table of characters at most."""
_SIZE = (420, 56)
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_STYLE = """
body{font:15px/1.45 system-ui,sans-serif;max-width:68rem;margin:2rem auto;padding:0 1rem;color:#222;
overflow-wrap:break-word}
table{border-collapse:collapse;margin:.5rem 0 1.5rem}td,th{text-align:left;padding:.15rem .8rem .15rem 0}
td{vertical-align:top}
.n{text-align:right}.error{color:#b00020}.rare{background:#fff3cd}
img{display:block;max-width:100%;border:1px solid #ccc}
.bar{background:#5b8db8;height:.8em;display:inline-block}code{unicode-bidi:isolate;overflow-wrap:anywhere}
pre{white-space:pre-wrap}@media(prefers-color-scheme:dark){body{background:#181818;color:#ddd}.rare{background:#4a3d10}
.error{color:#ff7b8a}}@media(max-width:40rem){table{display:block;overflow-x:auto}}
"""


def write_page(path: Path, inspection: Inspection, sources: Mapping[str, Sequence[LineSource]]) -> None:
    """Write the page, whole or not at all.

    Args:
        path: of the page.
        inspection: the outcome.
        sources: role -> sources, for the thumbnails.

    Raises:
        DataError: if it cannot be written.
    """
    save(path, render_page(inspection, sources))


def render_page(inspection: Inspection, sources: Mapping[str, Sequence[LineSource]]) -> str:
    """The page as text; see `write_page`."""
    tally = inspection.tally
    parts = [
        START,
        f'<meta http-equiv=Content-Security-Policy content="{_POLICY}">',
        f"<meta name=viewport content='width=device-width'><title>crnn check</title><style>{_STYLE}</style>",
        f"<h1>Lines, checked</h1><p>{_text(looked_for(inspection))}</p>",
        *(f"<p>{_text(described(one))}</p>" for one in inspection.sets),
        *(f"<p>note: {_text(note)}</p>" for note in inspection.notes),
        f"<pre class={'error' if inspection.refusals else 'fine'}>{escape(verdict(inspection))}</pre>",
        "<h2>Findings</h2><table><tr><th class=n>count<th>level<th>kind<th>what it is<th>what to do",
    ]
    for number, kind in enumerate(tally.found()):
        parts.append(
            f"<tr><td class=n>{tally.counts[kind.name]:,}<td class={kind.level}>{kind.level}"
            f"<td><a href=#k{number}>{_text(kind.name)}</a><td>{_text(kind.explanation)}<td>{_text(kind.remedy)}"
        )
    parts.append("</table>")
    for number, kind in enumerate(tally.found()):
        first = tally.first[kind.name][:PICTURES]
        more = tally.counts[kind.name] - len(first)
        parts.append(f"<h3 id=k{number}>{_text(kind.name)}</h3><table>")
        parts.extend(_finding(finding, sources) for finding in first)
        parts.append(f"</table>{f'<p>... and {more:,} more</p>' if more else ''}")
    parts.append(_characters(inspection))
    for one in inspection.sets:
        parts.append(f"<h3>{_text(one.role)}: widths in pixels, scaled</h3>{_bars(bins(one.widths, 16))}")
        parts.append(f"<h3>{_text(one.role)}: characters of a label</h3>{_bars(bins(one.lengths))}")
    return "\n".join(parts) + "\n"


def _text(value: object) -> str:
    return escape(printable(value, 2000))


def _finding(finding: Finding, sources: Mapping[str, Sequence[LineSource]]) -> str:
    picture = _thumbnail(finding, sources)
    return (
        f"<tr><td>{finding.role}<td>{_text(finding.where)}<br>{_text(finding.picture)}"
        f"<td>{picture}<code>{_text(finding.detail)}</code>"
    )


def _thumbnail(finding: Finding, sources: Mapping[str, Sequence[LineSource]]) -> str:
    """The picture of a line as an <img>; empty if there is none."""
    source, position = line_at(sources[finding.role], finding.position)
    try:
        if source.entry(position).problem:
            return ""
        picture = source.picture(position)
    except DataError:
        return ""
    picture.thumbnail(_SIZE, Image.Resampling.BILINEAR)
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return f'<img alt="" width={picture.width} height={picture.height} src="{data_url("png", stream.getvalue())}">'


def _characters(inspection: Inspection) -> str:
    rows = character_rows(inspection)
    cells = "".join(
        f"<tr{' class=rare' if row.rare else ''}><td><code>{_text(row.symbol)}</code><td>{row.points}"
        f"<td>{_text(row.name)}<td class=n>{row.train:,}<td class=n>{row.val:,}<td>{'rare' if row.rare else ''}"
        for row in rows[:CHARACTERS]
    )
    more = f"<p>... and {len(rows) - CHARACTERS:,} more</p>" if len(rows) > CHARACTERS else ""
    heading = "<tr><th>character<th>code point<th>name<th class=n>train<th class=n>val<th>"
    return f"<h2>{len(rows):,} characters</h2><table>{heading}{cells}</table>{more}"


def _bars(bars: list[Bin]) -> str:
    most = max((bar.lines for bar in bars), default=0) or 1
    return (
        "<table>"
        + "".join(
            f"<tr><td class=n>{bar.label}<td class=n>{bar.lines:,}<td>"
            f'<span class=bar style="width:{bar.lines * 30 / most:.2f}rem"></span>'
            for bar in bars
        )
        + "</table>"
    )
