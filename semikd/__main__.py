"""``python -m semikd``: distil a real table that ships with it, and judge it."""

import sys

from semikd.datasets import load_dataset
from semikd.evaluation import compare


def main() -> int:
    """Distil the survey of extramarital affairs and print the comparison."""
    data = load_dataset("fair")
    n_rows, n_columns = data.X.shape
    print(f"{data.name}, {n_rows:,} rows and {n_columns} columns: {data.description}\n")
    print(
        "Distilling a boosted teacher into a tree of at most 128 leaves ...", flush=True
    )
    print(compare(data.X, data.y, random_state=0).summary())
    return 0


if __name__ == "__main__":
    sys.exit(main())
