"""Trainings of several processes: exact figures, uneven lines, and what happens when one of them is gone."""

from __future__ import annotations

import csv
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests_support import ListSource, here, settings, write_sides
from torch.distributed import HashStore

import crnn
from crnn.core.metrics import EditCounts
from crnn.data.batching import WidthBatches
from crnn.data.convert.run import convert
from crnn.data.dataset import LineDataset
from crnn.data.facts import picture_facts
from crnn.data.sources import open_source
from crnn.data.sources.base import LineEntry
from crnn.data.sources.tar_shards import TarShardsReader
from crnn.data.synth.source import synthetic_pair
from crnn.errors import ConfigError
from crnn.training.config import TrainerConfig
from crnn.training.launch import follow_launcher
from crnn.training.processes import LostProcess, Peers, SaidElsewhere, is_lost

SCRIPT = Path(__file__).parents[2] / "scripts" / "train.py"
TINY = ("model=crnn_tiny", "data.batch_size=8", "data.workers=0", "trainer.accelerator=cpu", "trainer.threads=1")
KILLED = """
import os
from crnn.training.main import main
from crnn.training.module import CrnnModule

rank, step = map(int, os.environ["KILLED"].split(","))
original = CrnnModule.training_step

def killed(self, batch, batch_idx):
    if self.global_step == step and self.global_rank == rank:
        os.kill(os.getpid(), 9)
    return original(self, batch, batch_idx)

CrnnModule.training_step = killed
main()
"""
"""A training one of whose processes is killed when `step` steps are done."""


@pytest.fixture(scope="module")
def odd_lines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """43 and 11 lines: no number that 2 divides."""
    root = tmp_path_factory.mktemp("odd")
    write_sides(root, synthetic_pair(43, 11, 3, "0123456789 abc", "bundled", max_length=6, wear=0.0))
    return root


def together(*works: Callable[[], Any]) -> list[Any]:
    """What each gives, or the error it ends with; each in a thread of its own."""
    results: list[Any] = [None] * len(works)

    def run(number: int) -> None:
        try:
            results[number] = works[number]()
        except Exception as error:
            results[number] = error

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


def pair(wait: float = 20.0) -> list[Peers]:
    store = HashStore()
    return [Peers(rank, 2, rank, 2, store, wait) for rank in range(2)]


def test_peers_exchange_in_turns() -> None:
    first, second = pair()
    said = together(
        lambda: [first.exchange(b"a"), first.exchange(b"c"), first.from_first(lambda: "run")],
        lambda: [second.exchange(b"b"), second.exchange(b"d"), second.from_first(lambda: "other")],
    )
    assert said == [[[b"a", b"b"], [b"c", b"d"], "run"]] * 2


def test_a_peer_that_fails_ends_the_others() -> None:
    """One says why; another that finds the same keeps quiet, and one that waits just ends."""
    first, second = pair()
    assert first.rank == 0
    said = together(lambda: first.fail("no such folder"), lambda: second.exchange(b""))
    assert said[0] is True
    assert isinstance(said[1], SaidElsewhere)
    first, second = pair()
    assert sorted(together(lambda: first.fail("the same"), lambda: second.fail("the same"))) == [False, True]
    first, second = pair()
    assert together(lambda: first.fail("mine"), lambda: second.fail("yours")) == [True, True]
    first, second = pair()
    assert "process 2 of 2 ended: the loss is not finite. There is no checkpoint yet" in str(
        together(lambda: second.fail("the loss is not finite") and first.why_lost(RuntimeError("x")))[0]
    )


def test_a_peer_that_gives_nothing_is_lost_in_time() -> None:
    with pytest.raises(LostProcess, match=r"process 2 of 2 gave no sign in 0\.0\d+ minutes \(trainer\.wait_minutes\)"):
        pair(wait=1.0)[0].exchange(b"")


def test_errors_of_gloo_are_told_from_others() -> None:
    assert is_lost(RuntimeError("[/pytorch/third_party/gloo/gloo/transport/tcp/pair.cc:1] Connection closed by peer"))
    assert not is_lost(RuntimeError("shape '[2]' is invalid for input of size 3"))
    assert not is_lost(ValueError("connection"))


def test_peers_share_the_first_look() -> None:
    """Each decodes its own pictures, together all of them, and all get what one alone finds."""
    entries = [LineEntry("a", str(i), str(i)) for i in range(101)]
    sources = [ListSource(entries) for _ in range(2)]
    peers = pair()
    found = together(*(lambda rank=rank: picture_facts(sources[rank], peers=peers[rank]) for rank in range(2)))
    alone = picture_facts(ListSource(entries))
    for facts in found:
        assert np.array_equal(facts.sizes, alone.sizes)
        assert np.array_equal(facts.hashes, alone.hashes)
    opened = [set(source.opened) for source in sources]
    assert not opened[0] & opened[1]
    assert opened[0] | opened[1] == set(range(101))
    assert abs(len(opened[0]) - len(opened[1])) <= 1


def test_ranks_read_disjoint_members_of_tar_shards(
    odd_lines: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shard set is read by offset: in an epoch each rank reads its own members, together each one once."""
    convert(lambda _: open_source(odd_lines / "train"), tmp_path / "shards", "tar", {}, shard_bytes=20_000)
    assert len(list((tmp_path / "shards").glob("*.tar"))) >= 2
    source = open_source(tmp_path / "shards")
    config = settings(*TINY)
    charset = crnn.Charset.from_texts(source.entry(i).text for i in range(len(source)))
    from crnn.core.transform import LineTransform

    dataset = LineDataset(source, charset, LineTransform(config.image.height))
    widths = np.array([source.size(i)[0] for i in range(len(source))], dtype=np.int64)
    read: list[str] = []
    content = TarShardsReader.content
    monkeypatch.setattr(TarShardsReader, "content", lambda self, key: read.append(key) or content(self, key))
    by_rank = []
    for rank in range(3):
        read.clear()
        for batch in WidthBatches(lambda _: widths, 32, 8, 2**20, True, rank=rank, world_size=3):
            for key in batch:
                _ = dataset[key._replace(width=0)]
        by_rank.append(list(read))
    every = [key for keys in by_rank for key in keys]
    assert len(every) == len(set(every)) == len(source) == 43
    assert all(len(keys) > 8 for keys in by_rank)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"devices": 4}, "trainer.devices=4: torchrun started 2 processes on each machine; leave trainer.devices"),
        ({"num_nodes": 3}, "trainer.num_nodes=3: torchrun started processes on 2; leave it out"),
        ({}, None),
    ],
)
def test_settings_follow_torchrun(monkeypatch: pytest.MonkeyPatch, given: dict[str, Any], message: str | None) -> None:
    for name, value in {"LOCAL_WORLD_SIZE": 2, "WORLD_SIZE": 4, "RANK": 3, "LOCAL_RANK": 1, "GROUP_RANK": 1}.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "x")
    config = TrainerConfig(accelerator="cpu", **given)
    if message is None:
        assert follow_launcher(config) == (2, 2)
        return
    with pytest.raises(ConfigError) as caught:
        follow_launcher(config)
    assert message in str(caught.value)


def start(cwd: Path, launcher: str, *words: str, program: str = str(SCRIPT), **env: str) -> tuple[int, str]:
    """(exit code, standard error) of a training in two processes."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"} | env
    own = () if words[0].startswith("resume=") else TINY
    command = [program, *own, *words]
    if launcher == "devices":
        commands, each = [[sys.executable, *command, "trainer.devices=2"]], [{}]
    elif launcher == "torchrun":
        commands = [[sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone", *command]]
        each = [{}]
    else:
        with socket.socket() as free:
            free.bind(("", 0))
            port = free.getsockname()[1]
        commands = [[sys.executable, *command]] * 2
        common = {"SLURM_JOB_ID": "12", "SLURM_JOB_NAME": "lines", "SLURM_NTASKS": "2", "SLURM_NNODES": "2"}
        common |= {
            "SLURM_STEP_NUM_TASKS": "2",
            "SLURM_NTASKS_PER_NODE": "1",
            "SLURM_NODELIST": "127.0.0.1",
            "MASTER_PORT": str(port),
        }
        each = [common | {"SLURM_PROCID": str(n), "SLURM_NODEID": str(n), "SLURM_LOCALID": "0"} for n in range(2)]
    running = [
        subprocess.Popen(one, cwd=cwd, env=environment | more, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
        for one, more in zip(commands, each, strict=True)
    ]
    errors = [one.communicate(timeout=300)[1].decode() for one in running]
    return max(abs(one.returncode) for one in running), "".join(errors)


@pytest.mark.parametrize(
    "launcher", ["devices", *(pytest.param(name, marks=pytest.mark.slow) for name in ("torchrun", "srun"))]
)
def test_every_launcher_gives_exact_figures(launcher: str, odd_lines: Path, tmp_path: Path) -> None:
    """Uneven lines in two processes: one run folder with a name of its own, messages once, figures of all lines."""
    code, said = start(tmp_path, launcher, f"data.root={odd_lines}", "trainer.max_epochs=2", "optimizer.lr=0.01")
    assert code == 0, said
    [run] = [path for path in (tmp_path / "runs").iterdir() if path.name != ".lines"]
    for message in (
        "run: ",
        "43 of 43 lines kept",
        "epoch 2/2",
        "done in",
        "batches: 3 of up to 8 lines, in each of 2",
    ):
        assert said.count(message) == 1, said
    assert "(16 lines a step)" in said
    result = json.loads((run / "result.json").read_text())
    val = open_source(odd_lines / "val")
    readings = crnn.load(run / "checkpoints" / "best.ckpt").recognize([val.picture(i) for i in range(len(val))])
    counts = EditCounts.total((r.text, val.entry(i).text) for i, r in enumerate(readings))
    assert counts.lines == 11
    figures = {"val/cer": counts.cer, "val/wer": counts.wer, "val/exact": counts.exact_rate}
    assert {name: result[name] for name in figures} == pytest.approx(figures, abs=1e-7)
    assert json.loads((run / "env.json").read_text())["processes"] == 2
    if launcher == "devices":
        refused = here([sys.executable, str(SCRIPT), f"resume={run}", "trainer.devices=1", "trainer.accelerator=cpu"])
        assert refused.returncode == 2
        assert "the run began with 2 processes, and now there is 1" in refused.stderr


@pytest.mark.parametrize(
    ("launcher", "rank"),
    [
        ("devices", 0),
        pytest.param("devices", 1, marks=pytest.mark.slow),
        pytest.param("torchrun", 0, marks=pytest.mark.slow),
    ],
)
def test_a_killed_process_ends_the_run_with_a_checkpoint(
    launcher: str, rank: int, odd_lines: Path, tmp_path: Path
) -> None:
    """Killed in the second epoch, after 4 steps of 3 an epoch: the fifth is not lost with it, and the run goes on."""
    (tmp_path / "killed.py").write_text(KILLED)
    common = (f"data.root={odd_lines}", "trainer.max_epochs=2", "name=cut", "runs_dir=.")
    code, said = start(tmp_path, launcher, *common, program=str(tmp_path / "killed.py"), KILLED=f"{rank},4")
    assert code != 0
    assert said.count("error: another process of this training is gone") == 1, said
    assert "started as before, with: resume=cut" in said
    run = tmp_path / "cut"
    assert torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)["global_step"] == 4
    if (launcher, rank) != ("devices", 1):
        return
    code, said = start(tmp_path, launcher, "resume=cut")
    assert code == 0, said
    with (run / "metrics.csv").open(newline="") as file:
        steps = [int(row["step"]) for row in csv.DictReader(file) if row["train/loss"]]
    assert steps[:3] == [0, 1, 2]
    assert steps[-2:] == [4, 5]
    assert json.loads((run / "result.json").read_text())["steps"] == 6


def test_an_error_before_the_first_step_is_said_once(odd_lines: Path, tmp_path: Path) -> None:
    code, said = start(tmp_path, "srun", "data.root=nowhere")
    assert code == 2
    assert said.count("data.root=nowhere: there is no such file or folder") == 1, said
    assert "Traceback" not in said
