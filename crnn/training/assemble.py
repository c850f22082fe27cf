"""From settings to checked lines and a charset."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import track

from crnn.core.charset import Charset, characters, count_symbols
from crnn.core.seen import SeenCharacters
from crnn.core.transform import LineTransform
from crnn.data.augment import first_plain_epoch
from crnn.data.crops import Crops
from crnn.data.join import Joined
from crnn.data.labels import label_problem
from crnn.data.module import PreparedLines, cached, concatenated, joined, mixed, prepare
from crnn.data.recorded import RENDERED
from crnn.data.sources import LineSource, ReadOptions, open_source
from crnn.data.sources.base import Row
from crnn.data.sources.columns import readable_labels
from crnn.data.sources.registry import refuse_several_sets
from crnn.data.sources.sides import find_side
from crnn.data.sources.views import Fitting, Selection, together
from crnn.data.split import Split, SplitRule, split_lines
from crnn.data.synth.source import synthetic_pair
from crnn.errors import CharsetError, ConfigError, DataError
from crnn.loader import read_card
from crnn.training.characters import charset_from
from crnn.training.config import TrainConfig, listed_paths
from crnn.training.crops import crops_for
from crnn.training.findings import report_lines
from crnn.training.launch import process_count
from crnn.training.length import Length, length_for
from crnn.training.processes import Peers
from crnn.training.rendered import drawn_characters, own_labels, rendered_options
from crnn.training.run_folder import RunFolder


@dataclass
class Assembled:
    """What a training reads."""

    charset: Charset
    seen: SeenCharacters
    """How often the real training labels hold each character."""
    train: PreparedLines
    val: PreparedLines
    paths: dict[str, list[str] | None]
    """Of training and validation lines; None for validation lines that were held out."""
    options: ReadOptions
    length: Length
    crops: Crops
    """Which lines are trimmed."""
    rendered: dict[str, Any] | None = None
    """How lines were rendered, if some were: the arguments of `synthetic_pair`."""

    def record(self) -> dict[str, object]:
        """For data.json: what was read, and its fingerprint."""

        def of(lines: PreparedLines) -> dict[str, object]:
            prints = [report.fingerprint for report in lines.reports]
            return {
                "source": lines.source.name,
                "lines": len(lines.source),
                "dropped": sum(len(report.dropped) for report in lines.reports),
                "fingerprint": prints[0] if len(prints) == 1 else _joint(prints),
            }

        return {
            "train": of(self.train),
            "val": of(self.val),
            "characters": "".join(self.charset.symbols),
            "paths": self.paths,
            "options": vars(self.options),
            "trim": self.crops.record(),
            **({"rendered": self.rendered} if self.rendered else {}),
        }


def _joint(prints: list[str]) -> str | None:
    return hashlib.sha256(" ".join(prints).encode()).hexdigest() if prints else None


def workers_for(setting: int | None, trainings: int = 1) -> int:
    """Processes that prepare lines: as set, or one on up to 3 cores, else up to 8; `trainings` share the cores."""
    cores = (os.cpu_count() or 1) // trainings
    return setting if setting is not None else 1 if cores <= 3 else min(8, cores - 1)


def assemble(config: TrainConfig, transform: LineTransform, folder: RunFolder, peers: Peers | None = None) -> Assembled:
    """Open, check and split the lines of a training; say what is kept. Several processes share the work.

    Raises:
        DataError, CharsetError, ConfigError: naming lines and remedies.
    """
    return _Assembly(config, transform, folder, peers or Peers()).run()


def find_splits(root: str) -> tuple[str, str | None]:
    """(training path, validation path or None) of a folder with train/ and val/ in it, or with lines of its own."""
    folder = Path(root)
    if not folder.exists():
        raise DataError(
            f"data.root={root}: there is no such file or folder. Give the folder that holds train/ and val/, or the "
            "lines themselves; experiments look in $CRNN_DATA, else in data/"
        )
    train, val = find_side(folder, "train"), find_side(folder, "val")
    return str(train or folder), str(val) if train and val else None


class _Assembly:
    """The steps of `assemble`."""

    def __init__(self, config: TrainConfig, transform: LineTransform, folder: RunFolder, peers: Peers) -> None:
        self.config = config
        self.peers = peers
        self.data = config.data
        self.transform = transform
        self.folder = folder
        self.options = ReadOptions(self.data.name_pattern, self.data.text_column, self.data.image_column)
        train, val = listed_paths(self.data.train), listed_paths(self.data.val)
        if self.data.root is not None:
            root_train, root_val = find_splits(self.data.root)
            train, val = train or [root_train], val or ([root_val] if root_val else [])
        self.train_paths = train or [RENDERED]
        self.val_paths = val
        weights = self.data.weights
        if weights is not None and len(weights) != len(self.train_paths):
            raise ConfigError(
                f"data.weights={list(weights)}: {len(weights)} weights for {len(self.train_paths)} training sources "
                f"({', '.join(self.train_paths)}); give one for each"
            )

    def run(self) -> Assembled:
        opened = [None if path == RENDERED else self._open(path) for path in self.train_paths]
        real = [source for source in opened if source is not None]
        real, held_out = self._divide(real)
        self.crops = crops_for(self.config, self.transform, real, self.folder, self.peers, self._watching)
        some = len(real) < len(opened)
        own = own_labels(self.config, real) if some else None
        drawn = drawn_characters(self.config, own, self.folder) if some else ""
        options = rendered_options(self.config, drawn) if drawn else None
        rendered = synthetic_pair(**options, labels=own) if options else None
        charset, seen, prepared = self._characters(real, drawn)
        parts = iter(prepared)
        train = [self._fitting(rendered[0], charset) if rendered and s is None else next(parts) for s in opened]
        if held_out is not None:
            val = self._prepare(held_out, None, self.crops.validation)
        else:
            assert rendered  # noqa: S101  # for mypy
            val = prepare(rendered[1], self.transform, charset, False, iter, trim=self.crops.validation)
        # of a run that goes on, characters of dropped lines are unknown by now
        unknown = "drop" if self.config.resume else self.data.unknown
        losses = unknown, self.data.max_dropped, self.config.charset.extra
        report_lines(train, val, charset, self.transform, self.folder, *losses)
        paths = {"train": self.train_paths, "val": self.val_paths or None}
        lines = self._combined(train)
        length = length_for(self.config, len(lines.source), process_count(self.config.trainer), not real)
        if real and self.config.augment.concat:
            lines = self._concatenated(lines, charset, length.epochs)
        record = options if own is None else None  # labels are not written down a second time
        val = self._cached(val)
        return Assembled(charset, seen, lines, val, paths, self.options, length, self.crops, record)

    def _prepare(self, source: LineSource, charset: Charset | None, trim: bool) -> PreparedLines:
        decode, widest = self.data.decode_check, self.data.max_width
        peers = self.peers if self.peers.world > 1 else None
        lines = self.crops.validation and not self.val_paths  # of the same pictures: looked at once for both
        look = partial(self._watching, total=len(source), doing="checking lines")
        return prepare(source, self.transform, charset, decode, look, widest, peers, trim, lines)

    def _prepare_all(self, sources: Sequence[LineSource], charset: Charset) -> list[PreparedLines]:
        return [self._prepare(s, charset, trim) for s, trim in zip(sources, self.crops.training, strict=True)]

    def _open(self, path: str) -> LineSource:
        kept = Path(self.config.runs_dir) / ".lines"
        refuse_several_sets(path, self.options)
        source = self.peers.one_first(lambda: open_source(path, self.options, kept, self._watch))
        for note in source.notes:
            self.folder.say(f"note: {note}")
        return source

    def _watch(self, rows: Iterable[Row]) -> Iterable[Row]:
        return track(rows, "listing lines", None, transient=True, disable=self._quiet, console=self.folder.console)

    def _watching(self, positions: Iterable[int], total: int, doing: str) -> Iterable[int]:
        return track(positions, doing, total, transient=True, disable=self._quiet, console=self.folder.console)

    @property
    def _quiet(self) -> bool:
        """No bars in a log or a pipe, where each would leave an empty line."""
        return not (self.folder.first and self.folder.console.is_interactive)

    def _divide(self, sources: list[LineSource]) -> tuple[list[LineSource], LineSource | None]:
        """(training sources, validation source or None where all lines are rendered)."""
        if self.val_paths:
            return sources, together([self._open(path) for path in self.val_paths])
        if not sources:
            return [], None
        whole = together(sources)
        setting = self.config.split
        rule = SplitRule(setting.by, setting.pattern, setting.share, setting.test_share)
        recorded = self.folder.path / "splits"
        if self.config.resume and recorded.is_dir():
            split = Split.load(recorded, whole)
        else:
            split = split_lines(whole, rule, self.config.seed)
            if self.folder.first:
                split.save(recorded, whole)
        kept_apart = f", {len(split.test):,} kept apart as test lines" if len(split.test) else ""
        self.folder.say(
            f"data: {len(split.val):,} of {len(whole):,} lines are held out for validation (split.share, split.by)"
            f"{kept_apart}; recorded in {recorded}"
        )
        start, train = 0, []
        for source in sources:
            mine = (split.train >= start) & (split.train < start + len(source))
            train.append(Selection(source, split.train[mine] - start))
            start += len(source)
        return list(train), Selection(whole, split.val)

    def _fitting(self, source: LineSource, charset: Charset) -> PreparedLines:
        fitting = Fitting(source, charset, self.transform, self.data.max_width)

        @lru_cache(2)  # those of the widest epoch are asked for several times before the first step
        def sizes(epoch: int) -> np.ndarray:
            return np.array([fitting.size(i + epoch * len(fitting)) for i in range(len(fitting))], dtype=np.int32)

        self.folder.say(f"data: lines rendered on the fly, {len(fitting):,} new ones per epoch")
        return PreparedLines(fitting, sizes, [], widest=self.data.rendered.short_epochs)

    def _characters(
        self, sources: Sequence[LineSource], drawn: str
    ) -> tuple[Charset, SeenCharacters, list[PreparedLines]]:
        """(charset, how often each character was seen, checked lines of each source).

        A line is checked against the characters of all; then those that only dropped lines hold are left out.
        """
        if self.config.resume:
            return self._characters_of_run(sources, drawn)
        try:
            found = charset_from(self.config.charset, _labels(sources), drawn)
        except CharsetError:  # there are none: why is said of the lines, if anything is
            for source in sources:
                self._prepare(source, None, False).reports[0].refuse_if_too_many(self.data.max_dropped)
            raise
        prepared = self._prepare_all(sources, found.charset)
        if any(len(part.reports[0].dropped) for part in prepared) and all(len(part.source) for part in prepared):
            kept = _labels([part.source for part in prepared])
            found = charset_from(self.config.charset, kept, drawn, found)
        for note in found.notes if sources else ():
            self.folder.say(note)
        return found.charset, found.seen, prepared

    def _characters_of_run(
        self, sources: Sequence[LineSource], drawn: str
    ) -> tuple[Charset, SeenCharacters, list[PreparedLines]]:
        """Likewise, of the run that goes on, whatever the place has become that its characters once came from."""
        charset = read_card(self.folder.last).charset
        prepared = self._prepare_all(sources, charset)
        counts = count_symbols(_labels([part.source for part in prepared]), charset.rules, charset.unit)
        if sources:
            self.folder.say(f"characters: {len(charset)}, as when the run began")
        seen = SeenCharacters.of(charset, counts, characters(drawn, charset.rules, charset.unit))
        return charset, seen, prepared

    def _combined(self, parts: list[PreparedLines]) -> PreparedLines:
        parts = [self._cached(part) for part in parts]
        if self.data.weights is None and not any(part.source.endless for part in parts):
            return joined(parts)
        if self.data.weights is None and len(parts) == 1:
            return parts[0]
        return mixed(parts, self.data.weights or [1.0] * len(parts), self.config.seed)

    def _concatenated(self, lines: PreparedLines, charset: Charset, max_epochs: int) -> PreparedLines:
        setting, seed = self.config.augment, self.config.seed
        epochs = first_plain_epoch(setting, max_epochs)
        view = Joined(lines.source, charset, self.transform, setting.concat, self.data.max_width, seed, epochs)
        return concatenated(lines, view)

    def _cached(self, lines: PreparedLines) -> PreparedLines:
        if self.data.cache == "none":
            return lines
        on_disk = Path(self.config.runs_dir) / ".lines" if self.data.cache == "disk" else None
        return cached(lines, self.transform, int(self.data.cache_mb * 2**20), on_disk)


def _labels(sources: Sequence[LineSource]) -> Iterator[str]:
    """Of all lines, as far as they are labels."""
    return (text for source in sources for text in readable_labels(source) if label_problem(text) is None)
