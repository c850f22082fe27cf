"""Words, phrases and running text, with the punctuation of their language."""

from __future__ import annotations

import re

from crnn.data.synth.pen import Pen, capital, upper
from crnn.data.synth.vocabulary import BASIC

_QUOTES = {"de": ("„“", "»«", "‚‘"), "fr": ("«»", "“”"), "es": ("«»", "“”"), "it": ("«»", "“”")}
_ELIDED = {
    "fr": ("l'", "d'", "qu'", "j'", "n'", "s'", "c'", "m'"),
    "it": ("l'", "un'", "dell'", "all'", "d'", "nell'", "c'"),
}
_SILENT = tuple("aeiouhàâéèêîôù")
_ENGLISH_ENDS = ("'s", "'ll", "'re", "'ve", "n't", "s'")


def word(pen: Pen) -> str:
    """A single word, most often with nothing about it."""
    made, case = pen.raw_word(), pen.rng.random()
    made = upper(made, pen.allowed) if case < 0.36 else capital(made) if case < 0.66 else made
    draw = pen.rng.random()
    if draw < 0.06:
        return made + pen.one(".,:;!?")
    if draw < 0.09:
        return _quoted(pen, made)
    if draw < 0.12:
        return made + pen.one("-/&'_") + pen.word()
    if draw < 0.14:
        return made + pen.digits(pen.number(1, 3))
    return made


def phrase(pen: Pen) -> str:
    """A few words: a title, a label of a form, a sign."""
    count, case = pen.number(2, 6), pen.rng.random()
    parts = [_with_signs(pen, pen.raw_word()) for _ in range(count)]
    if case < 0.3:
        return upper(" ".join(parts), pen.allowed)
    if case < 0.55:
        return " ".join(capital(part) for part in parts)
    text = " ".join(parts)
    draw = pen.rng.random()
    return capital(text) if draw < 0.5 else text + ":" if draw < 0.6 else text


def prose(pen: Pen) -> str:
    """A line cut out of running text, about as long as lines may be; a word at its end may be divided."""
    room = pen.room if pen.chance(0.6) else pen.number(min(8, pen.room), pen.room)
    text, start = "", pen.chance(0.4)
    while len(text) < room:
        part = _with_signs(pen, pen.raw_word())
        text += (" " if text else "") + (capital(part) if start else part)
        start = False
        draw = pen.rng.random()
        if draw < 0.10:
            text += ","
        elif draw < 0.17:
            text, start = _sentence_end(pen, text), True
        elif draw < 0.19:
            text += pen.one_allowed((";", ":"))
        elif draw < 0.21:
            text += " " + pen.one_allowed(("-", "–", "—"))
    text = _fitted(pen, text, room)
    return upper(text, pen.allowed) if pen.chance(0.12) else text


def old_print(pen: Pen) -> str:
    """Running text as printed before 1800, with long s where the charset has it."""
    return long_s(prose(pen)) if "ſ" in pen.allowed else prose(pen)


def long_s(text: str) -> str:
    """With ſ for s, but not at the end of a word, before f, or before a sign that is not a letter."""
    return re.sub(r"s(?=[^\W\d_])(?!f)", "ſ", text)


def typeset(pen: Pen, text: str) -> str:
    """With curly apostrophes, dashes and dots of print in some texts, where the charset has them."""
    if pen.chance(0.5):
        return text
    for plain, printed in (("'", "’"), (" - ", " – "), ("...", "…")):
        if printed.strip() in pen.allowed:
            text = text.replace(plain, printed)
    if pen.language == "fr" and pen.chance(0.5):
        text = re.sub(r"(?<=\w)([;:!?])(?=\s|$)", r" \1", text)
    return text


def _sentence_end(pen: Pen, text: str) -> str:
    sign = pen.one((".", ".", ".", ".", "!", "?", "..."))
    if pen.language == "es" and sign in ("!", "?"):
        opening = "¡" if sign == "!" else "¿"
        start = max(text.rfind(f"{end} ") for end in ".!?") + 1
        text = f"{text[:start]} {opening}{text[start + 1 :]}" if start else opening + text
    return text + sign


def _with_signs(pen: Pen, made: str) -> str:
    if pen.language in _ELIDED and made.startswith(_SILENT) and pen.chance(0.3):
        return pen.one(_ELIDED[pen.language]) + made
    draw = pen.rng.random()
    if draw < 0.025:
        return made + pen.one(_ENGLISH_ENDS) if pen.language in ("en", BASIC) else made
    if draw < 0.045:
        return made + "-" + pen.raw_word()
    if draw < 0.085:
        return _quoted(pen, made)
    if draw < 0.095:
        return made + pen.one("/&+*_") + pen.raw_word()
    if draw < 0.115:
        return pen.digits(pen.number(1, 4))
    if draw < 0.125:
        return made + pen.one_allowed(("*", "®", "™", "©", "¹", "²", "³", "†"))
    return made


def _quoted(pen: Pen, made: str) -> str:
    pairs = ("()", '""', "''", "[]", "<>", "{}")
    own = [p for p in _QUOTES.get(pen.language, ("“”", "‘’")) if pen.allowed.issuperset(p)]
    pair = pen.one(own) if own and pen.chance(0.5) else pen.one(pairs)
    left, right = pair[0], pair[1]
    space = " " if left == "«" and pen.language == "fr" else ""
    return f"{left}{space}{made}{space}{right}"


def _fitted(pen: Pen, text: str, room: int) -> str:
    """Cut to `room` characters: inside a word with a hyphen, or at a space."""
    if len(text) <= room:
        return text
    cut = text.rfind(" ", 0, room + 1)
    tail = text[cut + 1 : room]
    if cut > 0 and pen.chance(0.4) and len(tail) > 3 and tail[:-1].isalpha() and text[room : room + 2].isalpha():
        return text[: room - 1] + "-"
    return text[:cut] if cut > 0 else text[:room]
