"""Which format is meant."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from crnn.cli import make_parser
from crnn.data.convert.registry import WRITERS, choose_format
from crnn.errors import ConfigError, DataError


@pytest.mark.parametrize(
    ("name", "to", "wanted"),
    [
        ("x.parquet", None, "parquet"),
        ("x.PARQUET", None, "parquet"),
        ("x.tar", None, "tar"),
        ("x.lmdb", None, "lmdb"),
        ("x.lmdb", "lmdb", "lmdb"),
        ("x", "gt", "gt"),
        ("x.v2", "tsv", "tsv"),
    ],
)
def test_told_by_the_ending_or_the_option(name: str, to: str | None, wanted: str) -> None:
    assert choose_format(Path(name), to) == wanted


def test_refusals() -> None:
    with pytest.raises(ConfigError, match=r"^out: its ending does not tell the format; give --to \(lmdb, parquet, tar"):
        choose_format(Path("out"), None)
    for name in (".", "/", "a/.."):
        with pytest.raises(ConfigError, match="is no name for a new file or folder; give one"):
            choose_format(Path(name), "gt")
    with pytest.raises(ConfigError, match="--to zip: is not known; allowed are lmdb, parquet, tar, tsv, gt"):
        choose_format(Path("out"), "zip")
    with pytest.raises(ConfigError, match=r"x\.tar: is the name of tar, but --to says lmdb"):
        choose_format(Path("x.tar"), "lmdb")


@pytest.mark.parametrize(("name", "module"), [("lmdb", "lmdb"), ("parquet", "pyarrow")])
def test_a_package_that_is_missing(name: str, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(DataError) as caught:
        choose_format(Path("out"), name)
    assert str(caught.value) == f'{module} is needed to write {name} and not installed: pip install "crnn[formats]"'
    for other in ("tar", "tsv", "gt"):
        assert choose_format(Path("out"), other) == other


def test_the_command_line_knows_them_all() -> None:
    action = next(action for action in make_parser()[1]["convert"]._actions if action.dest == "to")
    assert tuple(action.choices or ()) == tuple(WRITERS)
    assert all(f"{name}: " in str(action.help) for name in WRITERS)
    assert all(writer.description for writer in WRITERS.values())
