"""Files of readings: what they hold, and which lines they belong to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fake_reader import Lines

from crnn.core.recognition import Recognition
from crnn.errors import DataError
from crnn.reading.outputs import as_jsonl, as_tsv
from crnn.report.outputs import OUTDONE, PictureNames, judge_output, read_output
from crnn.report.table import table, unmatched


def written(tmp_path: Path, *rows: str) -> Path:
    path = tmp_path / "readings"
    path.write_text("".join(row + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.mark.parametrize("write", [as_jsonl, as_tsv])
def test_what_recognize_prints_is_read(write: object, tmp_path: Path) -> None:
    texts = ["a\tb\\n", "", "नि x", "line\nend"]
    rows = [write(f"p\t{i}.png", Recognition(text, 0.25, ())) for i, text in enumerate(texts)]  # type: ignore[operator]
    rows.append(write("bad.png", DataError("bad.png: is empty")))  # type: ignore[operator]
    found = list(read_output(written(tmp_path, *rows)))
    assert [row.text for row in found[:4]] == texts
    assert [row.path for row in found] == [f"p\t{i}.png" for i in range(4)] + ["bad.png"]
    assert [row.confidence for row in found[:4]] == [0.25] * 4
    assert [bool(row.error) for row in found] == [False] * 4 + [True]
    assert [row.number for row in found] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (["a.png\tx", "no tab"], "readings:2: 'no tab' is no reading; wanted are rows as 'crnn recognize"),
        (['{"path": "a"}'], "readings:1: "),
        (['{"path": 3, "text": "x"}'], "readings:1: "),
        (['{"path": "a", "text": "x"}', "{broken"], "readings:2: "),
        ([], "readings: holds no readings"),
    ],
)
def test_rows_that_are_none(rows: list[str], said: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as error:
        list(read_output(written(tmp_path, *rows)))
    assert said in str(error.value)


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nothing: cannot be read \(No such file"):
        list(read_output(tmp_path / "nothing"))
    (tmp_path / "picture").write_bytes(b"\x89PNG\xff\xfe")
    with pytest.raises(DataError, match="is not UTF-8 text"):
        list(read_output(tmp_path / "picture"))


def test_confidences_that_are_none_are_not_kept(tmp_path: Path) -> None:
    rows = [json.dumps({"path": "a", "text": "x", "confidence": c}) for c in (2, -1, "high", None, True, 0.5)]
    assert [row.confidence for row in read_output(written(tmp_path, *rows))] == [None, None, None, None, 1.0, 0.5]


class Named(Lines):
    def __init__(self, *pictures: str) -> None:
        super().__init__(["x"] * len(pictures))
        self.pictures = pictures

    def entry(self, position: int):
        return super().entry(position)._replace(picture=self.pictures[position])


def test_lines_are_found_by_path_or_by_a_name_that_comes_once() -> None:
    names = PictureNames(Named("images/a.png", "images/b.png", "c/b.png", "d.png", "same.png", "same.png"))
    found = {
        path: match and match.position
        for path, match in (
            (path, names.find(path))
            for path in (
                "images/a.png",
                "/data/set/images/a.png",
                "./images/../images/a.png",
                "elsewhere/a.png",
                "a.png",
                "images\\b.png",
                "c/b.png",
                "b.png",
                "x/b.png",
                "set/d.png",
                "e.png",
                "",
                "same.png",
            )
        )
    }
    assert found == {
        "images/a.png": 0,
        "/data/set/images/a.png": 0,
        "./images/../images/a.png": 0,
        "elsewhere/a.png": 0,
        "a.png": 0,
        "images\\b.png": 1,
        "c/b.png": 2,
        "b.png": None,
        "x/b.png": None,
        "set/d.png": 3,
        "e.png": None,
        "": None,
        "same.png": None,
    }


def test_lines_are_judged_and_nothing_is_dropped_without_a_word(tmp_path: Path) -> None:
    rows = [
        "images/0.png\tabc\t0.9",
        "images/1.png\tax\t0.4",
        "images/1.png\tab\t0.4",
        "other.png\tq\t0.1",
        "images/2.png\t\t",
    ]
    lines = Lines(["abc", "ab", "a", "missing", ""])
    evaluation = judge_output(written(tmp_path, *rows), lines)  # type: ignore[arg-type]
    assert [(line.reference, line.reading, line.confidence) for line in evaluation.lines] == [
        ("abc", "abc", 0.9),
        ("ab", "ax", 0.4),
    ]
    assert evaluation.counts.character_errors == 1
    assert evaluation.unmatched == {"missing": 1, "twice": 1, "unknown": 1}
    said = [message.replace(str(tmp_path), "") for message in evaluation.left_out]
    assert said == [
        "/readings:3: a second row for images/1.png; the first counts",
        "/readings:4: other.png names no single picture of the lines",
        "labels.tsv:3: could not be read",
        "labels.tsv:4: /readings has no row for images/3.png",
        "labels.tsv:5: empty label",
    ]
    assert "3 lines could not be judged and 2 rows of readings left over, the first: " in table([evaluation])
    assert len(judge_output(written(tmp_path, *rows), lines, limit=1).lines) == 1  # type: ignore[arg-type]


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("where", ["sets/val", "/data/sets/val", "val"])
def test_of_two_rows_the_one_in_the_folder_of_the_lines_counts(tmp_path: Path, where: str, turned: bool) -> None:
    """Readings of a whole set hold the same names in train/ and val/."""
    rows = ["sets/train/images/0.png\twrong", "sets/val/images/0.png\tabc", "0.png\tworse", "images/0.png\twrong, too"]
    evaluation = judge_output(written(tmp_path, *rows[:: -1 if turned else 1]), Lines(["abc"], where))  # type: ignore[arg-type]
    assert [line.reading for line in evaluation.lines] == ["abc"]
    assert evaluation.unmatched == {"missing": 0, "twice": 0, "unknown": 3}
    assert all(OUTDONE in said for said in evaluation.left_out)
    without = judge_output(written(tmp_path, rows[0], rows[2], rows[3]), Lines(["abc"], where))  # type: ignore[arg-type]
    assert [line.reading for line in without.lines] == ["wrong, too"]


def test_lines_in_a_file_are_those_of_its_folder(tmp_path: Path) -> None:
    for side in ("train", "val"):
        (tmp_path / side).mkdir()
        (tmp_path / side / "labels.tsv").touch()
    lines = Lines(["abc"], str(tmp_path / "val" / "labels.tsv"))
    rows = [f"{tmp_path}/{side}/images/0.png\t{text}" for side, text in (("train", "wrong"), ("val", "abc"))]
    assert [line.reading for line in judge_output(written(tmp_path, *rows), lines).lines] == ["abc"]  # type: ignore[arg-type]


def test_both_sides_in_one_unicode_form(tmp_path: Path) -> None:
    evaluation = judge_output(written(tmp_path, "images/0.png\te\u0301"), Lines(["\u00e9"]))  # type: ignore[arg-type]
    assert evaluation.counts.exact == 1


def test_readings_of_other_pictures_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError) as error:
        judge_output(written(tmp_path, "q/9.png\tx"), Lines(["a"]))  # type: ignore[arg-type]
    assert str(error.value).endswith(
        "no row names a picture of lines; rows have paths like q/9.png, pictures are called like images/0.png"
    )


def test_readings_of_other_lines_are_doubted(tmp_path: Path) -> None:
    """Pictures of two sets are often called alike, and nothing else tells whose readings they are."""
    lines = Lines(["abc", "def"])
    for texts, doubted in ((["xyz", "uvw"], True), (["xbz", "def"], False), (["aef", "abc"], True)):
        rows = [f"images/{i}.png\t{text}\t0.9" for i, text in enumerate(texts)]
        said = unmatched(judge_output(written(tmp_path, *rows), lines))  # type: ignore[arg-type]
        assert [line.endswith("the names of the pictures alone; is it of these lines?") for line in said] == (
            [True] if doubted else []
        )


@pytest.mark.parametrize(
    "path", ["alto/val:images/0.png", "x/v.tar:images/0.png", "images/0.png", "a:0.png", "a:b/0.png"]
)
def test_lines_of_a_set_are_found_behind_its_name(path: str) -> None:
    """As `crnn recognize` names those of archives and pages."""
    names = PictureNames(Lines(["abc", "def"]))  # type: ignore[arg-type]
    assert (names.find(path) or (None,))[0] == 0
    assert names.find(path.replace("0.png", "9.png")) is None
