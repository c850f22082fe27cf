"""Which JSON files list lines, told by how they begin."""

from __future__ import annotations

import pytest

from crnn.data.sources.json_scan import is_json_lines, names_pictures

LINE = '{"file_name": "a.png", "text": "x"}'


@pytest.mark.parametrize(
    ("head", "suffix", "wanted"),
    [
        ("", ".jsonl", True),
        ("", ".ndjson", True),
        ("", ".json", False),
        (f"[{LINE}]", ".json", False),
        (LINE, ".json", True),  # one line alone
        ('{"a.png": "x"}', ".json", False),
        ('{"file_name": "a.png"}', ".json", False),
        (f"  {LINE}\n{LINE}", ".json", True),
        ('{"a": 1}\n{"b"', ".json", True),
        ('{\n"a": 1}\n{"b": 2}', ".json", False),  # no object on a line of its own
        ('{"a": 1} x', ".json", False),
        ('{"a": ', ".json", False),
        ('{"a": ' + "[" * 100_000, ".json", False),
    ],
)
def test_an_object_on_each_line(head: str, suffix: str, wanted: bool) -> None:
    assert is_json_lines(head, suffix) is wanted


@pytest.mark.parametrize(
    ("head", "suffix", "wanted"),
    [
        ('{"a.png": "x", "b.p', ".json", True),
        ('{"a": "x"}', ".json", False),
        ('{"a.png": 3}', ".json", False),
        (f" [{LINE}, ", ".json", True),
        ('[{"file_name": "a.png"}]', ".json", False),
        ('[{"text": "x"}]', ".json", False),
        ('[{"file_name": "a.png", "instances": []}]', ".json", True),
        ('{"metainfo": {}, "data_list": [{"img_path": "a.png", "instances": []}]}', ".json", True),
        ("[]", ".json", False),
        ("{}", ".json", False),
        ("[3]", ".json", False),
        ("3", ".json", False),
        (f"{LINE}\n{{broken", ".jsonl", True),
        (f"{LINE[:-3]}\n{LINE}", ".jsonl", False),
        ("3", ".jsonl", False),
        ("", ".jsonl", False),
    ],
)
def test_pictures_and_texts(head: str, suffix: str, wanted: bool) -> None:
    assert names_pictures(head, suffix) is wanted
