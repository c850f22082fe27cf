"""The curves of a run as one picture, ``curves.png``, from its ``metrics.csv``; of any age. Runs without torch."""

from __future__ import annotations

import csv
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crnn.core.alignment import Edit
from crnn.errors import DataError
from crnn.files import write_atomic
from crnn.training.confusions import most_common, named, read_confusions

BLUE, ORANGE, GREEN, RED, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#666666"
"""Told apart by the colour-blind, too (Okabe and Ito, "Color Universal Design", 2008); lines also differ in style."""
BINS = 150
"""Most points of a line; longer ones are averaged."""

BARS = 12
"""Most confusions that are drawn."""


class Curve(NamedTuple):
    """Values of one column, where there are some."""

    steps: NDArray[np.float64]
    """(N,) steps done."""
    values: NDArray[np.float64]
    """(N,) finite."""


def read_curves(run: Path) -> dict[str, Curve]:
    """All columns of a run's ``metrics.csv`` that hold something; what was cut off in writing is left out.

    Raises:
        DataError: if there is none.
    """
    try:
        with (run / "metrics.csv").open(newline="", encoding="utf-8", errors="replace") as file:
            rows = list(csv.DictReader(file))
    except OSError:
        raise DataError(f"{run}: is not a run folder (no metrics.csv in it); name one, such as runs/NAME") from None
    found: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        step = _number(row.get("step"))
        for name, text in row.items():
            value = _number(text)
            if name and name != "step" and step is not None and value is not None:
                found.setdefault(name, []).append((step + 1, value))
    return {name: Curve(*np.array(pairs).T) for name, pairs in found.items()}


def _number(text: object) -> float | None:
    try:
        value = float(text)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return value if np.isfinite(value) else None


def binned(curve: Curve) -> tuple[Curve, NDArray[np.float64], NDArray[np.float64]]:
    """A curve of at most `BINS` means, and the 10th and 90th percentile of each bin."""
    size = max(1, -(-len(curve.steps) // BINS))
    starts = np.arange(0, len(curve.steps), size)
    bins = [curve.values[start : start + size] for start in starts]
    low, high = np.array([np.percentile(values, (10, 90)) for values in bins]).T
    middle = np.array([curve.steps[start : start + size].mean() for start in starts])
    return Curve(middle, np.array([values.mean() for values in bins])), low, high


def newest_confusions(run: Path) -> dict[Edit, int]:
    """Those of the last validation; none of a run that kept none."""
    tables = sorted((run / "samples").glob("confusions_*.tsv"), key=lambda path: (len(path.name), path.name))
    try:
        return read_confusions(tables[-1]) if tables else {}
    except (OSError, ValueError):
        return {}


def draw(run: Path) -> Path:
    """Write ``curves.png`` into a run folder, whole or not at all; returns its path.

    Raises:
        DataError: if there are no metrics, or none to draw yet.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    curves, confusions = read_curves(run), newest_confusions(run)
    panels = [panel for panel, columns in PANELS if any(column in curves for column in columns)]
    if not panels:
        raise DataError(f"{run / 'metrics.csv'}: holds no figures yet; wait for the first steps")
    count = len(panels) + bool(confusions)
    rows = -(-count // 2)
    figure = Figure(figsize=(13, 0.9 + 3.5 * rows), dpi=100)
    FigureCanvasAgg(figure)
    top = 1 - 0.8 / figure.get_figheight()
    axes = figure.subplots(
        rows,
        2,
        squeeze=False,
        gridspec_kw={  # in shares of the figure; a layout engine would take longer than all the rest
            "left": 0.07,
            "right": 0.98,
            "bottom": 0.55 / figure.get_figheight(),
            "top": top - 0.03,
            "hspace": 0.45,
            "wspace": 0.22,
        },
    ).ravel()
    last = max(float(curve.steps[-1]) for curve in curves.values())
    for axis, panel in zip(axes, panels, strict=False):
        panel(axis, curves)
        axis.set_xlim(0, last * 1.02)
        axis.set_xlabel("training steps")
        axis.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axis.grid(True, alpha=0.3)
        if len(axis.get_lines()) > 1:
            axis.legend(fontsize=10, framealpha=0.8)
    if confusions:
        _confusions(axes[len(panels)], confusions)
    for axis in axes[count:]:
        axis.set_axis_off()
    figure.suptitle(_title(run, curves), x=0.07, y=1 - 0.12 / figure.get_figheight(), ha="left", va="top", fontsize=13)
    path = run / "curves.png"
    with write_atomic(path) as temporary, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")  # a name in letters that the font lacks
        figure.savefig(temporary, format="png", metadata={"Software": None})
    return path


def _title(run: Path, curves: dict[str, Curve]) -> str:
    last = max(int(curve.steps[-1]) for curve in curves.values())
    parts = [f"{last:,} steps"]
    if "seconds" in curves:
        parts.append(f"{curves['seconds'].values[-1] / 60:,.1f} minutes")
    if "val/cer" in curves:
        cer = curves["val/cer"]
        best = int(cer.values.argmin())
        parts.append(f"best validation CER {cer.values[best]:.2%} at step {int(cer.steps[best]):,}")
    return f"{run.resolve().name}\n" + ", ".join(parts)


def _loss(axis: Any, curves: dict[str, Curve]) -> None:
    axis.set(title="Loss (CTC)", ylabel="nats", yscale="log")
    if "train/loss" in curves:
        mean, low, high = binned(curves["train/loss"])
        axis.fill_between(mean.steps, low, high, color=BLUE, alpha=0.2, linewidth=0)
        axis.plot(*mean, color=BLUE, label="training; pale: 80 % of the steps")
    if "val/loss" in curves:
        axis.plot(*curves["val/loss"], color=RED, marker="o", linestyle="--", label="validation, per line")
    axis.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.yaxis.set_minor_formatter(_sparse(lambda value: f"{value:g}"))


def _sparse(text: Callable[[float], str]) -> Callable[[float, object], str]:
    """Names the ticks 2 and 5 of a logarithmic axis."""
    return lambda value, _: text(value) if f"{value:e}"[0] in "25" else ""


def _errors(axis: Any, curves: dict[str, Curve]) -> None:
    axis.set(title="Errors on validation lines", ylabel="share of characters, words, lines", yscale="log")
    for name, label, colour, style in (
        ("val/exact", "lines not exact", GREY, ":"),
        ("val/wer", "words (WER)", ORANGE, "--"),
        ("val/cer", "characters (CER)", BLUE, "-"),
    ):
        if name in curves:
            steps, values = curves[name]
            values = np.maximum(1 - values if name == "val/exact" else values, 1e-4)  # zero has no logarithm
            axis.plot(steps, values, color=colour, linestyle=style, marker="o", label=label)
    low, high = axis.get_ylim()
    axis.set_ylim(min(low, 0.9 * high), max(high, 1.1))
    axis.yaxis.set_major_formatter(lambda value, _: f"{100 * value:g} %")
    axis.yaxis.set_minor_formatter(_sparse(lambda value: f"{100 * value:g} %"))


def _rate(axis: Any, curves: dict[str, Curve]) -> None:
    axis.set(title="Learning rate", ylabel="learning rate")
    single = len(curves["lr"].steps) < 50  # one per epoch, as older runs have
    axis.plot(*binned(curves["lr"])[0], color=BLUE, marker="o" if single else "")
    axis.set_ylim(0, 1.08 * float(curves["lr"].values.max()) or 1.0)
    axis.ticklabel_format(axis="y", style="sci", scilimits=(-2, 3))


def _gradient(axis: Any, curves: dict[str, Curve]) -> None:
    axis.set(title="Gradient norm", ylabel="L2 norm before clipping", yscale="log")
    mean, low, high = binned(curves["train/gradient_norm"])
    axis.fill_between(mean.steps, low, high, color=BLUE, alpha=0.2, linewidth=0)
    axis.plot(*mean, color=BLUE)
    axis.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.yaxis.set_minor_formatter(_sparse(lambda value: f"{value:g}"))


def _shares(axis: Any, curves: dict[str, Curve]) -> None:
    axis.set(title="Blanks and padding", ylabel="share", ylim=(-0.03, 1.03))
    for name, label, colour, style in (
        ("val/blank", "time steps read as blank (validation)", BLUE, "-"),
        ("train/padding", "padding among pixels (training)", ORANGE, "--"),
    ):
        if name in curves:
            axis.plot(*curves[name], color=colour, linestyle=style, marker="o", label=label)
    axis.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")


PANELS: tuple[tuple[Callable[[Any, dict[str, Curve]], None], tuple[str, ...]], ...] = (
    (_loss, ("train/loss", "val/loss")),
    (_errors, ("val/cer", "val/wer", "val/exact")),
    (_rate, ("lr",)),
    (_gradient, ("train/gradient_norm",)),
    (_shares, ("val/blank", "train/padding")),
)
"""Each with the columns that it can draw; it is left out if there are none."""


def _confusions(axis: Any, confusions: dict[Edit, int]) -> None:
    """The most common ones as bars; characters that the font lacks by their number."""
    from matplotlib.font_manager import findfont, get_font

    font = get_font(findfont("DejaVu Sans"))
    rows = most_common(confusions, BARS)[::-1]
    names = [
        "".join(c if font.get_char_index(ord(c)) else f"U+{ord(c):04X}" for c in named(edit)).replace("$", r"\$")
        for edit, _ in rows
    ]
    axis.barh(range(len(rows)), [count for _, count in rows], color=BLUE)
    axis.set_yticks(range(len(rows)), names)
    axis.set_ylim(len(rows) - BARS - 0.5, len(rows) - 0.5)  # few ones are no thicker
    axis.set(title="Most common confusions, last validation", xlabel="how often")
    axis.xaxis.get_major_locator().set_params(integer=True)
    axis.grid(True, axis="x", alpha=0.3)
