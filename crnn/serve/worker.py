"""Dynamic batching: one thread per model that reads what has piled up while it read what came before.

Nothing waits on purpose for a batch to fill. The line that has waited longest always goes first; its batch is filled
with lines of similar width from all that wait, whichever request they came with, as `Recognizer.batches` says.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from crnn.core.prepared import Prepared
from crnn.core.recognition import Recognition
from crnn.core.recognizer import Recognizer
from crnn.errors import DataError

LOOK_AT = 256
"""So many waiting lines are looked at for one batch."""
MAX_LINE_BYTES = 256 * 2**20
"""Of all decoded lines that wait for one model; a line of the usual height has some kilobytes."""

Outcome = Recognition | DataError


class Job:
    """The pictures of one request, on their way.

    Args:
        recognizer: the model that it began with; a reload does not change it.
        pictures: contents of their files.
        nbest: texts per line.
    """

    def __init__(self, recognizer: Recognizer, pictures: Sequence[bytes], nbest: int) -> None:
        self.recognizer = recognizer
        self.pictures = pictures
        """Empty once nobody waits for it any more, so that no queue keeps their bytes."""
        self.nbest = nbest
        self.cancelled = False
        """Nobody waits for it any more; set by the event loop, looked at by the threads."""
        self._loop = asyncio.get_running_loop()
        self.done: asyncio.Future[list[Outcome]] = self._loop.create_future()
        self._outcomes: list[Outcome | None] = [None] * len(pictures)
        self._missing = len(pictures)
        self._lock = threading.Lock()

    def put(self, outcomes: Sequence[tuple[int, Outcome]]) -> None:
        """Outcomes of some pictures, from any thread; the last ones end the job."""
        with self._lock:
            for position, outcome in outcomes:
                self._outcomes[position] = outcome
            self._missing -= len(outcomes)
            ended = self._missing == 0
        if ended:
            self._tell(lambda: self.done.set_result([one for one in self._outcomes if one is not None]))

    def abandon(self) -> None:
        """Nobody waits for it any more; on the event loop."""
        self.cancelled = True
        self.pictures = ()
        if not self.done.cancel():
            self.done.exception()  # looked at, so that nobody complains of it

    def fail(self, error: BaseException) -> None:
        """End it with an error, from any thread."""
        self._tell(lambda: self.done.set_exception(error))

    def _tell(self, end: Callable[[], None]) -> None:
        def once() -> None:
            if not self.done.done():
                end()

        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(once)


class Waiting(NamedTuple):
    """A line that is decoded and not read yet."""

    job: Job
    position: int
    line: Prepared


class Worker:
    """Reads the lines of jobs in a thread of its own.

    Args:
        name: of the model, for the thread.
        on_batch: told the lines and seconds of each batch.
    """

    def __init__(self, name: str, on_batch: Callable[[int, float], None]) -> None:
        self._on_batch = on_batch
        self._waiting: list[Waiting] = []
        self._bytes = 0
        self._changed = threading.Condition()
        self._stopped = False
        self.seconds_per_line = 0.02
        """Running mean, for Retry-After."""
        self._thread = threading.Thread(target=self._work, name=f"crnn-read-{name}", daemon=True)
        self._thread.start()

    def put(self, lines: Sequence[Waiting]) -> bool:
        """Lines to read, from any thread; False if they are too large to wait with all the others."""
        size = sum(one.line.grey.nbytes for one in lines)
        with self._changed:
            if self._waiting and self._bytes + size > MAX_LINE_BYTES:
                return False
            self._bytes += size
            self._waiting.extend(lines)
            self._changed.notify()
            return True

    def stop(self) -> None:
        """Read no more; what still waits is not read."""
        with self._changed:
            self._stopped = True
            self._changed.notify()
        self._thread.join(timeout=5)

    def _work(self) -> None:
        while batch := self._next():
            started, lines = time.perf_counter(), len(batch)
            self._read(batch)
            del batch  # a model that is replaced meanwhile is not kept until the next one comes
            seconds = time.perf_counter() - started
            self.seconds_per_line += 0.1 * (seconds / lines - self.seconds_per_line)
            self._on_batch(lines, seconds)

    def _read(self, batch: Sequence[Waiting]) -> None:
        try:
            self._tell_readings(batch)
        except BaseException as error:  # whatever a network can raise belongs to these jobs, not to this thread
            for job in {id(one.job): one.job for one in batch}.values():
                job.fail(error)

    @staticmethod
    def _tell_readings(batch: Sequence[Waiting]) -> None:
        first = batch[0].job
        readings = first.recognizer.read([one.line for one in batch], first.nbest)
        by_job: dict[int, list[tuple[int, Outcome]]] = {}
        jobs = {id(one.job): one.job for one in batch}
        for one, reading in zip(batch, readings, strict=True):
            by_job.setdefault(id(one.job), []).append((one.position, reading))
        for key, outcomes in by_job.items():
            jobs[key].put(outcomes)

    def _next(self) -> list[Waiting]:
        """The batch of the line that has waited longest; empty when it is time to stop."""
        with self._changed:
            while True:
                self._keep([one for one in self._waiting if not one.job.cancelled])
                if self._stopped:
                    return []
                if self._waiting:
                    break
                self._changed.wait()
            chosen = self._choose()
            taken = set(chosen)
            batch = [self._waiting[index] for index in chosen]
            self._keep([one for index, one in enumerate(self._waiting) if index not in taken])
            return batch

    def _keep(self, waiting: list[Waiting]) -> None:
        if len(waiting) < len(self._waiting):
            self._bytes = sum(one.line.grey.nbytes for one in waiting)
        self._waiting = waiting

    def _choose(self) -> list[int]:
        """Indices of waiting lines, of the first one and of others that can share its batch."""
        first = self._waiting[0].job
        together = [
            index
            for index, one in enumerate(self._waiting)
            if one.job.recognizer is first.recognizer and one.job.nbest == first.nbest
        ][:LOOK_AT]
        for batch in first.recognizer.batches([self._waiting[index].line for index in together]):
            if 0 in batch:
                return [together[index] for index in batch]
        raise AssertionError("the first line is in one of the batches")
