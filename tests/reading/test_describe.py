"""`crnn inspect`: what a model file says of itself, for people and as JSON, without running any of it."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import onnx
import pytest

import crnn
from crnn.cli import main
from crnn.core.card import ModelCard
from crnn.core.charset import Charset
from crnn.core.decode.settings import language_model
from crnn.core.onnx_backend import OnnxBackend
from crnn.export.torch_backend import read_network, write_safetensors
from crnn.models import bundled
from crnn.reading.describe import NOT_STATED, describe, lines, scripts

GOLDEN = Path(__file__).parents[1] / "export" / "golden"
ONNX = GOLDEN / "format2.onnx"
WEIGHTS = GOLDEN / "format2.safetensors"


def rows(facts: dict) -> dict[str, str]:
    """First column -> what stands behind it; rows that go on are joined."""
    found: dict[str, str] = {}
    name = ""
    for line in lines(facts):
        name = line[:12].strip() or name
        found[name] = f"{found[name]}\n{line[13:]}" if name in found else line[13:]
    return found


def rewritten(tmp_path: Path, card: ModelCard) -> Path:
    path = tmp_path / "m.safetensors"
    write_safetensors(path, card, read_network(WEIGHTS)[1], half=True)
    return path


def test_onnx() -> None:
    facts = describe(str(ONNX))
    content = ONNX.read_bytes()
    assert (facts["size"], facts["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
    assert (facts["kind"], facts["format"], facts["crnn"], facts["opset"]) == ("onnx", 2, "0.1.0", 17)
    session = OnnxBackend(ONNX, 1)._session
    for key, found in (("inputs", session.get_inputs()), ("outputs", session.get_outputs())):
        assert [(v["name"], v["shape"]) for v in facts[key]] == [(v.name, v.shape) for v in found]
        assert [v["type"] for v in facts[key]] == ["float32", "int64"]
    card = crnn.load(ONNX).card
    assert facts["charset"]["symbols"] == list(card.charset.symbols)
    assert (facts["characters"], facts["scripts"]) == (11, {"digits and numbers": 10, "space": 1})
    assert (facts["decoder"], facts["temperature"]) == ({"name": "beam", "width": 5}, 1.5)
    assert (facts["training"], facts["licence"]) == (card.training, "digits rendered by this project")
    found = rows(facts)
    assert found["sha256"] == facts["sha256"]
    assert found["size"] == f"{len(content):,} bytes"
    assert found["network"].startswith("crnn_tiny, 15,")
    assert found["inputs"] == "images: float32 (batch, 1, 32, width)\nwidths: int64 (batch)"
    assert found["outputs"] == "log_probs: float32 (time, batch, 12)\nlengths: int64 (batch)"
    assert found["characters"] == "11: 10 digits and numbers, 1 space\n 0123456789"
    assert found["text rules"] == "whitespace=strip, direction=auto"
    assert found["pictures"] == "height 32, width free; (grey / 255 - 0.5) / 0.5"
    assert found["training"] == 'lines: {"train": 160, "val": 24}'
    assert found["licence"] == "digits rendered by this project"
    assert found["kind"] == "onnx, model format 2, written by crnn 0.1.0"
    assert rows(describe(str(GOLDEN / "format1.onnx")))["kind"] == "onnx, model format 1, written by crnn not stated"


def test_who_wrote_an_onnx_file(tmp_path: Path) -> None:
    """Older files of ours have the version of the exporter beside our name."""
    version = describe()["crnn"]
    assert rows(describe())["operators"] == f"ONNX opset 17, written with crnn {version}"
    model = onnx.load(str(ONNX))
    written_by = json.loads(model.metadata_props[0].value)["crnn"]
    path = tmp_path / "m.onnx"
    for name, version, said in (
        ("crnn", written_by, f"crnn {written_by}"),
        ("crnn", "9.9.9", "crnn, through torch's ONNX exporter 9.9.9"),
        ("crnn", "", "crnn"),
        ("other", "9.9.9", "other 9.9.9"),
        ("", "", NOT_STATED),
    ):
        model.producer_name, model.producer_version = name, version
        onnx.save(model, str(path))
        assert describe(str(path))["producer"] == said
    model.producer_name, model.producer_version = "crnn", "1.28.0"
    model.graph.node.add(op_type="QuantizeLinear")
    onnx.save(model, str(path))
    assert describe(str(path))["producer"] == "crnn, through onnxruntime's quantiser 1.28.0"


def test_safetensors_and_checkpoints(trained: Path, tmp_path: Path) -> None:
    facts = describe(str(WEIGHTS))
    network = read_network(WEIGHTS)[1]
    weights = sum(tensor.numel() for tensor in network.state_dict().values() if tensor.is_floating_point())
    assert (facts["kind"], facts["weights"], facts["types"]) == ("safetensors", weights, ["float32"])
    assert not {"inputs", "outputs", "opset"} & facts.keys()
    same = ("format", "network", "transform", "charset", "decoder", "temperature", "training", "licence")
    assert {key: facts[key] for key in same} == {key: describe(str(ONNX))[key] for key in same}
    half = describe(str(rewritten(tmp_path, crnn.load(ONNX).card)))
    assert (half["weights"], half["types"]) == (weights, ["float16", "float32"])
    checkpoint = describe(str(trained / "checkpoints" / "best.ckpt"))
    assert (checkpoint["kind"], checkpoint["types"]) == ("ckpt", ["float32"])
    assert checkpoint["charset"] == describe(str(trained))["charset"]  # a run folder: its model.onnx
    assert describe(str(trained))["kind"] == "onnx"
    assert rows(checkpoint)["network"].startswith("crnn_tiny, ")


def test_licences_and_long_and_odd_entries(tmp_path: Path) -> None:
    card = crnn.load(ONNX).card
    for note, said in (
        ({}, NOT_STATED),
        ({"note": ""}, NOT_STATED),
        ({"note": "ours"}, "ours"),
        ({"note": "ours", "licence": "CC-BY-4.0"}, "CC-BY-4.0"),
    ):
        facts = describe(str(rewritten(tmp_path, replace(card, training=note))))
        assert facts["licence"] == rows(facts)["licence"] == said
    note = {"characters": {"labels": {"a": 5, "b": 4}, "rendered": ["a", "b", "c"]}}
    facts = describe(str(ONNX)) | {"training": note}
    assert rows(facts)["training"] == "characters: 2 in labels, 1 of them fewer than 5 times; 3 rendered"
    assert rows(facts | {"training": {"characters": 3}})["training"] == "characters: 3"
    note = {"odd": "\x1b[31mred\n\ud800", "long": ["word"] * 100_000, "words": "many words " * 40}
    text = "\n".join(lines(describe(str(ONNX)) | {"training": note}))
    assert text.replace("\n", "").isprintable()
    assert "\\x1b[31mred\\n\\ud800" in text
    assert max(map(len, text.split("\n"))) <= 113
    assert "..." in text
    assert len(text.split("\n")) < 260


def test_a_language_model_and_a_lexicon_are_summed_up() -> None:
    """They are tables of megabytes; JSON has them whole."""
    card = crnn.load(ONNX).card
    texts = ["".join(str(i * k % 10) for k in range(9)) for i in range(400)]
    lm = language_model(texts, card.charset).to_dict()
    count = sum(len(followers) for followers, *_ in lm["followers"].values())
    assert count > 300
    decoder = {"name": "beam", "width": 5, "lm": lm, "lm_weight": 0.2, "length_bonus": 0.9, "lexicon": texts}
    facts = describe(str(ONNX)) | {"decoder": decoder}
    summary = f"language model: {count:,} n-grams of at most 6 of 11 characters, weight 0.2, length bonus 0.9"
    assert rows(facts)["decoder"].splitlines() == ['{"name": "beam", "width": 5}', summary, "lexicon: 400 texts"]
    assert rows(facts)["temperature"] == "1.5"
    assert facts["trim"] is False
    assert rows(facts)["pictures"] == "height 32, width free; (grey / 255 - 0.5) / 0.5"
    trimmed = rows(facts | {"trim": True})["pictures"]
    assert trimmed.endswith("0.5; paper around the line is cut off first")
    facts["decoder"] = {"name": "beam", "lm": lm}
    assert rows(facts)["decoder"].endswith(", weight 0.3, length bonus 0.6")
    for odd in ({"order": 6}, {**lm, "followers": {"a": 3}}, 3):
        facts["decoder"] = {"name": "beam", "lm": odd, "lexicon": 3}
        assert "\nlanguage model: cannot be used (" in rows(facts)["decoder"]
        assert rows(facts)["decoder"].endswith("\nlexicon: 3")
    facts["decoder"] = {"name": "sure", "lm": {"a": 1}}  # of somebody else
    assert rows(facts)["decoder"] == '{"name": "sure", "lm": {"a": 1}}'


def test_scripts() -> None:
    assert scripts(Charset.from_texts(["aßªЖщ字नि१ά…€ \u0301א"]).symbols) == {
        "Latin": 3,
        "Cyrillic": 2,
        "space": 1,
        "digits and numbers": 1,
        "punctuation": 1,
        "symbols": 1,
        "Greek": 1,
        "Hebrew": 1,
        "Devanagari": 1,
        "Cjk": 1,
    }


def test_the_command(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["inspect", str(ONNX)]) == 0
    out = capfd.readouterr().out
    assert out == "\n".join(lines(describe(str(ONNX)))) + "\n"
    assert main(["inspect", str(ONNX), "--json"]) == 0
    assert json.loads(capfd.readouterr().out) == describe(str(ONNX))
    for words in ([], ["bundled"]):
        assert main(["inspect", *words]) == 0
        said = capfd.readouterr().out
        assert said.startswith(f"file         {bundled()}\n")
        assert "licence      " in said
        assert NOT_STATED not in said.split("licence")[-1]
    model = onnx.load(str(ONNX))
    odd = {**json.loads(model.metadata_props[0].value), "training": {"note": "\ud800 odd"}}
    model.metadata_props[0].value = json.dumps(odd)  # in ASCII, as half a character has no other form
    onnx.save(model, str(tmp_path / "odd.onnx"))
    assert main(["inspect", str(tmp_path / "odd.onnx"), "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["licence"] == "\ud800 odd"
    for words in ([str(tmp_path / "none.onnx")], [str(Path(__file__))], [str(tmp_path)]):
        assert main(["inspect", *words]) == 2
        assert capfd.readouterr().err.count("\n") == 1


def test_nothing_is_run_and_no_torch_is_loaded() -> None:
    code = f"""
import sys
from crnn.cli import main
main(["inspect", {str(ONNX)!r}])
main(["inspect", {str(WEIGHTS)!r}, "--json"])
print(sorted({{name for name in ("torch", "onnx", "onnxruntime", "PIL.PngImagePlugin") if name in sys.modules}}))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert done.stderr == ""
