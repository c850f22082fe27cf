"""Reading lines with a trained model: pictures in, text with confidences and character positions out.

A `Backend` (ONNX here, torch in `crnn.export.torch_backend`) runs the network; everything else is shared, so every
model file reads alike.
"""

from __future__ import annotations

import io
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from crnn.core.card import ModelCard
from crnn.core.charset import BLANK
from crnn.core.decode import BeamDecoder, Decoded, Text
from crnn.core.decode.probability import tempered
from crnn.core.decode.settings import make_decoder
from crnn.core.picture import PagesAre, Picture
from crnn.core.prepared import Prepared, prepare
from crnn.core.recognition import Recognition, make_recognition
from crnn.errors import ConfigError, DataError, ModelFileError, PluginError


class Backend(Protocol):
    """A network that is ready to run."""

    card: ModelCard
    name: str
    device: str

    def run(
        self, images: NDArray[np.float32], widths: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Log-probabilities of a batch.

        Args:
            images: (B, 1, H, W), right of each line's width padded with anything.
            widths: (B,) true widths in pixels.

        Returns:
            log_probs (T, B, C) and lengths (B,), the true time steps of each line.
        """
        ...


class Named(NamedTuple):
    """A picture with a name for messages, where it has none of its own: bytes out of an archive."""

    picture: Picture
    name: str


MAX_NBEST = 100
MAX_PADDING = 0.15
"""A narrower line starts a batch of its own rather than being padded by more than this share."""


class Recognizer:
    """Reads lines of text; made by `crnn.load`.

    A reading never depends on the pictures that share its batch.

    Args:
        backend: the network.
        batch_size: most lines that run together.
        batch_pixels: most pixels that run together, padding included; bounds the memory.
        decoder: settings in place of those in the card, see `crnn.core.decode.settings`.
        nbest: so many texts per line, as `Recognition.alternatives`, if it is more than 1; they come from a beam
            search, also where the decoder is another one.
        trim: cut off paper around each line first, see `crnn.core.trim`; None: as the card says.

    Raises:
        ModelFileError: for settings in the card that are not valid.
        ConfigError: for such settings in `decoder`.
    """

    def __init__(
        self,
        backend: Backend,
        batch_size: int = 8,
        batch_pixels: int = 16 * 32 * 1024,
        decoder: Mapping[str, Any] | None = None,
        nbest: int = 1,
        trim: bool | None = None,
    ) -> None:
        self.backend = backend
        self.card = backend.card
        self.trim = self.card.trim if trim is None else trim
        self.batch_size = batch_size
        self.batch_pixels = batch_pixels
        if not 1 <= nbest <= MAX_NBEST:
            raise ConfigError(f"nbest is {nbest}; 1 to {MAX_NBEST} texts per line are allowed")
        self.nbest = nbest
        try:
            self.decoder = make_decoder(self.card.decoder, self.card.charset)
        except PluginError as error:
            if decoder is None:
                raise ModelFileError(f"the model card's decoder: {error}; or name another one (greedy, beam)") from None
        except ConfigError as error:
            raise ModelFileError(f"the model card's decoder is not valid: {error}") from None
        if decoder is not None:
            self.decoder = make_decoder(decoder, self.card.charset)
        self.decoder_is_given = decoder is not None
        """It is not the card's, for which the card's temperature was fitted."""
        if isinstance(self.decoder, BeamDecoder):
            self.decoder = self.decoder.at(self.card.temperature)
        self._has_language_model = isinstance(self.decoder, BeamDecoder) and self.decoder.lm is not None
        self._beam = self.decoder if isinstance(self.decoder, BeamDecoder) else BeamDecoder().at(self.card.temperature)

    def recognize(self, images: Picture | Iterable[Picture]) -> list[Recognition]:
        """Read pictures of lines: paths, file contents, Pillow images or arrays (H, W[, 3|4]).

        Returns:
            One reading per picture, in order.

        Raises:
            DataError: for the first picture that cannot be read; `stream` goes on instead.
        """
        if isinstance(images, np.ndarray):  # those of one dimension are lists, of paths perhaps
            one = images.ndim in (0, 2) or (images.ndim == 3 and images.shape[2] <= 4)
        else:
            one = isinstance(images, str | bytes | bytearray | memoryview | Image.Image | os.PathLike | io.IOBase)
        several: Any = [images] if one or not isinstance(images, Iterable) else images
        readings = []
        for reading in self.stream(several):
            if isinstance(reading, DataError):
                raise reading
            readings.append(reading)
        return readings

    def stream(self, images: Iterable[Picture | Named], window: int = 256) -> Iterator[Recognition | DataError]:
        """Read any number of pictures in constant memory, in order; a bad one yields its error and the rest goes on.

        Args:
            images: pictures, taken `window` at a time and batched by width within a window.
        """
        pictures = iter(images)
        chunk = list(islice(pictures, window))
        following = list(islice(pictures, window))
        if not following:  # no thread for a few pictures
            yield from self._read_window(self._prepare_window(chunk))
            return
        with ThreadPoolExecutor(1, "crnn-decode") as pool:  # decodes the next window while the network reads this one
            upcoming = pool.submit(self._prepare_window, chunk)
            while chunk:
                ready = upcoming.result()
                upcoming = pool.submit(self._prepare_window, following)
                yield from self._read_window(ready)
                chunk, following = following, list(islice(pictures, window))

    def prepare(
        self, picture: Picture, name: str | None = None, max_pixels: int | None = None, pages: PagesAre = "noted"
    ) -> Prepared:
        """The first half of reading: decode a picture and scale it. Any number of threads may do so at once.

        Args:
            picture: as for `recognize`.
            name: of it, for messages.
            max_pixels: largest picture that is decoded (80 million).
            pages: what more pages or frames than the one that is read are, see `open_picture`.

        Raises:
            DataError: one line: where, and what is wrong.
        """
        return prepare(picture, self.card.transform, self.trim, name, max_pixels, pages)

    def _prepare_window(self, pictures: Sequence[Picture | Named]) -> list[Prepared | DataError]:
        """Each picture decoded and scaled, or what is wrong with it."""
        prepared: list[Prepared | DataError] = []
        for picture in pictures:
            try:
                prepared.append(self.prepare(*picture) if isinstance(picture, Named) else self.prepare(picture))
            except DataError as error:
                prepared.append(error.alone())
        return prepared

    def _read_window(self, window: Sequence[Prepared | DataError]) -> list[Recognition | DataError]:
        """The reading of each picture, or what is wrong with it; in order, although batches are by width."""
        results: list[Recognition | DataError | None] = [
            line if isinstance(line, DataError) else None for line in window
        ]
        ready = [(position, line) for position, line in enumerate(window) if isinstance(line, Prepared)]
        lines = [line for _, line in ready]
        for batch in self.batches(lines):
            for index, recognition in zip(batch, self.read([lines[index] for index in batch]), strict=True):
                results[ready[index][0]] = recognition
        return [result for result in results if result is not None]  # which all are by now

    def batches(self, lines: Sequence[Prepared]) -> Iterator[list[int]]:
        """Indices of lines of similar width, under the bounds of a batch; each line once."""
        batch: list[int] = []
        # widest last, so it sets the padding
        for index in sorted(range(len(lines)), key=lambda index: lines[index].width):
            line = lines[index]
            if batch and (
                len(batch) >= self.batch_size
                or (len(batch) + 1) * line.grey.size > self.batch_pixels
                or lines[batch[0]].width < (1 - MAX_PADDING) * line.width
            ):
                yield batch
                batch = []
            batch.append(index)
        if batch:
            yield batch

    def log_probs(
        self, pictures: Sequence[Picture]
    ) -> Iterator[tuple[list[int], NDArray[np.float32], NDArray[np.int64]]]:
        """What the network says of pictures, before any temperature, batch by batch.

        Yields:
            Positions in `pictures`, log-probabilities (T, B, C) and true time steps (B,).

        Raises:
            DataError: for a picture that cannot be read.
        """
        lines = [self.prepare(picture) for picture in pictures]
        for batch in self.batches(lines):
            output, lengths, _ = self._run([lines[index] for index in batch])
            yield batch, output, lengths

    def _run(self, lines: Sequence[Prepared]) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]]:
        """Log-probabilities (T, B, C), time steps (B,) and widths (B,) of a batch.

        Raises:
            ModelFileError: for a network that gives NaN, which would read as a line without text.
        """
        widths = np.array([line.width for line in lines], dtype=np.int64)  # (B,)
        greys = np.zeros((len(lines), 1, lines[0].grey.shape[0], int(widths.max())), dtype=np.uint8)  # (B, 1, H, W)
        for grey, line in zip(greys, lines, strict=True):
            grey[0, :, : line.width] = line.grey
        log_probs, lengths = self.backend.run(self.card.transform.normalize(greys), widths)  # (T, B, C), (B,)
        blanks = log_probs[:, :, BLANK]  # (T, B), of a softmax: where one class is NaN, all are
        if np.isnan(blanks[np.arange(len(blanks))[:, None] < lengths]).any():
            raise ModelFileError(
                "the network gives no numbers (NaN) for a picture: its weights are broken, or too large for float16; "
                "take another model file (an earlier checkpoint), or another precision"
            )
        return log_probs, lengths, widths

    def read(self, lines: Sequence[Prepared], nbest: int | None = None) -> list[Recognition]:
        """The second half: run the network on one batch (see `batches`) and decode it.

        Args:
            lines: one or more; with a language model a blank one reads as nothing.
            nbest: in place of the recogniser's own; the reading is that of a recogniser made with it.
        """
        nbest = self.nbest if nbest is None else nbest
        log_probs, lengths, widths = self._run(lines)  # (T, B, C), (B,), (B,)
        log_probs = self.tempered(log_probs)
        texts: list[list[Text]] = [[]] * len(lines)
        if nbest > 1:
            texts = self._beam.texts(log_probs, lengths, nbest)
            decoded = self._beam.placed(log_probs, lengths, [best[0] for best in texts])
        else:
            decoded = self.decoder(log_probs, lengths)
        for number, line in enumerate(lines):
            if line.is_blank and self._has_language_model:  # which would make something of it
                sure = math.exp(float(log_probs[: lengths[number], number, BLANK].sum()))
                decoded[number], texts[number] = Decoded([], [], [], sure), [Text([], sure)] if nbest > 1 else []
        return [
            make_recognition(
                self.card.charset, result, line.line_width / width, line.left, line.line_width, width // length, best
            )
            for result, line, width, length, best in zip(
                decoded, lines, widths.tolist(), lengths.tolist(), texts, strict=True
            )
        ]

    def tempered(self, log_probs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Log-probabilities (T, B, C) at the card's temperature."""
        return tempered(log_probs, self.card.temperature)
