"""scikit-learn's logistic regression as a student, by solving its problem exactly."""

import math
from typing import Any, Self

import numpy as np

from semikd.losses import DistillationLoss, IdentityLoss, ProbabilityLoss
from semikd.simplex import FloatArray
from semikd.students.linear import LinearStudent
from semikd.students.regressor import LearnerStudent
from semikd.students.sizes import measured_size

__all__ = ["LogisticStudent"]


class LogisticStudent(LearnerStudent):
    r"""A ``LogisticRegression`` fitted to soft or corrected targets.

    scikit-learn's own ``fit`` takes class labels only. The same convex problem, with
    ridge 1/C, is solved by ``LinearStudent`` and its solution stored in the learner.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from semikd.losses import CrossEntropyLoss
    >>> from semikd.students import as_student
    >>> X, target = np.array([[-1.0], [1.0]]), np.array([[0.3], [0.7]])
    >>> student = as_student(LogisticRegression(C=np.inf))
    >>> student.fit_target(X, target, loss=CrossEntropyLoss()).learner.coef_.round(3)
    array([[0.847]])
    """

    default_loss = "cross_entropy"

    def supports(
        self, loss: DistillationLoss, target_range: tuple[float, float] | None = None
    ) -> str | None:
        """Return why these settings cannot be solved exactly, or None."""
        settings = self.learner.get_params(deep=False)
        if isinstance(loss.scale, ProbabilityLoss | IdentityLoss):
            return (
                "its scores are log-odds; use loss='cross_entropy' or 'log_probability'"
            )
        if settings.get("l1_ratio") or settings.get("penalty") in {"l1", "elasticnet"}:
            return "LogisticRegression is adapted with an L2 penalty; set l1_ratio=0"
        if settings.get("class_weight") is not None:
            return (
                "LogisticRegression(class_weight=...) needs labels; give class_weight "
                "to the distilling estimator instead"
            )
        if not settings["C"] > 0:
            return f"LogisticRegression(C={settings['C']!r}) needs a positive C"
        return None

    def complexity(self, n_samples: int, n_features: int, n_outputs: int) -> float:
        """Return the coefficients of one score over rows."""
        return self._solver().complexity(n_samples, n_features, n_outputs)

    def fit_target(
        self,
        X: Any,
        target: FloatArray,
        *,
        loss: DistillationLoss,
        sample_weight: FloatArray | None = None,
    ) -> Self:
        """Solve the penalised problem at these targets and store its solution."""
        solver = self._solver()
        solver.fit_target(X, target, loss=loss, sample_weight=sample_weight)
        learner = self.learner
        learner.coef_, learner.intercept_ = solver.coef_, solver.intercept_
        learner.classes_ = solver.classes_
        learner.n_features_in_ = solver.n_features_in_
        learner.n_iter_ = np.atleast_1d(solver.n_iter_)
        if hasattr(solver, "feature_names_in_"):
            learner.feature_names_in_ = solver.feature_names_in_
        return self

    def scores(self, X: Any) -> FloatArray:
        """Return the log-odds of the fitted learner, shape (n, m)."""
        scores = np.asarray(self.learner.decision_function(X))
        return scores[:, None] if scores.ndim == 1 else scores

    def n_coefficients(self) -> int | None:
        """Return the number of fitted coefficients with their intercepts."""
        return measured_size(self.learner).coefficients

    def _solver(self) -> LinearStudent:
        """Return the linear student of the same problem."""
        settings = self.learner.get_params(deep=False)
        unpenalised = settings.get("penalty", "deprecated") is None
        strength = math.inf if unpenalised else settings["C"]
        return LinearStudent(
            ridge=1.0 / strength,
            fit_intercept=settings["fit_intercept"],
            tol=min(settings["tol"], 1e-8),
            max_iter=settings["max_iter"],
        )
