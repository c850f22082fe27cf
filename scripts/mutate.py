"""Would the tests notice? Change the code in one place at a time, and count how many changes a test fails on.

    pip install -e ".[test]" pytest-cov
    python scripts/mutate.py map                                         # once: which tests run which lines
    python scripts/mutate.py map tests/core tests/data                   # or of these folders or files only: adds them
    python scripts/mutate.py run crnn/core crnn/data crnn/model --sample 60 --out mutants.jsonl
    python scripts/mutate.py table mutants.jsonl                         # again the table, and what survived

A mutant is one change: a comparison turned or its bound moved, `and` for `or`, a number one higher (so also an axis, a
span, a shape), an operator for its opposite, a mask or a guard dropped, a call left out, an error not raised, None
returned, a slice without its end. `run` draws `--sample` of them from each folder, runs the tests that run the changed
line (the fast ones first, `--seconds` of them), and writes a row for each; called again it goes on. Of a file that the
map lacks it runs the tests that import it. A mutant is caught if a test fails or does not end. Some changes alter
nothing that can be seen, so 100 % is out of reach.

The heavy libraries are loaded once: each mutant is a fork of this process, in which the changed module is put in place
of the file's. Tests that start another Python see the file as it is, so what only these would notice counts as
survived.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import copy
import hashlib
import importlib
import importlib.abc
import importlib.machinery
import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

HOME = Path(__file__).resolve().parents[1]
MAP = HOME / ".mutation"
"""Where `map` keeps what it found; not in version control."""
HEAVY = ("numpy", "torch", "torchvision", "lightning", "onnx", "onnxruntime", "PIL.Image", "hypothesis", "pytest")
LIGHTER = ("_hypothesis_pytestplugin", "hydra", "rich", "regex", "bidi", "lmdb", "lxml.etree", "pyarrow.parquet")
"""Both are loaded once, before the mutants; of the second, those that are here."""
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


# -- which tests run which line


def make_map(folders: Sequence[str], processes: str) -> int:
    """Run the tests once with coverage, and keep which test ran which line, and how long each took.

    With folders or files the rest of the map stays; without, it is made anew.
    """
    if not folders:
        shutil.rmtree(MAP, ignore_errors=True)
    MAP.mkdir(exist_ok=True)
    environment = os.environ | {"COVERAGE_FILE": str(MAP / "coverage")}
    times = MAP / f"times-{len(list(MAP.glob('times-*.xml'))):04}.xml"
    words = ["-p", "no:cacheprovider", "--cov=crnn", "--cov-context=test", "--cov-report=", "--cov-append"]
    words += ["-n", processes, *(["--dist", "no"] if processes == "0" else [])]  # or pytest-cov waits for processes
    words += [f"--junitxml={times}", *folders]
    return subprocess.run([sys.executable, "-m", "pytest", *words], env=environment, cwd=HOME).returncode


class Tests:
    """What `make_map` found: the tests of a line, fast ones first."""

    def __init__(self) -> None:
        from coverage import CoverageData

        known = (MAP / "coverage").is_file()
        self.data = CoverageData(basename=str(MAP / "coverage"), no_disk=not known)
        if known:
            self.data.read()
        self.seconds: dict[str, float] = {}
        for times in sorted(MAP.glob("times-*.xml")):  # of a test that ran twice, the later one counts
            seconds: dict[str, float] = {}
            for case in ET.parse(times).iter("testcase"):  # noqa: S314  # pytest wrote it
                name = f"{case.get('classname', '').replace('.', '/')}.py::{case.get('name', '').split('[')[0]}"
                seconds[name] = seconds.get(name, 0.0) + float(case.get("time", 0))
            self.seconds |= seconds

    def of(self, file: Path, line: int, budget: float) -> list[str]:
        """Tests that run this line; for lines that run on import, tests that run any line of the file.

        Which test imports a module first is chance, so what coverage says of such lines means nothing.
        """
        lines = self.data.contexts_by_lineno(str(file))
        names = {_test(context) for context in lines.get(line, []) if context}
        if not names or line not in inner_lines(file.read_text(encoding="utf-8")):
            names = {_test(context) for contexts in lines.values() for context in contexts if context}
        if not names:
            names = self.by_import(file)
        chosen, spent = [], 0.0
        own = f"test_{file.stem}"
        for name in sorted(names, key=lambda name: (self.length(name), f"/{own}.py" not in name, name)):
            spent += self.length(name)
            if chosen and spent > budget:
                break
            chosen.append(name)
        return chosen

    def length(self, name: str) -> float:
        """Seconds that a test takes; a guess for what did not run yet."""
        return self.seconds.get(name, 1.0)

    def by_import(self, file: Path) -> set[str]:
        """For a file that is not in the map: the tests of test files that import it, or a module that does, or are
        named like it; of its own room, if there are any.
        """
        names, found = {module_name(file)}, set((HOME / "tests").rglob(f"test_{file.stem}.py"))
        for step in range(4):
            names |= {module_name(path) for path in _importers(names, HOME / "crnn")}
            if step == 0 or not found:  # further away only where nothing is near
                found |= {path for path in _importers(names, HOME / "tests") if path.name.startswith("test_")}
        room = HOME / "tests" / file.relative_to(HOME).parts[1]
        paths = [path for path in found if path.is_relative_to(room)] or found
        return {
            f"{path.relative_to(HOME)}::{node.name}"
            for path in paths
            for node in ast.parse(path.read_text(encoding="utf-8")).body
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
        }


def _importers(modules: set[str], folder: Path) -> set[Path]:
    """Files below a folder that import one of these modules."""
    parts = []
    for package, _, name in (module.rpartition(".") for module in sorted(modules)):
        whole, package = re.escape(f"{package}.{name}"), re.escape(package)
        parts += [rf"\b{whole}\b", rf"from {package} import [^\n]*\b{name}\b"]
    imports = re.compile("|".join(parts))
    return {path for path in folder.rglob("*.py") if imports.search(path.read_text(encoding="utf-8"))}


def inner_lines(source: str) -> set[int]:
    """Numbers of the lines within functions, which run on a call and not on import."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {
        line
        for node in ast.walk(ast.parse(source))
        if isinstance(node, kinds)
        for line in range(node.body[0].lineno, (node.end_lineno or 0) + 1)
    }


def _test(context: str) -> str:
    return context.split("|")[0].split("[")[0]


# -- one mutant


class _NoShrinking:
    """A failure is enough: hypothesis shall neither look for the smallest one nor keep it for the next run."""

    def pytest_configure(self) -> None:
        from hypothesis import Phase, settings

        settings.register_profile("mutant", deadline=None, database=None, phases=[Phase.explicit, Phase.generate])
        settings.load_profile("mutant")


class _Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds one module, and gives the changed code for it."""

    def __init__(self, name: str, file: Path, code: CodeType) -> None:
        self.name, self.file, self.code = name, file, code

    def find_spec(self, name: str, path: Any, target: ModuleType | None = None) -> Any:
        if name != self.name:
            return None
        return importlib.machinery.ModuleSpec(name, self, origin=str(self.file), is_package=self.is_package)

    @property
    def is_package(self) -> bool:
        return self.file.name == "__init__.py"

    def exec_module(self, module: ModuleType) -> None:
        module.__file__ = str(self.file)
        if self.is_package:
            module.__path__ = [str(self.file.parent)]
        exec(self.code, module.__dict__)  # noqa: S102  # it is this repository's own code


def module_name(file: Path) -> str:
    parts = list(file.relative_to(HOME).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def verdict(file: Path, tree: ast.Module, tests: Sequence[str], seconds: float) -> str:
    """``caught``, ``timed out``, ``survived`` or ``no test``."""
    if not tests:
        return "no test"
    code, what = _pytest(file, tree, tests, seconds)
    if code == 4:  # not found: the module cannot be imported any more, or the tests are not there
        unchanged = ast.parse(file.read_text(encoding="utf-8"))
        return "no test" if _pytest(file, unchanged, tests, seconds)[0] == 4 else "caught"
    return what


def _pytest(file: Path, tree: ast.Module, tests: Sequence[str], seconds: float) -> tuple[int, str]:
    """(exit code of the tests with this tree in the file's place, what it means); the code is -1 after a signal."""
    code = compile(tree, str(file), "exec")
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            resource.setrlimit(resource.RLIMIT_CPU, (int(20 + 5 * seconds), int(25 + 5 * seconds)))
            signal.alarm(int(300 + 20 * seconds))  # what waits uses no processor time
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, 1)
            os.dup2(null, 2)
            sys.meta_path.insert(0, _Changed(module_name(file), file, code))
            os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
            import pytest

            words = ["-x", "-q", "-o", "addopts=", "-m", "not slow", "-p", "no:cacheprovider"]
            os._exit(int(pytest.main([*words, "-p", "_hypothesis_pytestplugin", *tests], plugins=[_NoShrinking()])))
        os._exit(1)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        endless = os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL, signal.SIGALRM)
        return -1, "timed out" if endless else "caught"
    ended = os.WEXITSTATUS(status)
    return ended, {0: "survived", 5: "no test"}.get(ended, "caught")


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


def run(folders: Sequence[str], sample: int, seed: int, budget: float, out: Path) -> int:
    rows = read_rows(out)
    done = {row["mark"] for row in rows}
    tests = Tests()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.chdir(HOME)
    sys.path.insert(0, str(HOME))
    kept = load_heavy()
    for folder in folders:
        for file, line, what, tree in draw(HOME / folder, sample, seed):
            text = ast.unparse(tree)
            mark = hashlib.sha256(f"{file.relative_to(HOME)} {text}".encode()).hexdigest()[:16]
            if mark in done:
                continue
            chosen = tests.of(file, line, budget)
            result = verdict(file, tree, chosen, sum(map(tests.length, chosen)))
            row = {"folder": folder, "file": str(file.relative_to(HOME)), "line": line, "change": what}
            rows.append(row | {"result": result, "tests": len(chosen), "mark": mark})
            with out.open("a", encoding="utf-8") as handle:
                handle.write(json.dumps(rows[-1]) + "\n")
            print(f"{row['file']}:{line}: {what}: {result}", flush=True)
    kept.clear()
    print(table(rows))
    return 0


def load_heavy() -> dict[str, ModuleType]:
    """Load what is no part of this repository, and put away again what came of it, which shall last as long."""
    for name in ("crnn.torchvision_cure", *HEAVY):
        importlib.import_module(name)
    for name in LIGHTER:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    own = [name for name in sys.modules if name.split(".")[0] == "crnn"]
    return {name: sys.modules.pop(name) for name in own}


def read_rows(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()] if out.is_file() else []


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Markdown: how many of each folder's mutants were caught, and what survived."""
    text = ["| folder | mutants | a test fails | does not end | survived | caught |", "|---|---|---|---|---|---|"]
    for folder in dict.fromkeys(row["folder"] for row in rows):
        counts = Counter(row["result"] for row in rows if row["folder"] == folder)
        caught, endless, total = counts["caught"], counts["timed out"], sum(counts.values())
        left = total - caught - endless
        text.append(f"| {folder} | {total} | {caught} | {endless} | {left} | {(caught + endless) / total:.1%} |")
    odd = [row for row in rows if row["result"] != "caught"]
    text += ["", *(f"{row['file']}:{row['line']}: {row['change']}: {row['result']}" for row in odd)]
    return "\n".join(text)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    mapper = commands.add_parser("map")
    mapper.add_argument("tests", nargs="*", default=[], help="test folders or files (all)")
    mapper.add_argument("--processes", default="auto", help="that share the tests (auto)")
    runner = commands.add_parser("run")
    runner.add_argument("folders", nargs="+", help="crnn/core crnn/data ...")
    runner.add_argument("--sample", type=int, default=60, help="mutants of each folder")
    runner.add_argument("--seed", type=int, default=1)
    runner.add_argument("--seconds", type=float, default=20.0, help="of tests for a mutant, as `map` measured them")
    runner.add_argument("--out", type=Path, required=True)
    printer = commands.add_parser("table")
    printer.add_argument("out", type=Path)
    args = parser.parse_args()
    if args.command == "map":
        return make_map(args.tests, args.processes)
    if args.command == "run":
        return run(args.folders, args.sample, args.seed, args.seconds, args.out)
    print(table(read_rows(args.out)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
