"""Outcomes weigh where the answer is a class that the teacher is unreliable in."""

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from semikd._validation import Shown, invalid
from semikd.corrections.base import Correction, UnfittedCorrection
from semikd.corrections.reliability import ClassReliability
from semikd.losses import DistillationLoss
from semikd.simplex import FloatArray

__all__ = ["ByReliability", "ReliabilityCorrection", "check_fitted_rows"]


class ByReliability(UnfittedCorrection):
    """A rule by how far the teacher is to be believed in each class.

    A member states what the rule is once that is known.

    Examples
    --------
    >>> from semikd.corrections import ReliabilityCorrection
    >>> from semikd.corrections.by_reliability import ByReliability
    >>> isinstance(ReliabilityCorrection(), ByReliability)
    True
    """

    needs_classes: ClassVar[bool] = True
    weighs_noise: ClassVar[bool] = False

    reliability: ClassReliability

    @abstractmethod
    def believing(self, alpha: FloatArray) -> Correction:
        """Return the rule for rows whose reliabilities (n, k) are known."""

    def require(
        self, loss: DistillationLoss, *, n_classes: int | None = None, X: Any = None
    ) -> None:
        """Refuse numbers, and a column that is not there."""
        super().require(loss, n_classes=n_classes, X=X)
        self.reliability.require(X)

    def fit(
        self,
        p: FloatArray,
        y: FloatArray,
        *,
        X: Any,
        loss: DistillationLoss,
        fold: NDArray[np.intp],
        sample_weight: FloatArray | None = None,
        groups: NDArray[Any] | None = None,
    ) -> Correction:
        """Return the rule for these rows, by what other folds say of classes."""
        options = {"X": X, "sample_weight": sample_weight, "groups": groups}
        return self.believing(self.reliability.estimate(p, y, fold=fold, **options))


@dataclass(frozen=True)
class ReliabilityCorrection(ByReliability):
    r"""Outcomes count where the teacher says classes that it is unreliable in.

    .. math:: \Lambda(x) = \sum_j \hat p_j(x)\,(1 - \alpha_j)

    What `AdaptiveAlpha` gives an average row of that answer, without looking at the
    row's own label: a perfect teacher stays unbiased, since the weight is of x alone.

    Parameters
    ----------
    reliability : ClassReliability, optional
        How :math:`\alpha` is found, by default by margins.

    Raises
    ------
    ValueError
        If it is asked for weights before ``fit``.

    References
    ----------
    .. [1] M. Lukasik et al., "Teacher's pet", TMLR 2022, for the reliability of
       classes; a weight of x alone is this library's.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.corrections import ClassReliability, ReliabilityCorrection
    >>> from semikd.losses import ProbabilityLoss
    >>> p = np.array([[0.9, 0.1], [0.8, 0.2], [0.6, 0.4], [0.3, 0.7]])
    >>> y, fold = np.eye(2)[[0, 0, 1, 1]], np.array([0, 1, 0, 1])
    >>> rule = ReliabilityCorrection(ClassReliability(shrink=False))
    >>> fitted = rule.fit(p, y, X=p, loss=ProbabilityLoss(), fold=fold)
    >>> fitted.weight(p, p, ProbabilityLoss(), complexity=1.0).round(2)
    array([0.42, 0.36, 0.48, 0.76])
    """

    reliability: ClassReliability = field(default_factory=ClassReliability)

    def __str__(self) -> str:
        return f"outcomes where classes are unreliable {self.reliability}"

    def believing(self, alpha: FloatArray) -> Correction:
        """Return the rule for rows whose reliabilities (n, k) are known."""
        return _Believed(alpha)


@dataclass(frozen=True, eq=False)
class _Believed(Correction):
    """The rule for rows whose reliabilities (n, k) are known."""

    weighs_noise: ClassVar[bool] = False

    alpha: FloatArray

    def take(self, rows: NDArray[np.intp]) -> "_Believed":
        """Return the rule for some of its rows."""
        return _Believed(self.alpha[rows])

    def weight(
        self, p: FloatArray, X: Any, loss: DistillationLoss, complexity: float
    ) -> FloatArray:
        """Return what outcomes count in each row."""
        check_fitted_rows(p, self.alpha)
        return np.asarray((p * (1.0 - self.alpha)).sum(axis=1))


def check_fitted_rows(p: FloatArray, alpha: FloatArray) -> None:
    """Refuse other rows than those that reliabilities were estimated for."""
    if len(p) != len(alpha):
        shown = Shown(f"{len(p)} rows")
        raise invalid("p", f"be those of the {len(alpha)} fitted rows", shown)
