"""Which lines of a training are trimmed, by how closely they are cropped."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from crnn.core.transform import LineTransform
from crnn.data.crops import FEW, loose_share
from crnn.data.sources import LineSource
from crnn.errors import ConfigError, DataError
from crnn.loader import read_card
from crnn.training.config import TrainConfig
from crnn.training.processes import Peers
from crnn.training.run_folder import RunFolder


@dataclass(frozen=True)
class Crops:
    """What `choose_crops` chose."""

    readers: bool
    """Whether readers of the model trim lines before it reads them."""
    validation: bool
    """Whether validation lines are trimmed, too, as they should be."""
    training: list[bool]
    """Whether the lines of each training source that is not rendered are."""
    why: str = ""
    """For people; empty if nothing is to be said."""

    def record(self) -> dict[str, Any]:
        """For data.json."""
        return {key: value for key, value in asdict(self).items() if key != "why"}


def crops_for(
    config: TrainConfig, transform: LineTransform, sources: Sequence[LineSource], folder: RunFolder, peers: Peers
) -> Crops:
    """As the run began, if it goes on; else `choose_crops`, which is said."""
    if config.resume:
        return crops_of_run(config, folder, len(sources))
    crops = choose_crops(config, transform, sources, peers)
    if crops.why:
        folder.say(crops.why)
    return crops


def choose_crops(
    config: TrainConfig, transform: LineTransform, sources: Sequence[LineSource], peers: Peers | None = None
) -> Crops:
    """Trim what is cropped loosely.

    A network reads letters of one size best, and loose crops make them small and of many sizes: so of such lines paper
    is cut off in training. A model of closely cropped ones reads loosely cropped ones badly, and loses nothing if
    readers cut paper off: from its own lines nothing is. Rendered lines stay as they are, cropped in all ways, few of
    each; a model of these alone reads them, and real ones, better trimmed. Validation lines are those that readers see,
    but where closely cropped pictures are not to be decoded before the first step.

    Args:
        config: ``data.trim``, where None is as the lines are cropped, and ``data.decode_check``.
        transform: of the model; where all pictures are scaled to one width, nothing is cut off unasked.
        sources: of training lines that are not rendered.
        peers: processes that choose the same; the first looks at the lines.
    """
    setting = config.data.trim
    if setting is not None or transform.width is not None:
        return Crops(bool(setting), bool(setting), [bool(setting)] * len(sources))
    asked = (peers or Peers()).from_first(lambda: json.dumps([loose_share(source) for source in sources]))
    shares: list[float] = json.loads(asked)
    training = [share > FEW for share in shares]
    if not sources:
        why = "lines come in all crops: readers of the model cut paper above and below off (data.trim)"
    elif not any(training):
        why = "lines are cropped closely: readers of the model cut paper above and below others off (data.trim)"
    else:
        named = ", ".join(f"{s.name}: {share:.0%}" for s, share in zip(sources, shares, strict=True) if share > FEW)
        why = f"lines are cropped loosely ({named}): paper above and below is cut off (data.trim)"
    return Crops(True, config.data.decode_check or not sources or any(training), training, why)


def crops_of_run(config: TrainConfig, folder: RunFolder, sources: int) -> Crops:
    """What was chosen when a run began that goes on now.

    Raises:
        ConfigError: if ``data.trim`` says otherwise.
        DataError: if there is another number of sources.
    """
    begun = folder.read_json("data.json").get("trim")
    if not isinstance(begun, dict):  # by an earlier version, which left pictures as they are
        begun = {"readers": read_card(folder.last).trim, "validation": False, "training": [False] * sources}
    crops = Crops(**begun)
    if len(crops.training) != sources:
        sets = f"{len(crops.training)} set{'s' if len(crops.training) != 1 else ''} of training lines"
        raise DataError(
            f"resume={folder.path}: the run began with {sets}, and now there are {sources}; name as many, or "
            f"start a new run from its weights with init={folder.path}"
        )
    if config.data.trim not in (None, crops.readers):
        raise ConfigError(
            f"data.trim={str(config.data.trim).lower()}: the run began with {str(crops.readers).lower()}, and its "
            f"figures would not be of the same pictures; leave it out, or start a new run with init={folder.path}"
        )
    return crops
