"""What pictures are is looked up once, kept beside the index, and looked up again when the files change."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from crnn.data import facts
from crnn.data.facts import PictureFacts, picture_facts
from crnn.data.hashes import pixel_hash
from crnn.data.sources import open_source
from crnn.data.sources.views import Concatenation, Selection


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
    headers = picture_facts(source, decode=False)
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
    first = picture_facts(open_source(lines, cache=cache), decode=False)
    decoded = picture_facts(open_source(lines, cache=cache))
    assert decoded.hashes.any()
    looked = []
    monkeypatch.setattr(facts, "_look", lambda source, *rest: looked.append(source) or first)
    again = picture_facts(open_source(lines, cache=cache))
    assert looked == []
    assert np.array_equal(again.hashes, decoded.hashes)
    assert np.array_equal(again.sizes, decoded.sizes)
    assert again.problems == decoded.problems
    picture_facts(open_source(lines, cache=cache), decode=False)
    assert looked == []
    (lines / "images" / "009.png").write_bytes((lines / "images" / "010.png").read_bytes())
    picture_facts(open_source(lines, cache=cache))
    assert len(looked) == 1
    [folder] = cache.iterdir()  # the old index is gone
    (folder / "pictures_decoded.npz").write_bytes(b"cut")
    picture_facts(open_source(lines, cache=cache))
    assert len(looked) == 2


def test_saved_and_loaded(tmp_path: Path) -> None:
    whole = PictureFacts(np.array([[1, 2], [0, 0]], np.int32), np.array([7, 0], np.uint64), {1: "no \u05d0"})
    whole.save(tmp_path / "x.npz")
    again = PictureFacts.load(tmp_path / "x.npz")
    assert (again.sizes.tolist(), again.hashes.tolist(), again.problems) == ([[1, 2], [0, 0]], [7, 0], {1: "no \u05d0"})
    assert PictureFacts.join([whole, whole]).problems == {1: "no \u05d0", 3: "no \u05d0"}
