"""Which room of crnn imports which, the highest first; ends with 1 if modules or rooms import each other in a circle.

    python scripts/import_graph.py              a table: level, room, modules, rooms that it imports; with ``*`` those
                                                that it imports late, within functions or for type checkers alone
    python scripts/import_graph.py --mermaid    a drawing for Markdown; dotted: late

A room is a folder or file right below ``crnn/``. Late imports make no circle.
"""

from __future__ import annotations

import argparse
import ast
import sys
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "crnn"
Graph = dict[str, set[str]]
"""Module (or room) -> those that it imports."""


def imported(path: Path, at_once: bool = True, modules: Collection[str] = ()) -> set[str]:
    """The modules that a file imports.

    Args:
        path: of the file.
        at_once: leave out those within functions and under TYPE_CHECKING.
        modules: those that are known; ``from a import b`` is ``a.b`` if that is one of them, else ``a``.
    """
    found: set[str] = set()

    def visit(node: ast.AST) -> None:
        if at_once and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            return
        if at_once and isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            return
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                found.add(whole if whole in modules else node.module or "")
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(ast.parse(path.read_text(encoding="utf-8")))
    return found


def module_graph(package: Path = PACKAGE, at_once: bool = True) -> Graph:
    """Every module of a package, and which of its modules it imports, those that it imports late too if asked for."""
    paths = {_name(path, package): path for path in sorted(package.rglob("*.py"))}
    return {name: (imported(path, at_once, paths) & paths.keys()) - {name} for name, path in paths.items()}


def _name(path: Path, package: Path) -> str:
    return ".".join(path.relative_to(package.parent).with_suffix("").parts).removesuffix(".__init__")


def room_graph(modules: Graph) -> Graph:
    """The same for rooms; the package's own ``__init__`` is none."""
    rooms: Graph = defaultdict(set)
    for module, others in modules.items():
        if room := _room(module):
            rooms[room] |= {_room(other) for other in others} - {"", room}
    return dict(rooms)


def _room(module: str) -> str:
    return module.partition(".")[2].partition(".")[0]


def circles(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """Each circle that a walk along the imports comes upon, as the names on it from the first to itself again."""
    found, done = [], set()

    def walk(name: str, way: list[str]) -> None:
        if name in way:
            found.append([*way[way.index(name) :], name])
        elif name not in done:
            for other in sorted(graph.get(name, ())):
                walk(other, [*way, name])
            done.add(name)

    for name in sorted(graph):
        walk(name, [])
    return found


def levels(rooms: Graph, late: Graph) -> dict[str, int]:
    """How many imports lie between each room and the ground at most; late ones too, unless they look up.

    Args:
        rooms: without circles.
        late: the same with late imports.
    """

    def below(room: str) -> set[str]:
        return {room}.union(*map(below, rooms[room]))

    downwards = {room: {other for other in late[room] if room not in below(other)} for room in rooms}

    def height(room: str) -> int:
        return 1 + max(map(height, downwards[room]), default=-1)

    return {room: height(room) for room in rooms}


def rows(modules: Graph, rooms: Graph, late: Graph) -> Iterator[str]:
    """The table; `late`: as `rooms`, with late imports."""
    height, size = levels(rooms, late), Counter(map(_room, modules))
    yield f"{'level':>5}  {'room':16}  {'modules':>7}  imports"
    for room in sorted(rooms, key=lambda room: (-height[room], room)):
        at_once, others = sorted(rooms[room]), sorted(late[room] - rooms[room])
        told = " ".join([*at_once, *(f"{other}*" for other in others)])
        yield f"{height[room]:>5}  {room:16}  {size[room]:>7}  {told}".rstrip()


def mermaid(rooms: Graph, late: Graph) -> Iterator[str]:
    """The drawing."""
    yield "graph TD"
    for room in sorted(rooms):
        yield f"    {room}"
        yield from (f"    {room} --> {other}" for other in sorted(rooms[room]))
        yield from (f"    {room} -.-> {other}" for other in sorted(late[room] - rooms[room]))


def main() -> int:
    """Print the graph, or the circles."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mermaid", action="store_true", help="print a drawing")
    args = parser.parse_args()
    modules = module_graph()
    rooms = room_graph(modules)
    found = circles(modules) or circles(rooms)
    for circle in found:
        print(f"circle: {' -> '.join(circle)}", file=sys.stderr)
    if not found:
        late = room_graph(module_graph(at_once=False))
        print("\n".join(mermaid(rooms, late) if args.mermaid else rows(modules, rooms, late)))
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
