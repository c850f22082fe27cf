"""How somebody is shown that lines are being worked through."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

Watch = Callable[[Iterable[int], int, str], Iterable[int]]
"""(positions, how many, what is done) -> the positions, for a progress display."""
_T = TypeVar("_T")


def unwatched(positions: Iterable[int], total: int, doing: str) -> Iterable[int]:
    """No progress display."""
    return positions


@contextmanager
def busy(doing: str) -> Iterator[None]:
    """The same of work whose end nobody can tell: what is done, and that it still is."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    with console.status(doing):
        yield


def watch_on_terminal(items: Iterable[_T], total: int | None, doing: str) -> Iterable[_T]:
    """A progress bar on standard error, where a person watches; `total` None where nobody knows how many."""
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    return track(items, doing, total, transient=True, disable=not console.is_terminal, console=console)
