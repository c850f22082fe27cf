"""What a sweep tries: settings with ranges or choices, as they stand on the command line."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crnn.errors import ConfigError

if TYPE_CHECKING:
    from optuna import Trial

OWN = ("name", "runs_dir", "resume", "hydra")
"""Settings that a sweep gives its trainings itself."""
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_RANGE = re.compile(rf"(log:)?((?:{_NUMBER})?)\.\.((?:{_NUMBER})?)(?:/({_NUMBER}))?")
MOST_LISTED = 10_000
"""Combinations of values that are looked through for one that was not tried yet."""
_ALLOWED = "allowed are A..B, A..B/STEP, log:A..B with numbers, or choices: a,b,c"


@dataclass(frozen=True)
class Swept:
    """A setting that is tried with several values.

    `choices` as they are written; else a range from `low` to `high`, whole numbers if `whole`.
    """

    setting: str
    text: str
    choices: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 0.0
    step: float | None = None
    log: bool = False
    whole: bool = False

    def suggest(self, trial: Trial) -> str:
        """The value of a trial, as it is written on the command line."""
        if self.choices:
            return self.written(trial.suggest_categorical(self.setting, self.choices))
        if self.whole:
            step = None if self.step is None else int(self.step)
            found = trial.suggest_int(self.setting, int(self.low), int(self.high), step=step or 1, log=self.log)
            return self.written(found)
        return self.written(trial.suggest_float(self.setting, self.low, self.high, step=self.step, log=self.log))

    def written(self, value: object) -> str:
        """A value as it is written on the command line."""
        return f"{value:.6g}" if isinstance(value, float) else str(value)

    def values(self) -> Sequence[str | int] | None:
        """All that can be tried; None for a range of numbers that need not be whole."""
        if self.choices:
            return self.choices
        return range(int(self.low), int(self.high) + 1, int(self.step or 1)) if self.whole else None

    def ends(self) -> tuple[str, ...]:
        """Values that have to be allowed: all choices; both ends of a range, and the second of whole numbers."""
        if self.choices:
            return self.choices
        if not self.whole:
            return (f"{self.low:.6g}", f"{self.high:.6g}")
        low, high = int(self.low), int(self.high)
        return tuple(map(str, dict.fromkeys((low, high, min(low + int(self.step or 1), high)))))


@dataclass(frozen=True)
class Space:
    """The settings of a sweep: those that are tried, and those that all trials have in common."""

    swept: tuple[Swept, ...]
    fixed: dict[str, str]

    @classmethod
    def parse(cls, words: Sequence[str]) -> Space:
        """From ``setting=value`` words; a value with a range or with commas outside of brackets is swept.

        Where networks or heights are tried, all begin from nothing unless `init` says otherwise.

        Raises:
            ConfigError: for a word that is no setting, a range that is none, a setting given twice, or none to try.
        """
        swept: dict[str, Swept] = {}
        fixed: dict[str, str] = {}
        for word in words:
            setting, equals, value = word.partition("=")
            if not equals or not setting:
                raise ConfigError(f"{word}: is no setting; give setting=value, such as data.root=my_lines")
            if setting.split(".")[0] in OWN:
                raise ConfigError(f"{word}: a sweep names its runs itself; leave it out (--study NAME, --runs FOLDER)")
            if setting in swept or setting in fixed:
                raise ConfigError(f"{word}: {setting} is given twice; leave one out")
            found = _swept(setting, value)
            if found:
                swept[setting] = found
            else:
                fixed[setting] = value
        networks = any(setting.split(".")[0] in ("model", "image") for setting in swept)
        if networks and "init" not in swept and "init" not in fixed:
            fixed["init"] = "null"  # else only those like the model in the box would start from it
        if not swept:
            raise ConfigError(f"no setting has several values; {_ALLOWED}, such as optimizer.lr=log:5e-4..8e-3")
        return cls(tuple(swept.values()), fixed)

    def combinations(self) -> list[dict[str, str | int]] | None:
        """All that can be tried; None if they are more than `MOST_LISTED`, or without end."""
        values = [one.values() for one in self.swept]
        known = [some for some in values if some is not None]
        if len(known) < len(values) or math.prod(map(len, known)) > MOST_LISTED:
            return None
        return [dict(zip((one.setting for one in self.swept), some, strict=True)) for some in itertools.product(*known)]

    def written(self, values: Mapping[str, object]) -> tuple[str, ...]:
        """What a trial of these values tries, as it is written; empty if it has none yet."""
        return tuple(one.written(values[one.setting]) for one in self.swept if one.setting in values)

    def words(self) -> dict[str, str]:
        """Setting -> what stood on the command line; what makes two sweeps the same."""
        return self.fixed | {one.setting: one.text for one in self.swept}

    def refuse_unlike(self, study: str, before: dict[str, str]) -> None:
        """Raise a ConfigError that names a setting of a running study that now says something else."""
        now = self.words()
        for setting in sorted(before.keys() | now.keys()):
            then, here = before.get(setting), now.get(setting)
            if then != here:
                told = "was not there" if then is None else f"was {setting}={then}"
                said = f"now {setting}={here}" if here is not None else "now it is missing"
                raise ConfigError(
                    f"--study {study}: {setting} {told} when it began, {said}; trials would not be comparable. Give "
                    "the settings it began with (crnn sweep --report shows them), or another --study"
                )


def _swept(setting: str, value: str) -> Swept | None:
    """A range or choices; None for a single value."""
    whole = _RANGE.fullmatch(value)
    if whole and (whole[2] or whole[3]):  # else a path
        return _range(setting, value, *whole.groups())
    if value.startswith("log:"):
        raise ConfigError(f"{setting}={value}: is no range; {_ALLOWED}")
    parts = _split(value)
    if len(parts) == 1:
        return None
    if any(not part.strip() for part in parts) or len(set(parts)) < len(parts):
        raise ConfigError(f"{setting}={value}: has an empty choice or one twice; {_ALLOWED}")
    return Swept(setting, value, choices=tuple(parts))


def _range(setting: str, text: str, log: str | None, low: str, high: str, step: str | None) -> Swept:
    if not low or not high:
        raise ConfigError(f"{setting}={text}: an end is missing; {_ALLOWED}")
    first, last, width = float(low), float(high), None if step is None else float(step)
    if not (math.isfinite(first) and math.isfinite(last) and first < last):
        raise ConfigError(f"{setting}={text}: the first end must be below the second")
    if log and (first <= 0 or width is not None):
        raise ConfigError(f"{setting}={text}: log: needs ends above 0 and has no steps; {_ALLOWED}")
    if width is not None and not 0 < width <= last - first:
        raise ConfigError(f"{setting}={text}: the step must be above 0 and fit between the ends")
    whole = all(re.fullmatch(r"[-+]?\d+", end) for end in (low, high, step) if end is not None)
    return Swept(setting, text, (), first, last, width, bool(log), whole)


def _split(value: str) -> list[str]:
    """At the commas outside of brackets and quotes."""
    parts, depth, quote = [""], 0, ""
    for character in value:
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character in "[{(":
            depth += 1
        elif character in "]})":
            depth -= 1
        elif character == "," and depth == 0:
            parts.append("")
            continue
        parts[-1] += character
    return parts
