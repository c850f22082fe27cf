"""Every kind of fault is found at the line where it was planted, and nowhere else; lines without a fault have none."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests_support import script

from crnn.core.charset import Charset
from crnn.core.transform import LineTransform
from crnn.data.sources import open_source
from crnn.inspect import kinds
from crnn.inspect.results import Inspection, Settings
from crnn.inspect.run import inspect
from crnn.inspect.tally import Tally

FAULTY = script("make_faulty")


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("faulty") / "clean"
    FAULTY.write_clean(folder)
    return folder


def look(folder: Path, charset: str = "", threads: int = 1) -> Inspection:
    settings = Settings(LineTransform(32), Charset.from_texts([charset]) if charset else None, threads=threads)
    return inspect([open_source(folder / "train")], [open_source(folder / "val")], settings, Tally(1000))


def found(inspection: Inspection) -> dict[tuple[str, int], set[str]]:
    lines: dict[tuple[str, int], set[str]] = {}
    for findings in inspection.tally.first.values():
        for finding in findings:
            lines.setdefault((finding.role, finding.position), set()).add(finding.kind)
    return lines


@pytest.mark.parametrize("charset", ["", FAULTY.CHARACTERS])
def test_a_clean_set_has_no_finding(clean: Path, charset: str) -> None:
    outcome = look(clean, charset)
    assert found(outcome) == {}
    assert outcome.refusals == outcome.notes == []
    assert [(s.role, s.lines, s.readable, s.kept) for s in outcome.sets] == [
        ("train", 300, 300, 300),
        ("val", 60, 60, 60),
    ]


@pytest.mark.parametrize("kind", FAULTY.PLANTS)
def test_a_planted_fault_is_found_at_its_line(clean: Path, tmp_path: Path, kind: str) -> None:
    planted = FAULTY.plant(kind, clean, tmp_path / "copy")
    outcome = look(tmp_path / "copy", planted.charset)
    assert found(outcome) == {(planted.role, planted.position): {kind, *planted.with_it}}
    is_error = kinds.KINDS[kind].level == "error" or bool(planted.with_it)
    assert outcome.sets[0].kept == 300 - is_error


def test_all_kinds_are_planted() -> None:
    assert len(FAULTY.PLANTS) >= 25
    # needs lines that are written from right to left: test_text_faults.py
    assert set(kinds.KINDS) - set(FAULTY.PLANTS) == {kinds.READING_ORDER}


def test_threads_see_every_line(clean: Path) -> None:
    outcome = look(clean, threads=3)
    assert [s.readable for s in outcome.sets] == [300, 60]
    assert found(outcome) == {}
