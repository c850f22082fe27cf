"""Which columns are picture and text, told from schemas alone."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest

from crnn.data.sources import ReadOptions
from crnn.data.sources.arrow_columns import find_layout
from crnn.errors import DataError

NO = ReadOptions()
IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
LINES = pa.struct([("text", pa.string()), ("im", pa.binary())])


def found(*fields: tuple[str, pa.DataType], options: ReadOptions = NO, labelled: bool = True, **notes: str) -> object:
    return tuple(find_layout(pa.schema(fields, metadata=notes or None), options, "x", labelled))


@pytest.mark.parametrize(
    ("fields", "layout"),
    [
        ([("image", IMAGE), ("text", pa.string())], (("text",), ("image", "bytes"), ("image", "path"))),
        ([("t", pa.large_string()), ("p", pa.large_binary())], (("t",), ("p",), ())),
        ([("p", pa.struct([("bytes", pa.binary())])), ("t", pa.string())], (("t",), ("p", "bytes"), ())),
        ([("file_name", pa.string()), ("t", pa.string())], (("t",), (), ("file_name",))),
        ([("file_name", pa.string()), ("t", pa.string()), ("p", pa.binary())], (("t",), ("p",), ())),
        ([("a", pa.string()), ("text", pa.string()), ("p", pa.binary())], (("text",), ("p",), ())),
        ([("signature", pa.binary()), ("t", pa.string()), ("image", pa.binary())], (("t",), ("image",), ())),
        ([("p", pa.binary()), ("t", pa.string()), ("s", pa.struct([("bytes", pa.int8())]))], (("t",), ("p",), ())),
        ([("p", pa.binary()), ("t", pa.string()), ("s", pa.struct([("x", pa.binary())]))], (("t",), ("p",), ())),
    ],
)
def test_by_type_then_by_name(fields: list[tuple[str, pa.DataType]], layout: object) -> None:
    assert found(*fields) == layout
    assert found(*fields[::-1]) == layout
    assert found(*fields, labelled=False) == ((), *layout[1:])  # type: ignore[index]


def test_texts_are_looked_for_unless_told_otherwise() -> None:
    schema = pa.schema([("image", IMAGE), ("said", pa.string())])
    assert find_layout(schema, NO, "x").text == ("said",)
    assert find_layout(pa.schema([("lines", LINES)], metadata={"lines": "{}"}), NO, "x").text == ("lines", "text")


def test_kraken_has_both_in_one_column() -> None:
    other = ("train", pa.bool_())
    assert found(("lines", LINES), other, lines="{}") == (("lines", "text"), ("lines", "im"), ())
    assert found(other, ("lines", LINES), lines="{}", labelled=False) == ((), ("lines", "im"), ())
    for fields, options, notes in (
        ([("lines", LINES)], NO, {}),  # without kraken's note
        ([("lines", LINES)], NO, {"other": "x"}),
        ([("lines", LINES)], ReadOptions(text_column="lines"), {"lines": "{}"}),  # a user who says otherwise
        ([("lines", pa.struct([("text", pa.string())]))], NO, {"lines": "{}"}),
        ([("lines", pa.string())], NO, {"lines": "{}"}),
        ([other], NO, {"lines": "{}"}),
    ):
        with pytest.raises(DataError, match="has no column of pictures"):
            found(*fields, options=options, **notes)
    plain = [("image", pa.binary()), ("text", pa.string())]
    assert found(*plain, lines="{}") == (("text",), ("image",), ())


def test_pictures_alone() -> None:
    """No message names an option: reading has none."""
    for names in (("a", "b"), ("image", "img")):
        described = ", ".join(f"{name} (binary)" for name in names)
        with pytest.raises(DataError) as caught:
            found(*((name, pa.binary()) for name in names), labelled=False)
        assert str(caught.value) == f"x: may have its pictures in: {described}; call one of them 'image'"
    for labelled, advice in ((False, "call 'file_name' one"), (True, "set data.image_column=NAME to one")):
        with pytest.raises(DataError) as caught:
            found(("n", pa.int64()), labelled=labelled)
        assert str(caught.value) == (
            "x: has no column of pictures (binary, or a struct of bytes and path) among: n (int64); "
            f"{advice} with names of picture files"
        )
    with pytest.raises(DataError, match="among: none; set"):
        found()


def test_columns_that_a_user_names() -> None:
    fields = [("a", pa.binary()), ("b", IMAGE), ("c", pa.string()), ("d", pa.int64()), ("e", pa.string())]
    for image, layout in (("a", (("a",), ())), ("b", (("b", "bytes"), ("b", "path"))), ("c", ((), ("c",)))):
        assert found(*fields, options=ReadOptions(None, "e", image)) == (("e",), *layout)
    for options, words in (
        (ReadOptions(None, "e", "d"), "x: column 'd' (data.image_column) is int64, not picture (bytes, or a name)"),
        (ReadOptions(None, "e", "z"), "x: has no column 'z' (data.image_column)"),
        (ReadOptions(None, "a", "b"), "x: column 'a' (data.text_column) is binary, not text"),
        (ReadOptions(None, "c", "c"), "x: has no column 'c' (data.text_column)"),
    ):
        with pytest.raises(DataError) as caught:
            found(*fields, options=options)
        taken = options.image_column if "text_column" in words else ""  # the picture cannot be the text
        there = ", ".join(f"{name} ({kind})" for name, kind in fields if name != taken)
        assert str(caught.value) == f"{words}; there are: {there}"
    with pytest.raises(
        DataError, match=r"x: has 2 column 'a' \(data\.image_column\); there are: a \(binary\), a \(bin"
    ):
        found(("a", pa.binary()), ("a", pa.binary()), ("t", pa.string()), options=ReadOptions(image_column="a"))


def test_class_labels_are_no_texts() -> None:
    features = {"label": {"_type": "ClassLabel"}, "gone": {"_type": "ClassLabel"}, "image": {"_type": "Image"}}
    notes = {"huggingface": json.dumps({"info": {"features": features}})}
    with pytest.raises(DataError) as caught:
        found(("image", pa.binary()), ("label", pa.int64()), **notes)
    assert str(caught.value) == (
        "x: has no column of text among: label (int64); label is a class label, a number that stands for a name, no "
        "text; add a column of strings"
    )
    with pytest.raises(DataError, match=r"among: n \(int64\); add a column of strings"):
        found(("image", pa.binary()), ("n", pa.int64()), **notes)


WORDS = pa.dictionary(pa.int32(), pa.string())


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ([("text", WORDS)], "text"),
        ([("writer", WORDS)], "writer"),  # where nothing else is text
        ([("writer", WORDS), ("said", pa.string())], "said"),
        ([("text", WORDS), ("said", pa.string())], "text"),
        ([("writer", WORDS), ("label", WORDS)], "label"),
        ([("said", pa.string_view())], "said"),
        ([("said", pa.string()), ("n", pa.dictionary(pa.int32(), pa.int64()))], "said"),
        ([("file_name", pa.string()), ("said", pa.string())], "said"),
        ([("file_name", WORDS), ("writer", WORDS)], "writer"),
    ],
)
def test_texts_kept_as_categories(fields: list[tuple[str, pa.DataType]], text: str) -> None:
    for order in (fields, fields[::-1]):
        assert found(("image", pa.binary_view()), *order) == ((text,), ("image",), ())


def test_categories_that_leave_a_choice() -> None:
    image = ("image", pa.binary())
    with pytest.raises(DataError, match=r"x: has no column for the text among: a, b"):
        found(image, ("a", WORDS), ("b", WORDS))
    assert found(image, ("a", WORDS), ("b", WORDS), options=ReadOptions(text_column="b"))[0] == ("b",)  # type: ignore[index]
    with pytest.raises(DataError, match=r"has no column of text among: n \(dictionary<"):
        found(image, ("n", pa.dictionary(pa.int32(), pa.int64())))


@pytest.mark.parametrize(
    "notes", ["", "{", "[]", "{}", '{"info": 3}', '{"info": {"features": []}}', '{"info": {"features": {"n": 1}}}']
)
def test_notes_that_say_nothing_of_classes(notes: str) -> None:
    with pytest.raises(DataError, match=r"among: n \(int64\); add a column of strings"):
        found(("image", pa.binary()), ("n", pa.int64()), huggingface=notes)
