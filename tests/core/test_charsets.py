"""Named sets of characters."""

from __future__ import annotations

import unicodedata

import pytest

from crnn.core.charset import Charset, characters
from crnn.core.charsets import NAMES, named_set
from crnn.core.text import TextRules
from crnn.errors import CharsetError

SIZES = {
    "digits": 10,
    "ascii": 95,
    "latin": 331,
    "german": 122,
    "french": 145,
    "spanish": 129,
    "vietnamese": 245,
    "greek": 181,
    "greek-polytonic": 382,
    "cyrillic": 329,
    "hebrew": 142,
    "hebrew-pointed": 160,
    "arabic": 177,
    "persian": 196,
    "devanagari": 233,
    "chinese": 3882,
}
TEXTS = {
    "latin": "Příliš žluťoučký kůň; Zażółć gęślą jaźń; árvíztűrő; Şişli ığdır; țâșnit; Þórður, œuvre – „so“ ‘ok’ 5 €",
    "german": "Füße, GROẞ: „Ärger“ – 5 €",
    "french": "L’œuvre où naïf, ÇÀ « été » Ÿ 5 €",
    "spanish": "¿Qué? ¡Año! Pingüino 1ª",
    "vietnamese": "Tiếng Việt được nghĩa; ĐƯỜNG; Ỵ ẵ ợ",
    "greek": "Ο Καθένας, ΐ ΰ ς· «ώρα»",
    "greek-polytonic": "ἄνθρωπος ᾧ τῷ ὕβρις Ὦ ᾼ ῥ Ἀχιλλεύς·",
    "cyrillic": "Съешь ещё; їжак ґава; ђак љ; № 5 қазақ ө",
    "hebrew": "שלום צה״ל עמ׳ ץ אל־הבית 5 ₪ (abc)",
    "hebrew-pointed": "שָׁלוֹם עֲלֵיכֶם בְּרֵאשִׁית",
    "arabic": "السَّلَامُ عَلَيْكُمْ، ١٢٫٥٪ آأؤإئة هٰذا ـ؟",
    "persian": "می‌خواهم ۱۲ کتاب گچ پژ",
    "chinese": "《我们》在北京市“朝阳区”，买了3.5千克苹果；共￥12.50（含税5％）！京A·12345",
    "devanagari": "नमस्ते दुनिया क्षत्रिय ज़रूर । १२ ॐ",
}
RTL = ("hebrew", "hebrew-pointed", "arabic", "persian")


def test_every_set_is_listed_here() -> None:
    assert list(NAMES) == list(SIZES)


@pytest.mark.parametrize("name", NAMES)
def test_sets(name: str) -> None:
    symbols = named_set(name)
    assert len(symbols) == SIZES[name]
    assert list(symbols) == sorted(set(symbols))
    for symbol in symbols:
        assert len(symbol) == 1
        assert unicodedata.is_normalized("NFC", symbol)
        assert unicodedata.category(symbol) not in ("Cc", "Cn", "Co", "Zl", "Zp"), ascii(symbol)
    assert (" " in symbols) == (name != "digits")
    assert name == "digits" or set(named_set("ascii")) <= set(symbols)
    assert Charset(symbols).symbols == symbols


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("unit", ["grapheme", "codepoint"])
def test_texts_of_a_language_can_be_written(name: str, form: str, unit: str) -> None:
    rules = TextRules(form, direction="rtl" if name in RTL else "ltr")  # type: ignore[arg-type]
    symbols = sorted({s for c in named_set(name) for s in characters(c, rules, unit)})  # type: ignore[arg-type]
    charset = Charset(tuple(symbols), rules.form, unit, direction=rules.direction)  # type: ignore[arg-type]
    assert charset.unknown(TEXTS[name]) == []
    assert charset.decode(charset.encode(TEXTS[name])) == rules.normalize(TEXTS[name])


def test_vietnamese_has_every_vowel_with_every_tone() -> None:
    letters = [c for c in named_set("vietnamese") if c.isalpha() and not c.isascii()]
    assert len(letters) == 134  # 12 vowels with 6 tones in two cases, and đ; less the plain ASCII vowels


def test_an_unknown_set_is_refused() -> None:
    with pytest.raises(CharsetError, match="there is no set of characters 'klingon'; there are digits, ascii, latin"):
        named_set("klingon")


def test_chinese_has_level_1_of_gb_2312() -> None:
    han = [c for c in named_set("chinese") if "\u4e00" <= c <= "\u9fff"]
    assert len(han) == 3755
    assert {c.encode("gb2312")[0] - 0xA0 for c in han} == set(range(16, 56))
    assert {"啊", "座", "的"} <= set(han)
    assert "鳌" not in han  # of level 2
