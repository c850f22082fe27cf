"""Every public name says what it is: `help()` has an answer for all of them."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

PACKAGE = Path(__file__).parents[1] / "crnn"
NAMES = sorted(
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
    for path in PACKAGE.rglob("*.py")
    if path.name != "__main__.py"
)


def is_protocol(kind: type) -> bool:
    return bool(getattr(kind, "_is_protocol", False))


def contracts(modules: list[ModuleType]) -> list[type]:
    """The protocols of the package, whose methods are described once, in the protocol."""
    return sorted({v for m in modules for v in vars(m).values() if inspect.isclass(v) and is_protocol(v)}, key=repr)


def described(kind: type, name: str, protocols: list[type]) -> bool:
    """Whether a method says what it does: itself, in a class above it, or in a protocol that the class fulfils."""
    if inspect.getdoc(getattr(kind, name)):
        return True
    fulfilled = [p for p in protocols if all(hasattr(kind, n) for n in vars(p) if not n.startswith("_")) and name in vars(p)]
    return any(inspect.getdoc(getattr(p, name)) for p in fulfilled)


def public(module: ModuleType) -> Iterator[tuple[str, Any]]:
    for name, value in vars(module).items():
        if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__:
            if inspect.isclass(value) or inspect.isfunction(value):
                yield name, value


if __name__ == "__main__":
    modules = [importlib.import_module(n) for n in NAMES]
    protocols = contracts(modules)
    print([p.__name__ for p in protocols])
    for m in modules:
        if not m.__doc__: print(m)
        for name, value in public(m):
            if not value.__doc__: print(m.__name__, name)
            if inspect.isclass(value):
                if (value.__doc__ or "").startswith(name + "("): print("DATACLASS", m.__name__, name)
                for n in vars(value):
                    if not n.startswith("_") or n == "__call__":
                        a = inspect.getattr_static(value, n)
                        if inspect.isfunction(a) or isinstance(a, (property, classmethod, staticmethod)):
                            if not described(value, n, protocols): print(m.__name__, name, n)
