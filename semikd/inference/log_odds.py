"""Coefficients of the linear function nearest to the Bayes log-odds.

The squared-logit projection: the unknown probabilities enter by their logarithm, so
that a teacher is needed, and its error is taken out to first order.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from semikd._random import RandomState
from semikd._validation import FloatArray, counted, number
from semikd.corrections import corrected_target
from semikd.crossfit import OutOfFold
from semikd.crossfit.checks import check_honest, check_record
from semikd.inference._inputs import class_labels
from semikd.inference.breakdown import breakdown_error
from semikd.inference.coefficients import coefficient_result, warn_of_no_width
from semikd.inference.designs import Design, made_design
from semikd.inference.floors import warn_of_floor
from semikd.inference.remainder import LogOddsCoefficients, warn_of_remainder
from semikd.losses import DistillationLoss, LogProbabilityLoss

__all__ = ["log_odds_coefficients"]

# Probabilities below count as this where a warning compares teachers.
_LEAST = 1e-3
# With a smaller floor one label decides.
_LEAST_FLOOR = 1e-9


def log_odds_coefficients(
    labels: OutOfFold,
    X: Any,
    y: ArrayLike,
    *,
    second: OutOfFold | None = None,
    teacher_rows: Any = None,
    reference: Any = None,
    min_proba: float = 1e-3,
    sample_weight: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    covariance: str | None = None,
    level: float = 0.95,
    random_state: RandomState = None,
) -> LogOddsCoefficients:
    r"""Infer the linear function of x that is nearest to the Bayes log-odds.

    .. math:: \theta_j = \operatorname*{argmin}_b E\Bigl[w \Bigl(
       \log\frac{p_{0j}(x)}{p_{0r}(x)} - b^\top x\Bigr)^2\Bigr], \qquad
       \hat\theta_j = \operatorname{OLS}\Bigl(x,\; \log\frac{\hat p_j}{\hat p_r} +
       \frac{y_j - \hat p_j}{\hat p_j} - \frac{y_r - \hat p_r}{\hat p_r}\Bigr)

    with r the reference class and :math:`\hat p` the label of the row by teachers that
    did not see it. The score is orthogonal: the teacher's error enters by its square.

    Parameters
    ----------
    labels : OutOfFold
        Cross-fitted labels of these rows; repeats are averaged on the scale of the
        target.
    X : array-like or data frame of shape (n, d)
        The columns that the coefficients belong to.
    y : array-like of shape (n,)
        Class labels.
    second : OutOfFold, optional
        Cross-fitted labels by another kind of teacher: what they disagree about is
        biased by one of them.
    teacher_rows : array-like or data frame, optional
        The table that the teachers read, if that is not X: the same rows, in order.
    reference : class label, optional
        The class that the log-odds are against; by default the first.
    min_proba : float, default=1e-3
        Below it the logarithm goes on as its tangent, which changes what is estimated;
        the result says in how many rows. Where half of it would change the result, or
        classes are told apart without error, it is the floor that is estimated: of
        separated classes, 2,000 rows, 0.01, 0.001 and 0.0001 gave slopes of 4.4 to 4.5,
        6.0 to 6.4 and 7.3 to 8.2 by two logistic regressions and two forests, with
        standard errors of 0.07 to 0.14. Of a true slope of 1 they gave the same by
        logistic regressions, and of 3 values that differ by two standard errors.
    sample_weight : array-like of shape (n,), optional
        Sampling weights, in what is estimated and in its error.
    clusters : array-like of shape (n,) or (n, 2), optional
        Cluster of each row, such as a group or copies of one row, in one way or in two.
    covariance : {'HC0', 'HC1', 'HC2', 'HC3', 'CRV1', 'CRV3'}, optional
        By default HC3, and CRV3 with clusters.
    level : float, default=0.95
        Confidence level.
    random_state : int, generator or None
        Seed of the draws behind simultaneous intervals.

    Returns
    -------
    LogOddsCoefficients
        Slopes and, last, the intercept; with three or more classes for each class but
        the reference.

    Raises
    ------
    ValueError, TypeError
        If the labels are in-sample, out-of-bag or of other rows, columns depend on one
        another, there are too few rows or clusters, or a value cannot be used.

    Warns
    -----
    SemikdWarning
        If half of ``min_proba`` would move a coefficient by more than half a standard
        error, or the columns tell classes of all or some rows apart without error
        (which rows is said where one column does); if no row, or
        cluster, moves a coefficient, or there is one degree of freedom; and if teachers
        disagree by more than half a standard error of a coefficient, and by more than
        chance, by Holm's test over the coefficients.

    Notes
    -----
    The error of :math:`\hat\theta` is first the sandwich's, and second a bias of the
    order of the teacher's squared error times :math:`|1 - 2p| / (p (1 - p))^2` (of
    three or more classes, of :math:`(\delta_j / p_j)^2 - (\delta_r / p_r)^2`):
    intervals hold where that is small beside the standard error, and do not for a
    teacher too simple for the truth, however many rows there are. A second teacher
    shows it: both targets estimate the same log-odds, so that the difference of the
    coefficients, ``remainder``, is the bias of the first less that of the second. To
    iterate the correction, let the labels of
    :class:`~semikd.ResidualTeacher` around the first teacher be the second. The test is
    this library's.

    References
    ----------
    .. [1] T. Dao, G. M. Kamath, V. Syrgkanis and L. Mackey, "Knowledge Distillation as
       Semiparametric Inference", ICLR 2021, Section 4 (the orthogonal score; the
       inference on its coefficients is this library's).
    .. [2] V. Chernozhukov et al., "Double/debiased machine learning for treatment and
       structural parameters", Econometrics Journal 21, 2018, Theorem 3.2.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from semikd import cross_fit
    >>> from semikd.inference import log_odds_coefficients
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(2000, 1))
    >>> y = (rng.random(2000) < 1 / (1 + np.exp(-X[:, 0]))).astype(int)
    >>> labels = cross_fit(LogisticRegression(), X, y, random_state=0)
    >>> found = log_odds_coefficients(labels, X, y, random_state=0)
    >>> low, high = found.conf_int()[0]
    >>> bool(low < 1.0 < high)
    True
    """
    number("min_proba", min_proba, low=_LEAST_FLOOR, high=0.5)
    records = [labels] if second is None else [labels, second]
    for each in records:
        _check(each, X if teacher_rows is None else teacher_rows, y)
    rows = made_design(
        X,
        y,
        reference=reference,
        sample_weight=sample_weight,
        clusters=clusters,
        usable=np.logical_and.reduce([each.labelled for each in records]),
    )
    infer = partial(
        coefficient_result,
        rows=rows,
        covariance=covariance,
        level=level,
        random_state=random_state,
    )
    return _inferred(infer, rows, records, min_proba)


def _inferred(
    infer: Callable[..., Any],
    rows: Design,
    records: Sequence[OutOfFold],
    min_proba: float,
) -> LogOddsCoefficients:
    """Return the coefficients, and their bias where there is a second teacher."""
    nearest = f"the linear function nearest in mean square to the {rows.log_odds}"
    labels = [_in_order(each, rows) for each in records]
    loss = LogProbabilityLoss(min_proba=min_proba)
    targets = [_target(loss, p, rows.outcomes) for p in labels]
    words = [
        _conditions(each.strategy, p, min_proba)
        for each, p in zip(records, labels, strict=True)
    ]
    infer = partial(infer, largest=float(np.abs(targets).max()))
    found: LogOddsCoefficients = infer(
        rows.regression(targets[0]),
        estimand=nearest,
        conditions=words[0],
        form=LogOddsCoefficients,
    )
    found = replace(found, breakdown=_breakdown(found, rows, labels[0], min_proba))
    warn_of_no_width(found, rows, stacklevel=4)
    half = _target(
        LogProbabilityLoss(min_proba=min_proba / 2.0), labels[0], rows.outcomes
    )
    warn_of_floor(
        rows, found, rows.regression(half).estimate, labels[0], min_proba, stacklevel=4
    )
    if len(targets) == 1:
        return found
    found = replace(
        found,
        by_second=infer(
            rows.regression(targets[1]), estimand=nearest, conditions=words[1]
        ),
        remainder=infer(
            rows.regression(targets[0] - targets[1]),
            estimand="what the first teacher's bias is more than the second's",
            conditions=(words[0][0], words[1][0]),
        ),
    )
    warn_of_remainder(found, [_log_loss(p, rows) for p in labels])
    return found


def _breakdown(
    found: LogOddsCoefficients, rows: Design, p: FloatArray, min_proba: float
) -> FloatArray:
    """Return how wrong labels (r, n, k) must be before intervals reach 0."""
    said = np.clip(p.mean(axis=0), min_proba, 1.0)
    said /= said.sum(axis=1, keepdims=True)
    least = rows.regression(np.zeros((len(said), 1)))
    pull = least.scores_of(np.ones((len(said), 1))) @ least.inverse
    pull = pull @ rows.columns.to_units().T
    half = found.conf_int()[:, 1] - found.estimate
    # The coefficients of a class stand together, the reference being the first.
    each = zip(
        np.split(found.estimate, p.shape[2] - 1),
        np.split(half, p.shape[2] - 1),
        strict=True,
    )
    return np.concatenate(
        [
            breakdown_error(said[:, [j, 0]], pull, estimate, own)
            for j, (estimate, own) in enumerate(each, start=1)
        ]
    )


def _log_loss(p: FloatArray, rows: Design) -> float:
    """Return the mean log-loss of labels (r, n, k), at least one in a thousand each."""
    said = np.maximum(p[:, rows.outcomes == 1.0], _LEAST).mean(axis=0)
    return float(np.average(-np.log(said), weights=rows.weights))


def _in_order(labels: OutOfFold, rows: Design) -> FloatArray:
    """Return the labels of the rows, classes in the order of the design, (r, n, k)."""
    known = [] if labels.classes is None else labels.classes.tolist()
    order = [known.index(label) for label in rows.classes]
    return np.asarray(labels.prediction[:, rows.rows][..., order])


def _check(labels: OutOfFold, X: Any, y: ArrayLike) -> None:
    """Refuse labels that are not honest, or not of these rows and classes."""
    check_honest(labels, "inference", "Cross-fit the teacher with an integer cv")
    check_record(labels, X, np.unique(class_labels(X, y)))


def _target(loss: DistillationLoss, p: FloatArray, outcomes: FloatArray) -> FloatArray:
    """Return fully corrected log-odds against the first class, (n, k - 1).

    Labels p (r, n, k) of repeats are averaged on the scale of the target.
    """
    full = np.ones(len(outcomes))
    each = [corrected_target(loss, own, outcomes, full) for own in p]
    target = np.asarray(np.mean(each, axis=0))
    # Two classes are one number already; of more, each is against the mean of all.
    return target if target.shape[1] == 1 else target[:, 1:] - target[:, :1]


def _conditions(strategy: str, p: FloatArray, min_proba: float) -> tuple[str, ...]:
    """Return what must hold of teacher and truth, in words."""
    weight = "|1 - 2p| / (p (1 - p))^2" if p.shape[2] == 2 else "1 / p^2"
    low = int((p < min_proba).any(axis=(0, 2)).sum())
    return (
        f"labels are of teachers that did not see the row ({strategy})",
        f"the teacher's squared error, weighed by {weight}, is small beside the "
        "standard errors",
        f"no probability is below {min_proba:g}, where the logarithm is continued by "
        f"its tangent ({counted(low, 'row')} of {p.shape[1]:,} have a label there; the "
        f"smallest is {p.min():.2g})",
    )
