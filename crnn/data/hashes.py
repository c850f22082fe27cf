"""64 bits by which pixels or texts are known again, the same on every machine. Runs without torch."""

from __future__ import annotations

import hashlib


def pixel_hash(pixels: bytes, size: tuple[int, int]) -> int:
    """64 bits of BLAKE2b over pixels and size; never 0."""
    digest = hashlib.blake2b(pixels, digest_size=8, key=b"%d x %d" % size).digest()
    return int.from_bytes(digest, "little") or 1


def text_hash(text: str) -> int:
    """64 bits of BLAKE2b over a text, lone surrogates included."""
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")
