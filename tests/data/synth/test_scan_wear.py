"""What paper, light, lens and file do: the same to the hundredth of a grey value, and what that is."""

from __future__ import annotations

import golden_effects
import numpy as np
import pytest
from few_draws import FewDraws, Told
from PIL import Image

from crnn.data.synth import scan_wear
from crnn.data.synth.pixels import Pixels
from crnn.data.synth.surroundings import LEAST_CONTRAST


@pytest.mark.parametrize("name", golden_effects.SCAN)
def test_an_effect_of_a_scan_is_what_it_was(name: str) -> None:
    golden_effects.check(name)


def test_a_faint_line_can_be_read() -> None:
    grey = np.full((20, 40), 220, dtype=np.float32)
    grey[5:15, 10:30] = 20
    for low, high in ((220, 20), (220, 150), (220, 190)):
        grey[5:15, 10:30] = high
        contrasts = []
        for seed in range(30):
            made = scan_wear.faint(grey, np.random.default_rng(seed), 28)
            assert high - 0.01 <= made.min() < made.max() <= low + 0.01
            contrasts.append(float(made.max() - made.min()))
        assert min(contrasts) >= min(LEAST_CONTRAST, low - high) - 0.01
        assert max(contrasts) <= 0.8 * (low - high) + 0.01 or max(contrasts) <= LEAST_CONTRAST + 0.01
    flat = np.full((4, 4), 77, dtype=np.float32)
    assert scan_wear.faint(flat, np.random.default_rng(1), 28).tolist() == flat.tolist()


def test_a_moved_hand_takes_the_mean_over_so_many_pixels() -> None:
    grey = np.zeros((21, 21), dtype=np.float32)
    grey[10, 10] = 100
    for chance, sideways in ((0.69, True), (0.7, False)):
        made = scan_wear.motion(grey, FewDraws(5, [chance]), 32)
        line = made[10] if sideways else made[:, 10]
        assert made.sum() == pytest.approx(100, rel=1e-4)
        assert line.sum() == pytest.approx(100, rel=1e-4)
        assert 2 <= (line > 0).sum() <= 5
        assert line[8:13].sum() == pytest.approx(100, rel=1e-4)  # not moved away
    level = np.full((6, 7), 50, dtype=np.float32)
    assert scan_wear.motion(level, np.random.default_rng(0), 40) == pytest.approx(level, rel=1e-5)


def test_dust_is_a_dot_or_two() -> None:
    grey = np.full((30, 50), 128, dtype=np.float32)
    counts = set()
    for seed in range(60):
        made = scan_wear.specks(grey, np.random.default_rng(seed), 28)
        counts.add(int((made != 128).sum()))
        assert len(np.unique(made)) == 2
    assert 1 <= min(counts) <= 2
    assert 6 <= max(counts) <= 12
    assert (grey == 128).all()


def test_two_greys_are_those_of_ink_and_paper() -> None:
    for ink, paper in ((20, 220), (230, 40)):
        grey = np.full((30, 60), paper, dtype=np.float32)
        grey[10:20, 10:40] = ink
        assert set(np.unique(scan_wear.bitonal(grey, FewDraws(1, [0.4]), 16))) == {ink, paper}
    flat = np.full((4, 9), 77, dtype=np.float32)
    assert scan_wear.bitonal(flat, np.random.default_rng(1), 28).tolist() == flat.tolist()


def test_a_shadow_is_on_either_side() -> None:
    grey = np.full((30, 90), 200, dtype=np.float32)
    for chance, darker in ((0.49, "left"), (0.5, "right")):
        made = scan_wear.shadow(grey, FewDraws(1, [chance]), 28)
        left, right = made[:, :10].mean(), made[:, -10:].mean()
        assert (left < right) == (darker == "left")
        assert 0.6 * 200 - 0.01 <= made.min() < made.max() <= 200


BOX, BILINEAR, BICUBIC, NEAREST = (
    Image.Resampling[name] for name in ("BOX", "BILINEAR", "BICUBIC", "NEAREST")
)  # fmt: skip


def sizes_asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[tuple[int, int], Image.Resampling]]:
    """What `resized` is asked for from now on; it makes pixels of the asked size."""
    asked: list[tuple[tuple[int, int], Image.Resampling]] = []

    def resized(pixels: Pixels, size: tuple[int, int], way: Image.Resampling) -> Pixels:
        asked.append((size, way))
        return np.resize(pixels, size[::-1])

    monkeypatch.setattr(scan_wear, "resized", resized)
    return asked


@pytest.mark.parametrize(
    ("font_size", "drawn", "shape", "size"),
    [
        (40, 0.5, (32, 80), (40, 16)),
        (40, 0.35, (32, 80), (28, 11)),
        (16, 0.35, (32, 80), (65, 26)),  # letters of 13 pixels at least
        (26, 0.35, (32, 80), (40, 16)),
        (26, 0.6, (32, 80), (48, 19)),
        (13, 0.35, (32, 80), (76, 30)),  # but always fewer pixels than there were
        (40, 0.35, (1, 1), (1, 1)),
        (40, 0.4, (5, 1), (1, 2)),
    ],
)
def test_a_low_resolution_leaves_letters_of_13_pixels(
    font_size: int, drawn: float, shape: tuple[int, int], size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = sizes_asked(monkeypatch)
    rng = Told(drawn, 1, 0.5)
    made = scan_wear.low_resolution(np.zeros(shape, dtype=np.float32), rng, font_size)  # type: ignore[arg-type]
    assert asked == [(size, BILINEAR), (shape[::-1], BILINEAR)]
    assert made.shape == shape
    assert rng.asked == [(0.35, 0.9), (3,), ()]


@pytest.mark.parametrize(
    ("down", "up", "ways"),
    [
        (0, 0.15, (BOX, BICUBIC)),
        (1, 0.15, (BILINEAR, BILINEAR)),
        (2, 0.9, (BICUBIC, BICUBIC)),
        (0, 0.149, (BOX, NEAREST)),
        (2, 0.149, (BICUBIC, NEAREST)),
    ],
)
def test_ways_to_a_low_resolution_and_back(
    down: int, up: float, ways: tuple[Image.Resampling, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = sizes_asked(monkeypatch)
    scan_wear.low_resolution(np.zeros((32, 80), dtype=np.float32), Told(0.5, down, up), 40)  # type: ignore[arg-type]
    assert tuple(way for _, way in asked) == ways


@pytest.mark.parametrize(
    ("font_size", "drawn", "shape", "size"),
    [
        (40, 0.5, (32, 80), (40, 16)),
        (40, 0.8, (32, 80), (64, 26)),
        (20, 0.5, (32, 80), (64, 26)),  # letters of 16 pixels at least
        (16, 0.5, (32, 80), None),
        (17, 0.5, (34, 17), (16, 32)),
        (40, 1.0, (32, 80), None),
        (40, 0.5, (1, 1), (1, 1)),
        (40, 0.4, (1, 5), (2, 1)),
    ],
)
def test_a_fax_has_letters_of_16_pixels(
    font_size: int,
    drawn: float,
    shape: tuple[int, int],
    size: tuple[int, int] | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scan_wear, "clouds", lambda rng, shape, grain: np.zeros(shape, dtype=np.float32))
    for back, way in ((0.49, NEAREST), (0.5, BILINEAR)):
        asked = sizes_asked(monkeypatch)
        rng = Told(drawn, 0.3, back)
        made = scan_wear.bitonal(np.zeros(shape, dtype=np.float32), rng, font_size)  # type: ignore[arg-type]
        assert asked == ([(size, BOX), (shape[::-1], way)] if size else [])
        assert made.shape == shape
        assert rng.asked[:2] == [(0.5, 1.3), (0.28, 0.45)]


def test_what_is_ink_to_a_fax(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part of the way from paper to ink, some more or less by noise."""
    noise = np.zeros((1, 9), dtype=np.float32)
    asked: list[object] = []
    monkeypatch.setattr(scan_wear, "clouds", lambda rng, shape, grain: asked.append((shape, grain)) or noise)
    grey = np.array([[200, 200, 200, 200, 200, 0, 100, 130, 150]], dtype=np.float32)
    made = scan_wear.bitonal(grey, Told(1.0, 0.4), 40)  # type: ignore[arg-type]
    assert made.tolist() == [[200] * 5 + [0, 0, 200, 200]]  # 0.5 of ink, and 0.35
    assert asked == [((1, 9), 1.0)]
    noise[0, 4], noise[0, 7], noise[0, 6] = 5, 1, -2  # of which 7 % count
    made = scan_wear.bitonal(grey, Told(1.0, 0.4), 40)  # type: ignore[arg-type]
    assert made.tolist() == [[200] * 5 + [0, 200, 0, 200]]
    noise[0, 4] = 6
    assert scan_wear.bitonal(grey, Told(1.0, 0.4), 40)[0, 4] == 0  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("font_size", "drawn", "weights"),
    [
        (32, 2.0, {9: 1 / 3, 10: 1 / 3, 11: 1 / 3}),
        (32, 1.0, {10: 0.5, 11: 0.5}),
        (32, 3.0, {9: 0.25, 10: 0.25, 11: 0.25, 12: 0.25}),
        (16, 1.0, {10: 1 / 1.5, 9: 0.5 / 1.5}),
        (64, 1.25, {11: 1 / 3.5, 10: 1 / 3.5, 9: 1 / 3.5, 8: 0.5 / 3.5}),
    ],
)
def test_how_far_a_hand_moves(font_size: int, drawn: float, weights: dict[int, float]) -> None:
    grey = np.zeros((21, 21), dtype=np.float32)
    grey[10, 10] = 90
    wanted = np.zeros(21)
    wanted[list(weights)] = [90 * weight for weight in weights.values()]
    rng = Told(drawn, 0.5)
    made = scan_wear.motion(grey, rng, font_size)  # type: ignore[arg-type]
    assert rng.asked == [(1, 3), ()]
    assert made[10] == pytest.approx(wanted, rel=1e-5)
    assert made.sum() == pytest.approx(90, rel=1e-5)


def test_strengths_that_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of paper, noise and files: between which bounds, and what they do."""
    asked: list[object] = []
    ones = np.ones((2, 3), dtype=np.float32)
    monkeypatch.setattr(scan_wear, "clouds", lambda rng, shape, grain: asked.append((shape, grain)) or ones)
    rng = Told(2.0, 5.0, 30.0, 7.0)
    assert scan_wear.texture(100 * ones, rng, 28).tolist() == [[112] * 3] * 2  # type: ignore[arg-type]
    assert rng.asked == [(1.5, 3), (1, 8), (6, 40), (3, 14)]
    assert asked == [((2, 3), 2.0), ((2, 3), 30.0)]
    rng = Told([[1, -1, 0], [2, 0, 0]], 3.0)
    assert scan_wear.grain(100 * ones, rng, 28).tolist() == [[103, 97, 100], [106, 100, 100]]  # type: ignore[arg-type]
    assert rng.asked == [((2, 3),), (2, 14)]
    rng = Told([0.8, 1.0, 0.8, 0.9])
    light = scan_wear.gradient(100 * ones, rng, 28)  # type: ignore[arg-type]
    assert light == pytest.approx(np.outer([0.9, 1.0], [80, 90, 100]))
    assert scan_wear.gradient(100 * ones, Told([1, 1, 1.05, 1.0]), 28) == pytest.approx(100)  # type: ignore[arg-type]
    assert rng.asked == [(0.75, 1.05, 4)]
    rng, radii = Told(0.02), []  # type: ignore[var-annotated]
    monkeypatch.setattr(scan_wear, "blurred", lambda pixels, radius: radii.append(radius))
    scan_wear.blur(ones, rng, 40)  # type: ignore[arg-type]
    assert (radii, rng.asked) == ([0.8], [(0.015, 0.05)])
    rng = Told(15)
    assert scan_wear.jpeg(200 * np.ones((5, 7), dtype=np.float32), rng, 28).shape == (5, 7)  # type: ignore[arg-type]
    assert rng.asked == [(15, 80)]


def test_a_stain_is_darkest_in_its_middle() -> None:
    grey = np.full((41, 61), 200, dtype=np.float32)
    rng = Told(1, [0.5, 1.5], 20.0, 30.0, 2.0, 0.25)
    made = scan_wear.stain(grey, rng, 20)  # type: ignore[arg-type]
    assert rng.asked == [(1, 3), (0.5, 2.5, 2), (0, 41), (0, 61), (1, 6), (0.08, 0.3)]
    assert made[20, 30] == 150
    assert made[25, 30] == made[20, 45] == 150  # half of the way, with an edge twice as steep
    assert made[28, 30] == pytest.approx(200 * (1 - 0.25 * 0.4))
    assert made[20, 54] == pytest.approx(200 * (1 - 0.25 * 0.4))
    assert made[30, 30] == made[20, 60] == made[9, 30] == 200
    twice = scan_wear.stain(grey, Told(2, *[[0.5, 1.5], 20.0, 30.0, 2.0, 0.25] * 2), 20)  # type: ignore[arg-type]
    assert twice[20, 30] == 112.5
    assert (grey == 200).all()


def test_the_edge_of_a_shadow() -> None:
    grey = np.full((21, 41), 100, dtype=np.float32)
    rng = Told(20.0, 0.0, 0.5, 4.0, 0.2)
    made = scan_wear.shadow(grey, rng, 28)  # type: ignore[arg-type]
    assert rng.asked == [(0, 41), (-1.5, 1.5), (), (1, 28), (0.15, 0.4)]
    assert made[:, 20] == pytest.approx(90)  # half as dark at its edge
    assert made[:, 24] == pytest.approx(100 * (1 - 0.2 / (1 + np.exp(-1))))
    assert made[0] == pytest.approx(made[20])
    slanting = scan_wear.shadow(grey, Told(20.0, 1.0, 0.5, 4.0, 0.2), 28)  # type: ignore[arg-type]
    assert slanting[5, 25] == slanting[15, 15]
    assert slanting[0, 20] > slanting[10, 20] > slanting[20, 20]
    far = scan_wear.shadow(np.full((1, 2000), 100, dtype=np.float32), Told(0.0, 0.0, 0.5, 1.0, 0.4), 28)  # type: ignore[arg-type]
    assert (far[0, 0], far[0, -1]) == pytest.approx((80, 60))


def test_where_dust_lies() -> None:
    grey = np.full((10, 20), 128, dtype=np.float32)
    rng = Told(0.025, [0, 1, 2, 9, 4, 5], [3, 19, 5, 0, 7, 8], 255.0)
    made = scan_wear.specks(grey, rng, 28)  # type: ignore[arg-type]
    assert rng.asked == [(0.0005, 0.006), (10, 6), (20, 6), (0, 255)]  # so many for 200 pixels
    dots = {(0, 3), (0, 4), (1, 19), (2, 5), (9, 0), (4, 7), (5, 8)}  # a quarter of them are two pixels wide
    assert set(zip(*map(np.ndarray.tolist, np.nonzero(made == 255)), strict=True)) == dots
    edge = scan_wear.specks(grey, Told(0.016, [0, 1, 2, 3], [19, 1, 2, 3], 0.0), 28)  # type: ignore[arg-type]
    assert (edge == 0).sum() == 4  # the last column has no next one
