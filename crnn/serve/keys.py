"""API keys: kept as hashes, compared in constant time."""

from __future__ import annotations

import hashlib
import hmac
import os
from pathlib import Path

from crnn.errors import ConfigError, printable

VARIABLE = "CRNN_API_KEYS"
MIN_LENGTH = 16


class Keys:
    """Who may ask. Without any key, everybody.

    Args:
        keys: each at least 16 printable ASCII characters without spaces.

    Raises:
        ConfigError: for one that is shorter, or cannot stand in a header.
    """

    def __init__(self, keys: list[str]) -> None:
        for number, key in enumerate(keys, 1):
            if len(key) < MIN_LENGTH or not key.isascii() or not key.isprintable() or " " in key:
                raise ConfigError(
                    f"API key {number} is not allowed; at least {MIN_LENGTH} characters of printable ASCII without "
                    "spaces are, such as: openssl rand -hex 24"
                )
        self._hashes = [hashlib.sha256(key.encode("ascii")).digest() for key in keys]

    def __len__(self) -> int:
        return len(self._hashes)

    def allow(self, authorization: str | None) -> bool:
        """Whether the header ``Authorization: Bearer KEY`` holds one of the keys; takes as long whichever it is."""
        if not self._hashes:
            return True
        scheme, _, key = (authorization or "").partition(" ")
        digest = hashlib.sha256(key.strip().encode("utf-8", "replace")).digest()
        found = False
        for known in self._hashes:
            found |= hmac.compare_digest(digest, known)
        return found and scheme.lower() == "bearer"


def read_keys(path: str | None) -> Keys:
    """Keys of a file, one per line (``#`` starts a comment line), and of the environment variable CRNN_API_KEYS.

    Raises:
        ConfigError: if the file cannot be read or holds none, or the variable is set and holds none.
    """
    keys = os.environ.get(VARIABLE, "").split()
    if VARIABLE in os.environ and not keys:  # a secret that has not arrived must not open the door
        raise ConfigError(f"{VARIABLE} is set and holds no key; put keys into it, between spaces, or unset it")
    if path is not None:
        try:
            rows = Path(path).read_text(encoding="utf-8-sig").splitlines()
        except OSError as error:
            raise ConfigError(f"{printable(path)}: keys cannot be read ({error.strerror})") from None
        except UnicodeDecodeError:
            raise ConfigError(f"{printable(path)}: is not a text file of keys, one per line") from None
        found = [row.strip() for row in rows if row.strip() and not row.startswith("#")]
        if not found:
            raise ConfigError(f"{printable(path)}: holds no key; write one per line, such as: openssl rand -hex 24")
        keys += found
    return Keys(keys)
