"""A weight of the outcome for each class: its own label says how far it is believed."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from semikd.corrections import ClassReliability, Correction
from semikd.corrections.by_reliability import ByReliability, check_fitted_rows
from semikd.label_aware.base import LabelAwareCorrection
from semikd.simplex import FloatArray

__all__ = ["AdaptiveAlpha"]


@dataclass(frozen=True)
class AdaptiveAlpha(ByReliability, LabelAwareCorrection):
    r"""The teacher counts less for rows of classes that it is unreliable in.

    .. math:: \tau_i = \varphi(\hat p_i) + (1 - \alpha_{y_i})\,
       J_\varphi(\hat p_i)(y_i - \hat p_i)

    which on probabilities is :math:`(1 - \alpha_{y_i})\,y_i + \alpha_{y_i} \hat p_i`.
    With a perfect teacher the mean target of class j is off by

    .. math:: p_{0j}\,(\bar\alpha - \alpha_j), \qquad
       \bar\alpha = \sum_l p_{0l}\,\alpha_l,

    which raises classes that are believed less: at :math:`p_0 = (.8, .2)` and
    :math:`\alpha = (.9, .3)` the target is (.704, .296). That is what the method is
    for, and why its probabilities are no estimates of :math:`p_0`; with equal
    :math:`\alpha` it is plain distillation with a constant mix. `ReliabilityCorrection`
    gives the same weight on average and no such shift.

    Parameters
    ----------
    reliability : ClassReliability, optional
        How :math:`\alpha` is found, by default by margins of labels of folds.

    Raises
    ------
    ValueError
        If it is asked for weights before ``fit``.

    References
    ----------
    .. [1] M. Lukasik, S. Bhojanapalli, A. K. Menon and S. Kumar, "Teacher's pet:
       understanding and mitigating biases in distillation", TMLR 2022, AdaAlpha:
       reconstructed from descriptions of the paper, not from its text.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.label_aware import AdaptiveAlpha
    >>> from semikd.losses import ProbabilityLoss
    >>> p = np.array([[0.9, 0.1], [0.8, 0.2], [0.6, 0.4], [0.3, 0.7]])
    >>> y, fold = np.eye(2)[[0, 0, 1, 1]], np.array([0, 1, 0, 1])
    >>> loss = ProbabilityLoss()
    >>> rule = AdaptiveAlpha().fit(p, y, X=p, loss=loss, fold=fold)
    >>> rule.target(p, y, loss=loss, complexity=1.0).shape
    (4, 1)
    """

    reliability: ClassReliability = field(default_factory=ClassReliability)

    def __str__(self) -> str:
        return f"teacher believed class by class, {self.reliability}"

    def believing(self, alpha: FloatArray) -> Correction:
        """Return the rule for rows whose reliabilities (n, k) are known."""
        return _Believed(alpha)

    def label_weight(self, p: FloatArray, y: FloatArray) -> FloatArray:
        """Refuse: what weighs these rows is not estimated yet."""
        raise self.unfitted()


@dataclass(frozen=True, eq=False)
class _Believed(LabelAwareCorrection):
    """The rule for rows whose reliabilities (n, k) are known."""

    alpha: FloatArray

    def take(self, rows: NDArray[np.intp]) -> "_Believed":
        """Return the rule for some of its rows."""
        return _Believed(self.alpha[rows])

    def label_weight(self, p: FloatArray, y: FloatArray) -> FloatArray:
        """Return what the outcome counts in each row, for all classes alike."""
        check_fitted_rows(p, self.alpha)
        weight = 1.0 - (y * self.alpha).sum(axis=1, keepdims=True)
        return np.broadcast_to(weight, p.shape)
