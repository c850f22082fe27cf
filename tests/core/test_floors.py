"""Imports go down only, and importing is free."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "crnn"
FLOORS = {
    "errors": 0,
    "files": 0,
    "core": 1,
    "torchvision_cure": 1,
    "data": 2,
    "loader": 2,  # core alone, but for the torch backend, which it imports when it needs it
    "model": 2,
    "report": 3,
    "reading": 3,
    "export": 3,
    "training": 4,
    "explain": 5,
    "cli": 6,
}
HEAVY = {"torch", "lightning", "hydra", "omegaconf", "torchvision", "onnx", "matplotlib"}
WITHOUT_TORCH = (
    "core",
    "data/sources",
    "data/synth",
    "data/check.py",
    "data/split.py",
    "reading",
    "report",
    "cli.py",
    "loader.py",
    "errors.py",
    "files.py",
    "__init__.py",
)


def imports(path: Path, top_only: bool) -> set[str]:
    """Modules that a file imports; with `top_only` not those within functions or under TYPE_CHECKING."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found: set[str] = set()

    def visit(node: ast.AST) -> None:
        if top_only and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            return
        if top_only and isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            return
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.add(node.module or "")
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(tree)
    return found


def floor(module: str) -> int | None:
    parts = module.split(".")
    return FLOORS.get(parts[1]) if parts[0] == "crnn" and len(parts) > 1 else None


def test_imports_go_down() -> None:
    seen = 0
    for path in sorted(PACKAGE.rglob("*.py")):
        room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if room == "__init__":
            continue
        assert room in FLOORS, f"{room} has no floor"
        for module in imports(path, top_only=True):
            other = floor(module)
            if other is not None:
                seen += 1
                assert other <= FLOORS[room], f"{path}: {module} lies above"
                same_floor_other_room = other == FLOORS[room] and module.split(".")[1] != room
                assert not same_floor_other_room or {room, module.split(".")[1]} == {"core", "files"}, (
                    f"{path}: {module}"
                )
    assert seen > 150


def test_what_reads_runs_without_torch() -> None:
    files = [
        p
        for name in WITHOUT_TORCH
        for p in ([PACKAGE / name] if name.endswith(".py") else (PACKAGE / name).rglob("*.py"))
    ]
    assert len(files) > 30
    for path in files:
        heavy = {module.split(".")[0] for module in imports(path, top_only=True)} & HEAVY
        assert not heavy, f"{path} imports {heavy}"


def test_importing_crnn_loads_nothing() -> None:
    code = "import sys, crnn; print(sorted(m for m in sys.modules if m.split('.')[0] in {'torch','numpy','PIL','hydra','lightning','onnxruntime','regex'}))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
