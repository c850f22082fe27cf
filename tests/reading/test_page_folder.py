"""The folder that pages are written into: what is refused, and how a run that was stopped goes on."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from page_files import page_line, page_xml, saved
from PIL import Image

from crnn.cli import main
from crnn.reading.page_folder import PageFolder


@pytest.fixture(scope="module")
def model(trained: Path) -> str:
    return str(trained / "model.onnx")


def recognize(model: str, *words: object) -> int:
    return main(["recognize", model, *map(str, words), "--format", "xml"])


def test_a_stopped_run_goes_on(
    model: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "in"
    for name in ("p1", "p2", "p3"):
        saved(folder, page_xml(page_line(0), f"{name}.png"), name=name)
    out, write = tmp_path / "out", PageFolder.write

    def stop(self: PageFolder, target: Path, content: bytes) -> None:
        if target.name == "p2.xml":
            raise KeyboardInterrupt
        write(self, target, content)

    monkeypatch.setattr(PageFolder, "write", stop)
    assert recognize(model, folder, "--out", out) == 130
    monkeypatch.undo()
    assert [path.name for path in out.glob("[!.]*")] == ["p1.xml"]
    (out / "p1.xml").write_text("as it was")
    capfd.readouterr()
    for words, said in (
        ([folder, "--beam", "3"], "options"),
        ([folder / "p2.xml"], "pages"),
        ([folder, "--trim", folder / "p1.xml"], "pages and options"),
    ):
        assert recognize(model, *words, "--out", out) == 2
        assert capfd.readouterr().err.startswith(f"crnn: {out}: was begun with other {said}; finish it as it was begun")
    assert main(["recognize", "bundled", str(folder), "--format", "xml", "--out", str(out)]) == 2
    assert "was begun with other model" in capfd.readouterr().err
    assert recognize(model, folder, "--out", out) == 0
    assert capfd.readouterr().err == f"crnn: {out}: 2 files with 2 lines read, 1 file from before\n"
    assert sorted(path.name for path in out.iterdir()) == ["p1.xml", "p2.xml", "p3.xml"]
    assert (out / "p1.xml").read_text() == "as it was"
    assert recognize(model, folder, "--out", out) == 2  # it is finished
    (out / "p1.xml").unlink()


def test_refused_before_anything_is_read(model: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = saved(tmp_path / "in", page_xml(page_line(0)))
    full = saved(tmp_path / "full", page_xml(page_line(0)))
    Image.new("L", (60, 20), 255).save(tmp_path / "line.png")
    into = ["--out", tmp_path / "out"]
    for words, said in (
        ([folder], "--format xml writes files with the readings in them; give a folder for them: --out DIR"),
        ([folder, *into, "--shard", "1/2"], "--shard goes with rows (text, tsv, jsonl)"),
        ([folder, *into, "--nbest", "2"], "--nbest goes with --format jsonl"),
        ([tmp_path / "line.png", *into], "line.png: is no PAGE or ALTO file, nor a folder or archive of them"),
        ([folder, tmp_path / "nothing.xml", *into], "nothing.xml: is not there"),
        ([tmp_path / "*.xml", *into], "*.xml: is not there"),
        ([folder, "--out", full], "full: holds files; name a new or empty folder"),
        ([folder, "--out", folder / "p1.xml"], "p1.xml: is a file; name a new or empty folder"),
        ([folder, "--out", folder / "new"], "new: lies in"),
        ([folder, "--out", tmp_path / "new.xml"], "new.xml: is called like a file; name a folder, files keep their"),
    ):
        assert recognize(model, *words) == 2, words
        err = capfd.readouterr().err
        assert said in err
        assert err.count("\n") == 1
    assert not (tmp_path / "out").exists()
    assert not (folder / "new").exists()
    (tmp_path / "dangling").symlink_to(tmp_path / "none" / "at" / "all")
    assert recognize(model, folder, "--out", tmp_path / "dangling") == 2
    assert "dangling: is a file; name a new or empty folder" in capfd.readouterr().err
    (tmp_path / "damaged.zip").write_bytes(b"PK")
    assert recognize(model, tmp_path / "damaged.zip", *into) == 2
    assert "damaged.zip: is not a whole zip archive" in capfd.readouterr().err


def test_pages_of_one_name(model: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """One is written, the other said to be an error; the rest goes on."""
    folder = saved(tmp_path / "in" / "a", page_xml(page_line(0)))
    other = saved(tmp_path / "in" / "b", page_xml(page_line(0)))
    archive = shutil.make_archive(str(folder), "zip", folder)
    out = tmp_path / "out"
    assert recognize(model, folder, archive, other, "--out", out) == 1
    said = f"crnn: {out / 'a' / 'p1.xml'}: is the name of two pages; read them into folders of their own"
    assert capfd.readouterr().err.splitlines() == [said, f"crnn: {out}: 2 files with 2 lines read"]
    assert recognize(model, folder, folder / "p1.xml", "--out", tmp_path / "2") == 1


def test_a_folder_that_cannot_be_written_is_one_line(
    model: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = saved(tmp_path / "in", page_xml(page_line(0)))
    (tmp_path / "file").touch()
    assert recognize(model, folder, "--out", tmp_path / "file" / "out") == 2
    err = capfd.readouterr().err
    assert err.startswith(f"crnn: {tmp_path / 'file' / 'out'}")
    assert err.count("\n") == 1


def test_what_pages_need_is_said_once(
    model: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = saved(tmp_path / "in", page_xml(page_line(0)))
    saved(folder, page_xml(page_line(0), "p2.png"), name="p2")
    monkeypatch.setitem(sys.modules, "lxml.etree", None)
    assert recognize(model, folder, "--out", tmp_path / "out") == 2
    said = 'lxml is needed to read and write pages and not installed: pip install "crnn[formats]"'
    assert capfd.readouterr().err == f"crnn: {said}\n"
    assert not (tmp_path / "out").exists()
