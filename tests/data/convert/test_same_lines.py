"""The same lines, in every format that is read or written, are the same to a training."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests_support import script

from crnn.data.convert.registry import WRITERS


def test_fingerprint_characters_and_first_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    same_lines = script("same_lines")
    import makers

    monkeypatch.setattr(makers, "TEXTS", makers.TEXTS)  # the script has others
    monkeypatch.setattr(makers, "picture", makers.picture)
    lines = same_lines.InMemory(21)  # so that each of `UNDRAWN` is among them
    wanted = same_lines.facts(lines)
    assert wanted.lines == 21
    assert len(wanted.characters) > 60
    seen = []
    for name, source in same_lines.places(lines, tmp_path):
        assert same_lines.facts(source) == wanted, name
        seen.append(name)
    assert len(seen) == len(makers.MAKERS) + len(WRITERS) + 2 > 45
    other = same_lines.InMemory(21)
    other.pictures = [picture.point(lambda grey: min(255, grey + 1)) for picture in other.pictures]
    brighter = same_lines.facts(other)
    assert brighter.characters == wanted.characters
    assert brighter.fingerprint != wanted.fingerprint
    assert brighter.batch != wanted.batch
