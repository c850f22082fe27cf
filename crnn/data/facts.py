"""What the pictures of a source are: sizes, rows of the line, a hash of the pixels. Looked up once, then kept.

They lie beside the source's index. Runs without torch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Literal, Protocol, get_args
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from crnn.core.trim import VERSION, trimmed
from crnn.data.hashes import pixel_hash
from crnn.data.sources.base import LineSource
from crnn.data.sources.indexed import IndexedSource
from crnn.data.sources.views import Concatenation, Selection
from crnn.errors import DataError
from crnn.files import write_atomic

Look = Literal["headers", "decoded", "lines"]
"""How closely pictures are looked at, see `picture_facts`."""
LOOKS: tuple[Look, ...] = get_args(Look)
"""Each finds what those before it find."""
Progress = Callable[[Iterable[int]], Iterable[int]]
"""Wraps positions, for a progress display."""


class Peers(Protocol):
    """Processes that look at the same pictures and share the work; see `crnn.training.processes`."""

    rank: int
    world: int
    local_rank: int

    def exchange(self, mine: bytes) -> list[bytes]:
        """What each gives, by rank; all have to call it."""
        ...


_BLOCK = 2048
"""Lines handed to the threads at a time."""


@dataclass
class PictureFacts:
    """About each picture of a source."""

    sizes: NDArray[np.int32]
    """(N, 2): width and height in pixels, upright; 0 where the picture cannot be read."""
    hashes: NDArray[np.uint64]
    """(N,): of the upright grey pixels; 0 where they were not decoded."""
    lines: NDArray[np.int32]
    """(N, 2): width and height of what the line fills, see `crnn.core.trim`; 0 where it was not looked for."""
    problems: dict[int, str]
    """Position -> why the picture cannot be read."""

    @classmethod
    def none(cls, lines: int) -> PictureFacts:
        """Of pictures that nobody has looked at."""
        return cls(np.zeros((lines, 2), np.int32), np.zeros(lines, np.uint64), np.zeros((lines, 2), np.int32), {})

    def select(self, positions: NDArray[np.int64]) -> PictureFacts:
        """Those of some lines."""
        problems = {i: self.problems[int(p)] for i, p in enumerate(positions) if int(p) in self.problems}
        return PictureFacts(self.sizes[positions], self.hashes[positions], self.lines[positions], problems)

    @classmethod
    def join(cls, facts: list[PictureFacts]) -> PictureFacts:
        """Those of several sources, one after the other."""
        problems: dict[int, str] = {}
        start = 0
        for one in facts:
            problems |= {start + position: problem for position, problem in one.problems.items()}
            start += len(one.sizes)
        sizes, hashes, lines = (np.concatenate([getattr(f, of) for f in facts]) for of in ("sizes", "hashes", "lines"))
        return cls(sizes, hashes, lines, problems)

    def save(self, path: Path) -> None:
        """As .npz, whole or not at all."""
        with write_atomic(path) as temporary:
            temporary.write_bytes(self.to_bytes())

    def to_bytes(self) -> bytes:
        """What `load` takes."""
        numbers = np.array(list(self.problems), dtype=np.int64)
        texts = np.array(list(self.problems.values()), dtype=np.str_)
        file = BytesIO()
        np.savez(file, sizes=self.sizes, hashes=self.hashes, lines=self.lines, numbers=numbers, texts=texts)
        return file.getvalue()

    @classmethod
    def load(cls, path: Path | BytesIO) -> PictureFacts:
        """What `save` wrote, or the bytes of `to_bytes`.

        Raises:
            OSError, ValueError, KeyError: if it is not there or not whole.
        """
        with np.load(path, allow_pickle=False) as stored:
            problems = dict(zip(stored["numbers"].tolist(), stored["texts"].tolist(), strict=True))
            return cls(stored["sizes"], stored["hashes"], stored["lines"], problems)


def picture_facts(
    source: LineSource,
    look: Look = "decoded",
    threads: int = 2,
    progress: Progress = iter,
    peers: Peers | None = None,
) -> PictureFacts:
    """Look at every picture of a source, or take what an earlier run found.

    Args:
        source: not endless.
        look: ``headers`` only; ``decoded``: decode every picture, which finds damaged ones; ``lines``: and what
            its line fills.
        threads: that many pictures are looked at together.
        progress: wraps the positions.
        peers: processes that all ask for the same: each looks at its share, and all get the whole.
    """
    if isinstance(source, Selection):
        return picture_facts(source.source, look, threads, progress, peers).select(source.positions)
    if isinstance(source, Concatenation):
        return PictureFacts.join([picture_facts(one, look, threads, progress, peers) for one in source.sources])
    folder = source.index.folder if isinstance(source, IndexedSource) else None
    found = _found(folder, look, len(source)) if folder else None
    if peers and not all(peers.exchange(b"found" if found else b"")):
        found = None  # one has to look, so all help
    if found:
        return found
    facts = _shared(source, look, threads, progress, peers) if peers else _look(source, look, threads, progress)
    if folder and (peers is None or peers.local_rank == 0):
        facts.save(folder / _name(look))
    return facts


def _name(look: Look) -> str:
    return f"pictures_{look}{VERSION}.npz" if look == "lines" else f"pictures_{look}.npz"


def _found(folder: Path, look: Look, lines: int) -> PictureFacts | None:
    """What an earlier run found out, that looked as closely or more so."""
    for closer in LOOKS[LOOKS.index(look) :]:
        try:
            facts = PictureFacts.load(folder / _name(closer))
            if len(facts.sizes) == lines:
                return facts
        except (OSError, EOFError, ValueError, KeyError, BadZipFile):
            continue
    return None


def _shared(source: LineSource, look: Look, threads: int, progress: Progress, peers: Peers) -> PictureFacts:
    """Each process looks at a part of the lines, that lie one after the other."""
    ends = [len(source) * (rank + 1) // peers.world for rank in range(peers.world)]
    first = ends[peers.rank - 1] if peers.rank else 0
    mine = _look(source, look, threads, progress, range(first, ends[peers.rank]))
    return PictureFacts.join([PictureFacts.load(BytesIO(part)) for part in peers.exchange(mine.to_bytes())])


def _look(
    source: LineSource, how: Look, threads: int, progress: Progress, positions: range | None = None
) -> PictureFacts:
    positions = range(len(source)) if positions is None else positions
    facts = PictureFacts.none(len(positions))

    def look(position: int) -> None:
        if source.entry(position).problem:  # there may be no picture to look for
            return
        row = position - positions.start
        try:
            if how == "headers":
                facts.sizes[row] = source.size(position)
                return
            picture = source.picture(position)
            facts.sizes[row] = picture.size
            facts.hashes[row] = pixel_hash(picture.tobytes(), picture.size)
            if how == "lines":
                facts.lines[row] = trimmed(picture).size
        except DataError as error:
            facts.problems[row] = str(error)

    with ThreadPoolExecutor(max(1, threads)) as pool:
        block: list[int] = []
        for position in progress(positions):
            block.append(position)
            if len(block) == _BLOCK or position == positions[-1]:
                list(pool.map(look, block))
                block = []
                if isinstance(source, IndexedSource):  # else all of a database stays mapped
                    source.reader.release()
    return facts
