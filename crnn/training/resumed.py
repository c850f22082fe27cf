"""What a resumed run must share with the run that began: lines and processes."""

from __future__ import annotations

import shlex

from crnn.data.recorded import RENDERED, not_there
from crnn.errors import ConfigError, CrnnError, DataError
from crnn.training.assemble import Assembled
from crnn.training.config import TrainConfig, listed_paths
from crnn.training.run_folder import RunFolder
from crnn.training.start import Began, Start


def refuse_missing_lines(config: TrainConfig) -> None:
    """Before anything is read: lines that are not where the run found them may have moved.

    Raises:
        DataError: with the setting that says where they are now.
    """
    named = {"root": [config.data.root] if config.data.root is not None else []}
    named |= {side: listed_paths(getattr(config.data, side)) for side in ("train", "val")}
    for setting, paths in named.items():
        moved = {path: wrong for path in paths if path != RENDERED and (wrong := not_there(path))}
        if moved:
            there = ["WHERE THEY ARE NOW" if path in moved else path for path in paths]
            listed = there[0] if len(there) == 1 else f"[{','.join(there)}]"
            raise DataError(
                f"resume={config.resume}: its lines are not at data.{setting}={', '.join(moved.values())}; if they "
                f"have moved, add {shlex.quote(f'data.{setting}={listed}')}"
            )


def refuse_other_data(folder: RunFolder, data: Assembled) -> None:
    """The lines may have moved, but not changed.

    Raises:
        DataError: saying what was there, and what is now.
    """
    before, now = folder.read_json("data.json"), data.record()
    for side in ("train", "val"):
        had, has = _but_place(before.get(side)), _but_place(now[side])
        if had != has:
            counts = f"{_counts(had)} then, {_counts(has)} now"
            if _counts(had) == _counts(has):
                counts = f"as many, {_counts(has)}, but not the same pictures and labels"
            raise DataError(
                f"resume={folder.path}: the {side} lines have changed since the run began ({counts}); bring them "
                f"back, or start a new run from its weights with init={folder.path}"
            )


def _but_place(record: object) -> dict[str, object]:
    return {key: value for key, value in record.items() if key != "source"} if isinstance(record, dict) else {}


def _counts(record: dict[str, object]) -> str:
    return f"{record.get('lines', 'no')} lines and {record.get('dropped', 'none')} dropped"


def refuse_other_processes(folder: RunFolder, now: int) -> None:
    """The same number of processes takes the same steps.

    Raises:
        ConfigError: for another one.
    """
    before = folder.read_json("env.json").get("processes", now)
    if before != now:
        raise ConfigError(
            f"resume={folder.path}: the run began with {before} process{'es' if before > 1 else ''}, and now there "
            f"{'are' if now > 1 else 'is'} {now}, so steps and batches would not be the same; start as many as before "
            f"(trainer.devices, torchrun, srun), or a new run from its weights with init={folder.path}"
        )


def began_before(config: TrainConfig, folder: RunFolder) -> Began | None:
    """How the model read that a resumed run once began from, as its record has it."""
    figures = folder.read_json("data.json").get("before") if config.resume and config.init else None
    if not figures or not folder.first:
        return None
    try:
        lines = Start.read(str(config.init)).old_lines()
    except CrnnError:  # the model is gone
        lines = None
    return Began(figures["cer"], lines if figures["old_cer"] is not None else None, figures["old_cer"] or 0.0)
