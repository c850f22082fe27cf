"""Several processes of one training: how they find each other, and agree on things before the first step.

torchrun and srun start all of them; for ``trainer.devices=2`` alone the first one starts the others (see
`crnn.training.launch`). They meet at torch's key-value store, over TCP, before the first file is read; the process
group of the steps is Lightning's.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from torch.distributed import DistError, DistNetworkError

from crnn.errors import CrnnError

if TYPE_CHECKING:
    from torch.distributed import Store  # type: ignore[attr-defined]  # missing in a torch built without it

GRACE = 20.0
"""Seconds that a process has to end by itself, with a checkpoint, when another one of its machine is gone."""
_POLL = 1.0
_T = TypeVar("_T")


class LostProcess(CrnnError):
    """Another process of the training is gone, or does not answer any more."""


class SaidElsewhere(CrnnError):
    """Another process ends the training and says why; this one just ends."""


def is_lost(error: BaseException) -> bool:
    """Whether an error of torch means that another process is gone; gloo's are plain RuntimeErrors."""
    told = ("gloo", "nccl", "connection", "timed out", "timeout", "broken pipe", "socket")
    return isinstance(error, DistError) or (
        isinstance(error, RuntimeError) and any(word in str(error).lower() for word in told)
    )


class Peers:
    """The processes of one training, seen from one of them. A training of one process needs none of this.

    Args:
        rank, world: of this process, and how many there are.
        local_rank, local_world: the same on this machine.
        store: where they meet.
        wait: seconds that one waits for another.
    """

    def __init__(
        self,
        rank: int = 0,
        world: int = 1,
        local_rank: int = 0,
        local_world: int = 1,
        store: Store | None = None,
        wait: float = 1800.0,
    ) -> None:
        self.rank, self.world = rank, world
        self.local_rank, self.local_world = local_rank, local_world
        self.run: Path | None = None
        """The run folder, once there is one."""
        self.over = threading.Event()
        """Set once it does not matter any more whether another process ends."""
        self._watcher: threading.Thread | None = None
        self.wait = wait
        self._store = store
        self._turn = 0

    def meet(self, store: Store) -> None:
        """Use this store from now on."""
        self._store = store

    def exchange(self, mine: bytes) -> list[bytes]:
        """What each process gives, by rank. All have to call it, in the same order.

        Raises:
            SaidElsewhere: if another process ends the training.
            LostProcess: if one is gone, or gives nothing in time.
        """
        if self._store is None:
            return [mine]
        self._turn += 1
        self._store.set(f"{self._turn}/{self.rank}", mine)  # type: ignore[arg-type]  # takes bytes, too
        got = [self._get(f"{self._turn}/{rank}", rank) for rank in range(self.world)]
        if self._turn > 1:  # all are here, so all have read what was given before
            self._store.delete_key(f"{self._turn - 1}/{self.rank}")
        return got

    def from_first(self, make: Callable[[], str]) -> str:
        """What `make` gives in the first process; the others are told."""
        return self.exchange(make().encode() if self.rank == 0 else b"")[0].decode()

    def one_first(self, make: Callable[[], _T]) -> _T:
        """`make` in one process of each machine, then in the others, which find what it left on disk."""
        if self.local_rank == 0:
            made = make()
            self.exchange(b"")
            return made
        self.exchange(b"")
        return make()

    def _get(self, key: str, rank: int) -> bytes:
        assert self._store is not None  # noqa: S101  # for mypy
        until = time.monotonic() + self.wait
        while True:
            try:
                self._store.wait([key], timedelta(seconds=_POLL))
                return self._store.get(key)
            except DistNetworkError:
                raise LostProcess("another process of this training is gone") from None
            except DistError:  # not there yet
                if self._failure() is not None:
                    raise SaidElsewhere("another process ended the training") from None
            if time.monotonic() > until:
                raise LostProcess(
                    f"process {rank + 1} of {self.world} gave no sign in {self.wait / 60:g} minutes "
                    "(trainer.wait_minutes); were all started?"
                )

    def _failure(self) -> str | None:
        """What a process that failed said: its rank and why."""
        assert self._store is not None  # noqa: S101  # for mypy
        try:
            return self._store.get("failed").decode() if self._store.check(["failed"]) else None
        except DistError:
            return None

    def fail(self, why: str) -> bool:
        """Tell the others why this process ends, so that they end too.

        Returns:
            Whether this process should say so; False if another one says the same.
        """
        if self._store is None:
            return True
        mine = f"{self.rank}\n{why}"
        try:
            told = self._store.compare_set("failed", "", mine).decode()
            self._leave(self._store)
        except DistError:
            return True
        return told == mine or told.partition("\n")[2] != why

    def first_to_say(self) -> bool:
        """Whether no other process has said that one is lost."""
        try:
            return self._store is None or self._store.compare_set("lost", "", f"{self.rank}") == f"{self.rank}".encode()
        except DistError:
            return True

    def left(self) -> None:
        """This process ends because another one said why; see `fail`."""
        if self._store is not None:
            try:
                self._leave(self._store)
            except DistError:
                return

    def _leave(self, store: Store) -> None:
        """The first process waits some seconds for the others, since the store may live in it."""
        store.add("gone", 1)
        until = time.monotonic() + 5
        while self.rank == 0 and store.add("gone", 0) < self.world and time.monotonic() < until:
            time.sleep(0.1)

    def why_lost(self, error: BaseException) -> LostProcess:
        """The message for a process that lost another one in a training step."""
        if threading.current_thread() is threading.main_thread():  # torchrun and srun now ask this one to end, too
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        reason = f"another process of this training is gone or does not answer ({brief(error)})"
        failure = None
        until = time.monotonic() + 2
        while self._store is not None and failure is None and time.monotonic() < until:
            failure = self._failure()
            time.sleep(0.1)
        if failure:
            rank, _, why = failure.partition("\n")
            reason = f"process {int(rank) + 1} of {self.world} ended: {why}"
        return LostProcess(f"{reason}. {self._remedy()}")

    def _remedy(self) -> str:
        if self.run is None or not (self.run / "checkpoints" / "last.ckpt").is_file():
            return "There is no checkpoint yet: start the training again"
        return f"Go on from the last checkpoint, started as before, with: resume={self.run}"

    def watch(self, others: Sequence[subprocess.Popen[bytes]], parent: int | None = None) -> None:
        """End this process some seconds after another one of this machine is gone, should it hang by then.

        Until `over` is set.

        Args:
            others: the processes that this one started.
            parent: process id of the one that started this.
        """

        def look() -> None:
            while not self.over.wait(_POLL):
                codes = [other.poll() for other in others]
                gone = any(codes) or (parent is not None and os.getppid() != parent)
                if gone and not self.over.wait(GRACE):
                    code = next((f" (exit code {code})" for code in codes if code), "")
                    print(f"error: another process of this training is gone{code}. {self._remedy()}", file=sys.stderr)
                    for other in others:
                        other.kill()
                    os._exit(1)

        self._watcher = threading.Thread(target=look, daemon=True, name="watch")
        self._watcher.start()

    def end_watch(self) -> None:
        """From now on it does not matter any more whether another process ends."""
        self.over.set()
        if self._watcher is not None:
            self._watcher.join(_POLL)


def brief(error: BaseException) -> str:
    """The end of torch's message, without file names and addresses."""
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    return text.rpartition("] ")[2].partition(" [")[0][:100] or type(error).__name__
