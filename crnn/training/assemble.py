"""From settings to checked lines and a charset."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rich.progress import track

from crnn.core.charset import Charset
from crnn.core.image import LineTransform
from crnn.data.check import UNKNOWN_CHARACTER, CheckReport, label_problem
from crnn.data.module import PreparedLines, find_splits, open_all, prepare, split_source
from crnn.data.sources.views import Fitting
from crnn.data.synth.source import synthetic_pair
from crnn.data.synth.text import PRINTABLE_ASCII
from crnn.errors import DataError
from crnn.training.config import TrainConfig
from crnn.training.run_folder import RunFolder


@dataclass
class Assembled:
    """What a training reads."""

    charset: Charset
    train: PreparedLines
    val: PreparedLines

    def record(self) -> dict[str, object]:
        """For data.json: what was read, and its fingerprint."""

        def of(lines: PreparedLines) -> dict[str, object]:
            return {
                "source": lines.source.name,
                "lines": len(lines.source),
                "dropped": len(lines.report.dropped) if lines.report else 0,
                "fingerprint": lines.report.fingerprint if lines.report else None,
            }

        return {"train": of(self.train), "val": of(self.val), "characters": "".join(self.charset.symbols)}


def workers_for(setting: int | None) -> int:
    """Processes that prepare lines: as set, or one on up to 3 cores, else up to 8."""
    cores = os.cpu_count() or 1
    return setting if setting is not None else 1 if cores <= 3 else min(8, cores - 1)


def assemble(config: TrainConfig, transform: LineTransform, folder: RunFolder) -> Assembled:
    """Open, check and split the lines of a training; say what is kept.

    Raises:
        DataError, CharsetError: naming lines and remedies.
    """
    if config.data.root is None and config.data.train is None:
        return _rendered(config, transform, folder)
    return _real(config, transform, folder)


def _rendered(config: TrainConfig, transform: LineTransform, folder: RunFolder) -> Assembled:
    rendered = config.data.rendered
    characters = rendered.characters or config.charset.symbols or PRINTABLE_ASCII
    charset = _charset(config, [characters])
    train, val = synthetic_pair(
        lines=rendered.lines,
        val_lines=rendered.val_lines,
        seed=config.seed,
        characters=characters,
        fonts=rendered.fonts,
        text_file=Path(rendered.text_file) if rendered.text_file else None,
        min_length=rendered.min_length,
        max_length=rendered.max_length,
        wear=rendered.wear,
    )

    fitting = Fitting(train, charset, transform)

    def sizes(epoch: int) -> list[tuple[int, int]]:
        return [fitting.size(i + epoch * len(fitting)) for i in range(len(fitting))]

    checked = prepare(val, transform, charset, False, iter)
    folder.say(
        f"data: lines rendered on the fly, {len(fitting):,} new ones per epoch; "
        f"validation: {len(checked.source):,} lines in fonts and words that training never sees"
    )
    return Assembled(charset, PreparedLines(fitting, sizes, None), checked)


def _real(config: TrainConfig, transform: LineTransform, folder: RunFolder) -> Assembled:
    data = config.data
    train_path, val_path = data.train, data.val
    if data.root is not None:
        root_train, root_val = find_splits(data.root)
        train_path, val_path = train_path or root_train, val_path or root_val
    source = open_all(train_path)
    if val_path:
        held_out = open_all(val_path)
    else:
        source, held_out = split_source(source, data.val_share, config.seed, data.split_by)  # type: ignore[arg-type]
        folder.say(f"data: {data.val_share:.0%} of the lines are held out for validation (data.val_share)")

    def progress(positions: Iterable[int]) -> Iterable[int]:
        return track(positions, "checking lines", transient=True, disable=not folder.first, console=folder.console)

    if config.charset.symbols is not None:
        charset = _charset(config, [])
    else:
        texts = [source.entry(i).text for i in range(len(source))]
        charset = _charset(config, [text for text in texts if label_problem(text) is None])
    train = prepare(source, transform, charset, data.decode_check, progress, data.max_width)
    val = prepare(held_out, transform, None, data.decode_check, progress, data.max_width)
    assert train.report is not None
    assert val.report is not None
    _refuse_unknown(train.report, data.unknown)
    if folder.first:
        both = CheckReport("", dropped=[*train.report.dropped, *val.report.dropped])
        both.write_dropped(folder.path / "dropped.tsv")
    for name, report in (("training", train.report), ("validation", val.report)):
        folder.say(f"{name}: {report.summary()}" + (f"; see {folder.path / 'dropped.tsv'}" if report.dropped else ""))
        report.refuse_if_too_many(data.max_dropped)
    _say_unknown(val, charset, folder)
    return Assembled(charset, train, val)


def _charset(config: TrainConfig, texts: list[str]) -> Charset:
    chosen = config.charset
    form, unit = chosen.form, chosen.unit
    if chosen.symbols is not None:
        texts = [chosen.symbols]
    return Charset.from_texts(texts, chosen.extra, form, unit)  # type: ignore[arg-type]  # checked by the config


def _refuse_unknown(report: CheckReport, policy: str) -> None:
    unknown = [d for d in report.dropped if d.reason == UNKNOWN_CHARACTER]
    if unknown and policy == "error":
        first = unknown[0]
        raise DataError(
            f"{first.where}: {first.detail}" + (f" (and {len(unknown) - 1} more lines)" if unknown[1:] else "")
        )


def _say_unknown(val: PreparedLines, charset: Charset, folder: RunFolder) -> None:
    """Validation lines that no reading can get right are kept (they count as errors) and named."""
    missing: dict[str, int] = {}
    for i in range(len(val.source)):
        for symbol in charset.unknown(val.source.entry(i).text):
            missing[symbol] = missing.get(symbol, 0) + 1
    if missing:
        named = ", ".join(f"{symbol!r} in {count}" for symbol, count in sorted(missing.items())[:10])
        folder.say(
            f"note: validation has {len(missing)} characters that training lacks ({named} lines); they count as errors"
        )
