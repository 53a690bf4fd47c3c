"""From scores to answers, so that sign, class and probability cannot disagree."""

import numpy as np

from semikd.crossfit.rows import Indices
from semikd.losses import DistillationLoss
from semikd.simplex import FloatArray

__all__ = ["chosen", "decisions", "log_probabilities"]


def decisions(loss: DistillationLoss, scores: FloatArray) -> FloatArray:
    """Return the scores; for two classes one number, positive for the second, (n,)."""
    if scores.shape[1] == 1:
        return scores[:, 0] - loss.even
    if scores.shape[1] == 2:
        # A scale that is not centred keeps two scores for two classes.
        return np.asarray(scores[:, 1] - scores[:, 0])
    return scores


def chosen(decision: FloatArray) -> Indices:
    """Return the position of the class that each row's decision names, shape (n,)."""
    if decision.ndim == 1:
        return (decision > 0).astype(np.intp)
    return np.asarray(decision.argmax(axis=1))


def log_probabilities(p: FloatArray) -> FloatArray:
    """Return log p, -inf at zero, without numpy's warning."""
    log_p = np.full_like(p, -np.inf)
    return np.asarray(np.log(p, out=log_p, where=p > 0))
