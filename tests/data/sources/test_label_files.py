"""Which file of a folder or archive holds the labels, and how it is opened."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from crnn.data.sources import FORMATS, ReadOptions, label_files, open_source, trees, utf8
from crnn.data.sources.label_files import base_folder, find_label_files, read_lines, read_whole
from crnn.data.sources.place import Place
from crnn.data.sources.registry import find_reader
from crnn.errors import DataError


def written(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_DOT_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def zipped(path: Path, **files: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name.replace("__", "/").replace("_DOT_", "."), text)
    return path


ROW = "filename,text\na.png,x\n"


def test_one_folder_around_everything(tmp_path: Path) -> None:
    a = zipped(tmp_path / "a.zip", set__labels_DOT_csv=ROW, set__a_DOT_png="x", _DOT_DS_Store="x")
    assert base_folder(Place(a)) == "set/"
    assert open_source(a).entry(0).picture == "set/a.png"
    assert open_source(a).content(0) == b"x"
    assert open_source(a).entry(0).where == f"{a}/set/labels.csv:2"
    b = zipped(tmp_path / "b.zip", one__labels_DOT_csv=ROW, two__labels_DOT_csv=ROW)
    assert base_folder(Place(b)) == ""
    with pytest.raises(DataError, match="in a known format"):
        open_source(b)
    folder = written(tmp_path / "c", x__y__labels_DOT_csv=ROW, x__y__a_DOT_png="x")
    assert open_source(folder).content(0) == folder / "x/y/a.png"
    assert base_folder(Place(written(tmp_path / "d", x="y", z__a="b"))) == ""


def test_tsv_with_a_header(tmp_path: Path) -> None:
    """A labels.tsv never has one; another one may."""
    table = "filename\ttext\na.png\tx\n"
    assert len(open_source(written(tmp_path, labels_DOT_tsv=table, other_DOT_tsv=table))) == 2
    assert len(open_source(tmp_path / "labels.tsv")) == 2
    assert len(open_source(tmp_path / "other.tsv")) == 1


def test_many_tables_are_something_else(tmp_path: Path) -> None:
    for i in range(51):
        written(tmp_path, **{f"{i}_DOT_csv": ROW})
    assert find_label_files(Place(tmp_path)) == []
    assert [one.name for one in find_label_files(Place(written(tmp_path, labels_DOT_csv=ROW)))] == ["labels.csv"]


def test_damaged_archives(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", labels_DOT_csv=ROW * 50)
    data = bytearray(path.read_bytes())
    data[45] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"labels\.csv: cannot be read \(Bad CRC-32"):
        open_source(path)
    path.write_bytes(data[:60])
    with pytest.raises(DataError, match=r"a\.zip: is not a whole zip archive; copy or download it again"):
        open_source(path)


def test_a_table_that_goes_away(tmp_path: Path) -> None:
    reader = find_reader(written(tmp_path, labels_DOT_csv=ROW))[1]
    (tmp_path / "labels.csv").unlink()
    with pytest.raises(DataError):
        list(reader.rows())


def test_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a line feed ends a line; a byte order mark is no text, but at the start alone."""
    (tmp_path / "x.txt").write_bytes("\ufeffa\u2028b\rc\r\n\n\ufeffd\x85".encode())
    tree = trees.Folder(tmp_path)
    assert list(read_lines(tree, "x.txt")) == ["a\u2028b\rc\r\n", "\n", "\ufeffd\x85"]
    assert read_whole(tree, "x.txt") == "".join(read_lines(tree, "x.txt"))
    (tmp_path / "x.txt").write_bytes(b"a\nb\n\xff")
    for read in (read_lines, read_whole):
        with pytest.raises(DataError, match=r"x\.txt:3: is not UTF-8 \(byte 0xFF\)"):
            list(read(tree, "x.txt"))
    (tmp_path / "x.txt").write_bytes("käse".encode("utf-16"))
    with pytest.raises(DataError, match="is UTF-16"):
        tree.text("x.txt")
    monkeypatch.setattr("crnn.data.sources.utf8.MAX_LABEL_BYTES", 2**20)
    archive = zipped(tmp_path / "a.zip", labels_DOT_csv=ROW * 60_000)
    with pytest.raises(DataError, match=r"labels\.csv: has 1 MiB; labels of at most 64 MiB are read"):
        open_source(archive)


def test_looking_never_raises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the bytes of a file of any ending; some are longer than what is looked at."""
    for module in ("place", "label_files", "xml_safe"):
        monkeypatch.setattr(f"crnn.data.sources.{module}.HEAD", 8192)
    contents = [
        b"",
        b"\xff\xfe",
        b"\xff\xfe\x00\xd8",
        b"\0" * 99,
        b'"' * 99,
        b"[" * 10_000,
        b'{"a":' * 2_000,
        b"9" * 10_000,
    ]
    contents += [
        b"filename,text",
        b"a.png\t",
        b'{"metainfo": {}',
        b'{"data_list": [',
        "ä,\x85".encode("latin-1"),
    ]
    count = 0
    for ending in ("csv", "tsv", "txt", "json", "jsonl", "tab", "ndjson"):
        for number, content in enumerate(contents):
            folder = tmp_path / f"{ending}{number}"
            folder.mkdir()
            (folder / f"x.{ending}").write_bytes(content)
            for path in (folder, folder / f"x.{ending}"):
                place = Place(path)
                for reader in FORMATS.values():
                    assert reader.matches(place) in (True, False)
                try:
                    len(open_source(path))
                except DataError as error:
                    assert "\n" not in str(error)
                count += 1
    assert count == 7 * 13 * 2


def names_of(path: Path) -> list[str]:
    return [one.name for one in find_label_files(Place(path))]


def test_as_many_tables_as_may_be_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, a_DOT_csv=ROW, b_DOT_csv=ROW)
    for most, found in ((2, ["a.csv", "b.csv"]), (1, [])):
        monkeypatch.setattr(label_files, "_MOST", most)
        assert names_of(tmp_path) == found


def test_which_of_several_files_wins(tmp_path: Path) -> None:
    """A known name that is understood, any that is understood, a known name, one that names pictures at least."""
    partly, other = "filename,caption\na.png,x\n", "nothing of that\n"
    written(tmp_path / "1", labels_DOT_csv=partly, a_DOT_csv=ROW, gt_DOT_txt=other)
    assert names_of(tmp_path / "1") == ["a.csv"]
    written(tmp_path / "2", gt_DOT_csv=ROW, metadata_DOT_csv=ROW, labels_DOT_csv=partly, a_DOT_csv=ROW)
    assert names_of(tmp_path / "2") == ["metadata.csv"]
    written(tmp_path / "3", gt_DOT_txt=other, labels_DOT_txt=other, a_DOT_csv=partly)
    assert names_of(tmp_path / "3") == ["labels.txt"]
    written(tmp_path / "4", b_DOT_csv=partly, a_DOT_csv=partly, c_DOT_csv=other)
    assert names_of(tmp_path / "4") == ["a.csv", "b.csv"]
    written(tmp_path / "5", LABELS_DOT_CSV=ROW, a_DOT_csv=ROW)
    assert names_of(tmp_path / "5") == ["LABELS.CSV"]
    written(tmp_path / "6", a_DOT_txt=other)
    assert names_of(tmp_path / "6") == names_of(tmp_path / "6" / "a.txt") == []
    assert names_of(written(tmp_path / "7", a_DOT_csv=other) / "a.csv") == ["a.csv"]  # given by its path
    with pytest.raises(DataError, match=r"has 2 files that may hold the labels \(a\.csv, b\.csv\); keep one|give one"):
        open_source(written(tmp_path / "8", a_DOT_csv=ROW, b_DOT_csv=ROW))


def test_files_that_belong_to_a_picture_are_no_tables(tmp_path: Path) -> None:
    written(
        tmp_path, p_DOT_png="x", p_DOT_csv=ROW, q_DOT_gt_DOT_txt=ROW, r_DOT_md=ROW, sub__s_DOT_csv=ROW, t_DOT_csv=ROW
    )
    assert names_of(tmp_path) == ["t.csv"]


def test_the_head_of_a_file_ends_with_a_whole_line(monkeypatch: pytest.MonkeyPatch) -> None:
    decode = label_files._decode_head
    monkeypatch.setattr(label_files, "HEAD", 8)
    assert decode(b"ab\ncd\nef") == "ab\ncd\n"
    assert decode(b"ab\ncd\nef", whole_lines=False) == "ab\ncd\nef"
    assert decode(b"ab\ncd\ne") == "ab\ncd\ne"  # all of the file
    assert decode(b"abcdefgh") == "abcdefgh"
    assert decode(b"\xef\xbb\xbfab") == "ab"
    assert decode("né".encode("utf-16-le").join((b"\xff\xfe", b""))) == "né"
    assert decode("né".encode("utf-16-be").join((b"\xfe\xff", b""))) == "né"
    assert decode(b"a\0b\xff") == "ab\ufffd"


def test_label_files_at_the_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = trees.Folder(tmp_path)
    (tmp_path / "x.txt").write_bytes(b"abc\n" * 25)
    monkeypatch.setattr(utf8, "MAX_LABEL_BYTES", 100)
    assert read_whole(tree, "x.txt") == "abc\n" * 25
    monkeypatch.setattr(utf8, "MAX_LABEL_BYTES", 99)
    with pytest.raises(DataError, match=r"x\.txt: has 0 MiB; labels of at most 64 MiB are read"):
        read_whole(tree, "x.txt")
    monkeypatch.setattr(utf8, "MAX_LABEL_BYTES", 10_000)
    for zeros, texts in ((2, True), (3, False)):  # of eleven bytes, more than a quarter are zeros: UTF-16
        (tmp_path / "y.txt").write_bytes(b"\0" * zeros + b"x" * (11 - zeros))
        if texts:
            assert read_whole(tree, "y.txt") == "\0" * zeros + "x" * (11 - zeros)
        else:
            with pytest.raises(DataError, match=r"y\.txt: is UTF-16"):
                read_whole(tree, "y.txt")
    (tmp_path / "z.txt").write_bytes(b"x" * 4096 + b"\0" * 4000)  # only the beginning is looked at
    assert len(read_whole(tree, "z.txt")) == 8096


@pytest.mark.parametrize(
    ("start", "entry", "end"),
    [
        ("[\n", '{"image": "N.png", "text": "a"}', "]"),
        ("{\n", '"N.png": "a"', "}"),
        ('{"metainfo": {},\n"data_list": [', '{"filename": "N.png", "text": "a"}', "]}"),
    ],
)
def test_json_whose_entries_are_one_long_line(
    start: str, entry: str, end: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind a line end, cut within an entry: the first one tells enough."""
    (tmp_path / "lines.json").write_text(start + ", ".join(entry.replace("N", str(i)) for i in range(9)) + end)
    for module in ("place", "label_files"):
        monkeypatch.setattr(f"crnn.data.sources.{module}.HEAD", 100)
    for path in (tmp_path, tmp_path / "lines.json"):
        source = open_source(path)
        assert [source.entry(i).text for i in range(len(source))] == ["a"] * 9


def test_tables_that_name_their_columns() -> None:
    assert label_files.has_header(b"filename,text\na.png,x\n", ReadOptions())
    assert not label_files.has_header(b"a.png,x\nb.png,y\n", ReadOptions())
    assert not label_files.has_header(b"", ReadOptions())


def test_a_label_file_that_goes_away_while_it_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trees.Folder, "content", lambda self, name: tmp_path / name)
    for read in (read_lines, read_whole):
        with pytest.raises(DataError) as caught:
            list(read(trees.Folder(tmp_path), "x.txt"))
        assert str(caught.value) == f"{tmp_path}/x.txt: cannot be read (No such file or directory)"
