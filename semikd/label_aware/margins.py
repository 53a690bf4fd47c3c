"""Margins by class while a student learns: shifts of its scores, no changed target."""

from abc import abstractmethod
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from semikd._validation import number
from semikd.corrections import ClassReliability, ConstantCorrection, Correction
from semikd.losses import DistillationLoss, with_shift
from semikd.simplex import FloatArray

__all__ = ["AdaptiveMargin", "LogitAdjustment", "ShiftingCorrection"]

# What stands for a class that is not believed at all.
_LEAST_BELIEVED = 1e-3


class ShiftingCorrection(Correction):
    """A constant mix whose student learns with shifted scores, see ``ShiftedLoss``.

    Examples
    --------
    >>> from semikd.label_aware import AdaptiveMargin
    >>> from semikd.label_aware.margins import ShiftingCorrection
    >>> isinstance(AdaptiveMargin(), ShiftingCorrection)
    True
    """

    needs_classes: ClassVar[bool] = True
    needs_folds: ClassVar[bool] = True
    weighs_noise: ClassVar[bool] = False

    outcome_share: float

    def require(
        self, loss: DistillationLoss, *, n_classes: int | None = None, X: Any = None
    ) -> None:
        """Refuse all but cross-entropy, whose scores can be shifted."""
        super().require(loss, n_classes=n_classes, X=X)
        with_shift(loss, (0.0, 0.0))

    @abstractmethod
    def shift(
        self,
        p: FloatArray,
        y: FloatArray,
        weights: FloatArray,
        X: Any,
        groups: NDArray[Any] | None,
    ) -> FloatArray:
        r"""Return :math:`\log\nu` of the classes, (k,), by labels and outcomes."""

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
        """Return the rule with the shift that these labels and outcomes ask for."""
        weights = np.ones(len(p)) if sample_weight is None else sample_weight
        shift = self.shift(p, y, weights, X, groups)
        return _Shifted(self.outcome_share, tuple((shift - shift.mean()).tolist()))

    def weight(
        self, p: FloatArray, X: Any, loss: DistillationLoss, complexity: float
    ) -> FloatArray:
        """Return the share of the outcome for each row."""
        return np.full(len(p), float(self.outcome_share))


@dataclass(frozen=True)
class _Shifted(ConstantCorrection):
    """A constant mix with a known shift."""

    shift: tuple[float, ...] = ()

    def logit_shift(self) -> FloatArray:
        """Return the shift of the scores, shape (k,)."""
        return np.array(self.shift)


@dataclass(frozen=True)
class AdaptiveMargin(ShiftingCorrection):
    r"""Classes that the teacher is unreliable in have to win by a larger margin.

    .. math:: \ell(f + \log\nu; \tau), \qquad \nu_j = \max(\epsilon, \alpha_j)

    with :math:`\alpha` the reliability of the class and :math:`\epsilon` = 0.001 (see
    `ShiftedLoss`; a ratio of such numbers is at most 1,000). A student that meets its
    targets says :math:`\hat p_j / \nu_j` up to a factor, even of a perfect teacher:
    it raises classes that are believed less. Equal numbers are plain distillation.

    Parameters
    ----------
    reliability : ClassReliability, optional
        How :math:`\alpha` is found, by default the mean probability that labels of
        folds give the class. The published form takes margins,
        ``ClassReliability("margin")``: where a class loses on average its margin is
        cut off at 0, and its odds are multiplied by up to 1,000.
    outcome_share : float, default=0.0
        Constant share of the outcome in the target, in [0, 1].

    Raises
    ------
    ValueError
        If the share is outside [0, 1].

    Notes
    -----
    The student has to minimise cross-entropy. Hard labels beside the target
    (``hard_weight``) are learned without the shift, as in the paper's form.

    References
    ----------
    .. [1] M. Lukasik, S. Bhojanapalli, A. K. Menon and S. Kumar, "Teacher's pet:
       understanding and mitigating biases in distillation", TMLR 2022, AdaMargin:
       reconstructed from descriptions of the paper, not from its text.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.label_aware import AdaptiveMargin
    >>> from semikd.losses import CrossEntropyLoss
    >>> p = np.array([[0.9, 0.1], [0.9, 0.1], [0.4, 0.6], [0.4, 0.6]])
    >>> y, fold = np.eye(2)[[0, 0, 1, 1]], np.array([0, 1, 0, 1])
    >>> rule = AdaptiveMargin().fit(p, y, X=p, loss=CrossEntropyLoss(), fold=fold)
    >>> np.exp(rule.logit_shift()).round(2)
    array([1.22, 0.82])
    """

    reliability: ClassReliability = field(
        default_factory=partial(ClassReliability, "probability")
    )
    outcome_share: float = 0.0

    def __post_init__(self) -> None:
        number("outcome_share", self.outcome_share, low=0.0, high=1.0)

    def __str__(self) -> str:
        return f"margins by how far classes are believed, {self.reliability}"

    def require(
        self, loss: DistillationLoss, *, n_classes: int | None = None, X: Any = None
    ) -> None:
        """Refuse all but cross-entropy, and a column that is not there."""
        super().require(loss, n_classes=n_classes, X=X)
        self.reliability.require(X)

    def shift(
        self,
        p: FloatArray,
        y: FloatArray,
        weights: FloatArray,
        X: Any,
        groups: NDArray[Any] | None,
    ) -> FloatArray:
        """Return how far each class is believed by all rows: one shift serves all."""
        one = np.zeros(len(p), dtype=np.intp)
        options = {"X": X, "sample_weight": weights, "groups": groups}
        found = self.reliability.estimate(p, y, fold=one, **options)
        mean = np.average(found, axis=0, weights=weights)
        return np.asarray(np.log(np.maximum(mean, _LEAST_BELIEVED)))


@dataclass(frozen=True)
class LogitAdjustment(ShiftingCorrection):
    r"""Scores are shifted by the logarithms of the shares of classes.

    .. math:: \ell(f + t \log\pi; \tau), \qquad \pi_j = \sum_i w_i y_{ij} / \sum_i w_i

    With ``outcome_share=1`` the teacher is out of it: the published baseline for long
    tails, a student without a teacher that answers for equally common classes. With 0
    it is distillation with the same adjustment. Hard labels beside the target
    (``hard_weight``) are learned without it.

    Parameters
    ----------
    strength : float, default=1.0
        t, at least 0; 0 changes nothing.
    outcome_share : float, default=0.0
        Constant share of the outcome in the target, in [0, 1].

    Raises
    ------
    ValueError
        If a number is out of its range.

    References
    ----------
    .. [1] A. K. Menon, S. Jayasumana, A. S. Rawat, H. Jain, A. Veit and S. Kumar,
       "Long-tail learning via logit adjustment", ICLR 2021, Section 4.2.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.label_aware import LogitAdjustment
    >>> from semikd.losses import CrossEntropyLoss
    >>> p, y = np.full((4, 2), 0.5), np.eye(2)[[0, 0, 0, 1]]
    >>> loss, fold = CrossEntropyLoss(), np.zeros(4, dtype=int)
    >>> rule = LogitAdjustment().fit(p, y, X=p, loss=loss, fold=fold)
    >>> np.exp(np.diff(rule.logit_shift())).round(3)
    array([0.333])
    """

    needs_folds: ClassVar[bool] = False

    strength: float = 1.0
    outcome_share: float = 0.0

    def __post_init__(self) -> None:
        number("strength", self.strength, low=0.0)
        number("outcome_share", self.outcome_share, low=0.0, high=1.0)

    def __str__(self) -> str:
        return f"logits adjusted for class shares, {self.strength:g}"

    def shift(
        self,
        p: FloatArray,
        y: FloatArray,
        weights: FloatArray,
        X: Any,
        groups: NDArray[Any] | None,
    ) -> FloatArray:
        """Return multiples of the logarithms of the shares of the classes."""
        mass = weights @ y
        # A class that is not among these rows counts as half of the rarest that is.
        mass = np.where(mass > 0.0, mass, mass[mass > 0.0].min() / 2.0)
        return np.asarray(self.strength * np.log(mass / mass.sum()))
