"""The checksums of a PNG file, which Pillow does not look at where the pixels are: damaged ones become other pixels."""

from __future__ import annotations

import struct
import zlib
from typing import IO

_SIGNATURE = 8
_OPTIONAL = 0x20
"""Set in the first letter of chunks that a picture can be shown without."""


def check_png(file: IO[bytes]) -> None:
    """Compare the checksums of the chunks that pixels come from; the position in the file stays.

    Raises:
        ValueError: for the first that is wrong. One that is cut off is left to the decoder.
    """
    position = file.tell()
    file.seek(_SIGNATURE)
    while len(head := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        data, checksum = file.read(length), file.read(4)
        if len(checksum) < 4 or kind == b"IEND":
            break
        if not kind[0] & _OPTIONAL and zlib.crc32(data, zlib.crc32(kind)) != int.from_bytes(checksum, "big"):
            raise ValueError(f"the checksum of its {kind.decode('ascii', 'backslashreplace')} is wrong")
    file.seek(position)
