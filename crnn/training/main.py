"""The command line of training; Hydra reads the settings. Run by ``crnn train`` and ``scripts/train.py``."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from crnn.data.progress import busy
from crnn.errors import ConfigError, CrnnError
from crnn.libraries import said_of
from crnn.machine import set_thread_policy
from crnn.signals import exit_code, sigterm_like_ctrl_c
from crnn.training.checks import check_network, check_settings
from crnn.training.config import AUTO, BUNDLED_NETWORK, TrainConfig, config_folder, register, settled, to_config
from crnn.training.overrides import quoted, refuse_wrong
from crnn.training.run_folder import RunFolder, config_of_run, unusable

set_thread_policy()  # before torch is loaded, which none of the above does
register()

UNWRITABLE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM}
"""A full disk, or a folder that may not be written."""
UNUSABLE = {errno.ENAMETOOLONG, errno.ENOTDIR, errno.ELOOP, errno.EACCES}
"""A setting names something that nothing can be behind, or that may not be looked into."""


def _settings(composed: DictConfig) -> tuple[Any, str]:
    """The settings of this run, and why its network was chosen."""
    overrides = [o for o in HydraConfig.get().overrides.task if not o.startswith("resume=")]
    if composed.resume:
        return to_config(config_of_run(composed.resume, overrides)), " (as when the run began)"
    config = to_config(composed)
    if composed.init == AUTO and config.init:
        return config, " (the model in the box is what it starts from; init=null: from nothing)"
    if config.init:
        _refuse_another_network(config, [o for o in overrides if o.startswith(("model", "image."))])
        return config, f" (that of {config.init})"
    if any(override.startswith("model=") for override in overrides):
        return config, " (as asked)"
    if config.model.name == BUNDLED_NETWORK:
        return config, " (there is no GPU; model=crnn is the classic network)"
    return config, " (there is a GPU; model=crnn_small is made for CPUs, and starts from the model in the box)"


def _refuse_another_network(config: TrainConfig, overrides: list[str]) -> None:
    """With init the network and the pictures' size are the model's; what says the same may stand.

    Raises:
        ConfigError: naming the setting that says something else; or if there is no such model.
    """
    if not overrides:
        return
    from crnn.training.start import Start

    asked, models = (OmegaConf.structured(c) for c in (config, Start.read(config.init or "").settle(config)))
    for override in overrides:
        setting = override.partition("=")[0].lstrip("+~")
        theirs = OmegaConf.select(models, setting)
        if OmegaConf.select(asked, setting) != theirs:
            name = theirs.name if setting == "model" else theirs
            raise ConfigError(
                f"{override}: with init the network and the height are the model's, {setting}={name}; leave it out, "
                "or set init=null"
            )


def _unwritable(error: OSError, run: Path, processes: int) -> str:
    """What to do about a run folder that cannot be written."""
    where = f"{error.filename or run}: cannot be written ({error.strerror})"
    return f"{where}; make room or give the right to write; {RunFolder(run).go_on(processes)}"


def _together(config: TrainConfig, why_model: str) -> None:
    """Train, together with the other processes if there are some; exit if something is wrong."""
    from crnn.training.callbacks import StoppedBySignal
    from crnn.training.launch import start
    from crnn.training.processes import LostProcess, SaidElsewhere
    from crnn.training.run import train

    with start(config.trainer) as peers:
        try:
            train(config, why_model, peers)
        except StoppedBySignal as stop:
            sys.exit(128 + stop.number)
        except SaidElsewhere:
            peers.left()
            sys.exit(2)
        except LostProcess as lost:
            if peers.first_to_say():
                print(f"error: {lost}", file=sys.stderr)
            sys.exit(1)
        except CrnnError as error:
            if peers.fail(str(error)):
                print(f"error: {error}", file=sys.stderr)
            sys.exit(2)
        except Exception as error:
            if isinstance(error, OSError) and error.errno in UNWRITABLE and peers.run:
                said = _unwritable(error, peers.run, peers.world)
                if peers.fail(said):
                    print(f"error: {said}", file=sys.stderr)
                sys.exit(1)
            first = (str(error).splitlines() or [""])[0]
            if peers.fail(f"{type(error).__name__}: {first}"):
                raise
            sys.exit(1)


@contextmanager
def _in_one_line() -> Iterator[None]:
    """What is wrong before a training begins is said, and ends the process."""
    try:
        yield
    except CrnnError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except OSError as error:
        if error.errno not in UNUSABLE or error.filename is None:
            raise
        print(f"error: {unusable(error)}", file=sys.stderr)
        sys.exit(2)
    except ImportError as error:
        said = said_of(error, "train")
        if said is None:
            raise
        print(f"error: {said}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt as stop:
        sys.exit(exit_code(stop))


@hydra.main(config_path=config_folder(), config_name="train", version_base="1.3")
def _hydra_main(composed: DictConfig) -> None:
    with _in_one_line():
        config, why_model = _settings(composed)
        _together(config, why_model)


def _refuse_at_once(words: list[str]) -> bool:
    """Refuse settings that are wrong, before torch is loaded, which takes seconds; False where Hydra has the word."""
    asked = refuse_wrong(words)
    if asked is None:
        return False
    if asked.resume:
        config_of_run(asked.resume, [word for word in words if not word.startswith("resume=")])
        return True
    config = settled(asked)
    check_settings(config)
    if not any(word.startswith(("model.", "+model.")) for word in words):  # else which network they change is open yet
        check_network(config)
    return True


def main() -> None:
    """Train with the settings on the command line (``sys.argv``)."""
    sys.argv[1:] = [quoted(word) for word in sys.argv[1:]]
    with _in_one_line(), sigterm_like_ctrl_c():
        if _refuse_at_once(sys.argv[1:]):
            with busy("loading torch and Lightning") if "LOCAL_RANK" not in os.environ else nullcontext():  # torchrun's
                import crnn.training.run  # noqa: F401
        _hydra_main()


if __name__ == "__main__":
    main()
