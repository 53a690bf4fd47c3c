"""How steady a teacher is, and what averaging more of its labels would gain."""

from typing import Any

import numpy as np

from semikd._validation import Shown, invalid
from semikd.crossfit import OutOfFold
from semikd.crossfit.learners import predict_outputs
from semikd.diagnostics.findings import Clusters, Finding, mean_finding
from semikd.evaluation import pointwise_log_loss
from semikd.simplex import FloatArray

__all__ = ["fold_spread", "spread"]


def spread(
    labels: FloatArray,
    outcome: FloatArray,
    weights: FloatArray,
    clusters: Clusters,
) -> Finding:
    r"""Return the variance of labels over repeats, and what averaging gains.

    .. math:: V = \frac1n \sum_i \sum_j \widehat{\mathrm{var}}_r(\hat p_{rij})

    The Brier score of a label averaged over R repeats is expected to be
    :math:`V / R` above that of one averaged without end.

    Parameters
    ----------
    labels : ndarray of shape (r, n, k)
        Labels of at least two repeats.
    outcome : ndarray of shape (n, k)
        Indicators of the classes.
    weights : ndarray of shape (n,)
        Weights of the rows.
    clusters : ndarray of int of shape (n,) or None
        Cluster of each row.

    Returns
    -------
    Finding
        The estimate is V. Details: ``spread``, the root mean square deviation of one
        probability; ``gained_nats``, the log-loss that averaging these repeats saves;
        ``left_brier``, V / r, what more repeats could save; ``left_share``, the same
        as a share of the Brier score of the averaged labels.

    Notes
    -----
    Repeats differ in their folds and seeds, not in the sample: V is the part of the
    teacher's variance that averaging removes, not all of it. There is no test, for
    nobody doubts that labels vary.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.diagnostics.spread import spread
    >>> labels = np.array([[[0.4, 0.6]] * 2, [[0.2, 0.8]] * 2])
    >>> round(spread(labels, np.eye(2), np.ones(2), None).estimate, 6)
    0.04
    """
    n_repeats, _, n_classes = labels.shape
    each = labels.var(axis=0, ddof=1).sum(axis=1)
    estimate, error, _ = mean_finding(each, weights, clusters)
    codes, mean = outcome.argmax(axis=1), labels.mean(axis=0)
    alone = np.mean([pointwise_log_loss(p, codes) for p in labels], axis=0)
    gained = np.average(alone - pointwise_log_loss(mean, codes), weights=weights)
    brier = np.average(((outcome - mean) ** 2).sum(axis=1), weights=weights)
    left = estimate / n_repeats
    return Finding(
        "variance",
        "Brier",
        estimate,
        error,
        float("nan"),
        {
            "spread": float(np.sqrt(estimate / n_classes)),
            "gained_nats": float(gained),
            "left_brier": left,
            "left_share": float(left / brier) if brier > 0 else 0.0,
        },
    )


def fold_spread(labels: OutOfFold, unseen: Any) -> dict[str, float]:
    """Return how far fold teachers differ on rows that none of them saw.

    Parameters
    ----------
    labels : OutOfFold
        A record that kept its fold teachers.
    unseen : array-like of shape (m, d)
        Rows that no teacher learned from.

    Returns
    -------
    dict
        ``fold_variance``, summed over classes and averaged over rows and repeats;
        ``fold_spread``, its root for one probability; ``fold_gain_brier``, what the
        mean of the K teachers is better than one of them.

    Raises
    ------
    ValueError
        If the record has no two teachers that differ in their rows.

    Notes
    -----
    Fold teachers share most of their rows, so that teachers of independent samples
    differ more than these do.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from semikd import cross_fit
    >>> from semikd.diagnostics.spread import fold_spread
    >>> X = np.arange(20.0)[:, None]
    >>> labels = cross_fit(GaussianNB(), X, np.arange(20) % 2, random_state=0)
    >>> sorted(fold_spread(labels, X + 0.5))
    ['fold_gain_brier', 'fold_spread', 'fold_variance']
    """
    if not labels.teachers or min(len(repeat) for repeat in labels.teachers) < 2:
        constraint = "have kept at least two fold teachers, to judge unseen rows"
        remedy = "Cross-fit with an integer cv and new_rows='mean'"
        raise invalid("labels", constraint, Shown(labels.strategy), remedy)
    found, gains = [], []
    for repeat in labels.teachers:
        said = [predict_outputs(model, unseen, labels.classes)[0] for model in repeat]
        found.append(np.var(said, axis=0, ddof=1).sum(axis=1).mean())
        gains.append(found[-1] * (1.0 - 1.0 / len(repeat)))
    variance = float(np.mean(found))
    return {
        "fold_variance": variance,
        "fold_spread": float(np.sqrt(variance / labels.prediction.shape[2])),
        "fold_gain_brier": float(np.mean(gains)),
    }
