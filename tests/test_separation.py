"""Which rows columns tell apart without error, against linear programs."""

import re
import warnings

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import optimize

from semikd import external_labels
from semikd.exceptions import SemikdWarning
from semikd.inference import likelihood_coefficients, log_odds_coefficients
from semikd.inference import separation as room
from semikd.inference.designs import made_design
from semikd.inference.likelihood import separates
from semikd.inference.separation import told_apart

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]


def said_of(X: FloatArray, y: IntArray) -> str:
    """Return the words on rows, from coefficients that put none right."""
    rows = made_design(X, y)
    return told_apart(rows, np.zeros((len(rows.classes) - 1, X.shape[1] + 1)))


def by_program(X: FloatArray, y: IntArray) -> str:
    """Return 'none', 'some' or 'all' rows told apart, by a linear program.

    The scores of all classes are free within [-1, 1] coefficients; no row's own score
    is below another, and the sum of how far they are above is the largest. All are told
    apart where a second program finds one least distance above 0.
    """
    z = np.column_stack([X, np.ones(len(X))])
    k, p = int(y.max()) + 1, z.shape[1]
    above = []
    for row, label in zip(z, y, strict=True):
        for other in set(range(k)) - {int(label)}:
            each = np.zeros((k, p))
            each[label], each[other] = row, -row
            above.append(each.ravel())
    A = np.array(above)
    sums = optimize.linprog(
        -A.sum(axis=0), A_ub=-A, b_ub=np.zeros(len(A)), bounds=(-1, 1)
    )
    if -sums.fun < 1e-9:
        return "none"
    least = optimize.linprog(
        np.append(np.zeros(k * p), -1.0),
        A_ub=np.column_stack([-A, np.ones(len(A))]),
        b_ub=np.zeros(len(A)),
        bounds=[*[(-1, 1)] * (k * p), (0, 1)],
    )
    return "all" if -least.fun > 1e-9 else "some"


@pytest.mark.parametrize("k", [2, 3])
def test_it_is_what_a_linear_program_says(k: int) -> None:
    """Small tables of few levels, in which all three answers are frequent."""
    rng = np.random.default_rng(0)
    seen: list[str] = []
    while len(seen) < 60:
        n = int(rng.integers(6, 13))
        X = rng.integers(-1, 3, size=(n, 2)).astype(float)
        y = np.append(np.arange(k), rng.integers(k, size=n - k))
        if rng.random() < 0.3:
            y = np.digitize(X.sum(axis=1), [0.5, 2.5][: k - 1])
        z = np.column_stack([X, np.ones(n)])
        if len(np.unique(y)) < k or np.linalg.matrix_rank(z) < 3 or n <= 3:
            continue
        said = said_of(X, y)
        found = "none" if not said else "all" if "of all" in said else "some"
        assert found == by_program(X, y), (X, y)
        seen.append(found)
    assert min(seen.count(each) for each in ("none", "some", "all")) >= 5


def test_rows_of_one_class_beyond_a_value_are_named_whatever_the_share() -> None:
    rng, n = np.random.default_rng(1), 1500
    X = np.column_stack([rng.normal(size=n), np.arange(n) < 8]).astype(float)
    for share in (0.04, 0.3):
        y = (rng.random(n) < share).astype(np.intp)
        y[:8] = 0
        labels = external_labels(X, np.full(n, share), classes=[0, 1])
        words = re.escape("all 8 rows with 'x1' above 0 are of class 0, so that")
        with pytest.warns(SemikdWarning, match=words) as seen:
            log_odds_coefficients(labels, X, y, random_state=0)
        assert len(seen) == 1
        # The likelihood has no largest value there, and says so.
        with pytest.raises(ValueError, match="no coefficient is finite"):
            likelihood_coefficients(X, y)
        y[0] = 1
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            log_odds_coefficients(labels, X, y, random_state=0)


def test_one_class_of_three_is_named() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=400)
    y = np.where(x > 1.0, 2, rng.integers(2, size=400))
    n, least = int((x > 1.0).sum()), float(x[x <= 1.0].max())
    said = said_of(x[:, None], y)
    assert said == f"all {n} rows with 'x0' above {least:.6g} are of class 2"


def test_a_level_without_a_column_of_its_own_is_seen() -> None:
    """The reference level of a factor, 1 less its dummies: no column has a cut."""
    rng, n = np.random.default_rng(3), 600
    level = rng.integers(3, size=n)
    X = (level[:, None] == [1, 2]).astype(float)
    y = np.where(level == 0, 1, rng.integers(2, size=n))
    assert said_of(X, y).startswith("X tells the class of some rows, by several")
    y[level == 0] = rng.integers(2, size=int((level == 0).sum()))
    assert said_of(X, y) == ""


def test_of_many_rows_a_few_are_enough_where_classes_overlap(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng, n = np.random.default_rng(4), 20_000
    sizes: list[int] = []

    def counting(
        z: FloatArray, outcomes: FloatArray, weights: FloatArray | None
    ) -> bool:
        sizes.append(len(z))
        return separates(z, outcomes, weights)

    monkeypatch.setattr(room, "separates", counting)
    X = rng.normal(size=(n, 5))
    X[:, 0] = np.arange(n) % 1000 == 0
    y = (rng.random(n) < 0.3).astype(np.intp)
    assert said_of(X, y) == ""
    assert len(sizes) == 1
    assert sizes[0] < 2500
    # What few rows cannot decide all are asked: the reference level of two dummies.
    level = rng.integers(3, size=n)
    y[level == 0] = 1
    sizes.clear()
    assert said_of((level[:, None] == [1, 2]).astype(float), y).startswith("X tells")
    assert sizes[-1] == n
