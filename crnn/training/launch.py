"""How the processes of a training are started: by torchrun, by srun, or by the first one of each machine."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import crnn.torchvision_cure  # noqa: F401  # before lightning

import torch
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
from lightning.fabric.plugins.environments.torchelastic import TorchElasticEnvironment
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.accelerators import CPUAccelerator, CUDAAccelerator

from crnn.errors import ConfigError
from crnn.training.processes import GRACE, LostProcess, Peers, brief

if TYPE_CHECKING:
    from torch.distributed import Store  # type: ignore[attr-defined]

    from crnn.training.config import TrainerConfig

STARTED = "CRNN_STARTED"
"""Environment variable where crnn starts the processes of a machine itself: the process id of the first one."""


def follow_launcher(settings: TrainerConfig) -> tuple[int, int] | None:
    """(processes on each machine, machines) that torchrun or srun started; None without them.

    Raises:
        ConfigError: if settings say otherwise, or if SLURM has several tasks and srun did not start them.
    """
    if TorchElasticEnvironment.detect():
        name, local = "torchrun", int(os.environ["LOCAL_WORLD_SIZE"])
        nodes = int(os.environ["WORLD_SIZE"]) // local
    elif SLURMEnvironment.detect() and int(os.environ["SLURM_NTASKS"]) > 1:
        if int(os.environ.get("SLURM_STEP_NUM_TASKS", "1")) < 2:  # the batch script itself has SLURM_NTASKS, too
            raise ConfigError(
                f"SLURM has {os.environ['SLURM_NTASKS']} tasks for this job, and only this process was started; start "
                "it with srun: srun --kill-on-bad-exit=1 python scripts/train.py ..."
            )
        name, nodes = "srun", int(os.environ.get("SLURM_NNODES", "1"))
        local = int(os.environ["SLURM_NTASKS"]) // nodes
        os.environ.setdefault("SLURM_NTASKS_PER_NODE", str(local))  # Lightning asks for it
    else:
        return None
    count = _count(settings)
    if settings.devices != "auto" and count != local:
        raise ConfigError(
            f"trainer.devices={settings.devices}: {name} started {local} processes on each machine; leave "
            f"trainer.devices and trainer.num_nodes out, they follow {name}"
        )
    if settings.num_nodes not in (1, nodes):
        raise ConfigError(
            f"trainer.num_nodes={settings.num_nodes}: {name} started processes on {nodes}; leave it out, it follows "
            f"{name}"
        )
    return local, nodes


def _count(settings: TrainerConfig) -> int:
    """Processes on this machine that the settings ask for."""
    gpu = settings.accelerator in ("gpu", "cuda") or (settings.accelerator == "auto" and torch.cuda.is_available())
    try:
        if gpu:
            auto = settings.devices == "auto"
            return len(CUDAAccelerator.parse_devices(-1 if auto else settings.devices) or [0])
        return 1 if settings.devices == "auto" else int(CPUAccelerator.parse_devices(settings.devices))
    except (MisconfigurationException, TypeError, ValueError):
        return 1  # Lightning says what is wrong


def process_count(settings: TrainerConfig) -> int:
    """Processes of the training on all machines, by settings, torchrun or srun."""
    local, nodes = follow_launcher(settings) or (_count(settings), settings.num_nodes)
    return local * nodes


def own_environment() -> list[LightningEnvironment]:
    """Lightning's plugin where crnn started the processes itself: it would take one task of SLURM for all of them."""
    return [LightningEnvironment()] if STARTED in os.environ else []


@contextmanager
def start(settings: TrainerConfig) -> Iterator[Peers]:
    """Meet the other processes of this training; start those of this machine if nobody else does, and end with them.

    Raises:
        ConfigError: if settings contradict torchrun or srun.
        LostProcess: if they cannot be reached.
    """
    told = dict(os.environ)
    peers, grace = Peers(), 0.0
    started: list[subprocess.Popen[bytes]] = []
    try:
        peers = _peers(settings, started)
        parent = int(told[STARTED]) if STARTED in told else None
        if peers.world > 1 and (started or parent is not None):
            peers.watch(started, parent)
        if peers.world > 1:
            peers.meet(_store(peers, settings.num_nodes))
        grace = GRACE
        yield peers
    finally:
        peers.end_watch()
        try:
            _wait(started, grace)
        finally:
            for other in started:
                other.kill()  # nothing, if it has ended
            for name in os.environ.keys() - told.keys():  # the next training of this process starts anew
                del os.environ[name]
            os.environ.update(told)


def _wait(processes: list[subprocess.Popen[bytes]], seconds: float) -> None:
    """Until all have ended, so many seconds at most."""
    until = time.monotonic() + seconds
    for process in processes:
        with suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, until - time.monotonic()))


def _peers(settings: TrainerConfig, started: list[subprocess.Popen[bytes]]) -> Peers:
    """Who this process is among how many; those that it starts are added to `started`."""
    wait = settings.wait_minutes * 60
    launched = follow_launcher(settings)
    if launched:
        env: TorchElasticEnvironment | SLURMEnvironment = (
            TorchElasticEnvironment() if TorchElasticEnvironment.detect() else SLURMEnvironment()
        )
        os.environ["MASTER_ADDR"], os.environ["MASTER_PORT"] = env.main_address, str(env.main_port)
        return Peers(env.global_rank(), env.world_size(), env.local_rank(), launched[0], wait=wait)
    local = _count(settings)
    world = local * settings.num_nodes
    if world == 1 or ("LOCAL_RANK" in os.environ and STARTED not in os.environ):
        return Peers()
    if STARTED not in os.environ:
        if settings.threads:  # Lightning shares the cores out again, unless this is set
            os.environ["OMP_NUM_THREADS"] = str(settings.threads)
        _start_others(local, settings.num_nodes, started)
    local_rank = int(os.environ["LOCAL_RANK"])
    return Peers(int(os.environ["NODE_RANK"]) * local + local_rank, world, local_rank, local, wait=wait)


def _store(peers: Peers, nodes: int) -> Store:
    """Where the processes meet: at MASTER_ADDR:MASTER_PORT, as Lightning's process group does.

    Raises:
        LostProcess: if that cannot be reached.
    """
    from torch.distributed import DistError, PrefixStore, TCPStore  # type: ignore[attr-defined]  # not in every torch

    address, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    hosts = peers.rank == 0 and os.environ.get("TORCHELASTIC_USE_AGENT_STORE") != "True"
    try:
        store = TCPStore(
            address, port, peers.world, hosts, timedelta(seconds=peers.wait), wait_for_workers=False, multi_tenant=True
        )
    except DistError as error:
        if hosts and "EADDRINUSE" in str(error):
            raise LostProcess(f"port {port} is taken, where processes would meet; set MASTER_PORT to another") from None
        raise LostProcess(f"{address}:{port}, where processes meet, cannot be reached ({brief(error)})") from None
    run = os.environ.get(STARTED, "") if nodes == 1 else ""  # other machines have another first process
    return PrefixStore(f"crnn/{os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')}/{run}", store)


def _start_others(local: int, nodes: int, started: list[subprocess.Popen[bytes]]) -> None:
    """The other processes of this machine, with the same words; environment variables tell them who they are."""
    if nodes == 1:  # what is exported may be another training's
        os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": _free_port(), "NODE_RANK": "0"}
    os.environ.setdefault("MASTER_ADDR", "127.0.0.1")
    if "MASTER_PORT" not in os.environ:
        os.environ["MASTER_PORT"] = _free_port()
    os.environ.setdefault("NODE_RANK", "0")
    os.environ |= {STARTED: str(os.getpid()), "LOCAL_RANK": "0", "WORLD_SIZE": str(local * nodes)}
    command = [sys.executable, os.path.abspath(sys.argv[0]), *sys.argv[1:]]
    for rank in range(1, local):
        started.append(subprocess.Popen(command, env=os.environ | {"LOCAL_RANK": str(rank)}))  # noqa: S603  # our words


def _free_port() -> str:
    with socket.socket() as free:
        free.bind(("", 0))
        return str(free.getsockname()[1])
