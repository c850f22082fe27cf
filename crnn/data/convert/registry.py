"""The registry of formats that are written, and which one a target's name means."""

from __future__ import annotations

from pathlib import Path

from crnn.data.convert.base import Writer
from crnn.data.convert.folder_writers import GtWriter, TsvWriter
from crnn.data.convert.lmdb_writer import LmdbWriter
from crnn.data.convert.parquet_writer import ParquetWriter
from crnn.data.convert.tar_writer import TarWriter
from crnn.data.sources.extra import need
from crnn.errors import ConfigError, printable

WRITERS: dict[str, type[Writer]] = {
    "lmdb": LmdbWriter,
    "parquet": ParquetWriter,
    "tar": TarWriter,
    "tsv": TsvWriter,
    "gt": GtWriter,
}
"""Name -> writer."""
_ENDINGS = {".lmdb": "lmdb", ".parquet": "parquet", ".tar": "tar"}


def choose_format(target: Path, to: str | None) -> str:
    """The name of the format to write, its optional package at hand.

    Args:
        target: its ending tells, if `to` does not.
        to: a key of `WRITERS`.

    Raises:
        ConfigError: if neither tells, they contradict each other, there is no such format, or `target` has no name.
        DataError: if its package is not installed.
    """
    where = printable(target)
    if target.name in ("", ".."):
        raise ConfigError(f"{where}: is no name for a new file or folder; give one")
    told = _ENDINGS.get(target.suffix.lower())
    allowed = ", ".join(WRITERS)
    if to is None and told is None:
        raise ConfigError(
            f"{where}: its ending does not tell the format; give --to ({allowed}), or a name that ends in "
            f"{', '.join(_ENDINGS)}"
        )
    if to is not None and to not in WRITERS:
        raise ConfigError(f"--to {printable(to)}: is not known; allowed are {allowed}")
    if to is not None and told is not None and to != told:
        raise ConfigError(f"{where}: is the name of {told}, but --to says {to}; leave out --to, or take another name")
    name = to or told or ""
    if WRITERS[name].needs:
        need(WRITERS[name].needs, f"to write {name}")
    return name
