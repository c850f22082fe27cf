"""What formats made of files in a folder or archive share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from crnn.data.sources.base import Content, Reader, ReadOptions
from crnn.data.sources.trees import Tree, open_tree
from crnn.errors import printable


class FolderReader(Reader):
    """Reads a folder, or the same in a zip or tar archive; a picture's key is its name in there."""

    def __init__(self, path: Path, options: ReadOptions) -> None:
        super().__init__(path, options)
        self.tree: Tree = open_tree(path)

    def parts(self) -> Iterator[Path]:
        return self.tree.parts()

    def content(self, key: str) -> Content:
        return self.tree.content(key)

    def _name(self, key: str) -> str:
        return printable(self.tree.root / key)
