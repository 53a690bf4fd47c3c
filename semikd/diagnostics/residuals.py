"""Learners that look for signal in what a teacher leaves, fitted on other rows.

Notes
-----
Residuals are those of recalibrated labels, so that miscalibration is not mistaken for
signal; for what the two kinds of predictions are good, see `left_over`.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier

from semikd._random import spawn_seeds
from semikd._tables import reads_plainly
from semikd._validation import Shown, invalid, wrong_type
from semikd.crossfit import fit_learner, seeded_clone, take_rows
from semikd.crossfit.folds import integer_folds
from semikd.crossfit.learners import check_instance, predict_outputs
from semikd.diagnostics.rows import JudgedRows
from semikd.evaluation.recalibration import (
    fit_recalibration,
    recalibrated,
)
from semikd.simplex import FloatArray, center

__all__ = ["Predicted", "default_learner", "predict_residuals"]

N_BLOCKS = 5


@dataclass(frozen=True, eq=False)
class Predicted:
    """Predictions of the residuals by learners that did not see them.

    Parameters
    ----------
    block : ndarray of int of shape (n,)
        Block of each row.
    ahead : ndarray of shape (n, k)
        By the learner of the earlier blocks; zero in the first.
    crossed : ndarray of shape (n, k)
        By the learner of all other blocks.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.diagnostics.residuals import Predicted
    >>> Predicted(np.array([0, 1]), np.zeros((2, 2)), np.zeros((2, 2))).block
    array([0, 1])
    """

    block: NDArray[np.intp]
    ahead: FloatArray
    crossed: FloatArray


def default_learner() -> Any:
    """Return the learner that looks for signal: short, strongly regularised boosting.

    Fifty rounds of trees of seven leaves, without early stopping: a signal of 2 % is
    not seen by a tenth of the rows, which would stop it.

    Returns
    -------
    HistGradientBoostingRegressor

    Examples
    --------
    >>> from semikd.diagnostics.residuals import default_learner
    >>> default_learner().max_iter
    50
    """
    # Imported here, since a learner that is given needs no boosting.
    from sklearn.ensemble import HistGradientBoostingRegressor

    return HistGradientBoostingRegressor(
        max_iter=50,
        learning_rate=0.05,
        max_leaf_nodes=7,
        l2_regularization=5.0,
        early_stopping=False,
    )


def predict_residuals(rows: JudgedRows, learner: Any, seed: int) -> Predicted:
    """Fit a learner to residuals, progressively and crosswise.

    Parameters
    ----------
    rows : JudgedRows
        What is judged.
    learner : regressor or None
        It is cloned; None is `default_learner`.
    seed : int
        Seed of blocks and learners.

    Returns
    -------
    Predicted

    Raises
    ------
    TypeError
        If the learner is no regressor.
    ValueError
        If X holds text and no learner is given.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import Ridge
    >>> from semikd.crossfit import row_hashes
    >>> from semikd.diagnostics.residuals import predict_residuals
    >>> from semikd.diagnostics.rows import JudgedRows
    >>> X, codes = np.arange(20.0)[:, None], np.arange(20) % 2
    >>> p, hashes = np.full((1, 20, 2), 0.5), row_hashes(X)
    >>> rows = JudgedRows(X, codes, ("a", "b"), p, None, None, None, None, hashes)
    >>> predict_residuals(rows, Ridge(), 0).ahead.shape
    (20, 2)
    """
    model = _checked_learner(learner, rows.X)
    block_seed, *seeds = spawn_seeds(seed, 2 * N_BLOCKS)
    folds = integer_folds(N_BLOCKS, rows.units(), n_repeats=1, random_state=block_seed)
    block = np.zeros(len(rows.codes), dtype=np.intp)
    for t, fold in enumerate(folds[0]):
        block[fold.test] = t
    logs = np.log(rows.mean)
    ahead, crossed = np.zeros(logs.shape), np.zeros(logs.shape)
    for t in range(len(folds[0])):
        now = np.flatnonzero(block == t)
        pair = (np.flatnonzero(block < t), np.flatnonzero(block != t))
        for k, (table, past) in enumerate(zip((ahead, crossed), pair, strict=True)):
            if len(past):
                table[now] = _predict(
                    rows, logs, model, past, now, seeds[2 * t + k - 1]
                )
    return Predicted(block, ahead, crossed)


def _predict(
    rows: JudgedRows,
    logs: FloatArray,
    learner: Any,
    past: NDArray[np.intp],
    now: NDArray[np.intp],
    seed: int,
) -> FloatArray:
    """Return predictions for some rows by learners of others, shape (n_now, k)."""
    outcome, weights = rows.outcome[past], rows.weights[past]
    # Recalibrated on the rows that teach, so that no other outcome is looked at.
    theta = fit_recalibration(logs[past], outcome, weights)
    residual = outcome - recalibrated(logs[past], theta)
    own = None if rows.sample_weight is None else weights
    X, X_now = take_rows(rows.X, past), take_rows(rows.X, now)
    n_classes = residual.shape[1]
    said = np.zeros((len(now), n_classes))
    # Two columns mirror each other: one learner serves both.
    for column in range(1 if n_classes == 2 else 0, n_classes):
        model = fit_learner(seeded_clone(learner, seed), X, residual[:, column], own)
        said[:, column] = predict_outputs(model, X_now, None)[0][:, 0]
    if n_classes == 2:
        said[:, 0] = -said[:, 1]
    return np.asarray(center(said))


def _checked_learner(learner: Any, X: Any) -> Any:
    """Return the learner, or the default where X is a table that it can read."""
    if learner is None:
        if not reads_plainly(X):
            shown = Shown("None for an X that holds text, dates or gaps, or is sparse")
            remedy = "Pass a regressor that reads it, such as a Pipeline"
            raise invalid("learner", "be given", shown, remedy)
        return default_learner()
    check_instance(learner, "learner")
    if is_classifier(learner) or not hasattr(learner, "predict"):
        shown = Shown(type(learner).__name__)
        raise wrong_type("learner", "be a regressor, for residuals", shown)
    return learner
