"""Parts that other installed packages add, by Python's entry points; nothing of this package has to change for it.

A package says in its ``pyproject.toml``::

    [project.entry-points."crnn.decoders"]
    backwards = "my_package:Backwards"

and ``backwards`` is a decoder, as ``greedy`` is one of ours. Settings and model files only name a part; what runs is
what the user has installed. Nobody is asked as long as the names are ours, so that starting costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, TypeVar

from crnn.errors import PluginError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

T = TypeVar("T")
_SAID = 160


class Registry(dict[str, T]):
    """Name -> part of one kind: ours; `find` and `added` know those of installed packages, too.

    Args:
        kind: of the parts, for messages; the entry-point group is ``crnn.`` and its plural.
        ours: what is built in.
        contract: where it stands what a part has to be.
        fits: whether a loaded object can be one.
    """

    def __init__(
        self, kind: str, ours: Mapping[str, T], contract: str, fits: Callable[[object], bool] = callable
    ) -> None:
        super().__init__(ours)
        self.kind = kind
        self.group = f"crnn.{kind}s"
        self.contract = contract
        self.fits = fits

    def find(self, name: object, said: str | None = None, also: Iterable[str] = ()) -> T:
        """The part of this name, ours or of an installed package.

        Args:
            name: of the part.
            said: how the message names it: ``export.format=zip:``.
            also: further names that are allowed there.

        Raises:
            PluginError: if nobody has it; or for whatever `installed` and `added` raise.
        """
        if isinstance(name, str) and name in self:
            return self[name]
        installed = self.installed()
        if isinstance(name, str) and name in installed:
            return self._loaded(installed[name])
        raise PluginError(
            f"{said or f'{self.kind} {_short(name)}'} is unknown; allowed are {', '.join([*self, *also])}, and what "
            f"installed packages add to the entry-point group {self.group} (here: {', '.join(installed) or 'nothing'});"
            " mend the name, or install what adds it (a package, or a newer crnn: pip install -U crnn)"
        )

    def installed(self) -> dict[str, EntryPoint]:
        """Name -> entry point of the parts that installed packages add, sorted; none of them is imported.

        Raises:
            PluginError: if two packages add the same name, or one adds one of ours.
        """
        from importlib.metadata import entry_points

        found: dict[str, EntryPoint] = {}
        for entry in sorted(entry_points(group=self.group), key=lambda entry: entry.name):
            if entry.name in self:
                raise PluginError(
                    f"{self.kind} {_short(entry.name)} is one of ours, and {_of(entry)} adds another one to the "
                    f"entry-point group {self.group}; uninstall it, or have it renamed"
                )
            if entry.name in found:
                raise PluginError(
                    f"{self.kind} {_short(entry.name)} is added twice to the entry-point group {self.group}, by "
                    f"{_of(found[entry.name])} and by {_of(entry)}; uninstall one of them"
                )
            found[entry.name] = entry
        return found

    def added(self) -> dict[str, T]:
        """Name -> part of all that installed packages add, loaded.

        Raises:
            PluginError: see `installed`; or if one cannot be imported or is no such part.
        """
        return {name: self._loaded(entry) for name, entry in self.installed().items()}

    def _loaded(self, entry: EntryPoint) -> T:
        where = f"{self.kind} {_short(entry.name)}: the entry point {_short(entry.value)} of {_of(entry)}"
        try:
            part = entry.load()
        except Exception as error:  # somebody else's code
            reason = f"{type(error).__name__}: {str(error)[:_SAID]!a}"
            raise PluginError(
                f"{where} (group {self.group}) cannot be loaded ({reason}); mend, upgrade or uninstall that package"
            ) from error
        if not self.fits(part):
            raise PluginError(f"{where} (group {self.group}) is no {self.kind}; it must be as {self.contract} says")
        return part


def _short(name: object) -> str:
    """A name that may come from a file, for a message."""
    return ascii(name[:_SAID] if isinstance(name, str) else name)[: _SAID + 2]


def _of(entry: EntryPoint) -> str:
    return f"the package {entry.dist.name}" if entry.dist else "an unknown package"
