"""``python -m semikd``: the command line."""

import sys

from semikd.cli import main

if __name__ == "__main__":
    sys.exit(main())
