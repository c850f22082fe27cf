"""The changes: every mutant of a module, and a draw of those of a folder."""

from __future__ import annotations

import ast
import copy
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

TURNED: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
}
NAMES = {"min": "max", "max": "min", "any": "all", "all": "any", "argmin": "argmax", "argmax": "argmin"}


class Mutants(ast.NodeVisitor):
    """All mutants of a module: ``found`` holds (line, what is changed, function that makes the changed tree)."""

    def __init__(self, source: str) -> None:
        self.tree = ast.parse(source)
        self.found: list[tuple[int, str, Callable[[], ast.Module]]] = []
        self.visit(self.tree)

    def add(self, node: ast.AST, what: str, change: Any) -> None:
        """`change` edits the node of a copy of the tree that stands where `node` does."""

        def make() -> ast.Module:
            node._mutate = True  # type: ignore[attr-defined]
            tree = copy.deepcopy(self.tree)
            del node._mutate  # type: ignore[attr-defined]
            change(next(each for each in ast.walk(tree) if hasattr(each, "_mutate")), tree)
            return ast.fix_missing_locations(tree)

        self.found.append((getattr(node, "lineno", 0), what, make))

    def replace(self, node: ast.AST, what: str, make: Any) -> None:
        """Put `make(twin)` where `node` stands."""

        def change(twin: ast.AST, tree: ast.Module) -> None:
            for parent in ast.walk(tree):
                for name, value in ast.iter_fields(parent):
                    if value is twin:
                        setattr(parent, name, make(twin))
                        return
                    if isinstance(value, list) and any(each is twin for each in value):
                        value[next(i for i, each in enumerate(value) if each is twin)] = make(twin)
                        return

        self.add(node, what, change)

    def visit_Compare(self, node: ast.Compare) -> None:
        for i, op in enumerate(node.ops):
            other = TURNED[type(op)]

            def change(twin: Any, _: ast.Module, i: int = i, other: Any = other) -> None:
                twin.ops[i] = other()

            self.add(node, f"{type(op).__name__} -> {other.__name__}", change)
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        other = TURNED[type(node.op)]
        self.add(node, f"{type(node.op).__name__} -> {other.__name__}", lambda twin, _: setattr(twin, "op", other()))
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        texts = any(isinstance(each, ast.JoinedStr) or _is_text(each) for each in (node.left, node.right))
        if type(node.op) in TURNED and not texts:
            other = TURNED[type(node.op)]
            what = f"{type(node.op).__name__} -> {other.__name__}"
            self.add(node, what, lambda twin, _: setattr(twin, "op", other()))
            if isinstance(node.op, ast.Mult) and "mask" in ast.unparse(node.right):
                self.replace(node, "mask dropped", lambda twin: twin.left)
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        if isinstance(node.op, ast.Not | ast.USub):
            what = "not dropped" if isinstance(node.op, ast.Not) else "minus dropped"
            self.replace(node, what, lambda twin: twin.operand)
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, bool):
            self.add(node, f"{node.value} turned", lambda twin, _: setattr(twin, "value", not twin.value))
        elif isinstance(node.value, int | float):
            self.add(node, f"{node.value} + 1", lambda twin, _: setattr(twin, "value", twin.value + 1))

    def visit_Call(self, node: ast.Call) -> None:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in NAMES and isinstance(node.func, ast.Name):
            self.add(node, f"{name} -> {NAMES[name]}", lambda twin, _: setattr(twin.func, "id", NAMES[name]))
        elif name in NAMES and isinstance(node.func, ast.Attribute):
            self.add(node, f"{name} -> {NAMES[name]}", lambda twin, _: setattr(twin.func, "attr", NAMES[name]))
        elif name == "masked_fill" and isinstance(node.func, ast.Attribute):
            self.replace(node, "mask dropped", lambda twin: twin.func.value)
        elif name == "where" and len(node.args) == 3:
            self.replace(node, "where: first taken always", lambda twin: twin.args[1])
        self.generic_visit(node)

    def visit_Slice(self, node: ast.Slice) -> None:
        if node.upper is not None:
            self.add(node, "end of the slice dropped", lambda twin, _: setattr(twin, "upper", None))
        self.generic_visit(node)

    def visit_If(self, node: ast.If) -> None:
        if "TYPE_CHECKING" in ast.unparse(node.test):
            return
        self.add(node, "if turned", lambda twin, _: setattr(twin, "test", ast.UnaryOp(op=ast.Not(), operand=twin.test)))
        self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> None:
        self.replace(node, "not raised", lambda twin: ast.copy_location(ast.Pass(), twin))

    def visit_Return(self, node: ast.Return) -> None:
        if node.value is not None and not (isinstance(node.value, ast.Constant) and node.value.value is None):
            self.add(node, "None returned", lambda twin, _: setattr(twin, "value", ast.Constant(value=None)))
        self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Constant):
            return  # a docstring
        if isinstance(node.value, ast.Call):
            self.replace(node, "call left out", lambda twin: ast.copy_location(ast.Pass(), twin))
        self.generic_visit(node)

    def visit_Continue(self, node: ast.Continue) -> None:
        self.replace(node, "continue -> break", lambda twin: ast.copy_location(ast.Break(), twin))

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        if node.name == "__repr__":
            return
        for each in [*node.args.defaults, *[d for d in node.args.kw_defaults if d is not None], *node.body]:
            self.visit(each)  # decorators and annotations are left alone

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        pass  # messages: their words are not behaviour


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)


def draw(folder: Path, sample: int, seed: int) -> Iterator[tuple[Path, int, str, ast.Module]]:
    """`sample` mutants of all modules below a folder, each module's share as large as its number of mutants."""
    everything: list[tuple[Path, int]] = []
    kept: dict[Path, Mutants] = {}
    for file in sorted(folder.rglob("*.py")) if folder.is_dir() else [folder]:
        kept[file] = Mutants(file.read_text(encoding="utf-8"))
        everything += [(file, i) for i in range(len(kept[file].found))]
    for file, i in random.Random(seed).sample(everything, min(sample, len(everything))):
        line, what, make = kept[file].found[i]
        yield file, line, what, make()
