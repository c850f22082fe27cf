"""``benchmark.py recognize``: readers on the same lines, in turns, each in a process of its own."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from crnn.core.metrics import EditCounts
from crnn.data.sources import open_source
from crnn.errors import ConfigError

from .machine import peak_memory
from .readers import PEERS, PLAIN, make_reader
from .tables import Figures, spread


class Reader:
    """A process that reads when it is told to.

    Args:
        name: of a peer, or a model file.
        batch, threads: of the reader.
        data: labelled lines; `lines` of them are read, spread over all.
    """

    def __init__(self, name: str, batch: int, threads: int, data: str, lines: int) -> None:
        self.name, self.batch = name, batch
        quiet = {"OMP_NUM_THREADS": str(threads), "OMP_THREAD_LIMIT": str(threads), "MKL_NUM_THREADS": str(threads)}
        script = str(Path(__file__).parents[1] / "benchmark.py")
        self._process = subprocess.Popen(
            [sys.executable, script, "worker", name, str(batch), str(threads), data, str(lines)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **quiet},
            text=True,
        )
        self.problem = self._answer().get("error")

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        for row in self._process.stdout:
            if row.startswith('{"bench"'):
                return json.loads(row)
        return {"error": f"{self.name}: its process has ended with {self._process.wait()}"}

    def ask(self, what: str) -> dict[str, Any]:
        """``all``: all lines at once; ``each``: one by one."""
        assert self._process.stdin is not None
        self._process.stdin.write(what + "\n")
        self._process.stdin.flush()
        return self._answer()

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def work(name: str, batch: int, threads: int, data: str, lines: int) -> None:
    """The process of a `Reader`: commands on standard input, answers on standard output."""

    def say(**values: object) -> None:
        print(json.dumps({"bench": 1, **values}), flush=True)

    try:
        source = open_source(data)
        pictures = [source.picture(i * len(source) // lines) for i in range(min(lines, len(source)))]
        before = peak_memory()
        read = make_reader(name, batch, threads)
        read(pictures[:10])
    except ConfigError as error:
        say(error=str(error))
        return
    say(ready=True)
    for command in sys.stdin:
        each = []
        cpu, wall = time.process_time(), time.perf_counter()
        if command.strip() == "each":
            texts = []
            for picture in pictures:
                started = time.process_time()
                texts += read([picture])
                each.append(time.process_time() - started)
        else:
            texts = read(pictures)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        say(cpu=cpu, wall=wall, each=each, texts=texts, memory=peak_memory(), before=before)


def compare(
    models: Sequence[str],
    against: Sequence[str],
    data: str,
    lines: int,
    batches: Sequence[int],
    threads: int,
    rounds: int,
) -> Figures:
    """Lines per CPU-second, milliseconds at batch 1, memory and CER of every reader on the same lines."""
    source = open_source(data)
    count = min(lines, len(source))
    truth = [source.entry(i * len(source) // lines).text for i in range(count)]
    unknown = [name for name in against if name not in PEERS]
    if unknown:
        raise ConfigError(f"--against {unknown[0]}: is unknown; there are {', '.join(PEERS)}")
    readers = [Reader(model, batch, threads, data, lines) for model in models for batch in batches]
    readers += [Reader(name, 1, threads, data, lines) for name in (PLAIN, *against)]
    problems = [reader.problem for reader in readers if reader.problem]
    readers = [reader for reader in readers if not reader.problem]
    answers: dict[int, list[dict[str, Any]]] = {}
    for _ in range(rounds):
        for number, reader in enumerate(readers):
            if not reader.problem:
                answer = reader.ask("each" if reader.batch == 1 else "all")
                reader.problem = answer.get("error")
                answers.setdefault(number, []).append(answer)
    for reader in readers:
        reader.close()
    problems += [reader.problem for reader in readers if reader.problem]
    answers = dict(enumerate(answers[number] for number, reader in enumerate(readers) if not reader.problem))
    readers = [reader for reader in readers if not reader.problem]
    table = Figures(
        f"Reading {count} lines of {data}, threads {threads}, {rounds} rounds in turns",
        ["", "batch", "lines/CPU-s", "lines/s", "CPU ms p50", "p95", "peak MB", "model MB", "CER", "CER *", "exact *"],
        notes=["* ignoring case; the plain loop is the classic CRNN, eager float32, 100 x 32, not trained", *problems],
    )
    speeds = {}
    for number, reader in enumerate(readers):
        rows = answers[number]
        speeds[number] = [count / row["cpu"] for row in rows]
        each = np.array([row["each"] for row in rows]) * 1e3 if reader.batch == 1 else None
        raw, folded = EditCounts(), EditCounts()
        for reading, text in zip(rows[0]["texts"], truth, strict=True):
            raw += EditCounts.of(reading, text)
            folded += EditCounts.of(reading.lower(), text.lower())
        table.add(
            _short(reader.name),
            reader.batch,
            statistics.median(speeds[number]),
            statistics.median(count / row["wall"] for row in rows),
            None if each is None else float(np.percentile(each, 50)),
            None if each is None else float(np.percentile(each, 95)),
            rows[-1]["memory"],
            None if reader.name in PEERS else Path(reader.name).stat().st_size / 1e6,
            *(
                [f"{raw.cer:.2%}", f"{folded.cer:.2%}", f"{folded.exact_rate:.1%}"]
                if reader.name != PLAIN
                else [None] * 3
            ),
        )
    for number, reader in enumerate(readers):
        if reader.name in PEERS:
            for other, mine in enumerate(readers):
                if mine.name not in PEERS:
                    times = [a / b for a, b in zip(speeds[other], speeds[number], strict=True)]
                    table.notes.append(
                        f"{_short(mine.name)} at batch {mine.batch}: {spread(times, 1)} times {reader.name}'s speed"
                    )
    return table


def _short(name: str) -> str:
    return name if name in PEERS else "/".join(Path(name).parts[-2:])


def scaling(model: str, threads: int, rounds: int) -> Figures:
    """Cost against width and batch size, on noise; a straight line is the same cost per megapixel."""
    import torch

    from crnn.core.onnx_backend import OnnxBackend
    from crnn.model.config import NetworkConfig
    from crnn.model.crnn import CRNN

    from .networks import forward_flops
    from .peaks import onnx_peak

    backend = OnnxBackend(Path(model), threads)
    height = backend.card.transform.height
    network = CRNN(NetworkConfig.from_dict(backend.card.network), backend.card.charset.classes, height).eval()
    peak = onnx_peak(threads)
    table = Figures(
        f"Cost of the network alone, {_short(model)}, threads {threads}",
        ["batch", "width", "ms", "ms per line", "ms per Mpixel", "GFLOP/s", "of peak"],
        notes=[f"peak of this run: {peak:.0f} GFLOP/s, onnxruntime's convolution of 128 channels in float32"],
    )
    cases = [(1, width) for width in (64, 128, 256, 512, 1024, 2048, 4096)]
    cases += [(batch, 256) for batch in (2, 4, 8, 16, 32, 64)]
    rng = np.random.default_rng(0)
    for batch, width in cases:
        images = rng.standard_normal((batch, 1, height, width), dtype=np.float32)
        widths = np.full(batch, width, np.int64)
        backend.run(images, widths)
        seconds = []
        for _ in range(rounds):
            started = time.perf_counter()
            backend.run(images, widths)
            seconds.append(time.perf_counter() - started)
        middle = statistics.median(seconds)
        pixels = batch * height * width / 1e6
        speed = forward_flops(network, torch.from_numpy(images), torch.from_numpy(widths)) / middle / 1e9
        milliseconds = middle * 1e3
        table.add(batch, width, milliseconds, milliseconds / batch, milliseconds / pixels, speed, f"{speed / peak:.0%}")
    return table


def stream(model: str, data: str, lines: int, threads: int) -> Figures:
    """`crnn recognize` of many picture files: is its memory flat, and how fast is it with files and output?"""
    source = open_source(data)
    table = Figures(
        f"crnn recognize of {lines:,} picture files, threads {threads}", ["lines read", "resident MB", "lines/s so far"]
    )
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for number in range(min(500, len(source))):
            file = Path(folder, f"{number}.png")  # whatever it is: pictures are recognised by content
            content = source.content(number)
            file.write_bytes(content.read_bytes() if isinstance(content, Path) else content)
            files.append(str(file))
        names = Path(folder, "list.txt")
        names.write_text("".join(files[i % len(files)] + "\n" for i in range(lines)))
        started = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "crnn.cli", "recognize", model, "--list", str(names), "--threads", str(threads)],
            stdout=subprocess.PIPE,
        )
        assert process.stdout is not None
        done = 0
        step = max(1, lines // 10)
        for _ in process.stdout:
            done += 1
            if done % step == 0:
                table.add(done, _resident(process.pid), done / (time.perf_counter() - started))
        if process.wait() or done != lines:
            raise ConfigError(f"crnn recognize read {done} of {lines} pictures and ended with {process.returncode}")
    return table


def _resident(pid: int) -> float | None:
    """Resident memory of a running process in MB, where the system tells."""
    status = Path(f"/proc/{pid}/status")
    try:
        rows = dict(row.split(":", 1) for row in status.read_text().splitlines())
        return int(rows["VmHWM"].split()[0]) / 1e3
    except (OSError, KeyError):
        return None
