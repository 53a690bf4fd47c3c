"""By what a search chooses: a loss of single rows, or any scorer of scikit-learn.

Standard errors and the bootstrap need a loss for every row. A score of many rows, such
as the AUC, has none. It gets one whose mean is the score and whose spread is that of
the score: by its influence, which is known of the AUC, or by leaving rows out block by
block.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import get_scorer, get_scorer_names

from semikd._random import generator
from semikd._validation import invalid
from semikd.evaluation.tables import Table
from semikd.evaluation.tasks import Classification, Pointwise, Task
from semikd.inference import auc_influence
from semikd.simplex import FloatArray

__all__ = ["row_losses"]

_BLOCKS = 50
_AREAS = ("roc_auc", "roc_auc_ovr")
Metric = str | Callable[..., float] | None


def row_losses(metric: Metric, task: Task) -> Pointwise:
    r"""Return the loss of single rows by which students are judged.

    For a scorer s the loss of row i, of block b(i) of B, is

    .. math:: \ell_i = -s - \sqrt{u}\,(B - 1)
       \bigl(\bar s_{(\cdot)} - s_{(-b(i))}\bigr)

    with :math:`s_{(-b)}` the score without block b and u the units of a block (rows, or
    copies and groups, which stay in one block). Its mean is -s for blocks of one size,
    and its spread gives the mean the jackknife's standard error. Of an AUC ('roc_auc',
    and 'roc_auc_ovr' for several classes) it is :math:`\ell_i = -A - h_i` with the
    influence h of :func:`~semikd.inference.auc_influence`: DeLong's standard error, for
    two sorts instead of 51 scores.

    Parameters
    ----------
    metric : str, callable or None
        A loss that the task knows; the name of a scorer of scikit-learn, or a scorer
        ``(estimator, X, y) -> float``, greater being better; None is the task's own.
    task : Task
        What is predicted.

    Returns
    -------
    callable
        From predictions of shape (n, m) and their ``Table`` to losses of shape (n,).

    Raises
    ------
    ValueError, TypeError
        If the metric is none of these.

    Notes
    -----
    Where a student needs a proper score, an AUC chooses one that ranks well and may say
    probabilities that are off. With fewer than 50 units each is a block.

    References
    ----------
    .. [1] B. Efron and C. Stein, "The jackknife estimate of variance", Annals of
       Statistics 9, 1981, Section 1.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.evaluation import Classification, Table
    >>> from semikd.selection.scoring import row_losses
    >>> table = Table(np.arange(4.0)[:, None], np.array([0, 1, 0, 1]), None, None)
    >>> p = np.array([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6], [0.3, 0.7]])
    >>> float(row_losses("accuracy", Classification())(p, table).mean())
    -0.75
    """
    scorers = isinstance(task, Classification)
    if metric is None or (isinstance(metric, str) and metric in task.losses()):
        return task.loss(metric)
    if isinstance(metric, str) and scorers and metric in get_scorer_names():
        blocks = _Blocks(get_scorer(metric), metric)
        return partial(_area, metric, blocks) if metric in _AREAS else blocks
    if callable(metric) and scorers:
        return _Blocks(metric, getattr(metric, "__name__", str(metric)))
    known = " or ".join(map(repr, task.losses()))
    also = ", or a scorer of scikit-learn or its name" if scorers else ""
    raise invalid("metric", f"be {known}{also}", metric)


def _area(name: str, otherwise: Pointwise, p: FloatArray, table: Table) -> FloatArray:
    """Return losses by the influence on an AUC; where there is none, what says so."""
    k = p.shape[1]
    present = np.ones(len(p), bool) if table.weights is None else table.weights > 0
    if len(np.unique(table.codes[present])) < k or (k > 2 and name == "roc_auc"):
        return np.asarray(otherwise(p, table))
    found = [
        auc_influence(table.codes == c, p[:, c], sample_weight=table.weights)
        for c in (range(k) if k > 2 else [1])
    ]
    area, influence = (np.mean(each, axis=0) for each in zip(*found, strict=True))
    if table.weights is not None:
        # Means of losses are weighted, those of influence are not.
        share = table.weights / table.weights.mean()
        influence = influence / np.where(present, share, 1.0)
    return np.asarray(-area - influence)


class _Blocks:
    """A scorer as a loss of single rows."""

    def __init__(self, scorer: Callable[..., float], name: str) -> None:
        self.scorer, self.name = scorer, name

    def __call__(self, p: FloatArray, table: Table) -> FloatArray:
        """Return the losses of rows, shape (n,)."""
        units = np.unique(table.rows().units, return_inverse=True)[1]
        n_units = int(units.max()) + 1
        block = self._blocks(units, n_units, table)
        n_blocks = int(block.max()) + 1
        score = self._score(p, table)
        if n_blocks < 2:
            return np.full(len(p), -score)
        rows = [np.flatnonzero(block != b) for b in range(n_blocks)]
        without = np.array([self._score(p[each], table.take(each)) for each in rows])
        spread = np.sqrt(n_units / n_blocks) * (n_blocks - 1)
        moved = spread * (without - without.mean())[block]
        weights = table.weights
        return np.asarray(-score + moved - np.average(moved, weights=weights))

    def _blocks(
        self, units: NDArray[np.intp], n_units: int, table: Table
    ) -> NDArray[np.intp]:
        """Return the block of each row; every class is spread over the blocks."""
        first = np.unique(units, return_index=True)[1]
        shuffled = generator(0).permutation(n_units)
        order = shuffled[np.argsort(table.codes[first][shuffled], kind="stable")]
        block = np.empty(n_units, dtype=np.intp)
        block[order] = np.arange(n_units) % min(_BLOCKS, n_units)
        return block[units]

    def _score(self, p: FloatArray, table: Table) -> float:
        """Return the score of all these rows."""
        given = {} if table.weights is None else {"sample_weight": table.weights}
        advice = "Fewer folds may help, or a loss of single rows such as 'log_loss'."
        try:
            said = _Said(table.classes, p)
            score = float(self.scorer(said, table.features, table.y, **given))
        except (TypeError, ValueError) as error:
            what = f"metric={self.name!r} cannot score {len(p)} rows that judge"
            raise ValueError(f"{what}: {error}. {advice}") from error
        if not np.isfinite(score):
            what = f"metric={self.name!r} says {score} of {len(p)} rows that judge"
            raise ValueError(f"{what}. {advice}")
        return score


class _Said(ClassifierMixin, BaseEstimator):
    """What scorers ask as if it were a classifier: the answers are there already."""

    def __init__(self, classes: Any = None, p: FloatArray | None = None) -> None:
        self.classes, self.p = classes, p
        self.classes_ = classes

    def predict_proba(self, X: Any) -> FloatArray:
        """Return the probabilities."""
        return np.asarray(self.p)

    def decision_function(self, X: Any) -> FloatArray:
        """Return how far the second class is ahead, or all probabilities if several."""
        p = self.predict_proba(X)
        return np.asarray(p[:, 1] - p[:, 0] if p.shape[1] == 2 else p)

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most likely classes."""
        return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])
