"""scripts/import_graph.py: who imports whom, and no circle, neither between modules nor between rooms."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests_support import script

graph = script("import_graph")


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A small package: a ground floor, a room above, a file on top that imports late."""
    files = {
        "__init__.py": "from house.ground import stone\n",
        "ground/__init__.py": "",
        "ground/stone.py": "import json\n",
        "ground/wall.py": "from house.ground.stone import heavy\n",
        "middle/__init__.py": "from house.middle.stairs import STEPS\n",
        "middle/stairs.py": "import house.ground.wall\nSTEPS = 3\n",
        "roof.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from house.middle import STEPS\n"
        "def open():\n    from house.ground import stone, wall\n",
    }
    for name, text in files.items():
        path = tmp_path / "house" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "house"


def test_modules_and_rooms_of_a_small_package(package: Path) -> None:
    modules = graph.module_graph(package)
    assert modules == {
        "house": {"house.ground.stone"},
        "house.ground": set(),
        "house.ground.stone": set(),
        "house.ground.wall": {"house.ground.stone"},
        "house.middle": {"house.middle.stairs"},
        "house.middle.stairs": {"house.ground.wall"},
        "house.roof": set(),
    }
    rooms, late = graph.room_graph(modules), graph.room_graph(graph.module_graph(package, at_once=False))
    assert rooms == {"ground": set(), "middle": {"ground"}, "roof": set()}
    assert late["roof"] == {"ground", "middle"}
    assert list(graph.rows(modules, rooms, late)) == [
        "level  room              modules  imports",
        "    2  roof                    1  ground* middle*",
        "    1  middle                  2  ground",
        "    0  ground                  3",
    ]
    assert list(graph.mermaid(rooms, late))[1:] == [
        "    ground",
        "    middle",
        "    middle --> ground",
        "    roof",
        "    roof -.-> ground",
        "    roof -.-> middle",
    ]


def test_what_an_import_names(tmp_path: Path) -> None:
    file = tmp_path / "some.py"
    file.write_text("import numpy.typing\nfrom a import b, c\nfrom a.b import d\n", encoding="utf-8")
    assert graph.imported(file) == {"numpy.typing", "a", "a.b"}
    assert graph.imported(file, modules=("a.b", "a.b.d")) == {"numpy.typing", "a", "a.b", "a.b.d"}


def test_circles_are_found_and_end_with_1(
    package: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["import_graph.py"])
    (package / "ground" / "stone.py").write_text("from house.middle import stairs\n", encoding="utf-8")
    modules = graph.module_graph(package)
    circle = ["house.ground.stone", "house.middle.stairs", "house.ground.wall", "house.ground.stone"]
    assert graph.circles(modules) == [circle]
    assert graph.circles({"a": {"b"}, "b": {"c"}, "c": set(), "d": {"a", "c"}}) == []
    monkeypatch.setattr(graph, "module_graph", lambda at_once=True: modules)
    assert graph.main() == 1
    assert capsys.readouterr().err == f"circle: {' -> '.join(circle)}\n"


def test_rooms_in_a_circle_though_no_modules_are() -> None:
    modules = {"p.a.x": {"p.b.x"}, "p.a.y": set(), "p.b.x": set(), "p.b.y": {"p.a.y"}}
    assert graph.circles(modules) == []
    assert graph.circles(graph.room_graph(modules)) == [["a", "b", "a"]]


def test_no_circle_in_crnn(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    modules = graph.module_graph()
    assert len(modules) > 200
    assert sum(map(len, modules.values())) > 800
    assert graph.circles(modules) == []
    monkeypatch.setattr("sys.argv", ["import_graph.py", "--mermaid"])
    assert graph.main() == 0
    drawn = capsys.readouterr().out.splitlines()
    assert drawn[0] == "graph TD"
    assert {"    export --> core", "    loader -.-> export", "    data --> core"} <= set(drawn)
