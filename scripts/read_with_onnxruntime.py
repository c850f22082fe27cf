"""Read pictures of lines with a model file and nothing of crnn: ``python read_with_onnxruntime.py MODEL PICTURE...``

Greedy decoding, as `crnn recognize --beam 0`. Left out: 16-bit greys, reading order of right-to-left lines, `trim`.
"""

import json
import os
import sys

import numpy as np
from PIL import Image, ImageOps

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # its import alone writes below the home folder otherwise
import onnxruntime

if len(sys.argv) < 3:
    sys.exit("usage: python read_with_onnxruntime.py MODEL PICTURE...")
session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
card = json.loads(session.get_modelmeta().custom_metadata_map["crnn.card"])
symbols, transform = card["charset"]["symbols"], card["transform"]
height, multiple = transform["height"], transform["multiple"]

for path in sys.argv[2:]:
    picture = ImageOps.exif_transpose(Image.open(path))  # upright
    if picture.has_transparency_data:  # on white paper
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture.convert("RGBA"))
    picture = picture.convert("L")
    columns = int(picture.width * height / (picture.height * multiple) + 0.5)
    width = transform["width"] or max(2, columns) * multiple
    grey = np.asarray(picture.resize((width, height), Image.Resampling.BILINEAR), np.float32)
    images = ((grey / 255 - transform["mean"]) / transform["std"])[None, None]  # (1, 1, H, W)
    log_probs, lengths = session.run(["log_probs", "lengths"], {"images": images, "widths": np.array([width])})
    best = log_probs[: lengths[0], 0].argmax(axis=1)  # (T,) likeliest classes; 0 is the blank
    starts = np.diff(best, prepend=0) != 0  # of runs of the same class
    print("".join(symbols[label - 1] for label in best[starts & (best > 0)]))
