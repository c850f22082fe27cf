"""Which lines of a training are trimmed: what `crnn.data.crops` chooses, kept for the whole run."""

from __future__ import annotations

import json
from collections.abc import Sequence

from crnn.core.transform import LineTransform
from crnn.data.crops import Crops, choose_crops, loose_share
from crnn.data.progress import Watch, unwatched
from crnn.data.sources import LineSource
from crnn.errors import ConfigError, DataError
from crnn.loader import read_card
from crnn.training.config import TrainConfig
from crnn.training.processes import Peers
from crnn.training.run_folder import RunFolder


def crops_for(
    config: TrainConfig,
    transform: LineTransform,
    sources: Sequence[LineSource],
    folder: RunFolder,
    peers: Peers,
    watch: Watch = unwatched,
) -> Crops:
    """As the run began, if it goes on; else `choose_crops`, which is said: the first process looks at the lines."""
    if config.resume:
        return crops_of_run(config, folder, len(sources))

    def shares() -> list[float]:
        found: list[float] = json.loads(peers.from_first(lambda: json.dumps([loose_share(s, watch) for s in sources])))
        return found

    crops = choose_crops(sources, transform, config.data.trim, config.data.decode_check, shares)
    if crops.why:
        folder.say(crops.why)
    return crops


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
    asked = config.data.trim
    if asked is not None and {crops.readers, crops.validation, *crops.training} != {asked}:
        began = "null" if crops.readers == asked else str(crops.readers).lower()
        raise ConfigError(
            f"data.trim={str(asked).lower()}: the run began with {began}, and its "
            f"figures would not be of the same pictures; leave it out, or start a new run with init={folder.path}"
        )
    return crops
