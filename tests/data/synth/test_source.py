"""Lines rendered on the fly: what follows from the seed, what the label promises, and what is held out."""

from __future__ import annotations

import pickle
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crnn.core.charset import Charset
from crnn.core.image import LineTransform
from crnn.data.labels import fit_problem
from crnn.data.sources.views import Fitting
from crnn.data.synth.font_choice import split_fonts
from crnn.data.synth.fonts import find_fonts
from crnn.data.synth.source import SyntheticSource, synthetic_pair
from crnn.data.synth.text import PRINTABLE_ASCII, TextMaker, all_words, words
from crnn.errors import ConfigError, DataError

FONTS, _ = find_fonts("bundled", PRINTABLE_ASCII)


@pytest.fixture(scope="module")
def pair() -> tuple[SyntheticSource, SyntheticSource]:
    return synthetic_pair(300, 100, seed=5, fonts="bundled")


def pixels(source: SyntheticSource, position: int) -> bytes:
    return source.picture(position).tobytes()


def _in_child(source: SyntheticSource, position: int) -> tuple[str, bytes]:
    return source.entry(position).text, pixels(source, position)


def test_same_seed_same_lines_in_any_order_and_process(pair: tuple[SyntheticSource, SyntheticSource]) -> None:
    source = pair[0]
    wanted = [(source.entry(i).text, pixels(source, i)) for i in range(20)]
    again = synthetic_pair(300, 100, seed=5, fonts="bundled")[0]
    assert [(again.entry(i).text, pixels(again, i)) for i in reversed(range(20))] == wanted[::-1]
    with get_context("spawn").Pool(1) as pool:
        assert pool.starmap(_in_child, [(source, i) for i in (3, 1, 19)]) == [wanted[i] for i in (3, 1, 19)]
    other = synthetic_pair(300, 100, seed=6, fonts="bundled")[0]
    assert [other.entry(i).text for i in range(20)] != [text for text, _ in wanted]


def test_size_is_known_without_drawing(pair: tuple[SyntheticSource, SyntheticSource]) -> None:
    for source in pair:
        for position in range(150):
            assert source.size(position) == source.picture(position).size
            assert source.picture(position).mode == "L"


@settings(max_examples=60, deadline=None)
@given(
    st.text(
        st.characters(min_codepoint=33, max_codepoint=1000, exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp")),
        min_size=1,
        max_size=40,
    ),
    st.booleans(),
    st.integers(1, 6),
    st.integers(0, 30),
    st.integers(0, 10**6),
)
def test_texts_keep_to_the_charset_and_length(visible: str, space: bool, shortest: int, more: int, seed: int) -> None:
    maker = TextMaker(visible + " " * space, shortest, shortest + more)
    text = maker(np.random.default_rng(seed))
    assert text
    assert set(text) <= set(visible + " " * space)
    assert len(text) <= shortest + more
    assert text == text.strip()
    assert "  " not in text


def test_every_character_is_trained(pair: tuple[SyntheticSource, SyntheticSource]) -> None:
    seen = "".join(pair[0].entry(i).text for i in range(1500))
    counts = {c: seen.count(c) for c in PRINTABLE_ASCII}
    assert min(counts.values()) >= 5, min(counts, key=counts.__getitem__)


def test_validation_fonts_and_words_are_never_trained_on(pair: tuple[SyntheticSource, SyntheticSource]) -> None:
    train, val = pair
    assert not {f.family for f in train.fonts} & {f.family for f in val.fonts}
    assert {f.family for f in val.fonts} == {"DejaVu Serif"}
    assert not set(words(True)) & set(words(False))
    assert set(words(True)) | set(words(False)) == set(all_words())
    assert 0.05 < len(words(True)) / len(all_words()) < 0.15
    assert not {train.entry(i).text for i in range(2000) if len(train.entry(i).text) > 8} & {
        val.entry(i).text for i in range(100)
    }


def test_a_font_is_used_only_for_what_it_draws(tmp_path: Path) -> None:
    some = [f for f in FONTS if "~" not in f.characters]
    assert some  # the Computer Modern ones
    source, _ = synthetic_pair(400, 10, seed=1, fonts="bundled")
    for position in range(400):
        layout = source.layout(position)
        assert layout.font.covers(layout.text)
    assert any(source.layout(i).font in some for i in range(400))
    with pytest.raises(DataError, match=r"no font has '中' \(U\+4E2D CJK UNIFIED IDEOGRAPH-4E2D\)"):
        synthetic_pair(5, 5, characters="abc中", fonts="bundled")


def test_clean_lines_are_black_on_white_and_whole() -> None:
    source, _ = synthetic_pair(80, 10, seed=2, fonts="bundled", wear=0.0)
    for position in range(80):
        grey = np.asarray(source.picture(position))
        border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
        assert border.min() == 255, source.entry(position).text  # no glyph is cut
        assert grey.min() < 100


def test_wear_varies_paper_and_ink() -> None:
    source, _ = synthetic_pair(200, 10, seed=2, fonts="bundled")
    papers = {source.layout(i).paper for i in range(200)}
    assert len(papers) > 30
    assert min(papers) < 90  # light on dark occurs
    contrast = [abs(source.layout(i).paper - source.layout(i).ink) for i in range(200)]
    assert min(contrast) >= 60


def test_own_text(tmp_path: Path) -> None:
    lines = [f"Zeile {i} mit Wörtern" for i in range(30)]
    (tmp_path / "own.txt").write_text("\n".join(lines) + "\n\n", encoding="utf-8")
    train, val = synthetic_pair(
        50, 20, characters=PRINTABLE_ASCII + "ö", fonts="bundled", text_file=tmp_path / "own.txt", max_length=40
    )
    trained, held_out = {train.entry(i).text for i in range(300)}, {val.entry(i).text for i in range(100)}
    assert held_out == {lines[0], lines[10], lines[20]}
    assert trained == set(lines) - held_out
    short, _ = synthetic_pair(
        50, 5, characters=PRINTABLE_ASCII + "ö", fonts="bundled", text_file=tmp_path / "own.txt", max_length=12
    )
    assert {short.entry(i).text for i in range(50)} <= {" ".join(line.split()[:3]) for line in lines} | {
        f"Zeile {i}" for i in range(30)
    } | {f"Zeile {i} mit" for i in range(30)}
    (tmp_path / "one.txt").write_text("only\n")
    with pytest.raises(DataError, match="at least 2 are needed"):
        synthetic_pair(5, 5, fonts="bundled", text_file=tmp_path / "one.txt")


def test_damaged_fonts_are_skipped_with_a_reason(tmp_path: Path) -> None:
    (tmp_path / "broken.ttf").write_bytes(b"not a font")
    good = Path(FONTS[0].path)
    (tmp_path / good.name).write_bytes(good.read_bytes())
    fonts, skipped = find_fonts(str(tmp_path), "abc")
    assert [Path(f.path).name for f in fonts] == [good.name]
    assert [(Path(path).name, bool(reason)) for path, reason in skipped] == [("broken.ttf", True)]
    with pytest.raises(DataError, match="only the font family DejaVu Sans was found"):
        split_fonts(fonts)
    with pytest.raises(DataError, match="no such font file or folder"):
        find_fonts(str(tmp_path / "none"), "abc")


def test_bad_settings() -> None:
    for changes, message in (
        ({"min_length": 5, "max_length": 3}, "in order"),
        ({"min_length": 0}, "must be 1 or more"),
        ({"max_length": 501}, "500 at most"),
        ({"wear": -0.1}, r"0\.\.1"),
        ({"text_order": 13, "labels": ["ab", "ba"]}, r"text_order=13: must be 0 \(whole lines only\) \.\. 12"),
        ({"text_order": -1, "labels": ["ab", "ba"]}, "text_order=-1"),
        ({"text_order": 1}, "needs lines to learn from"),
        ({"characters": "  "}, "nothing that can be seen"),
        ({"wear": 2.0}, r"0\.\.1"),
        ({"lines": 0}, "1 or more"),
        ({"short_epochs": -1}, r"data\.rendered\.short_epochs=-1: must be 0 or more"),
    ):
        with pytest.raises(ConfigError, match=message):
            synthetic_pair(**({"lines": 5, "val_lines": 5, "fonts": "bundled"} | changes))  # type: ignore[arg-type]
    for least in (
        {"min_length": 500, "max_length": 500},
        {"max_length": 1},
        {"text_order": 12, "labels": ["ab", "ba"]},
    ):
        [source, _] = synthetic_pair(1, 1, fonts="bundled", **least)  # type: ignore[arg-type]
        assert source.entry(0).text


def test_short_lines_come_first() -> None:
    train, val = synthetic_pair(200, 200, seed=1, fonts="bundled", min_length=2, max_length=17, short_epochs=2)
    longest = [max(len(train.entry(i + 200 * epoch).text) for i in range(200)) for epoch in range(5)]
    assert longest == [7, 12, 17, 17, 17]
    assert max(len(val.entry(i).text) for i in range(200)) == 17
    plain = synthetic_pair(200, 200, seed=1, fonts="bundled", min_length=2, max_length=17)[0]
    assert plain.entry(450).text == train.entry(450).text
    assert max(len(plain.entry(i).text) for i in range(200)) == 17


def test_fitting_replaces_lines_that_ctc_cannot_place() -> None:
    charset = Charset.from_texts(["il"])
    source, _ = synthetic_pair(100, 5, seed=1, characters="il", fonts="bundled", min_length=6, max_length=20)
    transform = LineTransform(multiple=8)

    def problems(lines: SyntheticSource | Fitting) -> int:
        return sum(fit_problem(lines.entry(i).text, charset, lines.size(i), transform) is not None for i in range(300))

    assert problems(source) > 10
    fitting = pickle.loads(pickle.dumps(Fitting(source, charset, transform)))
    assert problems(fitting) == 0
    assert all(fitting.picture(i).size == fitting.size(i) for i in range(50))
    with pytest.raises(DataError, match="no rendered line fits"):
        Fitting(source, charset, LineTransform(width=16, multiple=8)).entry(0)
