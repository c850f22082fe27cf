"""Decoders from settings, as a model card keeps them: plain data, all of it checked.

``{"name": "greedy"}``, or ``{"name": "beam"}`` with any of ``width``, ``lm`` (see `NgramModel.to_dict`), ``lm_weight``,
``length_bonus``, ``pattern`` and ``lexicon`` (a list of texts); or the name and settings of a decoder that an installed
package adds, see `crnn.core.plugins`.
"""

from __future__ import annotations

import json
import os
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from crnn.core.charset import Charset, describe
from crnn.core.decode.automaton import Automaton, trie
from crnn.core.decode.base import Decoder, DecoderMaker
from crnn.core.decode.beam import LENGTH_BONUS, LM_WEIGHT, WIDTH, BeamDecoder
from crnn.core.decode.greedy import GreedyDecoder
from crnn.core.decode.ngram import NgramModel
from crnn.core.decode.pattern import compile_pattern
from crnn.core.plugins import Registry
from crnn.errors import CharsetError, ConfigError, CrnnWarning, DataError

MAX_WIDTH = 1000
MAX_LEXICON = 1_000_000
"""Characters of all texts of a lexicon together."""
SHOWN = 5
"""Texts that a message names."""
MAX_LEARNT = 5_000_000
"""Characters that a language model learns from: a minute, and a gigabyte or two while it counts."""
MAX_FILE = 64_000_000
"""Bytes of a text file."""
NAMED = 5
"""Characters that a message names."""

Texts = str | os.PathLike[str] | Iterable[str]
"""A UTF-8 text file with one text per line, or the texts themselves."""


def make_decoder(settings: Mapping[str, Any], charset: Charset) -> Decoder:
    """The decoder that settings describe.

    Raises:
        ConfigError: for anything unknown, of the wrong type or out of range.
    """
    return DECODERS.find(settings.get("name"))(settings, charset)


def _greedy(settings: Mapping[str, Any], charset: Charset) -> Decoder:
    _only(settings, ())
    return GreedyDecoder()


def _beam(settings: Mapping[str, Any], charset: Charset) -> Decoder:
    _only(settings, ("width", "lm", "lm_weight", "length_bonus", "pattern", "lexicon"))
    width = settings.get("width", WIDTH)
    if type(width) is not int or not 1 <= width <= MAX_WIDTH:
        raise ConfigError(f"the beam's width is {width!r}; whole numbers from 1 to {MAX_WIDTH:,} are allowed")
    weight = _number(settings, "lm_weight", LM_WEIGHT, 0, 10)
    bonus = _number(settings, "length_bonus", LENGTH_BONUS, -10, 10)
    lm = settings.get("lm")
    model = None if lm is None else NgramModel.from_dict(lm, len(charset))
    return BeamDecoder(
        width, model, weight, bonus, _constraint(settings.get("pattern"), settings.get("lexicon"), charset)
    )


DECODERS: Registry[DecoderMaker] = Registry(
    "decoder", {"greedy": _greedy, "beam": _beam}, "crnn.core.decode.base.DecoderMaker"
)
"""Name -> how it is made of settings."""


def _only(settings: Mapping[str, Any], allowed: tuple[str, ...]) -> None:
    unknown = sorted(map(str, set(settings) - {"name", *allowed}))
    if unknown:
        raise ConfigError(f"decoder {settings['name']} has no setting {unknown[0]!r}; pip install -U crnn")


def _number(settings: Mapping[str, Any], name: str, default: float, least: float, most: float) -> float:
    value = settings.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise ConfigError(f"{name} is {value!r}; numbers from {least} to {most} are allowed")
    return float(value)


def _constraint(pattern: object, lexicon: object, charset: Charset) -> Automaton | None:
    """What is allowed: texts that match the pattern, those listed, or those listed that match it."""
    if pattern is not None and not isinstance(pattern, str):
        raise ConfigError(f"the pattern is {pattern!r}; a regular expression is allowed")
    matching = None if pattern is None else compile_pattern(pattern, charset)
    if lexicon is None:
        return matching
    if not isinstance(lexicon, list) or not all(isinstance(text, str) for text in lexicon):
        raise ConfigError("the lexicon is not a list of texts")
    if sum(map(len, lexicon)) > MAX_LEXICON:
        raise ConfigError(f"the lexicon has {sum(map(len, lexicon)):,} characters; at most {MAX_LEXICON:,} are allowed")
    texts = []
    refused: list[tuple[str, CharsetError]] = []
    for text in lexicon:
        try:
            texts.append(charset.encode(charset.normalize(text)))
        except CharsetError as wrong:
            refused.append((text, wrong))
    if refused:
        text, error = refused[0]
        more = [other[:40] for other, _ in refused[1:SHOWN]]
        others = f"; likewise {', '.join(map(repr, more))}" if more else ""
        others += f" and {len(refused) - SHOWN:,} more" if len(refused) > SHOWN else ""
        raise ConfigError(
            f"lexicon: {text[:80]!r} can never be read: {error}{others}; take {'them' if more else 'it'} out"
        )
    if matching is not None:
        texts = [labels for labels in texts if matching.accepts(labels)]
    if not texts:
        raise ConfigError("the lexicon is empty" if matching is None else f"no text of the lexicon matches {pattern!r}")
    return trie(texts, charset.classes)


def beam_settings(
    base: Mapping[str, Any],
    charset: Charset,
    beam: int | None = None,
    lm: Texts | None = None,
    lm_weight: float | None = None,
    length_bonus: float | None = None,
    lexicon: Texts | None = None,
    pattern: str | None = None,
    decoder: str | Mapping[str, Any] | None = None,
) -> dict[str, Any] | None:
    """Settings of a card with some of them given anew; None if none is.

    Args:
        base: settings of the card; what is not given stays as it is there.
        charset: of the model.
        beam: width; with 0, the greedy decoder.
        lm: texts to learn a language model from; those with characters that the charset lacks are left out.
        lm_weight, length_bonus, pattern: see `BeamDecoder`, `compile_pattern`.
        lexicon: the only texts allowed; empty ones are left out.
        decoder: in place of all of these, any decoder: its name, or its settings as in a card, also as JSON text.

    Raises:
        ConfigError: for settings that do not go together.
        DataError: for a file that cannot be read.
    """
    numbers = {"lm_weight": lm_weight, "length_bonus": length_bonus, "pattern": pattern}
    given: dict[str, Any] = {name: value for name, value in numbers.items() if value is not None}
    if decoder is not None:
        others = {"beam": beam, "lm": lm, "lexicon": lexicon, **given}
        also = [name for name, value in others.items() if value is not None]
        if also:
            raise ConfigError(f"decoder and {also[0]}, which is of the beam search, do not go together; leave one out")
        return _named(decoder)
    if lexicon is not None:
        given["lexicon"] = [text for text in read_texts(lexicon) if text]
    if lm is not None:
        given["lm"] = language_model(lm, charset).to_dict()
    if beam == 0:
        if given:
            raise ConfigError(f"a beam of 0 is greedy decoding, which has no {next(iter(given))}; use 1 or more")
        return {"name": "greedy"}
    if beam is not None:
        given["width"] = beam
    if not given:
        return None
    settings = {**(base if base.get("name") == "beam" else {}), **given, "name": "beam"}
    for name in ("lm_weight", "length_bonus"):
        if name in given and "lm" not in settings:
            raise ConfigError(f"{name} goes with a language model; name texts to learn it from (lm)")
    return settings


def _named(decoder: str | Mapping[str, Any]) -> dict[str, Any]:
    """Settings of a decoder that is given by its name, as JSON text, or as they are."""
    if not isinstance(decoder, str):
        return dict(decoder)
    if not decoder.lstrip().startswith("{"):
        return {"name": decoder}
    try:
        return json.loads(decoder)
    except (ValueError, RecursionError):
        raise ConfigError(f'decoder {decoder[:80]!r} is not JSON, such as {{"name": "beam", "width": 20}}') from None


def language_model(texts: Texts, charset: Charset) -> NgramModel:
    """The character n-gram model of texts that the charset can write; a warning says how many it cannot, and why.

    Raises:
        ConfigError: if there are none, naming the characters that the charset lacks, or too many.
        DataError: for a file that cannot be read.
    """
    refused: list[str] = []
    lacking: Counter[str] = Counter()
    usable = 0

    def encoded() -> Iterator[list[int]]:
        nonlocal usable
        characters = 0
        for text in read_texts(texts):
            characters += len(text)
            if characters > MAX_LEARNT:
                raise ConfigError(f"a language model learns from at most {MAX_LEARNT:,} characters; take fewer texts")
            try:
                labels = charset.encode(charset.normalize(text))
            except CharsetError:
                refused.append(f"{text[:80]!r}")
                lacking.update(charset.unknown(text))
                continue
            if labels:
                usable += 1
                yield labels
        if refused and not usable:
            raise ConfigError(
                f"language model: each of the {len(refused):,} texts, such as {refused[0]}, holds characters that the "
                f"model lacks: {_most(lacking)}; take other texts, or train a model on lines with these characters"
            )

    model = NgramModel.of(encoded(), len(charset))
    if refused:
        said = f"language model: {len(refused):,} of {len(refused) + usable:,} texts are left out, such as {refused[0]}"
        warnings.warn(f"{said}; the model lacks {_most(lacking)}", CrnnWarning, stacklevel=2)
    return model


def _most(lacking: Counter[str]) -> str:
    """Characters and the number of texts that hold them, the most frequent ones."""
    named = [f"{describe(symbol)} in {count:,}" for symbol, count in lacking.most_common(NAMED)]
    return f"{', '.join(named)}{' ...' if len(lacking) > NAMED else ''}"


def read_texts(texts: Texts) -> Iterable[str]:
    """The texts themselves, or the lines of a file.

    Raises:
        DataError: if it cannot be read, is too large or is not UTF-8.
    """
    if not isinstance(texts, str | os.PathLike):
        return texts
    try:
        with Path(texts).open("rb") as file:
            written = file.read(MAX_FILE + 1)
        if len(written) > MAX_FILE:
            raise DataError(f"{texts}: is larger than {MAX_FILE / 1e6:g} MB; take fewer texts")
        return [line.rstrip("\r") for line in written.decode("utf-8-sig").split("\n")]
    except OSError as error:
        raise DataError(f"{texts}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise DataError(f"{texts}: is not UTF-8 text; save it as UTF-8, one text per line") from None
    except ValueError:
        raise DataError(f"{os.fspath(texts)!r}: is no file name: it has a NUL in it") from None
