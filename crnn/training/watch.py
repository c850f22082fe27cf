"""Does it learn to read? CTC's first blanks, the first characters, and when to worry. Runs without torch."""

from __future__ import annotations

import shlex
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from crnn.core.metrics import EditCounts

EXPECTED = 1000
"""Steps by which a network has read its first characters.

Chosen from few trainings: crnn_tiny on lines of up to 6 characters read at step 160 (optimizer.lr=0.01, batches of 4);
crnn_small on rendered Latin lines saw its loss fall from step 400 on and had 63 % of the characters right at step 988,
and none 247 steps before; another one with a longer warm-up, 1,100 expected, read at step 560. So what is said is a
range, from `EARLY` on. Half as much again (`LATE`) before a training is called stuck, and the first characters are
still announced then.
"""
EARLY = 0.3
"""Of the expected steps: before, hardly any network reads."""
LATE = 1.5
"""Times as many steps are too many with a loss that does not fall; twice that with any loss."""
WINDOW = 3
"""Looks that are judged together."""
BETTER = 0.85
"""Who reads makes at most this share of the errors that its readings make against other lines' labels."""
FALLING = 0.97
"""A loss that still falls comes down to this share within half the expected steps."""


@dataclass(frozen=True)
class Look:
    """What a batch of training lines reads as."""

    step: int
    loss: float
    """Nats per character of the labels."""
    blank: float
    """Share of time steps (0..1) whose likeliest class is the blank."""
    errors: int
    """Character errors of the readings against their own labels."""
    chance: int
    """And against the label of the next line in the batch; where there is no other label, as if nothing was read."""
    characters: int
    """Of the labels."""
    text: str | None
    """The one text that all lines read as although their labels differ."""

    @classmethod
    def at(cls, step: int, loss: float, blank: float, readings: Sequence[str], labels: Sequence[str]) -> Look:
        """The figures of a batch."""
        own = EditCounts.total(zip(readings, labels, strict=True))
        differ = len(set(labels)) > 1
        other = EditCounts.total(zip(readings, [*labels[1:], *labels[:1]], strict=True)) if differ else None
        return cls(
            step,
            loss,
            blank,
            own.character_errors,
            other.character_errors if other else own.characters,
            own.characters,
            readings[0] if differ and len(set(readings)) == 1 and readings[0] else None,
        )


class Watch:
    """Says once what a training has come to: only blanks, first characters, stuck, or nothing any more.

    A network reads if its readings suit their own pictures better than other ones: one that writes the same frequent
    letters for every picture also gets some of them right.

    Args:
        total: steps of the training.
        warmup: steps in which the learning rate rises; half as many more are waited for.
        lr: peak learning rate, for the advice.
        lines: path of the training lines, for the advice; None if they are rendered.
    """

    def __init__(self, total: int, warmup: int = 0, lr: float = 2e-3, lines: str | None = None) -> None:
        self.state = "new"  # blank, reading, stuck, lost
        self._total = total
        self._expected = 50 * round((EXPECTED + warmup / 2) / 50)
        self._lr = lr
        self._lines = lines
        self._looks: deque[Look] = deque(maxlen=WINDOW)
        self._losses: list[tuple[int, float]] = []  # (step, loss), while nothing is read
        self._read_at = 0
        self._lost_once = self._warned_of_val = False
        self._val_cer = 0.0  # of the last validation

    @property
    def _earliest(self) -> int:
        """Where the range begins in which first characters are expected."""
        return 50 * max(1, round(EARLY * self._expected / 50))

    @property
    def every(self) -> int:
        """Steps between looks: few until it reads."""
        return 100 if self.state == "reading" else 20

    @property
    def cer(self) -> float:
        """Of the latest training lines that were looked at; 1 before."""
        characters = sum(look.characters for look in self._looks)
        return sum(look.errors for look in self._looks) / characters if characters else 1.0

    def state_dict(self) -> dict[str, Any]:
        """For checkpoints: plain values."""
        return {
            "state": self.state,
            "read_at": self._read_at,
            "lost_once": self._lost_once,
            "warned_of_val": self._warned_of_val,
            "losses": [list(pair) for pair in self._losses],
        }

    def load_state_dict(self, stored: dict[str, Any]) -> None:
        """Go on as `state_dict` left off."""
        self.state = stored["state"]
        self._read_at = stored["read_at"]
        self._lost_once = stored["lost_once"]
        self._warned_of_val = stored["warned_of_val"]
        self._losses = [(int(step), float(loss)) for step, loss in stored["losses"]]

    def look(self, look: Look) -> str | None:
        """Take a look into account; returns what is to be said, if the state has changed."""
        self._looks.append(look)
        if self.state != "reading":
            self._losses.append((look.step, look.loss))
        if len(self._looks) < WINDOW:
            return None
        if self._reads():
            return self._first_characters(look)
        if self.state == "new":
            self.state = "blank"
            return self._plateau(look)
        if self.state == "blank" and self._is_stuck(look.step):
            self.state = "stuck"
            return self._stuck(look)
        if self.state == "reading" and self.cer > 0.95 and not self._lost_once:
            self.state, self._lost_once, self._losses = "lost", True, []
            return (
                f"step {look.step:,}: reads nothing any more, though it did from step {self._read_at:,} on: a lower "
                f"optimizer.lr (now {self._lr:g}) or optimizer.clip keeps it from that"
            )
        return None

    def validated(self, step: int, cer: float) -> str | None:
        """Take a validation's CER into account; returns what is to be said."""
        self._val_cer = cer
        if self._warned_of_val or self.state != "reading" or self.cer > 0.5 or cer < 0.9:
            return None
        self._warned_of_val = True
        return (
            f"step {step:,}: reads training lines (CER {self.cer:.0%}), but not validation lines ({cer:.0%}): either "
            "validation labels do not belong to their pictures (look at samples/), or those lines are of another kind "
            "than the training lines, or there are so few training lines that they are learnt by heart"
        )

    def ended(self, step: int) -> str | None:
        """What is to be said if the training ends before anything was read."""
        if (
            self.state not in ("blank", "new")
            or 0 < self._val_cer < 0.95
            or (self.state == "new" and not self._val_cer)
        ):
            return None
        return (
            f"the training ended after {step:,} steps, before it read its first characters: that usually takes "
            f"{self._earliest:,} to {self._expected:,} steps; train longer (trainer.max_epochs, max_minutes), or "
            "start from a model that reads: init=bundled"
        )

    def _reads(self) -> bool:
        errors = sum(look.errors for look in self._looks)
        characters = sum(look.characters for look in self._looks)
        chance = min(characters, sum(look.chance for look in self._looks))
        return errors < BETTER * chance or errors < 0.2 * characters

    def _first_characters(self, look: Look) -> str | None:
        before, self.state = self.state, "reading"
        if before == "reading":
            return None
        self._losses = []
        self._read_at = self._read_at or look.step
        if before == "new":  # as after init
            return None
        what = "reads again" if before == "lost" else "reads its first characters"
        return f"step {look.step:,}: {what} (CER of the latest training lines {self.cer:.0%})"

    def _is_stuck(self, step: int) -> bool:
        if step < LATE * self._expected:
            return False
        half = self._expected // 2
        late = [loss for at, loss in self._losses if at > step - half // 2]
        early = [loss for at, loss in self._losses if step - half - half // 2 < at <= step - half]
        falls = bool(early) and sum(late) / len(late) < FALLING * sum(early) / len(early)
        return not falls or step >= 2 * LATE * self._expected

    def _what(self, look: Look) -> str:
        if look.text is not None:
            return f"the same text {look.text!r} in every line"
        if look.blank > 0.95:
            return f"blanks only ({look.blank:.1%} of the time steps)"
        return "nothing that suits the pictures"

    def _plateau(self, look: Look) -> str:
        message = (
            f"step {look.step:,}: reads {self._what(look)} so far, which is normal for CTC at first; first characters "
            f"usually come between step {self._earliest:,} and {self._expected:,}, and until then a falling loss shows "
            f"that it learns (now {look.loss:.2f} per character)"
        )
        if self._total < self._expected:
            message += f"; this training has {self._total:,} steps in all: if it ends before, raise trainer.max_epochs"
        return message

    def _stuck(self, look: Look) -> str:
        first, last = self._losses[0][1], look.loss
        advice = [
            f"step {look.step:,}: stuck: reads {self._what(look)}; the loss per character went from {first:.2f} to "
            f"{last:.2f}; others usually read by step {self._expected:,}. What to try, the likeliest first:",
            f"a lower learning rate: optimizer.lr={self._lr / 4:g} (now {self._lr:g})",
            "shorter lines first: data.max_width=300, then init=runs/NAME with all of them",
            "start from a model that reads: init=bundled",
        ]
        if self._lines is not None:
            advice[1:1] = [
                "do labels belong to their pictures, or are they shuffled? look at the newest picture in samples/",
                f"crnn check {shlex.quote(self._lines)} --html page.html finds pictures that are inverted, on their "
                "side or cut badly, and labels in another script",
            ]
        return "\n  - ".join(advice)
