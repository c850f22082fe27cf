"""What a person sees of lines that are worked through, and what a file of messages does not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import rich.console
import rich.progress

from crnn.data.progress import busy, unwatched, watch_on_terminal


def test_unwatched_lines_are_the_lines() -> None:
    positions = range(3)
    assert unwatched(positions, 3, "reads") is positions


def test_nothing_is_drawn_where_nobody_watches(capfd: pytest.CaptureFixture[str]) -> None:
    assert list(watch_on_terminal(["a", "b"], 2, "reads")) == ["a", "b"]
    assert list(watch_on_terminal(iter(()), None, "reads")) == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize("total", [7, None])
def test_a_bar_on_standard_error_of_a_terminal(
    terminal: bool, total: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Console:
        is_terminal = terminal

        def __init__(self, stderr: bool) -> None:
            assert stderr

    asked: list[tuple[Any, ...]] = []

    def track(items: Any, doing: str, total: int | None, *, transient: bool, disable: bool, console: Console) -> Any:
        asked.append((doing, total, transient, disable, type(console)))
        return items

    monkeypatch.setattr(rich.console, "Console", Console)
    monkeypatch.setattr(rich.progress, "track", track)
    items = [1, 2]
    assert watch_on_terminal(items, total, "reads") is items
    assert asked == [("reads", total, True, not terminal, Console)]  # and it goes when it is done


@pytest.mark.parametrize("terminal", [True, False])
def test_work_without_a_known_end(terminal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal shows what is done as long as it is; a file of messages nothing."""
    shown: list[str] = []

    class Console:
        is_terminal = terminal

        def __init__(self, stderr: bool) -> None:
            assert stderr

        @contextmanager
        def status(self, doing: str) -> Iterator[None]:
            shown.append(doing)
            yield
            shown.append("over")

    monkeypatch.setattr(rich.console, "Console", Console)
    with busy("counts"):
        assert shown == ["counts"] * terminal
    assert shown == ["counts", "over"] * terminal
