"""One training of a sweep: a child process, watched through its metrics.csv."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from crnn.errors import ConfigError

PROGRAM = Path(__file__).with_name("main.py")
"""The training, as `crnn train` starts it."""
POLL = 1.0
"""Seconds between looks at a training."""
STOPPING = 120.0
"""Seconds that a training has to write its checkpoint and end."""
_LAUNCHER = re.compile(r"(SLURM|TORCHELASTIC|MASTER)_.*|CRNN_STARTED|((LOCAL|NODE|GROUP|ROLE)_)?(RANK|WORLD_SIZE)")
"""Environment variables by which torchrun, srun and crnn tell a process of which training it is."""


@contextlib.contextmanager
def held(path: Path, wait: bool = True) -> Iterator[int | None]:
    """A lock on a file that ends with the processes that have it: this one, and children it is passed on to.

    Args:
        wait: for others to give it back; False yields None if it is taken.

    Raises:
        ConfigError: if there can be no such file, or no lock on it.
    """
    handle = None
    try:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o666)
            free = _lock(handle, wait)
        except OSError as error:
            raise ConfigError(
                f"{path}: cannot be made or locked ({error.strerror}); choose another --runs, where files can be locked"
            ) from None
        yield handle if free else None
    finally:
        if handle is not None:
            os.close(handle)


def _lock(handle: int, wait: bool) -> bool:
    import fcntl

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True


class Training:
    """A trial's training in a folder, begun or gone on with.

    Args:
        folder: of the run; its name's parent is the study's folder.
        settings: ``setting=value`` words.
    """

    def __init__(self, folder: Path, settings: Sequence[str]) -> None:
        self.folder = folder
        self._settings = list(settings)
        self._log = folder.with_name(f"{folder.name}.log")
        self._process: subprocess.Popen[bytes] | None = None
        self._table = 0
        """Which file metrics.csv was: resuming writes another one."""
        self._read = 0
        """Bytes of it that have been read."""
        self._columns: list[str] = []
        self._epochs: dict[int, float] = {}
        self.seconds = 0.0
        """Of training until the last epoch, all processes that worked on it together."""

    @property
    def lock(self) -> Path:
        """Held while somebody trains here."""
        return lock_of(self.folder)

    def result(self) -> dict[str, Any] | None:
        """result.json, once the training is over."""
        try:
            return json.loads((self.folder / "result.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None

    def start(self, lock: int) -> None:
        """Start the child, or nothing if it is over already. It keeps `lock`, should this process die."""
        if self.result() is not None:
            return
        if (self.folder / "checkpoints" / "last.ckpt").is_file():
            words = [f"resume={self.folder}"]
        else:
            if self.folder.exists():  # ended before its first checkpoint
                shutil.rmtree(self.folder)
            name = f"{self.folder.parent.name}/{self.folder.name}"
            words = [f"name={name}", f"runs_dir={self.folder.parents[1]}", *self._settings]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603  # no shell; our own program, settings are words of it
                [sys.executable, str(PROGRAM), *words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={name: value for name, value in os.environ.items() if not _LAUNCHER.fullmatch(name)},
                pass_fds=(lock,),
                start_new_session=True,  # Ctrl+C is the sweep's to answer
            )

    def running(self) -> bool:
        """Whether the child is alive."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """Ask for an end with a checkpoint, and wait for it."""
        if self._process is None or not self.running():
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOPPING)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def epochs(self) -> dict[int, float]:
        """Epoch (from 1) -> val CER, as far as it has come; only what is new in metrics.csv is read."""
        try:
            with (self.folder / "metrics.csv").open("rb") as file:
                state = os.fstat(file.fileno())
                if state.st_ino != self._table or state.st_size < self._read:
                    self._table, self._read, self._epochs = state.st_ino, 0, {}
                file.seek(self._read)
                new = file.read()
        except OSError:
            return self._epochs
        whole = new[: new.rfind(b"\n") + 1]  # the last row may be half written
        rows = list(csv.reader(whole.decode(errors="replace").splitlines()))
        if rows and self._read == 0:
            self._columns = rows.pop(0)
        self._read += len(whole)
        for values in rows:
            row = dict(zip(self._columns, values, strict=False))
            with contextlib.suppress(ValueError, KeyError):
                self.seconds = float(row["seconds"])
            with contextlib.suppress(ValueError, KeyError):
                self._epochs[int(row["epoch"]) + 1] = float(row["val/cer"])
        return self._epochs

    def follow(self, seen: Callable[[int, float], bool], beat: Callable[[], bool]) -> str:
        """Wait for the end of the training.

        Args:
            seen: takes each epoch's val CER; returns whether to end the training there.
            beat: called all the time; returns whether the sweep ends.

        Returns:
            ``done``, ``pruned``, ``stopped`` or ``failed``.
        """
        known: set[int] = set()
        while True:
            running = self.running()
            for epoch, cer in self.epochs().items():
                if epoch not in known:
                    known.add(epoch)
                    if seen(epoch, cer) and running:
                        self.stop()
                        return "pruned"
            if not running:
                break
            if beat():
                self.stop()
                return "done" if self.result() is not None else "stopped"
            time.sleep(POLL)
        return "done" if self.result() is not None else "failed"

    def why_failed(self) -> str:
        """In one line: what the training said last, or which signal ended it."""
        try:
            said = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        except OSError:
            said = []
        errors = [place for place, line in enumerate(said) if line.startswith("error: ")]
        if errors:  # what to do stands in the last line of a long one
            first, *more = said[errors[-1] :]
            return " ... ".join([first.removeprefix("error: "), *more[-1:]])
        code = self._process.returncode if self._process else None
        if code is not None and code < 0:
            name = signal.Signals(-code).name
            return f"ended by {name}" + (" (out of memory?)" if name == "SIGKILL" else "")
        return said[-1] if said else f"ended with exit code {code}"


def lock_of(folder: Path) -> Path:
    """The lock of a trial's folder."""
    return folder.with_name(f".{folder.name}.lock")
