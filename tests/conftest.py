"""Fixtures that several rooms share: labelled lines that the project renders itself, and a model trained on them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from filelock import FileLock

os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")  # before torch loads
os.environ.setdefault("OMP_NUM_THREADS", "1")  # there is a process on each core, and tests start more of them
hypothesis.settings.register_profile("suite", deadline=None)  # other processes make any example slow now and then
hypothesis.settings.load_profile("suite")
MOST_PROCESSES = 4
"""Each takes most of a gigabyte of memory."""
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SHARED = Path(os.environ.get("CRNN_DATA", Path(__file__).parents[2] / "shared" / "data"))


def shared_data(name: str) -> Path:
    """A folder of real lines, or a skipped test where there is none."""
    if not (SHARED / name).is_dir():
        pytest.skip("skipped: shared data not found")
    return SHARED / name


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """How many processes share the tests: one on each core; none for single files, which start sooner without."""
    if any(not Path(word.partition("::")[0]).is_dir() for word in config.args):
        return 0
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(MOST_PROCESSES, cores)


def made_once(name: str, factory: pytest.TempPathFactory, make: Callable[[Path], None]) -> Path:
    """A folder that the first of all test processes fills; the others wait for it. Nobody may write to it later."""
    base = factory.getbasetemp()
    place = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, made = place / name, place / f"{name}.made"
    with FileLock(place / f"{name}.lock"):
        if not made.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            made.touch()
    return folder


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """The suite's networks are tiny; threads would only wait for each other."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def line_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """train/ (48) and val/ (12) with labels.tsv: clean digits and letters in the bundled fonts."""

    def make(root: Path) -> None:
        from tests_support import write_sides

        from crnn.data.synth.source import synthetic_pair

        pair = synthetic_pair(48, 12, seed=3, characters="0123456789 abc", fonts="bundled", max_length=6, wear=0.0)
        write_sides(root, pair)

    return made_once("lines", tmp_path_factory, make)


@pytest.fixture(scope="session")
def trained(line_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of a short training of crnn_tiny on `line_folder`."""

    def make(runs: Path) -> None:
        from tests_support import settings

        from crnn.training.run import train

        train(
            settings(
                f"data.root={line_folder}",
                f"runs_dir={runs}",
                "name=tiny",
                "model=crnn_tiny",
                "trainer.max_epochs=34",
                "data.batch_size=4",
                "optimizer.lr=0.01",
                "data.workers=0",
                "trainer.accelerator=cpu",
                "trainer.progress=false",
            )
        )

    return made_once("runs", tmp_path_factory, make) / "tiny"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A Chromium without a window; tests are skipped where there is none."""
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="skipped: playwright not found; pip install 'crnn[test-browser]'"
    )
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.skip("skipped: no Chromium found; apt-get install chromium")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=program)
        yield opened
        opened.close()
