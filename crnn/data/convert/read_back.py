"""What was written, read as a training would, and held against what was to be written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from crnn.core.picture import open_picture
from crnn.core.transform import LineTransform
from crnn.data.check import UNUSABLE_ROW, check_lines
from crnn.data.convert.base import DIGEST_BYTES, digest
from crnn.data.convert.pictures import read_content
from crnn.data.progress import Watch
from crnn.data.sources.indexed import IndexedSource, make_source
from crnn.data.sources.registry import find_reader
from crnn.errors import DataError, printable


def read_back(result: Path, digests: Path, lines: int, watch: Watch, threads: int = 2) -> tuple[str, Counter[str]]:
    """(fingerprint, lines that a training would drop by reason) of a result, if it holds what it should.

    Args:
        result: what was written.
        digests: a file with the `digest` of every line, in order.
        lines: how many there are.
        watch: shows progress.
        threads: that many pictures are decoded at once.

    Raises:
        DataError: if a line is missing, or its label or picture is another than was written.
    """
    source = make_source(find_reader(result)[1])
    compared = _Compared(source, digests)
    try:
        if len(source) != lines or len(compared.digests) != lines:
            raise DataError(f"{printable(result)}: {lines:,} lines were written, {len(source):,} are read; {_REMEDY}")

        def progress(positions: Iterable[int]) -> Iterable[int]:
            return watch(positions, lines, "reading back")

        report = check_lines(compared, LineTransform(), threads=threads, progress=progress)
        bad = [dropped.where for dropped in report.dropped if dropped.reason == UNUSABLE_ROW]
        bad += [source.entry(position).where for position in sorted(compared.wrong)]
        if bad:
            raise DataError(
                f"{printable(bad[0])}: does not read as it was written ({len(bad):,} such lines); {_REMEDY}"
            )
        return report.fingerprint, Counter(dropped.reason for dropped in report.dropped)
    finally:
        source.reader.release()


_REMEDY = "is the disk full or failing? Delete the .part folder and convert again"


class _Compared(IndexedSource):
    """Lines whose label and picture file are compared when the picture is asked for."""

    def __init__(self, source: IndexedSource, digests: Path) -> None:
        super().__init__(source.reader, source.index, source.signature)
        raw = np.fromfile(digests, dtype=np.uint8)
        self.digests = raw[: len(raw) // DIGEST_BYTES * DIGEST_BYTES].reshape(-1, DIGEST_BYTES)
        """(lines, DIGEST_BYTES)"""
        self.wrong: set[int] = set()

    def picture(self, position: int) -> Image.Image:
        entry = self.entry(position)
        self.wrong.add(position)  # until it is known to be right
        content = self.content(position)
        assert not isinstance(content, Image.Image)  # noqa: S101  # only pages have these
        data = read_content(content, entry.where)
        if digest(entry.text, data) != self.digests[position].tobytes():
            raise DataError(f"{entry.where}: is another line than was written")
        self.wrong.discard(position)
        return open_picture(data, entry.where)
