"""What is wrong with a label, in the words that a user reads."""

from __future__ import annotations

import pytest

from crnn.core.charset import Charset
from crnn.core.transform import LineTransform
from crnn.data import labels
from crnn.data.labels import fit_problem, label_problem

CHARSET = Charset.from_texts(["ab "])


@pytest.mark.parametrize("text", ["a", " a ", "\u00a0a", "a\u00a0", "~", "\u00a1", "नि"])
def test_labels_that_can_be_learnt(text: str) -> None:
    assert label_problem(text) is None


@pytest.mark.parametrize("text", ["", " ", "\t\n", "\u2003"])
def test_empty_labels(text: str) -> None:
    assert label_problem(text) == ("empty label", "write what the picture says, or remove the line")


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("\x00a", "0000", 1),
        ("a\x1fb\x00", "001F", 2),
        ("ab\x7f", "007F", 3),
        ("a\x80", "0080", 2),
        ("\x9fa", "009F", 1),
    ],
)
def test_control_characters(text: str, code: str, place: int) -> None:
    assert label_problem(text) == ("control character in the label", f"U+{code} at position {place}; remove it")


@pytest.mark.parametrize(("text", "code", "place"), [("a\ud800b", "D800", 2), ("\udfff", "DFFF", 1)])
def test_halves_of_characters(text: str, code: str, place: int) -> None:
    wanted = ("lone surrogate", f"U+{code} at position {place}; write the whole character")
    assert label_problem(text) == wanted


def test_as_many_steps_as_needed_fit() -> None:
    """A pixel column of the network is 4 wide; between two equal characters stands another step."""
    for text, needed in (("ab", 2), ("aab", 4), ("abba ", 6)):
        for height, transform in ((32, LineTransform(32)), (64, LineTransform(32))):
            fits = 4 * needed * height // 32
            assert fit_problem(text, CHARSET, (fits, height), transform) is None
        found = fit_problem(text, CHARSET, (max(4 * needed - 4, 4), 32), LineTransform(32))
        assert (found is None) is (needed == 2)  # nothing becomes narrower than two steps
    found = fit_problem("aab", CHARSET, (12, 30), LineTransform(32))
    assert found == (
        "label cannot fit its width",
        "'aab' needs 4 time steps, 12 x 30 pixels at height 32 give 3; is the label right? "
        "else raise image.height to 48",
    )
    found = fit_problem("aab", CHARSET, (500, 30), LineTransform(32, width=12))
    assert found is not None
    assert found[1] == (
        "'aab' needs 4 time steps, 500 x 30 pixels at image.width 12 give 3; is the label right? "
        "else raise image.width to 16"
    )


def test_heights_that_would_give_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Multiples of 16, up to the highest that is allowed; with the height that is told it fits."""
    for text, size, height in (("aab", (12, 32), 48), ("aab", (8, 32), 64), ("aab", (8, 31), 64), ("aab", (8, 33), 80)):
        found = fit_problem(text, CHARSET, size, LineTransform(16))
        assert found is not None
        assert found[1].endswith(f"; is the label right? else raise image.height to {height}")
        assert fit_problem(text, CHARSET, size, LineTransform(height)) is None
    monkeypatch.setattr(labels, "MAX_HEIGHT", 64)
    found = fit_problem("aab", CHARSET, (8, 32), LineTransform(16))
    assert found is not None
    assert found[1].endswith("else raise image.height to 64")
    monkeypatch.setattr(labels, "MAX_HEIGHT", 63)
    found = fit_problem("aab", CHARSET, (8, 32), LineTransform(16))
    assert found is not None
    assert found[1].endswith("no image.height up to 63 gives as many; correct or remove the line")


def test_characters_that_the_charset_lacks() -> None:
    reason, detail = fit_problem("axyzwa", CHARSET, (500, 32), LineTransform(32)) or ("", "")
    assert reason == "character not in the charset"
    named, _, advice = detail.partition(" not among ")
    assert named.count(",") == 2  # three of the four
    assert all(letter in named for letter in "xyz")
    assert "'w'" not in named
    assert advice == "3; add with charset.extra=xyzw"


def test_labels_of_which_the_rules_leave_nothing() -> None:
    assert fit_problem("", CHARSET, (500, 32), LineTransform(32)) == (
        "empty label",
        "'' holds nothing but what the text rules take away; remove the line",
    )
