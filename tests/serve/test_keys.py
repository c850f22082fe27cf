"""API keys."""

from __future__ import annotations

import hmac
from pathlib import Path

import pytest

from crnn.errors import ConfigError
from crnn.serve.keys import VARIABLE, Keys, read_keys

ONE, OTHER = "one-key-of-letters", "two-key-of-letters"


def test_only_whole_keys_open() -> None:
    keys = Keys([ONE, OTHER])
    assert len(keys) == 2
    assert keys.allow(f"Bearer {ONE}")
    assert keys.allow(f"bearer {OTHER}")
    for header in (
        None,
        "",
        "Bearer",
        "Bearer ",
        ONE,
        f"Basic {ONE}",
        f"Bearer {ONE}x",
        f"Bearer {ONE[:-1]}",
        "Bearer \udc80é",
    ):
        assert not keys.allow(header)
    assert Keys([]).allow(None)


def test_all_keys_are_compared_whichever_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[int] = []
    original = hmac.compare_digest

    def counted(a: bytes, b: bytes) -> bool:
        compared.append(len(a))
        return original(a, b)

    keys = Keys([ONE, OTHER])
    monkeypatch.setattr(hmac, "compare_digest", counted)
    for header in (f"Bearer {ONE}", f"Bearer {OTHER}", "Bearer x", None):
        compared.clear()
        keys.allow(header)
        assert compared == [32, 32]


@pytest.mark.parametrize(
    "key", ["short", "with a space in it ...", "not-ascii-é-not-ascii", "control\x07control-control"]
)
def test_keys_that_cannot_be_sent_are_refused(key: str) -> None:
    with pytest.raises(ConfigError, match="API key 2 is not allowed"):
        Keys([ONE, key])


def test_a_file_as_windows_editors_write_it(tmp_path: Path) -> None:
    (tmp_path / "keys").write_bytes(f"\ufeff# ours\r\n{ONE}\r\n{OTHER}\r\n".encode())
    keys = read_keys(str(tmp_path / "keys"))
    assert len(keys) == 2
    assert keys.allow(f"Bearer {ONE}")
    assert keys.allow(f"Bearer {OTHER}")


def test_a_variable_without_a_key_does_not_open_the_door(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert len(read_keys(None)) == 0
    monkeypatch.setenv(VARIABLE, f" {ONE} {OTHER}")
    assert len(read_keys(None)) == 2
    for nothing in ("", " "):
        monkeypatch.setenv(VARIABLE, nothing)
        with pytest.raises(ConfigError, match="is set and holds no key"):
            read_keys(None)
