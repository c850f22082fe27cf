"""What pictures are is looked up once, kept beside the index, and looked up again when the files change."""

from __future__ import annotations

import shutil
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests_support import ListSource

from crnn.data import facts
from crnn.data.facts import PictureFacts, picture_facts
from crnn.data.hashes import pixel_hash
from crnn.data.sources import LineEntry, open_source
from crnn.data.sources.views import Concatenation, Selection
from crnn.errors import DataError


@pytest.fixture
def lines(line_folder: Path, tmp_path: Path) -> Path:
    shutil.copytree(line_folder / "train", tmp_path / "train")
    (tmp_path / "train" / "images" / "009.png").write_bytes(b"junk")
    return tmp_path / "train"


def test_sizes_hashes_and_problems(lines: Path) -> None:
    source = open_source(lines)
    found = picture_facts(source)
    assert found.sizes.shape == (48, 2)
    assert found.sizes[9].tolist() == [0, 0]
    assert list(found.problems) == [9]
    assert "009.png: is not a picture" in found.problems[9]
    for i in (0, 20, 47):
        picture = source.picture(i)
        assert tuple(found.sizes[i]) == picture.size == source.size(i)
        assert found.hashes[i] == pixel_hash(picture.tobytes(), picture.size)
    assert len(set(found.hashes.tolist())) == 48  # pictures differ; 0 is the one that cannot be read
    headers = picture_facts(source, "headers")
    assert np.array_equal(headers.sizes, found.sizes)
    assert not headers.hashes.any()
    assert pixel_hash(bytes(6), (2, 3)) != pixel_hash(bytes(6), (3, 2))


def test_views(lines: Path) -> None:
    source = open_source(lines)
    found = picture_facts(Concatenation([Selection(source, [9, 3]), source]))
    assert list(found.problems) == [0, 11]
    assert np.array_equal(found.hashes[2:], picture_facts(source).hashes)
    assert found.hashes[1] == found.hashes[5]
    assert picture_facts(Selection(source, [])).sizes.shape == (0, 2)


def test_kept_beside_the_index(lines: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = tmp_path / "cache"
    first = picture_facts(open_source(lines, cache=cache), "headers")
    decoded = picture_facts(open_source(lines, cache=cache))
    assert decoded.hashes.any()
    looked = []
    monkeypatch.setattr(facts, "_look", lambda source, *rest: looked.append(source) or first)
    again = picture_facts(open_source(lines, cache=cache))
    assert looked == []
    assert np.array_equal(again.hashes, decoded.hashes)
    assert np.array_equal(again.sizes, decoded.sizes)
    assert again.problems == decoded.problems
    picture_facts(open_source(lines, cache=cache), "headers")
    assert looked == []
    (lines / "images" / "009.png").write_bytes((lines / "images" / "010.png").read_bytes())
    picture_facts(open_source(lines, cache=cache))
    assert len(looked) == 1
    [folder] = cache.iterdir()  # the old index is gone
    (folder / "pictures_decoded.npz").write_bytes(b"cut")
    picture_facts(open_source(lines, cache=cache))
    assert len(looked) == 2


def test_saved_and_loaded(tmp_path: Path) -> None:
    whole = PictureFacts(
        np.array([[1, 2], [0, 0]], np.int32),
        np.array([7, 0], np.uint64),
        np.array([[1, 2], [0, 0]], np.int32),
        {1: "no \u05d0"},
    )
    whole.save(tmp_path / "x.npz")
    again = PictureFacts.load(tmp_path / "x.npz")
    assert (again.sizes.tolist(), again.hashes.tolist(), again.problems) == ([[1, 2], [0, 0]], [7, 0], {1: "no \u05d0"})
    assert again.lines.tolist() == [[1, 2], [0, 0]]
    assert PictureFacts.join([whole, whole]).lines.tolist() == [[1, 2], [0, 0]] * 2
    assert whole.select(np.array([1, 1, 0])).lines.tolist() == [[0, 0], [0, 0], [1, 2]]
    assert PictureFacts.join([whole, whole]).problems == {1: "no \u05d0", 3: "no \u05d0"}


def listed(count: int, broken: tuple[int, ...] = ()) -> ListSource:
    """Lines of which some pictures cannot be read, and number 1 is no line at all."""
    entries = [LineEntry("x", f"l:{i}", f"{i}.png", problem="is none" if i == 1 else "") for i in range(count)]
    source = ListSource(entries)
    whole = source.picture

    def picture(position: int) -> Image.Image:
        if position in broken:
            raise DataError(f"{position} is broken")
        return whole(position)

    source.picture = picture  # type: ignore[method-assign]
    return source


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6])
@pytest.mark.parametrize("decode", [True, False])
def test_every_line_is_looked_at_once(count: int, decode: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facts, "_BLOCK", 2)
    source, seen = listed(count, broken=(3,)), []

    def watch(positions):  # type: ignore[no-untyped-def]
        for position in positions:
            seen.append(position)
            yield position

    found = picture_facts(source, "decoded" if decode else "headers", threads=1, progress=watch)
    assert seen == list(range(count))
    assert found.sizes.tolist() == [[0, 0] if i == 1 or (i == 3 and decode) else [20 + i, 16] for i in range(count)]
    assert found.problems == ({3: "3 is broken"} if decode and count > 3 else {})
    assert sorted(source.opened) == ([i for i in range(count) if i not in (1, 3)] if decode else [])
    assert [bool(value) for value in found.hashes] == [decode and i not in (1, 3) for i in range(count)]


class Others:
    """Processes of which each looked at its share before this one; by rank."""

    def __init__(self, rank: int, given: list[bytes]) -> None:
        self.rank, self.world, self.local_rank, self.given = rank, len(given), rank, given
        self.mine: list[bytes] = []

    def exchange(self, mine: bytes) -> list[bytes]:
        self.mine.append(mine)
        return [mine if rank == self.rank else part if mine else b"" for rank, part in enumerate(self.given)]


def test_processes_look_at_a_share_each() -> None:
    whole = picture_facts(listed(11, broken=(6,)), threads=1)
    parts, shares = [b""] * 4, []
    for _ in range(2):  # the second time, all parts are there
        for rank in range(4):
            source = listed(11, broken=(6,))
            given = [part or PictureFacts.none(0).to_bytes() for part in parts]
            others = Others(rank, given)
            found = picture_facts(source, threads=1, peers=others)
            parts[rank] = others.mine[-1]
            shares.append(sorted(source.opened))
    assert shares[4:] == [[0], [2, 3, 4], [5, 7], [8, 9, 10]]
    assert found.sizes.tolist() == whole.sizes.tolist()
    assert found.hashes.tolist() == whole.hashes.tolist()
    assert found.problems == whole.problems == {6: "6 is broken"}


def test_facts_of_some_lines_and_of_several_sources() -> None:
    four = PictureFacts(
        np.arange(8, dtype=np.int32).reshape(4, 2),
        np.arange(4, dtype=np.uint64),
        np.zeros((4, 2), np.int32),
        {1: "a", 3: "b"},
    )
    some = four.select(np.array([3, 0, 1]))
    assert (some.sizes.tolist(), some.hashes.tolist()) == ([[6, 7], [0, 1], [2, 3]], [3, 0, 1])
    assert some.problems == {0: "b", 2: "a"}
    both = PictureFacts.join([some, four, four.select(np.array([1]))])
    assert both.problems == {0: "b", 2: "a", 4: "a", 6: "b", 7: "a"}
    assert both.hashes.tolist() == [3, 0, 1, 0, 1, 2, 3, 1]


class Rank:
    """One of two processes; the other has what `others` says."""

    world = 2

    def __init__(self, rank: int, other: bytes) -> None:
        self.rank = self.local_rank = rank
        self.other = other
        self.given: list[bytes] = []

    def exchange(self, mine: bytes) -> list[bytes]:
        self.given.append(mine)
        other = self.other if len(self.given) == 1 else PictureFacts.load(BytesIO(mine)).to_bytes()
        return [mine, other] if self.rank == 0 else [other, mine]


def test_processes_that_all_found_it_do_not_look(lines: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = tmp_path / "cache"
    (lines / "images" / "009.png").write_bytes((lines / "images" / "010.png").read_bytes())
    alone = picture_facts(open_source(lines, cache=cache))
    looked: list[range] = []
    kept = facts._look
    monkeypatch.setattr(facts, "_look", lambda *a: looked.append(a[4]) or kept(*a))
    both = Rank(1, b"found")
    found = picture_facts(open_source(lines, cache=cache), peers=both)
    assert (both.given, looked) == ([b"found"], [])
    assert found.hashes.tolist() == alone.hashes.tolist()
    one = Rank(1, b"")  # the other has to look, so this one helps
    picture_facts(open_source(lines, cache=cache), peers=one)
    assert one.given[0] == b"found"
    assert looked == [range(24, 48)]


@pytest.mark.parametrize("rank", [0, 1])
def test_the_first_process_of_a_machine_keeps_what_was_found(rank: int, lines: Path, tmp_path: Path) -> None:
    source = open_source(lines, cache=tmp_path / "cache")
    peers = Rank(rank, b"")
    picture_facts(source, peers=peers)
    assert peers.given[0] == b""
    [folder] = (tmp_path / "cache").iterdir()
    assert (folder / "pictures_decoded.npz").exists() is (rank == 0)


def test_facts_of_other_lines_are_not_taken(lines: Path, tmp_path: Path) -> None:
    source = open_source(lines, cache=tmp_path / "cache")
    [folder] = (tmp_path / "cache").iterdir()
    few = PictureFacts(np.ones((47, 2), np.int32), np.ones(47, np.uint64), np.zeros((47, 2), np.int32), {})
    for name in ("decoded", "headers"):
        few.save(folder / f"pictures_{name}.npz")
    assert picture_facts(source, "headers").sizes.shape == (48, 2)
    headers = PictureFacts.load(folder / "pictures_headers.npz")
    assert headers.sizes[0].tolist() == list(source.size(0))
    marked = PictureFacts(np.full((48, 2), 7, np.int32), np.zeros(48, np.uint64), np.zeros((48, 2), np.int32), {})
    marked.save(folder / "pictures_headers.npz")
    assert picture_facts(source, "headers").sizes[0].tolist() == [7, 7]
    assert picture_facts(source).sizes[0].tolist() == list(source.size(0))  # headers alone do not tell pixels


def test_readers_let_go_after_each_block(lines: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facts, "_BLOCK", 20)
    source = open_source(lines)
    released: list[int] = []
    source.reader.release = lambda: released.append(1)  # type: ignore[attr-defined]
    picture_facts(source, threads=0)  # one at least
    assert len(released) == 3


def test_so_many_pictures_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    pool = facts.ThreadPoolExecutor
    monkeypatch.setattr(facts, "ThreadPoolExecutor", lambda threads: asked.append(threads) or pool(threads))
    for given in ({}, {"threads": 5}, {"threads": 0}):
        assert picture_facts(listed(4), **given).sizes.shape == (4, 2)  # type: ignore[arg-type]
    assert asked == [2, 5, 1]


@pytest.mark.parametrize("kept", [0, 20, 300])
def test_a_torn_file_of_facts_is_made_anew(lines: Path, tmp_path: Path, kept: int) -> None:
    source = open_source(lines, cache=tmp_path / "kept")
    wanted = picture_facts(source)
    [file] = (tmp_path / "kept").rglob("pictures_decoded.npz")
    whole = file.read_bytes()
    file.write_bytes(whole[:kept])
    assert np.array_equal(picture_facts(open_source(lines, cache=tmp_path / "kept")).hashes, wanted.hashes)
    assert len(file.read_bytes()) == len(whole)
