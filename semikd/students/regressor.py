"""Any scikit-learn regressor as a student: least squares at the targets."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from sklearn import get_config
from sklearn.base import clone
from sklearn.multioutput import MultiOutputRegressor
from sklearn.utils import get_tags
from sklearn.utils.validation import has_fit_parameter

from semikd.crossfit import fit_learner
from semikd.losses import DistillationLoss, HardLabelMix
from semikd.simplex import FloatArray
from semikd.students._aims import other_aim
from semikd.students.base import Student, StudentSize
from semikd.students.nested import largest_of, pruned
from semikd.students.sizes import counted_freedom, measured_size

__all__ = ["LearnerStudent", "RegressorStudent"]


class LearnerStudent(Student):
    """A student that wraps a learner of another library.

    Parameters
    ----------
    learner : estimator
        The learner; it is fitted in place, so pass a copy.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from semikd.students import LearnerStudent, as_student
    >>> isinstance(as_student(Ridge()), LearnerStudent)
    True
    """

    def __init__(self, learner: Any) -> None:
        self._learner = learner

    @property
    def learner(self) -> Any:
        """The wrapped learner."""
        return self._learner

    def copy(self) -> Self:
        """Return an unfitted student with the same settings."""
        return type(self)(clone(self._learner))


class RegressorStudent(LearnerStudent):
    """Any regressor that fits means by squares, on every squared scale.

    Several scores are fitted at once where the regressor can, and one by one otherwise.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LinearRegression
    >>> from semikd.losses import IdentityLoss
    >>> from semikd.students import RegressorStudent
    >>> student = RegressorStudent(LinearRegression())
    >>> X = np.array([[0.0], [1.0]])
    >>> student.fit_target(X, 2.0 * X, loss=IdentityLoss()).scores(X).round(3)
    array([[0.],
           [2.]])
    """

    default_loss = "probability"

    def supports(
        self, loss: DistillationLoss, target_range: tuple[float, float] | None = None
    ) -> str | None:
        """Return why this regressor cannot fit such targets, or None."""
        name = type(self.learner).__name__
        if isinstance(loss, HardLabelMix):
            return (
                f"{name} fits by squares; use LinearStudent or TorchStudent, or a "
                "constant correction instead of hard_weight"
            )
        if not loss.is_squared:
            return (
                f"{name} fits by squares; use loss='probability' or 'log_probability', "
                "or LinearStudent or TorchStudent for cross-entropy"
            )
        return other_aim(self.learner)

    def complexity(
        self, n_samples: int, n_features: int, n_outputs: int
    ) -> float | None:
        """Return coefficients, or rows over neighbours, of one score over rows.

        Returns
        -------
        float or None
            None for all but linear models and neighbours that count alike.
        """
        freedom = counted_freedom(self.learner, n_samples, n_features)
        return None if freedom is None else min(1.0, freedom / n_samples)

    def fit_target(
        self,
        X: Any,
        target: FloatArray,
        *,
        loss: DistillationLoss,
        sample_weight: FloatArray | None = None,
    ) -> Self:
        """Fit the regressor to the targets by squares."""
        single = target.shape[1] == 1
        if not single and not get_tags(self.learner).target_tags.multi_output:
            self._learner = one_for_each(self.learner)
        fit_learner(self.learner, X, target[:, 0] if single else target, sample_weight)
        return self

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
        """Fit one student for each target; trees that differ in size grow once."""
        own = settings or [{}] * len(targets)
        one_target = all(target is targets[0] for target in targets)
        nests = largest_of(self.learner, own) if one_target else None
        if nests is None:
            more = {"sample_weight": sample_weight, "settings": own, **options}
            return super().fit_many(X, targets, loss=loss, **more)
        fitted: dict[int, Self] = {}
        for largest, members in nests.items():
            whole = self.copy().configure(own[largest])
            whole.fit_target(X, targets[0], loss=loss, sample_weight=sample_weight)
            for at in members:
                cap = self.copy().configure(own[at]).learner.max_leaf_nodes
                same = cap == whole.learner.max_leaf_nodes
                tree = whole.learner if same else pruned(whole.learner, cap)
                fitted[at] = type(self)(tree)
        return [fitted[at] for at in range(len(own))]

    def scores(self, X: Any) -> FloatArray:
        """Return the regressor's predictions, shape (n, m)."""
        prediction = np.asarray(self.learner.predict(X), dtype=np.float64)
        return prediction[:, None] if prediction.ndim == 1 else prediction

    def takes_weights(self) -> bool:
        """Return whether the regressor's fit has weights."""
        return bool(has_fit_parameter(self.learner, "sample_weight"))

    def size(self) -> StudentSize:
        """Return leaves or coefficients and bytes of the fitted regressor."""
        return measured_size(self.learner)


def one_for_each(learner: Any) -> MultiOutputRegressor:
    """Return one regressor for each output; it asks for weights where that is due."""
    routed = get_config()["enable_metadata_routing"]
    if routed and has_fit_parameter(learner, "sample_weight"):
        # With metadata routing a wrapped learner must ask itself.
        learner = learner.set_fit_request(sample_weight=True)
    return MultiOutputRegressor(learner)
