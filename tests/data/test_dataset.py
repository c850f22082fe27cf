"""Lines as tensors, and batches of them."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tests_support import ListSource

from crnn.core.charset import Charset
from crnn.core.transform import LineTransform
from crnn.data.augment import CHANGES, Augment
from crnn.data.augment_config import AugmentConfig
from crnn.data.batching import LineKey
from crnn.data.dataset import LineDataset, collate
from crnn.data.sources import LineEntry, open_source
from crnn.data.synth.source import synthetic_pair
from crnn.errors import ConfigError

CHARSET = Charset.from_texts(["0123456789 abc"])
ALWAYS = AugmentConfig(1, 1, 1, 1, 1, 1)


def dataset(folder: Path, augment: Augment | None = None, seed: int = 0) -> LineDataset:
    return LineDataset(open_source(folder / "train"), CHARSET, LineTransform(), augment, seed)


def test_a_line(line_folder: Path) -> None:
    lines = dataset(line_folder)
    entry, size = lines.source.entry(3), lines.source.size(3)
    line = lines[LineKey(0, 3, 0)]
    assert line.text == entry.text
    assert CHARSET.decode(line.labels) == entry.text
    assert line.image.shape == (1, 32, LineTransform().scaled_width(*size))
    assert line.where.endswith("labels.tsv:4")


def test_training_lines_are_widened_a_little_never_squeezed(line_folder: Path) -> None:
    lines = dataset(line_folder)
    own = lines[LineKey(0, 0, 0)].image.shape[2]
    slightly = own + 4 if own + 4 <= 1.15 * own else own
    assert lines[LineKey(0, 0, slightly)].image.shape[2] == slightly
    assert lines[LineKey(0, 0, own * 2)].image.shape[2] == own  # too far: padded instead
    assert lines[LineKey(0, 0, own - 8)].image.shape[2] == own


def test_collate_pads_with_zeros_and_keeps_true_widths(line_folder: Path) -> None:
    lines = [dataset(line_folder)[LineKey(0, i, 0)] for i in range(6)]
    batch = collate(lines)
    widths = [line.image.shape[2] for line in lines]
    assert batch.widths.tolist() == widths
    assert batch.images.shape == (6, 1, 32, max(widths))
    for image, line, width in zip(batch.images, lines, widths, strict=True):
        assert torch.equal(image[:, :, :width], line.image)
        assert not image[:, :, width:].any()
    assert batch.target_lengths.tolist() == [len(line.labels) for line in lines]
    assert batch.targets.tolist() == [label for line in lines for label in line.labels]


def test_augmentation_follows_from_seed_epoch_and_line(line_folder: Path) -> None:
    augment = Augment(ALWAYS)
    one, two = dataset(line_folder, augment), pickle.loads(pickle.dumps(dataset(line_folder, augment)))
    keys = [LineKey(epoch, line, 0) for epoch in (0, 1) for line in (0, 1, 2)]
    first = [one[key].image for key in keys]
    torch.rand(5)  # global generators play no part
    np.random.rand(5)  # noqa: NPY002
    second = [two[key].image for key in reversed(keys)][::-1]
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    assert not torch.equal(first[0], first[3])  # another epoch
    assert not torch.equal(first[0], dataset(line_folder, augment, seed=1)[keys[0]].image)
    unseeded = LineDataset(one.source, CHARSET, LineTransform(), augment)
    assert torch.equal(first[0], unseeded[keys[0]].image)  # whose seed is 0


@pytest.mark.parametrize("name", sorted(CHANGES))
def test_each_change_keeps_size_and_mode_and_changes_something(name: str) -> None:
    ramp = np.tile(np.linspace(0, 255, 96, dtype=np.uint8), (32, 1))
    ramp[10:20, 30:60] = 0
    picture = Image.fromarray(ramp)
    config = AugmentConfig(0, 0, 0, 0, 0, 0)
    assert np.array_equal(Augment(config)(picture, np.random.default_rng(0)), ramp)
    setattr(config, name, 1.0)
    changed = Augment(config)(picture, np.random.default_rng(0))
    assert (changed.size, changed.mode) == (picture.size, "L")
    assert not np.array_equal(np.asarray(changed), ramp)


def test_affine_fills_with_the_paper() -> None:
    picture = Image.fromarray(np.full((32, 200), 200, dtype=np.uint8))
    config = AugmentConfig(1, 0, 0, 0, 0, 0)
    for seed in range(20):
        pixels = np.asarray(Augment(config)(picture, np.random.default_rng(seed)))
        assert pixels.min() >= 198  # no black corners


def test_probabilities_are_checked() -> None:
    with pytest.raises(ConfigError, match=r"augment\.blur=1\.5: is a probability"):
        Augment(AugmentConfig(blur=1.5))


def test_endless_sources_give_new_lines_each_epoch() -> None:
    train, val = synthetic_pair(10, 5, seed=1, fonts="bundled")
    lines = LineDataset(train, Charset.from_texts([chr(c) for c in range(32, 127)]), LineTransform())
    assert lines[LineKey(0, 2, 0)].text == train.entry(2).text
    assert lines[LineKey(3, 2, 0)].text == train.entry(32).text
    fixed = LineDataset(val, lines.charset, LineTransform())
    assert fixed[LineKey(0, 2, 0)].text == fixed[LineKey(3, 2, 0)].text == val.entry(2).text


def test_labels_that_cannot_be_written_have_no_target(line_folder: Path) -> None:
    digits = LineDataset(open_source(line_folder / "train"), Charset.from_texts(["0123456789"]), LineTransform())
    texts = [digits.source.entry(i).text for i in range(48)]
    odd = next(i for i, text in enumerate(texts) if not text.isdigit())
    plain = next(i for i, text in enumerate(texts) if text.isdigit())
    assert digits[LineKey(0, odd, 0)].labels == []
    assert digits[LineKey(0, odd, 0)].text == texts[odd]  # still counted against the reading
    assert len(digits[LineKey(0, plain, 0)].labels) == len(texts[plain])


class Sized(ListSource):
    """Lines 32 pixels high, as wide as their text says."""

    def size(self, position: int) -> tuple[int, int]:
        return int(self.entries[position].where), 32


def sized(*lines: tuple[str, int]) -> LineDataset:
    return LineDataset(Sized([LineEntry(text, str(width), "x") for text, width in lines]), CHARSET, LineTransform())


@pytest.mark.parametrize(("asked", "width"), [(40, 40), (44, 44), (46, 46), (47, 40), (36, 40), (0, 40)])
def test_lines_are_widened_by_fifteen_percent_at_most(asked: int, width: int) -> None:
    assert sized(("1", 40))[LineKey(0, 0, asked)].image.shape == (1, 32, width)


@pytest.mark.parametrize(
    ("text", "width", "fits"),
    [("123", 12, True), ("1234", 12, False), ("11", 12, True), ("112", 12, False), ("112", 16, True)],
)
def test_texts_that_cannot_fit_have_no_target(text: str, width: int, fits: bool) -> None:
    """A step is four pixels; two equal characters need one between them."""
    line = sized((text, width))[LineKey(0, 0, 0)]
    assert CHARSET.decode(line.labels) == (text if fits else "")
    assert line.text == text
    widened = sized((text, width))[LineKey(0, 0, width + 1)]  # looked at as it is shown
    assert bool(widened.labels) is fits


def test_several_lines_at_once() -> None:
    lines = sized(("1", 40), ("2", 80))
    keys = [LineKey(0, 1, 0), LineKey(0, 0, 44)]
    assert [line.text for line in lines.__getitems__(keys)] == ["2", "1"]
    batch = collate(lines.__getitems__(keys))
    assert batch.images.shape == (2, 1, 32, 80)
    assert (batch.widths.tolist(), batch.texts, batch.where) == ([80, 44], ["2", "1"], ["80", "40"])
    assert (batch.targets.dtype, batch.targets.tolist()) == (torch.int64, CHARSET.encode("21"))
    assert collate([lines[keys[0]]._replace(labels=[])]).targets.dtype == torch.int64
    assert len(lines) == 2
