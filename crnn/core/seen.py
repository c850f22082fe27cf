"""How often a training saw each character: in the model's note, so that an evaluation can tell what is new to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from crnn.core.charset import Charset
from crnn.core.text import clusters

NOTE = "characters"
"""Key in a card's training note."""
RARE = 5
"""Characters that training labels hold fewer times than this are hardly known."""


@dataclass(frozen=True)
class SeenCharacters:
    """What a training, and those that it went on from, had to learn from."""

    labels: dict[str, int] = field(default_factory=dict)
    """Symbol of the charset -> how often it stands in labels of real training lines."""
    rendered: tuple[str, ...] = ()
    """Symbols that rendered lines were drawn from; how often each came is not counted."""
    earlier: str = ""
    """The model that the first training began from, where that one does not say what it has seen."""

    @classmethod
    def of(cls, charset: Charset, counts: Mapping[str, int], rendered: Iterable[str] = ()) -> SeenCharacters:
        """Of what `count_symbols` gave; clusters that are no symbols count as their code points."""
        seen: Counter[str] = Counter()
        for symbol, count in counts.items():
            if symbol in charset:
                seen[symbol] += count
            elif all(point in charset for point in symbol):
                seen.update(dict.fromkeys(symbol, count))
        return cls(dict(sorted(seen.items())), tuple(sorted(set(rendered))))

    @classmethod
    def of_note(cls, training: Mapping[str, Any]) -> SeenCharacters | None:
        """As a card's training note has it; None of a model that was trained before this was noted."""
        note = training.get(NOTE)
        if not isinstance(note, Mapping) or not isinstance(note.get("labels"), Mapping):
            return None
        labels = {str(symbol): count for symbol, count in note["labels"].items() if type(count) is int}
        rendered = note.get("rendered")
        return cls(
            labels,
            tuple(map(str, rendered)) if isinstance(rendered, list) else (),
            str(note.get("earlier") or ""),
        )

    def note(self) -> dict[str, Any]:
        """For the card: plain values."""
        return {
            "labels": self.labels,
            "rendered": list(self.rendered),
            **({"earlier": self.earlier} if self.earlier else {}),
        }

    def after(self, training: Mapping[str, Any], name: str) -> SeenCharacters:
        """This and all that a model called `name`, with this training note, had seen before."""
        before = self.of_note(training)
        if before is None:
            return SeenCharacters(self.labels, self.rendered, name)
        labels = dict(sorted((Counter(before.labels) + Counter(self.labels)).items()))
        return SeenCharacters(labels, tuple(sorted({*before.rendered, *self.rendered})), before.earlier)

    def times(self, character: str, charset: Charset) -> int | None:
        """How often a character came in labels, or the rarest of its code points; None if the charset lacks it."""
        if character in charset:
            return self.labels.get(character, 0)
        points = list(character)
        if len(points) < 2 or not all(point in charset for point in points):
            return None
        return min(self.labels.get(point, 0) for point in points)

    def was_rendered(self, character: str) -> bool:
        """Whether rendered lines could hold it."""
        return character in self.rendered or all(point in self.rendered for point in character)


@dataclass(frozen=True)
class Seldom:
    """A character of other labels that a training hardly ever saw."""

    training: int
    """How often its labels held it."""
    rendered: bool
    """Whether rendered lines held it as well."""


def seldom(seen: SeenCharacters, charset: Charset, texts: Iterable[str]) -> dict[str, Seldom]:
    """Characters of `texts` that the model can write, but saw fewer than `RARE` times; the rarest first.

    Of a model whose lines were all rendered, those that they never held.
    """
    found = {}
    for character in dict.fromkeys(c for text in texts for c in clusters(text)):
        times, drawn = seen.times(character, charset), seen.was_rendered(character)
        if times is not None and times < RARE and not (drawn and not seen.labels):
            found[character] = Seldom(times, drawn)
    return in_order(found)


def in_order(found: Mapping[str, Seldom]) -> dict[str, Seldom]:
    """The rarest first."""
    return dict(sorted(found.items(), key=lambda item: (item[1].training, item[1].rendered, item[0])))
