"""TensorBoard's files on a disk that is full."""

from __future__ import annotations

import errno
import threading
from pathlib import Path

import numpy as np
import pytest
from tests_support import event_values

from crnn.training import board
from crnn.training.board import TensorBoard


def test_figures_and_pictures_are_written(tmp_path: Path) -> None:
    logger = TensorBoard(tmp_path)
    logger.log_metrics({"val/cer": 0.25}, 7)
    logger.experiment.add_image("val/readings", np.zeros((4, 5, 3), np.uint8), 8, dataformats="HWC")
    logger.finalize("success")
    assert [(step, value.tag) for step, value in event_values(tmp_path / "tensorboard")] == [
        (7, "val/cer"),
        (8, "val/readings"),
    ]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_full_disk_is_an_error_of_the_next_figure_and_nothing_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    died: list[threading.ExceptHookArgs] = []
    monkeypatch.setattr(threading, "excepthook", died.append)
    inside = board._without_prefix
    monkeypatch.setattr(board, "_without_prefix", lambda path: Path("/dev/full") if "events" in path else inside(path))
    logger = TensorBoard(tmp_path)
    noise = np.random.default_rng(0).integers(0, 256, (200, 300, 3), np.uint8)
    with pytest.raises(OSError, match="No space left") as raised:  # the thread writes some time
        for step in range(500):
            logger.log_metrics({"val/cer": 0.5}, step)
            logger.experiment.add_image("curves", noise, step, dataformats="HWC")
    assert (raised.value.errno, raised.value.filename) == (errno.ENOSPC, "/dev/full")
    for step in range(50):  # more than the queue holds
        logger.experiment.add_image("curves", noise, step, dataformats="HWC")
    logger.finalize("failed")
    assert not died
    file = logger._files.open(str(tmp_path / "events"))
    file.close()
    assert file._file.closed  # after an error, too


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize("status", ["success", "failed"])
def test_figures_that_are_lost_at_the_end_are_an_error_unless_there_was_one(
    status: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = board._without_prefix
    monkeypatch.setattr(board, "_without_prefix", lambda path: Path("/dev/full") if "events" in path else inside(path))
    logger = TensorBoard(tmp_path)
    logger.log_metrics({"val/cer": 0.5}, 1)  # nothing is written before the file is closed
    assert logger._files.error is None
    if status == "failed":
        logger.finalize(status)
        return
    with pytest.raises(OSError, match="No space left") as raised:
        logger.finalize(status)
    assert raised.value.filename == "/dev/full"
