r"""Parts of what a teacher knows: of classes alone, or of the row's difficulty alone.

What a student is told in place of the teacher's answer may use the row's own class t:
a table says how like it the other classes are, or the answer's :math:`\hat p_t` says
how hard the row is. Differences between students of such targets show which part of a
teacher's knowledge they need.
"""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from semikd._validation import Shown, invalid, number
from semikd.label_aware.base import LabelAwareCorrection
from semikd.label_aware.tables import probability_table
from semikd.losses import DistillationLoss
from semikd.simplex import FloatArray

__all__ = [
    "ClassTable",
    "ConfidenceTarget",
    "LabelAwareTarget",
]


class LabelAwareTarget(LabelAwareCorrection):
    r"""A rule that says which probabilities stand for the answer of a row.

    .. math:: \tau_i = \varphi\bigl((1 - s)\,\rho(\hat p_i, y_i) + s\,y_i\bigr)

    A member states :math:`\rho`, and has s as ``outcome_share``.

    Examples
    --------
    >>> from semikd.label_aware import ConfidenceTarget, LabelAwareTarget
    >>> isinstance(ConfidenceTarget(), LabelAwareTarget)
    True
    """

    needs_classes: ClassVar[bool] = True
    needs_folds: ClassVar[bool] = False
    outcome_share: float = 0.0

    def require(
        self, loss: DistillationLoss, *, n_classes: int | None = None, X: Any = None
    ) -> None:
        """Refuse numbers, and a table of other classes."""
        super().require(loss, n_classes=n_classes, X=X)
        table = getattr(self, "table", None)
        if table is not None and n_classes is not None:
            _of_classes(table, n_classes)

    @abstractmethod
    def stand_in(self, p: FloatArray, y: FloatArray) -> FloatArray:
        r"""Return :math:`\rho`, shape (n, k), rows of sum 1."""

    def label_weight(self, p: FloatArray, y: FloatArray) -> FloatArray:
        """Return the share of the outcome for each row and class."""
        return np.full(p.shape, float(self.outcome_share))

    def target(
        self,
        p: FloatArray,
        y: FloatArray,
        *,
        loss: DistillationLoss,
        complexity: float,
        X: Any = None,
    ) -> FloatArray:
        """Return what stands for the answer, on the scale of the loss, (n, m)."""
        share = float(self.outcome_share)
        told = (1.0 - share) * self.stand_in(p, y) + share * y
        # A row without a label stays without one.
        known = np.isfinite(p).all(axis=1, keepdims=True)
        return np.asarray(loss.phi(np.where(known, told, np.nan)))


@dataclass(frozen=True)
class ClassTable(LabelAwareTarget):
    r"""A row of a table for each class: :math:`\rho = S_{t\cdot}`, whatever the row is.

    Knowledge of classes without knowledge of rows. Where the scale is linear (the
    probability, cross-entropy at T = 1) the mean target of a perfect teacher is
    :math:`p_0 S` and not :math:`p_0`: a table that blurs classes blurs answers; and the
    identity is training on the labels. Its weight of labels counts ``outcome_share``
    alone, although the table is looked up by the label.

    Parameters
    ----------
    table : array of shape (k, k)
        Probabilities, rows of sum 1; see `similarity_table` and `hierarchy_table`.
    outcome_share : float, default=0.0
        s, the share of the outcome beside it, in [0, 1].

    Raises
    ------
    ValueError
        If rows of the table are no probabilities, or there are other classes.

    References
    ----------
    .. [1] J. Tang et al., "Understanding and Improving Knowledge Distillation", 2020,
       KD-sim and KD-rel: reconstructed from descriptions of the paper.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.label_aware import ClassTable
    >>> rule = ClassTable([[0.8, 0.2], [0.1, 0.9]])
    >>> rule.stand_in(np.full((2, 2), 0.5), np.eye(2)[[1, 0]])
    array([[0.1, 0.9],
           [0.8, 0.2]])
    """

    table: ArrayLike
    outcome_share: float = 0.0

    def __post_init__(self) -> None:
        number("outcome_share", self.outcome_share, low=0.0, high=1.0)
        object.__setattr__(self, "table", _kept(self.table))

    def __str__(self) -> str:
        return "targets of classes"

    def stand_in(self, p: FloatArray, y: FloatArray) -> FloatArray:
        """Return the row of the table for each row's class."""
        return np.asarray(y @ _of_classes(self.table, p.shape[1]))


@dataclass(frozen=True)
class ConfidenceTarget(LabelAwareTarget):
    r"""The teacher's confidence in the row's own class, and nothing else of the row.

    .. math:: \rho_t = \hat p_t, \qquad
       \rho_j = (1 - \hat p_t)\,\frac{S_{tj}}{\sum_{l \ne t} S_{tl}} \quad (j \ne t)

    Without a table the other classes share alike. Of two classes it is the answer
    itself. Where the scale is linear the mean target of class j of a perfect teacher is
    :math:`p_{0j}^2 + \sum_{l \ne j} p_{0l} (1 - p_{0l}) S_{lj} / \sum_{i \ne l}
    S_{li}`. Without a table that moves towards the uniform, so that two classes which
    are both rare may change places; with one it may move anywhere.

    Parameters
    ----------
    table : array of shape (k, k), optional
        How the other classes share what is left, for each own class.
    outcome_share : float, default=0.0
        s, the share of the outcome beside it, in [0, 1].

    Raises
    ------
    ValueError
        If rows of the table are no probabilities, or there are other classes.

    References
    ----------
    .. [1] J. Tang et al., "Understanding and Improving Knowledge Distillation", 2020,
       KD-pt, and with a table KD-pt+sim: reconstructed from descriptions of the paper.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.label_aware import ConfidenceTarget
    >>> p, y = np.array([[0.6, 0.3, 0.1]]), np.array([[1.0, 0.0, 0.0]])
    >>> ConfidenceTarget().stand_in(p, y).round(2)
    array([[0.6, 0.2, 0.2]])
    """

    table: ArrayLike | None = None
    outcome_share: float = 0.0

    def __post_init__(self) -> None:
        number("outcome_share", self.outcome_share, low=0.0, high=1.0)
        if self.table is not None:
            object.__setattr__(self, "table", _kept(self.table))

    def __str__(self) -> str:
        return "confidence in the own class"

    def stand_in(self, p: FloatArray, y: FloatArray) -> FloatArray:
        """Return the confidence in the own class, and the rest shared out."""
        k = p.shape[1]
        table = np.ones((k, k)) if self.table is None else self.table
        alike = (y @ _of_classes(table, k)) * (1.0 - y)
        total = alike.sum(axis=1, keepdims=True)
        even = (1.0 - y) / (k - 1)
        share = np.divide(alike, total, out=even, where=total > 0)
        own = (p * y).sum(axis=1, keepdims=True)
        return np.asarray(own * y + (1.0 - own) * share)


def _kept(table: ArrayLike) -> tuple[tuple[float, ...], ...]:
    """Return a checked table as plain numbers, which are compared and hashed."""
    rows = probability_table("table", table).tolist()
    return tuple(tuple(row) for row in rows)


def _of_classes(table: Any, k: int) -> FloatArray:
    """Return a table, refused where there are other classes."""
    found = np.asarray(table, dtype=np.float64)
    if len(found) != k:
        shown = Shown(f"{len(found)} classes where there are {k}")
        raise invalid("table", "have a row for each class", shown)
    return found
