"""Libraries that are not installed: said in one line, and before the work that needs them."""

from __future__ import annotations

import sys
from importlib.util import find_spec


def require(*names: str) -> None:
    """Find out now what would fail at the end.

    Raises:
        ModuleNotFoundError: for the first that is not installed; nothing is imported.
    """
    for name in names:
        there = sys.modules[name] is not None if name in sys.modules else find_spec(name) is not None
        if not there:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def said_of(error: ImportError, command: str) -> str | None:
    """What to tell the user of `command`; None for a part of this package, which is a mistake of ours."""
    package = (error.name or "").partition(".")[0]
    if package == "crnn":
        return None
    missing = package and isinstance(error, ModuleNotFoundError)
    why = f"{package}, which is not installed here" if missing else f"what cannot be imported here: {error}"
    return f"{command} needs {why}; see 'Two commands' in the README"
