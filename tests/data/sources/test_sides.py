"""Sides below one folder, by folder names and by names of shards."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from tests_support import settings

from crnn.cli import main
from crnn.data.sources import open_source, place, sides
from crnn.data.sources.registry import refuse_several_sets
from crnn.data.sources.sides import find_side, side_of, sides_among
from crnn.errors import DataError
from crnn.training.assemble import find_splits
from crnn.training.run import train


def png(grey: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (40, 20), grey).save(buffer, "PNG")
    return buffer.getvalue()


def hub(folder: Path, *shards: str) -> Path:
    """A data set as the Hub publishes them; every text is the name of its shard."""
    for number, name in enumerate(shards):
        path = folder / "data" / f"{name}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table({"image": [png(10 * number)], "text": [name]}), path)
    return folder


def texts(path: Path | str) -> list[str]:
    source = open_source(path)
    return [source.entry(i).text for i in range(len(source))]


@pytest.mark.parametrize(
    ("file", "side"),
    [
        ("data/train-00000-of-00002.parquet", "train"),
        ("data/Validation-00000-of-00001.parquet", "val"),
        ("default/test/0000.parquet", "test"),
        ("dev.parquet", "val"),
        ("data/trained-00000.parquet", None),
        ("0.parquet", None),
    ],
)
def test_side_of_a_shard(file: str, side: str | None) -> None:
    assert side_of(Path("train-set") / file, Path("train-set")) == side


def test_shards_of_several_sides_in_one_folder(tmp_path: Path) -> None:
    root = hub(
        tmp_path / "ds",
        "train-00000-of-00002",
        "train-00001-of-00002",
        "validation-00000-of-00001",
        "test-00000-of-00001",
    )
    train, val = find_splits(str(root))
    assert texts(train) == ["train-00000-of-00002", "train-00001-of-00002"]
    assert val is not None
    assert texts(val) == ["validation-00000-of-00001"]
    assert texts(root / "test") == ["test-00000-of-00001"]
    source = open_source(root / "test")
    assert source.picture(0).getpixel((0, 0)) == 30  # of the fourth shard
    assert source.name == f"{root}/test"
    assert texts(root / "data" / "train") == ["train-00000-of-00002", "train-00001-of-00002"]


def test_a_missing_shard_of_one_side_does_not_keep_the_other_from_being_read(tmp_path: Path) -> None:
    root = hub(tmp_path, "train-00001-of-00002", "test-00000-of-00001")
    assert texts(root / "test") == ["test-00000-of-00001"]
    with pytest.raises(DataError, match="has 1 of 2 shards of 'train'; number 00000 is missing"):
        open_source(root / "train")


def test_folders_come_first_and_under_any_of_their_names(tmp_path: Path) -> None:
    for name in ("training", "valid"):
        hub(tmp_path / name, "0")
    assert find_side(tmp_path, "train") == tmp_path / "training"
    assert find_side(tmp_path, "val") == tmp_path / "valid"
    assert find_side(tmp_path, "test") is None
    (tmp_path / "train").mkdir()
    assert find_splits(str(tmp_path)) == (str(tmp_path / "train"), str(tmp_path / "valid"))


def test_without_training_lines_the_folder_is_one_set(tmp_path: Path) -> None:
    root = hub(tmp_path, "lines", "validation")
    assert find_splits(str(root)) == (str(root), None)


def test_a_side_that_is_not_there(tmp_path: Path) -> None:
    hub(tmp_path, "test-00000-of-00001")
    with pytest.raises(DataError, match="train: there is no such file or folder"):
        open_source(tmp_path / "train")


def gt_lines(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.png").write_bytes(png(9))
        (folder / f"{name}.gt.txt").write_text("x")
    return folder


def test_several_sets_are_not_judged_or_converted_as_one(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    root = gt_lines(tmp_path / "plates", "train/a", "val/b", "test/c")
    for words in (
        ["evaluate", root],
        ["compare", "bundled", "bundled", root],
        ["convert", root, tmp_path / "x.tar"],
        ["recognize", root / "val" / "b.png", "--lm", root],
    ):
        assert main([*map(str, words)]) == 2
        assert capfd.readouterr().err == (
            f"crnn: {root}: holds several sets, train/, val/, test/, which are not taken together; "
            f"name one, as in {root}/test\n"
        )
    with pytest.raises(DataError, match=r"plates: holds several sets, train/, val/, test/, which are not taken"):
        train(settings("model=crnn_tiny", f"data.train={root}", f"runs_dir={tmp_path}"), "")
    assert main(["convert", *(f"{root}/{side}" for side in ("train", "val")), str(tmp_path / "x.tar")]) == 0
    splits = tmp_path / "val.tsv"
    splits.write_text("position\tpicture\twhere\n1\ttrain/a.png\tx\n")
    assert main(["convert", str(root), str(tmp_path / "y.tar"), "--split", str(splits)]) == 0  # it says which lines
    with pytest.raises(DataError, match=r"holds several sets, train/, test/, .*name one, as in .*/ds/test"):
        refuse_several_sets(hub(tmp_path / "ds", "train-00000-of-00001", "test-00000-of-00001"))


@pytest.mark.parametrize("around", ["", "plates/"])
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_several_sets_in_an_archive(
    tmp_path: Path, around: str, kind: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also with a folder around everything, in the archive and where it was unpacked."""
    gt_lines(tmp_path / "in", *(f"{around}{side}/{name}" for side in ("Train", "val") for name in "ab"))
    packed = shutil.make_archive(str(tmp_path / "plates"), kind, tmp_path / "in")
    monkeypatch.setattr(place, "LOOK_AT", 3 if kind == "zip" else 9)  # of large archives, too
    said = f"{packed}: holds several sets, Train/, val/, which are not taken together; unpack it, and name one of these"
    with pytest.raises(DataError, match=said):
        train(settings("model=crnn_tiny", f"data.root={packed}", f"runs_dir={tmp_path}"), "")
    assert main(["evaluate", packed]) == 2
    assert said in capfd.readouterr().err
    (tmp_path / "in" / ".DS_Store").write_text("hidden")
    for name in ("__MACOSX", ".cache"):
        (tmp_path / "in" / name).mkdir()
    unpacked = tmp_path / "in" / around
    assert find_splits(str(tmp_path / "in")) == (str(unpacked / "Train"), str(unpacked / "val"))
    with pytest.raises(DataError, match=r"holds several sets, Train/, val/, .* name one, as in .*in/.*val"):
        refuse_several_sets(tmp_path / "in")
    (tmp_path / "in" / around / "labels.tsv").write_text("Train/a.png\tx\nval/b.png\ty\n")
    packed = shutil.make_archive(str(tmp_path / "one"), kind, tmp_path / "in" / around)
    refuse_several_sets(packed)


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["a/train/1.png", "a/test/1.png", "b/1.png"], []),
        (["a/train/1.png", "a/test/1.png", "a/x.txt", "__MACOSX/a", "a/.hidden", ".cache/x"], ["a/test", "a/train"]),
        (["train/val/1.png", "train/1.png"], ["train"]),
        (["train/1.png", "x/1.png", "Dev/1.png"], ["Dev", "train"]),
        (["1.png", "train.png"], []),
        ([], []),
    ],
)
def test_sides_among_names(names: list[str], found: list[str]) -> None:
    assert sides_among(names) == found


def test_only_a_folder_around_everything_is_stepped_into(tmp_path: Path) -> None:
    gt_lines(tmp_path, "a/b/train/1", "a/b/val/1")
    assert find_side(tmp_path, "train") == tmp_path / "a" / "b" / "train"
    assert find_side(tmp_path / "a" / "b" / "train", "train") is None
    (tmp_path / "a" / "b" / "Val").mkdir()
    (tmp_path / "a" / "b" / "Test").mkdir()
    assert find_side(tmp_path, "val") == tmp_path / "a" / "b" / "val"  # as it is usually written
    assert find_side(tmp_path, "test") == tmp_path / "a" / "b" / "Test"
    gt_lines(tmp_path, "a/2")
    assert find_side(tmp_path, "train") is None
    (tmp_path / "whole" / "train" / "val").mkdir(parents=True)
    assert find_side(tmp_path / "whole", "val") is None


def test_one_label_file_for_pictures_in_several_folders_is_one_set(tmp_path: Path) -> None:
    gt_lines(tmp_path, "train/a", "test/b")
    (tmp_path / "labels.tsv").write_text("train/a.png\tx\ntest/b.png\ty\n")
    refuse_several_sets(tmp_path)
    refuse_several_sets(gt_lines(tmp_path / "one", "test/a", "page/b"))


def test_sets_below_a_folder_without_lines_of_its_own_are_named(tmp_path: Path) -> None:
    for side in ("training", "testing"):
        (tmp_path / side).mkdir()
        (tmp_path / side / "labels.tsv").write_text("a.png\tx\n")
    with pytest.raises(DataError) as caught:
        open_source(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: holds no labelled lines itself; name a set in it, such as {tmp_path}/testing"
    )


def table(file: Path, pictures: str) -> Path:
    """One row of a label file and its picture, which lies in the folder `pictures` beside it."""
    gt_lines(file.parent / pictures, "a")
    (file.parent / pictures / "a.gt.txt").unlink()
    file.write_text(f"{pictures}/a.png\t{file.name}\n")
    return file


@pytest.mark.parametrize(
    ("train", "val"),
    [
        ("rec_gt_train.txt", "rec_gt_val.txt"),
        ("train_list.txt", "valid_list.txt"),
        ("train.csv", "dev.csv"),
        ("Labels-Training.tsv", "Labels-Validation.tsv"),
    ],
)
@pytest.mark.parametrize("folder", ["", "rec"])
def test_label_files_of_sides_beside_folders_of_pictures(tmp_path: Path, train: str, val: str, folder: str) -> None:
    (tmp_path / folder).mkdir(exist_ok=True)
    files = [table(tmp_path / folder / train, "train"), table(tmp_path / folder / val, "val")]
    assert find_splits(str(tmp_path)) == (str(files[0]), str(files[1]))
    assert texts(files[0]) == [train]
    with pytest.raises(DataError, match="has 2 files that may hold the labels"):
        refuse_several_sets(tmp_path)


def test_label_files_of_sides_give_way_to_folders_with_labels_and_to_well_known_names(tmp_path: Path) -> None:
    found = table(tmp_path / "rec_gt_train.txt", "train")
    (tmp_path / "train_notes.txt").write_text("of the first ten pages\nall by one hand\n")
    (tmp_path / "test_train.txt").write_text("train/a.png\tx\n")  # of two sides
    assert find_side(tmp_path, "train") == found
    assert find_side(tmp_path, "test") is None
    (tmp_path / "train" / "a.gt.txt").write_text("x")
    assert find_side(tmp_path, "train") == tmp_path / "train"
    (tmp_path / "train" / "a.gt.txt").unlink()
    (tmp_path / "labels.tsv").write_text("train/a.png\tx\n")
    assert find_side(tmp_path, "train") == tmp_path / "train"


def test_texts_of_pictures_called_like_a_side_are_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for i in range(30):
        (tmp_path / f"train_{i}.png").write_bytes(png(i))
        (tmp_path / f"train_{i}.txt").write_text("a b")
    monkeypatch.setattr(sides, "is_label_file", lambda file: pytest.fail(f"{file} is opened"))
    assert find_side(tmp_path, "train") is None


def test_a_label_file_among_pictures_called_like_a_side(tmp_path: Path) -> None:
    for i in range(30):
        (tmp_path / f"train_{i}.png").write_bytes(png(i))
    (tmp_path / "train.txt").write_text("".join(f"train_{i}.png\tx\n" for i in range(30)))
    assert find_side(tmp_path, "train") == tmp_path / "train.txt"


def test_two_label_files_of_a_side_are_not_guessed_between(tmp_path: Path) -> None:
    for name in ("train_a.txt", "train_b.txt"):
        table(tmp_path / name, "pictures")
    assert find_side(tmp_path, "train") is None
