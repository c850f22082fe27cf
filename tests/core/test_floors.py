"""Imports go down only, and importing is free."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests_support import script

PACKAGE = Path(__file__).parents[2] / "crnn"
graph = script("import_graph")
MODULES = graph.module_graph().keys()
FLOORS = {
    "errors": 0,
    "files": 0,
    "signals": 0,
    "console": 0,
    "machine": 0,
    "libraries": 0,
    "models": 1,
    "core": 1,
    "torchvision_cure": 1,
    "data": 2,
    "loader": 2,  # core alone, but for the torch backend, which it imports when it needs it
    "model": 2,
    "report": 3,
    "inspect": 4,
    "serve": 4,
    "reading": 4,
    "export": 4,  # fits the temperature of what it writes
    "training": 5,
    "explain": 6,
    "cli": 7,
}
HEAVY = {"torch", "lightning", "hydra", "omegaconf", "torchvision", "onnx", "matplotlib"}
WITHOUT_TORCH = (
    "core",
    "data/convert",
    "data/sources",
    "data/synth",
    "data/check.py",
    "data/hashes.py",
    "data/progress.py",
    "data/split.py",
    "reading",
    "report",
    "serve",
    "inspect",
    "training/compare.py",
    "training/confusions.py",
    "training/curves.py",
    "training/watch.py",
    "cli",
    "loader.py",
    "errors.py",
    "files.py",
    "machine.py",
    "models",
    "__init__.py",
)


def imports(path: Path, top_only: bool) -> set[str]:
    """Modules that a file imports; with `top_only` not those within functions or under TYPE_CHECKING."""
    return graph.imported(path, top_only, MODULES)


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


def crnn_rooms(path: Path) -> set[str]:
    """Rooms that a file imports from anywhere, functions included."""
    return {m.split(".")[1] for m in imports(path, top_only=False) if m.startswith("crnn.")}


def test_the_ground_floor_stands_alone() -> None:
    """Core needs numpy, Pillow, editdistance and regex, and three more within functions that use them."""
    files = sorted((PACKAGE / "core").rglob("*.py"))
    assert len(files) >= 10
    outside: set[str] = set()
    within = {"onnxruntime", "bidi", "safetensors"}
    for path in files:
        assert crnn_rooms(path) <= {"core", "errors", "files", "__version__"}, path
        everything = {m.split(".")[0] for m in imports(path, top_only=False)} - {"crnn"} - sys.stdlib_module_names
        at_once = {m.split(".")[0] for m in imports(path, top_only=True)}
        assert everything <= {"numpy", "PIL", "editdistance", "regex", *within}, path
        assert not within & at_once, path
        outside |= everything
    assert within <= outside  # so the exceptions are still needed
    for name in ("errors.py", "files.py"):
        assert {m.split(".")[0] for m in imports(PACKAGE / name, top_only=False)} <= sys.stdlib_module_names


def test_rooms_import_what_they_may() -> None:
    for folder, allowed in {
        "model": {"core", "errors", "model", "files"},
        "data/sources": {"core", "errors", "data", "files"},
        "data": {"core", "errors", "data", "files", "signals", "torchvision_cure"},
    }.items():
        files = sorted((PACKAGE / folder).rglob("*.py"))
        assert len(files) >= 3
        for path in files:
            assert crnn_rooms(path) <= allowed, path
    for name in ("data/check.py", "data/split.py", "data/sources"):
        path = PACKAGE / name
        for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
            assert not {m.split(".")[0] for m in imports(file, top_only=False)} & HEAVY, file


def test_only_the_loader_looks_up() -> None:
    """An import within a function hides from the import order, not from the floors."""
    upward = set()
    for path in sorted(PACKAGE.rglob("*.py")):
        room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if room != "__init__":
            above = {other for other in crnn_rooms(path) if FLOORS.get(other, 0) > FLOORS[room]}
            upward |= {(path.relative_to(PACKAGE).as_posix(), other) for other in above}
    assert upward == {("loader.py", "export")}


def test_every_module_of_the_torch_free_floors_loads_without_torch() -> None:
    """What the source says, seen from outside: through everything that these modules import in turn."""
    modules = [
        ".".join(p.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
        for name in WITHOUT_TORCH
        for p in sorted([PACKAGE / name] if name.endswith(".py") else (PACKAGE / name).rglob("*.py"))
    ]
    assert len(modules) > 30
    assert {"crnn.core.recognizer", "crnn.data.sources.views", "crnn.loader"} <= set(modules)
    code = f"""
import importlib, sys
for name in {modules}:
    importlib.import_module(name)
    heavy = sorted({{m.split(".")[0] for m in sys.modules}} & {HEAVY | {"onnxruntime", "bidi"}})
    assert not heavy, (name, heavy)
print("all")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("all\n", "")


def test_public_names_arrive_when_they_are_used() -> None:
    code = """
import sys, crnn
assert set(crnn.__all__) <= set(dir(crnn))
for name in crnn.__all__:
    assert getattr(crnn, name) is not None, name
assert "torch" not in sys.modules
try:
    crnn.nothing
except AttributeError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "module 'crnn' has no attribute 'nothing'\n"
