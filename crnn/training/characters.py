"""Which characters a training's model writes: from labels, a list, a named set, a text file or another model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import NamedTuple

from crnn.core.charset import Charset, characters, count_symbols
from crnn.core.charsets import SET_PREFIX, named_set
from crnn.core.seen import RARE, SeenCharacters
from crnn.core.text import TextRules
from crnn.data.labels import CONTROL, runs_against
from crnn.errors import CharsetError, ConfigError
from crnn.loader import MODEL_SUFFIXES, read_card
from crnn.training.config import CharsetConfig

NAMED = 20
"""At most so many are named in one line."""
ROUND_TRIPS = 20_000
"""So many labels of right-to-left lines are tried for whether their reading comes back."""

_RULES = ("form", "unit", "whitespace", "case", "direction")


class Characters(NamedTuple):
    """What a training's model writes."""

    charset: Charset
    notes: list[str]
    """What there is to say: its size, rare and left-out characters, labels that do not come back."""
    seen: SeenCharacters
    """How often the training labels hold each."""
    left_out: dict[str, int]
    """What labels hold that is not in it: symbol -> how often."""


def charset_from(
    config: CharsetConfig, texts: Iterable[str], drawn: str = "", of_all: Characters | None = None
) -> Characters:
    """The charset that settings ask for, and what there is to say about it.

    Args:
        config: checked settings.
        texts: training labels, each once; read to the end and not kept.
        drawn: characters of lines rendered on the fly; they count as seen often.
        of_all: what this gave for all lines, where some cannot be used and `texts` are those of the others: no
            character comes from a line that is dropped.

    Raises:
        ConfigError: for a source that cannot be read, or settings at odds with those of a model.
        CharsetError: for no characters at all.
        ModelFileError: for a damaged model file.
    """
    notes: list[str] = []
    charset, origin = _named(config)
    rules = charset.rules if charset else rules_of(config)
    unit = charset.unit if charset else config.unit
    lost: list[str] = []
    counts = count_symbols(_tried(texts, rules, lost), rules, unit)  # type: ignore[arg-type]  # checked
    min_count = config.min_count
    if of_all is not None:  # which has decided what comes often enough
        counts, min_count = Counter(SeenCharacters.of(of_all.charset, counts).labels), 1
    often = set(characters(drawn, rules, unit))  # type: ignore[arg-type]
    if charset is None:
        kept = Counter({**counts, **{symbol: max(counts[symbol], min_count) for symbol in often}})
        charset = Charset.from_counts(kept, config.extra, rules, unit, min_count)  # type: ignore[arg-type]
        origin = "of the training labels"
    elif config.grow:
        known = charset
        found = {s for s in (*counts, *often) if s not in known and not all(point in known for point in s)}
        further = sorted(found)
        charset = charset.extended(further)
        if further:
            origin = f"{_counted(origin, known)}, then {len(further)} of the training labels"
    notes.append(f"characters: {len(charset)}{'' if origin.startswith(':') else ' '}{origin}{_said(charset)}")
    seen = SeenCharacters.of(charset, counts, often)
    left_out = {s: n for s, n in counts.items() if s not in charset and not all(point in charset for point in s)}
    left_out = of_all.left_out if of_all else left_out
    notes += _notes_on_counts(config, charset, seen, left_out)
    if against := runs_against(counts, rules):
        notes.append(f"note: {against}")
    if lost:
        notes.append(
            f"note: {len(lost)} training labels look like other text and will be read as that, such as {lost[0]!r} as "
            f"{rules.to_logical(rules.to_visual(rules.normalize(lost[0])))!r}"
        )
    return Characters(charset, notes, seen, left_out)


def rules_of(config: CharsetConfig) -> TextRules:
    """The text rules of checked settings."""
    return TextRules(config.form, config.whitespace, config.case, config.direction)  # type: ignore[arg-type]


def listed_characters(config: CharsetConfig) -> tuple[str, ...] | None:
    """The characters that settings name, in class order; None where the training labels decide."""
    charset, _ = _named(config)
    return charset.symbols if charset else None


def _named(config: CharsetConfig) -> tuple[Charset | None, str]:
    """The charset that settings name by themselves, or None; and where it comes from."""
    if config.symbols is not None:
        return _listed([config.symbols], config), "of charset.symbols"
    if config.source is None:
        return None, ""
    if config.source.startswith(SET_PREFIX):
        return _listed(named_set(config.source.removeprefix(SET_PREFIX)), config), f"of {config.source}"
    path = Path(config.source)
    if path.suffix.lower() in MODEL_SUFFIXES:
        return _of_model(path, config)
    return _listed(_lines(path), config), f"of {path}"


def _listed(lists: Iterable[str], config: CharsetConfig) -> Charset:
    """The charset of lists of characters, ordered by code point."""
    rules, unit = rules_of(config), config.unit
    found = Counter(s for listed in lists for s in characters(listed, rules, unit))  # type: ignore[arg-type]  # checked
    try:
        return Charset.from_counts(found, config.extra, rules, unit)  # type: ignore[arg-type]
    except CharsetError as error:
        where = f"charset.source={config.source}" if config.source else f"charset.symbols={config.symbols}"
        raise ConfigError(f"{where}: {error}") from None


def _lines(path: Path) -> Iterator[str]:
    """The lines of a text file in UTF-8, without line ends and byte order mark."""
    setting = f"charset.source={path}"
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, 1):
                line = line.rstrip("\n")
                if control := CONTROL.search(line):
                    raise ConfigError(
                        f"{setting}: line {number} holds the control character U+{ord(control[0]):04X}; remove it, "
                        "every other character of the file becomes one of the charset"
                    )
                yield line
    except UnicodeDecodeError as error:
        raise ConfigError(f"{setting}: is not UTF-8 ({error.reason}); save it as UTF-8") from None
    except OSError as error:
        raise ConfigError(
            f"{setting}: cannot be read ({error.strerror}); give a text file, a model file "
            f"({', '.join(MODEL_SUFFIXES)}) or a named set such as {SET_PREFIX}latin"
        ) from None


def asked_otherwise(config: CharsetConfig, charset: Charset) -> str | None:
    """The first text rule that settings want otherwise than a model has it; None if they go together."""
    defaults = {field.name: field.default for field in fields(CharsetConfig)}
    wanted = {name: getattr(config, name) for name in _RULES}
    return next((n for n in _RULES if wanted[n] not in (getattr(charset, n), defaults[n])), None)


def _of_model(path: Path, config: CharsetConfig) -> tuple[Charset, str]:
    """A model's characters in its order, those of charset.extra behind them; its text rules hold."""
    own = read_card(path).charset
    if name := asked_otherwise(config, own):
        raise ConfigError(
            f"charset.{name}={getattr(config, name)}: the characters come from {path}, whose {name} is "
            f"{getattr(own, name)}; leave charset.{name} out, or take the characters from elsewhere"
        )
    further = sorted(s for s in characters(config.extra, own.rules, own.unit) if s not in own)
    charset = own.extended(further)
    origin = f"of {path}, in its order"
    return charset, f"{_counted(origin, own)}, then {len(further)} of charset.extra" if further else origin


def _counted(origin: str, charset: Charset) -> str:
    """``: 179 of latin.onnx, in its order``: how many of all come from there, where others follow."""
    return origin if origin.startswith(":") else f": {len(charset)} {origin}"


def _said(charset: Charset) -> str:
    """The rules that are not the default ones, as a tail."""
    rules = dict(charset.rules.differences())
    if charset.unit != "grapheme":
        rules["unit"] = charset.unit
    return f" ({', '.join(f'{name}={value}' for name, value in rules.items())})" if rules else ""


def _notes_on_counts(
    config: CharsetConfig, charset: Charset, seen: SeenCharacters, left_out: dict[str, int]
) -> list[str]:
    """Lines on characters that come rarely, never, or too rarely to be learned."""
    notes = []
    rare = {symbol: count for symbol, count in seen.labels.items() if count < RARE and symbol not in seen.rendered}
    if rare:
        come = _number(rare, "come", "comes")
        notes.append(f"note: {come} fewer than {RARE} times in the training labels: {_list(rare)}")
    never = {symbol: 0 for symbol in charset.symbols if symbol not in seen.labels and symbol not in seen.rendered}
    if never and seen.labels:
        listed = "" if config.grow else f": {_list(never)}"  # a model's own, which it begins with, are many
        notes.append(f"note: {_number(never, 'never come', 'never comes')} in the training labels{listed}")
    if left_out and config.min_count > 1:
        notes.append(
            f"note: charset.min_count={config.min_count} leaves out {len(left_out)} characters: {_list(left_out)}; "
            "what becomes of their lines is data.unknown"
        )
    return notes


def _number(some: dict[str, int], are: str, is_one: str) -> str:
    return f"{len(some)} characters {are}" if len(some) != 1 else f"1 character {is_one}"


def _list(counts: dict[str, int]) -> str:
    """``'ï' U+00EF (2), ...``, the rarest first."""
    order = sorted(counts, key=lambda symbol: (counts[symbol], symbol))
    shown = [
        f"{symbol!r} {' '.join(f'U+{ord(c):04X}' for c in symbol)}" + (f" ({counts[symbol]})" if counts[symbol] else "")
        for symbol in order[:NAMED]
    ]
    more = [f"... and {len(order) - NAMED} more"] if len(order) > NAMED else []
    return ", ".join(shown + more)


def _tried(texts: Iterable[str], rules: TextRules, lost: list[str]) -> Iterator[str]:
    """`texts`; those whose reading would not come back, of the first ones, are put into `lost`."""
    for number, text in enumerate(texts):
        if number < ROUND_TRIPS and not rules.round_trips(text):
            lost.append(text)
        yield text
