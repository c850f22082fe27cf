"""What stands in a .onnx file: each part of small models that onnx itself writes; hostile ones are in tests/export."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from tests_support import protobuf_number as number

from crnn.core import onnx_file
from crnn.core.onnx_file import OnnxFile, Value, read_onnx
from crnn.errors import ModelFileError

STANDARD = {
    1: ("float32", 4),
    2: ("uint8", 1),
    3: ("int8", 1),
    4: ("uint16", 2),
    5: ("int16", 2),
    6: ("int32", 4),
    7: ("int64", 8),
    9: ("bool", 1),
    10: ("float16", 2),
    11: ("float64", 8),
    12: ("uint32", 4),
    13: ("uint64", 8),
    16: ("bfloat16", 2),
}
"""Type number in onnx.proto -> name, bytes of a value."""


def graph(**parts: Any) -> OnnxFile:
    return read_onnx(onnx.ModelProto(graph=onnx.GraphProto(**parts)).SerializeToString(), "m")


def tensor(**parts: Any) -> OnnxFile:
    return graph(initializer=[TensorProto(name="w", **parts)])


def sized(field: int, content: bytes) -> bytes:
    return number(field << 3 | 2) + number(len(content)) + content


def once(field: int, value: int = 0) -> bytes:
    return number(field << 3) + number(value)


def damage(content: bytes) -> str:
    with pytest.raises(ModelFileError) as caught:
        read_onnx(content, "m")
    return str(caught.value)


def test_all_parts_of_a_model() -> None:
    model = onnx.ModelProto(ir_version=8, producer_name="prö", producer_version="1.2", domain="d", model_version=3)
    model.opset_import.add(domain="", version=17)
    model.opset_import.add(domain="other", version=3)
    model.metadata_props.add(key="a", value="1")
    model.metadata_props.add(key="b", value="")
    model.graph.name = "g"
    model.graph.initializer.append(TensorProto(name="w", dims=[2, 3], data_type=1, raw_data=bytes(24)))
    model.graph.initializer.append(TensorProto(name="v", dims=[4], data_type=7, int64_data=[1, 2, 3, 4]))
    model.graph.initializer.append(TensorProto(name="one", data_type=1, float_data=[1.0]))
    model.graph.input.append(helper.make_tensor_value_info("images", 1, ["B", 1, 32, "W"]))
    model.graph.input.append(helper.make_tensor_value_info("widths", 7, ["B"]))
    model.graph.output.append(helper.make_tensor_value_info("out", 10, [None, 7]))
    model.graph.node.append(helper.make_node("Relu", ["x"], ["y"], doc_string="d", name="n"))
    model.graph.node.append(helper.make_node("Relu", ["x"], ["y"], domain="ai.onnx"))
    model.graph.node.append(helper.make_node("Add", ["x"], ["y"], domain="ai.onnx.ml"))
    file = read_onnx(model.SerializeToString(), "m")
    assert (file.where, file.opset, file.producer, file.producer_version) == ("m", 17, "prö", "1.2")
    assert file.metadata == {"a": "1", "b": ""}
    assert file.weights == 6 + 4 + 1
    assert file.inputs == [Value("images", "float32", ("B", 1, 32, "W")), Value("widths", "int64", ("B",))]
    assert file.outputs == [Value("out", "float16", ("?", 7))]
    assert file.operators == {"Relu": 2, "ai.onnx.ml.Add": 1}
    assert file.refused is None


def test_an_empty_model_has_nothing() -> None:
    file = graph(name="g")
    assert file == OnnxFile("m")
    assert (file.opset, file.weights, file.producer, file.producer_version) == (0, 0, "", "")
    assert file.refused is None
    file.check()


@pytest.mark.parametrize("domains", [("", "ai.onnx.ml"), ("ai.onnx", "x"), ("x", "ai.onnx")])
def test_the_opset_is_that_of_the_standard_operators(domains: Sequence[str]) -> None:
    model = onnx.ModelProto(graph=onnx.GraphProto(name="g"))
    for domain in domains:
        model.opset_import.add(domain=domain, version=13 if domain in ("", "ai.onnx") else 2)
    assert read_onnx(model.SerializeToString(), "m").opset == 13


def test_types_are_those_of_the_standard() -> None:
    assert {kind: (onnx_file.TYPES[kind], size) for kind, size in onnx_file.SIZES.items()} == STANDARD
    assert onnx_file.TYPES.keys() == STANDARD.keys()
    for kind, (name, size) in STANDARD.items():
        assert helper.tensor_dtype_to_np_dtype(kind).itemsize == size
        assert str(helper.tensor_dtype_to_np_dtype(kind)) == name
        assert graph(input=[helper.make_tensor_value_info("x", kind, [1])]).inputs == [Value("x", name, (1,))]
        assert tensor(data_type=kind, dims=[3], raw_data=bytes(3 * size)).refused is None
        for more in (-1, 1):
            file = tensor(data_type=kind, dims=[3], raw_data=bytes(3 * size + more))
            assert file.refused == "has a tensor 'w' of 3 values, which are not in the file", name
    for kind in (0, 8, 14, 15, 17, 99):
        assert tensor(data_type=kind, dims=[1], raw_data=bytes(8)).refused == f"has a tensor 'w' of type {kind}"
        assert graph(input=[helper.make_tensor_value_info("x", kind, [1])]).inputs[0].type == f"type {kind}"


def test_a_weight_without_a_type_is_refused() -> None:
    assert read_onnx(sized(7, sized(5, b"")), "m").refused == "has a tensor '' of type 0"


def test_values_that_are_kept_by_type_are_in_the_file() -> None:
    """Numbers of one to four bytes may take fewer bytes there than in memory, never fewer than one each."""
    assert tensor(data_type=3, dims=[3], int32_data=[1, 2, 3]).refused is None
    assert tensor(data_type=11, dims=[2], double_data=[1, 2]).refused is None
    assert tensor(data_type=13, dims=[2], uint64_data=[1, 2]).refused is None
    assert tensor(data_type=7, dims=[2, 2], int64_data=[1, 2, 3, 4]).weights == 4
    for kind, data in ((6, {"int32_data": [1, 2]}), (7, {"int64_data": [1, 2]}), (13, {"uint64_data": [1, 2]})):
        assert "of 3 values, which are not in the file" in str(tensor(data_type=kind, dims=[3], **data).refused)
        assert tensor(data_type=kind, dims=[2], **data).refused is None
    one_by_one = once(2, 7) + once(1, 3)
    assert read_onnx(sized(7, sized(5, one_by_one + once(7, 5) * 3)), "m").refused is None
    assert "of 3 values" in str(read_onnx(sized(7, sized(5, one_by_one + once(7, 5) * 2)), "m").refused)
    assert "of 1 values" in str(tensor(data_type=1).refused)  # one number without dimensions
    assert tensor(data_type=1, dims=[0, 7]).refused is None
    assert tensor(data_type=1, dims=[0, 7]).weights == 0


@pytest.mark.parametrize("parts", [{"float_data": [1, 2]}, {"string_data": [b"xxxxxx"]}, {"int32_data": [1, 2]}])
def test_raw_values_are_counted_in_place_of_others(parts: dict[str, Any]) -> None:
    file = tensor(data_type=1, dims=[2], raw_data=b"\0\0\0\0", **parts)
    assert file.refused == "has a tensor 'w' of 2 values, which are not in the file"


def test_dimensions_come_one_by_one_or_packed() -> None:
    for dims in (once(1, 2) + once(1, 3), sized(1, b"\x02\x03"), once(1, 2) + sized(1, b"\x03")):
        assert read_onnx(sized(7, sized(5, dims + once(2, 2) + sized(9, bytes(6)))), "m").weights == 6
    for dims in (once(1, 1) * 64, sized(1, b"\x01" * 64)):
        assert read_onnx(sized(7, sized(5, dims + once(2, 2) + sized(9, b"\0"))), "m").refused is None
        assert "more than 64 dimensions" in damage(sized(7, sized(5, dims + once(1, 1))))


@pytest.mark.parametrize(("values", "said"), [(10**18 - 1, f"{10**18 - 1:,}"), (10**18, "very many")])
def test_how_many_values_are_missing(values: int, said: str) -> None:
    assert tensor(data_type=1, dims=[values]).refused == f"has a tensor 'w' of {said} values, which are not in the file"


def test_weights_in_another_file() -> None:
    entry = onnx.StringStringEntryProto(key="location", value="x")
    for parts in ({"external_data": [entry]}, {"data_location": 1}):
        file = tensor(data_type=1, dims=[1], raw_data=bytes(4), **parts)
        assert file.refused == "keeps weights in another file (external data), which is never opened"
    assert tensor(data_type=1, dims=[1], raw_data=bytes(4), data_location=0).refused is None


@pytest.mark.parametrize(
    ("attribute", "refused"),
    [
        ({"i": 3, "f": 1.0, "s": b"x", "ints": [1, 2], "floats": [1.0], "strings": [b"x"]}, None),
        ({"t": TensorProto(name="c", data_type=1, dims=[1], raw_data=bytes(4))}, None),
        (
            {"t": TensorProto(name="c", data_type=1, dims=[9])},
            "has a tensor 'c' of 9 values, which are not in the file",
        ),
        ({"tensors": [TensorProto(name="c", data_type=8)]}, "has a tensor 'c' of type 8"),
        ({"g": onnx.GraphProto(name="g")}, "has a graph in a graph"),
        ({"graphs": [onnx.GraphProto(name="g")]}, "has a graph in a graph"),
        ({"sparse_tensor": onnx.SparseTensorProto(dims=[1])}, "has a sparse tensor"),
        ({"sparse_tensors": [onnx.SparseTensorProto(dims=[1])]}, "has a sparse tensor"),
        ({"tp": onnx.TypeProto()}, None),
    ],
)
def test_attributes(attribute: dict[str, Any], refused: str | None) -> None:
    node = onnx.NodeProto(op_type="Relu", attribute=[onnx.AttributeProto(name="a", **attribute)])
    file = graph(node=[node])
    assert (file.refused, file.weights, file.operators) == (refused, 0, {"Relu": 1})


def test_what_a_model_may_not_have() -> None:
    model = onnx.ModelProto(graph=onnx.GraphProto(name="g"))
    model.functions.add(name="f")
    assert read_onnx(model.SerializeToString(), "m").refused == "has functions of its own"
    model.training_info.add()
    assert read_onnx(model.SerializeToString(), "m").refused == "has training steps"  # 20 stands before 25
    assert graph(sparse_initializer=[onnx.SparseTensorProto(dims=[1])]).refused == "has a sparse tensor"
    assert graph(quantization_annotation=[onnx.TensorAnnotation(tensor_name="x")]).refused is None


def test_check_names_the_reason() -> None:
    file = OnnxFile("m")
    file.operators["Relu"] = 1
    file.check()
    file.operators["Lööp\n"] = 1
    with pytest.raises(ModelFileError, match=r"^m: has the operator 'Lööp\\\\n', which no crnn model has; nothing of"):
        file.check()
    file.refuse("has a")
    file.refuse("has b")
    with pytest.raises(ModelFileError, match=r"^m: has a; nothing of it was run; use a file written by 'crnn export'$"):
        file.check()
    long = OnnxFile("m")
    long.operators["x" * 100] = 1
    with pytest.raises(ModelFileError, match=f"'{'x' * 59}…', which"):
        long.check()


def test_inputs_that_are_no_tensors() -> None:
    sequence = onnx.ValueInfoProto(name="s")
    sequence.type.sequence_type.elem_type.tensor_type.elem_type = 1
    bare = onnx.ValueInfoProto(name="b", doc_string="d")
    scalar = helper.make_tensor_value_info("c", 1, [])
    wanted = [Value("s", "no tensor", ()), Value("b", "no tensor", ()), Value("c", "float32", ())]
    assert graph(input=[sequence, bare, scalar]).inputs == wanted
    sequence.type.denotation = "d"
    assert graph(output=[sequence]).outputs == wanted[:1]
    named = helper.make_tensor_value_info("n", 6, [3, "T"])
    named.type.denotation = "before and behind"
    named.type.tensor_type.shape.dim[1].denotation = "time"
    assert graph(output=[named]).outputs == [Value("n", "int32", (3, "T"))]


def test_a_size_may_be_negative() -> None:
    assert graph(input=[helper.make_tensor_value_info("n", 1, [-1])]).inputs == [Value("n", "float32", (-1,))]


def single(message: str, field: int, content: bytes) -> bytes:
    """A model in which a message of this kind has `content`."""
    dimension = sized(1, content)
    shape = sized(2, dimension)
    kind = sized(1, content if message == "TypeProto.Tensor" else shape)
    value = sized(2, content if message == "TypeProto" else kind)
    whole = {
        "GraphProto": content,
        "NodeProto": sized(1, content),
        "AttributeProto": sized(1, sized(5, content)),
        "TensorProto": sized(5, content),
        "ValueInfoProto": sized(11, content),
    }.get(message, sized(12, value))
    if message == "ModelProto":
        return content + (b"" if field == 7 else sized(7, b""))
    if message in ("OperatorSetIdProto", "StringStringEntryProto"):
        return sized(7, b"") + sized(8 if message == "OperatorSetIdProto" else 14, content)
    return sized(7, whole)


def test_fields_come_as_often_as_the_standard_has_it() -> None:
    """A field that the standard has once is refused twice, whatever it holds; lists go on."""
    assert len(onnx_file.SINGLE) == 11
    for message, fields in onnx_file.SINGLE.items():
        kind: Any = onnx
        for step in message.split("."):
            kind = getattr(kind, step)
        lists = {each.number for each in kind.DESCRIPTOR.fields if hasattr(getattr(kind(), each.name), "extend")}
        assert {each.number for each in kind.DESCRIPTOR.fields} - lists == fields, message
        for field in sorted(fields):
            if field == 7 and message == "ModelProto":
                continue
            for part in (once(field), sized(field, b"")):  # one of them is of the right kind
                said = ""
                try:
                    read_onnx(single(message, field, part), "m")
                    said = damage(single(message, field, part * 2))
                except ModelFileError:
                    continue
                assert f"field {field} twice where it may come once" in said, (message, field)
        for field in sorted(lists - {20, 25}):
            for part in (once(field), sized(field, b"")):
                try:
                    read_onnx(single(message, field, part), "m")
                except ModelFileError:
                    continue
                read_onnx(single(message, field, part * 2), "m")
    assert "field 7 twice where it may come once" in damage(sized(7, b"") * 2)


def test_damage_is_one_line() -> None:
    assert "(0 graphs)" in damage(b"")
    assert "(it ends within a number)" in damage(b"\x08")
    assert "a number where a text or message belongs" in damage(once(7))
    assert damage(sized(2, b"\xff")).startswith("m: is not a readable ONNX model (")
    assert damage(b"\x08").endswith("; it is damaged or cut off")


def test_the_files_of_large_models_end_at_2_gib() -> None:
    """Protobuf measures a message in 32 bits with a sign."""
    assert np.iinfo(np.int32).max + 1 == onnx_file.MAX_BYTES
    assert read_onnx(sized(7, b""), "m").refused is None
