"""Pictures that matplotlib draws: each axis has a name, text can be read, and colours differ for the colour-blind."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from colour_blindness import CONES, lab, least_distance
from tests_support import script

from crnn.explain.colours import DIVERGING, LINES
from crnn.training import curves
from crnn.training.confusions import write_confusions

SMALLEST = 7
"""Points, at the size in which a picture is printed."""
TOLD_APART = 20
"""Of CIE 1976; 2.3 can just be noticed side by side. Tritanopia, one in ten thousand people, is asked for half of it."""
STYLES = {
    "report": Path(curves.__file__).parents[1] / "report" / "page.css",
    "explain": Path(curves.__file__).parents[1] / "explain" / "assets" / "page.css",
}


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is saved while the test runs."""
    from matplotlib.figure import Figure

    saved: list[Any] = []
    save = Figure.savefig

    def spy(self: Figure, *args: object, **options: object) -> None:
        saved.append(self)
        save(self, *args, **options)

    monkeypatch.setattr(Figure, "savefig", spy)
    return saved


def draw_curves(folder: Path) -> None:
    columns = "epoch,step,train/loss,lr,val/cer,val/wer,val/exact,val/loss,val/blank,train/padding,train/gradient_norm"
    rows = [f"0,{step},{9 - step},0.001,0.{step}1,0.{step}2,0.5,4,0.9,0.1,{step}.5" for step in range(1, 6)]
    (folder / "metrics.csv").write_text("\n".join([columns, *rows]))
    (folder / "samples").mkdir()
    write_confusions(folder / "samples" / "confusions_001.tsv", {("a", "b"): 3, ("", "x"): 1})
    curves.draw(folder)


def draw_line(folder: Path) -> None:
    from crnn.explain.line import trace_or_sample
    from crnn.explain.line_figure import line_figure, unit_figure
    from crnn.explain.model import open_model
    from crnn.explain.saliency import saliency
    from crnn.explain.saliency_page import saliency_figure

    opened = open_model(None)
    line = trace_or_sample(opened, None)
    line_figure(opened, line)
    unit_figure(opened, line, (0, 1))
    saliency_figure(opened, line, saliency(opened, line))


def draw_networks(folder: Path) -> None:
    row = {"data": "receipts", "cer": 0.02, "exact": 0.8, "parameters": 1e6, "training_cpu_minutes": 3, "lines": 100}
    rows = [{**row, "network": name, "lines_per_cpu_second": n} for n, name in ((90, "crnn_fast"), (50, "easyocr"))]
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parents[1] / "scripts"))  # as when it is called
        script("network_curve").plot(rows, folder / "x.svg")


def draw_finetuning(folder: Path) -> None:
    rows = [
        {"data": data, "start": start, "lines": n, "cer": 1 / n}
        for data in ("a", "b", "c")
        for start in ("from scratch", "bundled")
        for n in (10, 100)
    ]
    script("finetune_curve").plot(rows, folder / "x.svg")


@pytest.mark.parametrize(
    ("draw", "count"), [(draw_curves, 1), (draw_line, 3), (draw_networks, 1), (draw_finetuning, 1)]
)
def test_titles_axes_and_sizes(draw: Callable[[Path], None], count: int, tmp_path: Path, figures: list[Any]) -> None:
    draw(tmp_path)
    assert len(figures) == count
    for figure in figures:
        check(figure)


def check(figure: Any) -> None:
    """Each axis with numbers has a name, its own or that of the panel below or to the left; each panel has a title."""
    panels = [axes for axes in figure.axes if axes.axison]
    assert panels
    for axes in panels:
        names = {"x": axes.get_xlabel(), "y": axes.get_ylabel()}
        if axes.get_label() == "<colorbar>":
            assert any(names.values())
            continue
        ticks = {side: has_numbers(getattr(axes, f"{side}axis")) for side in "xy"}
        if any(ticks.values()):
            assert any(axes.get_title(loc) for loc in ("left", "center", "right")), names
        for side in "xy":
            assert not ticks[side] or names[side] or any(names_for(side, axes, other) for other in panels), (
                side,
                axes.get_title(loc="left") or axes.get_title(),
            )
    texts = figure.findobj(lambda one: hasattr(one, "get_fontsize"))
    small = [one for one in texts if one.get_text().strip() and one.get_visible() and one.get_fontsize() < SMALLEST]
    assert not small, small
    assert figure.get_suptitle() or len(panels) == 1 or all(axes.get_title() for axes in panels)


def has_numbers(axis: Any) -> bool:
    """Whether an axis shows numbers; words at the ticks need no name."""
    words = [one.get_text() for one in axis.get_ticklabels() if one.get_text()]
    return bool(words) and all(re.fullmatch(r"[-−\d.,$\\{}^a-z ]*\d[-−\d.,%$\\{}^a-z ]*", one) for one in words)


def names_for(side: str, axes: Any, other: Any) -> bool:
    """Whether the axis of `other` is below (x) or to the left (y) in the same column or row, and has a name."""
    a, b = axes.get_position(), other.get_position()
    if side == "x":
        return bool(other.get_xlabel()) and b.y0 < a.y0 and abs(a.x0 - b.x0) < 0.05
    return bool(other.get_ylabel()) and b.x0 < a.x0 and abs(a.y0 - b.y0) < 0.01


def variables(style: str) -> list[dict[str, str]]:
    """Colours of a style sheet by name, light and dark."""
    blocks = [dict(re.findall(r"--([\w-]+):(#[0-9a-f]{6})", block)) for block in re.findall(r"\{[^{}]*\}", style)]
    return [block for block in blocks if "paper" in block]


def test_colours_for_the_colour_blind() -> None:
    sets = {
        "errors": (curves.GREY, curves.ORANGE, curves.BLUE),
        "loss": (curves.BLUE, curves.RED),
        "shares": (curves.BLUE, curves.ORANGE),
        "lines": LINES,
        "finetuning": script("finetune_curve").COLOURS,
        **{f"diverging, {theme}": (stops[0], stops[3], stops[-1]) for theme, stops in DIVERGING.items()},
    }
    for name, wanted in (("report", ("sub", "del", "ins")), ("explain", ("accent", "mark", "third"))):
        for number, block in enumerate(variables(STYLES[name].read_text(encoding="utf-8"))):
            sets[f"{name} {number}"] = tuple(block[colour] for colour in wanted)
    assert len(sets) == 13
    for name, colours in sets.items():
        distances = least_distance(colours)
        distances["tritanopia"] *= 2
        assert min(distances.values()) > TOLD_APART, (name, distances)


def test_the_simulation_itself() -> None:
    """Grey stays grey for all; red and green fall together for one in twenty men, blue and orange for nobody."""
    for cones in CONES:
        assert np.abs(lab("#808080", cones)[1:]).max() < 0.1
        assert least_distance(("#0072b2", "#e69f00"))[cones] > 60
    assert (
        least_distance(("#d62728", "#2ca02c"))["deuteranopia"]
        < 10
        < 100
        < least_distance(("#d62728", "#2ca02c"))["all"]
    )
    assert np.allclose(lab("#ffffff"), (100, 0, 0), atol=0.1)
