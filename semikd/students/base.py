"""What distillation asks of a learner, so that any of them can be a student.

A student is fitted to a *target on a scale* and answers with scores on that scale;
the loss turns scores into probabilities. Learners that already exist are wrapped in
adapters with the same contract.
"""

import pickle
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from sklearn.base import clone

from semikd._validation import Shown, wrong_type
from semikd.losses import DistillationLoss, HardLabelMix
from semikd.simplex import FloatArray

__all__ = ["Student", "StudentSize"]


@dataclass(frozen=True)
class StudentSize:
    """How large a fitted student is.

    Parameters
    ----------
    leaves : int or None
        Leaves over all trees; None for a student without trees.
    coefficients : int or None
        Free numbers of a parametric student; None for trees.
    bytes : int
        Length of the pickled estimator, the common measure.

    Examples
    --------
    >>> from semikd.students import StudentSize
    >>> print(StudentSize(leaves=128, coefficients=None, bytes=14_000))
    128 leaves, 14.0 kB
    """

    leaves: int | None
    coefficients: int | None
    bytes: int

    def __str__(self) -> str:
        counts = {"leaves": self.leaves, "coefficients": self.coefficients}
        parts = [f"{value:,} {unit}" for unit, value in counts.items() if value]
        return ", ".join([*parts, f"{self.bytes / 1000:,.1f} kB"])


class _Defaults:
    """What most students do not think about."""

    learner: Any

    def copy(self) -> Self:
        """Return an unfitted student with the same settings."""
        return clone(self)  # type: ignore[no-any-return]

    def configure(self, setting: Mapping[str, Any]) -> Self:
        """Set parameters of the learner by name, and return the student."""
        self.learner.set_params(**setting)
        return self

    def _supports_width(self, n_scores: int) -> str | None:
        """Return why a row cannot have that many scores, or None."""
        return None

    def _check_given(
        self,
        X: Any,
        weights: FloatArray | None,
        *,
        teacher: Any,
        unlabelled: Any,
        added: str,
    ) -> None:
        """Refuse rows or a teacher that no fit could use, before any is fitted."""

    def _check_settings(self) -> None:
        """Refuse settings that no fit could use, before anything is fitted."""


class Student(_Defaults, ABC):
    """A learner that can be fitted to targets on the scale of a loss.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from semikd.losses import ProbabilityLoss
    >>> from semikd.students import as_student
    >>> student = as_student(DecisionTreeRegressor(random_state=0))
    >>> X, target = np.array([[0.0], [1.0]]), np.array([[0.2], [0.9]])
    >>> student.fit_target(X, target, loss=ProbabilityLoss()).scores(X)
    array([[0.2],
           [0.9]])
    """

    default_loss: str
    """Name of the loss that 'auto' stands for with this student."""

    trains_in_batches: bool = False
    """Whether ``fit_many`` trains students side by side, whatever their targets."""

    shows_layers: bool = False  # Whether a teacher's can be set beside its own.
    fit_options: tuple[str, ...] = ()
    """What else a fit takes: 'groups', 'online', 'features', 'outcome', 'labels'."""

    shown_by: str | None = None
    """Whose hidden layers it learns from too: 'folds', 'all' (as TeacherFeatures)."""

    @property
    @abstractmethod
    def learner(self) -> Any:
        """The estimator behind the contract, fitted once the student is."""

    @abstractmethod
    def supports(
        self, loss: DistillationLoss, target_range: tuple[float, float] | None = None
    ) -> str | None:
        """Return None if this student can take such targets, else why not.

        Parameters
        ----------
        loss : DistillationLoss
            The scale of the targets.
        target_range : tuple of two floats, optional
            Smallest and largest target, once they are known.

        Returns
        -------
        str or None
        """

    def complexity(
        self, n_samples: int, n_features: int, n_outputs: int
    ) -> float | None:
        """Return the share of a target's noise that a score keeps, where it is counted.

        Parameters
        ----------
        n_samples, n_features, n_outputs : int
            Rows, columns and scores of the fit to come.

        Returns
        -------
        float or None
            In (0, 1]. None where the targets choose what is fitted, as they do the
            splits of a tree: only fits tell.
        """
        return None

    @abstractmethod
    def fit_target(
        self,
        X: Any,
        target: FloatArray,
        *,
        loss: DistillationLoss,
        sample_weight: FloatArray | None = None,
    ) -> Self:
        """Minimise the weighted sum of losses at these targets.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Covariates.
        target : ndarray of shape (n, m)
            Targets on the scale of the loss.
        loss : DistillationLoss
            The scale.
        sample_weight : ndarray of shape (n,), optional
            Weights of the rows.

        Returns
        -------
        Student
            The fitted student itself.
        """

    @abstractmethod
    def scores(self, X: Any) -> FloatArray:
        """Return the fitted scores on the scale of the loss, shape (n, m)."""

    def require(
        self,
        loss: DistillationLoss,
        target: FloatArray | None = None,
        *,
        weighted: bool = False,
        n_classes: int | None = None,
    ) -> None:
        """Refuse to be fitted to targets that this student does not support.

        Parameters
        ----------
        loss : DistillationLoss
            The scale of the targets.
        target : ndarray of shape (n, m), optional
            The targets, once they are known.
        weighted : bool, default=False
            Whether the rows will have weights.
        n_classes : int, optional
            Number of classes, once it is known.

        Raises
        ------
        TypeError
            With the reason, and what to use instead.
        ValueError
            If a parameter is out of its range.
        """
        self._check_settings()
        bounds = None if target is None else (float(target.min()), float(target.max()))
        reason = self.supports(loss, bounds)
        if reason is None and n_classes is not None:
            reason = self._supports_width(loss.n_outputs(n_classes))
        if reason is not None:
            constraint = f"take targets on the {loss.name} scale"
            if isinstance(loss, HardLabelMix):
                constraint += ", and labels beside them"
            shown = Shown(type(self.learner).__name__)
            raise wrong_type("student", constraint, shown, reason)
        if weighted and not self.takes_weights():
            shown = Shown(type(self.learner).__name__)
            remedy = "Leave sample_weight out, or use a learner whose fit has it"
            raise wrong_type("student", "accept sample_weight", shown, remedy)

    def takes_weights(self) -> bool:
        """Return whether the rows of a fit may have weights."""
        return True

    def size(self) -> StudentSize:
        """Return leaves or coefficients and bytes of the fitted student."""
        return StudentSize(
            leaves=None,
            coefficients=self.n_coefficients(),
            bytes=len(pickle.dumps(self.learner)),
        )

    def n_coefficients(self) -> int | None:
        """Return the number of fitted coefficients, or None without any."""
        return None

    def fit_many(
        self,
        X: Any,
        targets: Sequence[FloatArray],
        *,
        loss: DistillationLoss,
        sample_weight: FloatArray | None = None,
        settings: Sequence[Mapping[str, Any]] | None = None,
        **options: Any,
    ) -> list[Self]:
        """Fit one student for each target; a loop, unless a member does better.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Covariates, common to all.
        targets : sequence of ndarray of shape (n, m)
            One array of targets for each student.
        loss : DistillationLoss
            The scale.
        sample_weight : ndarray of shape (n,), optional
            Weights of the rows.
        settings : sequence of mappings, optional
            Parameters to set on each student before its fit.
        **options
            What else each fit takes, as ``fit_options`` say.

        Returns
        -------
        list of Student
        """
        more: dict[str, Any] = {"loss": loss, "sample_weight": sample_weight, **options}
        fitted, each = [], settings or [{}] * len(targets)
        for target, setting in zip(targets, each, strict=True):
            student = self.copy().configure(setting)
            fitted.append(student.fit_target(X, target, **more))
        return fitted
