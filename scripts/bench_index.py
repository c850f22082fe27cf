"""How long many lines take to index, and how much memory they hold: an LMDB and WebDataset shards of rendered lines.

``python scripts/bench_index.py --lines 1000000`` needs 5 GiB in the temporary folder, and some minutes, most of them in
webdataset's writer.
Each figure is of a process of its own. Memory is what `/proc` calls resident; mapped pages of the index and the
database count while they are in use, and are the system's to take back: "private" leaves them out.
"""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

_RENDERED = 300
_LINES_IN_A_SHARD = 10_000
_LINES_IN_A_TRANSACTION = 10_000


def samples(lines: int) -> Iterator[tuple[str, bytes]]:
    """(text, JPEG) of as many lines; a few hundred small pictures in turn, each text with its number."""
    from crnn.data.synth.source import synthetic_pair

    source = synthetic_pair(lines=_RENDERED, val_lines=1, seed=1, fonts="bundled", max_length=12)[0]
    rendered = []
    for i in range(_RENDERED):
        buffer = io.BytesIO()
        picture = source.picture(i)
        picture.resize((picture.width * 32 // picture.height, 32)).save(buffer, "JPEG", quality=75)
        rendered.append((source.entry(i).text, buffer.getvalue()))
    for i in range(lines):
        text, data = rendered[i % _RENDERED]
        yield f"{text} {i}", data


def write_lmdb(folder: Path, lines: int) -> Path:
    """As deep-text-recognition-benchmark writes it."""
    import lmdb

    base = lmdb.open(str(folder / "lmdb"), map_size=2**40, sync=False)
    transaction = base.begin(write=True)
    for number, (text, picture) in enumerate(samples(lines), start=1):
        transaction.put(b"image-%09d" % number, picture)
        transaction.put(b"label-%09d" % number, text.encode())
        if number % _LINES_IN_A_TRANSACTION == 0:
            transaction.commit()
            transaction = base.begin(write=True)
    transaction.put(b"num-samples", b"%d" % lines)
    transaction.commit()
    base.close()
    return folder / "lmdb"


def write_shards(folder: Path, lines: int) -> Path:
    """As webdataset's own writer does."""
    import webdataset

    (folder / "shards").mkdir()
    pattern = str(folder / "shards" / "lines-%06d.tar")
    with webdataset.ShardWriter(pattern, maxcount=_LINES_IN_A_SHARD, verbose=0) as writer:
        for number, (text, picture) in enumerate(samples(lines)):
            writer.write({"__key__": f"{number:09d}", "jpg": picture, "txt": text})
    return folder / "shards"


def memory() -> dict[str, float]:
    """MiB of this process: resident now, at its peak, and not mapped from files now."""
    status = dict(row.split(":", 1) for row in Path("/proc/self/status").read_text().splitlines())
    names = {"rss": "VmRSS", "peak": "VmHWM", "private": "RssAnon"}
    return {name: int(status[key].split()[0]) / 1024 for name, key in names.items()}


def measure(path: Path, cache: Path, touch: bool) -> None:
    """In a process of its own: open, perhaps look at everything, print what it took as JSON."""
    from crnn.data.sources import open_source

    before = memory()
    start, cpu = time.perf_counter(), time.process_time()
    source = open_source(path, cache=cache)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    steps = {"imported": before, "opened": memory()}
    if touch:
        start = time.perf_counter()
        for i in range(len(source)):
            source.entry(i)
        steps["entries"] = {**memory(), "seconds": time.perf_counter() - start}
        start = time.perf_counter()
        for i in range(0, len(source), 100):
            source.picture(i)
        steps["pictures"] = {**memory(), "seconds": time.perf_counter() - start}
    print(json.dumps({"lines": len(source), "seconds": seconds, "cpu": cpu, "steps": steps}))


def in_a_process(path: Path, cache: Path, touch: bool) -> dict:
    command = [sys.executable, __file__, "--measure", str(path), str(cache), *(["touch"] if touch else [])]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, help="where the temporary folder is made")
    parser.add_argument("--measure", nargs="+", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.measure:
        measure(Path(args.measure[0]), Path(args.measure[1]), len(args.measure) > 2)
        return
    for write in (write_lmdb, write_shards):
        with tempfile.TemporaryDirectory(dir=args.folder) as name:
            folder = Path(name)
            start = time.perf_counter()
            path = write(folder, args.lines)
            size = sum(file.stat().st_size for file in path.iterdir()) / 2**30
            print(f"{path.name}: {args.lines:,} lines, {size:.2f} GiB, written in {time.perf_counter() - start:.0f} s")
            for what, touch in (("first opening", False), ("second opening", True)):
                found = in_a_process(path, folder / "cache", touch)
                print(f"  {what}: {found['seconds']:.2f} s ({found['cpu']:.2f} s CPU)")
                for step, values in found["steps"].items():
                    took = f", {values['seconds']:.1f} s" if "seconds" in values else ""
                    print(
                        f"    {step}: resident {values['rss']:.0f} MiB (private {values['private']:.0f}), "
                        f"peak {values['peak']:.0f}{took}",
                        flush=True,
                    )
            index = sum(file.stat().st_size for file in (folder / "cache").rglob("*") if file.is_file())
            print(f"  index on disk: {index / 2**20:.0f} MiB")


if __name__ == "__main__":
    main()
