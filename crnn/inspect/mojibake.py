"""Text that was read in another encoding than it was written in: as Windows-1252 or Latin-1.

UTF-8 becomes ``MÃ¼ller``, ``itâ€™s``, ``Ð¼Ð¸Ñ€``; GBK ``Æ±¼Û``; Windows-1251 ``Ïðèâåò``.
"""

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
_RUN = re.compile("[\u00a1-\u00ff]{4,}")
_GB_LEADS = range(0xB0, 0xD8)
"""First bytes of the 3,755 most common Chinese characters."""
_CYRILLIC = 5
"""Letters beyond ASCII in a row that no word of a Latin script has."""
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
    return _of_eight_bits(text)


def _of_eight_bits(text: str) -> tuple[str, str] | None:
    """The same of GBK and Windows-1251, whose bytes are valid in so many encodings that only whole runs tell."""
    for match in _RUN.finditer(text):
        found = match[0]
        data = found.encode("latin-1")
        symbols = sum(c < "À" or c in "×÷" for c in found)
        pairs = len(data) % 2 == 0 and all(lead in _GB_LEADS for lead in data[::2]) and 0xFF not in data
        if pairs and 0 < symbols < len(found):
            return found, data.decode("gb18030")
        if len(found) >= _CYRILLIC and not symbols and len(set(found)) < len(found):  # else perhaps a list of letters
            return found, data.decode("cp1251")
    return None
