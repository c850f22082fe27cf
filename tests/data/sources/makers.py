"""One maker for each way to keep labelled lines on disk. Each writes the lines of `TEXTS` with the pictures of `picture`.

A format joins the contract in test_contract.py with one entry: ``MAKERS["name"] = maker``, where ``maker(folder)`` writes
into a folder that does not exist yet and returns the path to open. `OPTIONS` has what the user must say, if anything.
"""

from __future__ import annotations

import csv
import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from base_makers import BASE_MAKERS
from page_files import alto_pages, transkribus_export
from PIL import Image

from crnn.data.sources import ReadOptions

TEXTS = ["eins", " zwei  drei ", 'Komma, "Zitat"', "नि", "مرحبا 1", "👍🏽;ok"]
Maker = Callable[[Path], Path]


def picture(i: int) -> Image.Image:
    """The i-th line: 20 pixels high, of a width and grey of its own, darker at the left."""
    pixels = np.full((20, 40 + 7 * i), 100 + 10 * i, dtype=np.uint8)
    pixels[:, :5] = i
    return Image.fromarray(pixels)


def numbered(i: int) -> str:
    """All of as many digits, so that names sort as the lines come."""
    return f"{i:0{len(str(len(TEXTS) - 1))}d}"


def save_pictures(folder: Path, name: str = "images/{}.png") -> list[str]:
    """Write all pictures below `folder`; their names."""
    names = [name.format(numbered(i)) for i in range(len(TEXTS))]
    for i, one in enumerate(names):
        (folder / one).parent.mkdir(parents=True, exist_ok=True)
        picture(i).save(folder / one)
    return names


def lines_file(file: str, row: Callable[[str, str], str], header: str = "", name: str = "images/{}.png") -> Maker:
    """A maker of a file with one row per line."""

    def make(folder: Path) -> Path:
        rows = "".join(row(one, text) + "\n" for one, text in zip(save_pictures(folder, name), TEXTS, strict=True))
        (folder / file).write_text(header + rows, encoding="utf-8")
        return folder

    return make


def csv_file(file: str, header: list[str], delimiter: str = ",", **quoting: int) -> Maker:
    """A maker of a file that Python's csv module writes."""

    def make(folder: Path) -> Path:
        stream = io.StringIO()
        writer = csv.writer(stream, delimiter=delimiter, **quoting)  # type: ignore[arg-type]
        if header:
            writer.writerow(header)
        for number, (one, text) in enumerate(zip(save_pictures(folder), TEXTS, strict=True)):
            writer.writerow([{"score": number, "text": text, "words": text}.get(key, one) for key in header or "ft"])
        (folder / file).write_text(stream.getvalue(), encoding="utf-8", newline="")
        return folder

    return make


def headless(file: str, delimiter: str) -> Maker:
    def make(folder: Path) -> Path:
        with io.StringIO() as stream:
            csv.writer(stream, delimiter=delimiter).writerows(zip(save_pictures(folder), TEXTS, strict=True))
            (folder / file).write_text(stream.getvalue(), encoding="utf-8", newline="")
        return folder

    return make


def json_file(file: str, shape: Callable[[list[tuple[str, str]]], object], name: str = "images/{}.png") -> Maker:
    """A maker of a JSON file; `shape` makes its value of (picture, text) pairs."""

    def make(folder: Path) -> Path:
        value = shape(list(zip(save_pictures(folder, name), TEXTS, strict=True)))
        (folder / file).write_text(json.dumps(value, indent=1), encoding="utf-8")
        return folder

    return make


def text_beside(suffix: str) -> Maker:
    def make(folder: Path) -> Path:
        for name, text in zip(save_pictures(folder, "page/{}.png"), TEXTS, strict=True):
            (folder / name).with_suffix(suffix).write_text(text + "\n", encoding="utf-8")
        return folder

    return make


def doctr(folder: Path) -> Path:
    """docTR: ``labels.json`` names pictures that lie in ``images/``."""
    names = [name.removeprefix("images/") for name in save_pictures(folder)]
    (folder / "labels.json").write_text(json.dumps(dict(zip(names, TEXTS, strict=True))), encoding="utf-8")
    return folder


def paddle_below(folder: Path) -> Path:
    """PaddleOCR: names begin at a folder above that of the label file."""
    return lines_file("rec_gt_train.txt", lambda name, text: f"train_data/rec/{name}\t{text}", name="train/{}.png")(
        folder
    )


def names_are_labels(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for i, text in enumerate(TEXTS):
        picture(i).save(folder / f"{numbered(i)}_{text}.png")
    return folder


def given_itself(make: Maker, file: str) -> Maker:
    """The label file's path instead of its folder's."""
    return lambda folder: make(folder) / file


def zipped(make: Maker, inside: str = "") -> Maker:
    """The same in a zip archive, perhaps in one folder there."""

    def pack(folder: Path) -> Path:
        root = make(folder / "plain")
        path = folder / "lines.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted(root.rglob("*")):
                archive.write(file, inside + file.relative_to(root).as_posix())
            if inside:  # as a Mac adds
                archive.writestr("__MACOSX/._labels.csv", b"\0\1")
        return path

    return pack


def tarred(make: Maker) -> Maker:
    """The same in a plain tar archive."""

    def pack(folder: Path) -> Path:
        root = make(folder / "plain")
        path = folder / "lines.tar"
        with tarfile.open(path, "w") as archive:
            archive.add(root, arcname=".")
        return path

    return pack


def _object(pair: tuple[str, str]) -> dict[str, object]:
    return {"file_name": pair[0], "text": pair[1], "split": 1}


_EASYOCR = lines_file("labels.csv", lambda name, text: f"{name},{text}", "filename,words\n")
_LIST = json_file("data.json", lambda pairs: [{"image": name, "label": text} for name, text in pairs])
_QUOTED = csv_file("anything.csv", ["ID", "words", "Filename"], quoting=csv.QUOTE_ALL)


def _icdar(name: str, text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'{name}, "{escaped}"'


def page(folder: Path) -> Path:
    return transkribus_export(folder, TEXTS, [picture(i) for i in range(len(TEXTS))])


def alto(folder: Path) -> Path:
    return alto_pages(folder, TEXTS, [picture(i) for i in range(len(TEXTS))])


MAKERS: dict[str, Maker] = {
    "labels.tsv": lines_file("labels.tsv", lambda name, text: f"{name}\t{text}"),
    "gt.txt nested": text_beside(".gt.txt"),
    "txt nested": text_beside(".txt"),
    "gt.txt zip": zipped(text_beside(".gt.txt")),
    "gt.txt tar": tarred(text_beside(".gt.txt")),
    "easyocr": _EASYOCR,
    "easyocr zip in a folder": zipped(_EASYOCR, "my lines/"),
    "easyocr tar": tarred(_EASYOCR),
    "easyocr itself": given_itself(_EASYOCR, "labels.csv"),
    "csv quoted": _QUOTED,
    "csv itself": given_itself(_QUOTED, "anything.csv"),
    "csv semicolon": csv_file("metadata.csv", ["score", "Image", "text"], ";"),
    "tsv header itself": given_itself(csv_file("x.tsv", ["path", "text"], "\t"), "x.tsv"),
    "csv headless": headless("list.csv", ","),
    "semicolon headless": headless("list.csv", ";"),
    "paddle": lines_file("rec_gt_train.txt", lambda name, text: f"{name}\t{text}"),
    "paddle data_dir": paddle_below,
    "paddle json list": lines_file("train_list.txt", lambda name, text: f"{json.dumps([name])}\t{text}"),
    "dtrb space": lines_file("gt.txt", lambda name, text: f"{name} {text}", name="w/{}.jpg.png"),
    "icdar": lines_file("gt.txt", _icdar, "\ufeff", name="word_{}.png"),
    "metadata.jsonl": lines_file("metadata.jsonl", lambda *pair: json.dumps(_object(pair))),
    "mmocr 0 txt": lines_file("label.txt", lambda n, t: json.dumps({"filename": n, "text": t}, ensure_ascii=False)),
    "mmocr 1": json_file(
        "textrecog_train.json",
        lambda pairs: {
            "metainfo": {"dataset_type": "TextRecogDataset"},
            "data_list": [{"img_path": name, "instances": [{"text": text}]} for name, text in pairs],
        },
    ),
    "json list": _LIST,
    "json list zip": zipped(_LIST),
    "json list itself": given_itself(_LIST, "data.json"),
    "json map": json_file("anything.json", dict),
    "doctr": doctr,
    "doctr tar": tarred(doctr),
    "page": page,
    "page zip": zipped(page),
    "alto": alto,
    "alto tar": tarred(alto),
    "alto itself": given_itself(alto, "p1.xml"),
    "file names": names_are_labels,
    "file names zip": zipped(names_are_labels, "x/"),
}
for _name, _make in BASE_MAKERS.items():
    MAKERS[_name] = lambda folder, make=_make: make(folder, [(text, picture(i)) for i, text in enumerate(TEXTS)])  # type: ignore[misc]
OPTIONS: dict[str, ReadOptions] = dict.fromkeys(
    ("file names", "file names zip"), ReadOptions(name_pattern="[0-9]+_(?P<text>.+)")
)
