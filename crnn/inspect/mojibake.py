"""UTF-8 that was read as Windows-1252 or Latin-1: ``MÃ¼ller``, ``itâ€™s``, ``Ð¼Ð¸Ñ€``."""

from __future__ import annotations

import re

_CP1252 = {bytes([byte]).decode("cp1252", "replace"): byte for byte in range(0x80, 0xA0)}
_CP1252.pop("\ufffd", None)
_BYTES = {**{chr(byte): byte for byte in range(0x80, 0x100)}, **_CP1252}
_TAIL = "[" + "".join(re.escape(c) for c, byte in _BYTES.items() if byte < 0xC0) + "]"
# quotes and dashes follow letters in good text, too: after these leads they prove nothing
_SURE_TAIL = "[\u00a0-\u00aa\u00ac-\u00ba\u00bc-\u00bf\u0080-\u009f]"
_CANDIDATES = re.compile(
    f"[ÂÃ]{_TAIL}|[ÄÅ]{_SURE_TAIL}|(?:[ÐÑÎÏ×]{_TAIL}){{2,}}|[àâãäåçèéêëï]{_TAIL}{{2}}|ð{_TAIL}{{3}}"
)
_AFTER_CAPITAL = frozenset("“”‘’…–—«»›‹ª°º·")


def mojibake(text: str) -> tuple[str, str] | None:
    """(what stands there, what it was) of the first such place, or None."""
    if text.isascii():
        return None
    for match in _CANDIDATES.finditer(text):
        found = match[0]
        before = text[match.start() - 1 : match.start()]
        if len(found) == 2 and found[1] in _AFTER_CAPITAL and before.isupper():
            continue  # "SÃ…" of a word in capitals
        try:
            return found, bytes(_BYTES[c] for c in found).decode("utf-8")
        except UnicodeDecodeError:
            continue
    return None
