"""Where commands print tables."""

from __future__ import annotations

from rich.console import Console


class Output(Console):
    """Rich's console; a reader that goes away, as in ``crnn check ... | head``, is the error that `print` raises."""

    def on_broken_pipe(self) -> None:
        """Rich would exit with 1."""
        raise BrokenPipeError
