"""Train a text-line recogniser: ``python scripts/train.py [setting=value ...]``; the same as ``crnn train``."""

import sys

from crnn.cli import main

if __name__ == "__main__":
    sys.exit(main(["train", *sys.argv[1:]]))
