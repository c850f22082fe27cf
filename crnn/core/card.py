"""The model card: what a model file says of itself, as plain JSON inside the file.

It makes the file complete (characters, image transform, network, decoder, training note) and holds no code.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from crnn import __version__
from crnn.core.charset import Charset
from crnn.core.transform import LineTransform
from crnn.errors import CrnnError, ModelFileError

FORMAT = 2
"""Number of the card format this version writes; a change of meaning raises it and adds a migration."""
CARD_KEY = "crnn.card"
"""Metadata key of the card in .onnx and .safetensors files, and in a checkpoint's hyper-parameters."""
MAX_CARD_CHARACTERS = 16 * 2**20


def _from_1(card: dict[str, Any]) -> dict[str, Any]:
    """Format 1 knew no text rules but the Unicode form: nothing else was changed, and nothing reordered."""
    if not isinstance(card.get("charset"), Mapping):
        return {**card, "format": 2}  # refused later, with all the rest
    return {**card, "format": 2, "charset": {**card["charset"], **_RULES_OF_1}}


_RULES_OF_1 = {"whitespace": "keep", "case": "keep", "direction": "ltr"}
MIGRATIONS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {1: _from_1}
"""Format number -> function that lifts a card of that format to the next one."""


@dataclass(frozen=True)
class ModelCard:
    """Everything that reading needs to know, and where the model comes from.

    Args:
        charset: characters in class order.
        transform: the preprocessing.
        network: arguments that rebuild the torch network, and its name.
        decoder: ``{"name": "greedy"}``, or a beam search with all that belongs to it, see `crnn.core.decode.settings`.
        temperature: log-probabilities are divided by this for confidences; what a language model adds to them, too.
        trim: whether readers cut paper around a line off before they scale it, see `crnn.core.trim`.
        training: a note: data, lines, figures, date, seed; ``licence`` (or ``note``) on what may be done with it.
        format: of the card.
        crnn: version that wrote the file; empty if the file does not say.
        stored_format: of the card as it stands in the file, before any migration.
    """

    charset: Charset
    transform: LineTransform
    network: dict[str, Any]
    decoder: dict[str, Any] = field(default_factory=lambda: {"name": "greedy"})
    temperature: float = 1.0
    trim: bool = False
    training: dict[str, Any] = field(default_factory=dict)
    format: int = FORMAT
    crnn: str = field(default=__version__, compare=False)
    stored_format: int = field(default=FORMAT, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, strings, lists and dicts."""
        return {
            "format": self.format,
            "crnn": __version__,
            "charset": self.charset.to_dict(),
            "transform": asdict(self.transform),
            "network": self.network,
            "decoder": self.decoder,
            "temperature": self.temperature,
            "trim": self.trim,
            "training": self.training,
        }

    def to_json(self) -> str:
        """As it stands in model files: one line of JSON, its keys sorted."""
        return json.dumps(self.to_dict(), ensure_ascii=False, sort_keys=True)

    def with_training(self, **note: Any) -> ModelCard:
        """A copy whose training note has these entries too."""
        return replace(self, training={**self.training, **note})

    @classmethod
    def from_json(cls, text: str, where: str = "model file") -> ModelCard:
        """Check and rebuild a card from `to_json`'s text.

        Raises:
            ModelFileError: for a text that is too long or no JSON, and as `from_dict`.
        """
        if len(text) > MAX_CARD_CHARACTERS:
            raise ModelFileError(
                f"{where}: its model card has {len(text):,} characters; at most {MAX_CARD_CHARACTERS:,} are read"
            )
        try:
            data = json.loads(text)
        except (ValueError, RecursionError):
            raise ModelFileError(f"{where}: its model card is not JSON; the file is damaged") from None
        return cls.from_dict(data, where)

    @classmethod
    def from_dict(cls, data: object, where: str = "model file") -> ModelCard:
        """Check and rebuild a card.

        Raises:
            ModelFileError: for a newer format (with what to install), or anything missing or of the wrong type.
        """
        if not isinstance(data, Mapping) or type(data.get("format")) is not int:
            raise ModelFileError(f"{where}: its model card has no format number; was the file written by crnn?")
        card = dict(data)
        if card["format"] > FORMAT:
            raise ModelFileError(
                f"{where}: model format {card['format']} is newer than this crnn reads ({FORMAT}); {_upgrade(card)}"
            )
        while card["format"] < FORMAT:
            if card["format"] not in MIGRATIONS:
                raise ModelFileError(f"{where}: model format {card['format']} is unknown; formats are 1..{FORMAT}")
            card = MIGRATIONS[card["format"]](card)
        types = {"charset": Mapping, "transform": Mapping, "network": Mapping, "decoder": Mapping, "training": Mapping}
        for key, kind in types.items():
            if not isinstance(card.get(key), kind):
                raise ModelFileError(f"{where}: its model card has no valid '{key}'; the file is damaged")
        temperature = card.get("temperature")
        if isinstance(temperature, bool) or not isinstance(temperature, int | float) or not 1e-3 <= temperature <= 1e3:
            raise ModelFileError(f"{where}: its model card has no valid 'temperature' (0.001..1000)")
        trim = card.get("trim", False)  # older ones do not say
        if not isinstance(trim, bool):
            raise ModelFileError(f"{where}: its model card has no valid 'trim' (true or false)")
        try:
            charset = Charset.from_dict(dict(card["charset"]))
            transform = _transform(card["transform"])
        except (CrnnError, TypeError, ValueError) as error:
            raise ModelFileError(f"{where}: its model card is not valid: {error}") from None
        return cls(
            charset,
            transform,
            dict(card["network"]),
            dict(card["decoder"]),
            float(temperature),
            trim,
            dict(card["training"]),
            crnn=_version(card),
            stored_format=data["format"],
        )


def _version(card: Mapping[str, Any]) -> str:
    """Of the crnn that wrote a card; empty if it does not say."""
    version = card.get("crnn")
    if isinstance(version, str) and len(version) <= 40 and re.fullmatch(r"\d+(\.\w+){1,4}", version, re.ASCII):
        return version
    return ""


def _upgrade(card: Mapping[str, Any]) -> str:
    """What to do about a card of a newer format."""
    version = _version(card)
    return f"crnn {version} wrote it: pip install -U 'crnn>={version}'" if version else "pip install -U crnn"


def _transform(data: Mapping[str, Any]) -> LineTransform:
    """A LineTransform from stored values, each of the right type."""
    for item in fields(LineTransform):
        value = data.get(item.name)
        whole = item.name in ("height", "width", "max_width", "multiple")
        if value is None and item.name == "width":
            continue
        if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
            raise ValueError(f"transform.{item.name} is {value!r}")
    unknown = set(data) - {item.name for item in fields(LineTransform)}
    if unknown:
        raise ValueError(f"transform has unknown entries {sorted(unknown)}")
    return LineTransform(**data)
