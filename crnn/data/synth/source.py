"""Rendered lines as a `LineSource`: everything about a line follows from the seed and its position."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import regex
from PIL import Image

from crnn.core.charset import describe
from crnn.data.sources.base import SPARE, Content, LineEntry
from crnn.data.sources.utf8 import read_text
from crnn.data.synth.chinese import han_of
from crnn.data.synth.font_choice import FontChoice, require_coverage, split_fonts
from crnn.data.synth.fonts import Font, Where, find_fonts
from crnn.data.synth.own_lines import LineModel, check_order, divided
from crnn.data.synth.render import Layout, make_layout
from crnn.data.synth.text import PRINTABLE_ASCII, TextMaker
from crnn.data.synth.vocabulary import BASIC
from crnn.data.synth.wear import worn
from crnn.errors import ConfigError, DataError

LONGEST = 500
"""Characters of a rendered line."""

_REMEMBERED = 4096
_CHINESE_FONTS = "; for Chinese on Debian or Ubuntu: apt install fonts-noto-cjk fonts-wqy-zenhei fonts-wqy-microhei"
_STREAMS = {"layout": 0, "wear": 1}


class SyntheticSource:
    """Lines rendered when they are asked for; the same seed gives the same lines, in any order and process.

    Args:
        lines: that count as one epoch.
        seed: of everything.
        fonts: to draw with; each text in one that covers it.
        texts: what to write in the first epoch, the second ...; the last goes on.
        wear: 0 (clean) .. 1.
        endless: whether epochs go on to new lines.
    """

    def __init__(
        self,
        lines: int,
        seed: int,
        fonts: list[Font],
        texts: Sequence[TextMaker],
        wear: float,
        endless: bool = True,
    ) -> None:
        if lines < 1:
            raise ConfigError(f"data.rendered: {lines} lines; must be 1 or more")
        if seed < 0:
            raise ConfigError(f"seed={seed}: must be 0 or more")
        if not 0 <= wear <= 1:
            raise ConfigError(f"data.rendered.wear={wear}: must be 0..1")
        self.name = "rendered lines"
        self.endless = endless
        self.fonts = fonts
        self._choice = FontChoice(fonts)
        self._lines = lines
        self._seed = seed
        self._texts = texts
        self._wear = wear
        self._layouts: dict[int, Layout] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_layouts": {}}

    def __len__(self) -> int:
        return self._lines

    def _rng(self, position: int, stream: str) -> np.random.Generator:
        return np.random.Generator(np.random.PCG64([self._seed, position, _STREAMS[stream]]))

    def layout(self, position: int) -> Layout:
        """Text, font and geometry of a line."""
        if position in self._layouts:
            return self._layouts[position]
        rng = self._rng(position, "layout")
        text, font = self._text_and_font(rng, self._texts[min(position % SPARE // self._lines, len(self._texts) - 1)])
        layout = make_layout(text, font, rng, self._wear)
        if len(self._layouts) >= _REMEMBERED:
            self._layouts.clear()
        self._layouts[position] = layout
        return layout

    def _text_and_font(self, rng: np.random.Generator, texts: TextMaker) -> tuple[str, Font]:
        for _ in range(50):
            text = texts(rng)
            font = self._choice.draw(rng, text)
            if font:
                return text, font
        raise DataError(f"no font covers texts such as {text!r}; name a folder with more in data.rendered.fonts")

    def entry(self, position: int) -> LineEntry:
        return LineEntry(self.layout(position).text, f"rendered line {position}", f"rendered/{position}.png")

    def size(self, position: int) -> tuple[int, int]:
        return self.layout(position).size

    def content(self, position: int) -> Content:
        return self.picture(position)

    def picture(self, position: int) -> Image.Image:
        return worn(self.layout(position), self._rng(position, "wear"), self._wear)


def _unfit(symbol: str) -> str | None:
    """Why a row of single glyphs from left to right would draw a grapheme wrongly, or None."""
    if len(symbol) > 1 or unicodedata.combining(symbol):
        return "needs marks set on letters; give it as one code point (NFC)"
    if symbol.isspace() and symbol != " ":
        return "looks like a space; leave it out, U+0020 stands for all of them"
    if unicodedata.bidirectional(symbol) in ("R", "AL"):
        return "is written from right to left"
    return None


def _require_simple(characters: str) -> None:
    """Refuse what would be drawn wrongly."""
    for symbol in regex.findall(r"\X", characters):
        if why := _unfit(symbol):
            raise ConfigError(
                f"data.rendered.characters: {describe(symbol)} {why}; rendering sets single characters from left to "
                "right, for other scripts train on pictures of real lines (data.root)"
            )


def drawable(symbols: Sequence[str], fonts: Where = "auto") -> str:
    """Those of `symbols` that lines can be rendered with: single glyphs that two font families or more draw."""
    simple = "".join(symbol for symbol in symbols if not _unfit(symbol))
    families: dict[str, set[str]] = {}
    for font in find_fonts(fonts, simple)[0]:
        for character in font.characters:
            families.setdefault(character, set()).add(font.family)
    return "".join(character for character in simple if len(families.get(character, ())) > 1)


def check_lengths(min_length: int, max_length: int) -> None:
    """Refuse lengths that no rendered line can have, with a ConfigError."""
    if not 1 <= min_length <= max_length <= LONGEST:
        raise ConfigError(
            f"data.rendered.min_length={min_length}, max_length={max_length}: must be 1 or more, in order, "
            f"{LONGEST} at most"
        )


def synthetic_pair(
    lines: int,
    val_lines: int,
    seed: int = 0,
    characters: str = PRINTABLE_ASCII,
    fonts: Where = "auto",
    text_file: str | Path | None = None,
    min_length: int = 1,
    max_length: int = 32,
    wear: float = 1.0,
    short_epochs: int = 0,
    languages: Sequence[str] = (BASIC,),
    labels: Iterable[str] | None = None,
    text_order: int = 0,
) -> tuple[SyntheticSource, SyntheticSource]:
    """Training lines, and validation lines in fonts and words that training never sees.

    Args:
        lines, val_lines: of an epoch, and of the validation set.
        characters: that texts are made of.
        fonts: see `find_fonts`.
        text_file: texts are its lines, each once however often it stands there; every tenth is held out.
        min_length, max_length: in characters.
        wear: 0 (clean) .. 1.
        short_epochs: so many epochs at the start have shorter lines, which cost less and teach the alignment sooner;
            after them, and in validation, lines have up to `max_length` characters.
        languages: of the words, see `check_languages`.
        labels: texts are these, instead of the lines of a file.
        text_order: half of the training texts are new lines, each character decided by this many before it (see
            `LineModel`); 0: whole lines only.

    Raises:
        ConfigError: for lengths out of range, languages without words, or characters that cannot be set one after the
            other.
        DataError: for too few fonts, or characters that none of them draws.
    """
    check_lengths(min_length, max_length)
    if seed < 0:
        raise ConfigError(f"seed={seed}: must be 0 or more")
    if not characters.strip():
        raise ConfigError("data.rendered.characters: holds nothing that can be seen")
    _require_simple(characters)
    found, skipped = find_fonts(fonts, characters)
    if not found:
        why = f" ({len(skipped)} cannot be used, such as {skipped[0][0]}: {skipped[0][1]})" if skipped else ""
        raise DataError(
            f"data.rendered.fonts={fonts}: no font for these characters{why}; "
            "allowed are auto, bundled, system, or font files and folders"
        )
    try:
        require_coverage(found, characters)
        training, held_out = split_fonts(found, characters)
    except DataError as error:
        if han_of(frozenset(characters)):
            raise DataError(f"{error}{_CHINESE_FONTS}") from None
        raise
    if short_epochs < 0:
        raise ConfigError(f"data.rendered.short_epochs={short_epochs}: must be 0 or more")
    longest = [
        min_length + (max_length - min_length) * epoch // (short_epochs + 1) for epoch in range(1, short_epochs + 2)
    ]
    makers, val_maker = _makers(characters, min_length, longest, text_file, languages, labels, text_order)
    return (
        SyntheticSource(lines, 2 * seed, training, makers, wear),
        SyntheticSource(val_lines, 2 * seed + 1, held_out, [val_maker], wear, endless=False),
    )


def training_texts(
    count: int,
    *,
    characters: str = PRINTABLE_ASCII,
    text_file: str | Path | None = None,
    min_length: int = 1,
    max_length: int = 32,
    languages: Sequence[str] = (BASIC,),
    text_order: int = 0,
    **_: Any,
) -> list[str]:
    """So many texts of the kind that the training lines of `synthetic_pair` have, without drawing them.

    Args:
        count: of texts; always the same ones.
        _: what else `synthetic_pair` takes; texts do not depend on it.
    """
    check_lengths(min_length, max_length)
    (make,), _val = _makers(characters, min_length, [max_length], text_file, languages, None, text_order)
    rng = np.random.default_rng(1)
    return [make(rng) for _ in range(count)]


def _makers(
    characters: str,
    min_length: int,
    longest: Sequence[int],
    text_file: str | Path | None,
    languages: Sequence[str],
    labels: Iterable[str] | None,
    text_order: int,
) -> tuple[list[TextMaker], TextMaker]:
    """Those of the training texts, one for each of the `longest` lengths, and that of the validation texts."""
    check_order(text_order, text_file is not None or labels is not None)
    trained: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    if text_file is not None or labels is not None:
        lines_of = read_text(Path(text_file)).splitlines() if text_file is not None else labels or ()
        where = str(text_file) if text_file is not None else "data.rendered.text_file=labels"
        trained, kept = divided(lines_of, TextMaker(characters, min_length, longest[-1]).fit, where, min_length)
    written = LineModel(trained, text_order, avoid=kept) if text_order else None
    makers = [TextMaker(characters, min_length, length, False, trained, languages, written) for length in longest]
    return makers, TextMaker(characters, min_length, longest[-1], True, kept, languages)
