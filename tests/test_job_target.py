"""What the columns of a table stand for: target, groups, weights."""

import numpy as np
import pandas as pd
import pytest

from semikd.exceptions import UsageError
from semikd.job import read_groups, read_target, read_weights
from semikd.job.roles import check_roles, refuse_infinite

N = 60
FRAME = pd.DataFrame(
    {
        "word": ["no", "yes", "maybe"] * 20,
        "flag": [True, False] * 30,
        "few": list(range(20)) * 3,
        "many": [i % 21 for i in range(N)],
        "halves": [0.5 * (i % 11) for i in range(N)],
        "tens": [0.5 * (i % 10) for i in range(N)],
        "wholes": [float(i % 20) for i in range(N)],
        "day": pd.date_range("2024-01-01", periods=N),
        "gap": [np.nan, *range(1, N)],
        "inf": [*range(N - 1), np.inf],
        "one": ["same"] * N,
        "rare": ["a", "b"] * 29 + ["b", "lonely"],
    }
)


@pytest.mark.parametrize(
    ("column", "task", "n"),
    [
        ("word", "classification", 3),
        ("flag", "classification", 2),
        ("few", "classification", 20),
        ("many", "regression", 21),
        ("halves", "regression", 11),
        ("wholes", "classification", 20),
    ],
)
def test_many_different_numbers_are_a_regression(
    column: str, task: str, n: int
) -> None:
    target = read_target(FRAME, column)
    assert target.task == task
    assert target.name == column
    assert str(n) in target.sentence
    assert task in target.sentence
    np.testing.assert_array_equal(target.values, FRAME[column])
    if task == "regression":
        assert target.classes is None
        assert target.values.dtype == np.float64
    else:
        assert target.classes == tuple(sorted(set(FRAME[column].tolist())))


def test_classes_keep_their_type() -> None:
    assert read_target(FRAME, "flag").classes == (False, True)
    assert all(type(c) is bool for c in read_target(FRAME, "flag").classes or ())
    assert all(type(c) is int for c in read_target(FRAME, "few").classes or ())
    assert all(type(c) is str for c in read_target(FRAME, "word").classes or ())
    padded = pd.DataFrame({"y": [" a", "a"] * 2})
    assert read_target(padded, "y").classes == (" a", "a")


def test_columns_of_pandas_own_types_are_understood() -> None:
    frame = pd.DataFrame({"y": [1, 0, 1, 0]})
    for kind in ("Int64", "category", "float32", "uint8", "boolean"):
        target = read_target(frame.astype({"y": kind}), "y")
        assert target.classes in {(0, 1), (False, True)}
    words = pd.DataFrame({"y": pd.Categorical(["b", "a"] * 3)})
    assert read_target(words, "y").classes == ("a", "b")


def test_a_task_that_is_asked_for_decides() -> None:
    assert read_target(FRAME, "few", task="regression").classes is None
    assert read_target(FRAME, "tens", task="regression").task == "regression"
    assert len(read_target(FRAME, "many", task="classification").classes or ()) == 21
    with pytest.raises(UsageError, match=r"be a number for a regression; got 'no' in"):
        read_target(FRAME, "word", task="regression")
    with pytest.raises(UsageError, match="be a number for a regression; got True in"):
        read_target(FRAME, "flag", task="regression")
    with pytest.raises(ValueError, match=r"--task must be one of .*Did you mean"):
        read_target(FRAME, "few", task="regresion")


@pytest.mark.parametrize(
    ("column", "match"),
    [
        ("wrod", r"be a column of the table; got 'wrod'\. Did you mean 'word'\?"),
        ("WORD", r"Did you mean 'word'\?"),
        ("zzzzzz", r"There are 'word', 'flag', .* and 4 more\."),
        ("gap", r"1 row \(the first is row 0\) without a value in column 'gap'"),
        ("inf", "be finite; got inf in row 59 of column 'inf'"),
        ("one", "two different values; got only 'same' in column 'one'"),
        ("rare", "two rows of every class; got one row, row 59, of class 'lonely'"),
        ("tens", r"whole numbers as classes; got 0\.5 in row 1 .*Say --task regr"),
        ("day", "hold numbers or classes; got dates in column 'day'"),
    ],
)
def test_a_target_that_cannot_be_predicted_is_refused(column: str, match: str) -> None:
    with pytest.raises(UsageError, match=match) as caught:
        read_target(FRAME, column)
    assert str(caught.value).startswith("--target must ")
    assert "\n" not in str(caught.value)


def test_hostile_class_names_stay_on_one_line() -> None:
    frame = pd.DataFrame({"y": ["a", "a", "x\n[/b]</script>"]})
    with pytest.raises(UsageError, match=r"class 'x\\n\[/b\]</script>'") as caught:
        read_target(frame, "y")
    assert "\n" not in str(caught.value)
    with pytest.raises(UsageError, match=r"\(3 such classes\)"):
        read_target(pd.DataFrame({"y": ["a", "b", "c"]}), "y")


def test_groups_are_read_as_they_are() -> None:
    np.testing.assert_array_equal(read_groups(FRAME, "word"), FRAME["word"])
    assert read_groups(FRAME, "day").dtype.kind == "M"
    with pytest.raises(UsageError, match=r"--groups must be a column.*'word'\?"):
        read_groups(FRAME, "words")
    with pytest.raises(UsageError, match="--groups must have a value in every row"):
        read_groups(FRAME, "gap")
    with pytest.raises(UsageError, match="two groups; got one group in column 'one'"):
        read_groups(FRAME, "one")


def test_weights_are_read_as_numbers() -> None:
    frame = pd.DataFrame(
        {
            "good": [0, 1, 2],
            "bad": [1.0, -0.5, -1.0],
            "none": [0.0, 0.0, 0.0],
            "gap": [1.0, np.nan, np.nan],
            "inf": [1.0, np.inf, 1.0],
            "word": ["a", "b", "c"],
            "flag": [True, True, False],
        }
    )
    assert read_weights(frame, "good").tolist() == [0.0, 1.0, 2.0]
    wrong = {
        "bad": r"without negative weights; got -0\.5 in row 1 .*\(2 such rows\)",
        "none": "positive sum; got only zeros in column 'none'. Leave it out",
        "gap": r"got 2 rows \(the first is row 1\) without a value",
        "inf": "be finite; got inf in row 1",
        "word": "be a column of numbers; got 'a' in row 0 of column 'word'",
        "flag": "be a column of numbers; got True in row 0",
        "goods": r"be a column of the table; got 'goods'\. Did you mean 'good'\?",
    }
    for column, match in wrong.items():
        with pytest.raises(UsageError, match=f"^--weight must .*{match}"):
            read_weights(frame, column)


def test_every_role_has_a_column_of_its_own() -> None:
    columns = ["x", "y", "site", "w"]
    roles = {"--target": "y", "--groups": "site", "--weight": None}
    assert check_roles(columns, roles) == ["x", "w"]
    with pytest.raises(UsageError, match="got 'y' for both --target and --groups"):
        check_roles(columns, roles | {"--groups": "y"})
    with pytest.raises(UsageError, match="got 'w' for both --weight and --key"):
        check_roles(columns, {"--weight": "w", "--key": "w"})
    with pytest.raises(UsageError, match=r"--groups must be a column.*Did you mean"):
        check_roles(columns, roles | {"--groups": "sites"})
    with pytest.raises(UsageError, match="have columns to predict from; got no other"):
        check_roles(["y", "site"], roles)


def test_infinite_covariates_are_refused() -> None:
    refuse_infinite(FRAME.drop(columns="inf"))
    with pytest.raises(UsageError, match=r"TABLE must hold finite .* inf in row 59"):
        refuse_infinite(FRAME)
