"""Tables: every way to write one, and every way to write one badly."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests_support import peak_memory

from crnn.data.sources import LineEntry, ReadOptions, open_source, utf8
from crnn.data.sources.label_csv import LabelCsvReader
from crnn.data.sources.registry import find_reader
from crnn.errors import DataError, printable


def entries(path: Path, options: ReadOptions | None = None) -> list[LineEntry]:
    source = open_source(path, options)
    return [source.entry(i) for i in range(len(source))]


def written(folder: Path, text: str | bytes, name: str = "labels.csv") -> Path:
    (folder / name).write_bytes(text.encode() if isinstance(text, str) else text)
    return folder / name


NASTY = st.lists(
    st.one_of(
        st.sampled_from(list(",;\t\"'\\ \n\r\x00\x0b\x85\u2028\ufeff\u200f[{")),
        st.characters(codec="utf-8"),
        st.sampled_from(["مرحبا", "👩‍👩‍👧", "é", "שלום"]),
    ),
    max_size=12,
).map("".join)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
def test_any_text_comes_back(delimiter: str, quoting: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    """What Python's csv module writes, newlines within quotes included."""

    @settings(max_examples=60, deadline=None, database=None)
    @given(st.lists(NASTY, min_size=1, max_size=6))
    def check(texts: list[str]) -> None:
        stream = io.StringIO()
        writer = csv.writer(stream, delimiter=delimiter, quoting=quoting)  # type: ignore[arg-type]
        writer.writerows([("filename", "text"), *((f"{i}.png", text) for i, text in enumerate(texts))])
        path = written(tmp_path_factory.mktemp("a"), stream.getvalue(), "x.csv")
        found = entries(path)
        assert [entry.text for entry in found] == texts
        lines = stream.getvalue().split("\n")
        for i, entry in enumerate(found):
            assert lines[int(entry.where.rpartition(":")[2]) - 1].strip('"').startswith(f"{i}.png"), entry

    check()


@pytest.mark.parametrize("style", ["tab", "space", "icdar"])
def test_any_text_without_line_ends_comes_back(style: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    def row(i: int, text: str) -> str:
        if style == "icdar":
            escaped = text.replace("\\", "\\\\").replace('"', '\\"')
            return f'{i}.png, "{escaped}"\n'
        return f"{i}.png{' ' if style == 'space' else chr(9)}{text}\n"

    kept = NASTY.map(lambda text: "".join(c for c in text if c not in "\n\r\t\x00"))

    @settings(max_examples=60, deadline=None, database=None)
    @given(st.lists(kept, min_size=1, max_size=6))
    def check(texts: list[str]) -> None:
        rows = "".join(row(i, text) for i, text in enumerate(["first", *texts]))
        assert [e.text for e in entries(written(tmp_path_factory.mktemp("a"), rows, "list.txt"))] == ["first", *texts]

    check()


def test_commas_as_easyocr_reads_them(tmp_path: Path) -> None:
    """Its trainer divides at the first comma; quotes are taken off only where they are CSV's."""
    rows = 'a.png,one, two,three\nb.png,"quoted, text"\nc.png,say "hi", you\nd.png,\ne.png, x\nf.png,"a",b\ng.png\n'
    found = entries(written(tmp_path, f"filename,words\r\n{rows}"))
    assert [e.text for e in found] == ["one, two,three", "quoted, text", 'say "hi", you', "", " x", "", ""]
    assert [bool(e.problem) for e in found] == [False] * 5 + [True] * 2
    assert "has 3 columns, not 2" in found[5].problem
    assert [int(e.where.rpartition(":")[2]) for e in found] == list(range(2, 9))


def test_columns(tmp_path: Path) -> None:
    """Any case and order; a choice is never guessed."""
    rows = "Text,score,IMG PATH,label\nhello,1,a.png,no\n"
    with pytest.raises(DataError, match=r"labels\.csv:1: Text, label may each be the text; .*data\.text_column=NAME"):
        entries(written(tmp_path, rows))
    (entry,) = entries(tmp_path / "labels.csv", ReadOptions(text_column="Text"))
    assert (entry.text, entry.picture) == ("hello", "a.png")
    (entry,) = entries(tmp_path / "labels.csv", ReadOptions(text_column="score", image_column="IMG PATH"))
    assert entry.text == "1"
    with pytest.raises(
        DataError, match=r"has no column 'none' \(data\.text_column\); there are: Text, score, IMG PATH"
    ):
        entries(tmp_path / "labels.csv", ReadOptions(text_column="none"))
    written(tmp_path, "filename,caption\na.png,x\n")
    for path in (tmp_path, tmp_path / "labels.csv"):
        with pytest.raises(DataError, match=r"labels\.csv:1: has no column for the text among: filename, caption"):
            entries(path)
    assert entries(tmp_path, ReadOptions(text_column="caption"))[0].text == "x"
    with pytest.raises(DataError, match="has 2 columns 'a'"):
        entries(written(tmp_path, "filename,text,a,a\n1.png,x,y,z\n"), ReadOptions(text_column="a"))


def test_columns_of_names_that_say_nothing(tmp_path: Path) -> None:
    """The user names them, in a folder as for the table itself; before, all columns are said."""
    written(tmp_path, "n;crop;said\n1;a.png;x\n2;b.png;y\n", "mine.csv")
    for path in (tmp_path, tmp_path / "mine.csv"):
        with pytest.raises(
            DataError, match=r"mine\.csv: has no known columns among: n, crop, said; set data\.image_co"
        ):
            entries(path)
        named = ReadOptions(text_column="said", image_column="crop")
        assert [(entry.picture, entry.text) for entry in entries(path, named)] == [("a.png", "x"), ("b.png", "y")]
        for half in (ReadOptions(text_column="said"), ReadOptions(image_column="crop")):
            with pytest.raises(DataError, match=r"data\.(image|text)_column=NAME.*check: --"):
                entries(path, half)
    written(tmp_path, "n\tcrop\tsaid\n1\ta.png\tx\n", "mine.tsv")
    assert find_reader(tmp_path / "mine.tsv", named)[0] == "table"


def test_three_columns_without_header(tmp_path: Path) -> None:
    for rows in ("a.png,x,0.9\nb.png,y,0.8\n", "a.png\tx\t1\nb.png\ty\t2\n"):
        with pytest.raises(DataError, match="has 3 columns and no header; add a first line"):
            entries(written(tmp_path, rows, "list.txt"))
    found = entries(written(tmp_path, "a.png\tx\nb.png\ty\tz\nno tab\n", "list.txt"))
    assert [bool(e.problem) for e in found] == [False, True, True]
    assert "has 3 columns; a row is path<TAB>text" in found[1].problem
    assert "found 'no tab'" in found[2].problem


def test_quotes_never_closed(tmp_path: Path) -> None:
    """However the rest of the file looks: no row is swallowed."""
    head = 'filename,text\na.png,x\nb.png,"open\n'
    for rest in (
        "",
        "c.png,y\n" * 500,
        'c.png,y\nd.png,"z"\n',
        'c.png,say "\nd.png,z\n',
        "more\n" * 500,
        "more\n" * 500 + 'end"\n',
    ):
        with pytest.raises(DataError, match=r"labels\.csv:3: opens a quote that is not closed within its row"):
            entries(written(tmp_path, head + rest))
    found = entries(written(tmp_path, 'filename,text\na.png,"x"y\nb.png,z\n'))
    assert [e.text for e in found] == ["", "z"]
    assert "breaks the rules of CSV" in found[0].problem


def test_encodings(tmp_path: Path) -> None:
    text = "filename,text\na.png,Käse\n"
    (entry,) = entries(written(tmp_path, b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode()))
    assert (entry.text, entry.picture) == ("Käse", "a.png")
    with pytest.raises(DataError, match=r"labels\.csv:2: is not UTF-8 \(byte 0xE4\); convert it"):
        entries(written(tmp_path, text.encode("latin-1")))
    for encoding in ("utf-16", "utf-16-le", "utf-16-be"):
        for path in (written(tmp_path, text.encode(encoding)), tmp_path):
            with pytest.raises(DataError, match=r"labels\.csv: is UTF-16; convert it, for example: iconv -f utf-16"):
                entries(path)
    chinese = "a.png\t" + "語" * 500 + "\n"
    with pytest.raises(DataError, match="is UTF-16"):
        entries(written(tmp_path, chinese.encode("utf-16"), "labels.tsv"))
    (tmp_path / "labels.tsv").unlink()
    for content, lines in ((b"filename,text\na.png,x\0y\n\0.png,z\n", 2), (b"filename,text\n" + b"\0" * 9, 1)):
        try:
            found = entries(written(tmp_path, content))
        except DataError as error:
            assert "\n" not in str(error)
        else:
            assert len(found) == lines


@pytest.mark.parametrize(
    "content", [b"", b"\n\n", b"\xff\xfe", b"%PDF-1.4 \x93", b"x", b"a,b\n1,2\n", b"filename,text\n"]
)
def test_no_table_at_all(content: bytes, tmp_path: Path) -> None:
    for path in (written(tmp_path, content), tmp_path):
        with pytest.raises(DataError) as caught:
            entries(path)
        assert "\n" not in str(caught.value)
        assert str(path) in str(caught.value)


def test_names_never_lead_out(tmp_path: Path) -> None:
    """They are lines with a problem; only absolute names below the folder are found."""
    folder = tmp_path / "a"
    folder.mkdir()
    for place in (folder / "in.png", tmp_path / "out.png"):
        place.write_bytes(b"x")
    names = ["../out.png", "x/../../out.png", f"{tmp_path}/out.png", "C:\\out.png", f"{folder}/in.png", "./in.png", ""]
    found = entries(written(folder, "filename,text\n" + "".join(f"{name},x\n" for name in names)))
    assert [bool(e.problem) for e in found] == [True] * 4 + [False] * 2 + [True]
    assert [e.picture for e in found[4:6]] == ["in.png"] * 2
    assert "leads out of its folder" in found[0].problem
    source = open_source(folder)
    for i in range(4):
        with pytest.raises(DataError, match="must stay within"):
            source.content(i)


def test_left_out_folders(tmp_path: Path) -> None:
    """The same leading folders for all rows, else two pictures of one name would be mistaken for each other."""
    for name in ("train/1.png", "train/2.png", "images/4.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    names = ["set/rec/train/1.png", "set/rec/train/2.png", "other/train/1.png", "set/rec/4.png", "rec/train/1.png"]
    found = entries(written(tmp_path, "".join(f"{name}\tx\n" for name in names), "rec_gt.txt"))
    assert [e.picture for e in found] == ["train/1.png", "train/2.png", names[2], "images/4.png", names[4]]
    source = open_source(tmp_path)
    with pytest.raises(DataError, match="there is no such picture"):
        source.content(2)


def test_lists_of_pictures(tmp_path: Path) -> None:
    """PaddleOCR: one label of several pictures."""
    rows = '["a.png", "sub/b.png"]\tname\nc.png\t["d.png"]\n["broken.png]\tx\n'
    found = entries(written(tmp_path, rows, "train_list.txt"))
    assert [(e.picture, e.text) for e in found] == [
        ("a.png", "name"),
        ("sub/b.png", "name"),
        ("c.png", '["d.png"]'),
        ('["broken.png]', "x"),
    ]
    assert [e.where.rpartition(":")[2] for e in found] == ["1", "1", "2", "3"]


def test_other_tables_are_not_taken_for_labels(tmp_path: Path) -> None:
    boxes = 'p.png\t[{"transcription": "x", "points": [[0, 0], [1, 0]]}]\n'
    with pytest.raises(DataError, match="holds boxes on pages, not lines; PPOCRLabel writes the cut lines"):
        entries(written(tmp_path, boxes, "Label.txt"))
    written(tmp_path, "crop_img/a.png\tx\n", "rec_gt.txt")
    assert [e.text for e in entries(tmp_path)] == ["x"]  # beside it, as PPOCRLabel leaves them
    other = tmp_path / "b"
    other.mkdir()
    for text in ("./1/115_Lube_45484.jpg 45484\n./1/116_x_7.jpg 7\n", "a.png b.png\n", "a.png\nb.png\n"):
        with pytest.raises(DataError, match="holds no labelled lines in a known format"):
            entries(written(other, text, "annotation.txt"))


def test_which_file(tmp_path: Path) -> None:
    """A well-known name wins; two unknown ones are named; a file for each picture is none."""
    written(tmp_path, "a.png\tx\n", "train_list.txt")
    written(tmp_path, "a.png\ty\n", "val_list.txt")
    with pytest.raises(
        DataError, match=r"has 2 files .*\(train_list\.txt, val_list\.txt\); give one of them by its path"
    ):
        open_source(tmp_path)
    assert entries(tmp_path / "val_list.txt")[0].text == "y"
    written(tmp_path, "charset\nx\ny\n", "dict.txt")
    written(tmp_path, "a.png z\n", "gt.txt")
    assert entries(tmp_path)[0].text == "z"
    written(tmp_path, "filename,words\na.png,w\n")
    assert entries(tmp_path)[0].text == "w"
    written(tmp_path, "a.png\tv\n", "labels.tsv")
    assert entries(tmp_path)[0].text == "v"
    assert not isinstance(find_reader(tmp_path)[1], LabelCsvReader)


def test_doubtful_tables_do_not_hide_other_formats(tmp_path: Path) -> None:
    written(tmp_path, "text", "line.gt.txt")
    written(tmp_path, "", "line.png")
    written(tmp_path, "filename,score\nline.png,0.5\n", "scores.csv")
    written(tmp_path, "a\nb\nc\n", "labels.txt")
    assert [e.text for e in entries(tmp_path)] == ["text"]


def test_large_tables_stream(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = "images/{:07d}.png," + "x" * 5000 + "\n"
    with (tmp_path / "labels.csv").open("w") as file:
        file.write("filename,words\n")
        file.writelines(row.format(i) for i in range(2_900))  # 14 MiB
    reader = find_reader(tmp_path / "labels.csv")[1]
    counts = []
    assert peak_memory(lambda: counts.append(sum(1 for _ in reader.rows()))) < 5 * 2**20
    assert counts == [2_900] * 3
    monkeypatch.setattr(utf8, "MAX_LABEL_BYTES", 2**20)
    with pytest.raises(DataError, match=r"labels\.csv: has 14 MiB; labels of at most 64 MiB are read: divide it into"):
        open_source(tmp_path)


def test_two_columns_with_delimiters_and_no_header(tmp_path: Path) -> None:
    """Quotes are CSV's; a text may have the delimiter without them; empty lines are none."""
    rows = 'a.png;x\n\nb.png;"y; z";\nc.png;one; two;three\r\n"d.png";"w"\n"e.png";u;v\nf.png\n'
    found = entries(written(tmp_path, rows, "list.txt"))
    assert [(e.picture, e.text, bool(e.problem)) for e in found] == [
        ("a.png", "x", False),
        ("", "", True),
        ("c.png", "one; two;three", False),
        ("d.png", "w", False),
        ("", "", True),
        ("", "", True),
    ]
    assert [int(e.where.rpartition(":")[2]) for e in found] == [1, 3, 4, 5, 6, 7]
    assert found[1].problem == "has 3 columns, not 2; put texts with ';' in quotes; found 'b.png;\"y; z\";'"
    assert found[5].problem == "has 1 columns, not 2; put texts with ';' in quotes; found 'f.png'"


def test_empty_lines_are_passed_over(tmp_path: Path) -> None:
    for rows in ("a.png\tx\n\n\r\nb.png\ty\n", "a.png x\n\n\nb.png y\n", 'a.png, "x"\n\n\nb.png, "y"\n'):
        found = entries(written(tmp_path, rows, "list.txt"))
        assert [(e.text, e.where.rpartition(":")[2]) for e in found] == [("x", "1"), ("y", "4")]


def test_rows_that_do_not_follow_the_first_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind the lines that are looked at: each is named with what a row is."""
    monkeypatch.setattr("crnn.data.sources.table_layout._LOOK_AT", 2)
    for first, bad, row in (
        ("a.png x\nb.png y\n", " c.png z", "path text"),
        ("a.png x\nb.png y\n", "word", "path text"),
        ('a.png, "x"\nb.png, "y"\n', 'c.png,"z"', 'picture, "text"'),
        ("a.png\tx\nb.png\ty\n", "\tz", "path<TAB>text"),
    ):
        found = entries(written(tmp_path, f'{first}{bad}\nd.png, "w"\n', "list.txt"))
        assert found[2].problem == f"has no picture name; a row is {row}, found {printable(bad)!r}"
        assert [e.picture for e in found[:3]] == ["a.png", "b.png", ""]
    found = entries(written(tmp_path, 'a.png, "x"\nb.png, "y\\"z\\\\"  \n', "list.txt"))
    assert [e.text for e in found] == ["x", 'y"z\\']


def test_how_far_a_quote_may_go(tmp_path: Path) -> None:
    """A cell of a hundred lines is one; behind a closed quote nothing but a delimiter may stand."""
    for lines, good in ((100, True), (101, False)):
        text = "\n".join(["x"] * lines)
        path = written(tmp_path, f'filename,text\na.png,"{text}"\nb.png,y\n')
        if good:
            assert [e.text for e in entries(path)] == [text, "y"]
        else:
            with pytest.raises(DataError, match=r"labels\.csv:2: opens a quote .* \(looked at 101 lines\); close it"):
                entries(path)
    with pytest.raises(DataError, match=r"labels\.csv:3: opens a quote .* \(looked at 2 lines\)"):
        entries(written(tmp_path, 'filename,text\na.png,x\nb.png,"y\nz"w\n'))
    with pytest.raises(DataError, match=r"labels\.csv:2: opens a quote .* \(looked at 1 lines\)"):
        entries(written(tmp_path, 'filename,text\na.png,"x\n'))


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
def test_a_header_of_other_names_is_said(delimiter: str, tmp_path: Path) -> None:
    rows = [("Bild", "Text"), *((f"{i}.png", "a") for i in range(3))]
    path = written(tmp_path, "".join(f"{delimiter.join(row)}\n" for row in rows))
    first, *others = entries(path)
    assert first.problem.startswith("names no picture; if this row names the columns, set data.image_column=Bild and ")
    assert [entry.problem for entry in others] == ["", "", ""]
    named = entries(path, ReadOptions(image_column="Bild", text_column="Text"))
    assert [entry.picture for entry in named] == ["0.png", "1.png", "2.png"]
    (tmp_path / "Bild").touch()  # a picture without an ending
    assert entries(path)[0].problem == ""
