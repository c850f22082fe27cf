"""Chinese texts, and what is said where no font has the characters."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pytest

from crnn.core.charsets import named_set
from crnn.data.synth import vocabulary
from crnn.data.synth.chinese import KINDS, han_of
from crnn.data.synth.pen import Pen
from crnn.data.synth.source import synthetic_pair
from crnn.data.synth.text import TextMaker
from crnn.data.synth.vocabulary import words_of
from crnn.errors import DataError

CHINESE = "".join(named_set("chinese"))
ALLOWED = frozenset(CHINESE)


@pytest.fixture(params=["wordfreq", "none"])
def _with_and_without_words(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if request.param == "wordfreq":
        pytest.importorskip("wordfreq")
    else:
        monkeypatch.setattr(vocabulary, "_wordfreq", lambda: None)
    words_of.cache_clear()
    yield
    words_of.cache_clear()


@pytest.mark.usefixtures("_with_and_without_words")
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_kind(kind) -> None:
    words = words_of("zh", False, ALLOWED)
    made = [kind(Pen(np.random.default_rng(seed), "zh", words, ALLOWED, 20)) for seed in range(200)]
    assert len(set(made)) > 100
    assert all(made)
    assert not set("".join(made)) - ALLOWED
    for seed in range(50):
        kind(Pen(np.random.default_rng(seed), "zh", words_of("zh", False, frozenset("ab")), frozenset("ab"), 20))


@pytest.mark.usefixtures("_with_and_without_words")
def test_texts_are_chinese_without_spaces_and_every_character_comes() -> None:
    maker = TextMaker(CHINESE, 1, 20, languages=["zh"])
    joined = "\n".join(maker(np.random.default_rng(i)) for i in range(6000))
    assert len(set(joined) & set(han_of(ALLOWED))) > 3600
    assert joined.count(" ") < 0.02 * len(joined)
    for pattern in (
        r"\d{4}年\d+月\d+日",
        r"￥\d",
        "，",
        "《",
        r"号\d+栋\d+室",
        r"[京沪粤][A-Z]·?\w{5}",
        "：",
        "公司",
        r"\d元",
        "先生",
    ):
        assert re.search(pattern, joined), pattern


def test_other_languages_come_as_often_as_they_are_listed() -> None:
    maker = TextMaker(CHINESE, 1, 20, languages=["zh", "zh", "zh", "basic"])
    made = [maker(np.random.default_rng(i)) for i in range(600)]
    assert 0.1 < sum(bool(re.search("[a-z]{4}", text)) for text in made) / 600 < 0.25


def test_a_machine_without_chinese_fonts_says_what_to_install() -> None:
    with pytest.raises(DataError, match=r"no font has .*; for Chinese on Debian or Ubuntu: apt install fonts-noto-cjk"):
        synthetic_pair(5, 5, characters="abc中文", fonts="bundled", languages=["zh"])
    with pytest.raises(DataError, match=r"no font has [^;]*; name a folder with one in data\.rendered\.fonts$"):
        synthetic_pair(5, 5, characters="abc한", fonts="bundled")
