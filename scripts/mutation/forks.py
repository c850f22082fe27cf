"""One mutant: the tests in a fork of this process, with the changed module in the file's place."""

from __future__ import annotations

import ast
import contextlib
import importlib
import importlib.abc
import importlib.machinery
import os
import resource
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from .lines import module_name

HEAVY = ("numpy", "torch", "torchvision", "lightning", "onnx", "onnxruntime", "PIL.Image", "hypothesis", "pytest")
LIGHTER = ("_hypothesis_pytestplugin", "hydra", "rich", "regex", "bidi", "lmdb", "lxml.etree", "pyarrow.parquet")
"""Both are loaded once, before the mutants; of the second, those that are here."""


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


def load_heavy() -> dict[str, ModuleType]:
    """Load what is no part of this repository, and put away again what came of it, which shall last as long."""
    for name in ("crnn.torchvision_cure", *HEAVY):
        importlib.import_module(name)
    for name in LIGHTER:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    own = [name for name in sys.modules if name.split(".")[0] == "crnn"]
    return {name: sys.modules.pop(name) for name in own}
