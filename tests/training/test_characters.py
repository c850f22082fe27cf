"""Where a training's characters come from, and what is said of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests_support import settings as composed

from crnn.core.card import ModelCard
from crnn.core.charset import Charset
from crnn.core.charsets import named_set
from crnn.core.transform import LineTransform
from crnn.errors import CharsetError, ConfigError, CrnnError
from crnn.explain.network import network_of_settings
from crnn.export.torch_backend import write_safetensors
from crnn.model.config import NetworkConfig
from crnn.model.crnn import CRNN
from crnn.training.characters import charset_from, listed_characters
from crnn.training.config import CharsetConfig
from crnn.training.overrides import quoted

OFTEN = ["ab"] * 5


def settings(**values: object) -> CharsetConfig:
    """As `to_config` hands them down."""
    return composed("model=crnn_tiny", *(quoted(f"charset.{name}={value}") for name, value in values.items())).charset


def test_the_training_labels() -> None:
    charset, notes, *_ = charset_from(settings(extra="é"), iter([*OFTEN, "cab", "c "]))
    assert charset == Charset.from_texts(["abc "], "é")
    assert notes == [
        "characters: 5 of the training labels",
        "note: 2 characters come fewer than 5 times in the training labels: ' ' U+0020 (1), 'c' U+0063 (2)",
        "note: 1 character never comes in the training labels: 'é' U+00E9",
    ]
    assert listed_characters(settings()) is None
    with pytest.raises(CharsetError, match="are all labels empty"):
        charset_from(settings(), [])


def test_many_rare_characters_are_not_all_named() -> None:
    _, notes, *_ = charset_from(CharsetConfig(), ["".join(map(chr, range(0x100, 0x100 + 50)))])
    assert notes[1].startswith("note: 50 characters come fewer than 5 times")
    assert notes[1].count("U+") == 20
    assert notes[1].endswith("'ē' U+0113 (1), ... and 30 more")


def test_rare_characters_can_be_left_out() -> None:
    charset, notes, *_ = charset_from(settings(min_count=2, extra="z"), [*OFTEN, "cc", "ï", "z"])
    assert charset.symbols == ("a", "b", "c", "z")
    assert notes[1:] == [
        "note: 2 characters come fewer than 5 times in the training labels: 'z' U+007A (1), 'c' U+0063 (2)",
        "note: charset.min_count=2 leaves out 1 characters: 'ï' U+00EF (1); what becomes of their lines is data.unknown",
    ]


def test_characters_of_rendered_lines_count_as_frequent() -> None:
    charset, notes, *_ = charset_from(settings(min_count=3), ["ab"] * 5 + ["c", "x"], drawn="a cd")
    assert charset.symbols == (" ", "a", "b", "c", "d")
    assert [note.split(":")[0] for note in notes] == ["characters", "note"]
    assert "'x' U+0078 (1)" in notes[1]


def test_the_rules_hold_and_are_said() -> None:
    chosen = settings(form="NFD", unit="codepoint", whitespace="collapse", case="lower")
    charset, notes, *_ = charset_from(chosen, [" É  A "] * 5)
    assert charset == Charset((" ", "a", "e", "\u0301"), "NFD", "codepoint", "collapse", "lower")
    assert notes == ["characters: 4 of the training labels (form=NFD, whitespace=collapse, case=lower, unit=codepoint)"]


def test_listed_characters() -> None:
    charset, notes, *_ = charset_from(settings(symbols="' baB'", case="lower", whitespace="strip"), ["ab"] * 5)
    assert charset == Charset((" ", "a", "b"), whitespace="strip", case="lower")
    assert notes[0].startswith("characters: 3 of charset.symbols")
    assert notes[1] == "note: 1 character never comes in the training labels: ' ' U+0020"


def test_a_named_set() -> None:
    charset, notes, *_ = charset_from(settings(source="set:german", extra="ï"), ["abïπ"])
    assert set(charset.symbols) == {*named_set("german"), "ï"}
    assert list(charset.symbols) == sorted(charset.symbols)
    assert notes[0] == "characters: 123 of set:german"
    assert "'ï' U+00EF (1)" in notes[1]
    assert "π" not in "".join(notes)  # named with its lines, see data.unknown
    lower = charset_from(settings(source="set:german", case="lower", form="NFD", unit="codepoint"), [])[0]
    assert {"a", "ß", "\u0308"} <= set(lower.symbols)
    assert not {"A", "ä"} & set(lower.symbols)
    assert listed_characters(settings(source="set:digits")) == tuple("0123456789")


def test_marks_of_a_set_count_where_clusters_hold_them() -> None:
    _, notes, *_ = charset_from(settings(source="set:devanagari"), ["नि"] * 2)
    assert "'न' U+0928 (2)" in notes[1]
    assert "U+093F (2)" in notes[1]


def test_a_text_file(tmp_path: Path) -> None:
    path = tmp_path / "characters.txt"
    path.write_bytes("\ufeffb\r\na \r\n\r\ne\u0301न\u093fA".encode())
    charset, notes, *_ = charset_from(settings(source=path), ["ab"] * 5)
    assert charset.symbols == (" ", "A", "a", "b", "é", "नि")
    assert notes[0] == f"characters: 6 of {path}"
    assert charset_from(settings(source=path, whitespace="collapse"), [])[0].symbols[0] == " "


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a\n\xff", "is not UTF-8 .*; save it as UTF-8"),
        (b"a\nb\tc", r"line 2 holds the control character U\+0009"),
        (b"\r\n\n", "a charset needs at least one symbol"),
        (None, r"cannot be read \(No such file or directory\); give a text file, a model file .* or a named set"),
    ],
)
def test_a_bad_text_file_is_refused(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "characters.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=f"charset.source={path}: {message}") as caught:
        charset_from(settings(source=path), [])
    assert "\n" not in str(caught.value)


def model_file(path: Path, charset: Charset) -> Path:
    network = NetworkConfig.from_dict(composed("model=crnn_tiny").model.to_dict())
    card = ModelCard(charset, LineTransform(32), network.to_dict())
    write_safetensors(path, card, CRNN(network, charset.classes, 32))
    return path


def test_a_model_file(tmp_path: Path) -> None:
    own = Charset(("b", " ", "a", "e\u0301"), "NFD", "grapheme", "collapse", "lower", "auto")
    path = model_file(tmp_path / "m.safetensors", own)
    charset, notes, *_ = charset_from(settings(source=path), ["ab"] * 5)
    assert charset == own
    assert notes[0] == (
        f"characters: 4 of {path}, in its order (form=NFD, whitespace=collapse, case=lower, direction=auto)"
    )
    charset, notes, *_ = charset_from(
        settings(source=path, extra="zÉaC", case="lower"), []
    )  # classes stay where they were
    assert charset.symbols == (*own.symbols, "c", "z")
    assert f"characters: 6: 4 of {path}, in its order, then 2 of charset.extra (" in notes[0]
    notes = charset_from(settings(source=path, extra="z", grow=True), ["abc"]).notes
    assert f"characters: 6: 4 of {path}, in its order, then 1 of charset.extra, then 1 of the training" in notes[0]
    notes = charset_from(settings(source=path, grow=True), ["abc"]).notes
    assert f"characters: 5: 4 of {path}, in its order, then 1 of the training labels (" in notes[0]
    with pytest.raises(
        ConfigError, match=r"charset.case=upper: the characters come from .*, whose case is lower; leave"
    ):
        charset_from(settings(source=path, case="upper"), [])


def test_no_model_file(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(b"\x08nothing")
    for name in ("m.onnx", "missing.ckpt"):
        with pytest.raises(CrnnError, match=name):
            charset_from(settings(source=tmp_path / name), [])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            {"source": "set:latin", "symbols": "ab"},
            "charset.source=set:latin: charset.symbols names the characters too",
        ),
        ({"source": "set:klingon"}, "charset.source=set:klingon: is unknown; allowed are set:digits, set:ascii"),
        ({"source": "a.txt", "min_count": 2}, "charset.min_count=2: counts characters .* charset.source names them"),
        ({"symbols": "ab", "min_count": 2}, "charset.min_count=2: counts characters .* charset.symbols names them"),
        ({"min_count": 0}, "charset.min_count=0: must be above 0"),
        ({"whitespace": "squeeze"}, "charset.whitespace=squeeze: is unknown; allowed are keep, strip, collapse"),
        ({"case": "title"}, "charset.case=title: is unknown; allowed are keep, lower, upper"),
        ({"direction": "down"}, "charset.direction=down: is unknown; allowed are ltr, rtl, auto"),
        ({"form": "NFX"}, "charset.form=NFX: is unknown; allowed are NFC, NFD, NFKC, NFKD, none"),
    ],
)
def test_contradictions_are_refused_by_name(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        settings(**wrong)


def test_labels_that_do_not_come_back_are_counted() -> None:
    charset, notes, *_ = charset_from(settings(direction="rtl"), ["שלום 12 abc", "שלום", "(abc) de א"] * 5)
    assert charset.direction == "rtl"
    assert notes[0].endswith("(direction=rtl)")
    assert notes[-1] == (
        "note: 10 training labels look like other text and will be read as that, such as 'שלום 12 abc' as 'שלום abc 12'"
    )


def test_right_to_left_labels_of_a_left_to_right_model_are_said() -> None:
    """They begin where the picture ends: nothing would be learned, without a word."""
    for direction, texts, said in (
        ("ltr", ["שלום 12 abc"] * 3 + ["שלום"], True),
        ("ltr", ["سلام"], True),
        ("ltr", ["שלום abcd"], False),
        ("ltr", ["abc 12"], False),
        ("rtl", ["שלום"], False),
        ("auto", ["שלום"], False),
    ):
        notes = charset_from(settings(direction=direction), texts).notes
        assert any("run from right to left, and lines are taken to run from left" in note for note in notes) == said


def test_explained_networks_have_the_classes_of_their_settings() -> None:
    for overrides, classes in (([], 96), (["charset.source=set:digits"], 11), (["charset.case=lower"], 70)):
        network, _ = network_of_settings(["model=crnn_tiny", *overrides])
        assert network.head.out_features == classes
