"""Wear: each effect does something and keeps the size, a line stays readable, and all follows from the seed."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from block_font import layouts as blocks

from crnn.data.synth import ink_wear
from crnn.data.synth import wear as wear_module
from crnn.data.synth.pixels import clouds, grown
from crnn.data.synth.render import Layout, coloured, draw, draw_ink
from crnn.data.synth.source import SyntheticSource, synthetic_pair
from crnn.data.synth.surroundings import LEAST_CONTRAST
from crnn.data.synth.wear import INK, SCAN, Effect, worn

EFFECTS = {
    effect.__name__: (kinds is INK, effect)
    for kinds in (INK, SCAN)
    for effects in kinds.values()
    for _, effect in effects
}


@pytest.fixture(scope="module")
def clean() -> SyntheticSource:
    return synthetic_pair(60, 5, seed=3, fonts="bundled", min_length=6, max_length=20, wear=0.0)[0]


@pytest.fixture(scope="module")
def layouts() -> list[Layout]:
    source = synthetic_pair(2500, 5, seed=4, fonts="bundled", min_length=3, max_length=20)[0]
    return [source.layout(i) for i in range(2500)]


def separation(grey: np.ndarray, ink: np.ndarray) -> float:
    """How far the grey of strokes is from the paper's, in deviations of both: their 4th decile against the paper's median."""
    strokes, paper = grey[ink > 200].astype(float), grey[ink == 0].astype(float)
    return abs(np.median(strokes) - np.median(paper)) / (strokes.std() + paper.std() + 1)


def test_there_is_wear_of_many_kinds() -> None:
    assert len(EFFECTS) == 21
    for kinds in (INK, SCAN):
        assert all(sum(probability for probability, _ in effects) < 1 for effects in kinds.values())


@pytest.mark.parametrize("name", EFFECTS)
def test_an_effect_keeps_the_size_and_changes_the_picture(clean: SyntheticSource, name: str) -> None:
    is_ink, effect = EFFECTS[name]
    changed, apart = 0, []
    for position in range(60):
        layout = clean.layout(position)
        ink = draw_ink(layout)
        before = np.asarray(ink if is_ink else coloured(ink, layout), dtype=np.float32)
        kept = before.copy()
        after = effect(before, np.random.default_rng(position), layout.font_size)
        again = effect(before, np.random.default_rng(position), layout.font_size)
        assert np.array_equal(before, kept)  # what comes in is left alone
        assert np.array_equal(after, again)
        assert (after.shape, after.dtype) == (before.shape, np.float32)
        assert np.isfinite(after).all()
        changed += bool(np.abs(after - before).max() > 2)
        if name != "perspective":  # which moves the letters
            apart.append(separation(255 - after if is_ink else after, np.asarray(ink)))
    assert changed >= 55
    assert not apart or np.median(apart) > 0.8


@pytest.mark.parametrize("name", EFFECTS)
@pytest.mark.parametrize("shape", [(4, 1), (5, 3), (30, 2), (4, 90)])
def test_an_effect_takes_the_smallest_pictures(name: str, shape: tuple[int, int]) -> None:
    for font_size in (16, 40):
        for seed in range(5):
            pixels = np.random.default_rng(seed).uniform(0, 255, shape).astype(np.float32)
            assert EFFECTS[name][1](pixels, np.random.default_rng(seed), font_size).shape == shape


def test_dots_are_dots(clean: SyntheticSource) -> None:
    """Between the dots of a full area there is paper."""
    full = np.full((40, 200), 255, dtype=np.float32)
    dots = ink_wear.dot_matrix(full, np.random.default_rng(0), 36)
    assert dots.max() == 255
    assert dots.min() < 130
    assert np.array_equal(grown(dots)[3:-3, 3:-3] > 200, np.ones((34, 194), dtype=bool))


def test_probabilities_go_with_wear(monkeypatch: pytest.MonkeyPatch) -> None:
    """How often each effect is called; what they do is no part of it, so that many lines can be looked at."""
    called = dict.fromkeys(EFFECTS, 0)

    def counting(name: str) -> Effect:
        def counted(pixels, rng, font_size):  # type: ignore[no-untyped-def]
            called[name] += 1
            return pixels

        counted.__name__ = name
        return counted

    wanted, harsh = {}, []
    for kinds, where in ((INK, "INK"), (SCAN, "SCAN")):
        wanted |= {effect.__name__: probability for effects in kinds.values() for probability, effect in effects}
        counted = {k: [(p, counting(e.__name__)) for p, e in effects] for k, effects in kinds.items()}
        monkeypatch.setattr(wear_module, where, counted)
        harsh += [e for effects in counted.values() for _, e in effects if e.__name__ in ("low_resolution", "bitonal")]
    monkeypatch.setattr(wear_module, "HARSH", harsh)
    monkeypatch.setattr(wear_module, "draw_ink", lambda layout: np.zeros((2, 3), dtype=np.uint8))
    monkeypatch.setattr(wear_module, "coloured", lambda ink, layout: ink)
    layout, lines = next(blocks(1)), 2500
    for wear in (1.0, 0.5, 0.0):
        called.update(dict.fromkeys(called, 0))
        rng = np.random.default_rng(4)
        for _ in range(lines):
            worn(layout, rng, wear)
        for name, probability in wanted.items():
            expected = probability * wear * lines
            if name in ("low_resolution", "bitonal"):  # not after a printer's
                expected *= 1 - wear * sum(p for p, _ in INK["printer"])
            assert abs(called[name] - expected) <= 4.5 * expected**0.5, (name, wear)


def test_every_crop_and_surrounding_comes(layouts: list[Layout]) -> None:
    assert sum(any(layout.cut) for layout in layouts) > 80
    assert sum(bool(layout.neighbours) for layout in layouts) > 200
    kinds = [stroke.kind for layout in layouts for stroke in layout.strokes]
    assert set(kinds) == {"under", "across", "top", "bottom", "left", "right"}
    stretches = [layout.stretch for layout in layouts]
    assert 0.5 <= min(stretches) < 0.55
    assert 1.28 < max(stretches) <= 1.35
    for name in ("tracking", "word_space", "bold", "shear", "angle"):
        assert 0.02 < np.mean([getattr(layout, name) != 0 for layout in layouts]) < 0.4, name
    assert any(layout.tracking % 1 for layout in layouts)
    assert any(layout.wave[0] for layout in layouts)


def test_ink_and_paper_are_apart_in_every_layout(layouts: list[Layout]) -> None:
    assert min(abs(layout.ink - layout.paper) for layout in layouts) >= LEAST_CONTRAST
    assert sum(layout.ink > layout.paper for layout in layouts) > 150  # light on dark


def test_neighbours_and_rules_leave_the_text_alone(layouts: list[Layout]) -> None:
    """They lie around the line: hardly a pixel of its ink is theirs, too."""
    touched, looked_at = [], 0
    for layout in layouts:
        if layout.strokes or layout.neighbours:
            own = np.asarray(draw_ink(dataclasses.replace(layout, strokes=(), neighbours=()))) > 128
            strokes = tuple(s for s in layout.strokes if s.kind not in ("under", "across"))  # which cross descenders
            around = np.asarray(draw_ink(dataclasses.replace(layout, strokes=strokes))).astype(int)
            alone = np.asarray(draw_ink(dataclasses.replace(layout, strokes=(), neighbours=()))).astype(int)
            near = own | np.roll(own, 1, 0) | np.roll(own, -1, 0)
            touched.append(float(((around - alone) > 128)[near].mean()))
            looked_at += 1
    assert looked_at > 500
    assert np.mean(touched) < 0.01


def test_a_table_rule_is_no_letter(layouts: list[Layout]) -> None:
    """It stands at the edge, away from the letters, and reaches beyond them above and below."""
    seen = 0
    for layout in layouts:
        sides = {stroke.kind for stroke in layout.strokes} & {"left", "right"}
        if not sides or layout.shear or layout.angle or layout.neighbours:
            continue
        inked = np.asarray(draw_ink(dataclasses.replace(layout, strokes=()))) > 128
        rows, columns = np.flatnonzero(inked.any(1)), np.flatnonzero(inked.any(0))
        free = {"left": columns[0], "right": layout.size[0] - 1 - columns[-1]}
        assert all(free[side] >= 0.35 * layout.font_size for side in sides), layout
        assert min(rows[0], layout.size[1] - 1 - rows[-1]) >= 0.15 * layout.font_size, layout
        seen += 1
    assert seen > 20


def test_strokes_of_a_bold_line_are_darker_or_wider(clean: SyntheticSource) -> None:
    for position in range(20):
        layout = clean.layout(position)
        bold = np.asarray(draw_ink(dataclasses.replace(layout, bold=0.8))).astype(int)
        plain = np.asarray(draw_ink(layout)).astype(int)
        assert (bold >= plain).all()
        assert bold.sum() > plain.sum() * 1.05


def test_the_wave_moves_the_letters_up_and_down(clean: SyntheticSource) -> None:
    layout = clean.layout(0)
    width, height = layout.size
    layout = dataclasses.replace(layout, size=(width, height + 20), origin=(layout.origin[0], layout.origin[1] + 10))
    straight, waved = (
        np.asarray(draw_ink(dataclasses.replace(layout, wave=wave))).astype(float)
        for wave in ((0.0, 1.0, 0.0), (3.0, width / 2, 0.0))
    )
    columns = np.flatnonzero(straight.sum(0) > 500)
    rows = np.arange(height + 20)[:, None]
    moved = ((waved * rows).sum(0) / (waved.sum(0) + 1e-9) - (straight * rows).sum(0) / (straight.sum(0) + 1e-9))[
        columns
    ]
    wanted = -3 * np.sin((columns - layout.origin[0]) * 2 * np.pi / (width / 2))
    assert np.abs(moved - wanted).max() < 0.5


def test_clean_lines_are_not_worn(clean: SyntheticSource) -> None:
    for position in range(20):
        assert clean.picture(position).tobytes() == draw(clean.layout(position)).tobytes()


def test_noise_is_noise() -> None:
    for grain in (1.0, 2.5, 9.0):
        noise = clouds(np.random.default_rng(0), (300, 300), grain)
        assert noise.shape == (300, 300)
        assert abs(float(noise.mean())) < 0.15
        assert 0.5 < float(noise.std()) < 1.1
    assert clouds(np.random.default_rng(0), (1, 50), 5.0).shape == (1, 50)


class Listed:
    """A generator that gives what is listed."""

    def __init__(self, *draws: float) -> None:
        self.draws = list(draws)

    def random(self, size: int) -> np.ndarray:
        return np.array([self.draws.pop(0) for _ in range(size)])


def test_which_effect_a_draw_is() -> None:
    def none(pixels, rng, size):  # type: ignore[no-untyped-def]
        return pixels

    one, two, three = (lambda *given, i=i: none(*given) for i in range(3))
    kinds = {"a": ((0.25, one), (0.5, two)), "b": ((0.5, three),)}
    for draws, wear, chosen in (
        ((0.0, 0.9), 1.0, {"a": one}),
        ((0.24, 0.0), 1.0, {"a": one, "b": three}),
        ((0.25, 0.49), 1.0, {"a": two, "b": three}),
        ((0.74, 0.5), 1.0, {"a": two}),
        ((0.75, 0.99), 1.0, {}),
        ((0.125, 0.25), 0.5, {"a": two}),
        ((0.12, 0.24), 0.5, {"a": one, "b": three}),
    ):
        assert wear_module._chosen(kinds, Listed(*draws), wear) == chosen  # type: ignore[arg-type]


def test_effects_follow_each_other_and_some_not_a_printer(monkeypatch: pytest.MonkeyPatch) -> None:
    layout = next(each for each in blocks(9, 0.0) if each.text == "ab")
    asked: list[tuple[str, int]] = []

    def effect(name: str, more: float) -> Effect:
        def add(pixels, rng, size):  # type: ignore[no-untyped-def]
            asked.append((name, size))
            assert pixels.dtype == np.float32
            return pixels * 0 + more

        return add

    inked, harsh, soft = effect("printer", 255.0), effect("harsh", 99.0), effect("soft", 300.0)
    monkeypatch.setattr(wear_module, "INK", {"printer": ((1.0, inked),)})
    monkeypatch.setattr(wear_module, "SCAN", {"optics": ((1.0, harsh),), "file": ((1.0, soft),)})
    for left_out, names in (((harsh,), ["printer", "soft"]), ((), ["printer", "harsh", "soft"])):
        monkeypatch.setattr(wear_module, "HARSH", left_out)
        asked.clear()
        made = worn(layout, np.random.default_rng(0), 1.0)
        assert (made.mode, made.size) == ("L", layout.size)
        assert np.asarray(made).min() == 255  # cut off at white
        assert asked == [(name, layout.font_size) for name in names]
    monkeypatch.setattr(wear_module, "INK", {"place": ((1.0, inked),)})
    monkeypatch.setattr(wear_module, "HARSH", (harsh,))
    asked.clear()
    worn(layout, np.random.default_rng(0), 1.0)
    assert [name for name, _ in asked] == ["printer", "harsh", "soft"]
    asked.clear()
    assert np.array_equal(np.asarray(worn(layout, np.random.default_rng(0), 0.0)), coloured(draw_ink(layout), layout))
    assert not asked
    pixels = np.zeros((2, 2), dtype=np.uint8)
    assert wear_module._applied(pixels, {}, np.random.default_rng(0), 20) is pixels
