"""Which columns of a Parquet or Arrow file are picture and text: by type first, then by name."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from crnn.data.sources.arrow_files import Steps
from crnn.data.sources.base import ReadOptions
from crnn.data.sources.extra import need
from crnn.data.sources.table_columns import find_picture, find_text, known_columns
from crnn.errors import DataError, printable


class Layout(NamedTuple):
    """Where text and picture are: a column, or a column and a field of it."""

    text: Steps
    """Empty if only the pictures are wanted."""
    data: Steps
    """Bytes of the picture; empty if there are only names."""
    path: Steps
    """Its file's name; empty if there is none."""


def find_layout(schema: Any, options: ReadOptions, where: str, labelled: bool = True) -> Layout:
    """Picture and (if `labelled`) text among the columns of a `pyarrow.Schema`.

    kraken's compiled data sets have both in a column ``lines``; Hugging Face's picture is a struct of bytes and path.
    Without labels no message names an option, as `crnn recognize` has none.

    Raises:
        DataError: if there is none, or more than one without a well-known name, naming all columns and the option.
    """
    fields = [schema.field(i) for i in range(len(schema.names))]
    if schema.metadata and b"lines" in schema.metadata and options == ReadOptions():
        kraken = next((field for field in fields if field.name == "lines"), None)
        if kraken is not None and {"text", "im"} <= set(_children(kraken.type)):
            return Layout(("lines", "text") if labelled else (), ("lines", "im"), ())
    data = _picture(fields, options, where, labelled)
    types = need("pyarrow").types
    if types.is_struct(data.type):
        path = (data.name, "path") if "path" in _children(data.type) else ()
        picture: tuple[Steps, Steps] = ((data.name, "bytes"), path)
    else:
        picture = ((data.name,), ()) if _is_binary(data.type) else ((), (data.name,))
    if not labelled:
        return Layout((), *picture)
    return Layout((_text([field for field in fields if field is not data], schema, options, where),), *picture)


def _picture(fields: Sequence[Any], options: ReadOptions, where: str, labelled: bool) -> Any:
    holding = [field for field in fields if _holds_pictures(field.type)]
    named = [field for field in fields if _is_string(field.type) and known_columns([field.name])[0]]
    if options.image_column is not None:
        allowed = [field for field in fields if _holds_pictures(field.type) or _is_string(field.type)]
        return _wanted(fields, allowed, options.image_column, "data.image_column", "picture (bytes, or a name)", where)
    candidates = holding or named
    if len(candidates) == 1:
        return candidates[0]
    if not candidates:
        raise DataError(
            f"{where}: has no column of pictures (binary, or a struct of bytes and path) among: {_described(fields)}; "
            + ("set data.image_column=NAME to" if labelled else "call 'file_name'")
            + " one with names of picture files"
        )
    if not labelled:
        known = [field for field in candidates if known_columns([field.name])[0]]
        if len(known) != 1:
            raise DataError(f"{where}: may have its pictures in: {_described(candidates)}; call one of them 'image'")
        return known[0]
    return candidates[find_picture([field.name for field in candidates], options, where)]


def _text(fields: Sequence[Any], schema: Any, options: ReadOptions, where: str) -> str:
    texts = [field for field in fields if _is_string(field.type)]
    lists = [field for field in fields if _is_dictionary(field.type)]
    if options.text_column is not None:
        return _wanted(fields, [*texts, *lists], options.text_column, "data.text_column", "text", where).name
    # a dictionary most often holds a page or a writer: it counts by its name, or where nothing else is text
    named = [field for field in lists if known_columns([field.name])[1]]
    texts = [field for field in [*texts, *named] or lists if not known_columns([field.name])[0]]
    if len(texts) == 1:
        return texts[0].name
    if texts:
        return texts[find_text([field.name for field in texts], options, where)].name
    classes = sorted(set(_class_labels(schema)) & {field.name for field in fields})
    why = f"; {printable(', '.join(classes))} is a class label, a number that stands for a name, no text" * bool(
        classes
    )
    raise DataError(f"{where}: has no column of text among: {_described(fields)}{why}; add a column of strings")


def _wanted(fields: Sequence[Any], allowed: Sequence[Any], name: str, option: str, what: str, where: str) -> Any:
    """The one column that an option names."""
    found = [field for field in fields if field.name == name]
    if len(found) != 1:
        raise DataError(
            f"{where}: has {len(found) or 'no'} column {printable(name)!r} ({option}); there are: {_described(fields)}"
        )
    if found[0] not in allowed:
        raise DataError(
            f"{where}: column {printable(name)!r} ({option}) is {printable(found[0].type, 60)}, not {what}; there are: "
            f"{_described(fields)}"
        )
    return found[0]


def _class_labels(schema: Any) -> list[str]:
    """Columns that Hugging Face's notes in the file call class labels."""
    try:
        features = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))["info"]["features"]
        return [name for name, feature in features.items() if feature.get("_type") == "ClassLabel"]
    except (ValueError, KeyError, TypeError, AttributeError):
        return []


def _described(fields: Sequence[Any]) -> str:
    return printable(", ".join(f"{field.name} ({printable(field.type, 60)})" for field in fields), 600) or "none"


def _children(kind: Any) -> list[str]:
    if not need("pyarrow").types.is_struct(kind):
        return []
    return [kind.field(i).name for i in range(kind.num_fields)]


def _holds_pictures(kind: Any) -> bool:
    if need("pyarrow").types.is_struct(kind):
        return "bytes" in _children(kind) and _is_binary(kind.field(kind.get_field_index("bytes")).type)
    return _is_binary(kind)


def _is_binary(kind: Any) -> bool:
    return str(kind) in ("binary", "large_binary", "binary_view")  # by name: not every version has a test for views


def _is_string(kind: Any) -> bool:
    return str(kind) in ("string", "large_string", "string_view")


def _is_dictionary(kind: Any) -> bool:
    """Strings by their number in a dictionary: what pandas and polars call a category."""
    return need("pyarrow").types.is_dictionary(kind) and _is_string(kind.value_type)
