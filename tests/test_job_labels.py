"""Labels in a file come back to the rows they were made for, and to no others."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

from semikd import OutOfFold, cross_fit
from semikd.exceptions import UsageError
from semikd.job import BroughtLabels, read_labels, write_labels
from semikd.simplex import softmax

N = 40
RNG = np.random.default_rng(3)
FRAME = pd.DataFrame(
    {
        "id": [f"{i:03d}" for i in range(N)],
        "number": np.arange(N) * 7,
        "x": RNG.normal(size=N),
        "twice": [1, 1, *range(2, N)],
        "gap": [None, *map(str, range(1, N))],
    }
)
X = FRAME[["x"]]
CLASSES = ["a,b", 'q"\n[/b]', "ünï"]


def record(classes: list[Any] | None) -> OutOfFold:
    """Return cross-fitted labels of all rows."""
    if classes is None:
        return cross_fit(LinearRegression(), X, FRAME["x"] ** 2, cv=4, random_state=0)
    y = np.array(classes, dtype=object if isinstance(classes[0], str) else None)
    y = y[np.arange(N) % len(classes)]
    return cross_fit(LogisticRegression(), X, y, cv=4, random_state=0)


@pytest.mark.parametrize(
    "classes", [CLASSES, [0, 1], [-1, 10, 2], [False, True], [0.0, 1.0], None]
)
@pytest.mark.parametrize("ending", ["csv.gz", "parquet"])
def test_what_is_written_is_read_back_exactly(
    classes: list[Any] | None, ending: str, tmp_path: Path
) -> None:
    labels = record(classes)
    rows = np.arange(N)[::-1]
    turned = FRAME.iloc[::-1]
    path = tmp_path / f"labels.{ending}"
    write_labels(path, labels, rows=rows, covariates=X)
    sorted_classes = None if labels.classes is None else labels.classes.tolist()
    back = read_labels(path, turned, classes=sorted_classes, covariates=turned[["x"]])
    np.testing.assert_array_equal(back.prediction, labels.mean[::-1])
    np.testing.assert_array_equal(back.fold, labels.fold[0, ::-1])
    assert not back.missing.any()


def test_rows_without_a_label_stay_without(tmp_path: Path) -> None:
    rows = np.array([5, 0, 17])
    labels = record([0, 1])
    few = OutOfFold(
        prediction=labels.prediction[:, rows],
        fold=labels.fold[:, rows],
        classes=labels.classes,
        strategy=labels.strategy,
        row_hash=labels.row_hash[rows],
    )
    path = tmp_path / "labels.csv"
    write_labels(path, few, rows=rows, covariates=X.iloc[rows])
    back = read_labels(path, FRAME, classes=[0, 1], covariates=X)
    assert np.flatnonzero(~back.missing).tolist() == [0, 5, 17]
    np.testing.assert_array_equal(back.prediction[rows], few.mean)
    assert set(back.fold[back.missing]) == {-1}


PROBABILITIES = softmax(RNG.normal(size=(N, 2)))


def given(**changed: Any) -> pd.DataFrame:
    """Return a good file of labels, but for what is changed."""
    columns = {
        "row": np.arange(N),
        "id": FRAME["id"],
        "number": FRAME["number"],
        "fold": np.arange(N) % 4,
        "p(no)": PROBABILITIES[:, 0],
        "p(yes)": PROBABILITIES[:, 1],
    }
    return pd.DataFrame(columns | changed)


def read(
    frame: pd.DataFrame, folder: Path, key: str | None = None, **more: Any
) -> BroughtLabels:
    """Write a file of labels and read it."""
    frame.to_csv(folder / "labels.csv", index=False)
    return read_labels(
        folder / "labels.csv", FRAME, classes=["no", "yes"], key=key, **more
    )


@pytest.mark.parametrize("key", [None, "id", "number"])
def test_keys_find_their_rows_in_any_order(key: str | None, tmp_path: Path) -> None:
    shuffled = given().sample(frac=1.0, random_state=1)
    back = read(shuffled, tmp_path, key)
    np.testing.assert_array_equal(back.prediction, PROBABILITIES)
    np.testing.assert_array_equal(back.fold, np.arange(N) % 4)


def changed_at(column: str, row: int, value: Any) -> dict[str, Any]:
    """Return a column of the good file with one other cell."""
    values = given()[column].tolist()
    values[row] = value
    return {column: values}


@pytest.mark.parametrize(
    ("key", "changed", "match"),
    [
        (None, changed_at("row", 3, N), r"got row 40 for a table of 40 rows"),
        (None, changed_at("row", 3, -1), "at least 0 in column 'row'; got -1"),
        (None, changed_at("row", 3, 2.5), "integers .* 'row'; got float64 values"),
        (None, changed_at("row", 3, 2), "one label for a row; got two with 'row' 2"),
        ("id", changed_at("id", 3, "x3"), "got 1 key that it does not have.*'x3'"),
        ("id", changed_at("id", 3, "002"), "got two with 'id' '002'"),
        ("number", changed_at("number", 3, 1), "1 key .*, the first 1"),
        (None, changed_at("fold", 3, -2), "at least -1 in column 'fold'; got -2"),
        (None, changed_at("fold", 3, np.nan), "'fold'; got float64 values"),
        (None, changed_at("p(no)", 3, np.nan), r"got nan in line 5, 'p\(no\)'"),
        (None, changed_at("p(no)", 3, np.inf), "finite numbers; got inf in line 5"),
        (None, changed_at("p(no)", 3, "x"), r"got words in column 'p\(no\)'"),
        (None, changed_at("p(no)", 3, 3.0), r"got a sum of 3\.\d* in line 5 \(1 such"),
        (None, {"p(no)": 1.1, "p(yes)": -0.1}, r"got -0\.1 in line 2 \(40 such rows"),
    ],
)
def test_labels_that_do_not_fit_are_refused(
    key: str | None, changed: dict[str, Any], match: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=match) as caught:
        read(given(**changed), tmp_path, key)
    assert str(caught.value).startswith("--labels must ")
    assert not read(given(), tmp_path, key).missing.any()


def test_missing_columns_are_named(tmp_path: Path) -> None:
    for column in ("row", "fold", "p(yes)"):
        with pytest.raises(UsageError) as caught:
            read(given().drop(columns=column), tmp_path)
        assert f"got columns without '{column}'." in str(caught.value)
    path = tmp_path / "labels.csv"
    with pytest.raises(UsageError, match="got columns without 'mean'"):
        read_labels(path, FRAME, classes=None)


def test_a_key_must_tell_the_rows_of_the_table_apart(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--key must be a column.*mean 'id'\?"):
        read(given(), tmp_path, "idd")
    with pytest.raises(UsageError, match=r"--key must tell every row .* 1 more than"):
        read(given(twice=1), tmp_path, "twice")
    with pytest.raises(UsageError, match=r"--key must have a value .* in row 0 of"):
        read(given(gap="x"), tmp_path, "gap")


def test_labels_of_other_rows_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv.gz"
    write_labels(path, record([0, 1]), rows=np.arange(N), covariates=X)
    other = X.copy()
    other.loc[7, "x"] += 1e-9
    with pytest.raises(UsageError, match=r"1 row with other covariates, .* row 7\."):
        read_labels(path, FRAME, classes=[0, 1], covariates=other)
    read_labels(path, FRAME, classes=[0, 1], covariates=X)
    read_labels(path, FRAME, classes=[0, 1])


def test_rounding_to_seven_digits_is_no_error(tmp_path: Path) -> None:
    rounded = {f"p({c})": PROBABILITIES[:, j].round(7) for j, c in enumerate("ny")}
    frame = given().rename(columns={"p(no)": "p(n)", "p(yes)": "p(y)"})
    frame = frame.assign(**rounded)
    frame.to_csv(tmp_path / "labels.csv", index=False)
    back = read_labels(tmp_path / "labels.csv", FRAME, classes=["n", "y"])
    np.testing.assert_allclose(back.prediction, PROBABILITIES, atol=1e-7)


def test_a_file_that_is_no_table_names_the_option(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^--labels must be a file of a table"):
        read_labels(tmp_path / "no.csv", FRAME, classes=[0, 1])
