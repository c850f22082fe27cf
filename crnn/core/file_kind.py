"""What kind of model file a file is, by its content: names may say anything."""

from __future__ import annotations

from pathlib import Path

from crnn.errors import ModelFileError


def file_kind(path: Path) -> str:
    """``onnx``, ``safetensors`` or ``ckpt``, from the first bytes.

    Raises:
        ModelFileError: if there is no such file or it is none of these.
    """
    try:
        with path.open("rb") as file:
            head = file.read(9)
    except IsADirectoryError:
        raise ModelFileError(f"{path}: is a folder; name the model file in it") from None
    except OSError as error:
        raise ModelFileError(f"{path}: cannot be read ({error.strerror})") from None
    if head[:4] == b"PK\x03\x04":
        return "ckpt"
    if len(head) == 9 and head[8:] == b"{" and int.from_bytes(head[:8], "little") < 2**32:
        return "safetensors"
    if head[:1] == b"\x08":  # protobuf field 1 (ir_version), as every ONNX file starts
        return "onnx"
    raise ModelFileError(f"{path}: is not a model file; allowed are .onnx, .safetensors and .ckpt written by crnn")
