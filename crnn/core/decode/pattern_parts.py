"""The parts of a pattern: what Python's own parser reads, as a nondeterministic automaton.

Thompson, "Regular Expression Search Algorithm", Communications of the ACM 11(6), 1968.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from crnn.core.charset import Charset
from crnn.errors import ConfigError

if sys.version_info >= (3, 11):
    from re import _constants as sre
    from re import _parser as sre_parse
else:
    import sre_constants as sre
    import sre_parse

MAX_LENGTH = 1000
"""Characters of a pattern."""
MAX_PARTS = 5_000
"""States of the nondeterministic automaton; each repetition counts."""

Test = Callable[[str], bool]
"""Whether one code point matches."""
_CATEGORIES: dict[Any, Test] = {
    sre.CATEGORY_DIGIT: str.isdecimal,
    sre.CATEGORY_NOT_DIGIT: lambda c: not c.isdecimal(),
    sre.CATEGORY_SPACE: str.isspace,
    sre.CATEGORY_NOT_SPACE: lambda c: not c.isspace(),
    sre.CATEGORY_WORD: lambda c: c.isalnum() or c == "_",
    sre.CATEGORY_NOT_WORD: lambda c: not (c.isalnum() or c == "_"),
}
_NAMES = {
    "AT": "an anchor or word boundary within it",
    "ASSERT": "a lookahead or lookbehind",
    "ASSERT_NOT": "a negative lookahead or lookbehind",
    "GROUPREF": "a reference to a group",
    "GROUPREF_EXISTS": "a condition on a group",
    "ATOMIC_GROUP": "an atomic group",
    "POSSESSIVE_REPEAT": "a possessive repetition",
}


class Parts:
    """The nondeterministic automaton while it grows: states with moves on a test and moves on nothing.

    What appends takes the state that it begins behind, and gives the state behind its end.

    Args:
        pattern: as it was given, for messages.
        charset: of the model, whose text rules shape the pattern's characters.

    Raises:
        ConfigError: from every method, for what is not supported or too large.
    """

    def __init__(self, pattern: str, charset: Charset) -> None:
        self.pattern = pattern
        self.rules = charset.rules
        self.tests: list[Test] = []
        self._numbers: dict[str, int] = {}  # of tests, so that a repeated one is made and asked once
        self.moves: list[list[tuple[int, int]]] = []  # of each state: (test, state)
        self.free: list[list[int]] = []

    def state(self) -> int:
        """A new state, without moves."""
        if len(self.moves) >= MAX_PARTS:
            raise ConfigError(
                f"pattern {self.pattern!r} is too large: its repetitions make more than {MAX_PARTS:,} parts; "
                "use smaller {m,n}"
            )
        self.moves.append([])
        self.free.append([])
        return len(self.moves) - 1

    def refuse(self, operation: Any) -> ConfigError:
        """The error for an operation of the parser, or for what is named in words."""
        name = _NAMES.get(str(operation), str(operation).lower())
        return ConfigError(
            f"pattern {self.pattern!r} has {name}, which is not supported; allowed are characters, ., [...], "
            "\\d \\w \\s, groups, |, ?, *, + and {m,n}"
        )

    def sequence(self, items: Sequence[Any], state: int) -> int:
        """Append items one after the other; the state behind the last."""
        for operation, argument in items:
            state = self.item(operation, argument, state)
        return state

    def item(self, operation: Any, argument: Any, state: int) -> int:
        """Append one operation of the parser with its argument."""
        if operation is sre.LITERAL:
            for character in self.rules.characters(chr(argument)):  # as texts are written: NFD may make two of it
                state = self.on(self.cased(character.__eq__), state, f"is {character}")
            return state
        if operation is sre.NOT_LITERAL:
            return self.on(_negated(self.cased(chr(argument).__eq__)), state, f"is not {argument}")
        if operation is sre.ANY:
            return self.on(lambda c: c != "\n", state, "any")
        if operation is sre.IN:
            if self.single(argument):
                return self.on(self.one_of(argument), state, f"in {argument}")
            return self.members(argument, state)
        if operation is sre.BRANCH:
            return self.branch(argument[1], state)
        if operation is sre.SUBPATTERN:
            _, added, removed, inner = argument
            if added or removed:
                raise self.refuse("a flag")
            return self.sequence(inner, state)
        if operation in (sre.MAX_REPEAT, sre.MIN_REPEAT):  # greedy or not, the same texts
            least, most, inner = argument
            return self.repeat(least, most, inner, state)
        raise self.refuse(operation)

    def single(self, members: Sequence[tuple[Any, Any]]) -> bool:
        """Whether each listed character is one code point as texts are written; with NFD, é is two."""
        return all(len(self.rules.characters(chr(x))) == 1 for operation, x in members if operation is sre.LITERAL)

    def members(self, members: Sequence[tuple[Any, Any]], state: int) -> int:
        """A set of which some members are several code points: one way for each."""
        if members[0][0] is sre.NEGATE:
            raise self.refuse("a set of what is not allowed that lists characters of several code points")
        return self.branch([[member if member[0] is sre.LITERAL else (sre.IN, [member])] for member in members], state)

    def on(self, test: Test, state: int, said: str) -> int:
        """Append a code point that passes `test`; tests of which the same is said are one."""
        after = self.state()
        if said not in self._numbers:
            self._numbers[said] = len(self.tests)
            self.tests.append(test)
        self.moves[state].append((self._numbers[said], after))
        return after

    def cased(self, test: Test) -> Test:
        """Where all texts are lower (or upper) case, a pattern's letters stand for both."""
        if self.rules.case == "keep":
            return test
        return lambda c: test(c) or test(c.lower()) or test(c.upper())

    def one_of(self, members: Sequence[tuple[Any, Any]]) -> Test:
        """The test of a set, as in ``[a-z\\d]`` or ``[^x]``."""
        tests: list[Test] = []
        negated = False
        for operation, argument in members:
            if operation is sre.NEGATE:
                negated = True
            elif operation is sre.LITERAL:
                tests.append(chr(argument).__eq__)
            elif operation is sre.RANGE:
                tests.append(_between(chr(argument[0]), chr(argument[1])))
            elif operation is sre.CATEGORY:
                tests.append(_CATEGORIES[argument])
            else:
                raise self.refuse(operation)
        test = self.cased(lambda c: any(one(c) for one in tests))
        return _negated(test) if negated else test

    def branch(self, ways: Sequence[Sequence[Any]], state: int) -> int:
        """Append one of several sequences."""
        end = self.state()
        for way in ways:
            start = self.state()
            self.free[state].append(start)
            self.free[self.sequence(way, start)].append(end)
        return end

    def repeat(self, least: int, most: Any, inner: Sequence[Any], state: int) -> int:
        """Append a sequence `least` to `most` times; `most` may be the parser's MAXREPEAT."""
        for _ in range(least):
            before, state = state, self.sequence(inner, state)
            if before == state:  # of nothing
                return state
        if most is sre.MAXREPEAT:
            loop, end = self.state(), self.state()
            self.free[state].append(loop)
            self.free[self.sequence(inner, loop)].append(loop)
            self.free[loop].append(end)
            return end
        end = self.state()
        for _ in range(most - least):
            self.free[state].append(end)
            start = self.state()
            self.free[state].append(start)
            state = self.sequence(inner, start)
        self.free[state].append(end)
        return end

    def closure(self, states: Iterator[int]) -> frozenset[int]:
        """The states that are reached from `states` without a character."""
        found = set(states)
        waiting = list(found)
        while waiting:
            for state in self.free[waiting.pop()]:
                if state not in found:
                    found.add(state)
                    waiting.append(state)
        return frozenset(found)


def _between(first: str, last: str) -> Test:
    return lambda c: first <= c <= last


def _negated(test: Test) -> Test:
    return lambda c: not test(c)


def parse(pattern: str) -> list[Any]:
    """(operation, argument) of each item, as Python's parser has them, without anchors at the ends.

    Raises:
        ConfigError: for a pattern that is too long, is no regular expression, or has flags.
    """
    if len(pattern) > MAX_LENGTH:
        raise ConfigError(f"a pattern has at most {MAX_LENGTH:,} characters; this one has {len(pattern):,}")
    try:
        tree = sre_parse.parse(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise ConfigError(f"pattern {pattern!r} is not a regular expression: {error or 'too deep'}") from None
    if tree.state.flags & ~sre.SRE_FLAG_UNICODE:
        raise ConfigError(f"pattern {pattern!r} has flags such as (?i), which are not supported; write [aA] instead")
    items: list[Any] = list(tree)  # type: ignore[call-overload]  # indexed, which is enough to iterate
    if items and items[0][0] is sre.AT and items[0][1] in (sre.AT_BEGINNING, sre.AT_BEGINNING_STRING):
        del items[0]
    if items and items[-1][0] is sre.AT and items[-1][1] in (sre.AT_END, sre.AT_END_STRING):
        del items[-1]
    return items
