"""How good predicted probabilities are, with one declared floor for every model."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from semikd._validation import number
from semikd.evaluation.binning import shared_by_ties
from semikd.simplex import FloatArray, clip, one_hot

__all__ = [
    "calibration_error",
    "mean_scores",
    "pointwise_brier",
    "pointwise_log_loss",
    "scores",
]

Codes = NDArray[np.intp]


def pointwise_log_loss(
    p: FloatArray, codes: Codes, *, min_proba: float = 1e-3
) -> FloatArray:
    r"""Return :math:`-\log \tilde p_{y}` of each row in nats, shape (n,).

    .. math:: \tilde p = (1 - k\varepsilon)\,p + \varepsilon

    The floor :math:`\varepsilon` is part of the metric: without one a single confident
    error is infinite, and the largest loss of a row is :math:`-\log\varepsilon`.

    Parameters
    ----------
    p : ndarray of shape (n, k)
        Predicted probabilities.
    codes : ndarray of int of shape (n,)
        Position of each row's class.
    min_proba : float, default=1e-3
        The floor, in (0, 1/k].

    Returns
    -------
    ndarray of shape (n,)

    Raises
    ------
    ValueError
        If the floor is not in (0, 1/k].

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.evaluation import pointwise_log_loss
    >>> p = np.array([[0.5, 0.5], [0.0, 1.0]])
    >>> pointwise_log_loss(p, np.array([0, 0]), min_proba=0.001).round(2)
    array([0.69, 6.91])
    """
    number("min_proba", min_proba, low=0.0, high=1.0 / p.shape[1], open_low=True)
    floored = clip(p, min_proba)
    return np.asarray(-np.log(floored[np.arange(len(codes)), codes]))


def pointwise_brier(
    p: FloatArray, codes: Codes, *, min_proba: float = 1e-3
) -> FloatArray:
    r"""Return :math:`\|\tilde p - e_y\|^2` of each row, in [0, 2], shape (n,).

    Parameters
    ----------
    p : ndarray of shape (n, k)
        Predicted probabilities.
    codes : ndarray of int of shape (n,)
        Position of each row's class.
    min_proba : float, default=1e-3
        The floor that the log-loss has, so that both judge the same numbers.

    Returns
    -------
    ndarray of shape (n,)

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.evaluation import pointwise_brier
    >>> pointwise_brier(np.array([[0.5, 0.5]]), np.array([0]))
    array([0.5])
    """
    vertices = one_hot(codes, p.shape[1])
    return np.asarray(((clip(p, min_proba) - vertices) ** 2).sum(axis=1))


def calibration_error(
    p: FloatArray,
    codes: Codes,
    *,
    sample_weight: FloatArray | None = None,
    n_bins: int = 10,
) -> float:
    r"""Return the mean distance between predicted and observed frequencies.

    .. math:: \frac1k \sum_j \sum_b \omega_{jb}\, |\bar p_{jb} - \bar y_{jb}|

    over bins b of equal size of the sorted probabilities of class j, with
    :math:`\omega` the share of weight in a bin. Rows with equal probabilities share
    their gap, so that their order does not matter. Noise alone makes it positive: with
    B bins and n rows a perfect model has up to about :math:`0.4\sqrt{B/n}`.

    Parameters
    ----------
    p : ndarray of shape (n, k)
        Predicted probabilities.
    codes : ndarray of int of shape (n,)
        Position of each row's class.
    sample_weight : ndarray of shape (n,), optional
        Weights of the rows.
    n_bins : int, default=10
        Bins for each class.

    Returns
    -------
    float
        A probability, in [0, 1].

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.evaluation import calibration_error
    >>> p = np.array([[0.5, 0.5], [0.5, 0.5]])
    >>> calibration_error(p, np.array([0, 1]), n_bins=1)
    0.0
    """
    weights = np.ones(len(p)) if sample_weight is None else sample_weight
    outcome = one_hot(codes, p.shape[1])
    errors = []
    for predicted, observed in zip(p.T, outcome.T, strict=True):
        gaps = weights * (predicted - shared_by_ties(predicted, observed, weights))
        bins = np.array_split(
            gaps[np.argsort(predicted, kind="stable")], min(n_bins, len(gaps))
        )
        errors.append(sum(abs(float(part.sum())) for part in bins) / weights.sum())
    return float(np.mean(errors))


def scores(
    p: FloatArray,
    codes: Codes,
    *,
    sample_weight: FloatArray | None = None,
    min_proba: float = 1e-3,
) -> dict[str, float]:
    """Return every metric of one model, by name.

    Parameters
    ----------
    p : ndarray of shape (n, k)
        Predicted probabilities.
    codes : ndarray of int of shape (n,)
        Position of each row's class.
    sample_weight : ndarray of shape (n,), optional
        Weights of the rows.
    min_proba : float, default=1e-3
        Floor of log-loss and Brier score.

    Returns
    -------
    dict
        ``log_loss`` (nats), ``brier``, ``auc`` (macro one-vs-rest for more than two
        classes, NaN where a class has no row), ``accuracy``, ``calibration_error``.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.evaluation import scores
    >>> scores(np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([0, 1]))["auc"]
    1.0
    """
    mean = {
        name: float(
            np.average(loss(p, codes, min_proba=min_proba), weights=sample_weight)
        )
        for name, loss in POINTWISE.items()
    }
    hits = p.argmax(axis=1) == codes
    return {
        **mean,
        "auc": _auc(p, codes, sample_weight),
        "accuracy": float(np.average(hits, weights=sample_weight)),
        "calibration_error": calibration_error(p, codes, sample_weight=sample_weight),
    }


def mean_scores(
    prediction: FloatArray,
    y: FloatArray,
    *,
    sample_weight: FloatArray | None = None,
) -> dict[str, float]:
    r"""Return every metric of predicted means, by name.

    .. math:: R^2 = 1 - \frac{\sum_i w_i (y_i - \hat\mu_i)^2}
       {\sum_i w_i (y_i - \bar y)^2}

    Parameters
    ----------
    prediction : ndarray of shape (n,)
        Predicted means.
    y : ndarray of shape (n,)
        Outcomes.
    sample_weight : ndarray of shape (n,), optional
        Weights of the rows.

    Returns
    -------
    dict
        ``squared_error`` and ``absolute_error``, means over rows, and ``r2``, at most
        1, negative for a model that is worse than the mean, NaN where all outcomes are
        equal.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.evaluation import mean_scores
    >>> mean_scores(np.array([1.0, 3.0]), np.array([1.0, 2.0]))["squared_error"]
    0.5
    """
    error = y - prediction
    squared = float(np.average(error**2, weights=sample_weight))
    center = np.average(y, weights=sample_weight)
    spread = float(np.average((y - center) ** 2, weights=sample_weight))
    return {
        "squared_error": squared,
        "absolute_error": float(np.average(np.abs(error), weights=sample_weight)),
        "r2": 1.0 - squared / spread if spread > 0 else float("nan"),
    }


# Metrics that are means over rows, which paired and crossed comparisons can judge.
POINTWISE: dict[str, Callable[..., FloatArray]] = {
    "log_loss": pointwise_log_loss,
    "brier": pointwise_brier,
}


def _auc(p: FloatArray, codes: Codes, weights: FloatArray | None) -> float:
    """Return the area under the ROC curve, averaged over classes against the rest."""
    if len(np.unique(codes)) < p.shape[1]:
        return float("nan")
    columns = range(1, 2) if p.shape[1] == 2 else range(p.shape[1])
    areas = [roc_auc_score(codes == j, p[:, j], sample_weight=weights) for j in columns]
    return float(np.mean(areas))
