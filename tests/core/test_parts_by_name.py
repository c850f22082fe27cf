"""Parts by their names, ours and of installed packages; real packages are in tests/test_plugins.py."""

from __future__ import annotations

import importlib.metadata
from types import SimpleNamespace
from typing import Any

import pytest

from crnn.core.plugins import Registry, _short
from crnn.errors import PluginError


class Entry(SimpleNamespace):
    """An entry point; `load` gives its value, or raises it."""

    def load(self) -> object:
        if isinstance(self.value, Exception):
            raise self.value
        return self.value


def entry(name: str, value: object = len, package: str | None = "pack") -> Entry:
    return Entry(name=name, value=value, dist=package and SimpleNamespace(name=package))


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Calling it with entries installs these; what was asked for is in `asked`."""
    asked: list[str] = []

    def set_to(*entries: Entry) -> list[str]:
        monkeypatch.setattr(importlib.metadata, "entry_points", lambda *, group: asked.append(group) or list(entries))
        return asked

    return set_to


def registry(**settings: Any) -> Registry[Any]:
    return Registry("part", {"ours": sum, "other": max}, "crnn.where", **settings)


def test_ours_are_found_without_a_look_elsewhere(install: Any) -> None:
    asked = install(entry("ours"))
    assert registry().find("ours") is sum
    assert dict(registry()) == {"ours": sum, "other": max}
    assert asked == []


def test_parts_of_packages(install: Any) -> None:
    one, two = entry("zed", abs), entry("add", len)
    asked = install(one, two)
    assert registry().find("zed") is abs
    assert registry().find("add") is len
    assert list(registry().installed().items()) == [("add", two), ("zed", one)]
    assert list(registry().added().items()) == [("add", len), ("zed", abs)]
    assert set(asked) == {"crnn.parts"}
    assert "zed" not in registry()
    install()
    assert (registry().installed(), registry().added()) == ({}, {})


@pytest.mark.parametrize("name", ["no", "", None, 3, ["ours"], ("ours",), {"ours": 1}, "len"])
def test_unknown_names(name: object, install: Any) -> None:
    install(entry("zed"), entry("add"))
    with pytest.raises(PluginError) as caught:
        registry().find(name)
    assert str(caught.value).startswith(f"part {name!r} is unknown; allowed are ours, other, and what installed")
    assert "to the entry-point group crnn.parts (here: add, zed); mend the name" in str(caught.value)
    install()
    with pytest.raises(PluginError, match=r"^x=3: is unknown; allowed are ours, other, more, and .*here: nothing\);"):
        registry().find(3, "x=3:", ["more"])


def test_names_are_cut_in_messages() -> None:
    assert _short("a" * 160) == repr("a" * 160)
    assert _short("a" * 161) == repr("a" * 160)
    assert _short("\u00e9\n") == "'\\xe9\\n'"
    assert len(_short("\n" * 200)) == 162
    assert _short(list(range(200))) == str(list(range(200)))[:162]


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([entry("ours")], "part 'ours' is one of ours, and the package pack adds another one to the entry-point group"),
        ([entry("other", package=None)], "part 'other' is one of ours, and an unknown package adds another one"),
        ([entry("a", package="p"), entry("a", package="q")], "part 'a' is added twice .* by the package p and by the"),
        ([entry("a", package=None), entry("a", package="q")], "by an unknown package and by the package q; uninstall"),
    ],
)
def test_names_come_once(entries: list[Entry], message: str, install: Any) -> None:
    install(*entries, entry("good"))
    for ask in (lambda: registry().installed(), lambda: registry().added(), lambda: registry().find("good")):
        with pytest.raises(PluginError, match=message):
            ask()


def test_parts_that_cannot_be_loaded(install: Any) -> None:
    install(entry("bad", ValueError("x" * 200 + "y")), entry("good", len))
    with pytest.raises(PluginError, match=rf"of the package pack \(group crnn.parts\) .*\(ValueError: '{'x' * 160}'\)"):
        registry().find("bad")
    with pytest.raises(PluginError, match="cannot be loaded"):
        registry().added()
    assert registry().find("good") is len


def test_parts_that_do_not_fit(install: Any) -> None:
    install(entry("three", 3), entry("call", len))
    with pytest.raises(
        PluginError, match=r"of the package pack \(group crnn.parts\) is no part; it must be as crnn.where"
    ):
        registry().find("three")  # cannot be called
    assert registry(fits=lambda part: part == 3).find("three") == 3
    with pytest.raises(PluginError, match="is no part"):
        registry(fits=lambda part: part == 3).find("call")
