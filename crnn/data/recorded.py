"""The lines of an earlier training, found again by what it wrote down. Runs without torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from crnn.data.sources import LineSource, ReadOptions, open_source
from crnn.data.sources.label_texts import usable_labels
from crnn.data.sources.sides import find_side, side_of_tables
from crnn.data.sources.views import Selection, together
from crnn.data.split import load_side
from crnn.data.synth.source import synthetic_pair, training_texts
from crnn.errors import ConfigError, DataError, printable

SIDES = ("train", "val", "test")
RENDERED_TEXTS = 100_000
"""That a language model learns from, of a run whose lines were rendered."""
REPEATED = 5
"""How often a label counts then, against one of each rendered text."""
BEGAN_IN = "folder"
"""Key of a run's data.json: the folder in which its training was started, to which paths are relative."""
RENDERED = "rendered"
"""Stands for lines rendered on the fly in a list of training lines."""


def open_all(paths: list[str], options: ReadOptions | None = None, owner: Path | None = None) -> LineSource:
    """One source of one or several paths; of `owner`, the model that was trained on them, if they may have moved.

    Raises:
        DataError: if one is not there, or cannot be read.
    """
    for path in paths if owner else ():
        if wrong := not_there(path):
            raise DataError(f"{owner}: its lines are not at {wrong}; name them where they are now")
    return together([open_source(path, options) for path in paths])


def not_there(path: str) -> str:
    """The name, for a message, of recorded lines that are not at `path` any more; empty if they are."""
    place = Path(path)
    if place.exists() or side_of_tables(place):
        return ""
    return printable(path if place.is_absolute() else f"{path} (looked for in {Path.cwd()})")


def recorded_lines(training: Mapping[str, Any], side: str, model: Path) -> LineSource:
    """The training, validation or test lines of the run that made a model.

    Args:
        training: the note in the model's card.
        side: ``train``, ``val`` or ``test``.
        model: the model file; held-out lines are recorded in its run folder.

    Raises:
        DataError: if the note does not say, or the lines are no longer there.

    Validation lines that were rendered are rendered again; with other fonts on the machine they look otherwise.
    """
    record = _as_last_seen(training.get("data"), model)
    paths = record.get("paths") if isinstance(record, Mapping) else None
    if not isinstance(record, Mapping) or not isinstance(paths, Mapping) or not isinstance(paths.get("train"), list):
        raise DataError(f"{model}: does not say what it was trained on; name the lines")
    try:
        options = ReadOptions(**record.get("options", {}))
    except TypeError as error:
        raise DataError(f"{model}: how its lines were read is not understood ({error}); name the lines") from None
    splits = next((run / "splits" for run in _runs_of(model) if (run / "splits").is_dir()), None)
    mine, real = paths.get(side), [path for path in paths["train"] if path != RENDERED]
    divided = "val" in paths and paths["val"] is None  # validation lines were held out of these
    if side == "train" and real and not splits and not divided:
        return open_all(real, options, model)
    if side != "train" and isinstance(mine, list):
        return open_all(mine, options, model)
    if side == "val" and set(paths["train"]) == {RENDERED} and isinstance(record.get("rendered"), Mapping):
        return _rendered_again(record["rendered"], model)
    if not real:
        raise DataError(f"{model}: its {side} lines were rendered on the fly; name lines")
    if splits is None and isinstance(paths.get("val"), list):
        raise _none_apart(model, side, real)
    if splits is None:
        raise DataError(
            f"{model}: its {side} lines are recorded in its run's folder splits/, which is not beside it; "
            "name the lines"
        )
    whole = open_all(real, options, model)
    positions = load_side(splits / f"{side}.tsv", whole)
    if not len(positions):
        raise _none_apart(model, side, real)
    return Selection(whole, positions)


def recorded_texts(training: Mapping[str, Any], model: Path, rendered: int = RENDERED_TEXTS) -> list[str]:
    """What the training lines of a model said, for a language model: labels, and so many texts as rendered lines had.

    Beside rendered texts each label counts `REPEATED` times: it is what will be read.

    Args:
        training, model: as for `recorded_lines`.
        rendered: texts, of a run that lines were rendered for.

    Raises:
        DataError: as `recorded_lines`, or for options of rendered lines that are not understood.
    """
    record = _as_last_seen(training.get("data"), model)
    paths = record.get("paths") if isinstance(record, Mapping) else None
    sources = paths.get("train") if isinstance(paths, Mapping) else None
    options = record.get("rendered") if isinstance(record, Mapping) else None
    if not isinstance(sources, list) or RENDERED not in sources or not isinstance(options, Mapping):
        return usable_labels(recorded_lines(training, "train", model))
    labels = usable_labels(recorded_lines(training, "train", model)) if set(sources) != {RENDERED} else []
    try:
        texts = training_texts(rendered, **options)
    except (ConfigError, AttributeError, TypeError, ValueError, OSError) as error:
        raise DataError(f"{model}: the texts of its rendered lines cannot be written again ({error})") from None
    return labels * REPEATED + texts


def _runs_of(model: Path) -> tuple[Path, Path]:
    """Where the run folder of a model file or checkpoint may be."""
    return model.parent, model.parent.parent


def _as_last_seen(record: Any, model: Path) -> Any:
    """A record of lines, with the places of the run folder's, newer one where that is of the same lines.

    They may have moved between two starts of the run, after the checkpoint that a model is made of.
    """
    for run in _runs_of(model):
        try:
            newer = json.loads((run / "data.json").read_text(encoding="utf-8"))
            prints, theirs = ([of[side]["fingerprint"] for side in ("train", "val")] for of in (record, newer))
            paths = [path for listed in newer["paths"].values() for path in listed or ()]
            if prints == theirs and any(prints) and all(isinstance(path, str) for path in paths):
                began = Path(str(newer.get(BEGAN_IN, "")))
                found = {
                    side: listed and [_seen_from(began, path) for path in listed]
                    for side, listed in newer["paths"].items()
                }
                return {**record, "paths": found}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            continue
    return record


def _seen_from(folder: Path, path: str) -> str:
    """Lines that are not here, but were named in another folder: their place in that."""
    there = folder / path
    if path == RENDERED or not not_there(path) or not_there(str(there)):
        return path
    return str(there)


def _none_apart(model: Path, side: str, train: list[str]) -> DataError:
    """Of a run without lines of this side; such lines beside its training lines are named."""
    found = next((path for one in train if (path := find_side(Path(one).parent, side))), None)
    return DataError(f"{model}: its run kept no {side} lines apart; name {f'them: {found}' if found else 'the lines'}")


def _rendered_again(options: Mapping[str, Any], model: Path) -> LineSource:
    """Validation lines by the options of `synthetic_pair` in a training's note."""
    try:
        return synthetic_pair(**options)[1]
    except (ConfigError, AttributeError, TypeError, ValueError, OSError) as error:
        raise DataError(f"{model}: its rendered validation lines cannot be rendered again ({error})") from None
