"""Whether columns matter beside others, without fitting the model that has them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import linalg, stats

from semikd._validation import FloatArray, Shown, invalid, unknown, wrong_type
from semikd.inference.coefficients import rows_in_words
from semikd.inference.columns import Columns
from semikd.inference.designs import Design, made_design
from semikd.inference.hypotheses import HypothesisTest
from semikd.inference.influence import cluster_sums
from semikd.inference.likelihood import (
    likelihood_equation,
    most_likely,
    nearest_model,
)
from semikd.inference.units import without_rounding

__all__ = ["score_test"]

_SEPARATING = (
    "The columns that are not tested separate them by themselves: test or drop some"
)


def score_test(
    X: Any,
    y: ArrayLike,
    columns: Sequence[str],
    *,
    fit_intercept: bool = True,
    sample_weight: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
) -> HypothesisTest:
    r"""Test that a logistic model needs none of some columns.

    With the scores :math:`s = (s_0, s_1)` of the other and of these columns at the
    coefficients of the model without them, and the information J,

    .. math:: T = U^\top \Bigl(\sum_g u_g u_g^\top\Bigr)^{-1} U, \qquad
       u = s_1 - J_{10} J_{00}^{-1} s_0, \quad U = \sum_g u_g

    over rows or clusters g, by the chi-squared law of as many degrees of freedom as
    there are coefficients.

    Parameters
    ----------
    X : array-like or data frame of shape (n, d)
        All columns.
    y : array-like of shape (n,)
        Class labels.
    columns : sequence of str
        Names of those that are tested together; those of an array are x0, x1, ...
    fit_intercept : bool, default=True
        Whether a constant column is added.
    sample_weight : array-like of shape (n,), optional
        Sampling weights.
    clusters : array-like of shape (n,), optional
        Cluster of each row.

    Returns
    -------
    HypothesisTest
        T over its degrees of freedom, as an F with infinitely many others.

    Raises
    ------
    ValueError, TypeError
        If a column is unknown or named twice, none other is left, columns depend on one
        another, those that are not tested separate the classes, or there are too few
        rows or clusters.

    Notes
    -----
    Only the model without the columns is fitted, so that the test stands where they
    would tell classes apart without error, and is invariant to what they are measured
    in. It is cautious in small samples, since scores are not centred.

    References
    ----------
    .. [1] D. D. Boos, "On generalized score tests", The American Statistician 46, 1992.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from semikd.inference import score_test
    >>> X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    >>> shown = ["mean texture", "texture error", "smoothness error"]
    >>> print(score_test(X[shown], y, ["texture error", "smoothness error"]))
    F(2, inf) = 11.2, p = 1.36e-05
    """
    design = made_design(
        X,
        y,
        fit_intercept=fit_intercept,
        sample_weight=sample_weight,
        clusters=clusters,
    )
    if len(design.clusters) > 1:
        shown, remedy = Shown("two ways"), "Take the coarser one"
        raise invalid("clusters", "be of one way for a score test", shown, remedy)
    tested = _tested(columns, design.columns.names)
    theta = _without(design, tested)
    scores = likelihood_equation(
        design.standard, design.outcomes, design.weights, theta
    )
    m, p = theta.shape
    mine = np.tile(np.append(tested, [False] * (p - len(tested))), m)
    bent = scores.jacobian
    moved = linalg.solve(bent[np.ix_(~mine, ~mine)], bent[np.ix_(~mine, mine)])
    rest = scores.score[:, mine] - scores.score[:, ~mine] @ moved
    ways = design.clusters[0] if design.clusters else None
    rest = without_rounding(rest, ways, np.abs(rest).max(axis=0))
    return replace(
        _tested_by(cluster_sums(rest, ways)),
        estimand=f"whether {nearest_model(design)}, needs none of "
        + ", ".join(map(repr, columns)),
        conditions=tuple(rows_in_words(design)),
    )


def _tested_by(units: FloatArray) -> HypothesisTest:
    """Return the test that sums over units (G, q) have mean 0."""
    total, spread = units.sum(axis=0), units.T @ units
    q = len(total)
    scale = np.sqrt(np.diag(spread))
    if len(units) <= q:
        shown = Shown(f"{len(units):,} rows or clusters for {q:,} coefficients")
        raise invalid("columns", "be fewer than rows or clusters", shown)
    if not (scale > 0).all():
        shown = Shown("one whose scores sum to 0 in every row or cluster")
        remedy = "Leave it out, or use rows or clusters in which outcomes differ"
        raise invalid("columns", "have scores that differ", shown, remedy)
    relative = spread / np.outer(scale, scale)
    solved = linalg.solve(relative, total / scale, assume_a="pos")
    statistic = float(total / scale @ solved)
    return HypothesisTest(statistic / q, q, np.inf, float(stats.chi2.sf(statistic, q)))


def _tested(columns: Sequence[str], names: tuple[str, ...]) -> NDArray[np.bool_]:
    """Return which of the columns are tested."""
    if isinstance(columns, str) or not isinstance(columns, Sequence):
        remedy = f"Put it into a list, as in [{columns!r}]"
        raise wrong_type("columns", "be a sequence of names", columns, remedy)
    if not columns or len(set(columns)) < len(columns):
        constraint = "name one column at least, each once"
        raise invalid("columns", constraint, Shown(repr(list(columns))))
    for name in columns:
        if name not in names:
            raise unknown("columns", name, names)
    return np.isin(names, list(columns))


def _without(design: Design, tested: NDArray[np.bool_]) -> FloatArray:
    """Return the coefficients of largest likelihood where those tested are 0."""
    m, p = design.outcomes.shape[1] - 1, design.standard.shape[1]
    theta = np.zeros((m, p))
    kept = np.append(~tested, [True] * (p - len(tested)))
    own = design.columns
    if not kept.any():
        remedy = "Add a constant column, or leave one out of columns"
        raise invalid("columns", "leave another column", Shown("none"), remedy)
    if not (~tested).any():
        share = np.average(design.outcomes, axis=0, weights=design.weights)
        theta[:, -1] = np.log(share[1:] / share[0])
        return theta
    names = tuple(name for name, out in zip(own.names, tested, strict=True) if not out)
    fewer = Columns(names, own.center[~tested], own.scale[~tested], own.has_intercept)
    smaller = replace(design, columns=fewer, standard=design.standard[:, kept])
    theta[:, kept] = most_likely(smaller, _SEPARATING).estimate
    return theta
