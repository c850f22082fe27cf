"""`crnn explain line --out picture.png`: the same as on the page, on paper."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from crnn.core.charset import BLANK
from crnn.errors import printable
from crnn.explain.colours import LINES, SEQUENTIAL, diverging
from crnn.explain.gates import Walk
from crnn.explain.line import LineTrace, classes_that_matter
from crnn.explain.line_page import FLOOR, PROJECTED, QUANTITIES, SHORT, ranges
from crnn.explain.line_text import walk_words
from crnn.explain.model import Opened
from crnn.explain.order import ORDERS, events, orders
from crnn.explain.page import visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_WALKS = 6
"""Layers times directions that one picture shows, the last ones."""
MOST_CHARACTERS = 60
"""Of a reading in a title."""
_FONTS = ("DejaVu Sans", "Noto Sans CJK SC", "WenQuanYi Zen Hei", "Noto Sans")


def new_figure(width: float, height: float) -> Figure:
    """A figure that is drawn without a window, in inches; its fonts are those of characters here, as far as there are
    any."""
    import matplotlib
    from matplotlib import font_manager
    from matplotlib.figure import Figure

    known = {font.name for font in font_manager.fontManager.ttflist}
    matplotlib.rcParams["font.family"] = [name for name in _FONTS if name in known]
    return Figure(figsize=(width, height), layout="constrained")


def png(figure: Figure, dpi: int = 110) -> bytes:
    """The figure as a PNG file."""
    drawn, stream = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", dpi=dpi)
    with Image.open(drawn) as picture:
        picture.convert("RGB").save(stream, "PNG", optimize=True)
    return stream.getvalue()


def quoted(line: LineTrace) -> str:
    """What was read, for a title."""
    return f"“{printable(line.text, MOST_CHARACTERS)}”"


def diverging_map() -> Any:
    """Blue to orange, as on the pages."""
    from matplotlib.colors import ListedColormap

    return ListedColormap(diverging() / 255)


def draw_picture(axes: Axes, line: LineTrace, spans: bool = True) -> None:
    """The picture over columns, and where each character was read."""
    axes.imshow(line.grey, cmap="gray", vmin=0, vmax=255, aspect="auto", extent=(-0.5, line.columns - 0.5, 0, 1))
    axes.set_yticks([])
    axes.set_xlim(-0.5, line.columns - 0.5)
    if not spans:
        axes.set_xticks([])
        return
    axes.set_ylim(-0.42, 1)
    axes.set_xticks([])
    for span in line.spans:
        axes.axvspan(span.start - 0.5, span.end - 0.5, 0, 0.29, color=f"#{LINES[0]}", alpha=0.2, lw=0)
        middle = (span.start + span.end - 1) / 2
        axes.text(middle, -0.22, visible(span.text), ha="center", va="center", fontsize=11, parse_math=False)


def draw_log_probs(figure: Figure, axes: Axes, opened: Opened, line: LineTrace) -> None:
    """Log-probabilities of the classes that matter, over columns; the best path as dots."""
    shown = classes_that_matter(line)
    charset = opened.card.charset
    names = ["blank" if c == BLANK else visible(charset.symbol(c)) for c in shown]
    image = axes.imshow(line.log_probs[:, shown].T, aspect="auto", cmap=SEQUENTIAL, vmin=FLOOR, vmax=0)
    axes.plot(range(line.columns), [shown.index(c) for c in line.path], ".", color="#d55e00", ms=4)
    axes.set_yticks(range(len(names)), names, parse_math=False, fontsize=min(9, 180 / len(names)))
    axes.set_title("log-probability of each class; dots: the likeliest", loc="left", fontsize=10)
    axes.set_xlabel(f"column (time step), {line.step} pixels each")
    figure.colorbar(image, ax=axes, pad=0.01, label="ln p", extend="min")


def _name(line: LineTrace, walk: Walk) -> str:
    return walk_words(walk.layer, walk.backward, len(line.lstm.walks) == 1)[0]


def line_figure(opened: Opened, line: LineTrace) -> bytes:
    """PNG: picture, log-probabilities, and all units of all layers and directions as heat maps."""
    walks, happens, limits = line.lstm.walks[-MOST_WALKS:], events(line), ranges(line)
    count = len(walks)
    figure = new_figure(max(11.0, 4.6 * count), 22)
    grid = figure.add_gridspec(9, count, height_ratios=[0.9, 2.6, 0.45, *([1.9] * 6)])
    figure.suptitle(f"{opened.name}: how {quoted(line)} is read", fontsize=15, parse_math=False)
    draw_picture(figure.add_subplot(grid[0, :]), line)
    draw_log_probs(figure, figure.add_subplot(grid[1, :]), opened, line)
    how = next(iter(orders(walks[0], happens)))
    for column, walk in enumerate(walks):
        strip = figure.add_subplot(grid[2, column])
        draw_picture(strip, line, spans=False)
        strip.set_title(_name(line, walk), fontsize=12)
    for row, (name, title, symbol, colour, _) in enumerate(QUANTITIES, 3):
        low, high = limits[name].get("colours", (limits[name]["low"], limits[name]["high"]))
        drawn = []
        for column, walk in enumerate(walks):
            axes = figure.add_subplot(grid[row, column])
            values = getattr(walk, name).numpy()  # (T, units)
            ordered = orders(walk, happens)[how]
            if len(ordered) == values.shape[1]:
                values = values[:, ordered]
            cmap = SEQUENTIAL if colour == "seq" else diverging_map()
            image = axes.imshow(values.T, aspect="auto", cmap=cmap, vmin=low, vmax=high, interpolation="nearest")
            axes.set_title(f"${symbol}$  {title}", loc="left", fontsize=10)
            axes.set_ylabel("unit, sorted" if column == 0 else "")
            axes.set_xlabel("column" if row == 8 else "")
            drawn.append(axes)
        figure.colorbar(image, ax=drawn, pad=0.008, label=symbol, extend="both" if name == "c" else "neither")
    first = "the first on top" if how == "peak" else "the highest on top"
    figure.supxlabel(f"units of each layer and direction are sorted by {ORDERS[how]}, {first}", fontsize=10)
    return png(figure)


def unit_figure(opened: Opened, line: LineTrace, looked_at: tuple[int, int]) -> bytes:
    """PNG: picture, log-probabilities, and the gates and memories of one unit as curves."""
    walk, unit = line.lstm.walks[looked_at[0]], looked_at[1]
    figure = new_figure(11, 8.4)
    grid = figure.add_gridspec(4, 1, height_ratios=[0.9, 2.4, 1.3, 1.5])
    top, table, gates, memory = (figure.add_subplot(grid[row, 0]) for row in range(4))
    figure.suptitle(f"How an LSTM reads {quoted(line)}", fontsize=14, parse_math=False)
    draw_picture(top, line)
    draw_log_probs(figure, table, opened, line)
    columns = np.arange(line.columns)
    name = _name(line, walk)

    def curve(axes: Axes, quantity: str, label: str, number: int, style: str) -> None:
        values = getattr(walk, quantity).numpy()[:, unit]
        axes.plot(columns, values, style, color=f"#{LINES[number]}", label=label, lw=1.8)

    curve(gates, "i", "input gate i", 0, "-")
    curve(gates, "f", "forget gate f", 1, "--")
    curve(gates, "o", "output gate o", 2, ":")
    gates.set_title(f"unit {unit} of {name}: gates", loc="left", fontsize=10)
    gates.set(xlim=(-0.5, line.columns - 0.5), ylim=(-0.05, 1.05), ylabel="0 closed, 1 open")
    curve(memory, "c", "long memory c", 1, "-")
    curve(memory, "g", "candidate g", 0, ":")
    if not opened.network.lstm.proj_size:
        curve(memory, "h", "short memory h", 2, "--")
    memory.axhline(0, color="0.6", lw=0.8)
    short = PROJECTED if opened.network.lstm.proj_size else SHORT
    memory.set_title(f"what it remembers: c = f · c before + i · g;  {short}", loc="left", fontsize=10)
    memory.set(xlim=(-0.5, line.columns - 0.5), xlabel=f"column (time step), {line.step} pixels each", ylabel="value")
    for axes in (gates, memory):
        axes.legend(loc="lower right", bbox_to_anchor=(1.0, 0.98), ncols=3, frameon=False, fontsize=9)
        for span in line.spans:
            axes.axvspan(span.start - 0.5, span.end - 0.5, color=f"#{LINES[0]}", alpha=0.08, lw=0)
    return png(figure, 90)
