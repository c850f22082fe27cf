"""`scripts/recognize_ray.py`: two workers, one of them killed half-way, and every line once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "data" / "sample" / "train" / "images"
DRIVER = """
import os, sys
from pathlib import Path
import recognize_ray

class Dying(recognize_ray.Reader):
    '''Leaves a file for each of its processes; the first that comes to share 3 is killed after five rows.'''

    def __init__(self, *words):
        super().__init__(*words)
        (self.folder.parent / f"process-{os.getpid()}").touch()

    def __call__(self, batch):
        from crnn.reading import shards
        died = self.folder.parent / "died"
        if 3 in batch["number"] and not died.exists():
            real, shards._FLUSH = shards.read_items, 2
            def dying(*words):
                for n, row in enumerate(real(*words)):
                    if n == 5:
                        died.write_text((self.folder / "part-00003-of-00004.jsonl.part").read_text())
                        os.kill(os.getpid(), 9)
                    yield row
            shards.read_items = dying
        return super().__call__(batch)

recognize_ray.Reader = Dying
code = recognize_ray.main()
import ray
ray.shutdown()
sys.stderr.flush()
os._exit(code)
"""


@pytest.mark.slow
def test_every_line_once_although_a_worker_is_killed(tmp_path: Path) -> None:
    pytest.importorskip("ray.data", reason='needs pip install "crnn[ray]"')
    parquet = pytest.importorskip("pyarrow.parquet")
    import pyarrow

    from crnn.cli import main

    pictures = sorted(SAMPLE.iterdir())[:40]
    sets = [tmp_path / "a.parquet", tmp_path / "b.parquet"]
    for path, some in zip(sets, (pictures[:20], pictures[20:]), strict=True):
        table = pyarrow.table({"image": [p.read_bytes() for p in some], "text": ["" for _ in some]})
        parquet.write_table(table, path, row_group_size=6)
    out = tmp_path / "out"
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT / "scripts"), str(ROOT)]),
        "RAY_USAGE_STATS_ENABLED": "0",  # before the test's own cluster starts
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # on the loopback address alone
        "RAY_raylet_start_wait_time_s": "300",  # on a busy machine it takes more than its 30
    }
    words = [*map(str, sets), "--out", str(out), "--workers", "2", "--shards", "4", "--format", "jsonl"]
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, *words],
        env=environment,
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "crnn: 40 rows of 4 parts" in done.stderr
    assert (tmp_path / "died").read_text("utf-8").count("\n") == 4  # of ten: it was half-way
    assert len(list(tmp_path.glob("process-*"))) >= 3  # two, and one in place of the killed one
    assert main(["recognize", *map(str, sets), "--format", "jsonl", "--out", str(tmp_path / "alone")]) == 0
    assert (out / "merged.jsonl").read_bytes() == (tmp_path / "alone").read_bytes()


FAKE = """
import sys, types
ray, data = types.ModuleType("ray"), types.ModuleType("ray.data")
ray.is_initialized = lambda: False
def init(**_):
    raise ConnectionError("no cluster\\nthere")
ray.init, ray.data = init, data
sys.modules.update({"ray": ray, "ray.data": data})
import recognize_ray
sys.exit(recognize_ray.main())
"""
NONE = "import sys; sys.modules['ray'] = None; import recognize_ray; sys.exit(recognize_ray.main())"


@pytest.mark.parametrize(
    ("code", "words", "message"),
    [
        (NONE, [SAMPLE], 'Ray is needed for this and not installed: pip install "crnn[ray]"'),
        (NONE, [SAMPLE, "--workers", "0"], "--workers and --shards are 1 or more"),
        (NONE, [SAMPLE, "--nbest", "2", "--format", "tsv"], "--nbest goes with --format jsonl; tsv has one text per"),
        (NONE, ["-"], "'-' (standard input) cannot be one of them"),
        (FAKE, [SAMPLE, "--ray", "auto"], "Ray: ConnectionError: no cluster; shares that are finished are kept, start"),
    ],
)
def test_one_line_says_what_is_wrong(code: str, words: list[object], message: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, words), "--out", str(tmp_path / "o")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "scripts"), str(ROOT)])},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert done.stderr.startswith("crnn: ")
    assert message in done.stderr
    assert not (tmp_path / "o").exists()
