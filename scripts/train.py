"""Train a text-line recogniser: ``python scripts/train.py [setting=value ...]``; the same as ``crnn train``."""

from crnn.training.main import main

if __name__ == "__main__":
    main()
