"""``python -m crnn.cli`` is ``crnn``."""

import sys

from crnn.cli import main

if __name__ == "__main__":
    sys.exit(main())
