"""`crnn convert`, from words to an exit code."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from given_lines import noise, save_often

from crnn.cli import main, make_parser
from crnn.data.convert import run
from crnn.data.sources import open_source


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    """Thirty lines with texts beside them, one of them without a picture."""
    folder = tmp_path / "lines"
    folder.mkdir()
    for i in range(30):
        (folder / f"{i:02d}.png").write_bytes(noise(i))
        (folder / f"{i:02d}.gt.txt").write_text(f"text {i}\n")
    (folder / "09.png").unlink()
    return folder


@pytest.fixture
def whole(lines: Path) -> Path:
    (lines / "09.gt.txt").unlink()
    return lines


def test_all_is_well(whole: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "new" / "out.parquet"
    assert main(["convert", str(whole), str(target)]) == 0
    out, err = capfd.readouterr()
    first, second = out.splitlines()
    assert first == f"{target}: 29 lines written and read back, the same labels and pictures"
    assert second.startswith(f"{target}: fingerprint ")
    assert len(second.split()[-1]) == 64
    assert err == ""


def test_several_sources_and_options_anywhere(whole: Path, tmp_path: Path) -> None:
    assert main(["convert", str(whole), "--to", "lmdb", str(whole), str(tmp_path / "out")]) == 0
    assert len(open_source(tmp_path / "out")) == 58


def test_lines_left_out(lines: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (lines / "03.gt.txt").write_text("a\tb\n")
    (lines / "04.gt.txt").write_text("\n")
    target = tmp_path / "out"
    assert main(["convert", str(lines), str(target), "--to", "tsv"]) == 1
    out, err = capfd.readouterr()
    assert out.splitlines()[2:] == [
        f"{target}: a training would drop 1 of these lines, as it would before: 1 empty label; crnn check names them",
        f"{target}: 2 lines left out: 1 label the format cannot keep, 1 unusable row; {target}.skipped.tsv names them",
    ]
    assert err == ""
    assert len((tmp_path / "out.skipped.tsv").read_text().splitlines()) == 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["SRC", "DST"], "crnn: DST: its ending does not tell the format; give --to (lmdb,"),
        (["gone", "DST.tar"], "crnn: gone: there is no such file or folder"),
        (["SRC", "SRC/out.tar"], "crnn: SRC/out.tar: lies in SRC, which is read; name a place elsewhere"),
        (["SRC", "SRC/00.png", "--to", "gt"], "crnn: SRC/00.png: lies in SRC"),
        (["SRC", "DST.tar", "--split", "gone"], "crnn: gone: cannot be read (No such file or directory)"),
        (["SRC", "DST.tar", "--split", "SRC/00.gt.txt"], "crnn: SRC/00.gt.txt: is no recorded split"),
        (["SRC", "DST.tar", "--name-pattern", "("], "crnn: data.name_pattern='(': is not a regular expression"),
        (["SRC", "SRC/00.gt.txt/out.tar"], "crnn: SRC/00.gt.txt/out.tar: "),
        (["SRC/00.gt.txt", "DST.tar"], "crnn: SRC/00.gt.txt: "),
    ],
)
def test_errors_are_one_line_and_leave_nothing(
    words: list[str], said: str, whole: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = sorted(tmp_path.rglob("*"))
    named = [word.replace("SRC", str(whole)).replace("DST", str(tmp_path / "out")) for word in words]
    assert main(["convert", *named]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith(said.replace("SRC", str(whole)).replace("DST", str(tmp_path / "out")))
    assert err.count("\n") == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_ctrl_c_and_going_on(
    lines: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    save_often(monkeypatch)
    target = tmp_path / "out.tar"
    words = ["convert", str(lines), str(target)]
    kept = run.file_of

    def pressed(content: object, name: str) -> object:
        if name.endswith("21.png"):
            raise KeyboardInterrupt
        return kept(content, name)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(run, "file_of", pressed)
        assert main(words) == 130
    out, err = capfd.readouterr()
    assert (out, err) == ("", f"crnn: stopped; what is done is in {target}.part, the same command goes on\n")
    assert main(words) == 1
    assert "the same labels and pictures (gone on with after line 21)" in capfd.readouterr().out
    assert len(open_source(target)) == 29


def test_lines_that_changed_meanwhile(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    save_often(monkeypatch)
    words = ["convert", str(whole), str(tmp_path / "out.tar")]

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("crnn.data.convert.run.read_back", stop)
        assert main(words) == 130
    capfd.readouterr()
    (whole / "00.gt.txt").write_text("another text\n")
    assert main(words) == 2
    assert capfd.readouterr().err.endswith("had other source files; to begin anew, delete it\n")


def test_reading_options(tmp_path: Path) -> None:
    (tmp_path / "table").mkdir()
    (tmp_path / "table" / "a.png").write_bytes(noise(1))
    (tmp_path / "table" / "labels.csv").write_text("p,q,old,new\na.png,b.png,one,two\n")
    words = [
        "convert",
        str(tmp_path / "table"),
        str(tmp_path / "out.tar"),
        "--text-column",
        "new",
        "--image-column",
        "p",
    ]
    assert main(words) == 0
    assert open_source(tmp_path / "out.tar").entry(0).text == "two"
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("my text-1.png", noise(1))
    pattern = ["--name-pattern", "(?P<text>.+)-[0-9]+"]
    assert main(["convert", str(tmp_path / "x.zip"), str(tmp_path / "b.tar"), *pattern]) == 0
    assert open_source(tmp_path / "b.tar").entry(0).text == "my text"


def test_shard_size_and_split(whole: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "val.tsv").write_text("position\tpicture\twhere\n" + "4\t04.png\tx\n")
    words = [str(whole), str(tmp_path / "out"), "--to", "parquet", "--shard-size", "1"]
    assert main(["convert", *words, "--split", str(tmp_path / "val.tsv")]) == 0
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["validation-00000-of-00001.parquet"]
    assert open_source(tmp_path / "out").entry(0).text == "text 4"
    with pytest.raises(SystemExit):
        main(["convert", *words, "--shard-size", "0"])


def test_a_bar_only_on_a_terminal(whole: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "crnn.cli", "convert", str(whole), str(tmp_path / "out.tar")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    assert "\r" not in done.stdout


def test_help() -> None:
    text = make_parser()[1]["convert"].format_help()
    assert "SRC [SRC ...] DST" in text
    assert "example: crnn convert my_lines/train lines.parquet" in text


def test_ctrl_c_before_anything_was_written(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("crnn.data.convert.command.make_job", stop)
    assert main(["convert", str(whole), str(tmp_path / "out.tar")]) == 130
    assert capfd.readouterr() == ("", "")


def test_shards_have_the_size_that_the_help_says() -> None:
    args = make_parser()[0].parse_args(["convert", "a", "b"])
    assert args.shard_size * 2**20 == run.SHARD_BYTES == 2**28
