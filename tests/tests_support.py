"""Plain functions and sources for tests."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import runpy
import signal
import struct
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from crnn.data.sources.base import LineEntry, LineSource

if TYPE_CHECKING:
    from crnn.training.config import TrainConfig


def peak_memory(action: Callable[[], object], times: int = 3) -> int:
    """The most bytes that Python held at once while it did something; the least of some runs.

    Once in a while the interpreter's table of interned strings, to which every `Path` adds, doubles meanwhile.
    """
    peaks = []
    for _ in range(times):
        tracemalloc.start()
        try:
            action()
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    return min(peaks)


class ListSource:
    """Lines from a list; each picture as wide as its position says, and of its own grey."""

    endless = False

    def __init__(self, entries: list[LineEntry], name: str = "a list") -> None:
        self.name = name
        self.entries = entries
        self.opened: list[int] = []

    def __len__(self) -> int:
        return len(self.entries)

    def entry(self, position: int) -> LineEntry:
        return self.entries[position]

    def size(self, position: int) -> tuple[int, int]:
        return 20 + position % 50, 16

    def picture(self, position: int) -> Image.Image:
        self.opened.append(position)
        rng = np.random.default_rng(position)
        width, height = self.size(position)
        return Image.fromarray(rng.integers(0, 255, (height, width), dtype=np.uint8))

    content = picture


def loose_lines(folder: Path, count: int, loose: int, text: str = "ab") -> Path:
    """`count` lines of strokes, 20 pixels high; around the first `loose` of them there is paper."""
    folder.mkdir(parents=True)
    for i in range(count):
        page = np.full((60 if i < loose else 22, 100), 230, np.uint8)
        top = 20 if i < loose else 1
        page[top : top + 20, 10:90:5] = page[top : top + 20, 11:90:5] = 20
        Image.fromarray(page).save(folder / f"{i:03}.png")
    (folder / "labels.tsv").write_text("".join(f"{i:03}.png\t{text}\n" for i in range(count)))
    return folder


def texts_of(source: LineSource) -> list[str]:
    """All labels."""
    return [source.entry(i).text for i in range(len(source))]


def problems_of(source: LineSource) -> list[str]:
    """What is wrong with each line; empty where nothing is."""
    return [source.entry(i).problem for i in range(len(source))]


def line_of(source: LineSource, position: int) -> tuple[str, tuple[int, int], object]:
    """Label, size in pixels and upper left grey of a line."""
    return source.entry(position).text, source.size(position), source.picture(position).getpixel((0, 0))


def write_sides(root: Path, pair: Sequence[LineSource]) -> None:
    """train/ and val/, each with labels.tsv and its pictures."""
    for name, source in zip(("train", "val"), pair, strict=True):
        (root / name / "images").mkdir(parents=True)
        rows = []
        for i in range(len(source)):
            source.picture(i).save(root / name / "images" / f"{i:03d}.png")
            rows.append(f"images/{i:03d}.png\t{source.entry(i).text}\n")
        (root / name / "labels.tsv").write_text("".join(rows), encoding="utf-8")


def encoded(picture: Image.Image, format: str = "PNG", **options: object) -> bytes:
    """The content of a picture file."""
    buffer = io.BytesIO()
    picture.save(buffer, format, **options)
    return buffer.getvalue()


def settings(*overrides: str) -> TrainConfig:
    """The shipped configuration with these overrides, composed and checked as on the command line."""
    from hydra import compose, initialize_config_dir

    from crnn.training.config import config_folder, register, to_config

    register()
    with initialize_config_dir(config_folder(), version_base="1.3"):
        return to_config(compose("train", list(overrides)))


def script(name: str) -> ModuleType:
    """A program of scripts/, as a module of its own."""
    path = Path(__file__).parents[1] / "scripts" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"script_{name}", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses and pickle look for it
    spec.loader.exec_module(module)
    return module


def here(command: Sequence[str], **_: Any) -> subprocess.CompletedProcess[str]:
    """What ``python SCRIPT WORD...`` does, in this process, where torch is loaded already; errors come out of it."""
    code: object = 0
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        patch.setattr("sys.argv", list(command[1:]))
        try:
            runpy.run_path(command[1], run_name="__main__")
        except SystemExit as end:
            code = end.code or 0
    if not isinstance(code, int):  # what Python does with sys.exit("message")
        err.write(f"{code}\n")
        code = 1
    return subprocess.CompletedProcess(list(command), code, out.getvalue(), err.getvalue())


def protobuf_number(value: int) -> bytes:
    """As protobuf writes it: seven bits a byte, the lowest first."""
    parts = []
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes([*parts, value])


def event_values(folder: Path) -> list[tuple[int, Any]]:
    """(step, value) of TensorBoard's files in a folder: records of a length, its checksum, the event and its checksum."""
    from tensorboardX.proto.event_pb2 import Event

    found = []
    for path in sorted(folder.glob("events*")):
        data, at = path.read_bytes(), 0
        while at < len(data):
            (length,) = struct.unpack_from("<Q", data, at)
            event = Event.FromString(data[at + 12 : at + 12 + length])
            found += [(event.step, value) for value in event.summary.value]
            at += 12 + length + 4
    return found


def heed_signals() -> None:
    """In a child, before its program starts: signals do what they do by themselves, although a suite that runs in the
    background ignores some, and so would its children."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
