"""What is said about labels in scripts of their own: good text is left alone, slips are named."""

from __future__ import annotations

import pytest

from crnn.core.text import TextRules
from crnn.inspect import kinds
from crnn.inspect.mojibake import mojibake
from crnn.inspect.text_faults import LabelStatistics, TextFaults


def faults_of(text: str, others: list[str], rules: TextRules | None = None) -> set[str]:
    statistics = LabelStatistics()
    list(statistics.watch([text, *others]))
    return {kind for kind, _ in TextFaults(statistics, rules or TextRules())(text, "a.png")}


LATIN = ["the quick brown fox", "jumps over", "the lazy dog"] * 20
RUSSIAN = ["съешь же ещё этих", "мягких французских булок", "да выпей чаю"] * 20


@pytest.mark.parametrize(
    ("text", "others"),
    [
        ("naïve café, 12 €", LATIN),
        ("Größe – „gut“", LATIN),
        ("Вот это ВСЁ", RUSSIAN),
        ("iPhone и Windows", RUSSIAN),  # words of either script, none mixed
        ("α-Zerfall", LATIN),
        ("नमस्ते दुनिया", ["हिन्दी में लिखा"] * 20),
        ("می‌خواهم", ["سلام دنیا"] * 20),  # a joiner that shows
        ("שלום עולם", ["אבג דהו"] * 20),
        ("日本語、テスト", ["漢字かな"] * 20),
        ("Tiếng Việt", ["Việt Nam đẹp"] * 20),
        ("SÃO PAULO", LATIN),
        ("AT&T; R&D", LATIN),
        ("file.txt", LATIN),
        ("слово ора", LATIN),  # the second word alone could be Latin, its neighbour cannot
        ("Яndex", LATIN),
        ("DIZ QUE NÃ…", LATIN),
        ("ÁÉÍÓÚ ÄÖÜäöüß ÀÉÈÙÇ áéíóúñ", LATIN),  # lists of letters
        ("¹²³º ¼½¾ª °×µ¼", LATIN),
        ("«Èéê» ±½°C ×10²³ §§¶¶", LATIN),
    ],
)
def test_good_text_is_left_alone(text: str, others: list[str]) -> None:
    assert faults_of(text, others) == set()


@pytest.mark.parametrize(
    ("text", "others", "kind"),
    [
        ("p\u0430per", LATIN, kinds.MIXED_SCRIPTS),
        ("\u0441\u043e\u0440\u0430", LATIN, kinds.LOOK_ALIKE),
        ("съе\u0065шь", RUSSIAN, kinds.MIXED_SCRIPTS),
        ("MÃ¼ller", LATIN, kinds.MOJIBAKE),
        ("·¢Æ±ºÅÂë 12", LATIN, kinds.MOJIBAKE),  # GBK
        ("Äîáðîå óòðî", LATIN, kinds.MOJIBAKE),  # Windows-1251
        ("a\u200bb", LATIN, kinds.INVISIBLE),
        ("a\u202eb", LATIN, kinds.BIDI_CONTROL),
        ("line_0001.png", LATIN, kinds.FILE_NAME),
        ("a\u00a0b", LATIN, kinds.ODD_SPACE),
        ("Tom &amp; Jerry", LATIN, kinds.HTML_ENTITY),
        ("\u0301abc", LATIN, kinds.LONE_MARK),
    ],
)
def test_slips_are_named(text: str, others: list[str], kind: str) -> None:
    assert kind in faults_of(text, others)


def test_all_odd_characters_of_a_label_are_named_in_their_order() -> None:
    text = "\ue5dc\uf1a7 a\u2003\ue8bf\ue5dc\u2009b"
    statistics = LabelStatistics()
    list(statistics.watch([text, "plain"]))
    faults = dict(TextFaults(statistics, TextRules())(text, "a.png"))
    assert faults[kinds.PRIVATE_USE] == (
        "U+E5DC unnamed at position 1, U+F1A7 unnamed at position 2, U+E8BF unnamed at position 6"
    )
    assert faults[kinds.ODD_SPACE] == "U+2003 EM SPACE at position 5, U+2009 THIN SPACE at position 8"


def test_what_garbled_text_was() -> None:
    for text, encoding in [("发票号码", "gbk"), ("Доброе утро", "cp1251"), ("Müller", "utf-8")]:
        garbled = mojibake(text.encode(encoding).decode("cp1252"))
        assert garbled
        assert garbled[1] in text
    assert mojibake("票") is None


def test_labels_that_come_back_in_another_order() -> None:
    others = ["אבג דהו"] * 20
    rules = TextRules(direction="rtl")
    assert faults_of("שלום 12 abc", others, rules) == {kinds.READING_ORDER}
    assert faults_of("שלום 12 abc", others) == set()
    assert faults_of("שלום abc 12", others, rules) == set()
