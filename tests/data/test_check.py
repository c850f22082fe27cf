"""Each fault is found, named with file and line, and comes with a remedy; a clean set has none."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from crnn.core.charset import Charset
from crnn.core.transform import LineTransform
from crnn.data import check, labels
from crnn.data.check import check_lines
from crnn.data.labels import fit_problem, label_problem
from crnn.data.sources import open_source
from crnn.data.sources.base import LineEntry
from crnn.errors import DataError

CHARSET = Charset.from_texts(["0123456789 abc"])


@pytest.fixture
def lines(line_folder: Path, tmp_path: Path) -> Path:
    shutil.copytree(line_folder / "train", tmp_path / "train")
    return tmp_path / "train"


def plant(lines: Path, row: int, text: str | None = None, whole: str | None = None) -> None:
    table = lines / "labels.tsv"
    rows = table.read_text(encoding="utf-8").split("\n")
    rows[row] = whole if whole is not None else f"{rows[row].split(chr(9))[0]}\t{text}"
    table.write_text("\n".join(rows), encoding="utf-8")


def test_a_clean_set_has_no_faults(line_folder: Path) -> None:
    report = check_lines(open_source(line_folder / "train"), LineTransform(), CHARSET)
    assert (len(report.kept), report.dropped) == (48, [])
    assert report.summary().endswith("train (labels.tsv): 48 of 48 lines kept")
    report.refuse_if_too_many(0.0)


def test_each_fault_is_found_and_named(lines: Path) -> None:
    plant(lines, 1, whole="no tab")
    plant(lines, 3, "")
    plant(lines, 5, "  ")
    plant(lines, 7, "a\x07b")
    (lines / "images" / "009.png").write_bytes(b"junk")
    good = (lines / "images" / "011.png").read_bytes()
    (lines / "images" / "011.png").write_bytes(good[: len(good) - 40])
    (lines / "images" / "013.png").unlink()
    Image.new("L", (5000, 10), 255).save(lines / "images" / "015.png")
    plant(lines, 17, "axb")
    plant(lines, 19, "1" * 60)
    report = check_lines(open_source(lines), LineTransform(), CHARSET, max_width=4096)
    found = {int(d.where.rsplit(":", 1)[1]): (d.reason, d.detail) for d in report.dropped}
    assert {line: reason for line, (reason, _) in found.items()} == {
        2: check.UNUSABLE_ROW,
        4: labels.EMPTY_LABEL,
        6: labels.EMPTY_LABEL,
        8: labels.CONTROL_CHARACTER,
        10: check.UNREADABLE,
        12: check.UNREADABLE,
        14: check.UNREADABLE,
        16: check.TOO_WIDE,
        18: labels.UNKNOWN_CHARACTER,
        20: labels.CANNOT_FIT,
    }
    assert "U+0007 at position 2" in found[8][1]
    assert "009.png" in found[10][1]
    assert "truncated" in found[12][1]
    assert "data.max_width allows 4096" in found[16][1]
    assert "'x' (U+0078 LATIN SMALL LETTER X) not among 14; add with charset.extra=x" in found[18][1]
    assert "needs 119 time steps" in found[20][1]
    assert len(report.kept) == len(report.sizes) == 38
    assert "38 of 48 lines kept; dropped: 3 x unreadable picture, 2 x empty label" in report.summary()
    report.refuse_if_too_many(0.25)
    with pytest.raises(
        DataError, match=r"38 of 48 lines kept[\s\S]*labels\.tsv:2: unusable row[\s\S]*data\.max_dropped"
    ):
        report.refuse_if_too_many(0.2)
    report.write_dropped(lines / "dropped.tsv")
    with (lines / "dropped.tsv").open(encoding="utf-8", newline="") as file:
        assert [row["reason"] for row in csv.DictReader(file, delimiter="\t")] == [d.reason for d in report.dropped]


def test_headers_alone_miss_truncated_pictures(lines: Path) -> None:
    good = (lines / "images" / "011.png").read_bytes()
    (lines / "images" / "011.png").write_bytes(good[: len(good) - 40])
    assert len(check_lines(open_source(lines), LineTransform(), decode=False).dropped) == 0
    assert len(check_lines(open_source(lines), LineTransform(), decode=True).dropped) == 1


def test_nothing_left_is_refused(lines: Path) -> None:
    for row in range(48):
        plant(lines, row, "")
    with pytest.raises(DataError, match="0 of 48 lines kept"):
        check_lines(open_source(lines), LineTransform()).refuse_if_too_many(0.999)


def test_fingerprint(line_folder: Path, lines: Path) -> None:
    first = check_lines(open_source(line_folder / "train"), LineTransform()).fingerprint
    assert check_lines(open_source(lines), LineTransform(), threads=1).fingerprint == first  # the place plays no part
    (lines / "images" / "003.png").rename(lines / "images" / "x.png")
    plant(lines, 3, whole=f"images/x.png\t{open_source(line_folder / 'train').entry(3).text}")
    assert check_lines(open_source(lines), LineTransform()).fingerprint == first  # nor do names
    plant(lines, 3, "other")
    assert check_lines(open_source(lines), LineTransform()).fingerprint != first


@pytest.mark.parametrize("change", ["label", "pixels", "size", "dropped", "order"])
def test_each_change_changes_the_fingerprint(change: str, lines: Path) -> None:
    first = check_lines(open_source(lines), LineTransform()).fingerprint
    assert check_lines(open_source(lines), LineTransform(), threads=3).fingerprint == first
    table = lines / "labels.tsv"
    rows = table.read_text(encoding="utf-8").splitlines(keepends=True)
    if change == "label":
        rows[4] = rows[4].replace("\n", " \n")
    elif change == "pixels":
        with Image.open(lines / "images" / "004.png") as picture:
            other = picture.convert("L")
        other.putpixel((3, 3), other.getpixel((3, 3)) ^ 1)
        other.save(lines / "images" / "004.png")
    elif change == "size":
        with Image.open(lines / "images" / "004.png") as picture:
            larger = picture.resize((picture.width + 1, picture.height))
        larger.save(lines / "images" / "004.png")
    elif change == "dropped":
        del rows[4]
    else:
        rows[4], rows[5] = rows[5], rows[4]
    table.write_text("".join(rows), encoding="utf-8")
    report = check_lines(open_source(lines), LineTransform())
    assert report.dropped == []
    assert report.fingerprint != first


def test_one_time_step_decides() -> None:
    """A label of T steps fits, one of T + 1 does not; a repeated character needs a step more."""
    charset, transform = Charset.from_texts(["ab"]), LineTransform(32)  # 40 x 32: T = 10
    assert fit_problem("ab" * 5, charset, (40, 32), transform) is None
    assert fit_problem("ab" * 5 + "a", charset, (40, 32), transform) is not None
    assert fit_problem("aabababab", charset, (40, 32), transform) is None
    assert fit_problem("aababababa", charset, (40, 32), transform) is not None


def test_the_remedy_for_a_fixed_width_is_a_width() -> None:
    charset, transform = Charset.from_texts(["ab"]), LineTransform(32, width=64)
    problem = fit_problem("aabb", charset, (9000, 20), transform)
    assert problem is None
    problem = fit_problem("ab" * 20, charset, (900, 20), transform)
    assert problem is not None
    assert problem[1].endswith(
        "needs 40 time steps, 900 x 20 pixels at image.width 64 give 16; is the label right? else raise image.width to 160"
    )
    assert fit_problem("ab" * 20, charset, (900, 20), LineTransform(32, width=160)) is None
    assert fit_problem("ab" * 20, charset, (900, 20), LineTransform(32, width=156)) is not None


def test_no_remedy_is_named_that_would_be_refused() -> None:
    charset = Charset.from_texts(["ab"])
    for length in (28, 29, 30, 31, 100):
        problem = fit_problem("a" + "ba" * (length // 2), charset, (7, 60), LineTransform(32))
        assert problem is not None
        _, _, height = problem[1].partition("raise image.height to ")
        if height:
            LineTransform(int(height))
            assert int(height) <= 1024
        else:
            assert "no image.height up to 1024 gives as many; correct or remove the line" in problem[1]
    assert not height
    assert fit_problem("ab" * 8, charset, (4, 64), LineTransform(32))[1].endswith("image.height to 1024")  # type: ignore[index]


def test_limits(lines: Path) -> None:
    """A line at the limit is kept; shares count all lines; without a charset labels are not compared with one."""
    Image.new("L", (4096, 32), 255).save(lines / "images" / "003.png")
    Image.new("L", (4100, 32), 255).save(lines / "images" / "004.png")
    Image.new("L", (40_000, 32), 255).save(lines / "images" / "005.png")
    plant(lines, 6, "не здесь")
    report = check_lines(open_source(lines), LineTransform(), max_width=4096)
    assert [(d.where.rsplit(":", 1)[1], d.reason) for d in report.dropped] == [
        ("5", check.TOO_WIDE),
        ("6", check.TOO_WIDE),
    ]
    assert "at most 32768 wide are read" in report.dropped[1].detail
    report.refuse_if_too_many(2 / 48)
    with pytest.raises(DataError, match="46 of 48 lines kept"):
        report.refuse_if_too_many(1.99 / 48)
    no_charset = check_lines(open_source(lines), LineTransform(), max_width=None)
    assert [d.reason for d in no_charset.dropped] == [check.TOO_WIDE]


@pytest.mark.parametrize(
    ("label", "reason"),
    [
        ("\u3000", labels.EMPTY_LABEL),
        ("a\x85b", labels.CONTROL_CHARACTER),
        ("a\tb", labels.CONTROL_CHARACTER),
        ("a\x00", labels.CONTROL_CHARACTER),
        ("a b", None),
        ("نم\u200cخ", None),  # joiners and marks belong to the text
        ("\u200f12", None),
    ],
)
def test_labels(label: str, reason: str | None) -> None:
    problem = label_problem(label)
    assert (problem[0] if problem else None) == reason


def test_all_unknown_characters_are_in_the_remedy() -> None:
    problem = fit_problem("vwxyza", Charset.from_texts(["a"]), (400, 20), LineTransform())
    assert problem is not None
    assert problem[0] == labels.UNKNOWN_CHARACTER
    assert problem[1].count("U+00") == 3  # three are named
    assert problem[1].endswith("charset.extra=vwxyz")


def test_a_label_of_which_the_rules_leave_nothing() -> None:
    charset = Charset.from_texts(["אב"], direction="rtl")
    problem = fit_problem("\u200f\u200e", charset, (400, 20), LineTransform())
    assert problem is not None
    assert problem[0] == labels.EMPTY_LABEL
    assert fit_problem("\u200fא", charset, (400, 20), LineTransform()) is None


def test_an_unreadable_picture_outside_the_folder_is_a_dropped_line(lines: Path) -> None:
    plant(lines, 2, whole="../val/images/000.png\tabc")
    report = check_lines(open_source(lines), LineTransform())
    [dropped] = report.dropped
    assert (dropped.picture, dropped.reason) == ("../val/images/000.png", check.UNREADABLE)
    assert "must stay within" in dropped.detail


@pytest.mark.parametrize("size", [(40, 20), (33, 31), (500, 90), (7, 60)])
def test_the_remedy_fits(size: tuple[int, int]) -> None:
    """The height that the message names is enough, and no multiple of 16 below it is."""
    text = "".join("ab"[i % 2] for i in range(size[0] * 32 // size[1] // 4 + 3))
    charset = Charset.from_texts(["ab"])
    problem = fit_problem(text, charset, size, LineTransform(32))
    assert problem is not None
    height = int(problem[1].rsplit(" ", 1)[1])
    assert height % 16 == 0
    assert fit_problem(text, charset, size, LineTransform(height)) is None
    if height > 48:
        assert fit_problem(text, charset, size, LineTransform(height - 32)) is not None


def test_progress_sees_every_position(line_folder: Path) -> None:
    seen: list[int] = []

    def watch(positions):  # type: ignore[no-untyped-def]
        for position in positions:
            seen.append(position)
            yield position

    check_lines(open_source(line_folder / "train"), LineTransform(), progress=watch)
    assert seen == list(range(48))


@pytest.mark.parametrize(
    ("kept", "lines", "share", "refused"),
    [
        (0, 0, 1.0, True),
        (0, 5, 1.0, True),
        (1, 5, 1.0, False),
        (9, 10, 0.1, False),
        (8, 10, 0.1, True),
        (10, 10, 0.0, False),
        (9, 10, 0.0, True),
    ],
)
def test_how_many_lines_may_be_dropped(kept: int, lines: int, share: float, refused: bool) -> None:
    assert check.too_many_dropped(kept, lines, share) is refused


def test_a_report_of_nothing() -> None:
    report = check.CheckReport("some lines")
    assert (report.kept.shape, report.sizes.shape, report.hashes.shape) == ((0,), (0, 2), (0,))
    assert (len(report), report.dropped, report.fingerprint) == (0, [], "")
    assert report.summary() == "some lines: 0 of 0 lines kept"
    with pytest.raises(DataError, match="0 of 0 lines kept"):
        report.refuse_if_too_many(1.0)


def test_the_first_five_lines_are_named(tmp_path: Path) -> None:
    report = check.CheckReport("some lines", kept=np.arange(1200))
    reasons = [check.UNREADABLE] * 2 + [check.TOO_WIDE] * 5
    report.dropped = [check.Dropped(f"here:{i}", f"{i}.png", reason, "why") for i, reason in enumerate(reasons)]
    assert len(report) == 1207
    summary = "some lines: 1,200 of 1,207 lines kept; dropped: 5 x line too wide, 2 x unreadable picture"
    assert report.summary() == summary
    report.refuse_if_too_many(0.01)
    with pytest.raises(DataError) as raised:
        report.refuse_if_too_many(0.005)
    told = str(raised.value).split("\n")
    assert told[0] == summary
    assert told[1:6] == [f"  here:{i}: {reasons[i]}: why" for i in range(5)]
    assert len(told) == 7
    assert "data.max_dropped (now 0.005, a share of all lines)" in told[6]
    report.write_dropped(tmp_path / "dropped.tsv")
    rows = (tmp_path / "dropped.tsv").read_text(encoding="utf-8").split("\n")
    assert rows[:2] == ["where\tpicture\treason\tdetail", "here:0\t0.png\tunreadable picture\twhy"]
    assert len(rows) == 9
    report.dropped = [check.Dropped("\udcff.png", "\udcff.png", check.UNREADABLE, "why")]  # a name of bytes
    report.write_dropped(tmp_path / "dropped.tsv")
    rows = (tmp_path / "dropped.tsv").read_text(encoding="utf-8").split("\n")
    assert rows[1] == "\\udcff.png\t\\udcff.png\tunreadable picture\twhy"


def test_what_is_wrong_first_is_said() -> None:
    transform = LineTransform(32)

    def reason(entry: LineEntry, unreadable: str | None = None, **given: object) -> str | None:
        size = given.pop("size", (40, 20))
        found = check.line_problem(entry, unreadable, size, transform, **given)  # type: ignore[arg-type]
        return found and found[0]

    good, empty = LineEntry("abc", "x:1", "x.png"), LineEntry(" ", "x:1", "x.png")
    assert reason(good) is None
    assert reason(LineEntry(" ", "x:1", "x.png", "no tab"), "torn") == check.UNUSABLE_ROW
    assert reason(empty, "torn") == labels.EMPTY_LABEL
    assert reason(good, "torn", size=(0, 0)) == check.UNREADABLE
    assert reason(good, "") == check.UNREADABLE  # whatever is said
    for width, limit, wide in ((64, 64, False), (68, 64, True), (64, 63, True), (64, None, False)):
        assert reason(good, size=(width, 32), max_width=limit) == (check.TOO_WIDE if wide else None)
    assert reason(good, size=(10**6, 32)) == check.TOO_WIDE
    assert reason(LineEntry("xyz", "x:1", "x.png"), charset=CHARSET) == labels.UNKNOWN_CHARACTER
    assert reason(LineEntry("xyz", "x:1", "x.png")) is None


def test_pictures_are_decoded_unless_told_otherwise(line_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[object, ...]] = []
    facts = check.picture_facts

    def keep(source, look, threads, progress, peers):  # type: ignore[no-untyped-def]
        asked.append((look, threads, peers))
        return facts(source, look, threads, progress, peers)

    monkeypatch.setattr(check, "picture_facts", keep)
    source = open_source(line_folder / "train")
    for given in ({}, {"decode": False}, {"decode": False, "trim": True}):
        report = check_lines(source, LineTransform(), **given)  # type: ignore[arg-type]
        assert report.kept.tolist() == list(range(48))
        if "trim" not in given:
            assert [tuple(size) for size in report.sizes.tolist()] == [source.size(i) for i in range(48)]
    assert asked == [(look, 2, None) for look in ("decoded", "headers", "lines")]
