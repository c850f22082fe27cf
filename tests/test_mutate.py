"""scripts/mutate.py: the changes it makes, and whether a test notices."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

import mutate
from mutation import lines
from mutation.changes import Mutants

SCRIPTS = Path(mutate.__file__).parent


def changed(source: str) -> dict[str, list[str]]:
    """What is changed -> the sources after it."""
    found: dict[str, list[str]] = {}
    for _, what, make in Mutants(source).found:
        found.setdefault(what, []).append(ast.unparse(make()))
    return found


@pytest.mark.parametrize(
    ("source", "what", "after"),
    [
        ("a < b", "Lt -> LtE", "a <= b"),
        ("a if x is None else b", "Is -> IsNot", "a if x is not None else b"),
        ("x and y", "And -> Or", "x or y"),
        ("a + b", "Add -> Sub", "a - b"),
        ("x.sum(axis=0)", "0 + 1", "x.sum(axis=1)"),
        ("x * mask", "mask dropped", "x"),
        ("x.masked_fill(m, 0.5)", "mask dropped", "x"),
        ("np.where(m, a, b)", "where: first taken always", "a"),
        ("x[1:n]", "end of the slice dropped", "x[1:]"),
        ("not x", "not dropped", "x"),
        ("max(a, b)", "max -> min", "min(a, b)"),
        ("x.append(1)", "call left out", "pass"),
        ("raise ValueError(x)", "not raised", "pass"),
        ("keep = True", "True turned", "keep = False"),
    ],
)
def test_each_change(source: str, what: str, after: str) -> None:
    assert after in changed(source)[what]


def test_in_functions() -> None:
    source = 'def f(x: int = 3) -> int:\n    """Adds 1."""\n    for y in x:\n        if y:\n            continue\n    return x'
    found = changed(source)
    assert sorted(found) == ["3 + 1", "None returned", "continue -> break", "if turned"]
    assert "if not y:" in found["if turned"][0]
    assert "def f(x: int=4)" in found["3 + 1"][0]


def test_leaves_the_source_as_it_is() -> None:
    source = "def f(a, b):\n    return [a < b, a - 1, not a]"
    mutants = Mutants(source)
    assert len(mutants.found) == 5
    texts = {ast.unparse(make()) for _, _, make in mutants.found}
    assert len(texts) == 5
    assert source not in texts
    assert ast.unparse(mutants.tree) == source


def test_texts_are_no_numbers() -> None:
    assert not changed('x = "a" + f"{b:3}"')


def test_verdicts(tmp_path: Path) -> None:
    """In a package of its own: a test that looks catches the change, one that does not lets it live."""
    (tmp_path / "crnn").mkdir()
    (tmp_path / "crnn" / "__init__.py").write_text("")
    (tmp_path / "crnn" / "sums.py").write_text("def f(a):\n    while a > 5:\n        a -= 1\n    return a + 1\n")
    (tmp_path / "test_looks.py").write_text("from crnn.sums import f\ndef test_looks():\n    assert f(1) == 2\n")
    (tmp_path / "test_blind.py").write_text("from crnn.sums import f\ndef test_blind():\n    f(1)\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    code = f"""
import sys
sys.path[:0] = [{str(SCRIPTS)!r}, {str(tmp_path)!r}]
import ast
from pathlib import Path
from mutation import lines
from mutation.changes import Mutants
from mutation.forks import verdict
lines.HOME = Path({str(tmp_path)!r})
file = lines.HOME / "crnn" / "sums.py"
found = {{what: make() for _, what, make in Mutants(file.read_text()).found}}
for what, test in [("Add -> Sub", "test_looks.py"), ("Add -> Sub", "test_blind.py"), ("Gt -> GtE", "test_looks.py")]:
    print(verdict(file, found[what], [test], 0.1))
print(verdict(file, found["Add -> Sub"], [], 0.1))
for test in ("test_looks.py::test_looks", "test_looks.py::test_gone"):
    print(verdict(file, ast.parse("g = 1"), [test], 0.1))
"""
    environment = {**os.environ, "PYTHONPATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    wanted = ["caught", "survived", "survived", "no test", "caught", "no test"]
    assert done.stdout.split("\n")[:6] == wanted, done.stderr


def test_lines_that_run_on_a_call() -> None:
    source = "X = 1\ndef f(a=2):\n    b = (\n        a + 1\n    )\n    return b\nclass C:\n    y = 3\n    def g(self): return 4\n"
    assert lines.inner_lines(source) == {3, 4, 5, 6, 9}


@pytest.mark.slow
def test_the_map_is_made_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pytest_cov")
    (tmp_path / "crnn").mkdir()
    (tmp_path / "crnn" / "__init__.py").write_text("")
    module = tmp_path / "crnn" / "sums.py"
    module.write_text("X = 3\ndef f(a):\n    return a + 1\ndef g(a):\n    return a + 2\n")
    for name in "fg":
        (tmp_path / f"test_{name}.py").write_text(
            f"def test_it():\n    from crnn.sums import {name}\n    assert {name}(1)\n"
        )
    (tmp_path / "pytest.ini").write_text("[pytest]\npythonpath = .\naddopts = -n auto --dist worksteal\n")
    monkeypatch.setattr(lines, "HOME", tmp_path)
    monkeypatch.setattr(lines, "MAP", tmp_path / ".mutation")
    assert lines.Tests().of(module, 3, 9.0) == []
    tests = {}
    for part in ("test_f.py", "test_g.py"):
        assert lines.make_map([part], 1) == 0
        known = lines.Tests()
        tests[part] = [sorted(known.of(module, line, 9.0)) for line in (1, 3, 5)]
    assert tests["test_f.py"] == [["test_f.py::test_it"]] * 3  # for what no test runs, those of the file
    assert tests["test_g.py"][1:] == [["test_f.py::test_it"], ["test_g.py::test_it"]]
    assert tests["test_g.py"][0] == ["test_f.py::test_it", "test_g.py::test_it"]  # whichever imported it first
    (tmp_path / "test_f.py").write_text("def test_new():\n    import sys\n    sys.settrace(None)\n    assert False\n")
    assert lines.make_map(["test_f.py", "test_g.py"], 2) == 1
    known = lines.Tests()
    assert sorted(known.of(module, 3, 9.0)) == ["test_g.py::test_it"]  # the old test is gone
    assert sorted(known.seconds) == ["test_f.py::test_new", "test_g.py::test_it"]


def test_without_a_map_the_tests_that_import_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("coverage")
    monkeypatch.setattr(lines, "HOME", tmp_path)
    monkeypatch.setattr(lines, "MAP", tmp_path / ".mutation")
    texts = {
        "core/test_a.py": "from crnn.core.sums import f\ndef test_new(): pass\ndef helper(): pass\n",
        "core/test_b.py": "from crnn.core import other, sums\ndef test_fast(): pass\ndef test_slow(): pass\n",
        "core/test_c.py": "from crnn.core.sumset import f\ndef test_it(): pass\n",
        "core/test_none.py": "from crnn.core import others\ndef test_it(): pass\n",
        "data/test_d.py": "import crnn.core.sums\nimport crnn.core.odd\ndef test_it(): pass\n",
    }
    for name, text in texts.items():
        (tmp_path / "tests" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "tests" / name).write_text(text)
    for name in ("sums", "odd", "none"):
        (tmp_path / "crnn" / "core").mkdir(parents=True, exist_ok=True)
        (tmp_path / "crnn" / "core" / f"{name}.py").write_text("X = 1\n")
    tests = lines.Tests()
    tests.seconds = {"tests/core/test_b.py::test_slow": 3.0, "tests/core/test_b.py::test_fast": 0.5}
    found = {name: tests.of(tmp_path / "crnn" / "core" / f"{name}.py", 1, 99.0) for name in ("sums", "odd", "none")}
    first, new, slow = "core/test_b.py::test_fast", "core/test_a.py::test_new", "core/test_b.py::test_slow"
    assert found["sums"] == [f"tests/{name}" for name in (first, new, slow)]  # what is not known counts as a second
    assert found["odd"] == ["tests/data/test_d.py::test_it"]  # of another room, where its own has none
    assert found["none"] == ["tests/core/test_none.py::test_it"]  # by its name
    (tmp_path / "crnn" / "core" / "sumset.py").write_text("from crnn.core.none import X\n")
    names = tests.of(tmp_path / "crnn" / "core" / "none.py", 1, 99.0)
    assert names == [
        "tests/core/test_none.py::test_it",
        "tests/core/test_c.py::test_it",
    ]  # its own, then that of what imports it
    assert tests.of(tmp_path / "crnn" / "core" / "sums.py", 1, 1.0) == ["tests/core/test_b.py::test_fast"]


def test_table() -> None:
    rows = [
        {"folder": "crnn/core", "file": "crnn/core/a.py", "line": 3, "change": "x", "result": r}
        for r in ("caught", "timed out", "survived")
    ]
    text = mutate.table(rows)
    assert "| crnn/core | 3 | 1 | 1 | 1 | 66.7% |" in text
    assert "crnn/core/a.py:3: x: timed out\n" in text
    assert text.endswith("crnn/core/a.py:3: x: survived")
