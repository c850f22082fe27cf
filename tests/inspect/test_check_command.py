"""`crnn check` as it is called: what it prints, writes, leaves alone, and its exit code."""

from __future__ import annotations

import csv
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from crnn.cli import main
from crnn.core.transform import LineTransform
from crnn.data.check import check_lines
from crnn.data.sources import open_source
from crnn.data.sources.columns import labels
from crnn.inspect import fix, kinds
from crnn.inspect.kinds import KINDS, Finding
from crnn.inspect.tally import COLUMNS, Tally

HOSTILE = '<script>alert("x")</script> &amp; \x1b[31m'


@pytest.fixture
def lines(line_folder: Path, tmp_path: Path) -> Path:
    """A copy of labelled lines that tests may spoil."""
    return Path(shutil.copytree(line_folder, tmp_path / "lines"))


def relabel(folder: Path, changes: dict[int, str]) -> None:
    """New labels for some rows of a ``labels.tsv``."""
    table = folder / "labels.tsv"
    rows = [row.split("\t") for row in table.read_text(encoding="utf-8").splitlines()]
    for row, text in changes.items():
        rows[row][1] = text
    table.write_text("".join(f"{name}\t{text}\n" for name, text in rows), encoding="utf-8")


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {
        path.relative_to(folder).as_posix(): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


def as_json(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict:  # type: ignore[type-arg]
    main(["check", *map(str, arguments), "--json"])
    return json.loads(capsys.readouterr().out)


def test_exit_codes(lines: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """0 if training would accept, 1 if not, 2 if it cannot be looked at."""
    deep = lines.parent / ("deep" * 30)  # a name that fits no line of a terminal
    deep.symlink_to(lines)
    assert main(["check", str(deep)]) == 0
    said = capsys.readouterr().out
    assert "/train (labels.tsv): 48 of 48 lines kept, " in said
    assert "training would accept these lines" in said
    relabel(lines / "train", {0: "a  b"})  # a warning
    assert main(["check", str(lines)]) == 0
    assert main(["check", str(lines), "--strict"]) == 1
    relabel(lines / "train", {0: "", 1: "", 2: ""})  # more than 2 %
    capsys.readouterr()
    assert main(["check", str(lines)]) == 1
    assert re.search(r"would refuse these lines:\n.*3 of 48 lines cannot be used", capsys.readouterr().out)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "no lines named; give folders or files"),
        (["lines", "data.text_column=x"], "data.text_column=x: is a setting of trainings; give --text-column NAME"),
        (["data.root=lines"], "data.root=lines: is a setting of trainings; give the folder alone"),
        (["lines", "+trainer.max_epochs=3"], "is a setting of trainings; crnn check takes none; name folders or files"),
        (["a=b/c.d"], "is a setting of trainings; crnn check takes none"),
        (["../A=b"], "../A=b: there is no such file or folder"),
        (["nowhere"], "nowhere: there is no such file or folder"),
        (["empty"], "holds no labelled lines in a known format"),
        (["run"], "run: is the folder of a training, not lines; for its validation lines: crnn evaluate run"),
        (["lines", "--charset", "set:klingon"], "klingon"),
        (["lines", "--charset", "letters.txt"], "--charset letters.txt: there is no such file; give one, set:NAME or"),
        (["lines", "--model", "nowhere.onnx"], "nowhere.onnx: cannot be read"),
        (["lines", "--model", "m.onnx", "--height", "32"], "--model brings its own characters and height"),
        (["lines", "--height", "33"], "image.height=33: this backbone needs a multiple of 16"),
        (["lines", "--html", "nowhere/page.html"], "page.html: cannot be written"),
        (["lines", "--findings", "nowhere/all.tsv"], "all.tsv: cannot be written"),
        (["lines/train", "--fix", "lines/train/copy"], "lies in lines/train, which is copied"),
        (["lines", "--fix", "full"], "full: is there already and not empty"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    arguments: list[str], said: str, lines: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(lines.parent)
    Path("empty").mkdir()
    Path("full").mkdir()
    Path("full/x").write_text("x")
    Path("run").mkdir()
    for name in ("config.yaml", "train.log"):
        Path("run", name).touch()
    before = contents(lines.parent)
    assert main(["check", *arguments]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert contents(lines.parent) == before


def test_sides(lines: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder stands for its train/ and val/, under any of their names; or each is named."""
    (lines / "val").rename(lines / "validation")
    whole = as_json(capsys, lines)
    assert [(one["role"], one["lines"]) for one in whole["sets"]] == [("train", 48), ("val", 12)]
    assert as_json(capsys, lines / "train", "--val", lines / "validation") == whole
    both = as_json(capsys, lines / "train", lines / "validation")
    assert [(one["role"], one["lines"]) for one in both["sets"]] == [("train", 48), ("train", 12)]


def test_the_same_picture_on_both_sides(lines: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(lines / "train/images/007.png", lines / "val/images/003.png")
    [kind] = [one for one in as_json(capsys, lines)["kinds"] if one["name"] == kinds.LEAK]
    assert kind["count"] == 1
    assert kind["first"][0]["where"] == f"{lines}/val/labels.tsv:4"
    assert kind["first"][0]["detail"] == f"as in {lines}/train/labels.tsv:8"


def test_json(lines: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Figures add up, and nothing in it can harm a terminal."""
    relabel(lines / "train", {0: "", 1: "a  b", 2: HOSTILE, 3: "é", 4: "9" * 60})
    (lines / "train/images/005.png").write_bytes(b"no picture")
    data = as_json(capsys, lines / "train")
    [one] = data["sets"]
    assert one["lines"] == 48
    assert one["readable"] == 47
    assert one["kept"] + sum(one["dropped"].values()) == 48
    assert one["dropped"] == {
        kinds.EMPTY_LABEL: 1,
        kinds.CONTROL_CHARACTER: 1,
        kinds.CANNOT_FIT: 1,
        kinds.UNREADABLE: 1,
    }
    assert sum(bar["lines"] for bar in one["widths"]) == 47
    assert sum(bar["lines"] for bar in one["label_lengths"]) == 48
    found = {kind["name"]: kind for kind in data["kinds"]}
    assert found[kinds.DOUBLE_SPACE]["count"] == 1
    assert found[kinds.DOUBLE_SPACE]["first"][0]["where"] == f"{lines}/train/labels.tsv:2"
    assert set(found[kinds.DOUBLE_SPACE]["first"][0]) == set(COLUMNS)
    assert data["errors"] == 4 == sum(kind["count"] for kind in data["kinds"] if kind["level"] == "error")
    assert data["warnings"] == sum(kind["count"] for kind in data["kinds"] if kind["level"] == "warning")
    assert not data["accepted"]
    assert data["refusals"]
    [accented] = [row for row in data["characters"] if row["symbol"] == "é"]
    assert accented == {
        "symbol": "é",
        "points": "U+00E9",
        "name": "LATIN SMALL LETTER E WITH ACUTE",
        "train": 1,
        "val": 0,
        "rare": True,
    }
    assert "\x1b" not in json.dumps(data, ensure_ascii=False)


def test_what_is_printed(lines: Path, capsys: pytest.CaptureFixture[str]) -> None:
    relabel(lines / "train", {1: "a  b", 2: HOSTILE})
    main(["check", str(lines / "train")])
    printed = capsys.readouterr()
    out = printed.out
    assert printed.err == ""
    assert "\x1b" not in out
    assert "train  " in out
    assert "double space: make it one; --fix does" in out
    assert "lines/train/labels.tsv:2" in re.sub(r"\s", "", out)
    assert re.search(r"'b' +U\+0062 +LATIN SMALL LETTER B|'b' [0-9]", out)
    assert "train: widths in pixels, scaled" in out
    assert "train: characters of a label" in out
    assert re.search(r"[0-9] +#+ *\n", out)


def test_a_label_that_cannot_fit_has_the_smallest_remedy(lines: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A height that is enough; 16 pixels less is not."""
    relabel(lines / "train", {3: "1234567890" * 4})

    def detail(*options: object) -> str | None:
        found = {kind["name"]: kind for kind in as_json(capsys, lines / "train", *options)["kinds"]}
        return found[kinds.CANNOT_FIT]["first"][0]["detail"] if kinds.CANNOT_FIT in found else None

    said = detail()
    assert said
    assert "needs 40 time steps" in said
    height = int(re.search(r"raise image\.height to ([0-9]+)", said)[1])  # type: ignore[index]
    assert detail("--height", height) is None
    assert detail("--height", height - 16)


def test_all_findings_in_a_table(lines: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    relabel(lines / "train", dict.fromkeys(range(40), "a  b"))
    data = as_json(capsys, lines / "train", "--findings", tmp_path / "all.tsv")
    with (tmp_path / "all.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert len(rows) == data["errors"] + data["warnings"]
    assert sum(row["kind"] == kinds.DOUBLE_SPACE for row in rows) == 40
    assert tuple(rows[0]) == COLUMNS
    [kind] = [one for one in data["kinds"] if one["name"] == kinds.DOUBLE_SPACE]
    assert (kind["count"], len(kind["first"])) == (40, 12)


def test_a_tally_keeps_the_first_of_each_kind() -> None:
    tally = Tally(keep=3)
    for position in range(10_000):
        tally.add(Finding("train", position, "w", "p", kinds.DOUBLE_SPACE, "d"))
    assert tally.counts[kinds.DOUBLE_SPACE] == 10_000
    assert [finding.position for finding in tally.first[kinds.DOUBLE_SPACE]] == [0, 1, 2]


class Tags(HTMLParser):
    """What a browser would see."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.sources: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.sources += [value or "" for name, value in attributes if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_fits_a_phone(lines: Path, tmp_path: Path, browser: Any) -> None:
    relabel(lines / "train", {1: "a  b", 2: HOSTILE, 3: 200 * "long", 4: ""})
    main(["check", str(lines), "--html", str(tmp_path / "check.html")])
    page = browser.new_page(viewport={"width": 390, "height": 800})
    page.goto((tmp_path / "check.html").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_page(lines: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One file, without scripts or anything from elsewhere, whatever labels hold; with pictures of the lines."""
    relabel(lines / "train", {1: "a  b", 2: HOSTILE, 3: ' <script>alert("x")</script> "><img src=http://x/>'})
    assert main(["check", str(lines), "--html", str(tmp_path / "page.html")]) in (0, 1)
    page = Tags((tmp_path / "page.html").read_text(encoding="utf-8"))
    assert "script" not in page.tags
    assert page.sources
    assert all(source.startswith(("data:image/png;base64,", "#k")) for source in page.sources)
    assert sum(source.startswith("data:") for source in page.sources) >= 3
    assert '<script>alert("x")</script>' in page.text
    assert "double space" in page.text
    assert "\x1b" not in page.text
    capsys.readouterr()


def test_characters_by_name_by_file_and_by_themselves(
    lines: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "characters.txt").write_text("0123456789\nabc \n", encoding="utf-8")
    wanted = {"set:ascii": False, "set:digits": True, tmp_path / "characters.txt": False, "0123456789abc ": False}
    for charset, refused in wanted.items():
        data = as_json(capsys, lines / "train", "--charset", charset)
        assert (kinds.UNKNOWN_CHARACTER in {kind["name"] for kind in data["kinds"]}) is refused, charset
        assert data["settings"]["characters_given"]


def test_the_characters_and_the_height_of_a_model(
    lines: Path, trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    relabel(lines / "train", {0: "ä"})
    data = as_json(capsys, lines / "train", "--model", trained / "model.onnx")
    found = {kind["name"]: kind for kind in data["kinds"]}
    assert "U+00E4 LATIN SMALL LETTER A WITH DIAERESIS" in found[kinds.UNKNOWN_CHARACTER]["first"][0]["detail"]
    assert data["settings"]["height"] == json.loads((trained / "data.json").read_text()).get("height", 32)
    assert data["settings"]["characters"] == 14


def test_headers_only(lines: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Reads sizes, not pixels."""
    cut = (lines / "train/images/004.png").read_bytes()[:-40]
    (lines / "train/images/004.png").write_bytes(cut)
    assert as_json(capsys, lines / "train")["sets"][0]["dropped"] == {kinds.UNREADABLE: 1}
    data = as_json(capsys, lines / "train", "--headers-only")
    assert data["sets"][0]["dropped"] == {}
    assert not data["settings"]["decoded"]


def test_kinds_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--kinds"]) == 0
    out = capsys.readouterr().out
    assert [name for name in KINDS if name.split()[0] not in out] == []
    assert len(KINDS) > 25


def test_all_pictures_missing(lines: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(lines / "train/images")
    assert main(["check", str(lines / "train")]) == 1
    out = re.sub(r"\s+", " ", capsys.readouterr().out)
    assert "0 of 48 lines kept, 0 pictures readable; dropped: 48 x unreadable picture" in out
    assert "nothing is left" in out


def test_fix_writes_a_copy_and_leaves_the_source_alone(
    lines: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    relabel(lines / "train", {0: " a  b ", 1: "", 2: "a\u200bb", 3: "c&amp;a", 4: "1" * 99, 6: "cafe\u0301"})
    (lines / "train/images/005.png").write_bytes(b"no picture")
    before = contents(lines)
    assert main(["check", str(lines)]) == 1
    assert "--fix FOLDER writes a copy without them" in re.sub(r"\s+", " ", capsys.readouterr().out)
    assert main(["check", str(lines), "--fix", str(tmp_path / "copy")]) == 0  # training would accept the copy
    said = capsys.readouterr().out
    assert said.endswith(f"training would accept the copy: crnn train data.root={tmp_path / 'copy'}\n")
    assert main(["check", str(lines), "--fix", str(tmp_path / "a copy")]) == 0
    assert capsys.readouterr().out.endswith(f"crnn train 'data.root={tmp_path / 'a copy'}'\n")  # as a shell takes it
    assert main(["check", str(tmp_path / "copy")]) == 0
    assert contents(lines) == before
    copy = tmp_path / "copy" / "train"
    kept = [text for i, text in enumerate(labels(open_source(lines / "train"))) if i not in (1, 4, 5)]
    wanted = ["a b", "ab", "c&a", "café", *kept[4:]]
    assert list(labels(open_source(copy))) == wanted
    report = check_lines(open_source(copy), LineTransform(32))
    assert len(report.kept) == 45
    assert report.dropped == []
    with (copy / "changes.tsv").open(encoding="utf-8", newline="") as file:
        changes = [(row["where"].rsplit(":")[-1], row["change"]) for row in csv.DictReader(file, delimiter="\t")]
    assert changes == [
        ("1", f"{kinds.SPACE_AT_END}, {kinds.DOUBLE_SPACE}"),
        ("3", kinds.INVISIBLE),
        ("4", kinds.HTML_ENTITY),
        ("7", kinds.NOT_NFC),
    ]
    with (copy / "dropped.tsv").open(encoding="utf-8", newline="") as file:
        dropped = [(row["where"].rsplit(":")[-1], row["reason"]) for row in csv.DictReader(file, delimiter="\t")]
    assert dropped == [("2", kinds.EMPTY_LABEL), ("5", kinds.CANNOT_FIT), ("6", kinds.UNREADABLE)]
    first = open_source(copy).content(0)
    assert isinstance(first, Path)
    assert first.read_bytes() == (lines / "train/images/000.png").read_bytes()
    assert len(open_source(tmp_path / "copy" / "val")) == 12
    out = re.sub(r"\s+", " ", said)
    assert "45 lines written and read back, 4 labels mended (changes.tsv), 3 lines left out (dropped.tsv)" in out
    assert main(["check", str(tmp_path / "copy"), "--strict"]) == 0, "the copy has findings"


def test_fix_leaves_nothing_half_written(lines: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = fix._Copy._write_picture
    written = []

    def full(self: fix._Copy, *arguments: object) -> str:
        written.append(1)
        if len(written) > 20:
            raise OSError(28, "No space left on device")
        return write(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(fix._Copy, "_write_picture", full)
    assert main(["check", str(lines / "train"), "--fix", str(tmp_path / "copy")]) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["lines"]


def test_a_lone_surrogate_can_be_printed(
    lines: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """JSON labels can hold one; nothing that is printed or written can."""
    rows = [{"file_name": f"images/{i:03d}.png", "text": "a\ud800" if i == 1 else "b"} for i in range(48)]
    (lines / "train/labels.tsv").unlink()
    (lines / "train/metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    options = ["--html", str(tmp_path / "page.html"), "--findings", str(tmp_path / "all.tsv")]
    assert main(["check", str(lines / "train"), *options]) == 1
    out = capsys.readouterr().out
    out.encode()
    assert "lone surrogate" in out
    assert [
        one["count"] for one in as_json(capsys, lines / "train")["kinds"] if one["name"] == kinds.LONE_SURROGATE
    ] == [1]


def test_pictures_without_a_text_are_said(lines: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (lines / "train/labels.tsv").unlink()
    for i in range(40):
        (lines / f"train/images/{i:03d}.gt.txt").write_text("a")
    assert any("8 pictures have no text beside them" in note for note in as_json(capsys, lines / "train")["notes"])
    main(["check", str(lines / "train")])
    assert "8 pictures have no text beside them" in re.sub(r"\s+", " ", capsys.readouterr().out)


def test_inverted_pictures(lines: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The exception is named; where both are common a note says so."""
    path = lines / "train/images/009.png"
    Image.eval(Image.open(path).convert("L"), lambda grey: 255 - grey).save(path)
    [kind] = [one for one in as_json(capsys, lines / "train")["kinds"] if one["name"] == kinds.INVERTED]
    assert (kind["count"], kind["first"][0]["where"]) == (1, f"{lines}/train/labels.tsv:10")


def test_right_to_left_labels_are_noted(lines: Path, capsys: pytest.CaptureFixture[str]) -> None:
    relabel(lines / "train", dict.fromkeys(range(48), "שלום"))
    main(["check", str(lines / "train")])
    said = " ".join(capsys.readouterr().out.split())
    assert "100% of the letters run from right to left, and lines are taken to run from left to right" in said
