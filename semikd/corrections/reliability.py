"""How far a teacher is to be believed, class by class."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semikd._validation import choose, number, wrong_type
from semikd.corrections._class_means import class_means
from semikd.corrections._columns import codes
from semikd.simplex import FloatArray

__all__ = ["ClassReliability", "margins"]

# Below it a logarithm says more of the floor than of the teacher.
_LEAST = 1e-12


def margins(p: FloatArray, y: FloatArray) -> FloatArray:
    r"""Return by how much the row's own class wins or loses, shape (n,).

    .. math:: \gamma_i = p_{y_i} - \max_{j \ne y_i} p_j

    Parameters
    ----------
    p : ndarray of shape (n, k)
        Probabilities.
    y : ndarray of shape (n, k)
        One-hot labels.

    Returns
    -------
    ndarray of shape (n,)
        In [-1, 1]; positive where the most likely class is the right one.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.corrections import margins
    >>> margins(np.array([[0.7, 0.2, 0.1]]), np.array([[0.0, 1.0, 0.0]]))
    array([-0.5])
    """
    own, other = _own_and_best_other(p, y)
    return own - other


def _log_margins(p: FloatArray, y: FloatArray) -> FloatArray:
    """Return the margins of logarithms."""
    own, other = (np.maximum(part, _LEAST) for part in _own_and_best_other(p, y))
    return np.asarray(np.log(own / other))


def _own_and_best_other(p: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the probability of the row's class, and the largest of the others."""
    return (p * y).sum(axis=1), np.where(y > 0.5, -np.inf, p).max(axis=1)


# What is averaged over the rows of a class, and what turns the mean into [.., 1].
_MEASURES: Mapping[str, tuple[Callable[..., FloatArray], Callable[..., FloatArray]]] = {
    "margin": (margins, np.asarray),
    # Of two classes the margin of equal rows is tanh of half their log-odds.
    "log_margin": (_log_margins, lambda mean: np.tanh(mean / 2.0)),
    "probability": (lambda p, y: (p * y).sum(axis=1), np.asarray),
    "accuracy": (lambda p, y: (margins(p, y) > 0.0).astype(np.float64), np.asarray),
}


@dataclass(frozen=True)
class ClassReliability:
    r"""How far a teacher is to be believed in each class, by labels it did not see.

    .. math:: \alpha_j = \min\bigl(\text{cap}, \max(\text{floor},
       \bar\gamma_j)\bigr), \qquad \bar\gamma_j = \frac{\sum_{i: y_i = j} w_i
       \gamma(p_i, y_i)}{\sum_{i: y_i = j} w_i}

    With in-sample labels of a teacher that interpolates all margins are near 1 and this
    says nothing: use labels of folds. Means of a fold's rows come from the others.

    Parameters
    ----------
    measure : {'margin', 'log_margin', 'probability', 'accuracy'}, default='margin'
        :math:`\gamma`: the margin of the row's class over the best other one, its
        logarithm (of whose mean tanh(·/2) is taken, which for two classes is the
        margin's own scale), the probability of the class, or whether it is the most
        likely one.
    floor, cap : float, default=0.0 and 1.0
        Bounds of :math:`\alpha`, in [0, 1].
    shrink : bool, default=True
        Whether the mean of a class is drawn towards that of all classes,
        :math:`\bar\gamma + \tau^2 / (\tau^2 + s^2 / n_j)\,(\bar\gamma_j -
        \bar\gamma)`, with :math:`s^2` the variance within classes, :math:`\tau^2` that
        between them by the method of moments, and :math:`n_j` effective rows (or
        groups). The mean of five rows is mostly chance.
    group_by : str or int, optional
        Name or position of a column of X: each class is then taken apart by its values.

    Raises
    ------
    ValueError
        If a name is unknown or a bound is outside [0, 1].

    References
    ----------
    .. [1] M. Lukasik et al., "Teacher's pet: understanding and mitigating biases in
       distillation", TMLR 2022: reconstructed from descriptions of the paper. Labels of
       folds, shrinkage and measures other than the margin are this library's.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.corrections import ClassReliability
    >>> p = np.array([[0.9, 0.1], [0.8, 0.2], [0.6, 0.4], [0.3, 0.7]])
    >>> y, fold = np.eye(2)[[0, 0, 1, 1]], np.array([0, 1, 0, 1])
    >>> ClassReliability(shrink=False).estimate(p, y, fold=fold).round(2)
    array([[0.6, 0.4],
           [0.8, 0. ],
           [0.6, 0.4],
           [0.8, 0. ]])
    """

    measure: str = "margin"
    floor: float = 0.0
    cap: float = 1.0
    shrink: bool = True
    group_by: str | int | None = None

    def __post_init__(self) -> None:
        choose("measure", self.measure, _MEASURES)
        if not isinstance(self.shrink, bool | np.bool_):
            raise wrong_type("shrink", "be True or False", self.shrink)
        number("floor", self.floor, low=0.0, high=1.0)
        number("cap", self.cap, low=float(self.floor), high=1.0)

    def __str__(self) -> str:
        said = f"by {self.measure}"
        if (self.floor, self.cap) != (0.0, 1.0):
            said += f" in {self.floor:g} to {self.cap:g}"
        said += "" if self.shrink else ", not shrunk"
        where = "" if self.group_by is None else f", within {self.group_by!r}"
        return said + where

    def require(self, X: Any) -> None:
        """Refuse a table without the column that ``group_by`` names.

        Parameters
        ----------
        X : array-like of shape (n, d) or None
            The table; nothing is refused before it is known.

        Raises
        ------
        ValueError
            If there is no such column.
        """
        if self.group_by is not None and X is not None:
            codes(X, self.group_by)

    def estimate(
        self,
        p: FloatArray,
        y: FloatArray,
        *,
        fold: NDArray[np.intp],
        X: Any = None,
        sample_weight: FloatArray | None = None,
        groups: NDArray[Any] | None = None,
    ) -> FloatArray:
        r"""Return :math:`\alpha` of every class for each row, shape (n, k).

        Parameters
        ----------
        p : ndarray of shape (n, k)
            Labels of teachers that did not see the row; NaN where a row has none.
        y : ndarray of shape (n, k)
            One-hot labels.
        fold : ndarray of int of shape (n,)
            Fold of each row: what is said of it comes from other folds, or from all
            rows where there is one fold only.
        X : array-like of shape (n, d), optional
            The table, where ``group_by`` names a column of it.
        sample_weight : ndarray of shape (n,), optional
            Weights of the rows.
        groups : ndarray of shape (n,), optional
            Group of each row: rows of one are one unit of evidence.

        Returns
        -------
        ndarray of shape (n, k)
            A class without rows has the mean of the classes' means.
        """
        pointwise, scaled = _MEASURES[self.measure]
        known = np.isfinite(p).all(axis=1)
        values = np.full(len(p), np.nan)
        values[known] = pointwise(p[known], y[known])
        cell = np.zeros(len(p), np.intp)
        if self.group_by is not None:
            cell = codes(X, self.group_by)
        _, own_fold = np.unique(fold, return_inverse=True)
        means = class_means(
            values,
            y.argmax(axis=1) + y.shape[1] * cell,
            n_classes=y.shape[1] * (int(cell.max()) + 1),
            fold=own_fold,
            weights=sample_weight,
            groups=groups,
            shrink=self.shrink,
        )
        own = y.shape[1] * cell[:, None] + np.arange(y.shape[1])
        found = means[own_fold[:, None], own]
        return np.clip(scaled(found), self.floor, self.cap)
