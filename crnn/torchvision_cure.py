"""Makes torchvision (and lightning, which imports it) importable beside a CPU build of torch.

The registry's torchvision is a CUDA build; beside a CPU torch its import stops with "operator torchvision::nms does
not exist" (pytorch/vision #9077, #9085), and so does lightning's, through torchmetrics. Declaring the two operators
first cures it. Everything in this project that needs torchvision or lightning imports this module before.
"""

from __future__ import annotations

import sys

import torch

_library: torch.library.Library | None = None  # declarations last as long as this lives


def _import_torchvision() -> None:
    global _library
    try:
        import torchvision
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        _library = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
        for operator in ("nms", "qnms"):
            _library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")  # type: ignore[no-untyped-call]
        import torchvision  # noqa: F401


_import_torchvision()

from torchvision.transforms.v2 import functional  # noqa: E402

__all__ = ["functional"]
