"""What a font shows: told by faces whose every glyph is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

from crnn.data.synth import coverage
from crnn.data.synth.coverage import drawn_by, draws_others, has_only_capitals

BOX = np.full((5, 4), 255, dtype=np.uint8)


class Face:
    """Draws the glyphs that it is given; a box for others."""

    def __init__(self, glyphs: dict[str, np.ndarray]) -> None:
        self.glyphs, self.asked = glyphs, []  # type: ignore[var-annotated]

    def getmask(self, character: str) -> Any:
        self.asked.append(character)
        return Image.fromarray(self.glyphs.get(character, BOX)).im


def glyph(seed: int, height: int = 6, width: int = 5) -> np.ndarray:
    return np.random.default_rng(seed).integers(101, 256, (height, width), dtype=np.uint8)


def drawn(glyphs: dict[str, np.ndarray], characters: str) -> str:
    return "".join(sorted(drawn_by(Face(glyphs), set(characters))))  # type: ignore[arg-type]


def test_what_is_seen_and_is_no_other_glyph() -> None:
    e, nothing = glyph(1), np.zeros((3, 3), dtype=np.uint8)
    glyphs = {
        "e": e,
        "é": e,
        "è": glyph(2),
        "x": BOX,
        "y": nothing,
        "a": glyph(3),
        "A": glyph(3),
        "B": glyph(4),
        "b": glyph(5),
    }
    assert drawn(glyphs, "eéèxyaABb z") == " ABbeè"
    faint = nothing.copy()
    faint[1, 1] = 1
    assert drawn({"y": faint}, "y") == "y"  # any ink is seen
    assert drawn({"y": nothing}, " \u3000y") == " \u3000"  # spaces show nothing
    assert drawn({"p": BOX[:4]}, "p") == "p"  # ink as of the box, in another size


def test_of_chinese_characters_a_sample_is_looked_at() -> None:
    for count, every in ((30, 1), (79, 1), (80, 2), (130, 3)):
        characters = [chr(0x4E00 + i) for i in range(count)]
        face = Face({character: glyph(i) for i, character in enumerate(characters)})
        assert drawn_by(face, set(characters)) == set(characters)  # type: ignore[arg-type]
        assert set(face.asked) & set(characters) == set(characters[::every])
        gone = characters[every * 3]
        del face.glyphs[gone]
        assert drawn_by(face, {*characters, " "}) == {*characters, " "} - {gone}  # type: ignore[arg-type]
    assert drawn({"一": glyph(1), "a": glyph(2), "c": glyph(3)}, "一abc") == "ac一"


def alphabet(alike: int, letters: str = "abdeghnqrt", empty: int = 0) -> dict[str, np.ndarray]:
    """Letters, of which so many have one shape in both cases, and so many small ones show nothing."""
    glyphs: dict[str, np.ndarray] = {}
    for i, letter in enumerate(letters):
        glyphs[letter.upper()] = glyph(i, 32, 32)
        glyphs[letter] = glyph(i if i < alike else 100 + i, 32, 32) if i >= empty else np.zeros((9, 9), dtype=np.uint8)
    return glyphs


@pytest.mark.parametrize(
    ("glyphs", "only"),
    [
        (alphabet(10), True),
        (alphabet(6), True),
        (alphabet(4), False),
        (alphabet(0), False),
        (alphabet(10, "abde"), True),
        (alphabet(10, "abd"), False),  # too few to tell
        (alphabet(10, empty=6), True),
        (alphabet(10, empty=7), False),
        (alphabet(10, "cfij"), False),  # letters that look alike in both cases in any font
        ({}, False),
        (alphabet(10) | dict.fromkeys("abdeghn", BOX), False),  # blocks tell nothing, on either side
        (alphabet(10) | dict.fromkeys("ABDEGHN", BOX), False),
        (alphabet(10) | dict.fromkeys("abdegh", BOX), True),
    ],
)
def test_fonts_of_capitals(glyphs: dict[str, np.ndarray], only: bool) -> None:
    face: Any = Face(glyphs)
    assert has_only_capitals(face, set(map(ord, glyphs))) is only
    assert has_only_capitals(face, {ord(c) for c in glyphs if c.isupper()}) is False


def test_how_alike_is_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    face: Any = Face(alphabet(10))
    for limit, only in ((0.999, True), (1.0, False)):
        monkeypatch.setattr(coverage, "_ALIKE", limit)
        monkeypatch.setattr(np, "corrcoef", lambda a, b: np.array([[1.0, 1.0], [1.0, 1.0]]))
        assert has_only_capitals(face, set(map(ord, face.glyphs))) is only


def test_shapes_are_without_margins_and_faint_edges() -> None:
    inner = glyph(7, 16, 16)
    padded = np.pad(inner, ((3, 4), (5, 6)), constant_values=100)  # a grey of 100 is an edge
    for ink in (inner, padded, np.pad(inner, 9)):
        shape = coverage._shape(Face({"a": ink}), "a")  # type: ignore[arg-type]
        assert shape is not None
        assert shape.tolist() == inner.ravel().tolist()
    for ink in (np.zeros((4, 4), dtype=np.uint8), np.full((4, 4), 100, dtype=np.uint8)):
        assert coverage._shape(Face({"a": ink}), "a") is None  # type: ignore[arg-type]
    dot = np.zeros((4, 4), dtype=np.uint8)
    dot[2, 1] = 101
    assert coverage._shape(Face({"a": dot}), "a").tolist() == [101.0] * 256  # type: ignore[arg-type, union-attr]


@pytest.mark.parametrize(
    ("names", "others"),
    [
        ({c: c for c in "ABCabc"}, False),
        (dict(zip("ABCabc", ["a10", "a11", "a12", "a60", "a61", "a62"], strict=True)), True),  # Zapf dingbats
        (dict(zip("ABab", ["Alpha", "Beta", "alpha", "beta"], strict=True)), True),
        (dict(zip("ABab", ["A", "B", "alpha", "beta"], strict=True)), False),  # half of them
        (dict(zip("ABCab", ["A", "B", "Gamma", "alpha", "beta"], strict=True)), True),
        (dict(zip("ABab", ["A", "B", "Asmall", "Bsmall"], strict=True)), False),
        ({"A": "Asmall"}, False),
        ({c: f"glyph{ord(c):05}" for c in "ABCabc"}, False),
        ({c: f"uni{ord(c):04X}.alt" for c in "ABCabc"}, False),
        ({"1": "a17", "é": "a20"}, False),  # no letters to tell by
        ({}, False),
    ],
)
def test_glyphs_called_otherwise_are_others(names: dict[str, str], others: bool) -> None:
    assert draws_others({ord(character): name for character, name in names.items()}) is others
