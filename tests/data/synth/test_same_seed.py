"""The same seed writes and draws the same lines in every version, so that a training can be repeated later on.

What is written here was taken from version 0.1.0. Where a change of the lines is meant, put in the new values, which a
failing test shows.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Iterator
from types import ModuleType

import numpy as np
import pytest
from block_font import layouts

from crnn.core.charsets import named_set
from crnn.data.synth import chinese, notation, prose, shop, text, vocabulary
from crnn.data.synth.own_lines import LineModel
from crnn.data.synth.pen import Pen
from crnn.data.synth.pixels import clouds
from crnn.data.synth.render import draw_ink
from crnn.data.synth.text import KINDS, PRINTABLE_ASCII, Kind, TextMaker
from crnn.data.synth.vocabulary import words_of
from crnn.data.synth.wear import INK, SCAN, worn

LATIN, CHINESE = "".join(named_set("latin")), "".join(named_set("chinese"))
CHARSETS = (LATIN, PRINTABLE_ASCII, PRINTABLE_ASCII.lower())
LANGUAGES = ("basic", "de", "fr", "es", "it", "en")
EFFECTS = {e.__name__: (kinds is INK, e) for kinds in (INK, SCAN) for effects in kinds.values() for _, e in effects}


def digest(texts: Iterable[object]) -> str:
    return hashlib.sha256("\n".join(map(str, texts)).encode()).hexdigest()[:12]


# texts


TEXTS: dict[str, str] = {
    "word": "41a85e4eec7f",
    "phrase": "0deaee041c0d",
    "prose": "d9a4568d94be",
    "old_print": "95b34da73e15",
    "head": "ff0594e95d42",
    "identity": "cedbe2c46f94",
    "address": "b94f37b73b17",
    "item": "412d15ccd128",
    "total": "a42cdf6d974f",
    "cell": "ad28441b0d5c",
    "form": "1427d6de0bf4",
    "person": "a7239b0afe56",
    "price": "a3cb9a01d456",
    "number": "d60c7f62d2f1",
    "date": "ee825ad274f5",
    "code": "6e511a9dc1f6",
    "plate": "efc1b99079e5",
    "measure": "0f462999056c",
    "contact": "813f13d5f211",
    "anything": "fc200cc4c632",
    "chinese word": "dda2dc9d21fe",
    "chinese prose": "d6e234efbe4a",
    "chinese rare": "2bb4bf2beb39",
    "chinese number": "12735b85bad1",
    "chinese date": "fc4a99c8a32f",
    "chinese place": "fd5387a00440",
    "chinese form": "e9f6934b94d5",
    "chinese code": "5beba60ac1a4",
    "latin": "ab0069464d20",
    "digits": "3f44b7d6ee95",
    "capitals": "c05a7c78e85f",
    "own": "35b9bb16dce2",
    "chinese": "e27c17adcf6a",
}


def pens(count: int) -> Iterator[Pen]:
    """With the words of words.txt, whatever wordfreq is there."""
    for seed in range(count):
        allowed = frozenset(CHARSETS[seed % 3])
        words = words_of("basic", bool(seed % 5 == 0), allowed)
        yield Pen(np.random.default_rng(seed), LANGUAGES[seed % 6], words, allowed, (12, 30, 60, 100)[seed % 4])


def kinds_of(*modules: ModuleType) -> pytest.MarkDecorator:
    kinds = [kind for kind in KINDS if kind.__module__ in [module.__name__ for module in modules]]
    assert kinds
    return pytest.mark.parametrize("kind", kinds, ids=lambda kind: kind.__name__)


def written(kind: Kind) -> str:
    return digest(prose.typeset(pen, kind(pen)) for pen in pens(300))


@kinds_of(prose, text)
def test_running_texts_of_each_kind(kind: Kind) -> None:
    assert written(kind) == TEXTS[kind.__name__]


@kinds_of(shop)
def test_lines_of_shops_of_each_kind(kind: Kind) -> None:
    assert written(kind) == TEXTS[kind.__name__]


@kinds_of(notation)
def test_notations_of_each_kind(kind: Kind) -> None:
    assert written(kind) == TEXTS[kind.__name__]


@pytest.mark.parametrize("kind", chinese.KINDS, ids=lambda kind: kind.__name__)
def test_chinese_texts_of_each_kind(kind, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vocabulary, "_wordfreq", lambda: None)
    words_of.cache_clear()
    allowed = frozenset(CHINESE)
    words = words_of("zh", False, allowed)
    made = [kind(Pen(np.random.default_rng(seed), "zh", words, allowed, 5 + seed % 20)) for seed in range(300)]
    words_of.cache_clear()
    assert digest(made) == TEXTS[f"chinese {kind.__name__}"]


def test_texts_of_a_maker() -> None:
    own = ("first line", "the second one", "and a third line", "the last")
    makers = {
        "latin": TextMaker(LATIN, 1, 40),
        "digits": TextMaker("0123456789 abc", 3, 9),
        "capitals": TextMaker("ABCDEFGHIJKLMNOPQRSTUVWXYZ ", 2, 20, held_out=True),
        "own": TextMaker(PRINTABLE_ASCII, 1, 16, lines=own, new_lines=LineModel(own, 2, avoid=("the last",))),
    }
    for name, maker in makers.items():
        assert digest(maker(np.random.default_rng(seed)) for seed in range(300)) == TEXTS[name], name


def test_texts_of_a_chinese_maker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vocabulary, "_wordfreq", lambda: None)
    words_of.cache_clear()
    maker = TextMaker(CHINESE, 1, 12, languages=("zh", "zh", "basic"))
    made = [maker(np.random.default_rng(seed)) for seed in range(200)]
    words_of.cache_clear()
    assert digest(made) == TEXTS["chinese"]


# layouts


def rounded(value: object) -> object:
    if isinstance(value, tuple):
        return tuple(map(rounded, value))
    return round(value, 6) if isinstance(value, float) else value


LAYOUTS = "3dcbd919ccf4"


def test_layouts() -> None:
    rows = [rounded(dataclasses.astuple(dataclasses.replace(layout, font=""))) for layout in layouts(900)]
    assert digest(rows) == LAYOUTS


# pixels: other versions of NumPy and Pillow may round otherwise, so they are summed up


def summary(pixels: np.ndarray) -> list[float]:
    """Mean, deviation, and how much neighbours differ."""
    values = pixels.astype(float)
    across, down = np.abs(np.diff(values, axis=1)), np.abs(np.diff(values, axis=0))
    left, top = values[:, : values.shape[1] // 2], values[: values.shape[0] // 2]
    return [values.mean(), values.std(), across.mean(), down.mean(), left.mean(), top.mean()]


PIXELS: dict[str, list[float]] = {
    "clouds": [-3.82, 40.07, 17.52, 22.31, -2.85, -7.52],
    "ink": [72.86, 108.49, 13.66, 8.6, 68.86, 61.32],
    "worn": [159.8, 67.16, 11.5, 8.47, 161.11, 165.45],
    "thermal": [66.95, 92.3, 8.0, 5.37, 66.38, 47.55],
    "dot_matrix": [81.27, 106.5, 16.89, 15.12, 79.52, 58.81],
    "bleed": [97.69, 122.03, 9.67, 6.79, 95.53, 69.65],
    "broken": [92.54, 122.33, 12.07, 7.96, 90.59, 65.72],
    "uneven": [69.63, 94.02, 8.71, 6.1, 68.95, 49.44],
    "thinner": [89.63, 118.53, 10.05, 5.77, 87.88, 63.2],
    "thicker": [100.16, 120.92, 9.97, 6.18, 97.87, 72.1],
    "shine_through": [101.01, 118.49, 10.23, 6.17, 99.27, 73.32],
    "perspective": [84.88, 117.53, 9.12, 6.1, 82.65, 58.63],
    "texture": [164.0, 86.46, 8.96, 6.05, 165.45, 183.22],
    "stain": [159.23, 84.48, 7.12, 4.19, 160.58, 177.4],
    "gradient": [142.23, 75.08, 6.23, 3.78, 143.63, 159.93],
    "shadow": [146.09, 79.68, 6.48, 3.79, 141.52, 162.46],
    "blur": [163.98, 81.04, 6.6, 4.18, 165.38, 183.07],
    "motion": [164.16, 83.5, 6.81, 4.17, 165.57, 183.12],
    "low_resolution": [164.16, 83.33, 7.66, 4.71, 165.55, 183.24],
    "bitonal": [163.74, 85.42, 7.06, 4.27, 165.08, 182.94],
    "faint": [159.42, 50.39, 4.19, 2.44, 160.22, 170.56],
    "grain": [164.17, 86.53, 15.25, 12.39, 165.56, 183.22],
    "specks": [164.05, 86.1, 7.79, 4.98, 165.43, 183.01],
    "jpeg": [164.0, 86.26, 8.56, 5.36, 165.38, 183.05],
}


def drawn() -> dict[str, list[float]]:
    found = {
        "clouds": np.mean([summary(50 * clouds(np.random.default_rng(s), (9, 30), 0.5 + s)) for s in range(9)], axis=0)
    }
    some = list(layouts(300))
    found["ink"] = np.mean([summary(draw_ink(layout)) for layout in some], axis=0)
    found["worn"] = np.mean(
        [summary(np.asarray(worn(x, np.random.default_rng(i), 1.0))) for i, x in enumerate(some)], axis=0
    )
    base = next(x for x in layouts(99, 0.0) if len(x.text) > 10)
    ink = np.asarray(draw_ink(base)).astype(np.float32)
    for name, (is_ink, effect) in EFFECTS.items():
        pixels = ink if is_ink else 230 - 0.7 * ink
        cases = [summary(effect(pixels, np.random.default_rng(seed), (17, 24, 36)[seed % 3])) for seed in range(24)]
        found[name] = np.mean(cases, axis=0)
    return {name: [round(float(x), 2) for x in values] for name, values in found.items()}


def test_pixels() -> None:
    found = drawn()
    assert list(found) == list(PIXELS), found
    for name, wanted in PIXELS.items():
        assert found[name] == pytest.approx(wanted, rel=0.005, abs=0.05), name
