"""Every public name of crnn says what it is, so that the code can be read without a second window."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

PACKAGE = Path(__file__).parents[1] / "crnn"
OTHERS = {
    *("disable", "forward", "get_next", "load_state_dict", "log_metrics", "name", "root_dir", "state_dict", "version"),
    *("train_dataloader", "val_dataloader"),
}
"""Besides ``on_...``: methods that Lightning, torch and onnxruntime describe, for classes that are built on theirs."""
Function = ast.FunctionDef | ast.AsyncFunctionDef


class Kind(NamedTuple):
    """A class as its source has it."""

    bases: list[str]
    methods: dict[str, str]
    """Name -> docstring, empty for none."""

    @property
    def public(self) -> set[str]:
        return {name for name in self.methods if not name.startswith("_")}

    @property
    def is_protocol(self) -> bool:
        return "Protocol" in self.bases


def documented(node: ast.AST) -> str:
    return ast.get_docstring(node) or "" if isinstance(node, ast.Module | ast.ClassDef | Function) else ""


def kinds_of(trees: Sequence[ast.Module]) -> dict[str, list[Kind]]:
    """Name -> classes of that name."""
    found: dict[str, list[Kind]] = {}
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                bases = [base.id if isinstance(base, ast.Name) else ast.unparse(base) for base in node.bases]
                methods = {one.name: documented(one) for one in node.body if isinstance(one, Function)}
                found.setdefault(node.name, []).append(Kind(bases, methods))
    return found


def above(name: str, kinds: dict[str, list[Kind]]) -> Iterator[tuple[str, Kind | None]]:
    """A class and all that it is built on; None for those of other packages."""
    if name not in kinds:
        yield name, None
    for kind in kinds.get(name, ()):
        yield name, kind
        for base in kind.bases:
            yield from above(base, kinds)


def said_elsewhere(name: str, method: str, kinds: dict[str, list[Kind]]) -> bool:
    """Whether a class above, a protocol that the class fulfils, or another package describes a method."""
    line = [kind for _, kind in above(name, kinds) if kind is not None]
    own = {one for kind in line for one in kind.methods}
    contracts = [kind for some in kinds.values() for kind in some if kind.is_protocol and own >= kind.public]
    if any(kind.methods.get(method) for kind in (*line, *contracts)):
        return True
    foreign = {base for base, kind in above(name, kinds) if kind is None} - {"ABC", "NamedTuple", "Exception"}
    return bool(foreign) and (method.startswith("on_") or method in OTHERS)


def silent(files: dict[str, str]) -> list[str]:
    """``file: name`` of every public name without a docstring; `files`: name -> source."""
    trees = {name: ast.parse(source) for name, source in files.items()}
    kinds = kinds_of(list(trees.values()))
    found = []
    for file, tree in trees.items():
        found += [] if documented(tree) else [f"{file}: the module"]
        for node in tree.body:
            if not isinstance(node, ast.ClassDef | Function) or node.name.startswith("_"):
                continue
            found += [] if documented(node) else [f"{file}: {node.name}"]
            for one in node.body if isinstance(node, ast.ClassDef) else ():
                if isinstance(one, Function) and not one.name.startswith("_") and not documented(one):
                    found += [] if said_elsewhere(node.name, one.name, kinds) else [f"{file}: {node.name}.{one.name}"]
    return found


def test_every_public_name_of_crnn_says_what_it_is() -> None:
    files = {
        path.relative_to(PACKAGE.parent).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(PACKAGE.rglob("*.py"))
    }
    assert len(files) > 200
    assert silent(files) == []


SAID = '"""A file."""\n'


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("x = 1\n", ["the module"]),
        (SAID + "def f(): ...\ndef _f(): ...\n", ["f"]),
        (SAID + "async def f(): ...\n", ["f"]),
        (SAID + "class A:\n    def f(self): ...\n    def _f(self): ...\n    def __len__(self): ...\n", ["A", "A.f"]),
        (SAID + 'class A:\n    """An A."""\n    def f(self):\n        """F."""\n', []),
        (SAID + 'class A(Callback):\n    """An A."""\n    def on_end(self): ...\n    def f(self): ...\n', ["A.f"]),
        (SAID + 'class A(NamedTuple):\n    """An A."""\n    def on_end(self): ...\n', ["A.on_end"]),
        (SAID + 'class A:\n    """An A."""\n    def name(self): ...\n', ["A.name"]),
    ],
)
def test_what_says_nothing_is_found(source: str, names: list[str]) -> None:
    assert silent({"a.py": source}) == [f"a.py: {name}" for name in names]


def test_a_contract_is_described_once() -> None:
    contract = (
        SAID
        + 'class P(Protocol):\n    """A P."""\n    def f(self):\n        """F."""\n    def g(self):\n        """G."""\n'
    )
    base = SAID + 'class B:\n    """A B."""\n    def f(self): ...\n'
    above = SAID + 'class C(B):\n    """A C."""\n    def g(self): ...\n'
    assert silent({"p.py": contract, "b.py": base}) == ["b.py: B.f"]  # it has no g
    assert silent({"p.py": contract, "c.py": above, "b.py": base}) == ["b.py: B.f"]  # C is all of P, B is not
    assert silent({"b.py": base.replace("...", '\n        """F."""'), "c.py": above.replace("g(", "f(")}) == []
