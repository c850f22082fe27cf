"""The shares of a large reading put together: all there, of one job, every row once, in the order of the inputs."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from crnn.errors import ConfigError, DataError, printable
from crnn.reading.job import Job, read_about
from crnn.reading.recognize import destination
from crnn.reading.shards import Shard

_ABOUT = re.compile(r"part-([0-9]{5})-of-([0-9]{5})\.about\.json")

_PART = re.compile(r"part-[0-9]{5}-of-[0-9]{5}\..*")


def merge(folder: Path, output: str | None = None) -> int:
    """Check the parts in a folder, then write their rows one after the other.

    Args:
        folder: where `read_shard` wrote.
        output: a file, or None for standard output.

    Returns:
        The exit code: 0, or 1 if there are rows of pictures that could not be read.

    Raises:
        ConfigError: if parts are missing, unfinished, or of different jobs, or the output is called like one.
        DataError: if one cannot be read or has too few or too many rows.
    """
    if output and _PART.fullmatch(Path(output).name):
        raise ConfigError(f"{printable(output)}: is what a part is called; name another file for the whole")
    count, abouts = _abouts(folder)
    job = _one_job(folder, abouts)
    parts = []
    for number in range(1, count + 1):
        shard = Shard(number, count)
        parts.append(folder / f"{shard.name}.{job.options['format']}")
        start, stop = shard.range(job.total)
        rows = _rows(parts[-1])
        if rows != stop - start:
            raise DataError(
                f"{printable(parts[-1])}: "
                + ("ends within a row" if rows < 0 else f"has {rows} whole rows of {stop - start}")
                + "; delete it, read it again"
            )
    with destination(output) as out:
        for part in parts:
            for block in _blocks(part):
                out.write(block)
    failed = [str(number) for number, about in sorted(abouts.items()) if "failed" in about]
    some = ", ".join(failed[:8]) + (f" and {len(failed) - 8} more" if len(failed) > 8 else "")
    note = f"; there are pictures that could not be read in the parts {some}" if failed else ""
    print(f"crnn: {job.total} rows of {count} parts{note}", file=sys.stderr)
    return int(bool(failed))


def _abouts(folder: Path) -> tuple[int, dict[int, dict[str, Any]]]:
    """(N, what is written down of each part); all N are there."""
    found: dict[int, dict[int, dict[str, Any]]] = {}
    try:
        for path in sorted(folder.iterdir()):
            if match := _ABOUT.fullmatch(path.name):
                found.setdefault(int(match[2]), {})[int(match[1])] = read_about(path)
    except OSError as error:
        raise DataError(f"{printable(folder)}: cannot be read ({error.strerror})") from None
    if not found:
        raise ConfigError(f"{printable(folder)}: holds no parts; crnn recognize --shard I/N --out DIR writes them")
    if len(found) > 1:
        several = " and ".join(map(str, sorted(found)))
        raise ConfigError(f"{printable(folder)}: holds parts of {several} shares; one folder is for one N")
    count, abouts = found.popitem()
    missing = [f"{number}/{count}" for number in range(1, count + 1) if not _finished(folder, number, count, abouts)]
    if missing:
        more = f" and {len(missing) - 8} more" if len(missing) > 8 else ""
        raise ConfigError(
            f"{printable(folder)}: not finished: {', '.join(missing[:8])}{more}; start each again with --shard I/N"
        )
    return count, abouts


def _finished(folder: Path, number: int, count: int, abouts: dict[int, dict[str, Any]]) -> bool:
    """A part gets its name when it is whole, whatever else is left beside it."""
    return (
        number in abouts and (folder / f"{Shard(number, count).name}.{abouts[number]['options']['format']}").is_file()
    )


def _one_job(folder: Path, abouts: dict[int, dict[str, Any]]) -> Job:
    first = min(abouts)
    job = Job(**{name: abouts[first][name] for name in ("inputs", "total", "model", "options")})
    for number, about in sorted(abouts.items()):
        if difference := job.difference(about):
            raise ConfigError(
                f"{printable(folder)}: parts {first} and {number} do not belong together: {difference} changed; "
                "read one of them again, in a folder of its own"
            )
    return job


def _blocks(path: Path) -> Iterator[str]:
    """A part's content."""
    try:
        with path.open(encoding="utf-8", newline="\n") as file:
            while block := file.read(2**20):
                yield block
    except OSError as error:
        raise DataError(f"{printable(path)}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise DataError(f"{printable(path)}: is damaged (no UTF-8); delete it, read it again") from None


def _rows(path: Path) -> int:
    """Whole rows of a file; -1 with half a row at the end."""
    rows, last = 0, b"\n"
    try:
        with path.open("rb") as file:
            while block := file.read(2**20):
                rows += block.count(b"\n")
                last = block[-1:]
    except OSError as error:
        raise DataError(f"{printable(path)}: cannot be read ({error.strerror})") from None
    return rows if last == b"\n" else -1
