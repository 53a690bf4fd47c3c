"""What is said of rows that were brought: groups that are parted, keys, far targets."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semikd.exceptions import UsageError
from semikd.job.settings import Settings
from semikd.job.sides import RawSides, raw_sides
from semikd.job.target import read_target


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


def test_weights_that_are_no_counts_are_known_up_to_a_factor() -> None:
    table = a_table().assign(w=np.arange(60) % 4 + 1.0)
    settings = Settings("y", weight="w")
    counts = raw_sides(table, settings)
    assert set(counts.train.weights) == {1.0, 2.0, 3.0, 4.0}
    assert not said(counts, "Weights are scaled")
    for factor in (1 / 150, 0.37, 1e-300, 1e300):
        sides = raw_sides(table.assign(w=table["w"] * factor), settings)
        np.testing.assert_array_equal(sides.rows, counts.rows)
        wanted = counts.train.weights / counts.train.weights.mean()
        np.testing.assert_allclose(sides.train.weights, wanted, rtol=1e-9)
        assert said(sides, "Weights are scaled to a mean of 1")


def test_rows_of_no_weight_are_not_among_those_that_are_divided() -> None:
    table = a_table().assign(w=(np.arange(60) >= 10).astype(int))
    sides = raw_sides(table, Settings("y", weight="w"))
    n_test = len(sides.test.y)
    assert len(sides.train.y) + n_test == 50
    assert said(
        sides, f"10 rows of weight 0 left out. {n_test} of 50 rows are held out"
    )


def test_held_out_copies_are_counted_where_most_rows_are_copies() -> None:
    table = a_table().drop(columns="row")
    twice = pd.concat([table, table])
    sides = raw_sides(twice, Settings("y"))
    n_test = len(sides.test.y)
    assert said(sides, f"{n_test} of {n_test} held-out rows equal another one")
    # Another target makes another observation, and groups say what is a copy.
    other = np.repeat(["no", "yes"], 60)
    assert not said(raw_sides(twice.assign(y=other), Settings("y")), "equal another")
    assert not said(raw_sides(twice, Settings("y", groups="house")), "equal another")
    assert not said(raw_sides(table, Settings("y")), "equal another")


def test_a_split_that_copies_make_impossible_is_refused_with_their_number() -> None:
    table = a_table().assign(x=1.0)[["x", "y"]]
    with pytest.raises(UsageError, match=r"0\.3 of 60 rows \(1 distinct\)"):
        raw_sides(table, Settings("y"))
    assert len(raw_sides(a_table(), Settings("y")).test.y) == 18


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_target_that_hardly_varies_is_refused(sign: float) -> None:
    draws = np.random.default_rng(0).normal(size=60)
    far = a_table().assign(y=sign * (1e9 + draws))
    with pytest.raises(UsageError, match=r"--target must vary .* Subtract a number"):
        raw_sides(far, Settings("y"))
    nearer = a_table().assign(y=sign * (1e5 + draws))
    assert raw_sides(nearer, Settings("y")).target.task == "regression"


def test_more_classes_than_scores_can_tell_apart_are_refused() -> None:
    table = pd.DataFrame({"x": np.arange(3003), "y": np.arange(3003) % 1001})
    table["y"] = "k" + table["y"].astype(str)
    with pytest.raises(UsageError, match="at most 1,000 classes; got 1,001 diff"):
        raw_sides(table, Settings("y"))
    some = read_target(table[table["y"] != "k0"], "y")
    assert len(some.classes or ()) == 1000


def test_training_rows_without_a_brought_label_are_counted(tmp_path: Path) -> None:
    table, rows = a_table(), np.arange(30)
    path = labelled(tmp_path, rows, rows % 2)
    settings = Settings("y", labels=path, test="later.csv")
    sides = raw_sides(table[:40], settings, held_out=table[40:])
    assert said(sides, "10 of 40 training rows have no label in the file")
    whole = raw_sides(table[:30], settings, held_out=table[40:])
    assert not said(whole, "have no label in the file")
