"""JSON labels: every shape, and every way to get one wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests_support import peak_memory

from crnn.data.sources import LineEntry, ReadOptions, open_source
from crnn.data.sources.registry import find_reader
from crnn.errors import DataError


def entries(path: Path, options: ReadOptions | None = None) -> list[LineEntry]:
    source = open_source(path, options)
    return [source.entry(i) for i in range(len(source))]


def written(folder: Path, text: str | bytes, name: str = "labels.json") -> Path:
    (folder / name).write_bytes(text.encode() if isinstance(text, str) else text)
    return folder / name


def line_of(entry: LineEntry) -> int:
    return int(entry.where.rpartition(":")[2])


@pytest.mark.parametrize("shape", ["map", "list", "lines", "data_list"])
def test_any_text_comes_back_with_its_line(shape: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    @settings(max_examples=50, deadline=None, database=None)
    @given(st.lists(st.text(max_size=12), min_size=1, max_size=6), st.booleans(), st.sampled_from([None, 0, 2]))
    def check(texts: list[str], ascii_only: bool, indent: int | None) -> None:
        pairs = [(f"{i}.png", text) for i, text in enumerate(texts)]
        objects = [{"image": name, "text": text} for name, text in pairs]
        instances = [{"img_path": name, "instances": [{"text": text}]} for name, text in pairs]
        value = {"map": dict(pairs), "list": objects, "data_list": {"metainfo": {}, "data_list": instances}}.get(shape)
        content = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
        if shape == "lines":
            content = "".join(json.dumps(one, ensure_ascii=ascii_only) + "\n" for one in objects)
        found = entries(written(tmp_path_factory.mktemp("a"), content.encode("utf-8", "surrogatepass"), "x.json"))
        assert [(entry.picture, entry.text, entry.problem) for entry in found] == [(*pair, "") for pair in pairs]
        lines = content.split("\n")
        for name, entry in zip((name for name, _ in pairs), found, strict=True):
            assert f'"{name}"' in "".join(lines[line_of(entry) - 1 : line_of(entry) + 1]), (entry, content)

    check()


BAD_TEXTS = {
    "12": "the number 12",
    "0012.5": "",
    "NaN": "the number nan",
    "-Infinity": "the number -inf",
    "null": "null",
    "true": "the True",
    "[]": "a list",
    '{"a": 1}': "an object",
}


@pytest.mark.parametrize("shape", ["map", "lines", "list"])
def test_texts_that_are_no_strings(shape: str, tmp_path: Path) -> None:
    """Each is one unusable line; the others stay."""
    for value, words in BAD_TEXTS.items():
        pair = {"map": '"{}": {}', "lines": '{{"image": "{}", "text": {}}}', "list": '{{"image": "{}", "text": {}}}'}
        items = [
            pair[shape].format(name, text) for name, text in (("a.png", '"x"'), ("b.png", value), ("c.png", '"z"'))
        ]
        marks = {"map": ("{", ",\n", "}"), "lines": ("", "\n", "\n"), "list": ("[", ",\n", "]")}[shape]
        path = written(tmp_path, marks[0] + marks[1].join(items) + marks[2])
        if value == "0012.5":  # not JSON at all
            if shape == "lines":
                assert "is not JSON" in entries(path)[1].problem
            else:
                with pytest.raises(DataError, match=r"labels\.json:2: is not JSON"):
                    entries(path)
            continue
        found = entries(path)
        assert [entry.text for entry in found] == ["x", "", "z"]
        assert [bool(entry.problem) for entry in found] == [False, True, False]
        assert f"has {words} for a text; write texts in quotes" in found[1].problem
        assert line_of(found[1]) == 2


def test_broken_lines_are_named_and_the_others_kept(tmp_path: Path) -> None:
    bad = [
        "{",
        "[1]",
        '"a"',
        '{"file_name": "b.png"}',
        '{"file_name": 1, "text": "x"}',
        "{}",
        "[" * 100_000,
        "9" * 5000,
    ]
    bad += ['{"file_name": "b.png", "text": "x", "text": "y"}', '{"file_name": "../b.png", "text": "x"}']
    good = '{"file_name": "a.png", "text": "x"}'
    found = entries(written(tmp_path, "\n".join([good, "", *bad, good]) + "\n", "metadata.jsonl"))
    assert [bool(entry.problem) for entry in found] == [False, *[True] * len(bad), False]
    assert [line_of(entry) for entry in found] == [1, *range(3, len(bad) + 4)]
    problems = "\n".join(entry.problem for entry in found)
    for words in (
        "nested too deeply",
        "has no column for the text among: file_name",
        "is a list",
        "key twice (file_name",
    ):
        assert words in problems
    assert len(problems.split("\n")) == len(found)
    with pytest.raises(DataError, match=r"metadata\.jsonl:1: has no column for the text among: file_name, labelling"):
        entries(written(tmp_path, '{"file_name": "a.png", "labelling": "x"}\n', "metadata.jsonl"))
    assert entries(tmp_path, ReadOptions(text_column="labelling"))[0].text == "x"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"a.png": "x",\n "b.png" "y"}', r":2: is not JSON \(expected :, column 10\)"),
        ('{"a.png": "x",\n b: "y"}', r":2: is not JSON \(expected a key in quotes"),
        ('{"a.png": "x"}\nx', r":2: is not JSON \(text after the end"),
        ('{"a.png": "x",\n', r":2: is not JSON"),
        ('{"a.png": "x"', r":1: is not JSON \(expected , or }"),
        ('["a"', r":1: is not JSON \(expected , or ]"),
        ('{"a.png": "x",\n"b.png": ' + "[" * 100_000, ":2: is nested too deeply"),
        ('{"a.png": "x",\n"b.png": ' + "9" * 5000 + "}", ":2: is not JSON"),
        ("", ":1: is not JSON"),
        ("12", ":1: is not JSON"),
        ("{}", "has no lines"),
        ("[]", "has no lines"),
        ('{"a.png": "K\xe4se"}', r":1: is not UTF-8 \(byte 0xE4\)"),
    ],
)
def test_broken_documents(content: str, message: str, tmp_path: Path) -> None:
    path = written(tmp_path, content.encode("latin-1"))
    for where in (path, tmp_path):
        with pytest.raises(DataError, match=message) as caught:
            entries(where)
        assert "\n" not in str(caught.value)


def test_encodings(tmp_path: Path) -> None:
    content = '{"a.png": "ä"}'
    assert entries(written(tmp_path, b"\xef\xbb\xbf" + content.encode()))[0].text == "ä"
    for encoding in ("utf-16", "utf-16-le"):
        with pytest.raises(DataError, match=r"labels\.json: is UTF-16; convert it"):
            entries(written(tmp_path, content.encode(encoding)))


def test_a_picture_twice_in_a_map(tmp_path: Path) -> None:
    found = entries(written(tmp_path, '{"a.png": "x",\n"b.png": "y",\n"a.png": "z"}'))
    assert [entry.text for entry in found] == ["x", "y", "z"]
    assert [bool(entry.problem) for entry in found] == [False, False, True]
    assert "names the picture 'a.png' a second time" in found[2].problem


def test_mmocr_pages_are_not_lines(tmp_path: Path) -> None:
    """Spotting and recognition share a format; a line has one instance."""
    lines = [{"img_path": "a.png", "instances": [{"text": "x"}] * n, "height": 3} for n in (1, 0, 2)]
    lines.append({"img_path": "a.png", "instances": [{"bbox": [0, 0, 1, 1]}], "height": 3})
    found = entries(written(tmp_path, json.dumps({"data_list": lines, "metainfo": {}}), "textrecog_train.json"))
    assert [bool(entry.problem) for entry in found] == [False, True, True, True]
    assert "has 2 instances; a line has one" in found[2].problem


def test_pictures_in_images(tmp_path: Path) -> None:
    """docTR names pictures as they are called in images/; one beside the file comes first."""
    (tmp_path / "images").mkdir()
    for name in ("images/a.png", "images/b.png", "b.png"):
        written(tmp_path, "x", name)
    written(tmp_path, '{"a.png": "x", "b.png": "y", "c.png": "z"}')
    assert [entry.picture for entry in entries(tmp_path)] == ["images/a.png", "b.png", "c.png"]


def test_json_beside_each_picture_is_no_label_file(tmp_path: Path) -> None:
    for i in range(3):
        written(tmp_path, "x", f"{i}.png")
        written(tmp_path, '{"file_name": "0.png", "text": "x"}', f"{i}.json")
    with pytest.raises(DataError, match="holds no labelled lines in a known format"):
        open_source(tmp_path)


def test_two_files(tmp_path: Path) -> None:
    written(tmp_path, '{"a.png": "x"}', "train.json")
    written(tmp_path, '{"file": "a.png", "text": "y"}\n', "val.jsonl")
    with pytest.raises(DataError, match=r"has 2 files that may hold the labels \(train\.json, val\.jsonl\)"):
        open_source(tmp_path)
    assert entries(written(tmp_path, '{"a.png": "z"}'))[0].text == "z"
    assert entries(tmp_path)[0].text == "z"


def test_lines_of_objects_stream(tmp_path: Path) -> None:
    """Of a document the entries do, see test_json_scan.py."""
    with (tmp_path / "x.json").open("w") as file:
        for i in range(1_600):
            file.write(json.dumps({"image": f"images/{i:07d}.png", "text": "text" * 800}) + "\n")
    reader = find_reader(tmp_path / "x.json")[1]
    counts = []
    peak = peak_memory(lambda: counts.append(sum(not row.problem for row in reader.rows())))
    assert counts == [1_600] * 3
    assert peak < 0.2 * (tmp_path / "x.json").stat().st_size
