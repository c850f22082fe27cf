"""What the readers of databases and shards share: optional packages, and a bound for labels."""

from __future__ import annotations

import importlib
from typing import Any

from crnn.errors import DataError

MAX_TEXT_BYTES = 64 * 1024
"""Largest label of one line; more is some other column or file."""


def need(module: str, why: str = "to read this") -> Any:
    """An optional package of the extra ``formats``, imported when it is needed.

    Args:
        module: name to import, such as ``lmdb`` or ``lxml.etree``.
        why: it is needed, for the message.

    Raises:
        DataError: if it is not installed (with the command that installs it), or fails to import.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        package = module.partition(".")[0]
        if error.name is None or error.name.partition(".")[0] != package:
            raise DataError(f"{package}: fails to import ({error}); install it again") from None
        raise DataError(f'{package} is needed {why} and not installed: pip install "crnn[formats]"') from None
    except ImportError as error:
        reason = " ".join(str(error).split())
        raise DataError(f"{module}: fails to import ({reason}); install it again") from None


def label_text(raw: bytes | memoryview) -> tuple[str, str]:
    """(text, problem) of a label's bytes: UTF-8 as it is, nothing stripped; the problem is empty if there is none."""
    if len(raw) > MAX_TEXT_BYTES:
        return "", f"has a label of {len(raw):,} bytes; at most {MAX_TEXT_BYTES:,} are read"
    data = bytes(raw)
    try:
        return data.decode("utf-8"), ""
    except UnicodeDecodeError as error:
        problem = f"is not UTF-8 (byte 0x{data[error.start]:02X} at {error.start}); write it anew in UTF-8"
        return data.decode("utf-8", "replace"), problem
