"""How processes of a training start, meet and end, with stand-ins for all of them."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests_support import settings
from torch.distributed import HashStore

from crnn.errors import ConfigError
from crnn.training import launch, main, processes, run
from crnn.training.config import TrainerConfig
from crnn.training.processes import LostProcess, Peers, SaidElsewhere
from crnn.training.run import train
from crnn.training.run_folder import RunFolder
from crnn.training.trainer import make_trainer

TWO = TrainerConfig(accelerator="cpu", devices=2)
TINY = ("model=crnn_tiny", "data.batch_size=8", "data.workers=0", "trainer.accelerator=cpu", "trainer.threads=1")


class StandIn:
    """A process that never ends by itself."""

    made: list[StandIn] = []  # noqa: RUF012
    clock = 0.0

    def __init__(self, command: list[str], env: dict[str, str]) -> None:
        self.env, self.killed, self.waited = env, False, list[float]()
        self.made.append(self)

    def wait(self, seconds: float) -> None:
        self.waited.append(seconds)
        StandIn.clock += seconds
        raise subprocess.TimeoutExpired("", seconds)

    def poll(self) -> None:
        return None

    def kill(self) -> None:
        self.killed = True


@pytest.fixture(autouse=True)
def stand_ins(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[StandIn]]:
    """Those that were started; no launcher, a common store, and a clock that only they move."""
    for name in list(os.environ):
        if name.startswith(("SLURM_", "MASTER_")) or name in ("LOCAL_RANK", "NODE_RANK", "WORLD_SIZE"):
            monkeypatch.delenv(name)
    monkeypatch.setattr(launch, "_store", lambda peers, nodes: HashStore())
    monkeypatch.setattr(launch, "subprocess", SimpleNamespace(Popen=StandIn, TimeoutExpired=subprocess.TimeoutExpired))
    monkeypatch.setattr(launch, "time", SimpleNamespace(monotonic=lambda: StandIn.clock))
    yield StandIn.made
    StandIn.made.clear()


def slurm(monkeypatch: pytest.MonkeyPatch, **more: str) -> None:
    for name, value in ({"JOB_ID": "12", "JOB_NAME": "lines", "PROCID": "0", "NNODES": "1"} | more).items():
        monkeypatch.setenv(f"SLURM_{name}", value)


def watching() -> bool:
    return any(thread.name == "watch" for thread in threading.enumerate())


def test_processes_of_our_own_are_no_tasks_of_slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With one task of two GPUs Lightning would take each process for the first one."""
    slurm(monkeypatch, NTASKS="1", NTASKS_PER_NODE="1", LOCALID="0", NODEID="0")
    config = settings(*TINY, "trainer.devices=2")
    with launch.start(config.trainer):
        loaders: Any = SimpleNamespace(datasets={"val": [0]}, efforts=lambda: [1.0])
        data: Any = SimpleNamespace(paths={"train": None})
        trainer, _ = make_trainer(config, RunFolder(tmp_path), loaders, data)
        assert isinstance(trainer.strategy.cluster_environment, launch.LightningEnvironment)  # type: ignore[attr-defined]
        assert trainer.world_size == 2


def test_tasks_that_srun_did_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    slurm(monkeypatch, NTASKS="4")
    with pytest.raises(ConfigError, match=r"SLURM has 4 tasks .* start it with srun: srun "):
        launch.follow_launcher(TrainerConfig(accelerator="cpu"))
    slurm(monkeypatch, NTASKS="4", STEP_NUM_TASKS="4")
    assert launch.follow_launcher(TrainerConfig(accelerator="cpu")) == (4, 1)


def test_the_others_end_at_one_deadline(monkeypatch: pytest.MonkeyPatch, stand_ins: list[StandIn]) -> None:
    """And what is exported of other trainings is neither used nor lost."""
    monkeypatch.setenv("MASTER_PORT", "1")
    monkeypatch.setenv("NODE_RANK", "7")
    before = dict(os.environ)
    with launch.start(TrainerConfig(accelerator="cpu", devices=4)) as peers:
        assert (peers.rank, peers.world) == (0, 4)
        assert os.environ["MASTER_PORT"] != "1"
        assert watching()
    assert not watching()
    assert dict(os.environ) == before
    assert [one.env["LOCAL_RANK"] for one in stand_ins] == ["1", "2", "3"]
    assert [one.waited for one in stand_ins] == [[launch.GRACE], [0], [0]]
    assert all(one.killed for one in stand_ins)


def test_an_interrupt_leaves_no_process(monkeypatch: pytest.MonkeyPatch, stand_ins: list[StandIn]) -> None:
    def interrupt(self: StandIn, seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(StandIn, "wait", interrupt)
    before = dict(os.environ)
    with pytest.raises(KeyboardInterrupt), launch.start(TrainerConfig(accelerator="cpu", devices=3)):
        pass
    assert [one.killed for one in stand_ins] == [True, True]
    assert dict(os.environ) == before


def test_without_a_meeting_place_the_others_end_at_once(
    monkeypatch: pytest.MonkeyPatch, stand_ins: list[StandIn]
) -> None:
    def taken(peers: Peers, nodes: int) -> None:
        raise LostProcess("port 1 is taken")

    monkeypatch.setattr(launch, "_store", taken)
    before = dict(os.environ)
    with pytest.raises(LostProcess), launch.start(TWO):
        pass
    assert [(one.waited, one.killed) for one in stand_ins] == [([0], True)]
    assert dict(os.environ) == before


def test_one_process_a_machine_watches_nobody(monkeypatch: pytest.MonkeyPatch, stand_ins: list[StandIn]) -> None:
    monkeypatch.setenv("MASTER_PORT", "1")
    before = dict(os.environ)
    with launch.start(TrainerConfig(accelerator="cpu", devices=1, num_nodes=2)):
        assert os.environ["MASTER_PORT"] == "1"  # all machines have to have the same
        assert not watching()
    assert not stand_ins
    assert dict(os.environ) == before


def test_the_first_process_is_watched_before_they_meet(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be gone before this one has loaded torch."""
    over, codes = threading.Event(), []

    def meet(peers: Peers, nodes: int) -> HashStore:
        assert over.wait(30)
        return HashStore()

    monkeypatch.setattr(launch, "_store", meet)
    monkeypatch.setattr(processes, "_POLL", 0.01)
    monkeypatch.setattr(processes, "GRACE", 0.0)
    monkeypatch.setattr(
        processes, "os", SimpleNamespace(getppid=os.getppid, _exit=lambda c: (codes.append(c), over.set()))
    )
    for name, value in {launch.STARTED: "-5", "LOCAL_RANK": "1", "NODE_RANK": "0"}.items():
        monkeypatch.setenv(name, value)
    with launch.start(TWO) as peers:
        assert peers.rank == 1
    assert set(codes) == {1}


def test_where_they_meet(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that is taken is named; two trainings that meet at one port do not see each other."""
    monkeypatch.undo()
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    with socket.create_server(("", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setenv("MASTER_PORT", str(port))
        with pytest.raises(LostProcess, match=f"port {port} is taken, .* set MASTER_PORT"):
            launch._store(Peers(0, 2, wait=5), 1)
    monkeypatch.setenv("MASTER_PORT", launch._free_port())
    stores = []
    for started in ("1", "2"):
        monkeypatch.setenv(launch.STARTED, started)
        stores.append(launch._store(Peers(0, 2, wait=5), 1))
    stores[0].set("failed", "x")
    assert stores[0].check(["failed"])
    assert not stores[1].check(["failed"])


def test_one_process_needs_no_store() -> None:
    """There are builds of torch without them."""
    assert not {"Store", "TCPStore", "PrefixStore"} & (vars(launch).keys() | vars(processes).keys())


@pytest.mark.parametrize("first", [True, False])
def test_any_error_is_told_to_the_others(first: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    store = HashStore()
    other, mine, third = (Peers(rank, 3, store=store, wait=5) for rank in range(3))
    if not first:  # then it is said already
        third.fail("ValueError: wrong shape")
    monkeypatch.setattr(launch, "start", lambda _: nullcontext(mine))

    def fails(*_: object) -> None:
        raise ValueError("wrong shape\nand more")

    monkeypatch.setattr(run, "train", fails)
    with pytest.raises(ValueError if first else SystemExit):
        main._together(settings(*TINY), "")
    assert other._failure() == f"{1 if first else 2}\nValueError: wrong shape"
    with pytest.raises(SaidElsewhere):
        other.exchange(b"")


def test_the_first_process_leaves_last() -> None:
    """The store may live in it."""

    class Store:
        gone = 0

        def add(self, key: str, number: int) -> int:
            self.gone += 1
            return self.gone

    store: Any = Store()
    Peers(0, 3, store=store).left()
    assert store.gone == 3


def test_resuming_with_other_processes_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    (tmp_path / "env.json").write_text(json.dumps({"processes": 2}))
    config = settings(*TINY, "data.root=nowhere")
    config.resume = str(tmp_path)
    with pytest.raises(ConfigError, match="the run began with 2 processes, and now there is 1"):
        train(config)


def test_after_the_last_step_nobody_is_waited_for(
    line_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a trainer that cannot be made leaves no folder."""
    words = (*TINY, f"data.root={line_folder}", f"runs_dir={tmp_path}", "name=x", "trainer.max_epochs=1")
    made = run.make_trainer

    def refuse(*_: object) -> None:
        raise ConfigError("trainer: no such accelerator")

    monkeypatch.setattr(run, "make_trainer", refuse)
    with pytest.raises(ConfigError, match="no such accelerator"):
        train(settings(*words))
    assert not (tmp_path / "x").exists()
    monkeypatch.setattr(run, "make_trainer", made)
    peers, over = Peers(), []
    monkeypatch.setattr(run, "finish", lambda *_: over.append(peers.over.is_set()))
    train(settings(*words), peers=peers)
    assert over == [True]


def test_how_to_go_on() -> None:
    folder = RunFolder(Path("runs/x"))
    assert folder.again(1) == "crnn train resume=runs/x"
    assert folder.again(2) == "resume=runs/x, started as before in 2 processes"
    assert folder.again(1, "a=1") == "crnn train resume=runs/x a=1"
    assert folder.again(3, "a=1") == "resume=runs/x a=1, started as before in 3 processes"
