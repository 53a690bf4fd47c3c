"""What is said of rows that were brought: groups that are parted, keys, far targets."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semikd.job.settings import Settings
from semikd.job.sides import RawSides, raw_sides


def a_table(n: int = 60) -> pd.DataFrame:
    """Return rows in groups of three, of two classes, with a key."""
    at = np.arange(n)
    x = np.random.default_rng(0).normal(size=n)
    y = np.where(at % 2 == 0, "no", "yes")
    return pd.DataFrame({"row": at, "x": x, "house": at // 3, "y": y})


def labelled(folder: Path, labelled_rows: np.ndarray, fold: np.ndarray) -> str:
    """Write labels of some rows and return the path."""
    columns = {"row": labelled_rows, "fold": fold, "p(no)": 0.5, "p(yes)": 0.5}
    pd.DataFrame(columns).to_csv(folder / "labels.csv", index=False)
    return str(folder / "labels.csv")


def said(sides: RawSides, words: str) -> list[str]:
    """Return the notes that hold these words."""
    return [note for note in sides.notes if words in note]


@pytest.mark.parametrize(("n_train", "n_shared"), [(40, 1), (39, 0)])
def test_held_out_groups_with_training_rows_are_counted(
    n_train: int, n_shared: int
) -> None:
    table = a_table()
    settings = Settings("y", groups="house", test="later.csv")
    sides = raw_sides(table[:n_train], settings, held_out=table[n_train:])
    found = said(sides, "held-out groups have training rows")
    assert [note.split(" ", 1)[0] for note in found] == ["1"] * n_shared


@pytest.mark.parametrize(("size", "n_parted"), [(3, 0), (4, 8), (2, 15)])
def test_groups_that_brought_labels_part_are_counted(
    size: int, n_parted: int, tmp_path: Path
) -> None:
    # Rows 0 to 44 have labels, in folds of runs of rows; rows 45 to 59 are held out.
    rows = np.arange(45)
    path = labelled(tmp_path, rows, rows // size % 2)
    sides = raw_sides(a_table(), Settings("y", groups="house", labels=path))
    assert len(sides.test.y) == 15
    assert not said(sides, "held-out groups have training rows")
    found = said(sides, "folds of the labels divide")
    assert bool(found) == bool(n_parted)
    assert all(f"divide {n_parted} of 15 groups" in note for note in found)


def test_a_key_is_not_learned_from_whatever_its_name(tmp_path: Path) -> None:
    rows = np.arange(40)
    path = labelled(tmp_path, rows, rows % 2)
    with_key = raw_sides(a_table(), Settings("y", labels=path, key="row"))
    assert list(with_key.train.X.columns) == ["x", "house"]
    assert said(with_key, "Column 'row' holds the key of the labels")
    without = raw_sides(a_table(), Settings("y", labels=path))
    assert list(without.train.X.columns) == ["row", "x", "house"]
