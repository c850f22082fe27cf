"""Hostile model files: one clear line, nothing of them is run, no other file is opened, memory stays bounded."""

from __future__ import annotations

import io
import json
import pickle
import random
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from tests_support import protobuf_number as number

import crnn
from crnn.core import onnx_file
from crnn.core.card import CARD_KEY
from crnn.core.onnx_backend import OnnxBackend, open_onnx
from crnn.core.onnx_file import OPERATORS, read_onnx
from crnn.errors import DataError, ModelFileError
from crnn.export.torch_backend import read_network
from crnn.reading.describe import describe

FOLDER = Path(__file__).parent / "golden"
GOOD = FOLDER / "format2.onnx"
GOOD_WEIGHTS = FOLDER / "format2.safetensors"
PICTURE = FOLDER / "0.png"
OPENERS: dict[str, Callable[[Path], object]] = {
    "load": lambda path: crnn.load(path, threads=1, device="cpu").recognize([PICTURE]),
    "inspect": lambda path: describe(str(path)),
}


def refusal(path: Path, opener: str = "load") -> str:
    """The one line that refuses a file."""
    with pytest.raises(ModelFileError) as caught:
        OPENERS[opener](path)
    text = str(caught.value)
    assert text.startswith(f"{path}: ")
    assert text.isprintable()
    assert len(text) < 900
    return text


def changed(path: Path, change: Callable[[onnx.ModelProto], object]) -> Path:
    """A copy of the good file with a change."""
    model = onnx.load(str(GOOD))
    change(model)
    path.write_bytes(model.SerializeToString())
    return path


def card_of(model: onnx.ModelProto) -> onnx.StringStringEntryProto:
    return next(entry for entry in model.metadata_props if entry.key == CARD_KEY)


def first_weights(model: onnx.ModelProto) -> onnx.TensorProto:
    return model.graph.initializer[0]


# --- what a graph may not hold


def external(location: str) -> Callable[[onnx.ModelProto], object]:
    def change(model: onnx.ModelProto) -> None:
        tensor = first_weights(model)
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in (("location", location), ("offset", "0"), ("length", "288")):
            tensor.external_data.add(key=key, value=value)

    return change


def huge(model: onnx.ModelProto) -> None:
    del first_weights(model).dims[:]
    first_weights(model).dims.extend([2**20, 2**20])


def overflowing(model: onnx.ModelProto) -> None:
    del first_weights(model).dims[:]
    first_weights(model).dims.extend([2**32, 2**32])  # 0 in 64 bits


def negative(model: onnx.ModelProto) -> None:
    del first_weights(model).dims[:]
    first_weights(model).dims.extend([-8, -9])


def huge_typed(model: onnx.ModelProto) -> None:
    first_weights(model).CopyFrom(TensorProto(name="w", data_type=1, dims=[2**40], float_data=[1.0]))


def huge_constant(model: onnx.ModelProto) -> None:
    tensor = TensorProto(name="c", data_type=1, dims=[2**40], raw_data=b"\0\0\0\0")
    model.graph.node.insert(0, helper.make_node("Constant", [], ["c"], value=tensor))


def text_tensor(model: onnx.ModelProto) -> None:
    model.graph.initializer.append(TensorProto(name="s", data_type=TensorProto.STRING, dims=[1], string_data=[b"x"]))


def sparse(model: onnx.ModelProto) -> None:
    model.graph.sparse_initializer.add()


def sparse_constant(model: onnx.ModelProto) -> None:
    node = helper.make_node("Constant", [], ["c"])
    node.attribute.add(name="sparse_value", type=onnx.AttributeProto.SPARSE_TENSOR).sparse_tensor.dims.append(2**40)
    model.graph.node.insert(0, node)


def loop(model: onnx.ModelProto) -> None:
    body = helper.make_graph(
        [helper.make_node("Identity", ["cond_in"], ["cond_out"])],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("cond_in", TensorProto.BOOL, []),
        ],
        [helper.make_tensor_value_info("cond_out", TensorProto.BOOL, [])],
    )
    model.graph.initializer.append(numpy_helper.from_array(np.array(2**62), "trips"))
    model.graph.initializer.append(numpy_helper.from_array(np.array(True), "go"))
    model.graph.node.insert(0, helper.make_node("Loop", ["trips", "go"], [], body=body))


def graph_in_a_known_operator(model: onnx.ModelProto) -> None:
    node = helper.make_node("Identity", ["images"], ["other"])
    node.attribute.add(name="body", type=onnx.AttributeProto.GRAPH).g.name = "inner"
    model.graph.node.insert(0, node)


def custom(model: onnx.ModelProto) -> None:
    model.opset_import.add(domain="evil.corp", version=1)
    model.graph.node.insert(0, helper.make_node("Add", ["images", "images"], ["x"], domain="evil.corp"))


def function(model: onnx.ModelProto) -> None:
    model.functions.add(name="Relu", domain="evil")


def training_steps(model: onnx.ModelProto) -> None:
    model.training_info.add()


def random_numbers(model: onnx.ModelProto) -> None:
    model.graph.node.insert(0, helper.make_node("RandomNormal", [], ["r"], shape=[2**20, 2**20]))


GRAPHS: dict[str, tuple[Callable[[onnx.ModelProto], object], str]] = {
    "absolute path": (external("/etc/hostname"), r"external data\), which is never opened"),
    "path upwards": (external("../../weights.bin"), r"external data\), which is never opened"),
    "path beside": (external("beside.bin"), r"external data\), which is never opened"),
    "huge": (huge, r"tensor '.*' of 1,099,511,627,776 values, which are not in the file"),
    "overflowing": (overflowing, r"of very many values, which are not in the file"),
    "negative": (negative, r"of very many values, which are not in the file"),
    "huge, typed": (huge_typed, r"tensor 'w' of 1,099,511,627,776 values"),
    "huge constant": (huge_constant, r"tensor 'c' of 1,099,511,627,776 values"),
    "text": (text_tensor, r"tensor 's' of type 8"),
    "sparse": (sparse, "sparse tensor"),
    "sparse constant": (sparse_constant, "sparse tensor"),
    "loop": (loop, "a graph in a graph"),
    "graph": (graph_in_a_known_operator, "a graph in a graph"),
    "custom": (custom, r"operator 'evil\.corp\.Add', which no crnn model has"),
    "function": (function, "functions of its own"),
    "training": (training_steps, "training steps"),
    "random": (random_numbers, "operator 'RandomNormal', which no crnn model has"),
}


@pytest.mark.parametrize("opener", sorted(OPENERS))
@pytest.mark.parametrize("name", sorted(GRAPHS))
def test_graphs_that_are_never_run(name: str, opener: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import onnxruntime

    monkeypatch.setattr(onnxruntime, "InferenceSession", lambda *_, **__: pytest.fail("it was given to onnxruntime"))
    monkeypatch.chdir(tmp_path)
    Path("beside.bin").write_bytes(bytes(1000))
    change, words = GRAPHS[name]
    said = refusal(changed(tmp_path / "m.onnx", change), opener)
    assert re.search(words, said), said
    assert said.endswith("nothing of it was run; use a file written by 'crnn export'")


def test_two_graphs_are_not_merged(tmp_path: Path) -> None:
    other = onnx.ModelProto()
    other.graph.node.append(helper.make_node("Loop", [], []))
    path = tmp_path / "m.onnx"
    path.write_bytes(GOOD.read_bytes() + other.SerializeToString())  # protobuf joins them
    assert "field 7 twice where it may come once" in refusal(path)


def key(field: int, kind: int = 2) -> bytes:
    return number(field << 3 | kind)


def sized(field: int, content: bytes) -> bytes:
    return key(field) + number(len(content)) + content


def test_field_numbers_that_wrap_round_hide_nothing(tmp_path: Path) -> None:
    """Protobuf's C++ keeps 32 bits of a field's start: to it this is the graph, to others a field that is not known."""
    node = helper.make_node("RandomNormal", [], ["r"], shape=[9])
    hidden = onnx.GraphProto(node=[node]).SerializeToString()
    path = tmp_path / "m.onnx"
    for field in (7 + 2**29, 7 + 2**40, 0):
        path.write_bytes(GOOD.read_bytes() + sized(field, hidden))
        assert "a field number that there cannot be" in refusal(path)
    path.write_bytes(GOOD.read_bytes() + sized(2**29 - 1, hidden))  # the largest there can be; known to nobody
    assert open_onnx(path)[1].refused is None


def damage(content: bytes) -> str:
    with pytest.raises(ModelFileError) as caught:
        read_onnx(content, "m")
    return str(caught.value)


def test_parts_that_protobuf_would_join() -> None:
    """Two tensors that are small by themselves claim 2**40 values together; of other fields the last would count."""
    half = TensorProto(data_type=1, dims=[2**20]).SerializeToString()
    node = sized(4, b"Constant") + sized(5, sized(1, b"value") + sized(5, half) + sized(5, half))
    for content, field in (
        (sized(7, sized(1, node)), 5),
        (sized(7, sized(5, (key(2, 0) + b"\1") * 2)), 2),
        (sized(7, sized(11, sized(2, b"") * 2)), 2),
        (sized(8, sized(1, b"a") + sized(1, b"")), 1),
    ):
        assert f"field {field} twice where it may come once" in damage(content)


def test_a_number_has_64_bits() -> None:
    """Other readers cut off what is above, or refuse it."""
    assert "more than 64 bits" in damage(b"\x08" + b"\xff" * 9 + b"\x03")
    assert "0 graphs" in damage(b"\x08" + b"\xff" * 9 + b"\x01")


def test_a_number_of_fixed_size_is_no_dimension() -> None:
    """Protobuf passes over it; taken for eight sizes of 0, it would make 2**40 values none."""
    content = sized(7, sized(5, key(1, 0) + number(2**40) + key(1, 1) + bytes(8) + key(2, 0) + b"\1"))
    assert "a number where a text or message belongs" in damage(content)


def test_a_tensor_has_few_dimensions(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at = 0
    real = onnx_file.Reader.fields

    def counted(*words: object) -> Iterator[tuple[int, object]]:
        nonlocal looked_at
        for found in real(*words):  # type: ignore[arg-type]
            looked_at += 1
            yield found

    monkeypatch.setattr(onnx_file.Reader, "fields", counted)
    content = sized(7, sized(5, (key(1, 0) + b"\2") * 10_000))
    assert "more than 64 dimensions" in damage(content)
    assert looked_at < 70


def test_a_file_of_onnxruntimes_own_format_is_not_taken_for_onnx(tmp_path: Path) -> None:
    """Eight bytes that are a number to protobuf and a mark to onnxruntime, which would read the rest in its own way."""
    path = tmp_path / "m.onnx"
    path.write_bytes(b"\x08\x08\x1a\x1bORTM" + bytes(19) + GOOD.read_bytes()[2:])
    refusal(path)
    marked = b"\x08\x08\x22\x04" + b"ORTM" + GOOD.read_bytes()[2:]  # a domain
    path.write_bytes(marked)
    assert onnx.load(str(path)).domain == "ORTM"
    assert OnnxBackend(path, 1).run(np.zeros((1, 1, 32, 64), np.float32), np.array([64]))[1].tolist() == [16]


def test_field_numbers_are_those_of_onnx() -> None:
    known = {
        "ModelProto": {2: "producer_name", 3: "producer_version", 7: "graph", 8: "opset_import", 14: "metadata_props"},
        "GraphProto": {1: "node", 5: "initializer", 11: "input", 12: "output", 15: "sparse_initializer"},
        "NodeProto": {4: "op_type", 5: "attribute", 7: "domain"},
        "AttributeProto": {5: "t", 10: "tensors", 6: "g", 11: "graphs", 22: "sparse_tensor", 23: "sparse_tensors"},
        "TensorProto": {1: "dims", 2: "data_type", 8: "name", 9: "raw_data", 13: "external_data", 14: "data_location"},
    }
    for message, numbers in known.items():
        fields = {field.number: field.name for field in getattr(onnx, message).DESCRIPTOR.fields}
        assert {number: fields[number] for number in numbers} == numbers
    for name, single in onnx_file.SINGLE.items():
        kind: Any = onnx
        for step in name.split("."):
            kind = getattr(kind, step)
        lists = {field.number for field in kind.DESCRIPTOR.fields if hasattr(getattr(kind(), field.name), "extend")}
        assert {field.number for field in kind.DESCRIPTOR.fields} - lists == single, name
    data = {field.number for field in TensorProto.DESCRIPTOR.fields if field.name.endswith("_data")}
    assert data == {4, 5, 6, 7, 10, 11, 9, 13}
    for code, size in onnx_file.SIZES.items():
        assert helper.tensor_dtype_to_np_dtype(code).itemsize == size
    schemas = {schema.name: schema for schema in onnx.defs.get_all_schemas() if not schema.domain}
    assert set(schemas) >= OPERATORS
    for name in OPERATORS:
        kinds = {str(attribute.type) for attribute in schemas[name].attributes.values()}
        assert not [kind for kind in kinds if "GRAPH" in kind], name
    assert not OPERATORS & {"If", "Loop", "Scan", "SequenceMap", "Bernoulli", "Multinomial"}


# --- damage


def test_cut_anywhere(tmp_path: Path) -> None:
    """At every place of the first kilobyte, and 150 more."""
    cuts = 0
    for source in (GOOD, GOOD_WEIGHTS):
        content = source.read_bytes()
        rng = random.Random(1)
        for cut in (*range(0, 1000, 7), *sorted(rng.sample(range(1000, len(content)), 75)), len(content) - 1):
            path = tmp_path / source.name
            path.write_bytes(content[:cut])
            refusal(path, "inspect" if source is GOOD else "load")
            cuts += 1
    assert cuts > 400


@pytest.mark.parametrize("source", [GOOD, GOOD_WEIGHTS], ids=["onnx", "safetensors"])
def test_flipped_bytes(source: Path, tmp_path: Path) -> None:
    """A changed weight or character may pass; anything else is one clear line, and never another error."""
    content = source.read_bytes()
    rng = random.Random(2)
    refused = 0
    for turn in range(200):
        damaged = bytearray(content)
        for _ in range(rng.choice((1, 1, 4, 30))):
            damaged[rng.randrange(len(damaged) if turn % 2 else 3000)] = rng.randrange(256)
        path = tmp_path / f"m{source.suffix}"
        path.write_bytes(damaged)
        try:
            OPENERS["inspect" if turn % 4 else "load"](path)
        except (ModelFileError, DataError) as error:
            refused += 1
            assert "\n" not in str(error)
    assert refused > 60


@pytest.mark.parametrize(
    "content",
    [
        b"\x08" + b"\xff" * 2000,
        b"\x08\x08" + b"\x3a\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80",
        b"\x08\x08\x3b",
        b"\x08\x08\x38\x01",
        b"\x08\x08\x12\x02\xff\xfe",
        b"\x08\x08" + b"\x3a\x04\x0a\x02\x22\x05",
        b"\x08\x08" + b"\xf8\x07\x08" * 1_000_000,
    ],
    ids=[
        "ones",
        "long number",
        "group",
        "number for graph",
        "not UTF-8",
        "longer than its room",
        "many fields",
    ],
)
def test_wires_that_are_no_protobuf(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(content)
    assert "is not a readable ONNX model" in refusal(path)
    with pytest.raises(ModelFileError):
        read_onnx(content, "m")


# --- cards


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("charset", {"symbols": "abc"}),
        ("charset", {"symbols": ["a"] * 12, "form": "NFC", "unit": "grapheme"}),
        ("transform", {"height": 2**40}),
        ("network", []),
        ("decoder", {"name": "beam", "width": 10**12}),
        ("decoder", {"name": "beam", "pattern": "(a" * 3000}),
        ("decoder", {"name": "beam", "lm": {"order": 10**9}}),
        ("temperature", 1e999),
        ("training", "rm"),
        ("format", 10**30),
    ],
)
def test_cards_of_wrong_types(key: str, value: object, tmp_path: Path) -> None:
    def change(model: onnx.ModelProto) -> None:
        card_of(model).value = json.dumps({**json.loads(card_of(model).value), key: value})

    path = changed(tmp_path / "m.onnx", change)
    with pytest.raises(ModelFileError) as caught:
        OPENERS["load"](path)
    assert "\n" not in str(caught.value)


def test_a_card_without_end(tmp_path: Path) -> None:
    def change(model: onnx.ModelProto) -> None:
        card_of(model).value = '{"format": 2, "x": "' + "y" * 17 * 2**20 + '"}'

    assert "at most 16,777,216 are" in refusal(changed(tmp_path / "m.onnx", change))


def other_lengths(*nodes: onnx.NodeProto) -> Callable[[onnx.ModelProto], object]:
    """The output `lengths` comes of these nodes; `own` is what it was."""

    def change(model: onnx.ModelProto) -> None:
        for node in model.graph.node:
            for names in (node.input, node.output):
                names[:] = ["own" if name == "lengths" else name for name in names]
        model.graph.initializer.append(numpy_helper.from_array(np.array([3, 5, 7]), "odd"))
        model.graph.node.extend(nodes)

    return change


@pytest.mark.parametrize(
    ("nodes", "words"),
    [
        ([helper.make_node("Identity", ["widths"], ["lengths"])], r"gives log_probs \(.*\) and lengths \[.*damaged"),
        ([helper.make_node("Sub", ["own", "own"], ["lengths"])], r"and lengths \[0\] for 1 pictures.*damaged"),
        ([helper.make_node("Concat", ["own", "own"], ["lengths"], axis=0)], "for 1 pictures; the file is damaged"),
        (
            [
                helper.make_node("Reshape", ["own", "odd"], ["shaped"]),
                helper.make_node("ReduceMax", ["shaped"], ["most"], keepdims=0),
                helper.make_node("Add", ["own", "most"], ["lengths"]),
            ],
            "the network cannot be run",
        ),
    ],
    ids=["too long", "nothing", "too many", "failing"],
)
def test_what_the_network_gives_has_to_fit(nodes: list[onnx.NodeProto], words: str, tmp_path: Path) -> None:
    assert re.search(words, refusal(changed(tmp_path / "m.onnx", other_lengths(*nodes))))


# --- weights and checkpoints


class Evil:
    """Writes a file when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (exec, (f"open({str(self.mark)!r}, 'w')",))


def test_pickles_under_any_name_run_nothing(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    packed = io.BytesIO()
    torch.save({"hyper_parameters": {CARD_KEY: Evil(mark)}, "state_dict": {}}, packed)
    state = io.BytesIO()
    torch.save({"state_dict": Evil(mark)}, state)
    old = io.BytesIO()
    torch.save(Evil(mark), old, _use_new_zipfile_serialization=False)
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(Evil(mark)))
        archive.writestr("archive/version", "3")
    files = 0
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        contents = [pickle.dumps(Evil(mark), protocol), packed.getvalue(), state.getvalue(), old.getvalue()]
        for content in (*contents, zipped.getvalue(), b"\x08\x08" + contents[0]):
            for suffix in (".onnx", ".safetensors", ".ckpt", ".pt"):
                path = tmp_path / f"evil{suffix}"
                path.write_bytes(content)
                for opener in OPENERS:
                    refusal(path, opener)
                files += 1
    assert files == 6 * 6 * 4
    assert not mark.exists()
    pickle.loads(pickle.dumps(Evil(mark)))  # the trap works
    assert mark.exists()


def test_what_torch_advises_to_unpickle_is_not_repeated(tmp_path: Path) -> None:
    path = tmp_path / "whole.ckpt"
    torch.save(torch.nn.Linear(2, 2), path)
    said = refusal(path)
    assert "is not a readable checkpoint (it holds Python objects, which checkpoints of crnn never do; " in said
    assert "trust" not in said


def test_compressed_archives_are_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.ckpt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb/data.pkl", bytes(50_000_000))
    assert path.stat().st_size < 100_000
    assert "is a compressed archive, which no checkpoint is; it was not unpacked" in refusal(path)
    path.write_bytes(path.read_bytes()[:-10])
    assert "is not a readable checkpoint" in refusal(path)


@pytest.mark.parametrize(
    "data",
    [
        {"state_dict": []},
        {"hyper_parameters": [CARD_KEY]},
        {"hyper_parameters": {CARD_KEY: 3}, "state_dict": {}},
        {"state_dict": {"network.x": 3}},
        {"state_dict": {5: torch.zeros(1)}},
        [],
    ],
    ids=str,
)
def test_checkpoints_of_wrong_types(data: object, tmp_path: Path) -> None:
    if isinstance(data, dict) and "hyper_parameters" not in data:
        data = {"hyper_parameters": {CARD_KEY: crnn.load(GOOD).card.to_dict()}, **data}
    path = tmp_path / "odd.ckpt"
    torch.save(data, path)
    refusal(path)


def with_header(path: Path, header: dict[str, object] | bytes, tail: bytes = b"") -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + tail)
    return path


def test_hostile_safetensors(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    weights = {"dtype": "F32", "shape": [2**20, 2**20], "data_offsets": [0, 2**42]}
    for header in (
        {"w": weights},
        {"w": {**weights, "data_offsets": [0, 4]}},
        {"w": {**weights, "shape": [-1]}},
        {"w": {**weights, "shape": [2**63, 4]}},
        {"__metadata__": {CARD_KEY: 3}},
        {"__metadata__": {CARD_KEY: "{}"}},
        b'{"a":' * 5000,
    ):
        for opener in OPENERS:
            refusal(with_header(path, header, b"\0\0\0\0"), opener)
    for claimed in (10 * 2**30, 2**31, 2**63):  # of the header
        path.write_bytes(claimed.to_bytes(8, "little") + b'{"a":1}')
        for opener in OPENERS:
            refusal(path, opener)


def test_a_small_file_cannot_ask_for_a_large_network(tmp_path: Path) -> None:
    """Its card names the largest one that is allowed, which would need some hundred gigabytes."""
    from safetensors.torch import save_file

    card = crnn.load(GOOD).card.to_dict()
    card["network"]["lstm"] |= {"hidden_size": 8192, "num_layers": 64}
    card["network"]["backbone"] |= {"channels": [8192] * 4, "features": 8192}
    path = tmp_path / "m.safetensors"
    save_file({"a": torch.zeros(1)}, path, metadata={CARD_KEY: json.dumps(card)})
    assert "weights and model card do not fit each other" in refusal(path)
    _, network = read_network(GOOD_WEIGHTS)
    state = network.state_dict()
    save_file({**state, "head.bias": torch.zeros(3)}, path, metadata={CARD_KEY: json.dumps(card)})
    assert "do not fit each other" in refusal(path)
    del card["network"]
    save_file(state, path, metadata={CARD_KEY: json.dumps({**card, "network": crnn.load(GOOD).card.network})})
    assert crnn.load(path, device="cpu").recognize([PICTURE])[0].text  # the same in good order


LIMITED = """
import resource, sys
from pathlib import Path
import crnn
from crnn.errors import ModelFileError
from crnn.reading.describe import describe
import numpy, onnxruntime, regex
crnn.load({good!r}, threads=1).recognize([{picture!r}])  # all that is needed is loaded
now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (now + 400 * 2**20, -1))
resource.setrlimit(resource.RLIMIT_CPU, (120, -1))
for path in sys.argv[1:]:
    for open in (crnn.load, describe) if path.endswith(".onnx") else (describe,):  # torch alone needs more
        try:
            open(path)
        except ModelFileError as error:
            print(str(error).count("\\n"), str(error).startswith(path))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are Linux's")
def test_within_a_limit_of_memory(tmp_path: Path) -> None:
    """In a process that may take 400 MB more: nothing is made room for that is not in the file."""
    paths = []
    for name in ("huge", "overflowing", "huge, typed", "huge constant", "sparse constant", "random", "loop"):
        paths.append(changed(tmp_path / f"{name}.onnx", GRAPHS[name][0]))
    claim = {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}
    paths.append(with_header(tmp_path / "h.safetensors", {"w": claim}))
    large = tmp_path / "sparse.onnx"
    with large.open("wb") as file:
        file.write(b"\x08\x08\x3a")
        file.truncate(3 * 2**30)  # a hole
    paths.append(large)
    done = subprocess.run(
        [sys.executable, "-c", LIMITED.format(good=str(GOOD), picture=str(PICTURE)), *map(str, paths)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["0 True"] * (2 * len(paths) - 1)
