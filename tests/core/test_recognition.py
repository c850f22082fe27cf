"""A reading as plain data."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from crnn.core.charset import Charset
from crnn.core.decode import Decoded, Text
from crnn.core.recognition import Alternative, Character, Recognition, make_recognition

CHARACTERS = (Character("ä", 0.9, 0.0, 4.5), Character("b", 0.812345, 4.5, 9.25))


@pytest.mark.parametrize("alternatives", [(), (Alternative("äb", 0.8), Alternative("ab", 0.1))])
@pytest.mark.parametrize("characters", [(), CHARACTERS])
def test_plain_data_is_that_of_the_fields_in_their_order(
    characters: tuple[Character, ...], alternatives: tuple[Alternative, ...]
) -> None:
    reading = Recognition("äb", 0.8, characters, alternatives)
    wanted = asdict(reading)
    if not alternatives:
        del wanted["alternatives"]
    assert reading.to_dict() == wanted
    assert json.dumps(reading.to_dict()) == json.dumps(wanted)
    del wanted["characters"]
    assert json.dumps(reading.to_dict(characters=False)) == json.dumps(wanted)


def test_labels_to_symbols_and_steps_to_pixels() -> None:
    charset = Charset(("a", "b", "ب"))
    decoded = Decoded([2, 1], [(0, 1), (3, 5)], [0.12345678, 1.0], 0.98765432)
    reading = make_recognition(charset, decoded, 1.2345, 0, 21, 4, [])
    assert (reading.text, reading.confidence, reading.alternatives) == ("ba", 0.987654, ())
    assert reading.characters == (Character("b", 0.123457, 0.0, 4.94), Character("a", 1.0, 14.81, 21))
    assert make_recognition(charset, decoded, 1.2345, 0, 30, 4, []).characters[1].end == 24.69
    part = make_recognition(charset, decoded, 1.2345, 100, 21, 4, [])  # of a picture whose left was cut off
    assert [(one.start, one.end) for one in part.characters] == [(100.0, 104.94), (114.81, 121)]
    nothing = make_recognition(charset, Decoded([], [], [], 0.5), 1.0, 0, 8, 4, [])
    assert nothing == Recognition("", 0.5, ())


def test_texts_that_read_alike_are_one_alternative() -> None:
    """In a right-to-left line two orders of the picture may be the same text; the likelier one counts."""
    charset = Charset((" ", "1", "a", "א"), direction="auto")
    shown = [charset.encode("a 1"), charset.encode("a"), charset.encode("a 1")]
    texts = [Text(labels, sure) for labels, sure in zip(shown, (0.51234567, 0.3, 0.1), strict=True)]
    reading = make_recognition(charset, Decoded(shown[0], [(0, 1)] * 3, [1.0] * 3, 0.5), 1.0, 0, 8, 4, texts)
    assert reading.alternatives == (Alternative("a 1", 0.512346), Alternative("a", 0.3))
