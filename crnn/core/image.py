"""From any picture of a line to the network's input: the one preprocessing, for training and for services.

`open_picture` turns files, bytes, arrays and Pillow images into an upright 8-bit grey picture, with limits that are
checked before anything is decoded. `LineTransform` scales that to the network's height.
"""

from __future__ import annotations

import io
import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError
from PIL.TiffImagePlugin import TiffImageFile

from crnn.core.grey import from_array, to_grey
from crnn.core.png import check_png
from crnn.errors import ConfigError, CrnnWarning, DataError

Picture: TypeAlias = str | os.PathLike[str] | bytes | Image.Image | NDArray[Any]

MAX_PIXELS = 80_000_000
"""Largest picture that is decoded, in pixels (a page of 8,900 x 8,900)."""
MAX_BYTES = 256 * 2**20
"""Largest file that is opened."""
MAX_HEIGHT = 1024
"""Largest height that a line is scaled to."""
PICTURE_FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "GIF", "WEBP", "PPM", "JPEG2000")
"""Formats that Pillow decodes by itself; those that start other programs (EPS) or fetch things are left out."""
PICTURE_SUFFIXES = frozenset(
    (".png .jpg .jpeg .jpe .tif .tiff .bmp .gif .webp .ppm .pgm .pbm .pnm .jp2 .j2k").split()  # noqa: SIM905
)
PagesAre: TypeAlias = Literal["fine", "noted", "refused"]
_PAGED, _ANIMATED = ("TIFF", "GIF"), ("PNG", "WEBP")
_EXIF_ORIENTATION = 0x0112
_SIDEWAYS = (5, 6, 7, 8)
_TIFF_WIDTH, _TIFF_HEIGHT, _TIFF_PHOTOMETRIC = 256, 257, 262


def printable(name: object, limit: int = 200) -> str:
    """A name as one line of text: control characters and undecodable bytes escaped, cut at `limit`."""
    name = str(name)
    if len(name) <= limit and name.isprintable():
        return name
    raw = name.encode("utf-8", "backslashreplace").decode("utf-8")
    text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in raw)
    return text if len(text) <= limit else text[: limit - 1] + "…"


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
            raise DataError(f"{where}: is not a picture that can be read (PNG, JPEG, TIFF, WebP ...)") from None
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
            error (``refused``).

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
    return grey


def picture_name(source: Picture) -> str:
    """A name for messages: the path, or what kind of thing was handed over."""
    return printable(source) if isinstance(source, str | os.PathLike) else f"picture ({type(source).__name__})"


@dataclass(frozen=True)
class LineTransform:
    """Scale a grey line to (1, H, W) float32, ``(grey / 255 - mean) / std``.

    The aspect ratio is kept (`width` None) and W rounded to a multiple of `multiple`, so that no pixel column is lost
    in the network's pools; or every line is scaled to one `width`.

    Args:
        height: H in pixels.
        width: fixed W in pixels, or None.
        max_width: widest line, in pixels after scaling; wider ones are refused, never cut.
        multiple: W is a multiple of this (the network's columns are this wide).
        mean, std: of the normalisation.
    """

    height: int = 32
    width: int | None = None
    max_width: int = 32_768
    multiple: int = 4
    mean: float = 0.5
    std: float = 0.5

    def __post_init__(self) -> None:
        if not 8 <= self.height <= MAX_HEIGHT:
            raise ConfigError(f"image.height={self.height}: must be 8..{MAX_HEIGHT}")
        if not 1 <= self.multiple <= 64:
            raise ConfigError(f"image multiple {self.multiple}: must be 1..64")
        if not 2 * self.multiple <= self.max_width <= 262_144:
            raise ConfigError(f"max_width {self.max_width}: must be {2 * self.multiple}..262144")
        if self.width is not None and (
            self.width % self.multiple or not self.min_width <= self.width <= self.max_width
        ):
            raise ConfigError(
                f"image.width={self.width}: must be a multiple of {self.multiple} in {self.min_width}..{self.max_width}"
            )
        if not self.std > 0 or not np.isfinite([self.mean, self.std]).all():
            raise ConfigError(f"image.std={self.std}, image.mean={self.mean}: std must be above 0 and both finite")

    @property
    def min_width(self) -> int:
        """Narrowest W in pixels; even a 1-pixel sliver becomes this wide."""
        return 2 * self.multiple

    def scaled_width(self, width: int, height: int) -> int:
        """W in pixels for a picture of `width` x `height`."""
        if self.width is not None:
            return self.width
        columns = int(width * self.height / (height * self.multiple) + 0.5)
        return max(self.min_width, columns * self.multiple)

    def scaled_widths(self, sizes: NDArray[np.int32]) -> NDArray[np.int64]:
        """(N,): `scaled_width` of many sizes (N, 2); pictures without pixels become `min_width`."""
        if self.width is not None:
            return np.full(len(sizes), self.width, dtype=np.int64)
        widths, heights = sizes[:, 0].astype(np.float64), np.maximum(sizes[:, 1], 1)
        columns = (widths * self.height / (heights * self.multiple) + 0.5).astype(np.int64)
        return np.maximum(self.min_width, columns * self.multiple)

    def check_width(self, size: tuple[int, int], where: str = "picture") -> int:
        """W for a picture of `size` (width, height); raises DataError for a line wider than `max_width`."""
        width = self.scaled_width(*size)
        if width > self.max_width:
            raise DataError(
                f"{where}: {size[0]} x {size[1]} pixels become {width} x {self.height}; at most {self.max_width} "
                "wide are read; is it one line?"
            )
        return width

    def resize(self, picture: Image.Image, width: int) -> Image.Image:
        """A grey picture at `width` x `height`."""
        if picture.size == (width, self.height):
            return picture
        return picture.resize((width, self.height), Image.Resampling.BILINEAR)

    def normalize(self, grey: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Values of the network's input, in the shape of `grey`."""
        values = grey.astype(np.float32)
        values *= np.float32(1 / 255)
        values -= np.float32(self.mean)
        values *= np.float32(1 / self.std)
        return values

    def __call__(self, picture: Image.Image, where: str = "picture") -> NDArray[np.float32]:
        """(1, H, W) float32 of a grey picture (mode ``L``).

        Raises:
            DataError: for a line wider than `max_width`.
        """
        return self.normalize(np.asarray(self.resize(picture, self.check_width(picture.size, where))))[None]
