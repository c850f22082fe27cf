"""From the body of a request to its readings: decode in a few threads, queue, read, answer."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from crnn.core.prepared import Prepared
from crnn.core.recognition import Recognition
from crnn.errors import DataError, printable
from crnn.serve.bodies import Body, Budget, Receive, take_apart
from crnn.serve.errors import Disconnected, Refused
from crnn.serve.metrics import Metrics
from crnn.serve.options import Options
from crnn.serve.settings import Limits
from crnn.serve.shelf import Loaded, Shelf, Slot
from crnn.serve.worker import Job, Outcome, Waiting

CHUNK = 8
"""Pictures that one turn of a decoding thread takes; the next turn of the same request comes after all that wait."""
MANY = 16
"""So many results are written down in a thread, so that other requests do not wait."""
MAX_LINE_PIXELS = 16_384
"""Widest line at the network's height; it takes some 800 MB."""
MAX_TEXT_PIXELS = 40_960
"""Width of a line at the network's height times ``nbest``: some seconds of beam search."""


@dataclass
class Note:
    """What the log says of a request."""

    model: str | None = None
    lines: int | None = None
    bytes: int | None = None


class Service:
    """Models, limits and threads; made once, used on one event loop.

    Args:
        shelf: the models.
        limits: see there.
        metrics: are told what happens.
    """

    def __init__(self, shelf: Shelf, limits: Limits, metrics: Metrics) -> None:
        self.shelf = shelf
        self.limits = limits
        self.metrics = metrics
        self.budget = Budget(limits.held_bytes)
        self.draining = False
        """It has been told to stop: what was accepted is answered, no more is accepted."""
        self._answering: set[asyncio.Task[tuple[int, dict[str, Any]]]] = set()
        self._ended = False
        self._pool = ThreadPoolExecutor(limits.decoders, "crnn-decode")

    @property
    def in_flight(self) -> int:
        """Requests that are accepted and not answered yet."""
        return len(self._answering)

    async def recognize(
        self, receive: Receive, content_type: str | None, length: str | None, options: Options, note: Note
    ) -> tuple[int, dict[str, Any]]:
        """Answer one request.

        Args:
            receive: of ASGI.
            content_type, length: headers.
            options: of the query string.
            note: is filled in for the log.

        Returns:
            The status, 200 or 422, and the answer.

        Raises:
            Refused: for a request that breaks a limit, or comes when there is no room.
            Disconnected: if the client goes away.
        """
        if self.draining:
            raise Refused("shutting_down", "the service is shutting down; send this to another one, or later")
        body = Body(self.limits, self.budget)
        task = asyncio.ensure_future(self._answer(body, receive, content_type, length, options, note))
        self._answering.add(task)
        try:
            return await asyncio.wait_for(task, self.limits.timeout)
        except asyncio.TimeoutError:  # a name of its own before Python 3.11
            raise Refused(
                "timeout", f"not done within {self.limits.timeout:g} s; send fewer pictures, or send this later"
            ) from None
        except asyncio.CancelledError:
            if not self._ended:
                raise
            raise Refused("shutting_down", "the service ended before this was read; send it to another one") from None
        finally:
            note.bytes = body.count
            body.release()
            self._answering.discard(task)

    def end(self) -> None:
        """Refuse what is still not answered."""
        self._ended = True
        for task in self._answering:
            task.cancel()

    async def _answer(
        self,
        body: Body,
        receive: Receive,
        content_type: str | None,
        length: str | None,
        options: Options,
        note: Note,
    ) -> tuple[int, dict[str, Any]]:
        await body.receive(receive, length)
        pictures, options = await take_apart(body, content_type, options, self.limits)
        slot = self.shelf.find(options.model)
        loaded = slot.loaded
        note.model, note.lines = f"{slot.spec.name}@{loaded.version}", len(pictures)
        if slot.held + len(pictures) > self.limits.queue_lines:
            raise self._full(slot)
        slot.held += len(pictures)
        try:
            outcomes = await self._read(slot, loaded, pictures, options.nbest, receive)
        finally:
            slot.held -= len(pictures)
        self._count(slot.spec.name, outcomes)
        if len(outcomes) < MANY:
            results = _results(outcomes, options)
        else:
            results = await asyncio.to_thread(_results, outcomes, options)
        status = 422 if all(isinstance(outcome, DataError) for outcome in outcomes) else 200
        return status, {"model": slot.spec.name, "version": loaded.version, "results": results}

    def _full(self, slot: Slot) -> Refused:
        seconds = min(60, max(1, math.ceil(slot.held * slot.worker.seconds_per_line)))
        return Refused(
            "queue_full",
            f"{slot.held} pictures wait already and at most {self.limits.queue_lines} may; send this again in "
            f"{seconds} s",
            {"Retry-After": str(seconds)},
        )

    async def _read(
        self, slot: Slot, loaded: Loaded, pictures: Sequence[bytes], nbest: int, receive: Receive
    ) -> list[Outcome]:
        job = Job(loaded.recognizer, pictures, nbest)
        gone = asyncio.ensure_future(_gone(receive))
        try:
            self._pool.submit(self._prepare, slot, job, 0)
            ends: set[asyncio.Future[Any]] = {job.done, gone}
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if not job.done.done():
                raise Disconnected
            return job.done.result()
        finally:
            gone.cancel()
            job.abandon()

    def _prepare(self, slot: Slot, job: Job, start: int) -> None:
        """Decode some pictures and queue them, in a thread; the rest goes to the end of the line."""
        failed: list[tuple[int, Outcome]] = []
        lines: list[Waiting] = []
        try:
            for position, picture in enumerate(job.pictures[start : start + CHUNK], start):
                if job.cancelled:
                    return
                name = f"picture {position + 1}"
                try:
                    line = job.recognizer.prepare(picture, name, self.limits.pixels, "refused")
                    _check_texts(line, job.nbest, name)
                    lines.append(Waiting(job, position, line))
                except DataError as error:
                    failed.append((position, error.alone()))
            if failed:
                job.put(failed)
            if lines and not slot.worker.put(lines):
                job.fail(self._full(slot))
            elif start + CHUNK < len(job.pictures):
                self._pool.submit(self._prepare, slot, job, start + CHUNK)
        except BaseException as error:  # a fault in here must end the request, not leave it waiting
            job.fail(error)

    def _count(self, name: str, outcomes: Sequence[Outcome]) -> None:
        confidence = self.metrics.confidence.labels(name)
        read = 0
        for outcome in outcomes:
            if isinstance(outcome, Recognition):
                confidence.observe(outcome.confidence)
                read += 1
        self.metrics.lines.labels(name).inc(read)
        self.metrics.failed.labels(name).inc(len(outcomes) - read)

    def close(self) -> None:
        """Stop all threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self.shelf.close()


async def _gone(receive: Receive) -> None:
    """Ends when the client goes away."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _check_texts(line: Prepared, nbest: int, name: str) -> None:
    """Refuse a line that is too long, at all or for so many texts: one is read in one go, nobody else in between."""
    width = line.grey.shape[1]
    if width > MAX_LINE_PIXELS:
        raise DataError(
            f"{name}: the line is {width:,} pixels wide at the network's height; at most {MAX_LINE_PIXELS:,} are read; "
            "cut it into parts"
        )
    if nbest > 1 and nbest * width > MAX_TEXT_PIXELS:
        raise DataError(
            f"{name}: the line is {width:,} pixels wide at the network's height; with nbest={nbest} at most "
            f"{MAX_TEXT_PIXELS // nbest:,} are read; ask for fewer texts"
        )


def _results(outcomes: Sequence[Outcome], options: Options) -> list[dict[str, Any]]:
    return [
        {"error": printable(outcome, 1000)} if isinstance(outcome, DataError) else outcome.to_dict(options.spans)
        for outcome in outcomes
    ]
