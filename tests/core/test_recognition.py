"""A reading as plain data."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from crnn.core.recognition import Alternative, Character, Recognition

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
