"""`crnn explain saliency --out page.html|png`: pixels of each character, and how far the network looks."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from crnn.explain.colours import LINES, SEQUENTIAL
from crnn.explain.line import LineTrace
from crnn.explain.line_figure import draw_picture, new_figure, png, quoted
from crnn.explain.line_page import model_name, readings
from crnn.explain.line_text import REACH_ZH, facts, saliency_words
from crnn.explain.model import Opened
from crnn.explain.page import pack, page, picture_url, say, switches, text, visible
from crnn.explain.saliency import Saliency, centre, profile, reaches

LEAST = -5.0
"""Logarithm (base 10) of a share of influence; smaller ones have the colour of it."""
PROFILES = ("CNN alone", "CNN and LSTM")
PROFILES_ZH = dict(zip(PROFILES, ("仅 CNN", "CNN 与 LSTM"), strict=True))


def logs(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Base 10, not below `LEAST`."""
    return np.log10(np.maximum(shares, 10.0**LEAST))


def stripes(found: Saliency) -> NDArray[np.float64]:
    """(characters, W): the maps summed over their height, the largest value of each 1."""
    sums = found.maps.sum(1)
    return sums / np.maximum(sums.max(1, keepdims=True), 1e-30)


def pixel_profiles(found: Saliency, step: int) -> list[tuple[NDArray[np.int64], NDArray[np.float64]]]:
    """Distances in pixels and shares, of `PROFILES`."""
    centres = [centre(t, step) for t in found.at]
    return [profile(shares, centres) for shares in (found.cnn_pixels, found.all_pixels)]


def saliency_data(line: LineTrace, found: Saliency) -> dict[str, Any]:
    """What the page's script reads."""
    count, height, width = found.maps.shape
    shares = logs(found.lstm)
    return {
        "columns": line.columns,
        "step": line.step,
        "height": height,
        "width": width,
        "picture": picture_url(line.grey),
        "spans": [
            {"text": visible(s.text), "start": s.start, "end": s.end, "at": at}
            for s, at in zip(line.spans, found.columns, strict=True)
        ],
        "maps": pack(found.maps.reshape(count, height * width), 0.0, 1.0),
        "stripes": pack(stripes(found), 0.0, 1.0),
        "lstm": pack(shares, LEAST, 0.0, bits=16, colours=(LEAST, float(shares.max()))),
        "profiles": [
            {
                "name": name,
                "zh": PROFILES_ZH[name],
                "from": int(distances[0]),
                "values": [round(v, 4) for v in logs(values).tolist()],
            }
            for name, (distances, values) in zip(PROFILES, pixel_profiles(found, line.step), strict=True)
        ],
        "least": LEAST,
    }


def reach_rows(found: Saliency, step: int) -> list[tuple[str, str, str]]:
    """(what, where half of the influence lies, where 90 % of it lies), in columns and pixels."""
    rows = []
    for what, unit, half, most in reaches(found, step):
        cells = []
        for left, right in (half, most):
            if unit == "columns":
                cells.append(f"−{left} … +{right} columns (−{left * step} … +{right * step} pixels)")
            else:
                cells.append(f"−{left} … +{right} pixels (−{left / step:.1f} … +{right / step:.1f} columns)")
        rows.append((what, *cells))
    return rows  # type: ignore[return-value]


def saliency_page(opened: Opened, line: LineTrace, found: Saliency, language: str = "en") -> str:
    """The page; `language`: ``en`` or ``zh``, when it opens; a switch on it shows the other."""
    said = saliency_words(found.field, opened.network.lstm.bidirectional)
    known = facts(opened.network, line.columns, line.step, *line.grey.shape)

    def words(name: str, tag: str = "span", extra: str = "") -> str:
        return say(said[name], tag, extra)

    rows = "".join(
        f"<tr><td>{say((text(a), text(_chinese(a))), 'span')}"
        + "".join(f"<td>{say((text(cell), text(_chinese(cell))), 'span')}" for cell in cells)
        for a, *cells in reach_rows(found, line.step)
    )
    body = f"""<main>
{switches(language)}
<h1>{words("title")}</h1>
{words("lead", "p", " class=lead")}
{readings(line, known)}
<ul class=facts><li><b>{model_name(opened)}</b> ({text(opened.network.config.name)})</li>
<li>{say(known["picture"], "span")}</li>
<li>{say(known["columns"], "span")}</li></ul>

<h2>{words("c-pixels")}</h2>
{words("pixels", "p")}
<div class=card><div class=head><b id=which></b>{words("strongest", "span", " class=small")}</div>
<div id=one></div></div>
<div class=card><div class=head><b>{words("all")}</b>{words("all-note", "span", " class=small")}
<span id=stripes-legend></span></div><div id=stripes></div></div>
{words("point", "p", " class=small")}

<h2>{words("c-far")}</h2>
{words("far", "p")}
<div class=wide><table><tr><th><th>{words("half")}<th>{words("most")}{rows}</table></div>
<div class=card><div class=head><b>{words("by-distance")}</b>{words("by-distance-note", "span", " class=small")}</div>
<div class=wide><div id=profile></div></div></div>
<div class=card><div class=head><b>{words("context")}</b>{words("context-note", "span", " class=small")}
<span id=lstm-legend></span></div><div id=lstm></div></div>

<div class=foot><p>{words("source")} {text(line.name)}.</p>{words("foot", "p")}</div>
</main>"""
    return page(said["title"][language == "zh"], body, saliency_data(line, found), ("saliency.js",), language)


def _chinese(words: str) -> str:
    """A cell of `reach_rows` in Chinese."""
    for english, chinese in REACH_ZH.items():
        words = words.replace(english, chinese)
    return words


def saliency_figure(opened: Opened, line: LineTrace, found: Saliency) -> bytes:
    """PNG: all characters, the LSTM's context, and influence by distance."""
    count, step = len(found.columns), line.step
    figure = new_figure(12, 12.5 + 0.18 * count)
    grid = figure.add_gridspec(4, 1, height_ratios=[1.0, 1.0 + 0.18 * count, 4.6, 3.0])
    figure.suptitle(f"{opened.name}: where {quoted(line)} comes from", fontsize=14, parse_math=False)
    draw_picture(figure.add_subplot(grid[0, 0]), line)
    axes = figure.add_subplot(grid[1, 0])
    width = line.grey.shape[1]
    image = axes.imshow(
        stripes(found), aspect="auto", cmap=SEQUENTIAL, vmin=0, vmax=1, extent=(0, width, count - 0.5, -0.5)
    )
    axes.set_yticks(range(count), [visible(s.text) for s in line.spans], parse_math=False, fontsize=9)
    axes.set_title("which pixel columns each character came from (smoothed gradient)", loc="left", fontsize=10)
    axes.set_xlabel("pixel of the scaled picture")
    figure.colorbar(image, ax=axes, pad=0.01, label="of the strongest")
    axes = figure.add_subplot(grid[2, 0])
    image = axes.imshow(logs(found.lstm), aspect="auto", cmap=SEQUENTIAL, vmin=LEAST)
    axes.set_title("how much of what the LSTM says at a column comes from each column", loc="left", fontsize=10)
    axes.set(xlabel="column that is heard", ylabel="column that speaks")
    figure.colorbar(image, ax=axes, pad=0.01, label="share, log 10", extend="min")
    axes = figure.add_subplot(grid[3, 0])
    for name, style, colour, (distances, values) in zip(
        PROFILES, ("--", "-"), LINES, pixel_profiles(found, step), strict=False
    ):
        axes.plot(distances, np.maximum(values, 10.0**LEAST), style, color=f"#{colour}", label=name)
    axes.axvspan(
        -found.field / 2,
        found.field / 2,
        color="0.5",
        alpha=0.12,
        lw=0,
        label=f"the {found.field} pixels that the CNN can see",
    )
    axes.set(yscale="log", xlabel="distance in pixels, left to right", ylabel="share of the influence")
    axes.set_title("influence of a pixel column by distance, averaged over the line", loc="left", fontsize=10)
    axes.legend(frameon=False, fontsize=9)
    said = "\n".join(f"{what}: half within {half}; 90 % within {most}" for what, half, most in reach_rows(found, step))
    figure.supxlabel(said, fontsize=9)
    return png(figure)
