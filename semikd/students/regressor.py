"""Any scikit-learn regressor as a student: least squares at the targets."""

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
from semikd.students.base import Student, StudentSize
from semikd.students.sizes import declared_leaves, measured_size

__all__ = ["LearnerStudent", "RegressorStudent"]

# What a learner may minimise and still fit means, by the name of its parameter. The
# aliases that LightGBM has for its objective are refused whatever their value.
_FITS_MEANS: dict[str, set[Any]] = {
    "criterion": {"squared_error", "friedman_mse", "deprecated"},
    "loss": {"squared_error", "linear", "square", "exponential"},
    "application": set(),
    "app": set(),
    "objective_type": set(),
    "reg_sqrt": {False},
    "strategy": {"mean"},
    "objective": {None, "regression", "regression_l2", "l2", "mse", "reg:squarederror"},
}

# Regressors that fit something else whatever their parameters say.
_OTHER_AIMS = {
    "GammaRegressor": ("positive means on a log link", "LinearStudent"),
    "HuberRegressor": ("a robust centre", "Ridge"),
    "LinearSVR": ("a tube around the median", "Ridge"),
    "NuSVR": ("a tube around the median", "KernelRidge"),
    "PoissonRegressor": ("positive means on a log link", "LinearStudent"),
    "QuantileRegressor": ("quantiles", "Ridge"),
    "RANSACRegressor": ("a subset of the rows", "Ridge"),
    "SVR": ("a tube around the median", "KernelRidge"),
    "TheilSenRegressor": ("a robust centre", "Ridge"),
    "TweedieRegressor": ("means of a Tweedie law", "Ridge"),
}


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
        """Return why this regressor cannot fit such targets, or None.

        Parameters
        ----------
        loss : DistillationLoss
            The scale; only squared ones are least squares.
        target_range : tuple of two floats, optional
            Any range will do.

        Returns
        -------
        str or None
        """
        name = type(self.learner).__name__
        if isinstance(loss, HardLabelMix):
            return (
                f"{name} fits by squares and has no hard-label term; use hard_weight=0 "
                "with a constant correction, or LinearStudent or TorchStudent"
            )
        if not loss.is_squared:
            return (
                f"{name} fits by squares; use loss='probability' or 'log_probability', "
                "or LinearStudent or TorchStudent for cross-entropy"
            )
        return _other_aim(self.learner)

    def complexity(self, n_samples: int, n_features: int, n_outputs: int) -> float:
        """Return declared leaves or coefficients of one score over rows.

        Parameters
        ----------
        n_samples, n_features, n_outputs : int
            Rows, columns and scores of the fit to come.

        Returns
        -------
        float
            1 where no parameter of the learner bounds its size.
        """
        if type(self.learner).__module__.startswith("sklearn.linear_model"):
            return min(1.0, (n_features + 1) / n_samples)
        leaves = declared_leaves(self.learner, n_samples)
        return min(1.0, leaves / n_samples)

    def fit_target(
        self,
        X: Any,
        target: FloatArray,
        *,
        loss: DistillationLoss,
        sample_weight: FloatArray | None = None,
    ) -> Self:
        """Fit the regressor to the targets by squares.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Covariates.
        target : ndarray of shape (n, m)
            Targets on a squared scale.
        loss : DistillationLoss
            The scale; its constant plays no part in a least-squares fit.
        sample_weight : ndarray of shape (n,), optional
            Weights of the rows.

        Returns
        -------
        RegressorStudent
        """
        single = target.shape[1] == 1
        if not single and not get_tags(self.learner).target_tags.multi_output:
            self._learner = MultiOutputRegressor(_asking_for_weights(self.learner))
        fit_learner(self.learner, X, target[:, 0] if single else target, sample_weight)
        return self

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


def _other_aim(learner: Any) -> str | None:
    """Return why a regressor does not fit means by squares, or None if it does."""
    name = type(learner).__name__
    if name in _OTHER_AIMS:
        aim, instead = _OTHER_AIMS[name]
        return f"{name} fits {aim}, not means; use {instead}"
    settings = learner.get_params(deep=False)
    for parameter, fine in _FITS_MEANS.items():
        if parameter in settings and settings[parameter] not in fine:
            return (
                f"{name}({parameter}={settings[parameter]!r}) does not fit means by "
                f"squares; leave {parameter} at its default"
            )
    # A bag, or one regressor for each output, fits what its members fit.
    inner = settings.get("estimator")
    return _other_aim(inner) if hasattr(inner, "get_params") else None


def _asking_for_weights(learner: Any) -> Any:
    """Return a learner to be wrapped, which with metadata routing must ask itself."""
    routed = get_config()["enable_metadata_routing"]
    if routed and has_fit_parameter(learner, "sample_weight"):
        return learner.set_fit_request(sample_weight=True)
    return learner
