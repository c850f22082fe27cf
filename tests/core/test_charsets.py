"""Named sets of characters."""

from __future__ import annotations

import itertools
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


def beyond_ascii(name: str, categories: str = "LMN") -> set[str]:
    """Letters, marks and digits of a set that are not ASCII."""
    signs = "\u00aa\u00ba\u00b2\u00b3\u00b5\u00bc\u00bd\u00be"
    return {c for c in named_set(name) if unicodedata.category(c)[0] in categories and ord(c) > 127 and c not in signs}


def named(first: int, last: int, *starts: str) -> set[str]:
    """Code points of a block whose Unicode names start so, but for those that NFC writes otherwise."""
    points = map(chr, range(first, last))
    return {c for c in points if unicodedata.name(c, "").startswith(starts) and unicodedata.is_normalized("NFC", c)}


GREEK = named(0x370, 0x400, "GREEK SMALL LETTER", "GREEK CAPITAL LETTER")
MODERN = {
    *"αβγδεζηθικλμνξοπρσςτυφχψω",
    *"αβγδεζηθικλμνξοπρστυφχψω".upper(),
    *"άέήίόύώΆΈΉΊΌΎΏϊϋΪΫΐΰ",
}
PERSIAN = "ابپتثجچحخدذرزژسشصضطظعغفقکگلمنوهیءآأؤئة"
ISO_8859_5 = bytes([*range(0xA1, 0xAD), *range(0xAE, 0xF0), *range(0xF1, 0xFD), 0xFE, 0xFF]).decode("iso8859-5")


def greek_with_breathings() -> set[str]:
    """All that a Greek vowel, or rho, and up to three marks make of one code point."""
    marks = ["", "\u0313", "\u0314", "\u0300", "\u0301", "\u0342", "\u0304", "\u0306", "\u0308"]
    made = set()
    for base in "αεηιουωρΑΕΗΙΟΥΩΡ":
        for one, two, below in itertools.product(marks, marks, ("", "\u0345")):
            made.add(unicodedata.normalize("NFC", base + one + two + below))
    return {c for c in made if len(c) == 1 and 0x1F00 <= ord(c) < 0x2000}


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("digits", set()),
        ("ascii", set()),
        ("latin", (named(0xC0, 0x180, "LATIN ") - {"ŉ"}) | set("ȘșȚțẞ")),
        ("german", set("ÄÖÜäöüßẞ")),
        ("french", set("àâæçéèêëîïôœùûüÿÀÂÆÇÉÈÊËÎÏÔŒÙÛÜŸ")),
        ("spanish", set("áéíñóúüÁÉÍÑÓÚÜ")),
        ("greek", MODERN),
        ("greek-polytonic", MODERN | greek_with_breathings()),
        ("cyrillic", named(0x400, 0x460, "CYRILLIC ") | named(0x48A, 0x500, "CYRILLIC ")),
        ("hebrew", named(0x590, 0x5EF, "HEBREW LETTER")),
        ("hebrew-pointed", named(0x590, 0x5EF, "HEBREW LETTER", "HEBREW POINT")),
        ("devanagari", named(0x900, 0x980, "DEVANAGARI ") - set("।॥॰")),
    ],
)
def test_letters_are_those_of_unicode(name: str, letters: set[str]) -> None:
    assert beyond_ascii(name) == letters


def test_letters_of_other_tables() -> None:
    """8-bit code pages of the languages hold nothing that the sets lack, and the sets begin and end with them."""
    assert set("".join(bytes([i]).decode("latin-1") for i in range(0xA1, 0x100))) - set(named_set("latin")) == set(
        "¤¦¨¬\u00ad¯´¸¹"
    )
    latin2 = {c for i in range(0xA1, 0x100) if (c := bytes([i]).decode("iso8859-2")).lower() != c.upper()}
    assert len(latin2) == 81
    assert latin2 <= set(named_set("latin"))
    assert len(ISO_8859_5) == 92
    assert set(ISO_8859_5) <= set(named_set("cyrillic"))
    assert {"Ѐ", "ѐ", "Ҋ", "ӿ", "Ґ", "ґ", "Ә", "ә"} <= set(named_set("cyrillic"))
    greek = bytes([0xB6, 0xB8, 0xB9, 0xBA, 0xBC, *range(0xBE, 0xD2), *range(0xD3, 0xFF)]).decode("iso8859-7")
    assert set(greek) == MODERN == beyond_ascii("greek")
    assert len(GREEK) > len(MODERN)  # of the block there are older letters, too
    hebrew = bytes(range(0xE0, 0xFB)).decode("iso8859-8")
    assert set(hebrew) == beyond_ascii("hebrew")


def test_arabic_and_persian_letters() -> None:
    arabic = bytes([*range(0xC1, 0xDB), *range(0xE0, 0xF3)]).decode("iso8859-6")  # hamza to sukun
    digits = {chr(0x660 + i) for i in range(10)}
    letters = beyond_ascii("arabic")
    assert set(arabic) | digits | {"\u0670"} <= letters
    assert letters - set(arabic) - digits - {"\u0670"} == set("ػؼؽؾؿ")  # letters of other languages, among them
    assert {c for c in named_set("arabic") if c >= "\u0600"} - letters == set("،؛؟٪٫٬‘’‚“”„‹›–—…•")
    assert set(PERSIAN) <= set(named_set("persian"))
    assert beyond_ascii("persian") - letters == set("پچژکگیۀۓ") | {chr(0x6F0 + i) for i in range(10)}
    assert set(named_set("persian")) - set(named_set("arabic")) - beyond_ascii("persian") == {"\u200c"}


def test_signs_of_a_set() -> None:
    quotes = set("‘’‚“”„‹›«»–—…•")
    for name, more in (
        ("latin", "£¥€¢¡¿§°±¶·×÷©®™†‡‰№"),
        ("german", "€§°"),
        ("french", "€°"),
        ("spanish", "¡¿€°"),
        ("vietnamese", "₫°"),
        ("greek", "·€°"),
        ("greek-polytonic", "·€°"),
        ("cyrillic", "№§°€₴₽"),
        ("hebrew", "־׳״₪€°"),
        ("hebrew-pointed", "־׳״₪€°"),
        ("devanagari", "।॥॰\u200c\u200d₹°"),
    ):
        signs = {c for c in named_set(name) if unicodedata.category(c)[0] not in "LMN" and ord(c) > 127}
        assert signs == quotes | set(more), name
    assert set("".join(map(chr, range(0x20, 0x7F)))) == set(named_set("ascii"))
    assert set("²³µ¼½¾ªº") <= set(named_set("latin"))
    assert "".join(named_set("digits")) == "0123456789"


def test_vietnamese_letters_are_made_of_vowels_and_tones() -> None:
    vowels = "aăâeêioôơuưy"
    toned = {unicodedata.normalize("NFC", v + tone) for v in vowels for tone in "\u0300\u0301\u0303\u0309\u0323"}
    lower = {c for c in toned if len(c) == 1} | set("ăâđêôơư")
    assert beyond_ascii("vietnamese") == lower | {c.upper() for c in lower}


def test_chinese_ends_where_level_1_does() -> None:
    every = "".join(
        bytes((row, cell)).decode("gb2312", "ignore") for row in range(0xB0, 0xD8) for cell in range(0xA1, 0xFF)
    )
    assert beyond_ascii("chinese", "L") == set(every)
    assert min(every.encode("gb2312")[::2]) == 0xB0
    assert bytes((0xB0, 0xA1)).decode("gb2312") in named_set("chinese")
    assert bytes((0xD7, 0xF9)).decode("gb2312") in named_set("chinese")
    assert set("，。、；：？！（）《》〈〉【】「」『』～￥％‘’“”—…·×°℃") <= set(named_set("chinese"))
