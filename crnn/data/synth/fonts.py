"""Fonts to render with: those that come with matplotlib (so there always are some), the system's, or the user's.

A font is used only for texts whose every character it has and shows, so that no box is ever a label, nor a small letter
that was drawn as a capital.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias

from PIL import ImageFont

from crnn.data.synth.coverage import drawn_by, draws_others, has_only_capitals
from crnn.data.synth.regions import chosen_faces, common_family
from crnn.errors import DataError

Where: TypeAlias = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]
"""``auto``, ``bundled``, ``system``, or font files and folders."""
SUFFIXES = frozenset((".ttf", ".otf", ".ttc", ".otc"))
BUNDLED = ("DejaVuSans", "DejaVuSerif", "DejaVuSansMono", "STIXGeneral", "cmr10", "cmss10", "cmtt10", "cmb10")
"""Names of matplotlib's text fonts, before the style; the others hold mathematical symbols."""
_TEX = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 .,:;()-/!?")
"""What matplotlib's Computer Modern fonts (cm...) draw at its own place; other glyphs stand elsewhere in them."""
_TEX_SYMBOLS = frozenset(("cmex10", "cmmi10", "cmsy10", "cmti10"))
"""Families of the same place whose letters cannot be told from their symbols."""
MAX_FONTS = 400
"""Font files of the system that are read; one with thousands would open them for minutes, unasked."""
MAX_NAMED = 2000
"""Font files that are read where files or folders are named."""
_UNFIT = ("symbol", "emoji", "dingbat", "icon", "music", "math", "webding", "wingding", "braille", "barcode")


@dataclass(frozen=True)
class Font:
    """One face of a font file."""

    path: str
    index: int
    family: str
    style: str
    characters: frozenset[str]
    """Of the wanted characters, those it draws."""

    def covers(self, text: str) -> bool:
        """Whether every character of `text` has a glyph."""
        return self.characters.issuperset(text)

    def at(self, size: int) -> ImageFont.FreeTypeFont:
        """The face at `size` pixels; opened once per process and size."""
        return _open(self.path, self.index, size)


@lru_cache(maxsize=1024)
def _open(path: str, index: int, size: int) -> ImageFont.FreeTypeFont:
    try:
        return ImageFont.truetype(path, size, index, layout_engine=ImageFont.Layout.BASIC)
    except OSError as error:
        raise DataError(f"{path}: the font cannot be opened any more ({error}); has it been moved?") from None


def bundled_folder() -> Path | None:
    """Matplotlib's font folder, found without importing it."""
    spec = importlib.util.find_spec("matplotlib")
    folder = Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf" if spec and spec.origin else None
    return folder if folder and folder.is_dir() else None


def system_folders() -> list[Path]:
    """Where Linux, macOS and Windows keep fonts."""
    home = Path.home()
    if sys.platform == "win32":
        return [Path(os.environ.get("WINDIR", "C:/Windows")) / "Fonts"]
    if sys.platform == "darwin":
        return [Path("/System/Library/Fonts"), Path("/Library/Fonts"), home / "Library/Fonts"]
    return [Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), home / ".fonts", home / ".local/share/fonts"]


def _files(folder: Path) -> Iterator[Path]:
    for here, folders, names in os.walk(folder):
        folders.sort()
        yield from (Path(here) / name for name in sorted(names) if Path(name).suffix.lower() in SUFFIXES)


def _bundled() -> Iterator[Path]:
    folder = bundled_folder()
    if folder:
        yield from filter(_is_text, _files(folder))


def _is_text(path: Path) -> bool:
    stem = path.stem.split("-")[0]
    for ending in ("BolIta", "Bol", "Italic"):
        stem = stem.removesuffix(ending)
    return stem in BUNDLED


def _faces(path: Path, wanted: frozenset[str]) -> Iterator[Font]:
    """The faces of one file with their coverage; raises whatever a damaged file makes its readers raise."""
    from fontTools.ttLib import TTCollection, TTFont

    if path.suffix.lower() in (".ttc", ".otc"):
        with path.open("rb") as file:
            count = len(TTCollection(file, lazy=True).fonts)
    else:
        count = 1
    names = [ImageFont.truetype(str(path), 24, index).getname()[0] or path.stem for index in range(count)]
    for index in chosen_faces(names, wanted):
        with TTFont(path, fontNumber=index, lazy=True) as tables:  # which matters for collections only
            mapped = tables.getBestCmap() or {}
        face = ImageFont.truetype(str(path), 24, index, layout_engine=ImageFont.Layout.BASIC)
        name, style = names[index], face.getname()[1] or ""
        if "lastresort" in "".join(filter(str.isalnum, name.lower())):
            raise ValueError("draws a box for every character")
        if name in _TEX_SYMBOLS or draws_others(mapped):
            raise ValueError("draws other characters than it says")
        drawn = wanted & _TEX if path.stem in BUNDLED and path.stem.startswith("cm") else wanted
        covered = drawn_by(face, {c for c in drawn if ord(c) in mapped})
        if has_only_capitals(face, mapped):
            covered = {c for c in covered if c == c.upper()}
        # the faces of one file are one design: its Chinese characters are the same in all of them
        family = common_family(names[0])
        yield Font(str(path), index, family, style if name == names[0] else f"{name} {style}", frozenset(covered))


@lru_cache(maxsize=2 * MAX_NAMED)
def _read(path: Path, changed: int, wanted: frozenset[str]) -> tuple[list[Font], str]:
    """The faces of a file that can be used, and why there are not more; remembered until it changes (`changed`, ns)."""
    fonts: list[Font] = []
    try:
        for font in _faces(path, wanted):
            fonts.append(font)  # what came before the damage is good
    except Exception as error:  # font readers raise many kinds on damaged files
        return fonts, str(error) or type(error).__name__
    return fonts, ""


def find_fonts(where: Where, characters: str) -> tuple[list[Font], list[tuple[str, str]]]:
    """Fonts that have some of `characters`, in a stable order.

    Args:
        where: ``bundled``, ``system``, ``auto`` (both), or font files and folders.
        characters: that texts are made of.

    Returns:
        The fonts, and (file, reason) of those that cannot be used.

    Raises:
        DataError: if a folder or file is not there.
    """
    said = logging.getLogger("fontTools")
    if said.level == logging.NOTSET:
        said.setLevel(logging.ERROR)  # what is odd in a font that can be used is no matter of the user's
    paths: list[Path] = []
    if where in ("auto", "bundled"):
        paths += _bundled()
    if where in ("auto", "system"):
        for folder in system_folders():
            paths += [path for path in _files(folder) if not any(word in path.stem.lower() for word in _UNFIT)]
    if where not in ("auto", "bundled", "system"):
        for name in [where] if isinstance(where, str | os.PathLike) else where:
            given = Path(name).expanduser()
            if not given.exists():
                raise DataError(f"{name}: there is no such font file or folder; allowed are also auto, bundled, system")
            paths += _files(given) if given.is_dir() else [given]
    fonts: list[Font] = []
    most = MAX_FONTS if where in ("auto", "bundled", "system") else MAX_NAMED
    skipped = [(str(path), f"only the first {most} font files are read") for path in paths[most:]]
    seen: dict[tuple[str, str], frozenset[str]] = {}
    wanted = frozenset(characters)
    for path in paths[:most]:
        try:
            found, why = _read(path, path.stat().st_mtime_ns, wanted)
        except OSError as error:
            found, why = [], str(error)
        for font in found:
            face = (font.family, font.style)
            if font.characters - seen.get(face, frozenset(" ")):  # a copy of a face may have more characters
                seen[face] = font.characters | seen.get(face, frozenset())
                fonts.append(font)
        if why:
            skipped.append((str(path), why))
    return fonts, skipped
