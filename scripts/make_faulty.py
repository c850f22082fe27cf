"""Write lines without a fault, and a copy for each kind of fault with that fault at a known line.

    python scripts/make_faulty.py DIR

``DIR/clean`` holds 300 training and 60 validation lines rendered by this project; ``DIR/<kind>`` the same with one
fault; ``DIR/planted.tsv`` says which, where and with which options of ``crnn check`` it shows. Tests plant the same.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageOps

from crnn.data import check, labels
from crnn.data.synth.source import synthetic_pair
from crnn.inspect import kinds

CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 .,-"


class Planted(NamedTuple):
    """A fault at a line."""

    kind: str
    role: str
    position: int
    """Of the line among those of its side, from 0."""
    with_it: frozenset[str] = frozenset()
    """Kinds that cannot but come with it at the same line."""
    charset: str = ""
    """Has to be given to see it."""


def write_clean(folder: Path, lines: int = 300, val_lines: int = 60) -> None:
    """``train`` and ``val`` in `folder`, without a fault."""
    pair = synthetic_pair(
        lines, val_lines, seed=5, characters=CHARACTERS, fonts="bundled", min_length=8, max_length=30, wear=0.0
    )
    for role, source in zip(("train", "val"), pair, strict=True):
        (folder / role / "images").mkdir(parents=True)
        rows = []
        for position in range(len(source)):
            name = f"images/line{position:04d}.png"
            source.picture(position).save(folder / role / name)
            rows.append((name, source.entry(position).text))
        _Side(folder / role, rows).save()


class _Side:
    """The rows of a label table."""

    def __init__(self, folder: Path, rows: list[tuple[str, str]] | None = None) -> None:
        self.folder = folder
        if rows is None:
            table = (folder / "labels.tsv").read_text(encoding="utf-8").split("\n")
            rows = [(row.partition("\t")[0], row.partition("\t")[2]) for row in table if row]
        self.rows = rows

    def save(self) -> None:
        self._put("labels.tsv", "".join(f"{name}\t{text}\n" for name, text in self.rows).encode("utf-8"))

    def _put(self, name: str, content: bytes) -> None:
        (self.folder / name).unlink(missing_ok=True)  # the clean set may hold the same file
        (self.folder / name).write_bytes(content)

    def text(self, position: int, new: str) -> None:
        self.rows[position] = (self.rows[position][0], new)
        self.save()

    def bytes(self, position: int) -> bytes:
        return (self.folder / self.rows[position][0]).read_bytes()

    def content(self, position: int, content: bytes) -> None:
        self._put(self.rows[position][0], content)

    def picture(self, position: int, change: Callable[[Image.Image], Image.Image]) -> None:
        stream = io.BytesIO()
        change(Image.open(io.BytesIO(self.bytes(position)))).save(stream, "PNG")
        self.content(position, stream.getvalue())

    def shortest(self, length: int) -> int:
        """The first line of that many characters or more, as few as there are."""
        return min((len(text), i) for i, (_, text) in enumerate(self.rows) if len(text) >= length)[1]

    def widest(self) -> int:
        """The line with the widest picture."""
        sizes = [Image.open(self.folder / name).size for name, _ in self.rows]
        return max((width / height, i) for i, (width, height) in enumerate(sizes))[1]


Plant = Callable[[Path, str], Planted]
PLANTS: dict[str, Plant] = {}
"""Kind -> function that plants it in a copy of the clean set."""


def _label(kind: str, position: int, change: Callable[[str], str], role: str = "train", charset: str = "") -> None:
    def plant(folder: Path, kind: str) -> Planted:
        side = _Side(folder / role)
        side.text(position, change(side.rows[position][1]))
        return Planted(kind, role, position, charset=charset)

    PLANTS[kind] = plant


def _picture(kind: str, position: int, change: Callable[[Image.Image], Image.Image], *with_it: str) -> None:
    def plant(folder: Path, kind: str) -> Planted:
        _Side(folder / "train").picture(position, change)
        return Planted(kind, "train", position, frozenset(with_it))

    PLANTS[kind] = plant


def _planted(kind: str) -> Callable[[Plant], Plant]:
    def register(function: Plant) -> Plant:
        PLANTS[kind] = function
        return function

    return register


_label(labels.EMPTY_LABEL, 3, lambda text: "  ")
_label(labels.CONTROL_CHARACTER, 5, lambda text: f"{text[:4]}\x07{text[4:]}")
_label(labels.UNKNOWN_CHARACTER, 7, lambda text: f"{text[:3]}é{text[4:]}", charset=CHARACTERS)
_label(labels.CANNOT_FIT, 9, lambda text: " ".join([text] * 12))
_label(kinds.OUT_OF_REACH, 11, lambda text: f"{text[:3]}ß{text[4:]}", role="val")
_label(kinds.NOT_NFC, 13, lambda text: f"{text[:3]}e\u0301{text[4:]}")
_label(kinds.INVISIBLE, 15, lambda text: f"{text[:3]}\u200b{text[3:]}")
_label(kinds.BIDI_CONTROL, 17, lambda text: f"\u202e{text}\u202c")
_label(kinds.SPACE_AT_END, 19, lambda text: f"{text} ")
_label(kinds.DOUBLE_SPACE, 21, lambda text: f"{text[:-4]}ab  cd")
_label(kinds.ODD_SPACE, 23, lambda text: f"{text[:-4]}ab\u00a0c")
_label(kinds.MIXED_SCRIPTS, 25, lambda text: f"{text[:-5]}pаper")
_label(kinds.LOOK_ALIKE, 27, lambda text: f"{text[:-4]} сор")
_label(kinds.FULL_WIDTH, 29, lambda text: f"{text[:-2]}４2")
_label(kinds.LIGATURE, 31, lambda text: f"{text[:-4]} ﬁx")
_label(kinds.PRESENTATION, 33, lambda text: f"{text[:-2]} ﻼ")
_label(kinds.LONE_MARK, 35, lambda text: f"\u0301{text[1:]}")
_label(kinds.PRIVATE_USE, 37, lambda text: f"{text[:-1]}\ue000")
_label(kinds.UNASSIGNED, 39, lambda text: f"{text[:-1]}\u0378")
_label(kinds.REPLACEMENT, 41, lambda text: f"{text[:-1]}\ufffd")
_label(kinds.MOJIBAKE, 43, lambda text: f"{text[:-5]}fÃ¼r")
_label(kinds.HTML_ENTITY, 45, lambda text: f"{text[:-8]}A &amp; B")
_label(kinds.FILE_NAME, 47, lambda text: "scan_0047.png")
_picture(check.TOO_WIDE, 49, lambda picture: picture.resize((4400, 30)))
_picture(kinds.TINY, 51, lambda picture: picture.resize((max(1, picture.width * 7 // picture.height), 7)))
_picture(kinds.BLANK, 53, lambda picture: picture.point([240 + grey // 20 for grey in range(256)]))
_picture(kinds.INVERTED, 55, ImageOps.invert)
_picture(kinds.ROTATED, 57, lambda picture: picture.rotate(90, expand=True, fillcolor=255), labels.CANNOT_FIT)


@_planted(check.UNUSABLE_ROW)
def _(folder: Path, kind: str) -> Planted:
    side = _Side(folder / "train")
    side.rows[59] = ("", side.rows[59][1])
    side.save()
    return Planted(kind, "train", 59)


@_planted(check.UNREADABLE)
def _(folder: Path, kind: str) -> Planted:
    side = _Side(folder / "train")
    side.content(61, side.bytes(61)[:-60])
    return Planted(kind, "train", 61)


@_planted(kinds.LONE_SURROGATE)
def _(folder: Path, kind: str) -> Planted:
    side = _Side(folder / "train")
    entries = [{"file_name": name, "text": text} for name, text in side.rows]
    entries[63]["text"] = entries[63]["text"][:-1] + "\udc80"
    (side.folder / "labels.tsv").unlink()
    (side.folder / "labels.json").write_text(json.dumps(entries), encoding="utf-8")
    return Planted(kind, "train", 63)


@_planted(kinds.FRAMES)
def _(folder: Path, kind: str) -> Planted:
    side = _Side(folder / "train")
    picture = Image.open(io.BytesIO(side.bytes(65)))
    side.rows[65] = ("images/pages.tif", side.rows[65][1])
    picture.save(side.folder / "images" / "pages.tif", save_all=True, append_images=[picture])
    side.save()
    return Planted(kind, "train", 65)


@_planted(kinds.ASPECT)
def _(folder: Path, kind: str) -> Planted:
    side = _Side(folder / "train")
    bar = Image.new("L", (7, 70), 255)
    ImageDraw.Draw(bar).line((3, 10, 3, 60), fill=0)
    side.picture(67, lambda _: bar)
    side.text(67, "I")
    return Planted(kind, "train", 67)


@_planted(kinds.LONG_LABEL)
def _(folder: Path, kind: str) -> Planted:
    side = _Side(folder / "train")
    position = side.shortest(8)
    side.text(position, "".join(f"{c}{d}{e}" for c, d, e in zip("adghkmpqt", "befijlnor", "cuvxyz135", strict=True)))
    return Planted(kind, "train", position)


@_planted(kinds.SHORT_LABEL)
def _(folder: Path, kind: str) -> Planted:
    side = _Side(folder / "train")
    position = side.widest()
    side.text(position, side.rows[position][1][:9].strip() + "e")
    return Planted(kind, "train", position)


@_planted(kinds.DUPLICATE)
def _(folder: Path, kind: str) -> Planted:
    side = _Side(folder / "train")
    side.content(71, side.bytes(20))
    side.text(71, side.rows[20][1])
    return Planted(kind, "train", 71)


@_planted(kinds.CONFLICT)
def _(folder: Path, kind: str) -> Planted:
    side = _Side(folder / "train")
    side.content(73, side.bytes(22))
    side.text(73, side.rows[22][1][:-1] + "Q")
    return Planted(kind, "train", 73)


@_planted(kinds.LEAK)
def _(folder: Path, kind: str) -> Planted:
    train, val = _Side(folder / "train"), _Side(folder / "val")
    val.content(25, train.bytes(24))
    val.text(25, train.rows[24][1])
    return Planted(kind, "val", 25)


def plant(kind: str, clean: Path, folder: Path) -> Planted:
    """A copy of the clean set with one fault.

    Args:
        kind: one of `PLANTS`.
        clean: what `write_clean` wrote; its files are linked, not copied.
        folder: of the copy.
    """
    shutil.copytree(clean, folder, copy_function=os.link)
    return PLANTS[kind](folder, kind)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="new folder")
    folder = parser.parse_args().folder
    write_clean(folder / "clean")
    rows = ["folder\tside\tline\tkind\toptions\n"]
    for kind in PLANTS:
        name = kind.replace(" ", "_").replace(",", "")
        done = plant(kind, folder / "clean", folder / name)
        options = f"--charset '{done.charset}'" if done.charset else ""
        rows.append(f"{name}\t{done.role}\t{done.position + 1}\t{kind}\t{options}\n")
    (folder / "planted.tsv").write_text("".join(rows), encoding="utf-8")
    print(f"{folder}: a clean set and {len(PLANTS)} copies with a fault each; planted.tsv says where")


if __name__ == "__main__":
    main()
