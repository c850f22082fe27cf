"""`crnn inspect`: what a model file says of itself. Nothing of it is run; only a .ckpt needs torch."""

from __future__ import annotations

import json
import math
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from textwrap import wrap
from typing import Any

from crnn.core.card import ModelCard
from crnn.core.decode.beam import LENGTH_BONUS, LM_WEIGHT
from crnn.core.decode.ngram import NgramModel
from crnn.core.file_kind import file_kind
from crnn.core.onnx_backend import open_onnx
from crnn.core.onnx_file import OnnxFile, Value
from crnn.core.safetensors_file import open_safetensors
from crnn.core.seen import NOTE as SEEN
from crnn.core.seen import RARE, SeenCharacters
from crnn.errors import ConfigError, printable
from crnn.files import sha256_of
from crnn.loader import model_file, needing_torch
from crnn.models import NAMES, bundled

NOT_STATED = "not stated"
_WIDTH = 100
"""Of a printed row, in characters."""
_LICENCE = ("licence", "license", "note")
"""Entries of a training note that may say what may be done with the model."""
_KINDS = {"N": "digits and numbers", "P": "punctuation", "S": "symbols", "Z": "space", "M": "marks"}
_MOST_ROWS = 200
"""Of one entry."""


def describe(model: str | None = None) -> dict[str, Any]:
    """Everything that a model file says, as plain data; see `lines` for the keys.

    Args:
        model: a model file or run folder; None, ``bundled`` or ``latin``: the model that comes with the package.

    Raises:
        ModelFileError: one line: which file, what is wrong.
    """
    path = bundled() if model is None or model in NAMES else model_file(model)
    kind = file_kind(path)
    size = path.stat().st_size
    facts: dict[str, Any] = {"file": str(path), "kind": kind, "size": size, "sha256": sha256_of(path)}
    card, inside = {"onnx": _onnx, "safetensors": _safetensors, "ckpt": _checkpoint}[kind](path)
    training = dict(card.training)
    licence = next((str(training[name]) for name in _LICENCE if training.get(name)), NOT_STATED)
    return facts | {
        "format": card.stored_format,
        "crnn": card.crnn or NOT_STATED,
        "network": card.network,
        **inside,
        "transform": card.to_dict()["transform"],
        "charset": card.charset.to_dict(),
        "characters": len(card.charset),
        "scripts": scripts(card.charset.symbols),
        "decoder": card.decoder,
        "temperature": card.temperature,
        "trim": card.trim,
        "training": training,
        "licence": licence,
    }


def _onnx(path: Path) -> tuple[ModelCard, dict[str, Any]]:
    _, file, card = open_onnx(path)
    kinds = ["int8"] if file.operators["QuantizeLinear"] else ["float32"]
    return card, {
        "weights": file.weights,
        "types": kinds,
        "opset": file.opset,
        "producer": _producer(file, card),
        "inputs": [_value(value) for value in file.inputs],
        "outputs": [_value(value) for value in file.outputs],
    }


def _producer(file: OnnxFile, card: ModelCard) -> str:
    """Who wrote an ONNX file. Those of crnn once kept the version of the library that exported them beside its name."""
    version = file.producer_version
    if file.producer != "crnn" or version in ("", card.crnn):
        return f"{file.producer} {version}".strip() or NOT_STATED
    exporter = "onnxruntime's quantiser" if file.operators["QuantizeLinear"] else "torch's ONNX exporter"
    return f"crnn, through {exporter} {version}"


def _value(value: Value) -> dict[str, Any]:
    return {"name": value.name, "type": value.type, "shape": list(value.shape)}


def _safetensors(path: Path) -> tuple[ModelCard, dict[str, Any]]:
    """From the header alone."""
    with open_safetensors(path) as (card, file):
        slices = [file.get_slice(name) for name in file.keys()]  # noqa: SIM118  # not a dict
        shapes = [(str(part.get_dtype()), math.prod(part.get_shape())) for part in slices]
    names = {"F16": "float16", "F32": "float32", "F64": "float64", "BF16": "bfloat16"}
    return card, _weights((names.get(t, t), n) for t, n in shapes)


def _checkpoint(path: Path) -> tuple[ModelCard, dict[str, Any]]:
    card, weights = needing_torch(path).read_checkpoint(path)
    return card, _weights((str(t.dtype).removeprefix("torch."), t.numel()) for t in weights.values())


def _weights(tensors: Iterable[tuple[str, int]]) -> dict[str, Any]:
    """How many numbers there are, and of which types; counters, which are whole numbers, are left out."""
    floating = [(kind, count) for kind, count in tensors if "float" in kind]
    return {"weights": sum(count for _, count in floating), "types": sorted({kind for kind, _ in floating})}


def scripts(symbols: Iterable[str]) -> dict[str, int]:
    """How many of the symbols are in which script, by Unicode's names of their first characters; most first."""
    return dict(Counter(map(_script, symbols)).most_common())


def _script(symbol: str) -> str:
    first = symbol[0]
    category = unicodedata.category(first)
    if category[0] != "L":
        return _KINDS.get(category[0], "other")
    name = unicodedata.name(first, "unnamed").split()[0].split("-")[0].capitalize()
    return "Latin" if name in ("Feminine", "Masculine") else name  # ª and º


def lines(facts: Mapping[str, Any]) -> list[str]:
    """What `describe` found, for people."""
    network, transform, charset = facts["network"], facts["transform"], facts["charset"]
    width = "free" if transform["width"] is None else f"{transform['width']} pixels"
    values = f"(grey / 255 - {transform['mean']}) / {transform['std']}"
    rules = {"form": "NFC", "unit": "grapheme", "whitespace": "keep", "case": "keep", "direction": "ltr"}
    differing = [f"{name}={charset[name]}" for name, default in rules.items() if charset[name] != default]
    rows = [
        ("file", facts["file"]),
        ("kind", f"{facts['kind']}, model format {facts['format']}, written by crnn {facts['crnn']}"),
        ("size", f"{facts['size']:,} bytes"),
        ("sha256", facts["sha256"]),
        ("network", f"{network.get('name', '?')}, {facts['weights']:,} weights, {', '.join(facts['types'])}"),
        ("", _json({name: value for name, value in network.items() if name != "name"})),
        *_tensors("inputs", facts.get("inputs", [])),
        *_tensors("outputs", facts.get("outputs", [])),
    ]
    if "opset" in facts:
        rows.append(("operators", f"ONNX opset {facts['opset']}, written with {facts['producer']}"))
    trim = "; paper around the line is cut off first" if facts["trim"] else ""
    rows.append(("pictures", f"height {transform['height']}, width {width}; {values}{trim}"))
    of = ", ".join(f"{count} {name}" for name, count in facts["scripts"].items())
    rows.append(("characters", f"{facts['characters']:,}: {of}"))
    rest = [
        ("text rules", ", ".join(differing) or "none but Unicode NFC"),
        *_decoder(facts["decoder"], facts["characters"]),
        ("temperature", f"{facts['temperature']:g}"),
    ]
    for name, value in facts["training"].items():
        if value != facts["licence"]:
            said = _seen(facts["training"]) if name == SEEN else value if isinstance(value, str) else _json(value)
            rest.append(("training" if rest[-1][0] == "temperature" else "", f"{name}: {said}"))
    rest.append(("licence", facts["licence"]))
    above, below = ([line for row in part for line in _row(*row)] for part in (rows, rest))
    return [*above, *_symbols(charset["symbols"]), *below]


def _seen(training: dict[str, Any]) -> str:
    """How much a training saw of the characters, in a line; the counts are in the facts."""
    seen = SeenCharacters.of_note(training)
    if seen is None:
        return _json(training[SEEN])
    rare = sum(count < RARE for count in seen.labels.values())
    return f"{len(seen.labels)} in labels, {rare} of them fewer than {RARE} times; {len(seen.rendered)} rendered"


def _decoder(settings: dict[str, Any], characters: int) -> list[tuple[str, str]]:
    """The decoder's settings; of the tables of a beam search what they are, as they have megabytes."""
    if settings.get("name") != "beam":
        return [("decoder", _json(settings))]
    rest = dict(settings)
    lm, lexicon = rest.pop("lm", None), rest.pop("lexicon", None)
    rows = []
    if lm is not None:
        weight, bonus = rest.pop("lm_weight", LM_WEIGHT), rest.pop("length_bonus", LENGTH_BONUS)
        rows.append(("", f"language model: {_lm(lm, characters)}, weight {weight}, length bonus {bonus}"))
    if lexicon is not None:
        rows.append(("", f"lexicon: {f'{len(lexicon):,} texts' if isinstance(lexicon, list) else lexicon}"))
    return [("decoder", _json(rest)), *rows]


def _lm(stored: object, characters: int) -> str:
    try:
        lm = NgramModel.from_dict(stored, characters).to_dict()
    except ConfigError as error:
        return f"cannot be used ({printable(error)})"
    count = sum(len(followers) for followers, *_ in lm["followers"].values())
    return f"{count:,} n-grams of at most {lm['order']} of {characters} characters"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _tensors(name: str, values: list[dict[str, Any]]) -> list[tuple[str, str]]:
    shown = [f"{v['name']}: {v['type']} ({', '.join(map(str, v['shape']))})" for v in values]
    return [(name if i == 0 else "", text) for i, text in enumerate(shown)]


def _row(name: str, text: str) -> list[str]:
    """A row, broken where it is long."""
    parts = wrap(printable(text, 20_000), _WIDTH, break_on_hyphens=False)
    return _rows(name, parts or [""])


def _symbols(symbols: Iterable[str]) -> list[str]:
    """The symbols one after the other, in rows that split none of them."""
    rows = [""]
    for symbol in symbols:
        shown = printable(symbol)
        if len(rows[-1]) + len(shown) > _WIDTH:
            rows.append("")
        rows[-1] += shown
    return _rows("", rows)


def _rows(name: str, parts: list[str]) -> list[str]:
    if len(parts) > _MOST_ROWS:
        parts = [*parts[:_MOST_ROWS], "..."]
    return [f"{name if i == 0 else '':<12} {part}".rstrip() for i, part in enumerate(parts)]


def run(model: str | None, as_json: bool) -> int:
    """The command; the exit code."""
    facts = describe(model)
    print(json.dumps(facts, ensure_ascii=False, indent=2) if as_json else "\n".join(lines(facts)))
    return 0
