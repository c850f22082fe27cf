r"""Patterns that a whole text must match, such as ``\d{2}\.\d{2}\.\d{4}``, as automata over a charset's classes.

The parts of a pattern (`crnn.core.decode.pattern_parts`) become a deterministic automaton (subset construction), so
that matching never runs wild; sizes are bounded before anything is built.
"""

from __future__ import annotations

import unicodedata

from crnn.core.charset import Charset
from crnn.core.decode.automaton import Automaton
from crnn.core.decode.pattern_parts import Parts, parse
from crnn.errors import ConfigError

MAX_STATES = 10_000
"""States of the deterministic one."""
MAX_WORK = 3_000_000
"""Steps of its construction: a second or two."""


def compile_pattern(pattern: str, charset: Charset) -> Automaton:
    r"""The automaton of all texts that match `pattern` as a whole, as `re.fullmatch` has it.

    Args:
        pattern: characters, ``.``, ``[...]``, ``\d \w \s`` and their opposites, groups, ``|``, ``?``, ``*``, ``+``,
            ``{m,n}``; ``^`` and ``$`` at its ends say nothing new.
        charset: of the model; its symbols may have several code points.

    Raises:
        ConfigError: for what is empty, no regular expression, not supported, too large, matches no text of the
            charset, or for a charset of lines that do not run from left to right.
    """
    if charset.direction != "ltr":
        raise ConfigError(
            f"patterns are for lines from left to right; this model's have direction {charset.direction}; list the "
            "allowed texts in a lexicon instead"
        )
    if not pattern:
        raise ConfigError("the pattern is empty: only a line without text matches it; leave it out to read any text")
    if charset.form in ("NFC", "NFKC"):  # one character, as texts have it; NFKC itself would make operators of others
        pattern = unicodedata.normalize("NFC", pattern)
    parts = Parts(pattern, charset)
    start = parts.state()
    try:
        end = parts.sequence(parse(pattern), start)
    except RecursionError:
        raise ConfigError(f"pattern {pattern!r} is nested too deep") from None
    automaton = _deterministic(parts, start, end, charset)
    if not automaton.possible:
        raise ConfigError(f"pattern {pattern!r} matches no text of the model's {len(charset)} characters")
    return automaton


def _deterministic(parts: Parts, start: int, end: int, charset: Charset) -> Automaton:
    """Subset construction. Symbols that pass the same tests share a group, so large charsets cost little."""
    passed = {
        c: frozenset(i for i, test in enumerate(parts.tests) if test(c)) for c in sorted(set("".join(charset.symbols)))
    }
    kinds: dict[tuple[frozenset[int], ...], int] = {}
    groups = [-1]  # the blank takes no move
    for symbol in charset.symbols:
        groups.append(kinds.setdefault(tuple(passed[c] for c in symbol), len(kinds)))
    first = parts.closure(iter((start,)))
    numbers = {first: 0}
    moves: list[dict[int, int]] = []
    waiting = [first]
    work = 0
    for states in waiting:  # grows on the way
        moves.append({})
        for kind, group in kinds.items():
            reached = states
            for tests in kind:
                work += len(reached)
                reached = parts.closure(
                    after for state in reached for test, after in parts.moves[state] if test in tests
                )
                work += len(reached)
            if not reached:
                continue
            if reached not in numbers:
                numbers[reached] = len(numbers)
                waiting.append(reached)
            moves[-1][group] = numbers[reached]
        if len(numbers) > MAX_STATES or work > MAX_WORK:
            raise ConfigError(f"pattern {parts.pattern!r} is too large: more than {MAX_STATES:,} states; simplify it")
    return Automaton(groups, moves, [end in states for states in waiting])
