"""What each change does to a line, what it costs others, and when it ends."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from tests_support import settings

from crnn.core.charset import Charset
from crnn.core.transform import LineTransform
from crnn.data.augment import CHANGES, Augment, first_plain_epoch, tv
from crnn.data.augment_config import AugmentConfig
from crnn.data.batching import LineKey
from crnn.data.dataset import LineDataset
from crnn.data.sources import open_source
from crnn.errors import ConfigError

OFF = dict.fromkeys(CHANGES, 0.0)


def only(name: str) -> Augment:
    return Augment(AugmentConfig(**{**OFF, name: 1.0}))


def bars(width: int = 200, height: int = 32, every: int = 20) -> Image.Image:
    """Dark upright bars on light paper, which ends at all sides."""
    picture = Image.new("L", (width, height), 220)
    draw = ImageDraw.Draw(picture)
    for x in range(every // 2, width - 4, every):
        draw.rectangle((x, height // 4, x + 2, 3 * height // 4), fill=20)
    return picture


def changed(name: str, picture: Image.Image, seed: int) -> NDArray[np.uint8]:
    return np.asarray(only(name)(picture, np.random.default_rng(seed)))


@pytest.mark.parametrize("name", sorted(CHANGES))
@pytest.mark.parametrize("size", [(8, 8), (8, 96), (9, 32), (1201, 33)])
def test_any_size_stays(name: str, size: tuple[int, int]) -> None:
    for seed in range(10):
        result = only(name)(Image.new("L", size, 255), np.random.default_rng(seed))
        assert (result.size, result.mode) == (size, "L")


@pytest.mark.parametrize("name", ["slant", "perspective", "elastic", "downscale", "jpeg"])
def test_ink_stays_and_paper_is_no_other_grey(name: str) -> None:
    picture = bars()
    ink = (220 - np.asarray(picture, dtype=float)).sum()
    seen = set()
    for seed in range(20):
        pixels = changed(name, picture, seed)
        seen.add(pixels.tobytes())
        assert pixels[[0, -1]].min() > 170, seed  # no dark corners
        assert 0.6 < (220 - pixels.astype(float)).sum() / ink < 1.25, seed
    assert len(seen) > 10


def test_a_looser_crop_is_the_same_line_smaller() -> None:
    picture = Image.new("L", (200, 40), 220)
    ImageDraw.Draw(picture).rectangle((0, 1, 199, 38), fill=0)  # as tight as a crop can be
    sizes = []
    for seed in range(200):
        pixels = changed("loose", picture, seed)
        rows, columns = np.flatnonzero(pixels.min(1) < 100), np.flatnonzero(pixels.min(0) < 100)
        high, wide = rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1
        assert high == len(rows), seed  # in one piece
        assert wide / 200 == pytest.approx(high / 38, abs=0.06), seed
        assert columns[0] <= 40, seed  # not far from where it begins
        assert np.array_equal(np.unique(pixels[:, columns[-1] + 2 :]), [220] if columns[-1] < 198 else []), seed
        sizes.append((wide, rows[0]))
    assert (min(sizes)[0], max(sizes)[0]) == (pytest.approx(90, abs=4), pytest.approx(180, abs=4))
    assert len({top for _, top in sizes}) > 15


@pytest.mark.parametrize("width", [24, 60, 300])
def test_the_ends_of_a_slanted_line_stay_in_the_picture(width: int) -> None:
    picture = Image.new("L", (width, 32), 220)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, 2, 31), fill=0)
    draw.rectangle((width - 3, 0, width - 1, 31), fill=0)
    sides = set()
    for seed in range(20):
        pixels = changed("slant", picture, seed)
        ends = [np.flatnonzero(row < 150) for row in pixels[1:-1]]
        assert all(len(end) for end in ends)
        assert all(end.min() < width / 2 < end.max() for end in ends), seed
        moved = int(ends[0].min()) - int(ends[-1].min())
        assert abs(moved) >= 3
        sides.add(moved > 0)
    assert sides == {True, False}


def test_elastic_moves_a_little_and_not_all_alike() -> None:
    picture = bars(every=16)
    middles = []
    for seed in range(20):
        pixels = 220 - changed("elastic", picture, seed).astype(float).clip(0, 220)
        for left in range(0, 192, 16):
            cell = pixels[:, left : left + 16]
            middles.append(float((cell.sum(0) * np.arange(16)).sum() / cell.sum()))
    before = 9.0
    assert max(abs(middle - before) for middle in middles) < 4
    assert np.std(middles) > 0.3


def test_cutout_leaves_paper_in_some_columns_and_the_rest_as_it_is() -> None:
    before = np.full((32, 200), 220, dtype=np.uint8)
    before[8:24] = 20
    picture, spans = Image.fromarray(before), []
    for seed in range(50):
        after = changed("cutout", picture, seed)
        columns = (after != before).any(0)
        assert (after[:, columns] == 220).all()
        assert columns.sum() <= 3 * 16
        spans.append(int(columns.sum()))
    assert min(spans) < 10
    assert max(spans) > 25


def test_what_is_off_draws_nothing() -> None:
    picture = bars()
    config = AugmentConfig(**{**OFF, "affine": 0.5, "noise": 0.7})
    rng = np.random.default_rng(4)
    expected = picture
    for name, probability in (("affine", 0.5), ("noise", 0.7)):
        if rng.random() < probability:
            expected = CHANGES[name](expected, rng)
    assert np.array_equal(Augment(config)(picture, np.random.default_rng(4)), expected)


def test_every_change_has_a_probability_and_is_in_the_settings() -> None:
    names = [item.name for item in fields(AugmentConfig) if item.name != "extra"]
    assert set(CHANGES) <= set(names)
    given, default = settings(*(f"augment.{name}={i / 32}" for i, name in enumerate(names))).augment, settings().augment
    for i, name in enumerate(names):
        assert getattr(given, name) == i / 32
        assert getattr(default, name) == getattr(AugmentConfig(), name)
        with pytest.raises(ConfigError, match=rf"augment\.{name}=1\.25: "):
            Augment(AugmentConfig(**{name: 1.25}))


def test_what_a_training_does_to_its_lines_unless_told_otherwise() -> None:
    on = {"affine": 0.5, "contrast": 0.4, "blur": 0.15, "stroke": 0.15, "noise": 0.2, "until": 1.0}
    assert {item.name: getattr(AugmentConfig(), item.name) for item in fields(AugmentConfig)} == {
        **OFF,
        "concat": 0.0,
        "extra": {},
        **on,
    }


def test_cutouts_are_as_many_and_as_wide_as_said() -> None:
    """One to three spans, each up to half a height wide."""
    picture = Image.new("L", (4000, 32), 220)
    ImageDraw.Draw(picture).rectangle((0, 8, 4000, 23), fill=20)
    spans, widths = set(), set()
    for seed in range(150):
        paper = (changed("cutout", picture, seed) == 220).all(0).astype(int)
        edges = np.flatnonzero(np.diff(paper, prepend=0, append=0))
        spans.add(len(edges) // 2)
        widths |= set((edges[1::2] - edges[::2]).tolist()) if len(edges) == 2 else set()
    assert spans == {1, 2, 3}
    assert (min(widths), max(widths)) == (1, 16)


def test_paper_is_the_middle_of_both_edges() -> None:
    """What comes into the picture from outside is as light as the first and last row."""
    pixels = np.full((16, 64), 90, dtype=np.uint8)
    pixels[0], pixels[-1] = 250, 150
    after = np.asarray(only("cutout")(Image.fromarray(pixels), np.random.default_rng(0)))
    assert set(after[5].tolist()) == {90, 200}
    after = np.asarray(only("noise")(Image.new("L", (99, 32), 0), np.random.default_rng(0)))
    assert (after == 0).mean() > 0.4  # cut off at black
    after = np.asarray(only("noise")(Image.new("L", (99, 32), 255), np.random.default_rng(0)))
    assert (after == 255).mean() > 0.4


def test_lines_are_left_as_they_are_in_the_last_epochs(line_folder: Path) -> None:
    charset = Charset.from_texts(["0123456789 abc"])
    source = open_source(line_folder / "train")
    config = AugmentConfig(**{**OFF, "noise": 1.0, "until": 0.7})
    plain = LineDataset(source, charset, LineTransform())[LineKey(0, 3, 0)].image

    def changed_in(epochs: int | None) -> list[bool]:
        lines = LineDataset(source, charset, LineTransform(), Augment(config, epochs))
        return [not torch.equal(lines[LineKey(epoch, 3, 0)].image, plain) for epoch in range(10)]

    assert changed_in(10) == [True] * 7 + [False] * 3
    assert changed_in(4) == [True] * 3 + [False] * 7
    assert changed_in(None) == [True] * 10
    config.until = 1.0
    assert changed_in(10) == [True] * 10


class FewDraws(np.random.Generator):
    """A generator whose `random` is always the same."""

    def __init__(self, seed: int, value: float) -> None:
        super().__init__(np.random.PCG64(seed))
        self.value = value

    def random(self, *_: object) -> float:  # type: ignore[override]
        return self.value


class Asked:
    """In place of a picture: keeps what is asked of it."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = self.size = width, height
        self.asked: list[object] = []

    def __array__(self, *_: object, **__: object) -> NDArray[np.uint8]:
        pixels = np.full((self.height, self.width), 90, dtype=np.uint8)
        pixels[0], pixels[-1] = 251, 150
        return pixels

    def transform(self, *given: object, fillcolor: int) -> None:
        self.asked = [*given, fillcolor]


def asked_for(name: str, size: tuple[int, int], rng: np.random.Generator) -> list[object]:
    picture = Asked(*size)
    CHANGES[name](picture, rng)  # type: ignore[arg-type]
    return picture.asked


@pytest.mark.parametrize(("width", "height"), [(200, 32), (40, 64), (30, 16)])
def test_a_slanted_line_leans_about_its_middle_and_is_squeezed(width: int, height: int) -> None:
    leans = []
    for seed in range(40):
        right = seed % 2 == 0
        size, way, matrix, _, paper = asked_for("slant", (width, height), FewDraws(seed, 0.49 if right else 0.5))
        squeeze, lean, shift, *rest = matrix  # type: ignore[misc]
        assert (size, way, rest, paper) == ((width, height), Image.Transform.AFFINE, [0.0, 1.0, 0.0], 200)
        assert (lean > 0) == right
        assert squeeze == pytest.approx(1 + abs(lean) * height / width)
        for y, x in ((0, (0, width)[right]), (height, (width, 0)[right]), (height / 2, width / 2)):
            wanted = (0 if lean > 0 else width) if y == height else (width if lean > 0 else 0) if y == 0 else width / 2
            assert squeeze * x + lean * y + shift == pytest.approx(wanted)  # ends stay in the picture
        leans.append(abs(lean))
    most = min(np.tan(np.radians(30)), width / 4 / height)
    least = min(np.tan(np.radians(10)), most)
    assert least <= min(leans) < least + 0.06
    assert most - 0.06 < max(leans) <= most + 1e-9


def test_the_same_moves_in_every_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers that are asked of Pillow and torchvision: drawn from the seed alone."""
    made: dict[str, list[float]] = {}

    def keep(name: str, **given: object) -> None:
        made[name] = np.hstack([np.ravel(value) for value in given.values()]).round(4).tolist()  # type: ignore[arg-type]

    monkeypatch.setattr(tv, "affine", lambda picture, interpolation, **given: keep("affine", **given))
    monkeypatch.setattr(tv, "perspective", lambda picture, a, b, way, fill: keep("perspective", a=a, b=b, fill=fill))
    for name in ("affine", "perspective"):
        CHANGES[name](Asked(300, 32), np.random.default_rng(21))  # type: ignore[arg-type]
        for width, height, seed in ((100, 32, 22), (20, 32, 23)):
            picture, kept = Asked(width, height), made[name]
            CHANGES[name](picture, np.random.default_rng(seed))  # type: ignore[arg-type]
            made[name] = kept + made[name]
    for number, size in enumerate(((50, 32), (20, 32), (9, 40))):
        cells = asked_for("elastic", size, np.random.default_rng(number))[2]
        made["elastic"] = made.get("elastic", []) + [round(v, 3) for box, to in cells for v in (*box, *to)]  # type: ignore[attr-defined]
    sums = {name: sum(i * value for i, value in enumerate(values, 1)) for name, values in made.items()}
    assert sums == pytest.approx({"affine": 8486.96, "perspective": 53473.61, "elastic": 123575.5}, abs=0.5)


def test_moves_are_within_what_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    affine: list[dict[str, object]] = []
    corners: list[NDArray[np.float64]] = []
    monkeypatch.setattr(tv, "affine", lambda picture, **given: affine.append(given))
    monkeypatch.setattr(tv, "perspective", lambda picture, a, b, way, fill: corners.append(np.subtract(b, a)))
    for seed in range(200):
        for name in ("affine", "perspective"):
            CHANGES[name](Asked(400, 40), np.random.default_rng(seed))  # type: ignore[arg-type]
    angles, scales = ([one[name] for one in affine] for name in ("angle", "scale"))
    assert 1.4 * 0.8 < max(angles) <= 1.5 * 0.8  # type: ignore[call-overload, operator]  # long lines turn less
    assert -1.5 * 0.8 <= min(angles) < -1.4 * 0.8  # type: ignore[call-overload, operator]
    assert 0.9 <= min(scales) < 0.91 < 1.04 < max(scales) <= 1.05  # type: ignore[call-overload, operator]
    moves = np.array([one["translate"] for one in affine])
    assert (moves.min(0).tolist(), moves.max(0).tolist()) == ([-3, -2], [3, 2])
    shears = np.array([one["shear"] for one in affine])
    assert -10 <= shears[:, 0].min() < -9.5
    assert 9.5 < shears[:, 0].max() <= 10
    assert not shears[:, 1].any()
    assert affine[0]["fill"] == [200.5]
    inwards = np.array(corners) * [(1, 1), (-1, 1), (-1, -1), (1, -1)]
    assert inwards.min() >= 0
    assert 11.5 < inwards[..., 0].max() <= 12  # 30 % of the height
    assert 4.6 < inwards[..., 1].max() <= 4.8  # 12 %


def test_parts_of_an_elastic_line_meet() -> None:
    """Cells cover the picture, two rows of them, each about half a height wide; their corners are shared."""
    for width, height, columns in ((200, 40, 10), (10, 40, 1), (70, 40, 4)):
        size, way, cells, _, paper = asked_for("elastic", (width, height), np.random.default_rng(3))
        assert (size, way, paper) == ((width, height), Image.Transform.MESH, 200)
        assert len(cells) == 2 * columns  # type: ignore[arg-type]
        corners: dict[tuple[int, int], set[tuple[float, float]]] = {}
        area = 0
        for (left, top, right, bottom), source in cells:  # type: ignore[attr-defined]
            area += (right - left) * (bottom - top)
            assert bottom - top == height // 2
            ends = ((left, top), (left, bottom), (right, bottom), (right, top))
            for i, end in enumerate(ends):
                corners.setdefault(end, set()).add((source[2 * i], source[2 * i + 1]))
        assert area == width * height
        assert len(corners) == 3 * (columns + 1)
        assert all(len(places) == 1 for places in corners.values())
        moves = np.array([np.subtract(*places, end) for end, places in corners.items()])
        assert 0 < np.abs(moves).max() <= 0.08 * height


def test_contrast_then_brightness(monkeypatch: pytest.MonkeyPatch) -> None:
    factors: list[tuple[str, float]] = []
    for name in ("contrast", "brightness"):
        monkeypatch.setattr(
            tv, f"adjust_{name}", lambda picture, factor, name=name: factors.append((name, factor)) or picture
        )
    for seed in range(100):
        CHANGES["contrast"](bars(), np.random.default_rng(seed))
    assert [name for name, _ in factors] == ["contrast", "brightness"] * 100
    drawn = [[factor for name, factor in factors if name == which] for which in ("contrast", "brightness")]
    assert 0.6 <= min(drawn[0]) < 0.63
    assert 1.37 < max(drawn[0]) <= 1.4
    assert 0.7 <= min(drawn[1]) < 0.73
    assert 1.27 < max(drawn[1]) <= 1.3


def test_strokes_grow_below_a_half_and_shrink_above() -> None:
    picture = Image.new("L", (20, 20), 200)
    ImageDraw.Draw(picture).rectangle((8, 8, 11, 11), fill=0)
    before = np.asarray(picture).astype(int)
    parts: dict[bool, set[int]] = {True: set(), False: set()}
    for seed in range(40):
        for value in (0.49, 0.5):
            after = np.asarray(CHANGES["stroke"](picture, FewDraws(seed, value))).astype(int)
            moved = np.abs(after - before)
            assert ((after < before).any(), (after > before).any()) == ((True, False) if value < 0.5 else (False, True))
            assert (moved > 0).sum() == (36 - 16 if value < 0.5 else 16 - 4)
            parts[value < 0.5].add(int(moved.max()))
    for drawn in parts.values():
        assert 40 <= min(drawn) + 1 < 48
        assert 112 < max(drawn) <= 120


def test_strength_of_blur_noise_and_files(monkeypatch: pytest.MonkeyPatch) -> None:
    picture, light = Image.new("L", (200, 100), 128), Image.new("L", (8, 8), 200)
    deviations = [float(np.asarray(CHANGES["noise"](picture, np.random.default_rng(i))).std()) for i in range(50)]
    assert 1.9 < min(deviations) < 2.8
    assert 11 < max(deviations) < 12.3
    radii: list[float] = []
    qualities: list[int] = []
    sizes: list[tuple[int, int]] = []
    whole = Image.Image.save
    monkeypatch.setattr(
        Image.Image, "save", lambda self, *a, quality: qualities.append(quality) or whole(self, *a, quality=quality)
    )
    resize = Image.Image.resize
    monkeypatch.setattr(Image.Image, "resize", lambda self, size, *a: sizes.append(size) or resize(self, size, *a))
    monkeypatch.setattr(Image.Image, "filter", lambda self, kernel: radii.append(kernel.radius) or self)
    for seed in range(150):
        for name in ("blur", "jpeg", "downscale"):
            CHANGES[name](picture if name == "downscale" else light, np.random.default_rng(seed))
    assert 0.3 <= min(radii) < 0.31 < 0.99 < max(radii) <= 1.0
    assert (min(qualities), max(qualities)) == (20, 70)
    widths, heights = np.array(sizes[::2]).T
    assert 80 <= widths.min() < 84 < 156 < widths.max() <= 160
    assert np.abs(widths / 2 - heights).max() <= 0.5
    assert set(sizes[1::2]) == {(200, 100)}
    sizes.clear()
    CHANGES["downscale"](Image.new("L", (1, 1)), np.random.default_rng(0))
    assert sizes == [(1, 1), (1, 1)]


def test_a_change_happens_below_its_probability() -> None:
    light = Image.new("L", (8, 8), 200)
    for draw, grey in ((0.49, 55), (0.5, 200)):
        after = Augment(AugmentConfig(**{**OFF, "invert": 0.5}))(light, FewDraws(0, draw))
        assert after.getpixel((0, 0)) == grey
    for probability in (0.0, 1.0):
        assert (
            dict((name, p) for name, _, p in Augment(AugmentConfig(invert=probability)).changes)["invert"]
            == probability
        )
    for name in ("invert", "extra"):
        for wrong in (-0.01, 1.01):
            with pytest.raises(ConfigError, match=r"is a probability, 0\.\.1"):
                Augment(AugmentConfig(invert=wrong) if name == "invert" else AugmentConfig(extra={"mine": wrong}))
    with pytest.raises(ConfigError, match=r"augment\.extra\.invert: is one of ours; set augment\.invert"):
        Augment(AugmentConfig(extra={"invert": 0.5}))


def test_a_change_must_keep_size_and_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    line = Image.new("L", (9, 8), 200)
    for made, words in (
        (Image.new("L", (9, 9)), r"mode L and \(9, 9\) pixels; it must stay grey \(L\) and \(9, 8\)"),
        (Image.new("RGB", (9, 8)), r"mode RGB"),
    ):
        monkeypatch.setitem(CHANGES, "invert", lambda picture, rng, made=made: made)
        with pytest.raises(ConfigError, match=words):
            Augment(AugmentConfig(**{**OFF, "invert": 1.0}))(line, np.random.default_rng(0))


def test_the_first_epoch_without_changes() -> None:
    for until, epochs, first in ((1.0, 10, 10), (0.7, 10, 7), (0.0, 10, 0), (0.25, 10, 2), (0.35, 10, 4)):
        assert first_plain_epoch(AugmentConfig(until=until), epochs) == first
        augment = Augment(AugmentConfig(**{**OFF, "invert": 1.0, "until": until}), epochs)
        line = Image.new("L", (8, 8), 200)
        changed_in = [augment(line, np.random.default_rng(0), epoch) is not line for epoch in range(12)]
        assert changed_in == [True] * first + [False] * (12 - first)
        assert (augment(line, np.random.default_rng(0)) is not line) == (first > 0)
