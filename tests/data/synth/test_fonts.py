"""Where fonts are looked for, which files are read, which faces are used."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import pytest
from fontTools.ttLib import TTCollection, TTFont

from crnn.data.synth import fonts
from crnn.data.synth.fonts import Font, bundled_folder, find_fonts, system_folders
from crnn.errors import DataError


def face(family: str, characters: str, style: str = "Regular") -> Font:
    return Font(f"{family}.ttf", 0, family, style, frozenset(characters))


def files(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")


def read_by(
    monkeypatch: pytest.MonkeyPatch, found: dict[str, tuple[list[Font], str]]
) -> list[tuple[str, frozenset[str]]]:
    """Let these be the faces of files, and return what is asked for."""
    asked: list[tuple[str, frozenset[str]]] = []

    def read(path: Path, changed: int, wanted: frozenset[str]) -> tuple[list[Font], str]:
        asked.append((path.name, wanted))
        return found.get(path.name, ([], ""))

    monkeypatch.setattr(fonts, "_read", read)
    return asked


def test_files_in_order_of_folders_and_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files(tmp_path, "b/z.TTF", "b/a.otf", "a/x.ttc", "c.otc", "a.ttf", "a/readme.txt", "b/font.woff")
    asked = read_by(monkeypatch, {})
    assert find_fonts(tmp_path, "aab") == ([], [])
    assert asked == [(name, frozenset("ab")) for name in ("a.ttf", "c.otc", "x.ttc", "a.otf", "z.TTF")]


def test_where_systems_keep_fonts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("WINDIR", "D:/Win")
    assert system_folders() == [Path("D:/Win/Fonts")]
    monkeypatch.delenv("WINDIR")
    assert system_folders() == [Path("C:/Windows/Fonts")]
    monkeypatch.setattr(sys, "platform", "darwin")
    assert Path.home() / "Library/Fonts" in system_folders()
    assert Path("/System/Library/Fonts") in system_folders()
    monkeypatch.setattr(sys, "platform", "linux")
    assert system_folders()[0] == Path("/usr/share/fonts")
    assert len(system_folders()) == 4


def test_which_places_each_word_means(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own, system = tmp_path / "own", tmp_path / "system"
    files(
        own,
        "DejaVuSans-Bold.ttf",
        "STIXGeneralBolIta.ttf",
        "cmsy10.ttf",
        "STIXSizOneSymReg.ttf",
        "cmr10.ttf",
        "DejaVuSansDisplay.ttf",
    )
    files(system, "Some.ttf", "NotoColorEmoji.ttf", "Latin-Math.otf")
    monkeypatch.setattr(fonts, "bundled_folder", lambda: own)
    monkeypatch.setattr(fonts, "system_folders", lambda: [system, tmp_path / "none"])
    bundled = ["DejaVuSans-Bold.ttf", "STIXGeneralBolIta.ttf", "cmr10.ttf"]
    everything = sorted([*(path.name for path in own.iterdir())])
    asked = read_by(monkeypatch, {})
    for where, names in (
        ("bundled", bundled),
        ("system", ["Some.ttf"]),
        ("auto", [*bundled, "Some.ttf"]),
        (str(own), everything),
        ([own / "cmsy10.ttf", system], ["cmsy10.ttf", "Latin-Math.otf", "NotoColorEmoji.ttf", "Some.ttf"]),
    ):
        asked.clear()
        find_fonts(where, "a")
        assert [name for name, _ in asked] == names, where
    monkeypatch.setattr(fonts, "bundled_folder", lambda: None)
    assert find_fonts("bundled", "a") == ([], [])
    with pytest.raises(DataError, match=r"nowhere: there is no such font file or folder; allowed are also auto"):
        find_fonts([own, tmp_path / "nowhere"], "a")


def test_the_folder_of_matplotlib(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = bundled_folder()
    assert folder is not None
    assert (folder / "DejaVuSans.ttf").is_file()

    class Spec:
        origin: str | None = str(tmp_path / "matplotlib" / "__init__.py")

    monkeypatch.setattr(fonts.importlib.util, "find_spec", lambda _: Spec)
    assert bundled_folder() is None  # a package without its fonts
    own = tmp_path / "matplotlib" / "mpl-data" / "fonts" / "ttf"
    own.mkdir(parents=True)
    assert bundled_folder() == own
    monkeypatch.setattr(Spec, "origin", None)
    assert bundled_folder() is None
    monkeypatch.setattr(fonts.importlib.util, "find_spec", lambda _: None)
    assert bundled_folder() is None


def test_a_copy_of_a_face_is_used_for_what_it_has_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, same, more, bold = face("A", "ab"), face("A", "a "), face("A", "bc"), face("A", "ab", "Bold")
    last = face("A", "abc")  # nothing that the others lack
    files(tmp_path, *(f"{name}.ttf" for name in "123456"))
    read_by(
        monkeypatch,
        {
            "1.ttf": ([first], "torn"),
            "2.ttf": ([same, bold], ""),
            "3.ttf": ([more], ""),
            "4.ttf": ([last], ""),
            "5.ttf": ([face("B", " ")], ""),  # a space is nothing
            "6.ttf": ([], "empty"),
        },
    )
    found, skipped = find_fonts(tmp_path, "abc ")
    assert found == [first, same, bold, more]
    assert skipped == [(str(tmp_path / "1.ttf"), "torn"), (str(tmp_path / "6.ttf"), "empty")]


def test_so_many_files_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "MAX_NAMED", 3)
    files(tmp_path, "1.ttf", "2.ttf", "3.ttf")
    asked = read_by(monkeypatch, {})
    assert find_fonts(tmp_path, "a") == ([], [])
    assert len(asked) == 3
    files(tmp_path, "4.ttf", "5.ttf")
    asked.clear()
    skipped = find_fonts(tmp_path, "a")[1]
    assert [Path(path).name for path, _ in skipped] == ["4.ttf", "5.ttf"]
    assert len(asked) == 3
    monkeypatch.setattr(fonts, "MAX_FONTS", 2)  # of the system's, which nobody named
    monkeypatch.setattr(fonts, "system_folders", lambda: [tmp_path])
    assert [Path(path).name for path, _ in find_fonts("system", "a")[1]] == ["3.ttf", "4.ttf", "5.ttf"]


def test_a_file_that_goes_away_while_it_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files(tmp_path, "1.ttf")

    def gone(*_: object) -> None:
        raise OSError("went away")

    monkeypatch.setattr(fonts, "_read", gone)
    assert find_fonts(tmp_path, "a") == ([], [(str(tmp_path / "1.ttf"), "went away")])


def test_faces_of_the_bundled_fonts() -> None:
    """Computer Modern only for what stands at its own place; each by its size in pixels."""
    folder = bundled_folder()
    assert folder is not None
    names = ("cmr10", "DejaVuSans-Bold", "DejaVuSans")
    one, plain, regular = (find_fonts(folder / f"{name}.ttf", "aZ9 ~é<")[0][0] for name in names)
    assert regular.characters == plain.characters
    assert one.characters == set("aZ9 ")
    assert plain.characters == set("aZ9 ~é<")
    assert (plain.family, plain.style, plain.index) == ("DejaVu Sans", "Bold", 0)
    assert plain.path == str(folder / "DejaVuSans-Bold.ttf")
    assert (plain.covers("aZ"), plain.covers("aX"), plain.covers("")) == (True, False, True)
    assert plain.at(20).size == 20
    assert plain.at(20) is plain.at(20)
    assert plain.at(21).getlength("mm") > plain.at(20).getlength("mm")
    with pytest.raises(dataclasses.FrozenInstanceError):
        plain.style = "other"  # type: ignore[misc]


def test_what_comes_before_the_damage_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def torn(path: Path, wanted: frozenset[str]):  # type: ignore[no-untyped-def]
        yield face("A", "ab")
        raise ValueError(path.stem.strip("_"))

    monkeypatch.setattr(fonts, "_faces", torn)
    for stem, why in (("torn", "torn"), ("_", "ValueError")):
        assert fonts._read.__wrapped__(tmp_path / f"{stem}.ttf", 0, frozenset("ab")) == ([face("A", "ab")], why)


@pytest.mark.parametrize("ending", ["ttc", "OTC"])
def test_faces_of_a_collection_are_one_family(ending: str, tmp_path: Path) -> None:
    folder, path = bundled_folder(), tmp_path / f"both.{ending}"
    assert folder is not None
    collection = TTCollection()
    collection.fonts = [TTFont(folder / f"{name}.ttf") for name in ("cmr10", "cmss10")]
    collection.save(path)
    found, skipped = find_fonts(path, "aZ\u4e00")
    assert not skipped
    assert [(font.family, font.style, font.index) for font in found] == [
        ("cmr10", "Regular", 0),
        ("cmr10", "cmss10 Regular", 1),
    ]
    assert [font.at(20).getname()[0] for font in found] == ["cmr10", "cmss10"]
    assert [font.characters for font in found] == [set("aZ")] * 2
