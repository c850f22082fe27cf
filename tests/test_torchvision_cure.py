"""torchvision and lightning import beside any build of torch."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

STUB = """
import torch
try:
    torch.library.Library("torchvision", "FRAGMENT")
    torch._C._dispatch_has_kernel_for_dispatch_key("torchvision::nms", "Meta")
except RuntimeError:
    raise RuntimeError("operator torchvision::nms does not exist") from None
"""


def python(code: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(path)} if path else None
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=120)


def make_stub(folder: Path, init: str) -> Path:
    (folder / "torchvision" / "transforms" / "v2").mkdir(parents=True)
    (folder / "torchvision" / "__init__.py").write_text(init)
    (folder / "torchvision" / "transforms" / "__init__.py").write_text("")
    (folder / "torchvision" / "transforms" / "v2" / "__init__.py").write_text("functional = 'the real thing'")
    return folder


def test_what_is_installed_works() -> None:
    done = python("import crnn.torchvision_cure as c, lightning; print(c.functional.affine.__name__)")
    assert (done.returncode, done.stdout) == (0, "affine\n"), done.stderr


def test_missing_operators_are_declared(tmp_path: Path) -> None:
    make_stub(tmp_path, STUB)
    broken = python("import torchvision", tmp_path)
    assert "operator torchvision::nms does not exist" in broken.stderr
    cured = python("import crnn.torchvision_cure as c; print(c.functional)", tmp_path)
    assert (cured.returncode, cured.stdout) == (0, "the real thing\n"), cured.stderr


def test_other_failures_are_not_hidden(tmp_path: Path) -> None:
    make_stub(tmp_path, "raise RuntimeError('something else')")
    done = python("import crnn.torchvision_cure", tmp_path)
    assert done.returncode == 1
    assert "RuntimeError: something else" in done.stderr


def test_cured_even_when_an_import_has_failed_before(tmp_path: Path) -> None:
    make_stub(tmp_path, STUB)
    code = "import contextlib\nwith contextlib.suppress(RuntimeError):\n    import torchvision\nimport crnn.torchvision_cure as c\nprint(c.functional)"
    assert python(code, tmp_path).stdout == "the real thing\n"
