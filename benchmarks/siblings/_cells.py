"""What the scripts of this folder share with the others: cells, and the harness."""

import sys
from functools import partial
from pathlib import Path

# The folder above holds what all benchmarks share.
sys.path.insert(0, str(Path(__file__).parents[1]))

from _harness import FloatArray, Row, available, environment, report
from _kept import all_here, folder, kept_cell, options_of, state

__all__ = [
    "FloatArray",
    "Row",
    "all_here",
    "available",
    "cell",
    "environment",
    "folder",
    "options_of",
    "report",
    "state",
]

cell = partial(kept_cell, "siblings")
