"""What `crnn serve` does under load, beside the same recogniser in one process, and beside LitServe.

    python scripts/bench_serve.py LINES --clients 50 --seconds 20 [--against litserve]
    python scripts/bench_serve.py LINES --singles 10000       memory over single calls, one after the other
    python scripts/bench_serve.py LINES --kill                kill -9 under load, and the time until it is ready again

LINES is a folder of labelled lines or any other source; one request holds one picture. The clients run in a process of
their own and count what they see: lines/s, latencies, statuses, halves of answers. Readers take turns (`--rounds`).
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import io
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

START = [sys.executable, "-m", "crnn.cli", "serve", "--port", "0", "--log-format", "json"]


async def one_client(
    port: int, path: str, pictures: Sequence[bytes], first: int, until: float, calls: int | None
) -> tuple[list[float], Counter[str]]:
    """Single pictures over one connection, each sent when the last is answered; seconds of those read, and what came.

    With a number of `calls` it ends when the connection does; else it connects again.
    """
    kind = "image/png" if path == "/recognize" else "application/json"
    seconds: list[float] = []
    seen: Counter[str] = Counter()
    reader = writer = None
    position = first
    while time.perf_counter() < until and (calls is None or seen.total() < calls):
        picture = pictures[position % len(pictures)]
        position += 1
        started = time.perf_counter()
        try:
            if writer is None:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            assert reader is not None
            head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\nContent-Length: {len(picture)}"
            writer.write(f"{head}\r\n\r\n".encode() + picture)
            answer = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", answer.lower())
            body = await reader.readexactly(int(length[1]) if length else 0)
            json.loads(body)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            half = isinstance(error, asyncio.IncompleteReadError) and bool(error.partial)
            seen["half an answer" if half else "connection closed"] += 1
            if writer is not None:
                writer.close()
            reader = writer = None
            if calls is not None:
                break
            await asyncio.sleep(0.05)
            continue
        status = answer.split(b" ", 2)[1].decode()
        seen[status] += 1
        if status == "200":  # what is refused is refused fast
            seconds.append(time.perf_counter() - started)
        if status == "429":
            await asyncio.sleep(0.2)
    if writer is not None:
        writer.close()
    return seconds, seen


async def load(port: int, path: str, pictures: Sequence[bytes], clients: int, seconds: float, calls: int | None) -> Any:
    """All clients together."""
    started = time.perf_counter()
    many = [
        one_client(port, path, pictures, i * len(pictures) // clients, started + seconds, calls) for i in range(clients)
    ]
    done = await asyncio.gather(*many)
    latencies = sorted(second for one, _ in done for second in one)
    seen: Counter[str] = sum((one for _, one in done), Counter())
    return {"latencies": latencies, "seen": dict(seen), "seconds": time.perf_counter() - started}


def run_clients(port: int, path: str, folder: str, clients: int, seconds: float, calls: int | None) -> Any:
    """`load` in a process of its own."""
    words = ["clients", str(port), path, folder, str(clients), str(seconds), str(calls or 0)]
    done = subprocess.run([sys.executable, __file__, *words], stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


class Service:
    """`crnn serve`, or a program that says that it listens in the same words."""

    def __init__(self, words: Sequence[str]) -> None:
        self.process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
        assert self.process.stderr is not None
        for row in self.process.stderr:
            if found := re.search(r"listening on http://[^:]+:(\d+)", row):
                self.port = int(found[1])
                break
        else:
            raise SystemExit(f"the service ended with {self.process.wait()}")
        subprocess.Popen(["cat"], stdin=self.process.stderr, stdout=subprocess.DEVNULL)

    def memory(self) -> float:
        """Resident MB of the process and its children."""
        return sum(_resident(pid) for pid in _family(self.process.pid))

    def stop(self) -> None:
        family = _family(self.process.pid)
        self.process.terminate()
        self.process.wait()
        for pid in family:  # LitServe leaves its workers behind
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _family(pid: int) -> list[int]:
    found = [pid]
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [one for child in children.read_text().split() for one in _family(int(child))]
    return found


def _resident(pid: int) -> float:
    try:
        found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0.0
    return int(found[1]) / 1024 if found else 0.0


def in_process(model: str | None, threads: int, pictures: Sequence[bytes], seconds: float) -> float:
    """Lines/s of `Recognizer.recognize` on the same bytes."""
    code = (
        "import sys, json, time, pathlib, crnn\n"
        "model, threads, folder, seconds = sys.argv[1:]\n"
        "reader = crnn.load(model or None, threads=int(threads))\n"
        "pictures = [p.read_bytes() for p in sorted(pathlib.Path(folder).iterdir())]\n"
        "reader.recognize(pictures[:8]); done = 0; started = time.perf_counter()\n"
        "while time.perf_counter() - started < float(seconds):\n"
        "    reader.recognize(pictures); done += len(pictures)\n"
        "print(done / (time.perf_counter() - started))\n"
    )
    words = [sys.executable, "-c", code, model or "", str(threads), write(pictures), str(seconds)]
    return float(subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True).stdout)


_FOLDERS: dict[int, tempfile.TemporaryDirectory[str]] = {}


def write(pictures: Sequence[bytes]) -> str:
    """A folder of these pictures, written once."""
    if id(pictures) not in _FOLDERS:
        folder = _FOLDERS[id(pictures)] = tempfile.TemporaryDirectory()
        for number, data in enumerate(pictures):
            (Path(folder.name) / f"{number:06d}").write_bytes(data)
    return _FOLDERS[id(pictures)].name


def percentile(values: Sequence[float], share: float) -> float:
    return values[min(len(values) - 1, int(share * len(values)))] if values else float("nan")


def described(name: str, done: Any, before: float, after: float) -> str:
    """One row."""
    answered = done["seen"].get("200", 0)
    p50, p95, p99 = (percentile(done["latencies"], share) * 1000 for share in (0.5, 0.95, 0.99))
    return (
        f"{name}: {answered / done['seconds']:.1f} lines/s, p50 {p50:.0f} ms, p95 {p95:.0f} ms, p99 {p99:.0f} ms, "
        f"{done['seen']}, {before:.0f} -> {after:.0f} MB"
    )


def speed(args: argparse.Namespace, pictures: Sequence[bytes]) -> None:
    """Service and plain recogniser in turns."""
    own = [*START, *([args.model] if args.model else []), "--threads", str(args.threads)]
    services: dict[str, list[str]] = {"crnn serve": own}
    if args.against == "litserve":
        program = str(Path(__file__).parent / "bench" / "litserve_reader.py")
        services["litserve"] = [sys.executable, program, args.model or "", str(args.threads)]
    rates: dict[str, list[float]] = {}
    for _ in range(args.rounds):
        rates.setdefault("in process", []).append(in_process(args.model, args.threads, pictures, args.seconds))
        print(f"in process: {rates['in process'][-1]:.1f} lines/s")
        for name, words in services.items():
            service = Service(words)
            path = "/recognize" if name == "crnn serve" else "/predict"
            folder = write(pictures) if name == "crnn serve" else write_json(pictures)
            wait_until_answered(service.port, path, folder)
            before = service.memory()
            done = run_clients(service.port, path, folder, args.clients, args.seconds, None)
            print(described(name, done, before, service.memory()), flush=True)
            rates.setdefault(name, []).append(done["seen"].get("200", 0) / done["seconds"])
            service.stop()
    base = statistics.median(rates["in process"])
    for name, values in rates.items():
        print(f"{name}: median {statistics.median(values):.1f} lines/s, {statistics.median(values) / base:.0%}")


def write_json(pictures: Sequence[bytes]) -> str:
    """Bodies for LitServe, which takes JSON."""
    global _JSON
    if _JSON is None:
        _JSON = [json.dumps({"image": base64.b64encode(data).decode()}).encode() for data in pictures]
    return write(_JSON)


_JSON: list[bytes] | None = None


def wait_until_answered(port: int, path: str, folder: str) -> None:
    for _ in range(600):
        if run_clients(port, path, folder, 1, 60, 1)["seen"].get("200"):
            return
        time.sleep(0.2)
    raise SystemExit("the service does not answer")


def singles(args: argparse.Namespace, pictures: Sequence[bytes]) -> None:
    """Memory over single calls."""
    service = Service([*START, *([args.model] if args.model else []), "--threads", str(args.threads)])
    turns = 10
    for turn in range(turns + 1):
        print(f"{turn * args.singles // turns:,} calls: {service.memory():.1f} MB", flush=True)
        if turn < turns:
            seen = run_clients(service.port, "/recognize", write(pictures), 1, 1e9, args.singles // turns)["seen"]
            if set(seen) != {"200"}:
                raise SystemExit(f"the service does not answer as it should: {seen}")
    service.stop()


def kill(args: argparse.Namespace, pictures: Sequence[bytes]) -> None:
    """kill -9 under load, then start it again on the same port."""
    words = [*START, *([args.model] if args.model else []), "--threads", str(args.threads)]
    service = Service(words)
    clients = subprocess.Popen(
        [sys.executable, __file__, "clients", str(service.port), "/recognize", write(pictures), str(args.clients),
         str(args.seconds), "0"],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    time.sleep(args.seconds / 2)
    service.process.kill()
    service.process.wait()
    started = time.perf_counter()
    words[words.index("--port") + 1] = str(service.port)
    again = Service(words)
    back = asyncio.run(ready(again.port, started))
    seen = json.loads(clients.communicate()[0])["seen"]
    print(f"ready again after {back:.2f} s; the clients saw {seen}")
    again.stop()


async def ready(port: int, started: float) -> float:
    """Seconds until /readyz says 200."""
    while True:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")
            if b" 200 " in await reader.readline():
                writer.close()
                return time.perf_counter() - started
        except OSError:
            await asyncio.sleep(0.01)


def read_lines(data: str, count: int) -> list[bytes]:
    """Contents of pictures, spread over all lines."""
    from crnn.data.sources import open_source

    source = open_source(data)
    pictures = []
    for i in range(min(count, len(source))):
        picture, stream = source.picture(i * len(source) // min(count, len(source))), io.BytesIO()
        picture.save(stream, "png")
        pictures.append(stream.getvalue())
    return pictures


def main() -> None:
    if sys.argv[1:2] == ["clients"]:
        port, path, folder, clients, seconds, calls = sys.argv[2:]
        pictures = [file.read_bytes() for file in sorted(Path(folder).iterdir())]
        done = asyncio.run(load(int(port), path, pictures, int(clients), float(seconds), int(calls) or None))
        print(json.dumps(done))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="labelled lines")
    parser.add_argument("--model", help="a model file (the bundled one)")
    parser.add_argument("--lines", type=int, default=200, help="so many of them, spread over all (200)")
    parser.add_argument("--clients", type=int, default=50, help="at the same time (50)")
    parser.add_argument("--seconds", type=float, default=20, help="of each turn (20)")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each (3)")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="of the network (one per core)")
    parser.add_argument("--against", choices=["litserve"], help="the same recogniser behind LitServe, too")
    parser.add_argument("--singles", type=int, help="only: so many calls one after the other, and the memory")
    parser.add_argument("--kill", action="store_true", help="only: kill -9 under load")
    args = parser.parse_args()
    if args.singles is not None and args.singles < 10:
        parser.error(f"--singles {args.singles}: at least 10 are needed, for the memory after each tenth of them")
    pictures = read_lines(args.data, args.lines)
    if args.singles:
        singles(args, pictures)
    elif args.kill:
        kill(args, pictures)
    else:
        speed(args, pictures)


if __name__ == "__main__":
    main()
