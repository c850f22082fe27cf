"""Opens pictures: files, bytes, arrays, Pillow images become upright grey, limits are checked before decoding."""

from __future__ import annotations

import io
import os
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError
from PIL.TiffImagePlugin import TiffImageFile

from crnn.core.grey import from_array, to_grey
from crnn.core.png import check_png
from crnn.errors import CrnnWarning, DataError, printable

Picture: TypeAlias = str | os.PathLike[str] | bytes | Image.Image | NDArray[Any]

MAX_PIXELS = 80_000_000
"""Largest picture that is decoded, in pixels (a page of 8,900 x 8,900)."""
MAX_BYTES = 256 * 2**20
"""Largest file that is opened."""
PICTURE_FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "GIF", "WEBP", "PPM", "JPEG2000")
"""Formats that Pillow decodes by itself; those that start other programs (EPS) or fetch things are left out."""
PICTURE_SUFFIXES = frozenset(
    (".png .jpg .jpeg .jpe .tif .tiff .bmp .gif .webp .ppm .pgm .pbm .pnm .jp2 .j2k").split()  # noqa: SIM905
)
_OTHER_FILES = {
    b"%PDF": "is a PDF; save its pages as pictures, and cut them into lines",
    b"\x1f\x8b": "is a compressed archive (gzip), not a picture; unpack it",
    b"BZh": "is a compressed archive (bzip2), not a picture; unpack it",
    b"\xfd7zXZ": "is a compressed archive (xz), not a picture; unpack it",
    b"7z\xbc\xaf": "is a compressed archive (7z), not a picture; unpack it",
    b"Rar!": "is a compressed archive (rar), not a picture; unpack it",
}
"""How files begin that are given in place of pictures -> what is said of them."""
PAGE_HEIGHT = 800
"""Pixels; one line of print scanned at 300 dpi has 30 to 100."""
PagesAre: TypeAlias = Literal["fine", "noted", "refused"]
_PAGED, _ANIMATED = ("TIFF", "GIF"), ("PNG", "WEBP")
_EXIF_ORIENTATION = 0x0112
_SIDEWAYS = (5, 6, 7, 8)
_TIFF_WIDTH, _TIFF_HEIGHT, _TIFF_PHOTOMETRIC = 256, 257, 262


def _open(source: Picture, where: str, max_pixels: int | None = None) -> Image.Image:
    """Open without decoding, check the limits. The caller closes the picture."""
    max_pixels = MAX_PIXELS if max_pixels is None else max_pixels
    if isinstance(source, Image.Image):
        picture = source
    elif isinstance(source, np.ndarray):
        picture = from_array(source, where)
    else:
        stream: str | io.BytesIO
        if isinstance(source, bytes | bytearray | memoryview):
            stream, size = io.BytesIO(source), len(source)
        else:
            try:
                stream = os.fspath(source)
            except TypeError:  # None, as OpenCV gives for a file that it cannot read; an open file
                raise DataError(
                    f"{where}: is no picture; pass a path, the content of a file, a Pillow image or an array"
                ) from None
            try:
                if Path(stream).is_dir():
                    raise DataError(f"{where}: is a folder, not a picture")
                size = os.stat(stream).st_size
            except (OSError, ValueError) as error:
                raise DataError(f"{where}: cannot be opened ({_reason(error)})") from None
        if size == 0:
            raise DataError(f"{where}: is empty (0 bytes)")
        if size > MAX_BYTES:
            raise DataError(f"{where}: has {size / 2**20:.0f} MiB; at most {MAX_BYTES / 2**20:.0f} MiB are opened")
        try:
            picture = Image.open(stream, formats=PICTURE_FORMATS)
        except UnidentifiedImageError:
            raise DataError(f"{where}: {_other_file(source)}") from None
        except Image.DecompressionBombError:
            raise DataError(f"{where}: has too many pixels; at most {max_pixels:,} are decoded") from None
        except Exception as error:  # decoders raise many kinds on hostile bytes
            raise DataError(f"{where}: cannot be opened ({_reason(error)})") from None
    width, height = picture.size
    if width < 1 or height < 1:
        raise DataError(f"{where}: has no pixels ({width} x {height})")
    if width * height > max_pixels:
        raise DataError(f"{where}: has {width} x {height} pixels; at most {max_pixels:,} are decoded")
    return picture


def _other_file(source: object) -> str:
    """What is said of a file that is no picture, by how it begins."""
    start = b""
    if isinstance(source, bytes | bytearray | memoryview):
        start = bytes(source[:8])
    elif isinstance(source, str | os.PathLike):
        with suppress(OSError), open(source, "rb") as file:
            start = file.read(8)
    for begins, advice in _OTHER_FILES.items():
        if start.startswith(begins):
            return advice
    return "is not a picture that can be read (PNG, JPEG, TIFF, WebP ...)"


def _reason(error: BaseException) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return printable(text or type(error).__name__)


def _orientation(picture: Image.Image) -> int:
    try:
        return int(picture.getexif().get(_EXIF_ORIENTATION, 1))
    except Exception:  # damaged EXIF says nothing about the pixels
        return 1


def _has_more_pages(picture: Image.Image, source: Picture) -> bool:
    """Whether a file has a second page or frame. Those without a table of them are opened anew, so that a damaged one
    does not harm the first."""
    if picture.format not in _PAGED:
        return getattr(picture, "n_frames", 1) > 1 if picture.format in _ANIMATED else False
    stream: Any = io.BytesIO(source) if isinstance(source, bytes | bytearray | memoryview) else source
    try:
        with Image.open(stream, formats=_PAGED) as again:
            again.seek(1)
    except Exception:  # there is none, or it is damaged
        return False
    return True


def _is_negative(picture: Image.Image) -> bool:
    """Whether 0 is white: Pillow turns such TIFFs round, but for those of 16 bits."""
    return isinstance(picture, TiffImageFile) and picture.mode == "I;16" and picture.tag_v2.get(_TIFF_PHOTOMETRIC) == 0


def picture_size(source: Picture, where: str | None = None) -> tuple[int, int]:
    """(width, height) of a picture once upright, read from its header alone.

    Raises:
        DataError: if it cannot be opened or is larger than the limits.
    """
    where = where or picture_name(source)
    picture = _open(source, where)
    width, height = picture.size
    sideways = _orientation(picture) in _SIDEWAYS
    if sideways and isinstance(picture, TiffImageFile):  # as stored; some Pillows give `size` upright already
        width, height = picture.tag_v2[_TIFF_WIDTH], picture.tag_v2[_TIFF_HEIGHT]
    if picture is not source:
        picture.close()
    return (height, width) if sideways else (width, height)


def open_picture(
    source: Picture, where: str | None = None, max_pixels: int | None = None, pages: PagesAre = "fine"
) -> Image.Image:
    """A picture as upright 8-bit grey (mode ``L``); of several pages the first.

    Args:
        source: path, file content, Pillow image, or array (H, W[, 3|4]).
        where: its name for messages; taken from the path if not given.
        max_pixels: largest picture that is decoded; None: `MAX_PIXELS`.
        pages: what more pages or frames than the one that is read are: ``fine``, a `CrnnWarning` (``noted``), or an
            error (``refused``). Where they are noted, so is what looks like a whole page.

    Raises:
        DataError: one line: where, and what is wrong. Limits are checked before decoding.
    """
    where = where or picture_name(source)
    picture = _open(source, where, max_pixels)
    if pages != "fine" and picture is not source and _has_more_pages(picture, source):
        if pages == "refused":
            raise DataError(f"{where}: has several pages or frames; send each as a picture of its own")
        said = f"{where}: has several pages or frames, and the first alone is read; save each as a picture of its own"
        warnings.warn(said, CrnnWarning, stacklevel=2)
    negative = _is_negative(picture)
    try:
        if picture.format == "PNG" and picture is not source:
            check_png(picture.fp)  # type: ignore[attr-defined]  # of what was opened from a file
        grey = to_grey(ImageOps.exif_transpose(picture) if _orientation(picture) != 1 else picture)
        grey.load()
        grey = ImageOps.invert(grey) if negative else grey
    except MemoryError:
        raise DataError(f"{where}: does not fit into memory") from None
    except Exception as error:  # truncated or hostile data; Pillow's decoders raise many kinds
        raise DataError(f"{where}: is damaged ({_reason(error)})") from None
    if picture is not source:
        if grey is picture and getattr(picture, "fp", None):  # of a file with more pages, which stays open for them
            grey = picture.copy()
        if grey is not picture:
            picture.close()
    if pages == "noted" and looks_like_page(*grey.size):
        said = (
            f"{where}: {grey.width} x {grey.height} pixels look like a whole page, and are read as one line; cut its "
            "lines out, or name its PAGE or ALTO file: then each of its lines is read"
        )
        warnings.warn(said, CrnnWarning, stacklevel=2)
    return grey


def looks_like_page(width: int, height: int) -> bool:
    """Whether a picture is so high, and so little wider, that it hardly shows one line."""
    return height >= PAGE_HEIGHT and width < 2 * height


def picture_name(source: Picture) -> str:
    """A name for messages: the path, or what kind of thing was handed over."""
    return printable(source) if isinstance(source, str | os.PathLike) else f"picture ({type(source).__name__})"
