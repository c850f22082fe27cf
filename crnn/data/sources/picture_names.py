"""From the picture's name in a label file to the picture in the tree."""

from __future__ import annotations

from pathlib import PurePosixPath

from crnn.data.sources.trees import Tree, inside
from crnn.errors import DataError


class PictureNames:
    """Finds the pictures of one label file.

    A name is looked up beside the label file, then in ``images/`` there (docTR keeps them so), then without its leading
    folders: PaddleOCR's names begin at a data folder above the label file. What is left out must be the same for all
    names of the file; else two pictures of one name in different folders would be mistaken for each other.

    Args:
        tree: where the pictures lie.
        base: folder of the label file in it, empty or ending in ``/``.
    """

    def __init__(self, tree: Tree, base: str) -> None:
        self._tree = tree
        self._base = base
        self._left_out: tuple[str, ...] | None = None

    def find(self, name: str) -> tuple[str, str]:
        """(name in the tree, problem); a picture that is not there keeps its name, which tells when it is opened."""
        if not name:
            return "", "has no picture name"
        try:
            relative = inside(self._made_relative(name), self._tree.root)
        except DataError as error:
            return name, f"leads out of its folder: {error}"
        parts = relative.parts
        for start in range(max(1, len(parts))):
            if start and self._left_out not in (None, parts[:start]):
                continue
            rest = "/".join(parts[start:])
            for folder in ("", "images/"):
                if self._tree.has(f"{self._base}{folder}{rest}"):
                    if start:
                        self._left_out = parts[:start]
                    return f"{self._base}{folder}{rest}", ""
        return f"{self._base}{relative}", ""

    def _made_relative(self, name: str) -> str:
        """An absolute name below the label file's folder as a relative one; any other as it is."""
        path = PurePosixPath(name.replace("\\", "/"))
        if path.is_absolute():
            for root in {self._tree.root.absolute(), self._tree.root.resolve()}:
                if path.is_relative_to(root.as_posix()):
                    return path.relative_to(root.as_posix()).as_posix()
        return name
