"""The study of a sweep: its settings tried out against the schema, and its place in an SQL database."""

from __future__ import annotations

import argparse
import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crnn.errors import ConfigError
from crnn.training.sweep_space import Space
from crnn.training.sweep_trial import held

if TYPE_CHECKING:
    from optuna import Study

SQLITE_WAIT = 120
"""Seconds that a process waits for another one that writes to the same SQLite file."""
ENDS = 8
"""Most values of a setting that are tried out against the schema before the first trial."""


def try_out(space: Space) -> Space:
    """Compose the settings with every choice and both ends of each range.

    Returns:
        The same; ranges of settings that are no whole numbers, such as ``augment.elastic=0..1``, have none either.

    Raises:
        ConfigError: in one line, naming the setting.
    """
    from hydra import compose, initialize_config_dir
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    from crnn.training.config import config_folder, register, to_config
    from crnn.training.overrides import one_line, quoted, refuse_wrong

    register()
    first = {one.setting: one.ends()[0] for one in space.swept}
    every = [first, *(first | {one.setting: end} for one in space.swept for end in one.ends()[1:ENDS])]
    fractions: set[str] = set()
    refuse_wrong([quoted(word) for word in settings_of(space, first)])
    with initialize_config_dir(config_folder(), version_base="1.3"):
        for values in every:
            words = settings_of(space, values)
            try:
                config = OmegaConf.structured(to_config(compose("train", [quoted(word) for word in words])))
                fractions |= {name for name in values if isinstance(OmegaConf.select(config, name), float)}
            except (HydraException, OmegaConfBaseException) as error:
                raise ConfigError(f"{' '.join(words)}: {one_line(error)}") from None
    return replace(space, swept=tuple(replace(s, whole=s.whole and s.setting not in fractions) for s in space.swept))


def settings_of(space: Space, values: dict[str, str]) -> list[str]:
    """``setting=value`` words of a trial."""
    return [f"{setting}={value}" for setting, value in (space.fixed | values).items()]


def open_study(args: argparse.Namespace, space: Space | None) -> Study:
    """The study, made if there is a `space` for it.

    Raises:
        ConfigError: if there is none, its settings are others, or the storage cannot be used.
    """
    try:
        import optuna
    except ImportError:
        raise ConfigError('crnn sweep needs optuna: pip install "crnn[sweep]"') from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
    url = args.storage or f"sqlite:///{Path(args.runs) / 'sweep.db'}"
    file = Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite:///") else None
    if space is None and file and not file.is_file():
        raise ConfigError(f"--storage {url}: there is no such file; start the sweep, or name its --storage or --runs")
    with held(Path(args.runs) / ".sweep.lock"):  # two that make the tables at once get in each other's way
        try:
            if file:
                file.parent.mkdir(parents=True, exist_ok=True)
            waits = {"connect_args": {"timeout": SQLITE_WAIT}} if file else {"pool_pre_ping": True}
            storage = optuna.storages.RDBStorage(url, engine_kwargs=waits)
        except Exception as error:  # sqlalchemy's, its drivers', optuna's
            lines = str(error).strip().splitlines()
            raise ConfigError(
                f"--storage {url}: cannot be used ({lines[0] if lines else type(error).__name__}); allowed is a "
                "database address as SQLAlchemy takes it, sqlite:///runs/sweep.db or postgresql://USER@HOST/NAME"
            ) from None
        names = [found.study_name for found in optuna.get_all_study_summaries(storage, include_best_trial=False)]
        if args.study not in names and space is None:
            raise ConfigError(f"--study {args.study}: is not in {url}; there are: {', '.join(names) or 'none'}")
        study = optuna.create_study(
            storage=storage,
            study_name=args.study,
            load_if_exists=True,
            sampler=optuna.samplers.TPESampler(constant_liar=True, multivariate=True),
            pruner=pruner(args.pruner),
        )
        before = study.user_attrs.get("settings")
        if space is not None and before is None:
            study.set_user_attr("settings", space.words())
        elif space is not None:
            space.refuse_unlike(args.study, before or {})
    return study


def told(error: BaseException) -> BaseException:
    """One line for what a database says."""
    from optuna.exceptions import StorageInternalError
    from sqlalchemy.exc import SQLAlchemyError

    if not isinstance(error, (StorageInternalError, SQLAlchemyError)):
        return error
    said = str(error.__cause__ or error).strip().splitlines() or [type(error).__name__]
    return ConfigError(f"--storage: the database failed ({said[0]}); trainings are stopped, the same command goes on")


def pruner(name: str) -> Any:
    """``median``, ``hyperband`` or ``none``."""
    import optuna

    if name == "median":
        return optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=2, n_min_trials=3)
    return optuna.pruners.HyperbandPruner() if name == "hyperband" else optuna.pruners.NopPruner()
