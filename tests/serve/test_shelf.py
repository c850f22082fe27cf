"""Models by name, and files that are replaced."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from serve_support import copy_of_bundled, other_version

import crnn
from crnn.errors import ConfigError, ModelFileError
from crnn.models import bundled
from crnn.serve import shelf as shelf_module
from crnn.serve.errors import Refused
from crnn.serve.shelf import Shelf, Spec, open_model, parse_spec, parse_specs


def test_names(tmp_path: Path) -> None:
    run = tmp_path / "my run"
    (run / "checkpoints").mkdir(parents=True)
    (run / "config.yaml").write_text("")
    (run / "checkpoints" / "best.ckpt").write_bytes(b"")
    assert parse_spec("bundled") == Spec("latin", "bundled")
    assert parse_spec("latin") == Spec("latin", "latin")
    assert parse_spec("a=x/y.onnx") == Spec("a", "x/y.onnx")
    assert parse_spec("x/plates.onnx").name == "plates"
    assert parse_spec("runs/fraktur/model.onnx").name == "fraktur"
    assert parse_spec(str(run)).name == "my_run"
    assert parse_spec(str(run / "checkpoints" / "best.ckpt")).name == "my_run"
    for word in ("=x.onnx", "a/b=x.onnx", "a@1=x.onnx", "é=x.onnx"):
        with pytest.raises(ConfigError, match="is not allowed"):
            parse_spec(word)
    (tmp_path / "a=b.onnx").write_bytes(b"")
    assert parse_spec(str(tmp_path / "a=b.onnx")).name == "a_b"


def test_models_called_alike_only_for_want_of_letters_are_refused(tmp_path: Path) -> None:
    first, second = str(tmp_path / "车牌.onnx"), str(tmp_path / "手写.onnx")
    assert [one.name for one in parse_specs([first])] == ["model"]
    assert [one.name for one in parse_specs([f"a={first}", second])] == ["a", "model"]
    assert [one.name for one in parse_specs([first, str(tmp_path / "new" / "车牌.onnx")])] == ["model", "model"]
    assert [one.name for one in parse_specs(["old/plates.onnx", "new/plates.onnx"])] == ["plates", "plates"]
    for words in ([first, second], ["a b.onnx", "a_b.onnx"], [f"model={first}", second]):
        with pytest.raises(ConfigError, match=r"would both be called .* give names: NAME="):
            parse_specs(words)


def test_a_folder_without_a_model_is_named_as_such(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="is a folder; name the model file in it"):
        open_model(str(tmp_path))


def test_versions_of_one_name_side_by_side(tmp_path: Path) -> None:
    old, new = copy_of_bundled(tmp_path, "old.onnx"), tmp_path / "new.onnx"
    new.write_bytes(other_version(old, "new"))
    shelf = Shelf([Spec("a", str(old)), Spec("b", str(old)), Spec("a", str(new))], threads=1)
    try:
        first, _, last = shelf.slots
        assert first.loaded.version != last.loaded.version
        assert shelf.default is last
        assert shelf.find(None) is shelf.find("a") is last
        assert shelf.find(f"a@{first.loaded.version}") is first
        assert shelf.find("b").spec.name == "b"
        with pytest.raises(Refused, match=f"served are a@{first.loaded.version}, b@"):
            shelf.find("c")
        assert [model["default"] for model in shelf.described()] == [False, False, True]
    finally:
        shelf.close()


def test_a_file_is_opened_when_it_has_stayed_the_same(tmp_path: Path) -> None:
    path = copy_of_bundled(tmp_path)
    shelf = Shelf([Spec("a", str(path))], threads=1)
    try:
        old = shelf.slots[0].loaded
        assert list(shelf.reload()) == list(shelf.reload()) == []
        content = other_version(path, "new")
        path.write_bytes(content[: len(content) // 2])  # somebody copies over it
        assert list(shelf.reload()) == []
        path.write_bytes(content)
        os.utime(path, ns=(1, 1))
        assert list(shelf.reload()) == []
        assert list(shelf.reload()) == [("a", f"reloaded: {old.version} -> {shelf.slots[0].loaded.version}")]
        assert shelf.slots[0].loaded.version != old.version
        path.write_bytes(b"\x08 damaged")
        assert list(shelf.reload()) == []
        assert "stays: " in next(iter(shelf.reload()))[1]
        assert list(shelf.reload()) == list(shelf.reload()) == []  # said once
        assert "stays: " in next(iter(shelf.reload(force=True)))[1]
        path.unlink()
        assert list(shelf.reload()) == []  # it may be being replaced
        [(name, said)] = shelf.reload()
        assert (name, said[:13]) == ("a", "not reloaded,")
        assert "stays: " in said
        assert str(path) in said
        assert list(shelf.reload()) == list(shelf.reload()) == []  # said once
        assert "not reloaded" in next(iter(shelf.reload(force=True)))[1]
        path.write_bytes(content)
        os.utime(path, ns=(2, 2))
        assert next(iter(shelf.reload(force=True)))[1].startswith("reloaded: ")
    finally:
        shelf.close()


def test_whatever_a_new_file_raises_the_old_model_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = copy_of_bundled(tmp_path)
    shelf = Shelf([Spec("a", str(path))], threads=1)
    try:
        path.write_bytes(other_version(path, "new"))

        def broken(*args: Any, **options: Any) -> Any:
            raise ModuleNotFoundError("No module named 'torch'")

        monkeypatch.setattr(shelf_module, "load", broken)
        assert "stays: No module named 'torch'" in next(iter(shelf.reload(force=True)))[1]
        assert list(shelf.reload()) == list(shelf.reload()) == []
    finally:
        shelf.close()


def test_a_model_that_needs_torch_says_so_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "crnn.export.torch_backend", None)
    with pytest.raises(ModelFileError, match="needs torch, which cannot be imported here"):
        crnn.load(bundled(".safetensors"))


def test_the_version_is_that_of_the_file_that_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """For a GPU or half precision the model in the box is another file."""
    onnx = crnn.load(threads=1)
    monkeypatch.setattr(shelf_module, "load", lambda path, **options: onnx)
    for options, suffix in (
        ({}, ".onnx"),
        ({"device": "cuda"}, ".safetensors"),
        ({"precision": "bfloat16"}, ".safetensors"),
    ):
        loaded = open_model("bundled", **options)
        assert loaded.version == hashlib.sha256(bundled(suffix).read_bytes()).hexdigest()[:12]
        assert loaded.format == suffix[1:]
