"""Boosting along the slopes of a loss, whatever library grows the trees."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from semikd._validation import Shown, finite_array, invalid, sample_weights
from semikd.crossfit import n_rows, take_rows
from semikd.losses import DistillationLoss, IdentityLoss, ProbabilityLoss
from semikd.simplex import FloatArray
from semikd.students._slopes import Slopes, best_constant, slope_at_infinity
from semikd.students.base import StudentSize
from semikd.students.regressor import LearnerStudent
from semikd.students.sizes import measured_size

__all__ = ["Allowed", "BoosterStudent"]

# What a setting may be, and why nothing else.
Allowed: TypeAlias = Mapping[str, tuple[tuple[Any, ...], str]]


class BoosterStudent(LearnerStudent):
    r"""A boosted classifier fitted to soft or corrected targets by their slopes.

    Two classes have one score and k >= 3 have k, in one booster. It starts at the
    constant score that minimises the weighted loss; in round t each score gets a tree
    with leaf values

    .. math:: -\text{learning rate} \cdot \sum_i g_i \big/
       \bigl(\sum_i h_i + \text{reg\_lambda}\bigr)

    where g is the weighted gradient of the loss and h the absolute row sums of its
    curvature. For labels and the plain cross-entropy of two classes this is the
    library's own training. With k >= 3 classes the curvature of a row couples its
    scores, and its diagonal alone would let a round overshoot: row sums
    :math:`2 q_j (1 - q_j)` are a bound, and what XGBoost itself uses (LightGBM takes
    :math:`\tfrac{k}{k-1} q_j (1 - q_j)`, which is one only near equal probabilities).

    The fitted ``learner`` is an ordinary classifier of its library with classes
    0 .. k-1 whose ``predict_proba`` gives the probabilities of the student; it keeps
    the start in its model and needs nothing of this package.

    Notes
    -----
    A row of weight zero is left out. Other weights multiply g and h, so that leaf sizes
    measured in curvature (``min_child_weight``) know them and ``min_child_samples``
    does not. At temperature T curvature is :math:`T^{-2}` as large, so that
    ``min_child_weight`` and ``reg_lambda`` act :math:`T^2` times as strongly.

    References
    ----------
    .. [1] T. Chen and C. Guestrin, "XGBoost: A Scalable Tree Boosting System",
       KDD 2016, Section 2.2 (leaf values).
    .. [2] J. Friedman, "Greedy Function Approximation: A Gradient Boosting Machine",
       Annals of Statistics 29, 2001, Section 4.6 (the factor for k classes).

    Examples
    --------
    >>> from semikd.students import LearnerStudent
    >>> from semikd.students.boosters import BoosterStudent
    >>> issubclass(BoosterStudent, LearnerStudent)
    True
    """

    default_loss = "cross_entropy"
    _regressor: ClassVar[str]
    _allowed: ClassVar[Allowed]

    def supports(
        self, loss: DistillationLoss, target_range: tuple[float, float] | None = None
    ) -> str | None:
        """Return why these settings or this loss cannot be boosted, or None."""
        name = type(self.learner).__name__
        if isinstance(loss.scale, ProbabilityLoss | IdentityLoss):
            return (
                f"{name} has log-odds as scores; use {self._regressor}, or "
                "loss='cross_entropy' or 'log_probability'"
            )
        settings = self.learner.get_params(deep=False)
        for parameter, (fine, reason) in self._allowed.items():
            if parameter in settings and settings[parameter] not in fine:
                return f"{name}({parameter}={settings[parameter]!r}) {reason}"
        return None

    def _supports_width(self, n_scores: int) -> str | None:
        """Return why boosting has no two scores: two classes have one log-odds."""
        if n_scores != 2:
            return None
        return (
            f"{type(self.learner).__name__} has one score for two classes; use "
            "LogProbabilityLoss(centered=True)"
        )

    def fit_target(
        self,
        X: Any,
        target: FloatArray,
        *,
        loss: DistillationLoss,
        sample_weight: FloatArray | None = None,
    ) -> Self:
        """Boost from the best constant score along the slopes of the loss."""
        target = finite_array("target", target, shape=(n_rows(X), None))
        weight = sample_weights(sample_weight, len(target))
        self.require(loss, target)
        if weight is None:
            weight = np.ones(len(target))
        used = np.flatnonzero(weight)
        if len(used) < len(weight):
            X, target, weight = take_rows(X, used), target[used], weight[used]
        slopes = Slopes(loss, target, weight, slope_at_infinity(loss, target))
        labels = _any_labels(slopes)
        self._train(X, labels, slopes, best_constant(loss, target, weight))
        return self

    @abstractmethod
    def scores(self, X: Any) -> FloatArray:
        """Return the log-odds or scores of the fitted booster, shape (n, m)."""

    def size(self) -> StudentSize:
        """Return leaves over all trees and bytes of the fitted learner."""
        check_is_fitted(self.learner)
        return measured_size(self.learner)

    @abstractmethod
    def _train(
        self, X: Any, labels: NDArray[np.intp], slopes: Slopes, start: FloatArray
    ) -> None:
        """Fit the learner along these slopes from this start, and keep the start."""


def _any_labels(slopes: Slopes) -> NDArray[np.intp]:
    """Return labels that name each class, as the learners count classes by them.

    No slope depends on them: they only tell the wrapper how many scores there are.
    """
    n_samples, width = slopes.least.shape
    if width == 2:
        constraint = "have one score for two classes, or one for each of three or more"
        remedy = "Use LogProbabilityLoss(centered=True)"
        raise invalid("target", constraint, Shown("two"), remedy)
    n_classes = max(2, width)
    if n_samples < n_classes:
        constraint = f"have at least {n_classes} rows of positive weight"
        raise invalid("X", constraint, n_samples)
    labels: NDArray[np.intp] = np.arange(n_samples) % n_classes
    return labels
