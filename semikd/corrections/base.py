"""What every rule for the weight of a correction can be asked."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from semikd._validation import invalid
from semikd.corrections.formula import corrected_target
from semikd.losses import DistillationLoss, IdentityLoss
from semikd.simplex import FloatArray


class Correction(ABC):
    r"""A rule for :math:`\Lambda(x)`; ``target`` applies it through the one formula.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.corrections import ConstantCorrection
    >>> from semikd.losses import ProbabilityLoss
    >>> p, y = np.array([[0.4, 0.6]]), np.array([[0.0, 1.0]])
    >>> correction = ConstantCorrection(0.5)
    >>> correction.target(p, y, loss=ProbabilityLoss(), complexity=1.0)
    array([[0.8]])
    """

    needs_folds: ClassVar[bool] = False  # Whether it compares labels with outcomes.
    weighs_noise: ClassVar[bool] = True  # Whether the student's complexity counts.
    needs_classes: ClassVar[bool] = False  # Whether it asks which class a row is of.

    def require(
        self, loss: DistillationLoss, *, n_classes: int | None = None, X: Any = None
    ) -> None:
        """Refuse what the rule cannot work on, before anything is fitted.

        Parameters
        ----------
        loss : DistillationLoss
            The scale.
        n_classes : int, optional
            Number of classes, once it is known.
        X : array-like of shape (n, d), optional
            The table, once it is known.

        Raises
        ------
        ValueError, TypeError
            With the reason.
        """
        if self.needs_classes and isinstance(loss.scale, IdentityLoss):
            remedy = "Distil a classifier, or use a number or 'none'"
            raise invalid("correction", "be one for numbers", self, remedy)

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
    ) -> "Correction":
        """Return the rule for these rows, with what it estimates of them, if anything.

        Parameters
        ----------
        p : ndarray of shape (n, k)
            Out-of-fold teacher probabilities, or means; NaN where a row has none.
        y : ndarray of shape (n, k)
            One-hot labels, or values.
        X : array-like of shape (n, d)
            Covariates.
        loss : DistillationLoss
            The scale.
        fold : ndarray of int of shape (n,)
            Fold of each row; what weighs a row is estimated on other folds.
        sample_weight : ndarray of shape (n,), optional
            Weights of the rows.
        groups : ndarray of shape (n,), optional
            Group of each row: rows of one are one unit of evidence, not several. By
            default copies of a row are.

        Returns
        -------
        Correction
            For these very rows in this order; the rule itself if it estimates nothing.
        """
        return self

    def take(self, rows: NDArray[np.intp]) -> "Correction":
        """Return the rule for some of the rows that it was fitted for."""
        return self

    def logit_shift(self) -> FloatArray | None:
        """Return what scores are shifted by while a student learns, (k,), if at all."""
        return None

    @abstractmethod
    def weight(
        self, p: FloatArray, X: Any, loss: DistillationLoss, complexity: float
    ) -> FloatArray:
        r"""Return :math:`\Lambda` of each row, in [0, 1], shape (n,).

        Parameters
        ----------
        p : ndarray of shape (n, k)
            Teacher probabilities.
        X : array-like of shape (n, d)
            Covariates.
        loss : DistillationLoss
            The scale.
        complexity : float
            Degrees of freedom of one student score over n, in (0, 1].

        Returns
        -------
        ndarray of shape (n,)
        """

    def target(
        self,
        p: FloatArray,
        y: FloatArray,
        *,
        loss: DistillationLoss,
        complexity: float,
        X: Any = None,
    ) -> FloatArray:
        """Return the corrected target of each row on the scale of the loss.

        Parameters
        ----------
        p : ndarray of shape (n, k)
            Teacher probabilities.
        y : ndarray of shape (n, k)
            One-hot labels.
        loss : DistillationLoss
            The scale.
        complexity : float
            Degrees of freedom of one student score over n.
        X : array-like of shape (n, d), optional
            Covariates, for rules that use them.

        Returns
        -------
        ndarray of shape (n, m)
        """
        return corrected_target(loss, p, y, self.weight(p, X, loss, complexity))


class UnfittedCorrection(Correction):
    """A rule that weighs no row before ``fit`` has seen the rows.

    Examples
    --------
    >>> from semikd.corrections import EstimatedCorrection
    >>> from semikd.corrections.base import UnfittedCorrection
    >>> isinstance(EstimatedCorrection(), UnfittedCorrection)
    True
    """

    needs_folds: ClassVar[bool] = True

    def weight(
        self, p: FloatArray, X: Any, loss: DistillationLoss, complexity: float
    ) -> FloatArray:
        """Refuse: what weighs these rows is not estimated yet."""
        raise self.unfitted()

    def unfitted(self) -> ValueError:
        """Return the refusal to weigh rows that were not seen."""
        remedy = "Use the rule that fit(p, y, X=..., loss=..., fold=...) returns"
        return invalid("correction", "be fitted before it weighs rows", self, remedy)
