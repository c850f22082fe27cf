"""Chinese texts, and what is said where no font has the characters."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pytest
from few_draws import FewDraws, digest

from crnn.core.charsets import named_set
from crnn.data.synth import chinese, vocabulary
from crnn.data.synth.chinese import KINDS, han_of
from crnn.data.synth.pen import Pen
from crnn.data.synth.source import synthetic_pair
from crnn.data.synth.text import TextMaker
from crnn.data.synth.vocabulary import Words, words_of
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


PATTERNS = (
    r"\d{4}年\d+月\d+日", r"￥\d", "，", "《", r"号\d+栋\d+室", r"[京沪粤][A-Z]·?\w{5}", "：", "公司", r"\d元", "先生",
)  # fmt: skip


@pytest.mark.usefixtures("_with_and_without_words")
def test_texts_are_chinese_without_spaces_and_every_pattern_comes() -> None:
    maker = TextMaker(CHINESE, 1, 20, languages=["zh"])
    texts, wanted = [], set(PATTERNS)
    for seed in range(6000):
        texts.append(maker(np.random.default_rng(seed)))
        wanted -= {pattern for pattern in wanted if re.search(pattern, texts[-1])}
        if not wanted and seed > 400:
            break
    assert not wanted
    joined = "\n".join(texts)
    assert joined.count(" ") < 0.02 * len(joined)
    assert len(set(joined) & set(han_of(ALLOWED))) > 1000


def test_every_character_comes() -> None:
    seen = {sign for pen in few_pens(3000) for sign in chinese.rare(pen)}
    assert len(seen) > 3600
    assert seen <= set(han_of(ALLOWED))


def test_other_languages_come_as_often_as_they_are_listed() -> None:
    maker = TextMaker(CHINESE, 1, 20, languages=["zh", "zh", "zh", "basic"])
    made = [maker(np.random.default_rng(i)) for i in range(600)]
    assert 0.1 < sum(bool(re.search("[a-z]{4}", text)) for text in made) / 600 < 0.25


def test_a_machine_without_chinese_fonts_says_what_to_install() -> None:
    with pytest.raises(DataError, match=r"no font has .*; for Chinese on Debian or Ubuntu: apt install fonts-noto-cjk"):
        synthetic_pair(5, 5, characters="abc中文", fonts="bundled", languages=["zh"])
    with pytest.raises(DataError, match=r"no font has [^;]*; name a folder with one in data\.rendered\.fonts$"):
        synthetic_pair(5, 5, characters="abc한", fonts="bundled")


CHANCES = (0.03, 0.04, 0.07, 0.08, 0.12, 0.15, 0.22, 0.5, 0.9)
TEXTS = {
    "word": "4b8399a47417",
    "prose": "282d4ef24931",
    "rare": "bb6e7970c51d",
    "number": "37685f5ca473",
    "date": "32cc285c70fb",
    "place": "953def970aea",
    "form": "f215f6ff0c61",
    "code": "09f7544e6899",
}


def few_pens(count: int, characters: frozenset[str] = ALLOWED) -> Iterator[Pen]:
    for seed in range(count):
        words = Words(("中文", "你好", "人") if seed % 2 else ())
        yield Pen(FewDraws(seed, CHANCES), "zh", words, characters, (1, 3, 12, 20)[seed % 4])


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_bound_between_two_choices_belongs_to_the_second(kind) -> None:
    found = digest(map(kind, few_pens(160)))
    assert found == TEXTS[kind.__name__]


def test_numbers_are_spelled_as_they_should() -> None:
    made = "\n".join(map(chinese.number, few_pens(600)))
    banks = re.findall(r"人民币(\w)佰(\w)拾元整", made)
    assert {sign for pair in banks for sign in pair} == set("壹贰叁肆伍陆柒捌玖")
    places = re.findall(r"第(\w{1,2})[章节条页期届]", made)
    assert set("".join(places)) == set("一二三四五六七八九十")
    dates = "\n".join(map(chinese.date, few_pens(600, ALLOWED | {"〇"})))
    assert {month for month in re.findall(r"[〇一二三四五六七八九]{4}年(\w)月", dates)} == set("一二三四五六七八九十")
    for year, month, day in re.findall(r"(\d+)年(\d+)月(\d+)日", dates):
        assert 1949 <= int(year) <= 2049
        assert 1 <= int(month) <= 12
        assert 1 <= int(day) <= 31
    halves = re.findall(r"([上下])午(\d+)点(\d+)分", dates)
    assert {half for half, _, _ in halves} == {"上", "下"}
    assert all(int(hour) < 12 and int(minute) < 60 for _, hour, minute in halves)
    plain = "\n".join(map(chinese.date, few_pens(300, frozenset("0123456789年"))))
    assert "〇" not in plain
    assert re.search(r"(?m)^\d{4}年$", plain)


def test_the_chinese_characters_of_a_charset() -> None:
    assert han_of(frozenset("b中a\u4dff\u4e00\u9fff\ua000人")) == "\u4e00中人\u9fff"
    assert han_of(frozenset("ab")) == ""
    lengths = {len(chinese.rare(pen)) for pen in few_pens(400)}
    assert lengths == set(range(1, 13))
    assert chinese.rare(next(few_pens(1, frozenset("ab")))) == ""
    for pen in few_pens(120):
        text = chinese.prose(pen)
        assert 1 <= len(text) <= pen.room
