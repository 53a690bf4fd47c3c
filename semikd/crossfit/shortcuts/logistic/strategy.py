"""When a logistic regression can say what it would without a row, and that it does."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)

from semikd.crossfit.folds import Rows
from semikd.crossfit.shortcuts.distinct import distinct
from semikd.crossfit.shortcuts.labels import (
    FallBack,
    Shortcut,
    fit_parts,
    split_pipeline,
)
from semikd.crossfit.shortcuts.logistic.checked import checked_step
from semikd.crossfit.shortcuts.logistic.learner import (
    coefficients,
    likelihood,
    unsuited,
    write_back,
)
from semikd.crossfit.shortcuts.logistic.likelihood import Likelihood
from semikd.crossfit.shortcuts.logistic.newton_step import Optimum, optimum
from semikd.simplex import FloatArray

__all__ = ["dear", "handles", "labels", "why_not"]

# A solver that stopped further from its optimum than this (root mean square change in
# probability) has left another model.
_SAME_MODEL = 0.01
# The Hessian has this many rows at most: 200 megabytes.
_MOST_COEFFICIENTS = 5_000
_KEEP_WIDTH = {
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
}
# Measured on 20,000 rows: from here on five folds are cheaper.
_WORTH_WHILE = 400


def handles(learner: Any) -> bool:
    """Return whether a learner is a logistic regression of scikit-learn.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from semikd.crossfit.shortcuts.logistic import handles
    >>> handles(LogisticRegression())
    True
    """
    return isinstance(learner, LogisticRegression)


def why_not(teacher: Any, X: Any, rows: Rows) -> str | None:
    """Return why a teacher cannot label rows as if it had not seen them, if it cannot.

    Parameters
    ----------
    teacher : estimator
        A LogisticRegression, or a Pipeline that ends in one.
    X : array-like of shape (n, d)
        Covariates.
    rows : Rows
        Identity, class, group and weight of each row.

    Returns
    -------
    str or None
        The reason, as one clause; None where ``labels`` can be called.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from semikd.crossfit.folds import Rows
    >>> from semikd.crossfit.shortcuts.logistic import why_not
    >>> X, codes = np.arange(4.0)[:, None], np.array([0, 1, 0, 1])
    >>> rows = Rows(np.arange(4, dtype=np.uint64), codes, codes[:2], None, None)
    >>> why_not(LogisticRegression(), X, rows) is None
    True
    >>> why_not(LogisticRegression(l1_ratio=1.0), X, rows)
    'an L1 penalty has no curvature where coefficients are zero'
    """
    if isinstance(parts := split_pipeline(teacher), str):
        return parts
    transformer, learner = parts
    if (reason := unsuited(learner)) is not None:
        return reason
    if rows.groups is not None:
        return "its Newton step leaves out one row, and groups leave whole"
    if rows.classes is None:
        return "y holds no classes"
    codes, hashes = rows.codes[rows.active], rows.hashes[rows.active]
    for code, label in enumerate(rows.classes.tolist()):
        seen = hashes[codes == code]
        if not len(seen) or (seen == seen[0]).all():
            return f"without its only distinct row the class {label!r} is unknown"
    width = 0 if transformer is not None or np.ndim(X) != 2 else np.shape(X)[1]
    return _too_wide(width, len(rows.classes))


def dear(teacher: Any, X: Any, rows: Rows) -> str | None:
    """Return why folds are cheaper for such a table, if they are known to be.

    A Pipeline counts if its steps keep the number of columns; what others make of it is
    known only once they are fitted.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from semikd.crossfit.folds import Rows
    >>> from semikd.crossfit.shortcuts.logistic import dear
    >>> codes = np.array([0, 1])
    >>> rows = Rows(np.arange(2, dtype=np.uint64), codes, codes, None, None)
    >>> dear(LogisticRegression(), np.ones((2, 1500)), rows)
    'five folds are cheaper with 1,501 coefficients'
    """
    parts = split_pipeline(teacher)
    steps = getattr(parts[0], "steps", [])
    if np.ndim(X) != 2 or not {type(step) for _, step in steps} <= _KEEP_WIDTH:
        return None
    scores = 1 if rows.classes is None else max(len(rows.classes) - 1, 1)
    n_coefficients = (np.shape(X)[1] + 1) * scores
    if n_coefficients <= _WORTH_WHILE:
        return None
    return f"five folds are cheaper with {n_coefficients:,} coefficients"


def labels(
    teacher: Any,
    X: Any,
    y: NDArray[Any],
    rows: Rows,
    *,
    seed: int,
    n_jobs: int | None = None,  # noqa: ARG001 - products of matrices use all threads
) -> Shortcut:
    r"""Label every row by the fit that leaves it, and its copies, out.

    The teacher minimises :math:`L(\theta) = \sum_i w_i \ell_i(\theta) + \tfrac1{2C}
    \|\theta\|^2`. With H its Hessian at the optimum, :math:`f_i` the scores of row i
    (one log-odds, or k - 1 coordinates), :math:`r_i` and :math:`C_i` the first and
    second derivative of its weighted loss in them and :math:`A_i = x_i' H^{-1} x_i`,
    one Newton step of the loss of the other rows gives

    .. math:: f_i^{(-i)} = f_i + A_i (I - C_i A_i)^{-1} r_i ,

    for two classes :math:`f_i + q_i r_i / (1 - c_i q_i)` with :math:`c_i q_i` the
    leverage of the row.

    Parameters
    ----------
    teacher : estimator
        One for which ``why_not`` knows no reason; a copy is fitted.
    X : array-like, sparse matrix or data frame of shape (n, d)
        Covariates.
    y : ndarray of shape (n,)
        Class labels.
    rows : Rows
        Identity, class and weight of each row.
    seed : int
        For the open seeds of the teacher; the labels draw nothing.
    n_jobs : int, optional
        Accepted as every strategy accepts it.

    Returns
    -------
    Shortcut
        Probabilities of shape (n, k), NaN for rows of weight zero. Its teacher is the
        fitted one with the coefficients of the exact optimum, from which the labels
        are.

    Raises
    ------
    FallBack
        If there is no unique optimum; if the solver stopped so early that the optimum
        is another model (probabilities differ by a root mean square above 0.01); if
        more rows need a refit than folds would cost; or if refits do not converge.

    Notes
    -----
    *Optimum.* Solvers stop when the gradient is small, not when the scores are right:
    with default settings probabilities are off by 1e-4 to 1e-2, more than leaving one
    row of thousands out changes them. Newton steps from the fit find the optimum of the
    same loss, and the teacher gets its coefficients, so that the labels and what it
    says of new rows are one model.

    *Check.* 8 to 24 rows, from the longest step to the shortest in geometric ranks, are
    refitted without the row (Newton steps with the Hessian of the other rows, to a
    thousandth of the change). The error of one step, as a part of what leaving the row
    out changes, grows with the length of the step in log-odds, since the third
    derivative is what it neglects. From the longest step on, rows get more than one
    step until, at the rates of the checked rows, at most 0.5 % of the rows are
    expected to be off by more than 0.7 %: for two classes the term of the third
    derivative, :math:`-\tfrac12 r_i^2 \sum_{j \ne i} w_j \mu''_j a_{ji}^3`, judged on
    the same rows; what that leaves, and more classes, is refitted. Tables of up to 300
    distinct rows are refitted without each of them.

    *Limiting cases.* Leverage 0: the label is the fitted probability. A quadratic loss,
    or a strong penalty: one step is exact. Copies of a row leave together, with the sum
    of their derivatives. liblinear's penalised intercept is one more column, of value
    ``intercept_scaling``.

    *Cost.* n (m p)^2 multiplications for the Hessian, and as many for the leverages,
    with p coefficients of each of m scores: about a fit for 100 columns, 20 for 1,500.

    References
    ----------
    .. [1] D. Pregibon, "Logistic Regression Diagnostics", Annals of Statistics 9
       (1981), Section 4 (the one-step estimate without a row).
    .. [2] K. Rad and A. Maleki, "A scalable estimate of the out-of-sample prediction
       error via approximate leave-one-out cross-validation", JRSS B 82 (2020).
    .. [3] A. Beirami, M. Razaviyayn, S. Shahrampour and V. Tarokh, "On Optimal
       Generalizability in Parametric Learning", NeurIPS 2017.
    .. [4] S. Wang, W. Zhou, H. Lu, A. Maleki and V. Mirrokni, "Approximate
       Leave-One-Out for Fast Parameter Tuning in High Dimensions", ICML 2018. The step
       for several scores and for copies of a row, the second term and the check are a
       reconstruction.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from semikd.crossfit.folds import Rows
    >>> from semikd.crossfit.shortcuts.logistic import labels
    >>> X, y = np.arange(6.0)[:, None], np.array([0, 0, 1, 0, 1, 1])
    >>> rows = Rows(np.arange(6, dtype=np.uint64), y, y[:3:2], None, None)
    >>> made = labels(LogisticRegression(), X, y, rows, seed=0)
    >>> seen = made.teacher.predict_proba(X)
    >>> bool(seen[2, 1] > made.prediction[2, 1])
    True
    """
    parts = fit_parts(teacher, X, y, rows, seed)
    learner = parts.learner
    if (reason := _too_wide(parts.X.shape[1], len(learner.classes_))) is not None:
        raise FallBack(reason)
    data = likelihood(learner, parts.X, rows)
    start = coefficients(learner, data)
    best = optimum(data, start)
    _check_same_model(data, start, best)
    write_back(learner, data, best.theta)
    unit = distinct(rows).back
    step, note = checked_step(data, best.summed(unit), unit)
    prediction = np.full((len(rows.hashes), len(learner.classes_)), np.nan)
    prediction[rows.active] = data.probabilities(best.scores + step)
    return Shortcut(prediction, parts.teacher, note)


def _too_wide(width: int, n_classes: int) -> str | None:
    """Return the refusal of a Hessian that is too large, if it is."""
    n = (width + 1) * (n_classes - 1)
    return f"{n:,} coefficients are too many" if n > _MOST_COEFFICIENTS else None


def _check_same_model(data: Likelihood, start: FloatArray, best: Optimum) -> None:
    """Refuse an optimum that is far from where the teacher's solver stopped."""
    change = data.probabilities(data.scores(start)) - data.probabilities(best.scores)
    square = np.square(change).max(axis=1)
    distance = float(np.sqrt(np.average(square, weights=data.weight)))
    if distance > _SAME_MODEL:
        raise FallBack(
            "the teacher's solver stopped early: at its optimum probabilities differ "
            f"by {distance:.2g} (scale the columns, or raise max_iter)"
        )
