"""Model files are known by their first bytes."""

from __future__ import annotations

from pathlib import Path

import pytest

from crnn.core.file_kind import file_kind
from crnn.errors import ModelFileError


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\x08\x0a", "onnx"),
        (b"PK\x03\x04 and more", "ckpt"),
        ((2**32 - 1).to_bytes(8, "little") + b"{}", "safetensors"),
        ((2).to_bytes(8, "little") + b"{", "safetensors"),
    ],
)
def test_known(content: bytes, kind: str, tmp_path: Path) -> None:
    file = tmp_path / "model.txt"  # the name says nothing
    file.write_bytes(content)
    assert file_kind(file) == kind


@pytest.mark.parametrize(
    "content",
    [b"", b"PK\x03", b"\x0a\x08", (2**32).to_bytes(8, "little") + b"{", b"\x02" + bytes(7), b"\x02" + bytes(7) + b"["],
)
def test_refused(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    file.write_bytes(content)
    with pytest.raises(ModelFileError, match=r"model\.onnx: is not a model file; allowed are \.onnx"):
        file_kind(file)


def test_not_there_or_a_folder(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"cannot be read \(No such file"):
        file_kind(tmp_path / "none.onnx")
    with pytest.raises(ModelFileError, match="is a folder; name the model file in it"):
        file_kind(tmp_path)
