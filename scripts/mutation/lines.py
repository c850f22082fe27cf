"""The map: which tests run which line, and how long each takes."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HOME = Path(__file__).resolve().parents[2]
MAP = HOME / ".mutation"
"""Where `map` keeps what it found; not in version control."""


def make_map(folders: Sequence[str], processes: int) -> int:
    """Run the tests with coverage, and keep which test ran which line, and how long each took.

    Each file of tests runs in a process of its own: what one of them does to Python's tracing ends with it. A file that
    runs again takes its old place.

    Args:
        folders: of tests, or files; none: all of them, and the map is made anew.
        processes: so many at a time.

    Returns:
        0 if all of them passed.
    """
    if not folders:
        shutil.rmtree(MAP, ignore_errors=True)
    MAP.mkdir(exist_ok=True)
    files = [path for folder in folders or ["tests"] for path in _test_files(HOME / folder)]
    with ThreadPoolExecutor(processes) as pool:
        codes = []
        for file, code in zip(files, pool.map(_map_file, files), strict=True):
            print(f"{file.relative_to(HOME)}: {'passed' if code in (0, 5) else 'FAILED'}", flush=True)
            codes.append(code)
    return int(any(code not in (0, 5) for code in codes))  # 5: all of them are slow


def _test_files(path: Path) -> list[Path]:
    return sorted(path.rglob("test_*.py")) if path.is_dir() else [path]


def _map_file(file: Path) -> int:
    """Exit code of pytest on one file of tests."""
    mark = str(file.relative_to(HOME).with_suffix("")).replace(os.sep, "+")
    environment = os.environ | {"COVERAGE_FILE": str(MAP / f"coverage+{mark}")}
    words = ["-q", "-n", "0", "--dist", "no", "-p", "no:cacheprovider", "--cov=crnn", "--cov-context=test"]
    words += ["--cov-report=", f"--junitxml={MAP / f'times+{mark}.xml'}"]
    words += ["-o", "junit_duration_report=call", str(file)]  # the first test's fixtures load torch, which a fork has
    command = [sys.executable, "-m", "pytest", *words]
    return subprocess.run(command, env=environment, cwd=HOME, stdout=subprocess.DEVNULL).returncode


class Tests:
    """What `make_map` found: the tests of a line, fast ones first."""

    def __init__(self) -> None:
        from coverage import CoverageData

        self.data = CoverageData(no_disk=True)
        for path in sorted(MAP.glob("coverage+*")):
            one = CoverageData(basename=str(path))
            one.read()
            self.data.update(one)
        self.seconds: dict[str, float] = {}
        for times in MAP.glob("times+*.xml"):
            for case in ET.parse(times).iter("testcase"):  # noqa: S314  # pytest wrote it
                name = f"{case.get('classname', '').replace('.', '/')}.py::{case.get('name', '').split('[')[0]}"
                self.seconds[name] = self.seconds.get(name, 0.0) + float(case.get("time", 0))

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


def module_name(file: Path) -> str:
    parts = list(file.relative_to(HOME).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
