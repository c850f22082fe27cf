"""Lines rendered on the fly: what follows from the seed, what the label promises, and what is held out."""

from __future__ import annotations

import pickle
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from block_font import Plain
from hypothesis import given, settings
from hypothesis import strategies as st

from crnn.core.charset import Charset
from crnn.core.transform import LineTransform
from crnn.data.labels import fit_problem
from crnn.data.sources.base import SPARE
from crnn.data.sources.views import Fitting
from crnn.data.synth import source as source_module
from crnn.data.synth import vocabulary
from crnn.data.synth.font_choice import split_fonts
from crnn.data.synth.fonts import find_fonts
from crnn.data.synth.source import SyntheticSource, synthetic_pair, training_texts
from crnn.data.synth.text import PRINTABLE_ASCII, TextMaker
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
            picture = source.picture(position)
            assert (picture.size, picture.mode) == (source.size(position), "L")


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
    with pytest.MonkeyPatch.context() as patch:
        for name in ("FEW_WORDS", "ENOUGH_WORDS"):  # of which most charsets have none: making them up takes long
            patch.setattr(vocabulary, name, 12)
        text = maker(np.random.default_rng(seed))
        vocabulary.words_of.cache_clear()
    assert text
    assert set(text) <= set(visible + " " * space)
    assert len(text) <= shortest + more
    assert text == text.strip()
    assert "  " not in text


def test_every_character_is_trained(pair: tuple[SyntheticSource, SyntheticSource]) -> None:
    seen = "".join(pair[0].entry(i).text for i in range(1500))
    counts = {c: seen.count(c) for c in PRINTABLE_ASCII}
    assert min(counts.values()) >= 5, min(counts, key=counts.__getitem__)


def test_texts_without_pictures() -> None:
    """Of the kind that training has, held-out words not among them; the same ones each time."""
    made = training_texts(300, characters=PRINTABLE_ASCII, min_length=2, max_length=9, lines=4, scene=1)
    assert made == training_texts(300, characters=PRINTABLE_ASCII, min_length=2, max_length=9)
    assert made[:100] == training_texts(100, characters=PRINTABLE_ASCII, min_length=2, max_length=9)
    assert len(set(made)) > 250
    maker = TextMaker(PRINTABLE_ASCII, 2, 9)
    rng = np.random.default_rng(1)
    assert made == [maker(rng) for _ in range(300)]
    with pytest.raises(ConfigError, match=r"data\.rendered\.min_length=4, max_length=3"):
        training_texts(1, min_length=4, max_length=3)


def test_validation_fonts_and_words_are_never_trained_on(pair: tuple[SyntheticSource, SyntheticSource]) -> None:
    train, val = pair
    assert not {f.family for f in train.fonts} & {f.family for f in val.fonts}
    assert {f.family for f in val.fonts} == {"DejaVu Serif"}
    every = vocabulary.all_words()
    kept = {word for word in every if vocabulary.is_held_out(word)}
    assert 0.05 < len(kept) / len(every) < 0.15
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
    assert max(len(train.entry(i + SPARE).text) for i in range(200)) == 7  # the spare ones, too
    assert [train.entry(i).text for i in range(200)] != [train.entry(i + SPARE).text for i in range(200)]
    assert max(len(val.entry(i).text) for i in range(200)) == 17
    plain = synthetic_pair(200, 200, seed=1, fonts="bundled", min_length=2, max_length=17)[0]
    assert plain.entry(450).text == train.entry(450).text
    assert max(len(plain.entry(i).text) for i in range(200)) == 17


def test_fitting_replaces_lines_that_ctc_cannot_place() -> None:
    charset = Charset.from_texts(["il"])
    source, _ = synthetic_pair(100, 5, seed=1, characters="il", fonts="bundled", min_length=6, max_length=20)
    transform = LineTransform(multiple=8)

    def problems(lines: SyntheticSource | Fitting) -> int:
        return sum(fit_problem(lines.entry(i).text, charset, lines.size(i), transform) is not None for i in range(120))

    assert problems(source) > 3
    fitting = pickle.loads(pickle.dumps(Fitting(source, charset, transform)))
    assert problems(fitting) == 0
    assert all(fitting.picture(i).size == fitting.size(i) for i in range(30))
    with pytest.raises(DataError, match="no rendered line fits"):
        Fitting(source, charset, LineTransform(width=16, multiple=8)).entry(0)


class Maker:
    """Writes what it is told to, and counts how often."""

    def __init__(self, *texts: str) -> None:
        self.texts, self.asked = texts, 0

    def __call__(self, rng: np.random.Generator) -> str:
        self.asked += 1
        return self.texts[min(self.asked, len(self.texts)) - 1]


def plain(characters: str = "ab", family: str = "plain") -> Plain:
    return Plain(family, 0, family, "Regular", frozenset(characters))


def rendered(lines: int, *makers: Maker, seed: int = 5, wear: float = 0.0, **more: object) -> SyntheticSource:
    return SyntheticSource(lines, seed, [plain()], makers, wear, **more)  # type: ignore[arg-type]


def test_each_epoch_has_its_maker_and_the_last_goes_on() -> None:
    source = rendered(3, Maker("a"), Maker("ab"), Maker("b"))
    assert [source.entry(i).text for i in (0, 2, 3, 5, 6, 8, 9, 300)] == ["a", "a", "ab", "ab", "b", "b", "b", "b"]
    assert len(source) == 3
    assert source.endless
    assert not rendered(3, Maker("a"), endless=False).endless
    assert (source.entry(4).where, source.entry(4).picture) == ("rendered line 4", "rendered/4.png")
    assert source.name == "rendered lines"


def test_a_line_is_laid_out_once_and_forgotten_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_module, "_REMEMBERED", 3)
    source = rendered(9, Maker("a"))
    first = [source.layout(i) for i in range(3)]
    assert [source.layout(i) for i in (2, 0, 1)] == [first[2], first[0], first[1]]
    assert all(source.layout(i) is each for i, each in enumerate(first))
    assert sorted(source._layouts) == [0, 1, 2]
    source.layout(5)
    assert sorted(source._layouts) == [5]
    assert source.layout(1) is not first[1]
    assert source.layout(1) == first[1]
    assert pickle.loads(pickle.dumps(source))._layouts == {}
    assert sorted(source._layouts) == [1, 5]
    assert source.size(1) == first[1].size == source.content(1).size


def test_text_and_wear_have_generators_of_their_own() -> None:
    source = rendered(9, Maker("a"), seed=21)
    for stream, number in (("layout", 0), ("wear", 1)):
        wanted = np.random.Generator(np.random.PCG64([21, 4, number])).random(3)
        assert source._rng(4, stream).random(3).tolist() == wanted.tolist()
    asked: list[list[float]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source_module, "worn", lambda layout, rng, wear: asked.append([*rng.random(1), wear]))
        rendered(9, Maker("a"), seed=21, wear=0.25).picture(4)
    assert asked == [[np.random.Generator(np.random.PCG64([21, 4, 1])).random(), 0.25]]


def test_fifty_texts_are_tried_for_one_that_a_font_covers() -> None:
    maker = Maker(*["x"] * 49, "ab")
    assert rendered(9, maker).entry(0).text == "ab"
    assert maker.asked == 50
    maker = Maker(*["x"] * 50, "ab")
    with pytest.raises(DataError, match=r"no font covers texts such as 'x'; name a folder with more"):
        rendered(9, maker).entry(0)
    assert maker.asked == 50


def test_both_sides_of_a_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    fonts = [plain("ab", "A"), plain("ab", "B")]
    monkeypatch.setattr(source_module, "find_fonts", lambda where, characters: (fonts, []))
    train, val = synthetic_pair(
        7, 4, seed=31, characters="ab", min_length=2, max_length=6, wear=0.5, languages=("basic",)
    )
    assert (len(train), len(val)) == (7, 4)
    assert (train._seed, val._seed) == (62, 63)
    assert (train.endless, val.endless) == (True, False)
    assert ([f.family for f in train.fonts], [f.family for f in val.fonts]) == (["A"], ["B"])
    assert (train._wear, val._wear) == (0.5, 0.5)
    for source, held_out in ((train, False), (val, True)):
        [maker] = source._texts
        assert (maker.min_length, maker.max_length, maker._held_out, maker.characters) == (2, 6, held_out, "ab")
        assert maker.languages == ("basic",)
    for short, lengths in ((1, [4, 6]), (3, [3, 4, 5, 6])):
        makers = synthetic_pair(7, 4, characters="ab", min_length=2, max_length=6, short_epochs=short)[0]._texts
        assert [maker.max_length for maker in makers] == lengths
        assert {maker.min_length for maker in makers} == {2}
    default = synthetic_pair(1, 1, characters="ab")
    assert ([m.max_length for m in default[0]._texts], default[0]._seed, default[0]._wear) == ([32], 0, 1.0)
    assert default[0]._texts[0].min_length == 1
    assert default[0]._texts[0]._new_lines is None


def test_new_lines_are_trained_on_and_held_out_ones_never_written(monkeypatch: pytest.MonkeyPatch) -> None:
    fonts = [plain("ab", "A"), plain("ab", "B")]
    monkeypatch.setattr(source_module, "find_fonts", lambda where, characters: (fonts, []))
    train, val = synthetic_pair(7, 4, characters="ab", labels=["ab", "ba", "aab"], text_order=2)
    [maker], [val_maker] = train._texts, val._texts
    assert (maker._lines, val_maker._lines) == (("ba", "aab"), ("ab",))
    assert (maker._new_lines.order, maker._new_lines._avoid) == (2, frozenset(["ab"]))
    assert val_maker._new_lines is None


def test_what_can_be_drawn_by_two_families(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[object, str]] = []
    fonts = [plain("abc", "A"), plain("cd", "A"), plain("ae", "B"), plain("ec", "C")]

    def find(where: object, characters: str) -> tuple[list[Plain], list[object]]:
        asked.append((where, characters))
        return fonts, []

    monkeypatch.setattr(source_module, "find_fonts", find)
    symbols = ["e", "a", "b", "c", "d", "x", "e\u0301", "\u0301", "א", "\u00a0"]
    assert source_module.drawable(symbols, "bundled") == "eac"
    assert asked == [("bundled", "eabcdx")]
    assert source_module.drawable(["a"]) == "a"
    assert asked[1][0] == "auto"


@pytest.mark.parametrize(
    ("symbol", "why"),
    [
        ("a", None), (" ", None), ("中", None), ("é", None), ("1", None), ("€", None),
        ("e\u0301", "needs marks"), ("\u0301", "needs marks"), ("\u00a0", "looks like a space"),
        ("\u3000", "looks like a space"), ("א", "right to left"), ("ا", "right to left"),
    ],
)  # fmt: skip
def test_symbols_that_would_be_drawn_wrongly(symbol: str, why: str | None) -> None:
    found = source_module._unfit(symbol)
    assert (found is None) == (why is None)
    assert not why or why in str(found)


def test_where_no_font_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_module, "find_fonts", lambda where, characters: ([], []))
    with pytest.raises(DataError, match=r"data\.rendered\.fonts=auto: no font for these characters; allowed are"):
        synthetic_pair(1, 1)
    skipped = [("a.ttf", "torn"), ("b.ttf", "empty")]
    monkeypatch.setattr(source_module, "find_fonts", lambda where, characters: ([], skipped))
    with pytest.raises(
        DataError, match=r"no font for these characters \(2 cannot be used, such as a\.ttf: torn\); allowed"
    ):
        synthetic_pair(1, 1)
    monkeypatch.setattr(source_module, "find_fonts", lambda where, characters: ([plain("a", "A"), plain("a", "B")], []))
    for characters, chinese in (("ab", False), ("a中", True)):
        with pytest.raises(DataError) as raised:
            synthetic_pair(1, 1, characters=characters)
        assert ("apt install fonts-noto-cjk" in str(raised.value)) == chinese
