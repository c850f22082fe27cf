"""The folder that a run leaves behind: everything needed to understand, resume and use it.

config.yaml   all settings            checkpoints/  best.ckpt, last.ckpt
env.json      versions, machine       samples/      readings and confusions
data.json     lines, fingerprints     dropped.tsv   lines that were not used, and why
splits/       which lines are held out, if the run chose them
train.log     what was said           metrics.csv   figures per step and epoch; tensorboard/ the same
curves.png    those figures, drawn
result.json   final figures           model.onnx    the model file
"""

from __future__ import annotations

import errno
import json
import os
import platform
import shlex
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from rich.console import Console
from yaml import YAMLError  # type: ignore[import-untyped]

from crnn.errors import ConfigError, printable
from crnn.files import write_text
from crnn.training.config import TrainConfig

if TYPE_CHECKING:  # loads torch
    from crnn.training.processes import Peers

LOCK = ".lock"
"""Held by the process that trains."""
PACKAGES = ("crnn", "torch", "torchvision", "lightning", "hydra-core", "numpy", "pillow", "onnx", "onnxruntime")

_OWN = ("finetune", "init", "name", "seed", "split.")
"""Settings that are a run's own: its layers, weights, order of lines, sides and folder come from them."""


def unusable(error: OSError) -> str:
    """Of a name that is too long, or a folder that may not be looked into: what to do about it."""
    return f"{printable(error.filename)}: {error.strerror}; look at the settings that name it"


def is_first_process() -> bool:
    """Whether this process writes files: rank 0, or the only one."""
    return all(os.environ.get(name, "0") == "0" for name in ("RANK", "LOCAL_RANK", "SLURM_PROCID", "NODE_RANK"))


class Screen(Console):
    """Where a training says what happens; when nobody reads it any more, the training goes on, and train.log has it."""

    def on_broken_pipe(self) -> None:
        """Say nothing from now on, where Rich would end the process."""
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


class RunFolder:
    """Paths and records of one run. Only the first process writes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.first = is_first_process()
        self.console = Screen(stderr=True, soft_wrap=True)

    @classmethod
    def create(cls, config: TrainConfig, peers: Peers | None = None) -> RunFolder:
        """A new folder under ``runs_dir``, the same one for all processes.

        Raises:
            ConfigError: if the name is taken or the folder cannot be made.
        """
        name = config.name or f"{time.strftime('%Y-%m-%d_%H-%M-%S')}_{config.model.name}"
        if "\\" in name or "\0" in name or any(part in ("", ".", "..") for part in name.split("/")):
            raise ConfigError(
                f"name={name!r}: is no name of a folder under runs_dir={config.runs_dir}; as name=mine or "
                "name=receipts/small, or name another place with runs_dir=..."
            )
        path = Path(config.runs_dir) / name
        if peers and peers.world > 1:
            return cls(Path(peers.from_first(lambda: str(_made(path, not config.name)))))
        return cls(_made(path, not config.name) if is_first_process() else path)

    @property
    def last(self) -> Path:
        """The newest checkpoint, from which the run is resumed."""
        return self.path / "checkpoints" / "last.ckpt"

    @property
    def best(self) -> Path:
        """The checkpoint with the lowest validation CER."""
        return self.path / "checkpoints" / "best.ckpt"

    def again(self, processes: int, *more: str) -> str:
        """How to resume, with further settings, for people."""
        settings = " ".join([shlex.quote(f"resume={self.path}"), *more])
        return f"crnn train {settings}" if processes == 1 else f"{settings}, started as before in {processes} processes"

    def go_on(self, processes: int) -> str:
        """What to do after a stop; without a checkpoint there is nothing to resume."""
        if self.last.is_file():
            return f"go on from the last checkpoint with: {self.again(processes)}"
        return f"there is no checkpoint yet: remove {self.path}, and start again"

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Keeps other processes from training here at the same time, where files can be locked.

        Raises:
            ConfigError: if one does.
        """
        if not self.first:
            yield
            return
        with open(os.open(self.path / LOCK, os.O_CREAT | os.O_RDWR, 0o666)) as file:
            try:
                import fcntl

                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # not flock: workers would have that, too
            except ImportError:  # Windows
                pass
            except OSError as error:
                if error.errno in (errno.EACCES, errno.EAGAIN):
                    raise ConfigError(
                        f"{self.path}: another process is training here; wait for it, or end it"
                    ) from None
            yield

    def remove_if_unused(self) -> None:
        """Take a new folder away again if a run never began in it."""
        if self.first and {path.name for path in self.path.iterdir()} <= {LOCK, "train.log", "splits", "dropped.tsv"}:
            shutil.rmtree(self.path)

    def say(self, message: str) -> None:
        """To the terminal and to train.log."""
        if not self.first:
            return
        self.console.print(message, highlight=False, markup=False)
        with (self.path / "train.log").open("a", encoding="utf-8") as file:
            file.write(message + "\n")

    def write_json(self, name: str, data: dict[str, Any]) -> None:
        """Write a record, whole or not at all."""
        if self.first:
            write_text(self.path / name, json.dumps(data, indent=2, ensure_ascii=False) + "\n")

    def read_json(self, name: str) -> dict[str, Any]:
        """A record of an earlier process; empty if there is none."""
        try:
            return json.loads((self.path / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}

    def write_config(self, config: TrainConfig) -> None:
        """config.yaml: what the next resume goes on with."""
        if self.first:
            whole = replace(config, resume=None)
            write_text(self.path / "config.yaml", OmegaConf.to_yaml(OmegaConf.structured(whole)))

    def write_start(self, config: TrainConfig, processes: int) -> None:
        """config.yaml and env.json."""
        self.write_config(config)
        self.write_json("env.json", environment() | {"processes": processes})


def _made(path: Path, numbered: bool) -> Path:
    """Make a new folder; `numbered`: ``path-2``, ``path-3`` ... if there is one (a run of the same second)."""
    made, number = path, 1
    while True:
        try:
            made.mkdir(parents=True, exist_ok=False)
            return made
        except FileExistsError:
            if numbered:
                number += 1
                made = path.with_name(f"{path.name}-{number}")
                continue
            with RunFolder(path).claimed():  # by another process that is training there
                pass
            if RunFolder(path).last.is_file():
                raise ConfigError(
                    f"{path}: exists; go on with it by resume={path}, or choose another name=..."
                ) from None
            raise ConfigError(
                f"{path}: exists, without a checkpoint to go on from; choose another name=..., or remove it"
            ) from None
        except OSError as error:
            raise ConfigError(f"{path}: cannot be made ({error.strerror}); choose runs_dir=...") from None


def environment() -> dict[str, Any]:
    """Versions and machine, without names of hosts or users."""
    import torch

    return {
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "packages": {name: metadata.version(name) for name in PACKAGES},
        "cpus": os.cpu_count(),
        "torch_threads": torch.get_num_threads(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "command": sys.argv[1:],
    }


def config_of_run(run: str, overrides: list[str]) -> DictConfig:
    """The settings of an earlier run, with plain overrides (``trainer.max_epochs=40``) on top.

    Raises:
        ConfigError: if the folder is no run, has no checkpoint, or an override is not plain.
    """
    path = Path(run)
    if not (path / "config.yaml").is_file():
        raise ConfigError(f"resume={run}: is not a run folder (no config.yaml in it)")
    if not (path / "checkpoints" / "last.ckpt").is_file():
        raise ConfigError(f"resume={run}: has no checkpoints/last.ckpt to go on from; start a new run")
    for override in overrides:
        key = override.split("=")[0]
        if key.lstrip("+~") != key or key in ("model", "experiment"):
            raise ConfigError(f"{override}: with resume only single settings can change, such as trainer.max_epochs=40")
        if key.startswith(("model.", "image.", "charset.")):
            raise ConfigError(f"{override}: the network is the run's own; start a new one from it, with init={run}")
    try:
        written = OmegaConf.load(path / "config.yaml")
        if isinstance(export := OmegaConf.select(written, "export"), DictConfig):
            export.pop("trim", None)  # what data.trim was called for some days
        stored = OmegaConf.merge(OmegaConf.structured(TrainConfig), written)
        merged = OmegaConf.merge(stored, {"resume": run})
        for change in OverridesParser.create().parse_overrides(overrides):
            OmegaConf.update(merged, change.key_or_group, change.value())
        changed = [word for word in overrides if _is_its_own(word.partition("=")[0], stored, merged)]
    except (HydraException, OmegaConfBaseException, OSError, ValueError, YAMLError) as error:
        raise ConfigError(f"resume={run}: {str(error).splitlines()[0]}") from None
    if changed:
        raise ConfigError(
            f"{changed[0]}: cannot change in a run that has begun; leave it out, or start a new one with init={run}"
        )
    assert isinstance(merged, DictConfig)  # noqa: S101  # for mypy
    return merged


def _is_its_own(setting: str, stored: Any, merged: Any) -> bool:
    """Whether a setting says something else than it did, and a run that has begun cannot follow."""
    was, now = OmegaConf.select(stored, setting), OmegaConf.select(merged, setting)
    if setting == "loss.shortcut":  # without weight it has no layers
        return bool(was) != bool(now)
    return bool(was != now and setting.startswith(_OWN))
