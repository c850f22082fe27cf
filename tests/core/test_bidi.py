"""Reading order to picture order and back."""

from __future__ import annotations

import sys
import unicodedata

import pytest
import regex
from bidi import get_display
from hypothesis import given
from hypothesis import strategies as st

from crnn.core import bidi
from crnn.core.text import TextRules, clusters

RTL, AUTO = TextRules(direction="rtl"), TextRules(direction="auto")

SHOWN = [
    # reading order, picture order in a right-to-left line
    ("שלום עולם", "םלוע םולש"),
    ("(שלום) [אב]", "[בא] (םולש)"),
    ("a < שלום", "םולש > a"),
    ("מחיר: 12,345.67", "12,345.67 :ריחמ"),
    ("03-1234567 בבית", "תיבב 03-1234567"),
    ("עלייה של 12.5%!", "!12.5% לש היילע"),
    ("חברת Apple (AAPL) השיקה iPhone 12.", ".iPhone 12 הקישה Apple (AAPL) תרבח"),
    ("שלום (abc) עולם", "םלוע (abc) םולש"),
    ("של Apple 12% לא", "אל Apple 12% לש"),
    ("שלום 3D 12.5kg לא", "אל 3D 12.5kg םולש"),
    ("ש (abc) 12 34", "12 34 (abc) ש"),  # numbers that follow a Latin word stand like it
    ("مرحبا، 12-34 عالم", "ملاع 34-12 ،ابحرم"),
    ("السعر ١٢٫٥٠", "١٢٫٥٠ رعسلا"),
    ("שָׁלוֹם", "םוֹלשָׁ"),
    ("سَّلَام", "مالَسَّ"),
    ("abc", "abc"),
    ("", ""),
]


@pytest.mark.parametrize(("text", "shown"), SHOWN)
def test_right_to_left_lines(text: str, shown: str) -> None:
    text, shown = RTL.normalize(text), RTL.normalize(shown)
    assert RTL.to_visual(text) == shown
    assert RTL.to_logical(shown) == text
    assert RTL.round_trips(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("The word שלום (shalom) means peace", "The word םולש (shalom) means peace"),
        ("Shalom (שלום עולם).", "Shalom (םלוע םולש)."),
        ("abc אב (גד) def", "abc (דג) בא def"),
        ("12 אב 34", "34 בא 12"),  # the first strong character decides
        ("Peace is שלום.", "Peace is םולש."),
        ('the price is 12 ש"ח now', 'the price is 12 ח"ש now'),
        ("abc ב-12 גד def", "abc דג 12-ב def"),
        ("abc من 12-34 م def", "abc م 34-12 نم def"),
        ("tell ב-12 now", "tell 12-ב now"),
        ("Hello, world! 12", "Hello, world! 12"),
        ("12", "12"),
        ("١٢-٣٤", "٣٤-١٢"),
    ],
)
def test_lines_by_their_first_strong_character(text: str, shown: str) -> None:
    assert AUTO.to_visual(text) == shown
    assert AUTO.to_logical(shown) == text


HEBREW = ["שלום", "עולם", "ספר", "ירושלים", 'צה"ל', "עמ'", "אל־הבית", "שָׁלוֹם", "ש"]
ARABIC = ["مرحبا", "العالم", "كتاب", "السَّلَامُ", "می\u200cخواهم", "دولار،", "و"]
NUMBERS = ["7", "12", "2020", "12.5", "1,234.56", "12/05/2021", "10:30", "50%", "$5", "1990-2000", "03-1234567", "(12)"]
PLACES = ("{}", "{}", "{}", "({})", "[{}]", "«{}»", '"{}"', "{},", "{}.", "{}:", "({}),", "- {}", "{}!", "<{}>")


def sentences(*words: list[str]) -> st.SearchStrategy[str]:
    word = st.builds(str.format, st.sampled_from(PLACES), st.one_of(map(st.sampled_from, words)))
    return st.lists(word, min_size=1, max_size=8).map(" ".join)


@given(st.one_of(sentences(HEBREW), sentences(HEBREW, NUMBERS)))
def test_hebrew_with_numbers_and_brackets_comes_back(text: str) -> None:
    assert RTL.round_trips(text)


@given(st.one_of(sentences(ARABIC), sentences(ARABIC, NUMBERS, ["١٢٣", "١٢٫٥", "٥٠٪", "۱۲-۳۴"])))
def test_arabic_with_numbers_and_brackets_comes_back(text: str) -> None:
    assert RTL.round_trips(text)


LATIN = [
    "Apple",
    "Windows 10",
    "Python 3.11",
    "a (b)",
    "info@example.com",
    "http://example.com/a?b=1",
    "C3",
    "DNA, RNA",
]


@given(st.lists(st.tuples(sentences(HEBREW, ARABIC), st.sampled_from(LATIN)), min_size=1, max_size=4))
def test_words_of_another_script_between_words_come_back(parts: list[tuple[str, str]]) -> None:
    assert RTL.round_trips(" ".join(f"{words}א {latin}" for words, latin in parts) + " א")


@given(
    sentences(["word", "Apple", "naïve"], NUMBERS[:6]), st.sampled_from(HEBREW + ARABIC), st.sampled_from(["a", "z."])
)
def test_right_to_left_words_in_other_lines_come_back(text: str, word: str, end: str) -> None:
    for whole in (f"a {text} b {word} {end}", f"a {text} b ({word}) {end}"):
        assert AUTO.round_trips(whole), whole


@pytest.mark.parametrize(
    ("shown", "base"),
    [
        ("", "L"),
        ("12 + 3", "L"),
        ("a", "L"),
        ("א", "R"),
        ("a אבג b", "L"),  # both ends say so, whatever is more frequent
        ("א abc ב", "R"),
        ("ab אבג.", "L"),  # the end is where the sentence ends
        (" .abc אב ", "R"),
        ("אב abc", "L"),  # no sign: the more frequent letters
        ("ab אב", "R"),
        ("abc ابج د", "R"),
    ],
)
def test_the_likely_direction_of_what_is_shown(shown: str, base: bidi.Base) -> None:
    assert bidi.visual_base(shown) == base


@pytest.mark.parametrize("cluster", ["e\u0301", "א\u05b0", "ب\u064e", "1\u20e3", "(\u0301"])
def test_what_stands_for_a_cluster_moves_as_it_does(cluster: str) -> None:
    kind = unicodedata.bidirectional(cluster[0])
    assert bidi._stand_in(cluster, "xyz") == cluster[0]
    taken = [cluster[0]]
    for _ in range(5):
        other = bidi._stand_in(cluster, taken)
        assert len(other) == 1
        assert other not in taken
        assert unicodedata.bidirectional(other) == kind
        assert not unicodedata.mirrored(other)
        taken.append(other)


def test_which_texts_do_not_come_back() -> None:
    """They look like a likelier text, and that is what is read."""
    for text, read in (("12 abc", "abc 12"), ("(abc) def", "def (abc)"), ("א 12 abc", "א abc 12")):
        assert not RTL.round_trips(text)
        assert RTL.to_logical(RTL.to_visual(text)) == read
        assert RTL.to_visual(read) == RTL.to_visual(text)
    assert not AUTO.round_trips("אב abcd")
    assert AUTO.round_trips("אבגד abc")
    assert AUTO.round_trips("abcd אב")
    assert not AUTO.round_trips("abc אבגד")
    assert AUTO.round_trips("abc אבגד.")  # closing punctuation shows where a line ends
    assert AUTO.round_trips("אב abcd!")


ALPHABET = "אבגשءابمaAzé012٣٤۵ .,:;-+/%$()[]{}<>«»!?\"'_*&#=~|־״\u05b8\u05c1\u0301\u064e\u200c👍\u00a0"
MIXED = st.one_of(st.text(st.sampled_from(ALPHABET), max_size=20), st.text(max_size=12))
BASES = st.sampled_from(["L", "R"])


@given(MIXED, BASES)
def test_nothing_gets_lost(text: str, base: bidi.Base) -> None:
    def either(text: str) -> list[str]:  # a bracket and its mirror image count as the same
        return sorted(min(c, bidi._shapes().mirrored.get(c, c)) for c in text)

    text = RTL.normalize(text)  # without bidi controls
    assert either(bidi.to_visual(text, base)) == either(text)
    assert either(bidi.to_logical(text, base)) == either(text)


@given(
    st.text(st.sampled_from([c for c in ALPHABET if unicodedata.category(c) not in ("Mn", "Cf")]), max_size=20), BASES
)
def test_the_order_is_that_of_the_unicode_algorithm(text: str, base: bidi.Base) -> None:
    """As python-bidi has it, which leaves brackets as they were typed."""

    def unmirrored(shown: str) -> str:
        return "".join(min(c, bidi._shapes().mirrored.get(c, c)) for c in shown)

    assert unmirrored(bidi.to_visual(text, base)) == unmirrored(str(get_display(text, base_dir=base)))


@given(st.text(st.sampled_from("אבשab12 ().-\u05b8\u05c1\u0301"), max_size=20), BASES)
def test_marks_stay_behind_their_letters(text: str, base: bidi.Base) -> None:
    text = regex.sub(r"^\p{Mn}+|(?<=[ ().-])\p{Mn}+", "", text)
    shown = bidi.to_visual(text, base)
    assert sorted(c for c in clusters(shown) if len(c) > 1) == sorted(c for c in clusters(text) if len(c) > 1)


def test_brackets_are_those_of_the_picture() -> None:
    assert bidi.to_visual("א(", "R") == ")א"
    assert bidi.to_visual("(", "R") == ")"
    assert bidi.to_visual("(\u0323א", "R") == "א)\u0323"
    assert bidi.to_visual("a (b) א", "R") == "א a (b)"
    assert bidi.to_visual("a)א(b", "L") == "a)א(b"


def test_many_different_clusters_and_probes() -> None:
    """More clusters of one base letter than there are Hebrew letters; and invisible code points, one of them used within."""
    points = [chr(c) for c in range(0x591, 0x5A1)]
    text = RTL.normalize(" ".join("א" + a + b for a in points for b in points))
    assert len(set(clusters(text))) > 100
    assert bidi.to_visual(text, "R") == "".join(reversed(clusters(text)))
    for unseen in ("\0", "\0\1\2", "\u200b\ufeff\0", "\xad"):
        assert bidi.to_visual("אב" + unseen + "גד(", "R") == ")דג" + unseen[::-1] + "בא"


def test_lines_and_tabs_divide() -> None:
    assert bidi.to_visual("אב\tגד\n(ה", "R") == "בא\tדג\nה)"
    assert bidi.to_logical("בא\tדג\nה)", "R") == "אב\tגד\n(ה"


@pytest.mark.parametrize("base", ["R", "L"])
def test_the_work_is_bounded(base: bidi.Base) -> None:
    """Lines that no one writes take as many steps per character as others: twice as long, twice the work."""

    def steps(text: str) -> int:
        count = 0

        def line(*_: object) -> object:
            nonlocal count
            count += 1
            return line

        sys.settrace(line)  # type: ignore[arg-type]
        try:
            bidi.to_logical(bidi.to_visual(text, base), base)
        finally:
            sys.settrace(None)
        return count

    for part, middle, closing, end in (
        ("(", "", "]", "א"),
        ("(a)", "", "", "א"),
        ("(", "a", ")", "א"),
        ("1", "", "", "  א"),
        ("אa1 ", "", "", ""),
    ):
        few, many = (steps(part * n + middle + closing * n + end) for n in (1_000, 2_000))
        assert many < 2.5 * few, part


def pairs(text: str) -> dict[int, int]:
    return bidi._bracket_pairs(list(text))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", {}),
        ("a(b)c", {1: 3}),
        ("([a])", {0: 4, 1: 3}),
        ("([)]", {0: 2}),  # what is crossed is left out
        ("(a", {}),
        ("a)", {}),
        ("(()", {1: 2}),
        ("())", {0: 1}),
        ("(a](b)", {3: 5}),
        ("(a]b)", {0: 4}),
        ("()[]", {0: 1, 2: 3}),
        ("<a>", {}),  # mirrored, but no brackets
    ],
)
def test_pairs_of_brackets(text: str, wanted: dict[int, int]) -> None:
    assert pairs(text) == wanted


def test_pairs_are_looked_for_63_deep() -> None:
    """UAX #9, BD16: at the 64th that is open, the search ends; the pairs so far count."""
    assert pairs("(" * 63 + ")" * 63) == {i: 125 - i for i in range(63)}
    assert pairs("(" * 64 + ")" * 64) == {}
    assert pairs("()" + "[" * 63 + "]" + "(") == {0: 1, 64: 65}
    assert pairs("()" + "[" * 63 + "(" + "]" * 63) == {0: 1}


def test_a_line_that_only_numbers_end() -> None:
    for text, shown in (("אב 12", "12 בא"), ("12 אב", "בא 12"), ("אב, 12%", "12% ,בא"), ("$5 אב", "בא $5")):
        assert bidi.to_visual(text, "R") == shown
        assert bidi.to_logical(shown, "R") == text
    assert bidi.base_of("12 א") == bidi.base_of("ا") == bidi.base_of("אa") == "R"
    assert bidi.base_of("aא") == bidi.base_of("12") == bidi.base_of("") == "L"
