"""Where `crnn check` writes: never over what it did not write itself, and said before the pass, not after it."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from crnn.cli import main
from crnn.inspect import command, fix


@pytest.fixture
def lines(line_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of labelled lines; the working directory is the folder that it is in."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(line_folder, tmp_path / "lines")
    return Path("lines")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("option", ["--html", "--findings"])
@pytest.mark.parametrize("target", ["lines/train/labels.tsv", "lines/val/images/003.png", "notes.txt"])
def test_what_is_there_is_never_written_over(
    option: str, target: str, lines: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("notes.txt").write_text("mine")
    before = contents(Path())
    assert main(["check", str(lines), option, target]) == 2
    assert f"{target}: is there already" in capsys.readouterr().err
    assert contents(Path()) == before


@pytest.mark.parametrize(("option", "name"), [("--html", "page.html"), ("--findings", "all.tsv")])
def test_what_an_earlier_check_wrote_is_replaced(option: str, name: str, lines: Path) -> None:
    assert main(["check", str(lines), option, name]) == 0
    first = Path(name).read_bytes()
    (lines / "train/labels.tsv").write_bytes(b"images/000.png\ta  b\n" * 60)
    assert main(["check", str(lines), option, name]) == 0
    assert Path(name).read_bytes() != first


def test_an_empty_file_may_be_written_over(lines: Path) -> None:
    """As `mktemp` makes one."""
    Path("all.tsv").touch()
    assert main(["check", str(lines), "--findings", "all.tsv"]) == 0
    assert Path("all.tsv").read_text().startswith("role\twhere\t")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--html", "nowhere/page.html"], "nowhere/page.html: cannot be written"),
        (["--html", "notes.txt/page.html"], "notes.txt/page.html: cannot be written"),
        (["--html", "lines"], "lines: is a folder"),
        (["--findings", "nowhere/all.tsv"], "nowhere/all.tsv: cannot be written"),
        (["--html", "one", "--findings", "./one"], "--html and --findings name the same file"),
        (["--fix", "notes.txt/copy"], "notes.txt/copy: cannot be written, {here}/notes.txt is no folder; name another"),
        (["--fix", "closed/copy"], "closed/copy: cannot be written, you may not write to {here}/closed; name another"),
        (["--fix", "notes.txt"], "notes.txt: is there already"),
        (["--fix", "lines/mended"], "lines/mended: lies in lines, which is copied"),
        (["--fix", "copy", "--html", "copy/page.html"], "copy/page.html: cannot be written"),
    ],
)
def test_it_is_said_before_the_pass(
    arguments: list[str],
    said: str,
    lines: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def late(*arguments: object) -> None:
        raise AssertionError("an hour later")

    monkeypatch.setattr(command, "inspect", late)
    Path("notes.txt").write_text("mine")
    Path("closed").mkdir()
    may = os.access
    monkeypatch.setattr(
        os, "access", lambda path, mode: Path(path).name != "closed" and may(path, mode)
    )  # for root, too
    before = contents(Path())
    assert main(["check", str(lines), *arguments]) == 2
    error = capsys.readouterr().err
    assert said.format(here=Path.cwd()) in error
    assert error.count("\n") == 1
    assert contents(Path()) == before


def test_a_copy_of_two_sides_is_whole_or_not_there(lines: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Also where the second one fails."""
    table = lines / "val/labels.tsv"
    table.write_text("".join(row.partition("\t")[0] + "\t\n" for row in table.read_text().splitlines()))
    before = sorted(path.name for path in Path().iterdir())
    assert main(["check", str(lines), "--fix", "copy"]) == 2
    assert "none of 12 lines of val can be used" in capsys.readouterr().err
    assert sorted(path.name for path in Path().iterdir()) == before


def test_a_copy_that_reads_back_short_is_no_copy(
    lines: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write = fix._Copy._line

    def forgetful(self: fix._Copy, *arguments: object) -> str:
        row = write(self, *arguments)  # type: ignore[arg-type]
        return "" if self.lines == 5 else row

    monkeypatch.setattr(fix._Copy, "_line", forgetful)
    assert main(["check", str(lines / "train"), "--fix", "copy"]) == 2
    assert "of 48 lines written for train 47 can be read back" in capsys.readouterr().err
    assert [path.name for path in Path().iterdir()] == ["lines"]


def test_an_empty_folder_takes_the_copy(lines: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("copy").mkdir()
    assert main(["check", str(lines), "--fix", "copy", "--json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["accepted"]
    assert "copy/train: 48 lines written and read back" in printed.err
    assert sorted(path.name for path in Path("copy").iterdir()) == ["train", "val"]
