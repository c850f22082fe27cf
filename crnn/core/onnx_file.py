"""What stands in a .onnx file, read without running any of it, and whether it may be run.

onnxruntime is a large machine: it opens other files that a model names, runs loops without end, and makes room for
whatever size a tensor claims. So a file is first read here, in plain Python (protobuf's wire format, some
milliseconds), and only one that holds a plain network with its weights goes on.

Field numbers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field

from crnn.core.wire import Bytes, Reader, as_bytes, as_number, as_text, packed
from crnn.errors import ModelFileError, printable

MAX_BYTES = 2**31
"""Largest .onnx file, as protobuf has it."""
SIZES = {1: 4, 2: 1, 3: 1, 4: 2, 5: 2, 6: 4, 7: 8, 9: 1, 10: 2, 11: 8, 12: 4, 13: 8, 16: 2}
"""Type number of a tensor -> bytes of one value."""
TYPES = {
    1: "float32",
    2: "uint8",
    3: "int8",
    4: "uint16",
    5: "int16",
    6: "int32",
    7: "int64",
    9: "bool",
    10: "float16",
    11: "float64",
    12: "uint32",
    13: "uint64",
    16: "bfloat16",
}
OPERATORS = frozenset(
    """
    Abs Add And AveragePool BatchNormalization Cast Ceil Clip Concat Constant ConstantOfShape Conv ConvInteger
    DequantizeLinear Div DynamicQuantizeLinear Elu Equal Erf Exp Expand Flatten Floor GRU Gather GatherElements
    GatherND Gelu Gemm GlobalAveragePool GlobalMaxPool Greater GreaterOrEqual HardSigmoid HardSwish Identity
    InstanceNormalization LSTM LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax MatMul MatMulInteger Max
    MaxPool Mean Min Mod Mul Neg Not Or PRelu Pad Pow QLinearConv QLinearMatMul QuantizeLinear RNN Range Reciprocal
    ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum Relu Reshape ScatterElements ScatterND Shape Sigmoid Sign
    Slice Softmax Softplus Split Sqrt Squeeze Sub Sum Tanh TopK Transpose Unsqueeze Where Xor
    """.split()  # noqa: SIM905
)
"""What a network may be made of: arithmetic on tensors. Nothing loops, branches, calls functions or draws numbers."""
SINGLE: dict[str, frozenset[int]] = {
    "ModelProto": frozenset({1, 2, 3, 4, 5, 6, 7}),
    "GraphProto": frozenset({2, 10}),
    "NodeProto": frozenset({3, 4, 6, 7, 8}),
    "AttributeProto": frozenset({1, 2, 3, 4, 5, 6, 13, 14, 20, 21, 22}),
    "TensorProto": frozenset({2, 3, 8, 9, 12, 14}),
    "ValueInfoProto": frozenset({1, 2, 3}),
    "TypeProto": frozenset({1, 4, 5, 6, 7, 8, 9}),
    "TypeProto.Tensor": frozenset({1, 2}),
    "TensorShapeProto.Dimension": frozenset({1, 2, 3}),
    "OperatorSetIdProto": frozenset({1, 2}),
    "StringStringEntryProto": frozenset({1, 2}),
}
"""Message -> fields that come once at most."""
_UNUSED = {20: "training steps", 25: "functions of its own"}  # of a model, by field number
_ATTRIBUTES = {6: "a graph in a graph", 11: "a graph in a graph", 22: "a sparse tensor", 23: "a sparse tensor"}


@dataclass(frozen=True)
class Value:
    """An input or output: its name, type, and shape, in which a name is a size that is free."""

    name: str
    type: str
    shape: tuple[int | str, ...]


@dataclass
class OnnxFile:
    """What stands in a file.

    Args:
        where: its name for messages.
        opset: version of the standard operators.
        producer, producer_version: program that wrote it, and what it says of its version.
        metadata: key -> value.
        inputs, outputs: of the network.
        weights: number of values in stored tensors.
        operators: name (with its domain, if that is not the standard one) -> how often it comes.
        refused: why it may not be run; None if it may.
    """

    where: str
    opset: int = 0
    producer: str = ""
    producer_version: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    inputs: list[Value] = field(default_factory=list)
    outputs: list[Value] = field(default_factory=list)
    weights: int = 0
    operators: Counter[str] = field(default_factory=Counter)
    refused: str | None = None

    def check(self) -> None:
        """Refuse what no model of crnn has.

        Raises:
            ModelFileError: for other files as weights, tensors without their values, foreign operators, loops ...
        """
        foreign = next((name for name in self.operators if name not in OPERATORS), None)
        reason = self.refused or (foreign and f"has the operator {printable(foreign, 60)!r}, which no crnn model has")
        if reason:
            raise ModelFileError(f"{self.where}: {reason}; nothing of it was run; use a file written by 'crnn export'")

    def refuse(self, reason: str) -> None:
        """Note why the file may not be run; the first reason is kept."""
        self.refused = self.refused or reason


def read_onnx(content: bytes, where: str) -> OnnxFile:
    """Read a .onnx file.

    Raises:
        ModelFileError: if it is damaged.
    """
    file = OnnxFile(where)
    try:
        _model(Reader(), memoryview(content), file)
    except (ValueError, IndexError) as error:
        reason = "it ends within a number" if isinstance(error, IndexError) else printable(error)
        raise ModelFileError(f"{where}: is not a readable ONNX model ({reason}); it is damaged or cut off") from None
    return file


def _model(reader: Reader, data: Bytes, file: OnnxFile) -> None:
    graphs = 0
    for number, value in reader.fields(data, SINGLE["ModelProto"]):
        if number == 2:
            file.producer = as_text(value)
        elif number == 3:
            file.producer_version = as_text(value)
        elif number == 7:
            graphs += 1
            _graph(reader, as_bytes(value), file)
        elif number == 8:
            domain, version = "", 0
            for inner, part in reader.fields(as_bytes(value), SINGLE["OperatorSetIdProto"]):
                if inner == 1:
                    domain = as_text(part)
                elif inner == 2:
                    version = as_number(part)
            if domain in ("", "ai.onnx"):
                file.opset = version
        elif number == 14:
            pair = {1: "", 2: ""}
            for inner, part in reader.fields(as_bytes(value), SINGLE["StringStringEntryProto"]):
                pair[inner] = as_text(part)
            file.metadata[pair[1]] = pair[2]
        elif number in _UNUSED:
            file.refuse(f"has {_UNUSED[number]}")
    if graphs != 1:
        raise ValueError(f"{graphs} graphs")


def _graph(reader: Reader, data: Bytes, file: OnnxFile) -> None:
    for number, value in reader.fields(data, SINGLE["GraphProto"]):
        if number == 1:
            _node(reader, as_bytes(value), file)
        elif number == 5:
            file.weights += _tensor(reader, as_bytes(value), file)
        elif number == 11:
            file.inputs.append(_value(reader, as_bytes(value)))
        elif number == 12:
            file.outputs.append(_value(reader, as_bytes(value)))
        elif number == 15:
            file.refuse("has a sparse tensor")


def _node(reader: Reader, data: Bytes, file: OnnxFile) -> None:
    name = domain = ""
    for number, value in reader.fields(data, SINGLE["NodeProto"]):
        if number == 4:
            name = as_text(value)
        elif number == 7:
            domain = as_text(value)
        elif number == 5:
            for inner, part in reader.fields(as_bytes(value), SINGLE["AttributeProto"]):
                if inner in (5, 10):
                    _tensor(reader, as_bytes(part), file)
                elif inner in _ATTRIBUTES:
                    file.refuse(f"has {_ATTRIBUTES[inner]}")
    file.operators[name if domain in ("", "ai.onnx") else f"{domain}.{name}"] += 1


def _tensor(reader: Reader, data: Bytes, file: OnnxFile) -> int:
    """The number of values of a stored tensor; it is refused unless they all stand in the file."""
    shape: list[int] = []
    kind, there, raw, name = 0, 0, False, ""
    for number, value in reader.fields(data, SINGLE["TensorProto"]):
        if number == 1:
            shape.extend([value] if isinstance(value, int) else packed(as_bytes(value)))
            if len(shape) > 64:
                raise ValueError("a tensor of more than 64 dimensions")
        elif number == 2:
            kind = as_number(value)
        elif number in (4, 5, 6, 7, 10, 11):
            there += len(value) if isinstance(value, memoryview) else 1
        elif number == 8:
            name = printable(as_text(value), 60)
        elif number == 9:
            there, raw = len(as_bytes(value)), True
        elif number == 13 or (number == 14 and value != 0):
            file.refuse("keeps weights in another file (external data), which is never opened")
    values = math.prod(shape)
    if kind not in SIZES:
        file.refuse(f"has a tensor {name!r} of type {kind}")
    elif values * SIZES[kind] != there if raw else values > there:
        file.refuse(f"has a tensor {name!r} of {_short(values)} values, which are not in the file")
    return values


def _short(number: int) -> str:
    return f"{number:,}" if number < 10**18 else "very many"


def _value(reader: Reader, data: Bytes) -> Value:
    """An input or output."""
    name, kind, shape = "", "no tensor", []
    for number, value in reader.fields(data, SINGLE["ValueInfoProto"]):
        if number == 1:
            name = as_text(value)
        elif number == 2:
            for inner, part in reader.fields(as_bytes(value), SINGLE["TypeProto"]):
                if inner != 1:
                    continue
                for tensor, of in reader.fields(as_bytes(part), SINGLE["TypeProto.Tensor"]):
                    if tensor == 1:
                        kind = TYPES.get(as_number(of), f"type {as_number(of)}")
                    elif tensor == 2:
                        shape = [_size(reader, as_bytes(dim)) for at, dim in reader.fields(as_bytes(of)) if at == 1]
    return Value(name, kind, tuple(shape))


def _size(reader: Reader, data: Bytes) -> int | str:
    size: int | str = "?"
    for number, value in reader.fields(data, SINGLE["TensorShapeProto.Dimension"]):
        if number == 1:
            size = as_number(value)
        elif number == 2:
            size = as_text(value)
    return size
