"""Read pictures: ``python scripts/recognize.py MODEL PATH...``; the same as ``crnn recognize``."""

import sys

from crnn.cli import main

if __name__ == "__main__":
    sys.exit(main(["recognize", *sys.argv[1:]]))
