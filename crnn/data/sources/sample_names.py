"""Names of the members of samples, as WebDataset divides them."""

from __future__ import annotations

from array import array


class Seen:
    """Names that were there before. Those in rising order, as almost all shards have them, take eight bytes each."""

    def __init__(self) -> None:
        self._last = ""
        self._rising: array[int] = array("q")
        self._all: set[int] | None = None

    def add(self, name: str) -> bool:
        """Whether it is new."""
        if self._all is None:
            if name > self._last:
                self._last = name
                self._rising.append(hash(name))
                return True
            self._all = set(self._rising)
        before = len(self._all)
        self._all.add(hash(name))
        return len(self._all) > before


def split_name(name: str) -> tuple[str, str]:
    """(key, ending in lower case) of a member: its name is divided at the first dot after the folders."""
    folders = name.rfind("/") + 1
    dot = name.find(".", folders)
    return (name[:dot], name[dot + 1 :].lower()) if dot > folders else (name, "")
