"""Train a text-line recogniser on your own lines, read images with it, carry it away as one file.

>>> import crnn
>>> reader = crnn.load("model.onnx")
>>> reader.recognize(["line.png"])[0].text

Importing this package loads nothing heavy; names arrive when they are first used.
"""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["Character", "Charset", "CrnnError", "Recognition", "Recognizer", "__version__", "load"]

if TYPE_CHECKING:
    from crnn.core.charset import Charset
    from crnn.core.recognition import Character, Recognition
    from crnn.core.recognizer import Recognizer
    from crnn.errors import CrnnError
    from crnn.loader import load

_HOMES = {
    "Charset": "crnn.core.charset",
    "Character": "crnn.core.recognition",
    "CrnnError": "crnn.errors",
    "Recognition": "crnn.core.recognition",
    "Recognizer": "crnn.core.recognizer",
    "load": "crnn.loader",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'crnn' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
