"""Decoders from settings: what is allowed, and that nothing else gets in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crnn.core.charset import Charset
from crnn.core.decode import BeamDecoder, GreedyDecoder
from crnn.core.decode.settings import beam_settings, language_model, make_decoder, read_texts
from crnn.errors import ConfigError, CrnnWarning, DataError

CHARSET = Charset.from_texts(["abc 0123456789."])
LM = language_model(["abc", "ab 12", "cab"], CHARSET).to_dict()


def beam(**settings: Any) -> BeamDecoder:
    decoder = make_decoder({"name": "beam", **settings}, CHARSET)
    assert isinstance(decoder, BeamDecoder)
    return decoder


def test_names() -> None:
    assert isinstance(make_decoder({"name": "greedy"}, CHARSET), GreedyDecoder)
    assert beam().width == 10
    assert (beam(width=3).width, beam(lm=LM, lm_weight=2).lm_weight, beam(lm=LM, length_bonus=-1).length_bonus) == (
        3,
        2,
        -1,
    )
    assert beam(length_bonus=1).length_bonus == 0  # nothing to make up for


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("name", "magic", "decoder 'magic' is unknown; allowed are greedy, beam, and what installed packages add"),
        ("name", ["beam"], "is unknown"),
        ("name", "greedy", "decoder greedy has no setting 'width'"),
        ("depth", 3, "decoder beam has no setting 'depth'"),
        ("width", 0, "the beam's width is 0; whole numbers from 1 to 1,000 are allowed"),
        ("width", 10**9, "width"),
        ("width", True, "width"),
        ("width", "10", "width"),
        ("width", None, "width"),
        ("lm_weight", -1, "lm_weight is -1; numbers from 0 to 10 are allowed"),
        ("lm_weight", "1", "lm_weight"),
        ("lm_weight", float("nan"), "lm_weight"),
        ("lm_weight", 10**400, "lm_weight"),
        ("length_bonus", float("inf"), "length_bonus"),
        ("length_bonus", True, "length_bonus"),
        ("lm", [], "a stored language model has"),
        ("lm", {**LM, "symbols": 3}, "the language model has 3 symbols, the charset 15"),
        ("pattern", 7, "the pattern is 7; a regular expression is allowed"),
        ("pattern", "(", "is not a regular expression"),
        ("lexicon", "abc", "the lexicon is not a list of texts"),
        ("lexicon", [1], "the lexicon is not a list of texts"),
        ("lexicon", [], "the lexicon is empty"),
        ("lexicon", ["ab", "aï"], r"lexicon: 'aï' can never be read: 'ï' \(U\+00EF .* take it out"),
        (
            "lexicon",
            ["ï1", "ab", *(f"ï{i}" for i in range(2, 9))],
            r"'ï1' can never be read: .*; likewise 'ï2', 'ï3', 'ï4', 'ï5' and 3 more; take them out",
        ),
        (
            "lexicon",
            ["a" * 600_000, "b" * 600_000],
            "the lexicon has 1,200,000 characters; at most 1,000,000 are allowed",
        ),
    ],
)
def test_refused(setting: str, value: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make_decoder({"name": "beam", "width": 10, setting: value}, CHARSET)


@pytest.mark.parametrize(
    ("setting", "least", "most", "step"),
    [("width", 1, 1000, 1), ("lm_weight", 0, 10, 0.01), ("length_bonus", -10, 10, 0.01)],
)
def test_limits(setting: str, least: int, most: int, step: float) -> None:
    for value in (least, most):
        assert getattr(beam(lm=LM, **{setting: value}), setting) == value
    for value in (least - step, most + step):
        with pytest.raises(ConfigError, match=setting):
            beam(lm=LM, **{setting: value})


def test_limit_of_a_lexicon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crnn.core.decode.settings.MAX_LEXICON", 4)
    assert beam(lexicon=["abc", "a"]).constraint is not None
    with pytest.raises(ConfigError, match="the lexicon has 5 characters; at most 4 are allowed"):
        beam(lexicon=["abc", "ab"])


def test_pattern_and_lexicon_hold_together() -> None:
    constraint = beam(pattern=r"[a-c]+\d", lexicon=["ab1", "ab", "c2", "1"]).constraint
    assert constraint is not None
    assert [constraint.accepts(CHARSET.encode(t)) for t in ("ab1", "c2", "ab", "1", "a1")] == [
        True,
        True,
        False,
        False,
        False,
    ]
    with pytest.raises(ConfigError, match="no text of the lexicon matches 'b'"):
        beam(pattern="b", lexicon=["a"])


def test_texts_stand_as_pictures_show_them() -> None:
    """Lexicon and language model of right-to-left lines."""
    charset = Charset.from_texts(["שלום (12) abc"], direction="rtl")
    text = "שלום (12)"
    decoder = make_decoder({"name": "beam", "lexicon": [text]}, charset)
    assert isinstance(decoder, BeamDecoder)
    assert decoder.constraint is not None
    assert decoder.constraint.accepts(charset.encode(text))
    lm = language_model([text] * 9, charset)
    assert lm.text_log_prob(charset.encode(text)) > -5 > lm.text_log_prob(charset.encode(text)[::-1])
    lower = Charset.from_texts(["ab c"], case="lower", whitespace="collapse")
    decoder = make_decoder({"name": "beam", "lexicon": ["A  B"]}, lower)
    assert isinstance(decoder, BeamDecoder)
    assert decoder.constraint is not None
    assert decoder.constraint.accepts(lower.encode("a b"))


def test_what_is_given_goes_over_what_is_stored() -> None:
    assert beam_settings({"name": "greedy"}, CHARSET) is None
    assert beam_settings({"name": "greedy"}, CHARSET, beam=4) == {"name": "beam", "width": 4}
    stored = {"name": "beam", "width": 4, "pattern": "a", "lm": LM, "lm_weight": 1.0}
    assert beam_settings(stored, CHARSET, pattern="b", lm_weight=2.0) == {**stored, "pattern": "b", "lm_weight": 2.0}
    assert beam_settings(stored, CHARSET, beam=0) == {"name": "greedy"}
    made = beam_settings({"name": "greedy"}, CHARSET, lm=["abc", "ab 12", "cab", "", "ï"], lexicon=["a", "", "b"])
    assert made == {"name": "beam", "lm": LM, "lexicon": ["a", "b"]}
    assert json.loads(json.dumps(made)) == made


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"beam": 0, "pattern": "a"}, "a beam of 0 is greedy decoding, which has no pattern"),
        ({"lm_weight": 0.5}, "lm_weight goes with a language model"),
        ({"length_bonus": 0.5}, "length_bonus goes with a language model"),
        ({"lm": ["", ""]}, "a language model needs at least one text; is the file empty"),
        (
            {"lm": ["ï", "bï", "ö", ""]},
            r"language model: each of the 3 texts, such as 'ï', holds characters that the model lacks: 'ï' \(U\+00EF "
            r"LATIN SMALL LETTER I WITH DIAERESIS\) in 2, 'ö' \(.*\) in 1; take other texts, or train a model on lines",
        ),
    ],
)
def test_what_does_not_go_together(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        beam_settings({"name": "greedy"}, CHARSET, **given)


def test_too_much_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "texts.txt"
    file.write_text("abc\ncab", encoding="utf-8")
    monkeypatch.setattr("crnn.core.decode.settings.MAX_LEARNT", 6)
    monkeypatch.setattr("crnn.core.decode.settings.MAX_FILE", 7)
    assert language_model(file, CHARSET).to_dict() == language_model(["abc", "cab"], CHARSET).to_dict()
    with pytest.raises(ConfigError, match="learns from at most 6 characters; take fewer texts"):
        language_model(["abc", "cab", "a"], CHARSET)
    file.write_text("abc\ncab\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"texts\.txt: is larger than 7e-06 MB; take fewer texts"):
        beam_settings({}, CHARSET, lexicon=file)


def test_files_of_texts(tmp_path: Path) -> None:
    file = tmp_path / "texts.txt"
    file.write_bytes("\ufeffabc\r\nab 12\r\n\r\ncab".encode())
    assert language_model(file, CHARSET).to_dict() == LM
    assert beam_settings({}, CHARSET, lexicon=str(file)) == {"name": "beam", "lexicon": ["abc", "ab 12", "cab"]}
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match=r"texts\.txt: is not UTF-8 text; save it as UTF-8"):
        language_model(file, CHARSET)
    with pytest.raises(DataError, match=r"nothing\.txt: cannot be read"):
        beam_settings({}, CHARSET, lexicon=tmp_path / "nothing.txt")


def test_a_pattern_decides() -> None:
    """O and 0 look alike; the pattern knows which it is."""
    charset = Charset.from_texts(["O01."])
    log_probs = np.full((6, 1, charset.classes), -9.0, dtype=np.float32)
    for step, (first, second) in enumerate([("O", "0"), ("", ""), ("1", "O"), ("", ""), (".", "1"), ("0", "1")]):
        log_probs[step, 0, charset.encode(first) or 0] = np.log(0.6)
        log_probs[step, 0, charset.encode(second) or 0] = np.log(0.39)
    log_probs -= np.logaddexp.reduce(log_probs, axis=2, keepdims=True)
    for pattern, text in {r"\d\d\.\d": "01.0", "O.*": "O1.0", r"[^.]+": "O110", r"\d{3}": "011"}.items():
        decoder = make_decoder({"name": "beam", "pattern": pattern}, charset)
        [line] = decoder(log_probs, np.array([6]))
        assert charset.decode(line.labels) == text


def test_texts_that_the_charset_cannot_write_are_counted() -> None:
    with pytest.warns(
        CrnnWarning, match=r"2 of 4 texts are left out, such as 'xyz'; the model lacks 'x' .* in 1, .* \.\.\.$"
    ):
        left = language_model(["abc", "xyz", "ab", "ähuv"], CHARSET)
    assert left.to_dict() == language_model(["abc", "ab"], CHARSET).to_dict()


def test_a_decoder_by_its_name_or_as_json() -> None:
    for given in ("greedy", {"name": "greedy"}, '{"name": "greedy"}', '  \n{"name": "greedy"}'):
        assert beam_settings({"name": "beam"}, CHARSET, decoder=given) == {"name": "greedy"}
    assert beam_settings({}, CHARSET, decoder="own") == {"name": "own"}  # whose name is known is asked later
    with pytest.raises(ConfigError, match=r"decoder '\{x' is not JSON, such as"):
        beam_settings({}, CHARSET, decoder="{x")
    given = {"name": "beam"}
    assert beam_settings({}, CHARSET, decoder=given) is not given


@pytest.mark.parametrize(
    ("setting", "value"),
    [("beam", 3), ("beam", 0), ("lm", []), ("lexicon", []), ("pattern", ""), ("lm_weight", 0.0), ("length_bonus", 0.0)],
)
def test_a_decoder_and_settings_of_the_beam_search(setting: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=f"decoder and {setting}, which is of the beam search, do not go together"):
        beam_settings({}, CHARSET, decoder="greedy", **{setting: value})


def test_settings_that_are_zero_are_given() -> None:
    stored = {"name": "beam", "lm": LM, "width": 7}
    assert beam_settings(stored, CHARSET, lm_weight=0.0) == {**stored, "lm_weight": 0.0}
    assert beam_settings(stored, CHARSET, length_bonus=0.0) == {**stored, "length_bonus": 0.0}
    assert beam_settings({"name": "other", "width": 3}, CHARSET, beam=1) == {"name": "beam", "width": 1}
    assert beam_settings({"name": "beam", "depth": 3}, CHARSET, beam=1) == {"name": "beam", "depth": 3, "width": 1}
    made = beam_settings({}, CHARSET, lm=["abc"], lm_weight=1.0)
    assert made is not None
    assert made["lm_weight"] == 1.0
    for name in ("lm", "lexicon"):
        with pytest.raises(ConfigError, match=f"a beam of 0 is greedy decoding, which has no {name}"):
            beam_settings({}, CHARSET, beam=0, **{name: ["abc"]})


def test_what_a_decoder_is_made_of() -> None:
    made = beam()
    assert (made.width, made.lm, made.lm_weight, made.length_bonus, made.constraint) == (10, None, 0.3, 0.0, None)
    made = beam(lm=LM)
    assert made.lm is not None
    assert (made.lm_weight, made.length_bonus, made.lm.to_dict()) == (0.3, 0.6, LM)
    made = beam(pattern="a", lexicon=None)
    assert made.constraint is not None
    assert made.constraint.accepts(CHARSET.encode("a"))
    with pytest.raises(ConfigError, match="the pattern is empty"):
        beam(pattern="")
    with pytest.raises(ConfigError, match="decoder greedy has no setting 'width'; pip install -U crnn"):
        make_decoder({"name": "greedy", "width": 3}, CHARSET)
    with pytest.raises(ConfigError, match="is unknown"):
        make_decoder({}, CHARSET)


def test_lines_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "texts.txt"
    file.write_bytes(b"a \r\n\x0bb\x85\n\r\r\nc".replace(b"\x85", "\u2028".encode()))
    assert read_texts(file) == read_texts(str(file)) == ["a ", "\x0bb\u2028", "", "c"]
    texts = ["a", "b"]
    assert read_texts(texts) is texts


def test_no_warning_where_all_can_be_written(recwarn: pytest.WarningsRecorder) -> None:
    language_model(["abc"], CHARSET)
    assert not recwarn.list
    with pytest.warns(CrnnWarning, match="language model: 1 of 2 texts are left out, such as 'xyz'") as caught:
        language_model(["abc", "xyz"], CHARSET)
    assert len(caught) == 1
    assert caught[0].filename == __file__


def test_a_name_with_nul_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"^'a\\x00b': is no file name"):
        language_model("a\0b", CHARSET)
