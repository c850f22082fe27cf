"""`crnn recognize`: pictures in, rows out, errors on standard error, any number of them in constant memory."""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from crnn.core.picture import PICTURE_SUFFIXES
from crnn.core.recognizer import Named, Recognizer
from crnn.errors import ConfigError, DataError, printable, unwritten
from crnn.files import write_atomic
from crnn.loader import MODEL_SUFFIXES
from crnn.reading.inputs import Item
from crnn.reading.outputs import OUTPUTS, Outcome
from crnn.reading.sets import Kept


def read_items(recognizer: Recognizer, items: Iterable[Item]) -> Iterator[tuple[str, Outcome]]:
    """(name, reading or error) of each item, in order."""
    waiting: deque[Item] = deque()

    def sources() -> Iterator[Named]:
        for item in map(Item.opened, items):
            assert not isinstance(item.source, Kept)  # noqa: S101  # for mypy
            waiting.append(item)
            if not isinstance(item.source, DataError):
                yield Named(item.source, "standard input" if item.name == "-" else printable(item.name))

    for outcome in recognizer.stream(sources()):
        while isinstance(waiting[0].source, DataError):
            item = waiting.popleft()
            yield item.name, item.source  # type: ignore[misc]  # an error, as just tested
        yield waiting.popleft().name, outcome
    for item in waiting:
        assert isinstance(item.source, DataError)  # noqa: S101  # for mypy
        yield item.name, item.source


def refuse_to_write_over(output: str, read: Iterable[str | os.PathLike[str]]) -> None:
    """Refuse an output that is read here, or is a picture, a model or a file of labels.

    Raises:
        ConfigError: naming it.
    """
    path = Path(output)
    if not path.is_file():
        return
    is_read = any(os.path.exists(name) and os.path.samefile(path, name) for name in read)
    is_labels = path.name == "labels.tsv" or path.name.endswith(".gt.txt")
    if is_read or is_labels or path.suffix.lower() in (*PICTURE_SUFFIXES, *MODEL_SUFFIXES):
        why = "is read here" if is_read else "holds labels" if is_labels else "is a picture or a model"
        raise ConfigError(f"{printable(output)}: {why}, and would be written over; name another file")


@contextmanager
def destination(output: str | None) -> Iterator[TextIO]:
    """Standard output, or a file that appears whole."""
    if output is None:
        sys.stdout.reconfigure(newline="\n")  # type: ignore[union-attr]
        yield sys.stdout
        return
    try:
        with (
            write_atomic(Path(output)) as temporary,
            temporary.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as file,
        ):
            yield file
    except OSError as error:
        raise DataError(unwritten(output, error)) from None


class Tally:
    """Errors on standard error, and a running count where a person watches; it is wiped at the end.

    Args:
        shown: whether to count there.
    """

    def __init__(self, shown: bool) -> None:
        self.done = self.failed = 0
        self._shown = shown

    def __enter__(self) -> Tally:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown:
            sys.stderr.write("\r\033[K")

    def add(self, outcome: Outcome) -> None:
        """One more."""
        self.done += 1
        if isinstance(outcome, DataError):
            self.failed += 1
            print(f"{chr(13) if self._shown else ''}crnn: {printable(outcome, 1000)}", file=sys.stderr)
        if self._shown and self.done % 64 == 0:
            sys.stderr.write(f"\r{self.done} pictures read, {self.failed} failed")
            sys.stderr.flush()

    @property
    def code(self) -> int:
        """The exit code: 0, or 1 if there was nothing to read or a picture could not be read."""
        return 1 if self.failed or not self.done else 0


def recognize(recognizer: Recognizer, items: Iterable[Item], format: str = "text", output: str | None = None) -> int:
    """Read all items and write them.

    Args:
        recognizer: the model.
        items: see `find_pictures`.
        format: ``text``, ``tsv`` or ``jsonl``.
        output: a file, or None for standard output.

    Returns:
        The exit code, see `Tally`.
    """
    row = OUTPUTS[format]
    with destination(output) as out, Tally(sys.stderr.isatty() and not out.isatty()) as tally:
        for name, outcome in read_items(recognizer, items):
            out.write(row(name, outcome) + "\n")
            tally.add(outcome)
    return tally.code
