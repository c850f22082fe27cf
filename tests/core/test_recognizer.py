"""What shares a batch, and what a recogniser gives the network and takes from it."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from crnn.core.card import ModelCard
from crnn.core.charset import Charset
from crnn.core.decode import BeamDecoder, GreedyDecoder
from crnn.core.prepared import Prepared
from crnn.core.recognition import Recognition
from crnn.core.recognizer import Recognizer
from crnn.core.transform import LineTransform
from crnn.errors import ConfigError, DataError, ModelFileError


class Widths:
    """A network that reads the class of a line's first pixel: 0, 85, 170 or 255 is 1 to 4; all else is blank."""

    name, device = "widths", "cpu"

    def __init__(self, temperature: float = 1.0, decoder: dict | None = None) -> None:
        charset = Charset(("a", "b", "c", "d"))
        self.card = ModelCard(charset, LineTransform(8), {}, decoder or {"name": "greedy"}, temperature)
        self.seen: list[tuple[np.ndarray, np.ndarray]] = []

    def run(self, images: np.ndarray, widths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        self.seen.append((images, widths))
        lengths = widths // 4
        log_probs = np.full((int(lengths.max()), len(images), 5), np.log(0.025), dtype=np.float32)
        log_probs[:, :, 0] = np.log(0.9)
        for line, picture in enumerate(images):
            label = 1 + round((float(picture[0, 0, 0]) + 1) * 1.5)
            log_probs[0, line] = np.log(0.025)
            log_probs[0, line, label] = np.log(0.9)
        return log_probs, lengths


def picture(width: int, label: int = 1, height: int = 8) -> Image.Image:
    return Image.new("L", (width, height), 85 * (label - 1))


def prepared(*widths: int) -> list[Prepared]:
    return [Prepared(np.zeros((8, width), np.uint8), 0, width) for width in widths]


def batches(lines: list[Prepared], **settings: int) -> list[list[int]]:
    return list(Recognizer(Widths(), **settings).batches(lines))


def test_at_most_so_many_lines_run_together() -> None:
    assert batches(prepared(*[40] * 5), batch_size=2) == [[0, 1], [2, 3], [4]]
    assert batches(prepared(*[40] * 4), batch_size=4) == [[0, 1, 2, 3]]
    assert batches(prepared(*[40] * 9)) == [[0, 1, 2, 3, 4, 5, 6, 7], [8]]
    assert batches([]) == []


def test_at_most_so_many_pixels_run_together() -> None:
    assert batches(prepared(*[40] * 3), batch_pixels=3 * 320) == [[0, 1, 2]]
    assert batches(prepared(*[40] * 3), batch_pixels=3 * 320 - 1) == [[0, 1], [2]]
    assert batches(prepared(40, 40, 44), batch_pixels=3 * 320) == [[0, 1], [2]]  # padding included
    assert batches(prepared(40, 40), batch_pixels=1) == [[0], [1]]  # however few are allowed
    assert batches(prepared(*[65_536] * 3)) == [[0], [1], [2]]
    assert batches(prepared(*[32_768] * 3)) == [[0, 1], [2]]  # by default, 16 lines of 32 x 1024 pixels
    assert batches(prepared(*[32_772] * 2)) == [[0], [1]]


def test_no_line_is_padded_by_more_than_15_percent() -> None:
    assert batches(prepared(100, 85)) == [[1, 0]]
    assert batches(prepared(100, 84)) == [[1], [0]]
    assert batches(prepared(80, 70, 90, 100)) == [[1, 0], [2, 3]]


def test_each_line_is_in_one_batch() -> None:
    rng = np.random.default_rng(0)
    lines = prepared(*(4 * rng.integers(2, 60, 40)).tolist())
    found = batches(lines, batch_size=5)
    assert sorted(chain.from_iterable(found)) == list(range(40))
    widths = [lines[index].width for index in chain.from_iterable(found)]
    assert all(one <= two for one, two in pairwise(widths))


def test_what_the_network_gets() -> None:
    """Values of the transform, and right of a shorter line black, which the network never looks at."""
    network = Widths()
    readings = Recognizer(network).recognize([picture(20, 2), picture(18, 4)])
    [(images, widths)] = network.seen
    assert (images.shape, images.dtype) == ((2, 1, 8, 20), np.float32)
    assert widths.tolist() == [20, 20]
    assert [reading.text for reading in readings] == ["b", "d"]
    network = Widths()
    Recognizer(network).read(
        [Prepared(np.full((8, 8), 255, np.uint8), 0, 8), Prepared(np.full((8, 12), 255, np.uint8), 0, 24)]
    )
    [(images, widths)] = network.seen
    assert widths.tolist() == [8, 12]
    assert widths.dtype == np.int64
    assert images[0, 0, :, :8].min() == images[1].min() == 1.0
    assert images[0, 0, :, 8:].max() == -1.0


def test_places_are_those_of_the_original_picture() -> None:
    [reading] = Recognizer(Widths()).recognize(picture(80, 3, height=16))  # twice as large as the network has it
    [one] = reading.characters
    assert (one.text, one.start, one.end) == ("c", 0.0, 8.0)
    assert one.confidence == pytest.approx(0.9, abs=1e-6)
    [reading] = Recognizer(Widths()).recognize(picture(3, 1))  # made wider: a step is 1.5 pixels
    assert reading.characters[0].end == 1.5
    assert Prepared(np.zeros((8, 12), np.uint8), 0, 24).width == 12


def test_one_picture_or_many(tmp_path: Path) -> None:
    recognizer = Recognizer(Widths())
    path = tmp_path / "a.png"
    picture(16, 2).save(path)
    array = np.asarray(picture(16, 2))
    for one in (path, str(path), path.read_bytes(), picture(16, 2), array, np.stack([array] * 3, 2), array[:, :, None]):
        assert [reading.text for reading in recognizer.recognize(one)] == ["b"], type(one)
    assert len(recognizer.recognize(np.zeros((8, 16, 4), np.uint8))) == 1
    assert len(recognizer.recognize(np.zeros((5, 8, 16), np.uint8))) == 5  # pictures in a row
    assert len(recognizer.recognize(np.zeros((3, 8, 16), np.uint8))) == 3
    assert len(recognizer.recognize(np.zeros((5, 8, 16, 3), np.uint8))) == 5
    for count in range(1, 6):  # as tables have them
        assert len(recognizer.recognize(np.array([str(path)] * count, dtype=object))) == count
    for content in (bytearray(path.read_bytes()), memoryview(path.read_bytes())):
        assert [reading.text for reading in recognizer.recognize(content)] == ["b"]
    assert recognizer.recognize([]) == []
    for nothing in (np.zeros((8, 16, 2), np.uint8), np.array(5)):  # the first is what a grey picture with alpha gives
        with pytest.raises(DataError, match="is not a picture"):
            recognizer.recognize(nothing)
    for nothing in (None, [None], path.open("rb")):
        with pytest.raises(DataError, match="is no picture"):
            recognizer.recognize(nothing)  # type: ignore[arg-type]
    assert [type(found) for found in recognizer.stream([None, path])] == [DataError, Recognition]  # type: ignore[list-item]
    with pytest.raises(DataError, match="is empty"):
        recognizer.recognize([picture(16), b""])


@pytest.mark.parametrize("window", [1, 2, 3, 5, 6, 7])
def test_a_stream_is_in_order_whatever_its_windows(window: int) -> None:
    network = Widths()
    pictures = [picture(16 + 40 * (i % 2), 1 + i % 4) for i in range(6)]
    found = list(Recognizer(network).stream([*pictures[:4], b"", *pictures[4:]], window))
    assert [one if isinstance(one, DataError) else one.text for one in found] == [*"abcd", found[4], *"ab"]
    assert isinstance(found[4], DataError)
    assert max(len(images) for images, _ in network.seen) <= window
    assert sum(len(images) for images, _ in network.seen) == 6
    assert list(Recognizer(network).stream([], window)) == []


def test_pictures_are_taken_as_they_are_needed() -> None:
    taken: list[int] = []

    def pictures() -> Iterator[Image.Image]:
        for i in range(10):
            taken.append(i)
            yield picture(16)

    stream = Recognizer(Widths()).stream(pictures(), 2)
    next(stream)
    assert len(taken) == 4


def test_a_picture_is_prepared() -> None:
    line = Recognizer(Widths()).prepare(picture(20, 2, height=16))
    assert (line.grey.shape, line.grey.dtype, line.width) == ((8, 8 + 4), np.uint8, 12)
    assert (line.left, line.line_width) == (0, 20)
    assert Recognizer(Widths()).prepare(picture(10), max_pixels=80).width == 12
    with pytest.raises(DataError, match=r"^page 3: has 10 x 8 pixels; at most 79 are decoded"):
        Recognizer(Widths()).prepare(picture(10), "page 3", 79)
    with pytest.raises(DataError, match=r"^picture \(Image\): has 10 x 8 pixels"):
        Recognizer(Widths()).prepare(picture(10), max_pixels=79)
    with pytest.raises(DataError, match=r"^p: .* become 32772 x 8; at most 32768 wide"):
        Recognizer(Widths()).prepare(picture(32_772), "p")


def test_places_count_from_the_left_of_the_whole_picture() -> None:
    """Though 355 columns of paper at the left are not shown to the network, which reads something at its first step."""
    page = np.full((20, 640), 230, np.uint8)
    page[2:18, 400:640:5] = 0
    recognizer = Recognizer(Widths(), trim=True)
    line = recognizer.prepare(page)
    assert abs(line.left - 380) <= 2
    assert line.line_width == 640 - line.left
    [reading] = recognizer.recognize(page)
    step = 4 * line.line_width / line.width
    assert [(one.start, one.end) for one in reading.characters] == [(line.left, round(line.left + step, 2))]


def test_lines_are_trimmed_as_the_card_or_the_caller_says() -> None:
    page = np.full((60, 200), 230, np.uint8)
    page[20:40, 30:170:5] = 0
    for by_card, asked, trimmed in (
        (False, None, False),
        (True, None, True),
        (True, False, False),
        (False, True, True),
    ):
        backend = Widths()
        backend.card = replace(backend.card, trim=by_card)
        line = Recognizer(backend, trim=asked).prepare(page)
        assert (line.width, line.left, line.line_width) == (8 * 200 // 26 // 4 * 4 if trimmed else 28, 0, 200)
        wanted = Recognizer(Widths()).prepare(page[17:43] if trimmed else page)
        assert np.array_equal(line.grey, wanted.grey)
    backend.card = replace(backend.card, transform=replace(backend.card.transform, max_width=40))
    assert Recognizer(backend, trim=True).prepare(page).width == 28  # too wide for it when trimmed
    with pytest.raises(DataError, match="become 60 x 8; at most 40 wide are read"):
        Recognizer(backend, trim=True).prepare(page[17:43])


@pytest.mark.parametrize("nbest", [0, -1, 101])
def test_so_many_texts_are_not_given(nbest: int) -> None:
    with pytest.raises(ConfigError, match=f"nbest is {nbest}; 1 to 100 texts per line are allowed"):
        Recognizer(Widths(), nbest=nbest)


def test_alternatives() -> None:
    assert Recognizer(Widths(), nbest=100).nbest == 100
    [reading] = Recognizer(Widths()).recognize(picture(8, 2))
    assert (reading.text, reading.alternatives) == ("b", ())
    [two] = Recognizer(Widths(), nbest=2).recognize(picture(8, 2))
    assert (two.text, len(two.alternatives), two.alternatives[0].text) == ("b", 2, "b")
    recognizer = Recognizer(Widths())
    lines = [recognizer.prepare(picture(8, 2))]
    assert recognizer.read(lines, 2) == [two]
    assert recognizer.read(lines, 1) == recognizer.read(lines) == [reading]
    assert Recognizer(Widths(), nbest=2).read(lines, 1)[0].alternatives == ()


def test_which_decoder_reads() -> None:
    assert isinstance(Recognizer(Widths()).decoder, GreedyDecoder)
    assert not Recognizer(Widths()).decoder_is_given
    given = Recognizer(Widths(), decoder={"name": "beam", "width": 3})
    assert isinstance(given.decoder, BeamDecoder)
    assert (given.decoder.width, given.decoder_is_given, given._beam) == (3, True, given.decoder)
    card = Recognizer(Widths(decoder={"name": "beam", "width": 4}), nbest=2)
    assert isinstance(card.decoder, BeamDecoder)
    assert (card.decoder.width, card.decoder_is_given) == (4, False)
    assert isinstance(Recognizer(Widths(decoder={"name": "beam"}), decoder={"name": "greedy"}).decoder, GreedyDecoder)
    with pytest.raises(ModelFileError, match="the model card's decoder is not valid: the beam's width is 0"):
        Recognizer(Widths(decoder={"name": "beam", "width": 0}), decoder={"name": "greedy"})
    with pytest.raises(ModelFileError, match=r"the model card's decoder: decoder 'x' is .*; or name another one"):
        Recognizer(Widths(decoder={"name": "x"}))
    Recognizer(Widths(decoder={"name": "x"}), decoder={"name": "greedy"})
    with pytest.raises(ConfigError, match="the beam's width is 0"):
        Recognizer(Widths(), decoder={"name": "beam", "width": 0})


def test_the_temperature_of_the_card() -> None:
    logits = np.log(np.array([[[0.5, 0.3, 0.2], [0.8, 0.1, 0.1]]], dtype=np.float32))
    assert Recognizer(Widths()).tempered(logits) is logits
    for temperature in (0.5, 2.0):
        powers = np.exp(logits) ** (1 / temperature)
        wanted = powers / powers.sum(axis=2, keepdims=True)
        found = Recognizer(Widths(temperature)).tempered(logits)
        assert np.exp(found) == pytest.approx(wanted, rel=1e-5)
        assert found.dtype == np.float32
    cold, warm = (Recognizer(Widths(t)).recognize(picture(8, 2))[0].confidence for t in (0.5, 2.0))
    assert cold > Recognizer(Widths()).recognize(picture(8, 2))[0].confidence > warm


def test_what_the_network_says_batch_by_batch() -> None:
    found = list(
        Recognizer(Widths(temperature=2.0), batch_size=2).log_probs([picture(40, 2), picture(8), picture(8, 3)])
    )
    assert [positions for positions, _, _ in found] == [[1, 2], [0]]
    assert [output.shape for _, output, _ in found] == [(2, 2, 5), (10, 1, 5)]
    assert [lengths.tolist() for _, _, lengths in found] == [[2, 2], [10]]
    assert np.exp(found[1][1][0, 0]).tolist() == pytest.approx([0.025, 0.025, 0.9, 0.025, 0.025])  # as it says it


class Broken(Widths):
    """Gives NaN in the time steps that a line has, or only in its padding."""

    def __init__(self, in_padding: bool) -> None:
        super().__init__()
        self.in_padding = in_padding

    def run(self, images: np.ndarray, widths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        log_probs, lengths = super().run(images, widths)
        for line, length in enumerate(lengths):
            log_probs[length if self.in_padding else length - 1 :, line] = np.nan
        return log_probs, lengths


def test_a_network_that_gives_no_numbers_is_not_taken_for_an_empty_line() -> None:
    with pytest.raises(ModelFileError, match=r"gives no numbers \(NaN\) .*take another model file"):
        Recognizer(Broken(False)).recognize([picture(40, 2), picture(36, 3)])
    with pytest.raises(ModelFileError, match="NaN"):
        list(Recognizer(Broken(False)).log_probs([picture(40)]))
    assert [r.text for r in Recognizer(Broken(True)).recognize([picture(40, 2), picture(36, 3)])] == ["b", "c"]


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="counts open files as Linux shows them")
def test_what_is_wrong_with_a_picture_keeps_neither_it_nor_its_file(tmp_path: Path) -> None:
    whole = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 200), np.uint8)).save(whole, "PNG")
    cut = tmp_path / "cut.png"
    cut.write_bytes(whole.getvalue()[:3000])
    before = len(os.listdir("/proc/self/fd"))
    errors = list(Recognizer(Widths()).stream([cut] * 20))
    assert len(os.listdir("/proc/self/fd")) == before
    for error in errors:
        assert isinstance(error, DataError)
        assert (error.__traceback__, error.__context__, error.__cause__) == (None, None, None)
