"""The same lines, in every format that is read or written, are the same to a training."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from crnn.data.convert.registry import WRITERS

_PATH = Path(__file__).parents[3] / "scripts" / "same_lines.py"


def test_fingerprint_characters_and_first_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = importlib.util.spec_from_file_location("same_lines", _PATH)
    assert spec
    assert spec.loader
    script = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "same_lines", script)
    spec.loader.exec_module(script)
    import makers

    monkeypatch.setattr(makers, "TEXTS", makers.TEXTS)  # the script has others
    monkeypatch.setattr(makers, "picture", makers.picture)
    lines = script.InMemory(60)
    wanted = script.facts(lines)
    assert wanted.lines == 60
    assert len(wanted.characters) > 60
    seen = []
    for name, source in script.places(lines, tmp_path):
        assert script.facts(source) == wanted, name
        seen.append(name)
    assert len(seen) == len(makers.MAKERS) + len(WRITERS) + 2 > 45
    other = script.InMemory(60)
    other.pictures = [picture.point(lambda grey: min(255, grey + 1)) for picture in other.pictures]
    brighter = script.facts(other)
    assert brighter.characters == wanted.characters
    assert brighter.fingerprint != wanted.fingerprint
    assert brighter.batch != wanted.batch
