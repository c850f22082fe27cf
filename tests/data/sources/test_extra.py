"""What readers of databases and shards share."""

from __future__ import annotations

import sys

import pytest

from crnn.data.sources import extra
from crnn.data.sources.extra import label_text, need
from crnn.errors import DataError


def test_labels_up_to_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extra, "MAX_TEXT_BYTES", 4)
    assert label_text("éé".encode()) == ("éé", "")
    assert label_text(memoryview(b" a\n")) == (" a\n", "")
    assert label_text(b"abcde") == ("", "has a label of 5 bytes; at most 4 are read")
    assert label_text(b"ab\xe4\xe4") == ("ab\ufffd\ufffd", "is not UTF-8 (byte 0xE4 at 2); write it anew in UTF-8")


def test_a_package_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    assert need("json.decoder") is sys.modules["json.decoder"]
    with pytest.raises(DataError) as caught:
        need("none_such.part", "to do that")
    assert str(caught.value) == 'none_such is needed to do that and not installed: pip install "crnn[formats]"'

    def broken(name: str) -> None:
        raise ModuleNotFoundError("No module named 'other'", name="other.part")

    monkeypatch.setattr(extra.importlib, "import_module", broken)
    with pytest.raises(DataError, match=r"^lmdb: fails to import \(No module named 'other'\); install it again$"):
        need("lmdb")

    def nameless(name: str) -> None:
        raise ModuleNotFoundError("gone")

    monkeypatch.setattr(extra.importlib, "import_module", nameless)
    with pytest.raises(DataError, match=r"^lxml: fails to import \(gone\); install it again$"):
        need("lxml.etree")
