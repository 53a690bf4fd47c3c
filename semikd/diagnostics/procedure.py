"""The diagnosis itself: one function from labels and outcomes to findings."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from semikd._random import RandomState, spawn_seeds
from semikd.crossfit import OutOfFold
from semikd.diagnostics.calibration import calibration
from semikd.diagnostics.diagnosis import TeacherDiagnosis
from semikd.diagnostics.findings import Finding, adjusted
from semikd.diagnostics.left_over import left_over
from semikd.diagnostics.optimism import optimism
from semikd.diagnostics.residuals import Predicted, predict_residuals
from semikd.diagnostics.rows import JudgedRows, Part, judged_rows
from semikd.diagnostics.spread import fold_spread, spread
from semikd.evaluation.binning import binned_means, shared_by_ties
from semikd.inference._inputs import checked_level
from semikd.simplex import FloatArray

__all__ = ["diagnose"]

# Rows for each fitted number below which a part is not recalibrated.
_ROWS_PER_NUMBER = 10


def diagnose(
    labels: OutOfFold,
    X: Any,
    y: ArrayLike,
    *,
    in_sample: Any = None,
    sample_weight: ArrayLike | None = None,
    groups: Any = None,
    clusters: ArrayLike | None = None,
    unseen: Any = None,
    learner: Any = None,
    level: float = 0.95,
    random_state: RandomState = None,
) -> TeacherDiagnosis:
    r"""Say what is wrong with a teacher, by tests on its out-of-fold labels.

    - *Optimism* (over-fit): how much better it looks on rows that it saw.
    - *Calibration*: whether its probabilities are frequencies.
    - *Left-over signal* (under-fit): how much of :math:`y - \tilde p`, with
      :math:`\tilde p` recalibrated, a cross-fitted learner still explains.
    - *Variance* (over-fit): how far labels differ over repeats, and what averaging
      would gain.

    Parameters
    ----------
    labels : OutOfFold
        Class probabilities by teachers that did not see the rows, from folds. Rows
        without a label are left out.
    X : array-like, sparse matrix or data frame of shape (n, d)
        Covariates of the labelled rows.
    y : array-like of shape (n,)
        Class labels.
    in_sample : OutOfFold or array of shape (n, k) or (n,), optional
        Labels by a teacher that saw the rows, such as
        ``cross_fit(teacher, X, y, cv="in-sample")``; without them there is no finding
        on optimism.
    sample_weight : array-like of shape (n,), optional
        Sampling weights; rows of weight zero are left out.
    groups : str or array-like of shape (n,), optional
        Groups that findings are shown for, or the name of a column of X; at most 50.
    clusters : array-like of shape (n,), optional
        Rows of a cluster depend on one another: standard errors and blocks respect
        them.
    unseen : array-like of shape (m, d), optional
        Rows that no teacher learned from; fold teachers are compared there.
    learner : regressor, optional
        What looks for left-over signal; it is cloned. By default short, regularised
        boosting, for dense tables of numbers and categories.
    level : float, default=0.95
        Confidence level of the tests: findings with an adjusted p-value of at most
        1 - level become advice.
    random_state : int, generator or None
        Seed of blocks and learners.

    Returns
    -------
    TeacherDiagnosis

    Raises
    ------
    ValueError
        If the labels are out-of-bag or leave-one-out, in-sample, of a regression or of
        other rows, or an argument does not fit them.
    TypeError
        If ``labels`` is no record, or the learner no regressor.

    Notes
    -----
    Tests on all rows are adjusted together by Holm's method, and tests on parts within
    each finding. What is not shown is not thereby absent: with 2,000 rows optimism of
    0.02 nats, a slope of 0.8 and a left-over R² of 0.02 are seen more than 80 times in
    100.

    The tests hold their level for labels whose noise does not depend on the outcomes
    of the rows that judge. Labels of folds lean a little: the outcome of a row taught
    the labels of all other folds. Residuals of such labels nearly cancel along whatever
    the teacher can fit (its intercept, its slope, its coefficients), and tests of
    calibration and of left-over signal then reject a right teacher *less* often than
    their level says.

    By class means: optimism and variance on the rows of that class, calibration and
    left-over signal of its column against the rest (not shown for two classes, where
    the columns mirror each other). A part with fewer than ten rows for each number
    that recalibration fits has no finding on calibration and left-over signal.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from semikd import cross_fit
    >>> from semikd.diagnostics import diagnose
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(400, 3))
    >>> y = (X[:, 0] + rng.normal(size=400) > 0).astype(int)
    >>> teacher = DecisionTreeClassifier(random_state=0)
    >>> labels = cross_fit(teacher, X, y, random_state=0)
    >>> seen = cross_fit(teacher, X, y, cv="in-sample", random_state=0)
    >>> found = diagnose(labels, X, y, in_sample=seen, random_state=0)
    >>> found.advice["optimism"][:11], found.advice["calibration"][:8]
    ('Over-fitted', 'Too sure')
    """
    used = checked_level(level)
    rows = judged_rows(
        labels,
        X,
        y,
        in_sample=in_sample,
        sample_weight=sample_weight,
        groups=groups,
        clusters=clusters,
    )
    apart = {} if unseen is None else fold_spread(labels, unseen)
    predicted = predict_residuals(rows, learner, spawn_seeds(random_state, 1)[0])
    findings = [
        replace(finding, part=part.name, n_rows=finding.n_rows or len(part.rows))
        for part in rows.parts()
        for finding in _findings(rows, part, predicted)
    ]
    return TeacherDiagnosis(
        findings=tuple(adjusted(findings)),
        strategy=labels.strategy,
        n_rows=len(rows.codes),
        classes=rows.names,
        level=used,
        reliability=_reliability(rows),
        folds_apart=apart,
    )


def _findings(rows: JudgedRows, part: Part, predicted: Predicted) -> Iterator[Finding]:
    """Yield what is found on a part."""
    at = part.rows
    weights, clusters = rows.weights[at], rows.clusters_of(at)
    n_units = len(at) if clusters is None else int(clusters.max(initial=-1)) + 1
    if n_units < 2:
        return
    labels = rows.labels[:, at]
    if rows.in_sample is not None:
        seen = rows.in_sample[:, at]
        yield optimism(labels, seen, rows.codes[at], weights, clusters)
    yield from _against_outcomes(rows, part, predicted)
    if len(labels) > 1:
        yield spread(labels, rows.outcome[at], weights, clusters)


def _against_outcomes(
    rows: JudgedRows, part: Part, predicted: Predicted
) -> Iterator[Finding]:
    """Yield calibration and left-over signal of a group, or of a class's column."""
    at, names = part.rows, rows.names
    p, outcome = rows.mean, rows.outcome
    ahead, crossed = predicted.ahead, predicted.crossed
    if part.column is not None:
        if len(names) == 2:
            return
        # All rows judge a column: those of the class alone have one outcome.
        at, names = np.arange(len(p)), ("rest", names[part.column])
        p, outcome, ahead, crossed = (
            _against_rest(table, part.column) for table in (p, outcome, ahead, crossed)
        )
    present = (outcome[at].sum(axis=0) > 0).sum()
    if present < 2 or len(at) < _ROWS_PER_NUMBER * len(names):
        return
    weights, clusters = rows.weights[at], rows.clusters_of(at)
    own = Predicted(predicted.block[at], ahead[at], crossed[at])
    for finding in (
        calibration(p[at], outcome[at], weights, clusters, names),
        left_over(p[at], outcome[at], own, weights, clusters),
    ):
        yield replace(finding, n_rows=len(at))


def _against_rest(table: FloatArray, column: int) -> FloatArray:
    """Return all other columns as one, and the column."""
    own = table[:, column]
    return np.column_stack([table.sum(axis=1) - own, own])


def _reliability(rows: JudgedRows) -> tuple[tuple[str, FloatArray], ...]:
    """Return the curves of a calibration diagram for the last class."""
    hits, weights = rows.outcome[:, -1], rows.weights
    curves = []
    for name, table in (("out of fold", rows.labels), ("in sample", rows.in_sample)):
        if table is not None:
            said = table.mean(axis=0)[:, -1]
            shared = shared_by_ties(said, hits, weights)
            curve = np.column_stack(binned_means(said, shared, weights)[:2])
            curves.append((name, curve))
    return tuple(curves)
