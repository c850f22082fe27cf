"""The most that the machine does: the peaks that shares are taken of."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch

from crnn.core.onnx_backend import runtime


def best(run: Callable[[], object], flops: float, seconds: float = 0.4) -> float:
    """The best GFLOP/s of several turns."""
    run()
    found = 0.0
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        started = time.perf_counter()
        run()
        found = max(found, flops / (time.perf_counter() - started) / 1e9)
    return found


def torch_peak(dtype: torch.dtype) -> float:
    """GFLOP/s of the better of a matrix product of 1,024 and a 3x3 convolution of 256 channels, channels last."""
    left, right = (torch.randn(1024, 1024).to(dtype) for _ in range(2))
    convolution = torch.nn.Conv2d(256, 256, 3, padding=1, bias=False).to(dtype=dtype, memory_format=torch.channels_last)
    images = torch.randn(16, 256, 8, 64).to(dtype).contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        product = best(lambda: left @ right, 2 * 1024**3)
        return max(product, best(lambda: convolution(images), 2 * 9 * 256 * 256 * 16 * 8 * 64))


def onnx_peak(threads: int) -> float:
    """GFLOP/s of onnxruntime's 3x3 convolution of 128 channels in float32."""
    from onnx import TensorProto, helper

    onnxruntime = runtime()
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "w"], ["y"], pads=[1, 1, 1, 1])],
        "peak",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [8, 128, 8, 64])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [8, 128, 8, 64])],
        [helper.make_tensor("w", TensorProto.FLOAT, [128, 128, 3, 3], np.ones(128 * 128 * 9, np.float32))],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    images = np.ones((8, 128, 8, 64), np.float32)
    return best(lambda: session.run(None, {"x": images}), 2 * 9 * 128 * 128 * 8 * 8 * 64)
