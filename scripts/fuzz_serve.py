"""Mutated pictures and requests against `crnn serve`, in this process: no 500, no crash, no growth.

    python scripts/fuzz_serve.py --runs 20000

Statuses are counted; memory is measured after the first tenth and at the end, and the widest line that is read comes
before both. A status of 500 or above other than 503 and 504, an answer that is not the JSON that was promised, or
growth of more than `--growth` MB exits with 1; a failing request is printed with its seed. The OpenAPI itself is put to
the test by schemathesis:

    crnn serve --port 8000 &
    schemathesis run http://127.0.0.1:8000/openapi.json --exclude-checks positive_data_acceptance --max-examples 200

(The check that is left out wants a 200 for random bytes, which are no picture and get a 422.)
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import gc
import io
import json
import random
import re
import sys
import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
from PIL import Image

from crnn.core.transform import LineTransform
from crnn.serve.app import make_app
from crnn.serve.keys import Keys
from crnn.serve.logs import Log
from crnn.serve.metrics import Metrics
from crnn.serve.service import MAX_LINE_PIXELS, Service
from crnn.serve.settings import Limits
from crnn.serve.shelf import Shelf, Spec

FORMATS = ("PNG", "JPEG", "TIFF", "GIF", "WEBP", "BMP", "PPM", "JPEG2000")
MODES = ("L", "RGB", "RGBA", "P", "1", "I;16", "LA", "CMYK")
SAMPLES = Path(__file__).parents[1] / "data" / "sample" / "val" / "images"


def seeds() -> list[bytes]:
    """Pictures in every format, mode and compression that Pillow writes."""
    made = []
    for path in sorted(SAMPLES.iterdir())[:3]:
        with Image.open(path) as opened:
            grey = opened.convert("L").resize((96, 24))
        for mode in MODES:
            picture = Image.fromarray(_deep(grey)) if mode == "I;16" else grey.convert(mode)
            for kind in FORMATS:
                for options in (
                    ({"compression": "tiff_lzw"}, {"compression": "group4"}, {}) if kind == "TIFF" else ({},)
                ):
                    stream = io.BytesIO()
                    try:
                        picture.save(stream, kind, **options)
                    except (OSError, ValueError, RuntimeError, KeyError):
                        continue
                    made.append(stream.getvalue())
    return made


def a_widest_line(transform: LineTransform) -> bytes:
    """A picture that takes as much memory as any: onnxruntime keeps what one line needed, and that is no growth."""
    stream = io.BytesIO()
    Image.new("L", (min(transform.max_width, MAX_LINE_PIXELS), transform.height), 255).save(stream, "PNG")
    return stream.getvalue()


def _deep(grey: Image.Image) -> Any:
    import numpy as np

    return np.asarray(grey).astype(np.uint16) * 257


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Bits flipped, bytes set to extremes, cut, doubled, or spliced into itself."""
    changed = bytearray(data)
    for _ in range(rng.choice((0, 1, 1, 2, 8, 64))):
        if not changed:
            break
        at = rng.randrange(min(len(changed), rng.choice((32, 128, len(changed)))))
        match rng.randrange(6):
            case 0:
                changed[at] ^= 1 << rng.randrange(8)
            case 1:
                changed[at] = rng.choice((0, 1, 127, 128, 255))
            case 2:
                changed[at : at + 4] = rng.choice((b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0"))
            case 3:
                del changed[at:]
            case 4:
                length = rng.randrange(64)
                changed[at:at] = changed[:length] if rng.random() < 0.5 else rng.randbytes(length)
            case 5:
                del changed[at : at + rng.randrange(16)]
    return bytes(changed)


def a_request(pictures: Sequence[bytes], rng: random.Random) -> tuple[str, str, bytes, dict[str, str]]:
    """(method, path with options, body, headers) of a request that is mostly right."""
    chosen = [mutated(rng.choice(pictures), rng) for _ in range(rng.choice((1, 1, 1, 2, 5, 9)))]
    kind = rng.randrange(4)
    if kind == 0:
        body, content_type = chosen[0], rng.choice(("image/png", "image/x", "application/octet-stream", "IMAGE/TIFF"))
    elif kind == 1:
        value: dict[str, Any] = {"images": [base64.b64encode(data).decode() for data in chosen]}
        odd: list[tuple[str, Any]] = [
            ("nbest", 3), ("nbest", -1), ("nbest", 1e99), ("nbest", "\ud800"), ("spans", 0), ("model", []),
            ("model", "latin"), ("images", {}), ("images", [None]), ("images", ["="]), ("\0", "x"),
        ]  # fmt: skip
        if rng.random() < 0.3:
            value.update([rng.choice(odd)])
        body, content_type = json.dumps(value).encode(), "application/json"
        if rng.random() < 0.2:
            body = mutated(body, rng)
    else:
        boundary = rng.choice((b"b", b"x" * 70, b"a'b"))
        name = rng.choice((b"images",) * 8 + (b"image", b"", b'"', b"\xff"))
        parts = (
            b'--%s\r\nContent-Disposition: form-data; name="%s"; filename="a"\r\n\r\n%s\r\n' % (boundary, name, data)
            for data in chosen
        )
        body = b"".join(parts) + b"--" + boundary + b"--\r\n"
        if rng.random() < 0.3:
            body = mutated(body, rng)
        content_type = "multipart/form-data; boundary=" + rng.choice((boundary.decode(),) * 8 + ("", '"', "b; b=c"))
    if rng.random() < 0.05:
        content_type = rng.choice(("", ";", "application/json; charset=x", "text/html", "multipart/form-data", "é"))
    options = rng.choice(
        ("",) * 6
        + ("?nbest=2", "?spans=false", "?nbest=1000", "?nbest=%00", "?model=latin", "?model=%ff", "?x=1", "?&&=")
    )
    path = rng.choice(("/recognize",) * 30 + ("/models", "/metrics", "/x%00", "/recognize/", "//", "/openapi.json"))
    method = rng.choice(("POST",) * 30 + ("GET", "PUT", "DELETE", "OPTIONS", "HEAD", "TRACE"))
    return method, path + options, body, {"content-type": content_type}


def problem(answer: httpx.Response, method: str, path: str) -> str:
    """What is wrong with an answer; empty if nothing is."""
    if answer.status_code >= 500 and answer.status_code not in (503, 504):
        return f"status {answer.status_code}"
    if not path.startswith("/recognize") or method != "POST":
        return ""
    if answer.status_code in (200, 422):
        results = answer.json()["results"]
        whole = all(set(one) == {"error"} or 0 <= one["confidence"] <= 1 for one in results)
        return "" if results and whole else "not the promised results"
    return "" if set(answer.json()["error"]) == {"code", "message"} else "not the promised error"


def memory() -> float:
    """Resident MB."""
    gc.collect()
    found = re.search(r"VmRSS:\s+(\d+)", Path("/proc/self/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


async def fuzz(runs: int, seed: int, at_once: int = 8) -> tuple[Counter[int], list[str], float, float]:
    """Statuses, problems, and memory after a tenth and at the end."""
    metrics, log = Metrics(), Log("json", io.StringIO())
    shelf = Shelf([Spec("latin", "bundled")], metrics.on_batch, threads=1)
    service = Service(shelf, Limits(pixels=2_000_000), metrics)
    app: Any = make_app(service, Keys([]), log)
    pictures = seeds()
    widest_line = a_widest_line(shelf.slots[0].loaded.recognizer.card.transform)
    statuses: Counter[int] = Counter()
    problems: list[str] = []
    before = memory()

    async def one(client: httpx.AsyncClient, number: int) -> None:
        method, path, body, headers = a_request(pictures, random.Random(f"{seed} {number}"))
        raw = {name: value.encode("latin-1") for name, value in headers.items()}
        try:
            answer = await client.request(method, path, content=body, headers=raw)
            statuses[answer.status_code] += 1
            wrong = problem(answer, method, path)
        except Exception as error:  # whatever it is, it came out of the service
            wrong = f"{type(error).__name__}: {error}"
        if wrong:
            problems.append(f"seed {seed}, request {number}, {method} {path}: {wrong}")

    transport = httpx.ASGITransport(app)
    client = httpx.AsyncClient(transport=transport, base_url="http://service")  # without a network, nothing times out
    async with client:
        widest = await client.post("/recognize", content=widest_line, headers={"content-type": "image/png"})
        if widest.status_code != 200:
            problems.append(f"the widest line: status {widest.status_code}")
        for start in range(0, runs, at_once):
            await asyncio.gather(*(one(client, number) for number in range(start, min(runs, start + at_once))))
            if start <= runs // 10 < start + at_once:
                before = memory()
            log._stream.seek(0)  # the log of a service goes elsewhere
            log._stream.truncate()
    held = (service.budget.held, service.in_flight, shelf.slots[0].held)
    if any(held):
        problems.append(f"bytes, requests, pictures are still held: {held}")
    service.close()
    return statuses, problems, before, memory()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=20_000, help="requests (20000)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--growth", type=float, default=64, help="MB that memory may grow (64)")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    statuses, problems, before, after = asyncio.run(fuzz(args.runs, args.seed))
    print(f"{sum(statuses.values()):,} answers: {dict(sorted(statuses.items()))}")
    print(f"memory: {before:.0f} MB after a tenth, {after:.0f} MB at the end")
    for row in problems[:20]:
        print(row, file=sys.stderr)
    return int(bool(problems) or after - before > args.growth)


if __name__ == "__main__":
    sys.exit(main())
