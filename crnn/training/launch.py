"""How the processes of a training are started: by torchrun, by srun, or by the first one of each machine."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import crnn.torchvision_cure  # noqa: F401  # before lightning

import torch
from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
from lightning.fabric.plugins.environments.torchelastic import TorchElasticEnvironment
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.accelerators import CPUAccelerator, CUDAAccelerator
from torch.distributed import DistError, PrefixStore, TCPStore  # type: ignore[attr-defined]

from crnn.errors import ConfigError
from crnn.training.processes import GRACE, LostProcess, Peers, brief

if TYPE_CHECKING:
    from crnn.training.config import TrainerConfig

STARTED = "CRNN_STARTED"
"""Environment variable: this process was started by the first one of its machine, as all others were."""


def follow_launcher(settings: TrainerConfig) -> tuple[int, int] | None:
    """(processes on each machine, machines) that torchrun or srun started; None without them.

    Raises:
        ConfigError: if settings say otherwise.
    """
    if TorchElasticEnvironment.detect():
        name, local = "torchrun", int(os.environ["LOCAL_WORLD_SIZE"])
        nodes = int(os.environ["WORLD_SIZE"]) // local
    elif SLURMEnvironment.detect() and int(os.environ["SLURM_NTASKS"]) > 1:
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


def several(settings: TrainerConfig) -> bool:
    """Whether settings, torchrun or srun ask for more than one process."""
    local, nodes = follow_launcher(settings) or (_count(settings), settings.num_nodes)
    return local * nodes > 1


@contextmanager
def start(settings: TrainerConfig) -> Iterator[Peers]:
    """Meet the other processes of this training; start those of this machine if nobody else does, and end with them.

    Raises:
        ConfigError: if settings contradict torchrun or srun.
        LostProcess: if they cannot be reached.
    """
    told = dict(os.environ)
    peers, started = _meet(settings)
    over = peers.watch(started) if STARTED in os.environ else threading.Event()
    try:
        yield peers
    finally:
        over.set()
        for other in started:
            try:
                other.wait(GRACE)
            except subprocess.TimeoutExpired:
                other.kill()
        for name in os.environ.keys() - told.keys() if started else ():  # the next training of this process starts anew
            del os.environ[name]


def _meet(settings: TrainerConfig) -> tuple[Peers, list[subprocess.Popen[bytes]]]:
    """The processes, and those that were started here."""
    wait = settings.wait_minutes * 60
    launched = follow_launcher(settings)
    started: list[subprocess.Popen[bytes]] = []
    if launched:
        env: TorchElasticEnvironment | SLURMEnvironment = (
            TorchElasticEnvironment() if TorchElasticEnvironment.detect() else SLURMEnvironment()
        )
        rank, world, local_rank = env.global_rank(), env.world_size(), env.local_rank()
        place, local = (env.main_address, env.main_port), launched[0]
    else:
        local = _count(settings)
        world = local * settings.num_nodes
        if world == 1 or ("LOCAL_RANK" in os.environ and STARTED not in os.environ):
            return Peers(), []
        local_rank = int(os.environ.get("LOCAL_RANK", "0"))
        rank = int(os.environ.get("NODE_RANK", "0")) * local + local_rank
        if STARTED not in os.environ:
            if settings.threads:  # Lightning shares the cores out again, unless this is set
                os.environ["OMP_NUM_THREADS"] = str(settings.threads)
            started = _start_others(local, world)
        place = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    if world == 1:
        return Peers(), []
    hosts = rank == 0 and os.environ.get("TORCHELASTIC_USE_AGENT_STORE") != "True"
    try:
        store = TCPStore(
            *place, world, hosts, timedelta(seconds=wait), wait_for_workers=False, multi_tenant=True
        )  # Lightning's process group meets at the same place
    except DistError as error:
        raise LostProcess(f"{place[0]}:{place[1]}, where processes meet, cannot be reached ({brief(error)})") from None
    again = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
    return Peers(rank, world, local_rank, local, PrefixStore(f"crnn/{again}", store), wait), started


def _start_others(local: int, world: int) -> list[subprocess.Popen[bytes]]:
    """The other processes of this machine, with the same words; environment variables tell them who they are."""
    if "MASTER_PORT" not in os.environ:
        with socket.socket() as free:
            free.bind(("", 0))
            os.environ["MASTER_PORT"] = str(free.getsockname()[1])
    os.environ.setdefault("MASTER_ADDR", "127.0.0.1")
    os.environ.setdefault("NODE_RANK", "0")
    os.environ |= {STARTED: str(os.getpid()), "LOCAL_RANK": "0", "WORLD_SIZE": str(world)}
    command = [sys.executable, os.path.abspath(sys.argv[0]), *sys.argv[1:]]
    return [subprocess.Popen(command, env=os.environ | {"LOCAL_RANK": str(rank)}) for rank in range(1, local)]
