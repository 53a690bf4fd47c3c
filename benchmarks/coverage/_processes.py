"""Processes whose truth is known, and the teachers that over-fit, fit and under-fit."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from _cells import FloatArray
from numpy.typing import NDArray
from scipy import special

SLOPES = np.array([0.8, -0.5, 0.0])
# Columns of noise that the over-fitting teacher reads besides.
NOISE = 17
# Rows that stand for the population, whose outcomes are known as probabilities.
POPULATION = 1_000_000
FRESH = 100_000
NEWTON_STEPS = 15


@dataclass(frozen=True, eq=False)
class Rows:
    """Covariates, what teachers read besides, outcomes and Bayes probabilities."""

    X: FloatArray
    noise: FloatArray
    y: NDArray[np.intp]
    p: FloatArray

    def read_by(self, teacher: str) -> FloatArray:
        """Return the table that this teacher reads."""
        return np.column_stack([self.X, self.noise]) if teacher == OVER else self.X


OVER, FITS, UNDER = "over-fits", "fits", "under-fits"
TEACHERS = (OVER, FITS, UNDER)


def logistic(n: int, seed: int, *, bend: float = 0.0) -> Rows:
    """Return rows whose log-odds are linear, or bent by a square of a column."""
    rng = np.random.default_rng([seed, n])
    X = rng.normal(size=(n, 3))
    p = special.expit(X @ SLOPES + bend * (X[:, 0] ** 2 - 1.0))
    y = (rng.random(n) < p).astype(np.intp)
    return Rows(X, rng.normal(size=(n, NOISE)), y, p)


def clustered(n_clusters: int, seed: int) -> tuple[Rows, NDArray[np.intp]]:
    """Return clusters of 8 rows that share most of the first column and a level."""
    rng = np.random.default_rng([seed, n_clusters])
    group = np.repeat(np.arange(n_clusters), 8)
    X = rng.normal(size=(len(group), 3))
    X[:, 0] = 0.4 * X[:, 0] + 0.9 * rng.normal(size=n_clusters)[group]
    level = 0.8 * rng.normal(size=n_clusters)[group]
    p = special.expit(X @ SLOPES + level)
    y = (rng.random(len(group)) < p).astype(np.intp)
    return Rows(X, rng.normal(size=(len(group), NOISE)), y, p), group


@cache
def population(bend: float = 0.0) -> Rows:
    """Return rows that stand for the population."""
    return logistic(POPULATION, 7, bend=bend)


@cache
def fresh() -> Rows:
    """Return rows on which fitted models are judged."""
    return logistic(FRESH, 8)


def most_likely_of(rows: Rows) -> FloatArray:
    """Return the coefficients of largest likelihood where p is known, and a constant.

    By Newton's steps, since the library is what is judged.
    """
    x = np.column_stack([rows.X, np.ones(len(rows.p))])
    theta = np.zeros(x.shape[1])
    for _ in range(NEWTON_STEPS):
        q = special.expit(x @ theta)
        theta += np.linalg.solve(
            x.T @ ((q * (1.0 - q))[:, None] * x), x.T @ (rows.p - q)
        )
    return theta


def teacher_of(kind: str) -> Any:
    """Return an unfitted teacher.

    The over-fitting one reads noise and has no penalty, the under-fitting one splits
    once, and the other has the form of the truth.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.tree import DecisionTreeClassifier

    if kind == UNDER:
        return DecisionTreeClassifier(max_depth=1, random_state=0)
    return LogisticRegression(C=1e6 if kind == OVER else 1.0, max_iter=1000)


def labels_of(kind: str, rows: Rows, folds: int, seed: int) -> Any:
    """Return cross-fitted labels of the rows."""
    from semikd import cross_fit

    table = rows.read_by(kind)
    return cross_fit(teacher_of(kind), table, rows.y, cv=folds, random_state=seed)


def student(X: FloatArray) -> FloatArray:
    """Return the probabilities of a fixed model, which is wrong."""
    return np.asarray(special.expit(0.5 * X[:, 0] + 0.3))
