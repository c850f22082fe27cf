"""The same lines in every format: is what a training sees the same?

    python scripts/same_lines.py my_lines/train --lines 1000 --folder DIR

Writes the first lines of any set (or rendered ones) in all formats of ``crnn convert``, and tables, archives, Arrow and
PAGE by hand, and prints for each what ``crnn train`` would see: lines kept, fingerprint, charset size, a hash of the
first training batch. Exits with 1 if one differs.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import shutil
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from xml.sax.saxutils import escape

import crnn.torchvision_cure  # noqa: F401  # before lightning

from PIL import Image

from crnn.core.charset import Charset
from crnn.core.image import LineTransform
from crnn.data.augment import Augment
from crnn.data.check import check_lines
from crnn.data.convert.driver import WRITERS, convert
from crnn.data.labels import label_problem
from crnn.data.module import LineDataModule, prepare
from crnn.data.sources import LineSource, open_source
from crnn.data.sources.columns import labels
from crnn.data.sources.views import Selection
from crnn.data.synth.source import synthetic_pair
from crnn.training.config import AugmentConfig

PAGE_HEIGHT = 30_000
"""Pixels of a page at most."""


def seen(path: Path) -> tuple[str, str, str, str]:
    """(lines, fingerprint, charset size, first batch) as words."""
    source = open_source(path)
    transform = LineTransform(32)
    charset = Charset.from_texts(text for text in labels(source) if label_problem(text) is None)
    report = check_lines(source, transform, charset)
    lines = prepare(source, transform, charset, True, iter)
    augment = Augment(AugmentConfig())
    data = LineDataModule(lines, lines, charset, transform, augment, 32, 2**20, 0, seed=1)
    batch = next(iter(data.train_dataloader()))
    digest = hashlib.sha256(batch.images.numpy().tobytes() + "\0".join(batch.texts).encode()).hexdigest()
    return f"{len(report.kept)} of {len(report)}", report.fingerprint[:16], str(len(charset)), digest[:16]


def table(folder: Path, name: str, write: Callable[[Path, list[tuple[str, str]]], None]) -> Path:
    """The pictures of the folder ``tsv`` beside `folder`, with another label file."""
    shutil.copytree(folder.parent / "tsv", folder)
    rows = [tuple(row.split("\t", 1)) for row in (folder / "labels.tsv").read_text(encoding="utf-8").splitlines()]
    (folder / "labels.tsv").unlink()
    write(folder / name, rows)  # type: ignore[arg-type]
    return folder


def write_csv(path: Path, rows: list[tuple[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("filename", "text"), *rows])


def write_json(path: Path, rows: list[tuple[str, str]]) -> None:
    path.write_text(json.dumps(dict(rows)), encoding="utf-8")


def write_json_lines(path: Path, rows: list[tuple[str, str]]) -> None:
    path.write_text("".join(json.dumps({"file_name": n, "text": t}) + "\n" for n, t in rows), encoding="utf-8")


def write_paddle(path: Path, rows: list[tuple[str, str]]) -> None:
    path.write_text("".join(f"{name}\t{text}\n" for name, text in rows), encoding="utf-8")


def zipped(folder: Path) -> Path:
    path = folder.with_name("folder.zip")
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted((folder.parent / "gt").rglob("*.*")):
            archive.write(file, file.relative_to(folder.parent / "gt"))
    return path


def arrow(folder: Path) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    read = pq.read_table(folder.parent / "parquet")
    path = folder.with_name("lines.arrow")
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, read.schema) as writer:
        writer.write_table(read, max_chunksize=100)
    return path


def pages(folder: Path) -> Path:
    """PAGE XML: as many lines under each other as fit a page, cut out by their boxes."""
    source = open_source(folder.parent / "tsv")
    folder.mkdir()
    start = 0
    while start < len(source):
        end, height = start, 0
        while end < len(source) and height + source.size(end)[1] <= PAGE_HEIGHT:
            height += source.size(end)[1]
            end += 1
        page = Image.new("L", (max(source.size(i)[0] for i in range(start, end)), height))
        rows, top = [], 0
        for i in range(start, end):
            picture = source.picture(i)
            page.paste(picture, (0, top))
            right, bottom = picture.width, top + picture.height
            corners = f"0,{top} {right},{top} {right},{bottom} 0,{bottom}"
            text = escape(source.entry(i).text)
            rows.append(
                f'<TextLine id="l{i}"><Coords points="{corners}"/><TextEquiv><Unicode>{text}</Unicode></TextEquiv>'
                "</TextLine>"
            )
            top = bottom
        name = f"page{start:06d}"
        page.save(folder / f"{name}.png")
        (folder / f"{name}.xml").write_text(
            '<?xml version="1.0" encoding="UTF-8"?><PcGts xmlns="http://schema.primaresearch.org/PAGE/gts/pagecontent/'
            f'2019-07-15"><Page imageFilename="{name}.png" imageWidth="{page.width}" imageHeight="{page.height}">'
            f'<TextRegion id="r"><Coords points="0,0"/>{"".join(rows)}</TextRegion></Page></PcGts>',
            encoding="utf-8",
        )
        start = end
    return folder


BY_HAND: dict[str, Callable[[Path], Path]] = {
    "CSV with a header": lambda folder: table(folder, "labels.csv", write_csv),
    "JSON map": lambda folder: table(folder, "labels.json", write_json),
    "JSON Lines": lambda folder: table(folder, "metadata.jsonl", write_json_lines),
    "PaddleOCR": lambda folder: table(folder, "rec_gt.txt", write_paddle),
    "zip of pairs": zipped,
    "Arrow": arrow,
    "PAGE": pages,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", help="labelled lines (rendered ones)")
    parser.add_argument("--lines", type=int, default=1000)
    parser.add_argument("--folder", help="where the temporary folder is made")
    args = parser.parse_args()
    source: LineSource
    if args.data:
        opened = open_source(args.data)
        source = Selection(opened, range(min(args.lines, len(opened))))
    else:
        rendered = synthetic_pair(args.lines, 1, seed=1, fonts="bundled")[0]
        rendered.endless = False
        source = rendered
    results = {}
    with tempfile.TemporaryDirectory(dir=args.folder) as name:
        for number, kind in enumerate([*WRITERS, "x.tar", "x.parquet", *BY_HAND]):
            started = time.perf_counter()
            if kind in BY_HAND:
                path = BY_HAND[kind](Path(name) / f"hand{number}")
            else:
                path = Path(name) / kind
                convert(source, "", path, kind.removeprefix("x."))
            written = time.perf_counter() - started
            results[kind] = seen(path)
            both = f"{written:.1f} s written, {time.perf_counter() - started - written:.1f} s read"
            print(f"{kind:18}", *results[kind], both, sep="  ", flush=True)
    different = [kind for kind, one in results.items() if one != results["lmdb"]]
    print(f"different: {', '.join(different)}" if different else f"all {len(results)} the same")
    return bool(different)


if __name__ == "__main__":
    sys.exit(main())
