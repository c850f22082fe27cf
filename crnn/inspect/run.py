"""The pass over all lines: labels are counted first, then every picture is looked at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from typing import Any

import numpy as np

from crnn.core.charset import Charset, count_symbols, describe
from crnn.core.text import TextRules
from crnn.core.transform import LineTransform
from crnn.data.check import TOO_WIDE, line_problem, too_many_dropped
from crnn.data.crops import choose_crops, loose_share
from crnn.data.hashes import text_hash
from crnn.data.labels import SHOWN, UNKNOWN_CHARACTER, fit_problem, label_problem, runs_against
from crnn.data.progress import Watch, unwatched
from crnn.data.sources.base import LineEntry, LineSource
from crnn.data.sources.columns import entries, labels
from crnn.data.sources.views import with_format
from crnn.data.split import leaks
from crnn.errors import printable
from crnn.inspect import kinds, sets
from crnn.inspect.kinds import Finding
from crnn.inspect.picture_faults import Look, look, picture_faults
from crnn.inspect.results import Inspection, SetSummary, Settings, line_at
from crnn.inspect.tally import Tally
from crnn.inspect.text_faults import LabelStatistics, TextFaults

_BLOCK = 256
_WIDTH_STEP = 16


def inspect(
    train: Sequence[LineSource],
    val: Sequence[LineSource],
    settings: Settings,
    tally: Tally | None = None,
    watch: Watch = unwatched,
) -> Inspection:
    """Look at every line once.

    Args:
        train, val: sources of each side, none of them endless.
        settings: what for.
        tally: takes the findings.
        watch: shows progress.
    """
    return _Pass(train, val, settings, tally or Tally(), watch).run()


class _Pass:
    """The steps of `inspect`."""

    def __init__(
        self, train: Sequence[LineSource], val: Sequence[LineSource], settings: Settings, tally: Tally, watch: Watch
    ) -> None:
        self.sources = {"train": list(train), "val": list(val)}
        self.settings = settings
        self.watch = watch
        self.result = Inspection(settings, settings.charset, tally)
        self.facts: dict[str, list[sets.SetFacts]] = {"train": [], "val": []}

    def run(self) -> Inspection:
        self.faults = self._count_characters()
        self.result.text_faults = self.faults
        self._choose_crops()
        for role, sources in self.sources.items():
            start = 0
            for number, source in enumerate(sources):
                self._look_at(role, number, source, start)
                start += len(source)
        for role in self.sources:
            self._whole_sets(role)
        if self.sources["val"]:
            self._both_sides()
        self._judge()
        return self.result

    def _count_characters(self) -> TextFaults:
        charset = self.settings.charset
        rules = charset.rules if charset else TextRules()
        unit = charset.unit if charset else "grapheme"
        statistics = LabelStatistics()
        for role, sources in self.sources.items():
            texts = statistics.watch(_labels(sources, self.watch))
            self.result.characters[role] = count_symbols(texts, rules, unit)
        if against := runs_against(self.result.characters["train"], rules):
            self.result.notes.append(against)
        if charset is None and self.result.characters["train"]:
            self.result.charset = Charset.from_counts(self.result.characters["train"], rules=rules)
        return TextFaults(statistics, rules)

    def _choose_crops(self) -> None:
        settings, train = self.settings, self.sources["train"]

        def shares() -> list[float]:
            return [loose_share(source, self.watch) for source in train]

        crops = choose_crops(train, settings.transform, settings.trim, settings.decode, shares)
        self.result.crops = crops
        if crops.why and any(crops.training):
            self.result.notes.append(crops.why)

    def _look_at(self, role: str, number: int, source: LineSource, start: int) -> None:
        trims = self.result.trims(role, number)
        summary = SetSummary(role, source.name, with_format(source), len(source), trims is not None)
        facts = sets.SetFacts(len(source))
        self.result.sets.append(summary)
        self.facts[role].append(facts)
        settings, add = self.settings, self.result.tally.add
        for position, (entry, seen) in enumerate(self._looks(source, trims)):
            found = [] if entry.problem or not entry.text.strip() else self.faults(entry.text, entry.picture)
            if seen.size != (0, 0):
                width = settings.transform.scaled_width(*seen.line)
                summary.widths[width // _WIDTH_STEP * _WIDTH_STEP] += 1
                found += picture_faults(seen, len(entry.text))
            summary.lengths[len(entry.text)] += 1
            # as training does: validation lines may hold what the charset lacks
            charset = self.result.charset if role == "train" else None
            problem = line_problem(entry, seen.problem, seen.line, settings.transform, charset, settings.max_width)
            if problem:
                summary.dropped[problem[0]] += 1
                found = [problem, *(fault for fault in found if problem[0] != TOO_WIDE or fault[0] != kinds.ASPECT)]
            else:
                summary.kept += 1
                self._remember(facts, position, entry, seen, width)
                if role == "val" and self.result.charset:
                    beyond = _beyond(entry.text, self.result.charset, seen, settings.transform)
                    found += [(kinds.OUT_OF_REACH, beyond)] if beyond else []
            for kind, detail in found:
                add(Finding(role, start + position, entry.where, entry.picture, kind, detail))

    def _looks(self, source: LineSource, trims: LineTransform | None) -> Iterator[tuple[LineEntry, Look]]:
        """Every line with its look, in order; pictures are decoded by several threads."""
        decode = partial(look, source, decode=self.settings.decode, trimmed_for=trims)
        positions = self.watch(range(len(source)), len(source), "looking at pictures")
        lines = zip(positions, entries(source), strict=True)
        with ThreadPoolExecutor(self.settings.threads) as pool:
            many = map if self.settings.threads == 1 else pool.map
            while block := list(islice(lines, _BLOCK)):
                places, found = zip(*block, strict=True)
                yield from zip(found, list(many(decode, places, found)), strict=True)

    @staticmethod
    def _remember(facts: sets.SetFacts, position: int, entry: LineEntry, seen: Look, width: int) -> None:
        facts.pixels[position] = seen.pixels
        facts.labels[position] = text_hash(entry.text)
        facts.density[position] = len(entry.text) / width
        facts.length[position] = min(255, len(entry.text))
        facts.polarity[position] = seen.polarity

    def _whole_sets(self, role: str) -> None:
        """Findings that need all lines of a role."""
        start = 0
        for source, facts in zip(self.sources[role], self.facts[role], strict=True):
            for position, kind, times in sets.unusual_lengths(facts.density, facts.length):
                entry = source.entry(position)
                detail = f"{len(entry.text)} characters, {times:.1f} times as many per width as is usual here"
                self._add(role, start + position, entry, kind, f"{printable(repr(entry.text), 80)}: {detail}")
            others, usual = sets.other_polarity(facts.polarity)
            for position in others.tolist():
                self._add(role, start + position, source.entry(position), kinds.INVERTED, f"the set is {usual}")
            if not len(others) and "," in usual:
                self.result.notes.append(f"{source.name}: {usual}; both kinds are learned")
            start += len(source)
        if self.facts[role]:
            for position, earlier, kind in sets.duplicates(self._all(role, "pixels"), self._all(role, "labels")):
                entry, other = self._entry(role, position), self._entry(role, earlier)
                detail = f"as in {other.where}"
                if kind == kinds.CONFLICT:
                    detail = f"{_quoted(entry.text)} here, {_quoted(other.text)} in {other.where}"
                self._add(role, position, entry, kind, detail)

    def _both_sides(self) -> None:
        """Findings of validation lines that training has too."""
        for position, earlier in sets.common(self._all("train", "pixels"), self._all("val", "pixels")):
            detail = f"as in {self._entry('train', earlier).where}"
            self._add("val", position, self._entry("val", position), kinds.LEAK, detail)
        leak = leaks(self.sources["train"], self.sources["val"])
        if leak:
            self.result.notes.append(leak)

    def _judge(self) -> None:
        """What training would refuse: it judges each training source by itself, validation lines as a whole."""
        share = self.settings.max_dropped
        train, val = ([one for one in self.result.sets if one.role == role] for role in ("train", "val"))
        for some in [*([one] for one in train), *([val] if val else [])]:
            name = " + ".join(one.name for one in some)
            kept, lines = sum(one.kept for one in some), sum(one.lines for one in some)
            unknown = sum(one.dropped[UNKNOWN_CHARACTER] for one in some)
            if too_many_dropped(kept, lines, share):
                self.result.refusals.append(
                    f"{name}: {lines - kept:,} of {lines:,} lines cannot be used; "
                    + (
                        f"data.max_dropped allows {share:g} of them; --fix FOLDER writes a copy without them"
                        if kept
                        else "nothing is left"
                    )
                )
            elif unknown:
                self.result.refusals.append(
                    f"{name}: {unknown:,} lines hold characters that the charset lacks; add them with charset.extra, "
                    "or leave such lines out with data.unknown=drop"
                )

    def _all(self, role: str, column: str) -> Any:
        return np.concatenate([getattr(facts, column) for facts in self.facts[role]])

    def _entry(self, role: str, position: int) -> LineEntry:
        source, inner = line_at(self.sources[role], position)
        return source.entry(inner)

    def _add(self, role: str, position: int, entry: LineEntry, kind: str, detail: str) -> None:
        self.result.tally.add(Finding(role, position, entry.where, entry.picture, kind, detail))


def _quoted(text: str) -> str:
    return printable(repr(text), SHOWN)


def _beyond(text: str, charset: Charset, seen: Look, transform: LineTransform) -> str:
    """Why no reading of a validation line can be right; empty if one can."""
    unknown = charset.unknown(text)
    if unknown:
        return f"{', '.join(map(describe, unknown[:3]))} not among the {len(charset)} characters that can be written"
    problem = fit_problem(text, charset, seen.line, transform)
    return problem[1] if problem else ""


def _labels(sources: Sequence[LineSource], watch: Watch) -> Iterator[str]:
    """The labels that a model can learn."""
    for source in sources:
        positions = watch(range(len(source)), len(source), "reading labels")
        for _, text in zip(positions, labels(source), strict=True):
            if label_problem(text) is None:
                yield text
