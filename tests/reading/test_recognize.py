"""`crnn recognize`, as a user runs it, on good and on terrible input."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from page_files import alto_pages, page_line, page_xml, saved, transkribus_export
from PIL import Image

import crnn
from crnn.cli import main
from crnn.core.decode.settings import language_model
from crnn.core.picture import MAX_PIXELS
from crnn.data.recorded import recorded_lines
from crnn.errors import DataError
from crnn.reading.inputs import find_pictures, read_list
from crnn.reading.outputs import escaped
from crnn.report.calibration import fit_temperature
from crnn.report.evaluate import evaluate

SCRIPT = Path(__file__).parents[2] / "scripts" / "recognize.py"


@pytest.fixture(scope="module")
def model(trained: Path) -> Path:
    return trained / "model.onnx"


@pytest.fixture
def lines(line_folder: Path) -> list[Path]:
    return sorted((line_folder / "val" / "images").iterdir())


def run(*words: object, stdin: bytes = b"", cwd: Path | None = None) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "LC_ALL": "C", "LANG": "C"}
    return subprocess.run(
        [sys.executable, str(SCRIPT), *map(os.fsencode, map(str, words))],
        input=stdin,
        capture_output=True,
        cwd=cwd,
        env=environment,
        timeout=120,
    )


def expected(model: Path, pictures: list[Path]) -> list[str]:
    return [r.text for r in crnn.load(model).recognize(pictures)]


def test_files_folders_and_patterns_give_the_same(
    model: Path, lines: list[Path], capfd: pytest.CaptureFixture[str]
) -> None:
    texts = expected(model, lines)
    folder = lines[0].parent
    for words in (list(map(str, lines)), [str(folder)], [str(folder / "*.png")], [str(folder.parent)]):
        assert main(["recognize", str(model), *words]) == 0
        assert capfd.readouterr().out.splitlines() == texts
    assert main(["recognize", str(model), str(lines[1]), "--format", "text", str(lines[0])]) == 0  # options in between
    assert capfd.readouterr().out.splitlines() == [texts[1], texts[0]]


def test_formats(model: Path, lines: list[Path], capfd: pytest.CaptureFixture[str]) -> None:
    readings = crnn.load(model).recognize(lines)
    main(["recognize", str(model), *map(str, lines), "--format", "tsv"])
    rows = [row.split("\t") for row in capfd.readouterr().out.splitlines()]
    assert rows == [[str(p), r.text, f"{r.confidence:.6f}"] for p, r in zip(lines, readings, strict=True)]
    main(["recognize", str(model), *map(str, lines), "--format", "jsonl"])
    objects = [json.loads(row) for row in capfd.readouterr().out.splitlines()]
    assert [(o["path"], o["text"], o["confidence"]) for o in objects] == [
        (str(p), r.text, r.confidence) for p, r in zip(lines, readings, strict=True)
    ]
    assert sum(len(o["characters"]) for o in objects) > 0
    for o, path in zip(objects, lines, strict=True):
        assert "".join(c["text"] for c in o["characters"]) == o["text"]
        edges = [edge for c in o["characters"] for edge in (c["start"], c["end"])]
        assert edges == sorted(edges)
        assert all(0 <= edge <= Image.open(path).width for edge in edges)
        assert all(0 <= c["confidence"] <= 1 for c in o["characters"])


def test_standard_input(model: Path, lines: list[Path]) -> None:
    texts = expected(model, lines)
    assert run(model, "-", stdin=lines[2].read_bytes()).stdout.decode().splitlines() == [texts[2]]
    listed = run(model, "--list", "-", stdin="\n".join(map(str, lines)).encode())
    assert listed.stdout.decode().splitlines() == texts
    nul = run(model, "--list", "-", "--null", stdin=b"\0".join(map(os.fsencode, lines)))
    assert nul.stdout.decode().splitlines() == texts
    empty = run(model, "-", stdin=b"")
    assert (empty.returncode, empty.stdout) == (1, b"\n")
    assert b"standard input: is empty (0 bytes)" in empty.stderr


def test_terrible_folder(model: Path, lines: list[Path], tmp_path: Path) -> None:
    """Every bad picture is one line on standard error; the rest still comes, in order."""
    from struct import pack
    from zlib import crc32

    good = lines[0].read_bytes()
    (tmp_path / "01_good.png").write_bytes(good)
    (tmp_path / "02_zero.png").write_bytes(b"")
    (tmp_path / "03_text.png").write_text("this is no picture")
    (tmp_path / "04_cut.png").write_bytes(good[: len(good) // 2])
    Image.new("L", (30_000, 32), 255).save(tmp_path / "05_wide.png")
    header = b"IHDR" + pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + pack(">I", 13) + header + pack(">I", crc32(header))
    (tmp_path / "06_bomb.png").write_bytes(bomb + pack(">I", 0) + b"IEND" + pack(">I", crc32(b"IEND")))
    (tmp_path / "07_new\nline.png").write_bytes(good)
    Image.new("L", (8000, 10), 255).save(tmp_path / "08_sliver.png")  # 25,600 pixels at height 32
    Image.new("L", (40_000, 10), 255).save(tmp_path / "09_too_wide.png")
    Image.new("L", (1, 1), 0).save(tmp_path / "10_dot.png")
    (tmp_path / "11_dangling.png").symlink_to(tmp_path / "nowhere.png")
    (tmp_path / "notes.txt").write_text("not read at all")
    (tmp_path / "12_folder.png").mkdir()
    (tmp_path / "12_folder.png" / "in.png").write_bytes(good)
    (tmp_path / "12_folder.png" / "loop").symlink_to(tmp_path)

    done = run(model, tmp_path, "--format", "jsonl")
    assert done.returncode == 1
    rows = [json.loads(row) for row in done.stdout.decode().splitlines()]
    failed = [Path(row["path"]).name for row in rows if "error" in row]
    assert [Path(row["path"]).name for row in rows] == [
        "01_good.png",
        "02_zero.png",
        "03_text.png",
        "04_cut.png",
        "05_wide.png",
        "06_bomb.png",
        "07_new\nline.png",
        "08_sliver.png",
        "09_too_wide.png",
        "10_dot.png",
        "11_dangling.png",
        "in.png",
    ]
    assert failed == ["02_zero.png", "03_text.png", "04_cut.png", "06_bomb.png", "09_too_wide.png", "11_dangling.png"]
    complaints = done.stderr.decode().splitlines()
    assert len(complaints) == len(failed)
    assert all(name in said for name, said in zip(failed, complaints, strict=True))
    assert rows[0]["text"] == rows[6]["text"] == rows[11]["text"] == expected(model, [lines[0]])[0]

    table = run(model, tmp_path, "--format", "tsv").stdout.decode().splitlines()
    assert len(table) == 12  # a name with a newline is still one row
    assert table[6].startswith(f"{tmp_path}/07_new\\nline.png\t")
    plain = run(model, tmp_path).stdout.decode().splitlines()
    assert len(plain) == 12
    assert plain[1] == ""


def test_undecodable_names(model: Path, lines: list[Path], tmp_path: Path) -> None:
    name = os.path.join(os.fsencode(tmp_path), b"bad\xff.png")
    try:
        with open(name, "wb") as file:
            file.write(lines[0].read_bytes())
    except OSError:
        pytest.skip("the file system takes UTF-8 names only")
    done = run(model, tmp_path, "--format", "jsonl")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["path"].endswith("bad\\udcff.png")


@pytest.mark.skipif(os.name != "posix", reason="POSIX permissions")
def test_unreadable_folder_is_named(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.scandir

    def scandir(path: str) -> object:
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    (tmp_path / "locked").mkdir()
    monkeypatch.setattr(os, "scandir", scandir)
    items = list(find_pictures([str(tmp_path)]))
    assert len(items) == 1
    assert isinstance(items[0].source, DataError)
    assert "locked: folder cannot be read (Permission denied)" in str(items[0].source)


def test_nothing_to_read(model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    for words, message in (
        ([str(tmp_path / "empty")], "folder without pictures"),
        ([str(tmp_path / "*.tif")], "no file matches this pattern"),
        ([str(tmp_path / "gone.png")], "No such file"),
    ):
        assert main(["recognize", str(model), *words]) == 1
        assert message in capfd.readouterr().err
    (tmp_path / "empty" / "lines.tar").touch()
    (tmp_path / "empty" / "page.pdf").touch()
    assert main(["recognize", str(model), str(tmp_path / "empty")]) == 1
    said = (
        "lines.tar and 1 more are left out; to read what is in an archive or a table, name it, and save lines of other"
    )
    assert said in capfd.readouterr().err
    assert main(["recognize", str(model)]) == 2
    assert "no pictures named" in capfd.readouterr().err
    assert main(["recognize", str(tmp_path / "no.onnx"), "x.png"]) == 2
    assert "no.onnx: cannot be read (No such file or directory)" in capfd.readouterr().err


def test_files_that_may_hold_lines_are_not_left_out_silently(
    model: Path, lines: list[Path], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(lines[0], tmp_path / "a.png")
    for name in ("b.heic", "._c.pdf", "lock.mdb"):  # a Mac's note and a database's lock hold nothing
        (tmp_path / name).touch()
    (tmp_path / "labels.tsv").touch()
    assert main(["recognize", str(model), str(tmp_path)]) == 0
    captured = capfd.readouterr()
    assert captured.out.splitlines() == expected(model, lines[:1])
    assert (
        captured.err
        == f"crnn: note: {tmp_path}: {tmp_path / 'b.heic'} is left out; save lines of other formats as PNG\n"
    )


def test_zip_archives_are_sets(
    model: Path, lines: list[Path], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Without a model before them, too, although checkpoints are zip archives."""
    path = tmp_path / "lines.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number, line in enumerate(lines[:3]):
            archive.write(line, f"in/{number}.png")
        archive.writestr("__MACOSX/in/._0.png", "a Mac's note")
        archive.writestr("in/notes.txt", "text")
    assert main(["recognize", str(model), str(path), "--format", "tsv"]) == 0
    rows = [row.split("\t") for row in capfd.readouterr().out.splitlines()]
    assert [row[0] for row in rows] == [f"{path}:in/{number}.png" for number in range(3)]
    assert [row[1] for row in rows] == expected(model, lines[:3])
    assert main(["recognize", str(path), "--format", "tsv"]) == 0
    assert capfd.readouterr().out.count("\n") == 3
    path.write_bytes(path.read_bytes()[:100])
    assert main(["recognize", str(model), str(path)]) == 1
    assert "lines.zip: is not a readable zip archive" in capfd.readouterr().err


@pytest.mark.parametrize("write", [transkribus_export, alto_pages])
def test_page_xml_is_read_line_by_line(
    model: Path, lines: list[Path], tmp_path: Path, capfd: pytest.CaptureFixture[str], write: Callable[..., Path]
) -> None:
    """Not its page as one line; what no XML speaks of is named, and read when it is asked for."""
    texts = expected(model, lines)
    folder = write(tmp_path / "pages", ["wrong"] * len(lines), [Image.open(line).convert("L") for line in lines])
    parts = [path for path in sorted(folder.rglob("*.xml")) if path.name != "mets.xml"]
    for words in ([folder], parts):
        assert main(["recognize", str(model), *map(str, words)]) == 0
        out, err = capfd.readouterr()
        assert (out.splitlines(), err) == (texts, "")
    assert main(["recognize", str(model), str(parts[0]), "--format", "tsv"]) == 0
    assert capfd.readouterr().out.startswith(f"{parts[0]}:")
    for number in (1, 2):
        words = ["--shard", f"{number}/2", "--out", str(tmp_path / "out")]
        assert main(["recognize", str(model), str(folder), *words]) == 0
    assert main(["recognize", "--merge", str(tmp_path / "out"), "--out", str(tmp_path / "all.txt")]) == 0
    assert (tmp_path / "all.txt").read_text("utf-8").splitlines() == texts
    capfd.readouterr()
    (folder / "other.png").write_bytes(lines[0].read_bytes())
    assert main(["recognize", str(model), str(folder)]) == 1
    out, err = capfd.readouterr()
    assert out.splitlines() == [*texts, ""]
    said = "no PAGE or ALTO file there is about it; to read it as one line, name the picture itself"
    assert err == f"crnn: {folder / 'other.png'}: {said}\n"


@pytest.mark.parametrize("kind", ["zip", "tar"])
@pytest.mark.parametrize("write", [transkribus_export, alto_pages])
def test_pages_in_an_archive_are_read_line_by_line(
    model: Path,
    lines: list[Path],
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    write: Callable[..., Path],
    kind: str,
) -> None:
    """As training takes them, and not each page as one line."""
    folder = write(tmp_path / "pages", ["wrong"] * len(lines), [Image.open(line).convert("L") for line in lines])
    (folder / "other.png").write_bytes(lines[0].read_bytes())
    archive = Path(shutil.make_archive(str(tmp_path / "kept"), kind, folder))
    assert main(["recognize", str(model), str(archive), "--format", "tsv"]) == 1
    out, err = capfd.readouterr()
    rows = [row.split("\t") for row in out.splitlines()]
    assert [row[1] for row in rows] == [*expected(model, lines), ""]
    assert all(row[0].startswith(f"{archive}:") for row in rows)
    said = "no PAGE or ALTO file in the archive is about it; to read it as one line, take it out"
    assert err == f"crnn: {archive}:other.png: {said}\n"


def test_page_xml_with_faults(model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = saved(tmp_path, page_xml(page_line(0) + page_line(1, coords="")))
    assert main(["recognize", str(model), str(folder)]) == 1
    out, err = capfd.readouterr()
    assert len(out.splitlines()) == 2
    assert err.startswith(f"crnn: {folder / 'p1.xml'}:7: has neither outline nor baseline")
    saved(tmp_path, page_xml(""))
    assert main(["recognize", str(model), str(folder / "p1.xml")]) == 1
    assert capfd.readouterr().err == f"crnn: {folder / 'p1.xml'}: holds no lines\n"
    saved(tmp_path, page_xml(page_line(0))[:-9])
    assert main(["recognize", str(model), str(folder)]) == 1
    out, err = capfd.readouterr()
    assert err.startswith(f"crnn: {folder / 'p1.xml'}:")
    assert "is not XML that can be read" in err
    assert err.count("\n") == 1


def test_output_file_is_whole_or_absent(model: Path, lines: list[Path], tmp_path: Path) -> None:
    target = tmp_path / "out.txt"
    assert main(["recognize", str(model), *map(str, lines), "-o", str(target)]) == 0
    assert target.read_text().splitlines() == expected(model, lines)
    assert main(["recognize", str(model), str(lines[0]), "-o", str(tmp_path / "no" / "out.txt")]) == 2
    assert [p.name for p in tmp_path.iterdir()] == ["out.txt"]


def test_nothing_that_is_read_is_written_over(
    model: Path, lines: list[Path], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    picture, own = tmp_path / "a.png", tmp_path / "m.onnx"
    shutil.copy(lines[0], picture)
    shutil.copy(model, own)
    (tmp_path / "b.png").symlink_to(picture)
    (tmp_path / "list.txt").write_text(f"{picture}\n")
    for name in ("words.txt", "labels.tsv", "a.gt.txt"):
        (tmp_path / name).write_text("a.png\tab\n")
    for words, output, why in (
        ([own, picture], picture, "is read here"),
        ([own, picture], tmp_path / "b.png", "is read here"),
        ([own, picture], own, "is read here"),
        ([own, "--list", tmp_path / "list.txt"], tmp_path / "list.txt", "is read here"),
        ([model, tmp_path], picture, "is a picture or a model"),
        ([model, picture], own, "is a picture or a model"),
        ([model, picture, "--lexicon", tmp_path / "words.txt"], tmp_path / "words.txt", "is read here"),
        ([model, picture, "--lm", tmp_path / "words.txt"], tmp_path / "words.txt", "is read here"),
        ([model, picture], tmp_path / "labels.tsv", "holds labels"),
        ([model, picture], tmp_path / "a.gt.txt", "holds labels"),
    ):
        before = output.read_bytes()
        assert main(["recognize", *map(str, words), "-o", str(output)]) == 2
        assert f"{output}: {why}, and would be written over; name another file" in capfd.readouterr().err
        assert output.read_bytes() == before
    assert main(["recognize", str(own), str(picture), "-o", str(tmp_path / "out.txt")]) == 0
    assert main(["recognize", str(own), str(picture), "-o", str(tmp_path / "out.txt")]) == 0  # what it wrote earlier


@pytest.mark.parametrize("kind", ["model.onnx", "checkpoints/best.ckpt"])
def test_all_ways_to_hand_over_a_picture(trained: Path, lines: list[Path], kind: str) -> None:
    reader = crnn.load(trained / kind)
    grey = Image.open(lines[0]).convert("L")
    buffer = io.BytesIO()
    grey.save(buffer, "PNG")
    array = np.asarray(grey)
    colour = np.stack([array] * 3, axis=2)
    ways = [lines[0], str(lines[0]), buffer.getvalue(), grey, grey.convert("RGB"), array, colour, array / 255.0]
    assert len({r.text for r in reader.recognize(ways)}) == 1
    assert [reader.recognize(way)[0].text for way in (lines[0], grey, array, colour, buffer.getvalue())] == [
        reader.recognize([grey])[0].text
    ] * 5
    with pytest.raises(DataError, match="gone"):
        reader.recognize([lines[0], "gone.png"])


def test_readings_do_not_depend_on_batch_or_neighbours(trained: Path, lines: list[Path]) -> None:
    alone = [crnn.load(trained / "model.onnx").recognize([line])[0] for line in lines]
    for size in (1, 2, 5, 64):
        together = crnn.load(trained / "model.onnx", batch_size=size).recognize(lines)
        assert [r.text for r in together] == [r.text for r in alone]
        assert [r.confidence for r in together] == pytest.approx([r.confidence for r in alone], abs=1e-5)


def test_spans_point_at_the_ink(trained: Path) -> None:
    """Spans are in pixels of the original picture, whatever its size."""
    reader = crnn.load(trained / "model.onnx")
    picture = Image.open(trained / "samples" / "line.png")
    small = reader.recognize([picture])[0]
    large = reader.recognize([picture.resize((picture.width * 3, picture.height * 3))])[0]
    if small.characters and small.text == large.text:
        for a, b in zip(small.characters, large.characters, strict=True):
            assert b.start == pytest.approx(3 * a.start, abs=3 * 3 * 4)


def test_an_empty_name_is_called_so(model: Path, lines: list[Path], capfd: pytest.CaptureFixture[str]) -> None:
    """As of a variable of the shell that is not set; what else is named is read."""
    assert main(["recognize", str(model), "", str(lines[0])]) == 1
    said = capfd.readouterr()
    assert said.err == "crnn: '': is no name of a picture; is a variable of the command line not set?\n"
    assert said.out.splitlines() == ["", expected(model, [lines[0]])[0]]  # a line for each


def test_list_files(tmp_path: Path) -> None:
    (tmp_path / "list").write_bytes(b"a b.png\r\n\nc.png\n")
    assert read_list(str(tmp_path / "list")) == ["a b.png", "c.png"]
    (tmp_path / "list").write_bytes(b"a\nb.png\0c.png\0")
    assert read_list(str(tmp_path / "list"), null=True) == ["a\nb.png", "c.png"]
    (tmp_path / "list").write_bytes(b"\xef\xbb\xbfa.png\r\n\xef\xbb\xbfb.png\r\n")  # as Windows writes UTF-8
    assert read_list(str(tmp_path / "list")) == ["a.png", "\ufeffb.png"]
    with pytest.raises(DataError, match="list cannot be read"):
        read_list(str(tmp_path / "none"))


def test_escapes() -> None:
    assert escaped("a\tb\nc\\d\r") == "a\\tb\\nc\\\\d\\r"
    assert MAX_PIXELS < 60_000**2


def test_decoder_options(model: Path, lines: list[Path], tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Beam search, pattern, lexicon, language model and the best texts, as a user asks for them."""

    def readings(*options: object) -> list[str]:
        assert main(["recognize", str(model), *map(str, lines), *map(str, options)]) == 0
        return capfd.readouterr().out.splitlines()

    texts = expected(model, lines)
    assert len(texts) == 12
    assert readings("--beam", 0) == texts
    assert all(re.fullmatch(r"[abc]\d*", text) for text in readings("--pattern", r"[abc]\d*"))
    listed = tmp_path / "texts.txt"
    listed.write_text("12\nabc\n7 a\n", encoding="utf-8")
    assert {*readings("--lexicon", listed)} <= {"12", "abc", "7 a"}
    assert {*readings("--lm", listed, "--lm-weight", 5, "--length-bonus", 0, "--beam", 20)} != {*texts}
    for row, text in zip(readings("--nbest", 3, "--beam", 5, "--format", "jsonl"), readings("--beam", 5), strict=True):
        found = json.loads(row)
        assert found["text"] == text == found["alternatives"][0]["text"]
        assert 1 <= len(found["alternatives"]) <= 3
    for options, message in {
        ("--pattern", r"(a)\1"): "crnn: pattern '(a)\\\\1' has a reference to a group",
        ("--nbest", "2"): "crnn: --nbest goes with --format jsonl; text has one text per line",
        ("--beam", "-1"): "crnn: the beam's width is -1",
        ("--lm", "nothing.txt"): "crnn: nothing.txt: cannot be read",
    }.items():
        assert main(["recognize", str(model), str(lines[0]), *options]) == 2
        assert capfd.readouterr().err.startswith(message)


def test_labelled_lines_are_texts_too(
    model: Path, lines: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """`--lm` and `--lexicon` take lines for their labels; `crnn export --lm train` is the run's, whatever lies here."""
    texts = ["12", "abc", "7 a"]
    (tmp_path / "train").mkdir()
    table = tmp_path / "train" / "labels.tsv"
    table.write_text("".join(f"{i}.png\t{text}\n" for i, text in enumerate(texts)), encoding="utf-8")
    (tmp_path / "texts.txt").write_text("\n".join(texts), encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    def readings(*options: object, shares: Path | None = None) -> list[str]:
        end = ["--shard", "1/1", "--out", str(shares)] if shares else []
        assert main(["recognize", str(model), *map(str, lines), *map(str, options), *end]) == 0
        return capfd.readouterr().out.splitlines()

    assert {*readings("--lexicon", "train")} <= {*texts}
    heavy = ("--lm-weight", 5, "--length-bonus", 0, "--beam", 20, "--lm")
    assert readings(*heavy, "train") == readings(*heavy, table) == readings(*heavy, "texts.txt") != readings()
    readings(*heavy, "train", shares=tmp_path / "shares")
    written = next((tmp_path / "shares").glob("*.json")).read_text("utf-8")
    assert "7 a" not in written
    table.write_text("0.png\t12\n", encoding="utf-8")
    words = ["recognize", str(model), *map(str, lines), *map(str, heavy), "train", "--shard", "1/1", "--out", "shares"]
    assert main(words) == 2
    assert "the options (lm)" in capfd.readouterr().err
    checkpoint = model.parent / "checkpoints" / "best.ckpt"
    assert main(["export", str(checkpoint), "-o", "m.onnx", "--lm", "train"]) == 0
    assert main(["export", str(checkpoint), "-o", "l.onnx", "--lm", "./train"]) == 0
    card = crnn.load(model).card
    learnt = [language_model(texts, card.charset).to_dict() for texts in (reader_labels(model), ["12"])]
    assert [crnn.load(name).card.decoder["lm"] for name in ("m.onnx", "l.onnx")] == learnt
    (tmp_path / "empty").mkdir()
    assert main(["recognize", str(model), str(lines[0]), "--lm", "empty"]) == 2
    assert "empty: holds no labelled lines" in capfd.readouterr().err


def test_the_model_file_keeps_its_decoder(
    model: Path, lines: list[Path], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    checkpoint, output = model.parent / "checkpoints" / "best.ckpt", tmp_path / "m.onnx"
    words = ["export", str(checkpoint), "-o", str(output), "--lm", "train", "--pattern", r"[\d abc]+", "--beam", "7"]
    assert main(words) == 0
    reader = crnn.load(output)
    said = capfd.readouterr().out
    weight, bonus, cer, without = re.search(
        r"; lm weight ([\d.]+) and length bonus ([\d.]+), chosen on 12 validation lines \(CER ([\d.]+)%, without ([\d.]+)%\)",
        said,
    ).groups()
    pair = {"lm_weight": float(weight), "length_bonus": float(bonus)}
    kept = {"name": "beam", "width": 7, "pattern": r"[\d abc]+", "lm": 0, **pair}
    assert {**reader.card.decoder, "lm": 0} == kept
    found = re.search(r"temperature ([\d.]+), fitted to what its decoder reads", said)
    assert (float(found[1]) if found else 1.0) == reader.card.temperature
    labelled = recorded_lines(reader.card.training, "val", model)
    assert reader.card.temperature == pytest.approx(fit_temperature(reader, labelled), rel=0.3)  # in some steps
    judged = evaluate(reader, labelled).counts
    assert judged.cer == pytest.approx(float(cer) / 100, abs=0.01)  # a search with these weights finds the same texts
    greedy = evaluate(crnn.load(output, beam=0), labelled).counts
    assert greedy.cer == pytest.approx(float(without) / 100, abs=1e-4)
    stored = reader.recognize(lines)
    given = crnn.load(output, pattern=r"[\d abc]+", beam=7, lm=reader_labels(model), **pair).recognize(lines)
    assert [r.text for r in stored] == [r.text for r in given]
    assert [r.text for r in crnn.load(output, beam=0).recognize(lines)] == expected(model, lines)
    assert main([*words, "--pattern", "("]) == 2
    assert main([*words[:6], "--lm-weight", "0.2"]) == 0  # the bonus stays what it is
    assert {**crnn.load(output).card.decoder, "lm": 0} == {"name": "beam", "lm": 0, "lm_weight": 0.2}
    assert "chosen" not in capfd.readouterr().out
    assert main(["evaluate", str(output), str(lines[0].parent.parent), "--pattern", "z", "--json"]) == 2
    assert "matches no text" in capfd.readouterr().err
    assert main(["evaluate", str(output), str(lines[0].parent.parent), "--pattern", "a{9}", "--json"]) == 0
    assert json.loads(capfd.readouterr().out)[0]["raw"]["exact"] == 0


def reader_labels(model: Path) -> list[str]:
    """The labels that the model was trained with."""
    paths = crnn.load(model).card.training["data"]["paths"]["train"]
    return [row.split("\t")[1] for path in paths for row in Path(path, "labels.tsv").read_text("utf-8").splitlines()]
