"""``DST.part``: a conversion while it runs, from which the same command goes on when it was stopped.

It holds ``state.json`` (written anew at each point from which one can go on), the result so far, the digests of its
lines, the table of lines left out, and the index of the source.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import BinaryIO

from crnn.errors import DataError, printable
from crnn.files import write_text

SKIPPED_COLUMNS = ("where", "picture", "reason", "detail")
FORMAT = 1
"""Number of the layout, and of what writers write; another one is not gone on with."""


@dataclass
class State:
    """How far a conversion is."""

    job: dict[str, str]
    """What is converted into what; see `crnn.data.convert.run`."""
    next: int = 0
    """Position of the first line that is not done."""
    written: int = 0
    left_out: dict[str, int] = field(default_factory=dict)
    skipped_bytes: int = 0
    """Size of the table of lines left out."""
    writer: dict[str, int] | None = None
    """See `Writer.state`; None before the first."""
    fingerprint: str = ""
    """Of the finished result; empty before it was read back."""
    unusable: dict[str, int] = field(default_factory=dict)


class Part:
    """The folder beside a target, held by one process.

    Args:
        target: what is made in the end.
        job: of this conversion.

    Raises:
        DataError: if there is another conversion, or something else; if another process is at it; or if it cannot be
            made.
    """

    def __init__(self, target: Path, job: Mapping[str, str]) -> None:
        self.target = target
        self.folder = target.absolute().parent / f"{target.name}.part"
        self.result = self.folder / "result" / target.name
        self.skipped = self.folder / "skipped.tsv"
        self.skipped_target = target.absolute().parent / f"{target.name}.skipped.tsv"
        self.digests = self.folder / "digests"
        self.index = self.folder / "lines"
        self._state_file = self.folder / "state.json"
        self._lock: BinaryIO | None = None
        self.state = State(dict(job))

    @contextlib.contextmanager
    def held(self) -> Iterator[State]:
        """The state, to go on from. A conversion that fails before its first line leaves nothing."""
        self._require_room_for_table()
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        self.folder.mkdir(exist_ok=True)
        self._take()
        try:
            self._load(new={name for name in os.listdir(self.folder) if not name.startswith(".")} <= {"lock"})
            try:
                yield self.state
            except KeyboardInterrupt:
                raise
            except BaseException:
                if not self.state.next:
                    self.remove()
                raise
        finally:
            self._release()

    def save(self) -> None:
        """Make the present state the one to go on from."""
        write_text(self._state_file, json.dumps({"format": FORMAT, **asdict(self.state)}))

    def finish(self) -> None:
        """Put the result in its place, and leave nothing else but the table of lines left out.

        May be interrupted anywhere and called again.
        """
        if self.state.left_out:
            if self.skipped.exists():
                os.replace(self.skipped, self.skipped_target)
        elif _is_ours(self.skipped_target):  # of an earlier result
            self.skipped_target.unlink()
        if self.result.exists():
            if self.target.is_dir():
                self.target.rmdir()
            self.result.rename(self.target)
        self.remove()

    def remove(self) -> None:
        """Delete the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _require_room_for_table(self) -> None:
        """The table of lines left out can be written in the end, and overwrites nothing."""
        try:
            os.stat(self.skipped_target)  # OSError if the target's name leaves no room for this one's ending
        except FileNotFoundError:
            return
        if not _is_ours(self.skipped_target):
            raise DataError(
                f"{printable(self.skipped_target)}: is there already and would be the table of lines left out; move "
                "it, or name another place"
            )

    def _load(self, new: bool) -> None:
        where = printable(self.folder)
        taken = self.target.exists() and (not self.target.is_dir() or any(self.target.iterdir()))
        if new:
            if taken:
                self.remove()
                raise DataError(f"{printable(self.target)}: is there already; name another place, or delete it")
            self.save()
            return
        try:
            found = json.loads(self._state_file.read_text(encoding="utf-8"))
            if found.pop("format") != FORMAT:
                raise ValueError
            state = State(**found)
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            raise DataError(f"{where}: is no conversion that this version can go on with; delete or move it") from None
        other = [name for name in {**state.job, **self.state.job} if state.job.get(name) != self.state.job.get(name)]
        if other:
            raise DataError(
                f"{where}: holds a conversion that was stopped after {state.next:,} lines and had other "
                f"{' and '.join(other)}; to begin anew, delete it"
            )
        if taken and not (state.fingerprint and not self.result.exists()):
            raise DataError(f"{printable(self.target)}: is there already; name another place, or delete it")
        self.state = state

    def _take(self) -> None:
        self._lock = (self.folder / "lock").open("ab")
        try:
            if sys.platform == "win32":
                import msvcrt

                msvcrt.locking(self._lock.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._release()
            raise DataError(
                f"{printable(self.target)}: another process is writing it; wait for it, or stop it"
            ) from None

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None


def _is_ours(table: Path) -> bool:
    try:
        with table.open("rb") as file:
            return file.readline() == "\t".join(SKIPPED_COLUMNS).encode() + b"\n"
    except OSError:
        return False


def counted(counts: Counter[str]) -> str:
    """``2 empty label, 1 unreadable picture``."""
    return ", ".join(f"{n:,} {reason}" for reason, n in counts.most_common())
