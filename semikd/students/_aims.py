"""Which regressors fit means by squares: the others would ruin targets silently."""

from typing import Any

from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    RobustScaler,
    StandardScaler,
)

from semikd.students._inner import inner_learners

__all__ = ["other_aim"]

# What a learner may minimise and still fit means, by the name of its parameter. The
# aliases that LightGBM has for its objective are refused whatever their value.
_FITS_MEANS: dict[str, set[Any]] = {
    "criterion": {"squared_error", "friedman_mse", "deprecated"},
    "loss": {"squared_error"},
    "loss_function": {"RMSE", "MultiRMSE"},
    "application": set(),
    "app": set(),
    "objective_type": set(),
    "reg_sqrt": {False},
    "strategy": {"mean"},
    "objective": {None, "regression", "regression_l2", "l2", "mse", "reg:squarederror"},
}

# Regressors that fit something else whatever their parameters say.
_OTHER_AIMS = {
    "AdaBoostRegressor": ("a weighted median", "GradientBoostingRegressor"),
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

# The mean of a rescaled target is the rescaled mean.
_LINEAR = (MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler)


def other_aim(learner: Any) -> str | None:
    """Return why a regressor does not fit means by squares, or None if it does.

    Parameters
    ----------
    learner : regressor
        Any regressor; wrappers fit what the learners inside them fit.

    Returns
    -------
    str or None

    Examples
    --------
    >>> from sklearn.ensemble import BaggingRegressor
    >>> from sklearn.linear_model import QuantileRegressor
    >>> from semikd.students._aims import other_aim
    >>> other_aim(BaggingRegressor(QuantileRegressor()))
    'QuantileRegressor fits quantiles, not means; use Ridge'
    """
    own = _own_aim(learner)
    if own is not None:
        return own
    reasons = (other_aim(inner) for inner in inner_learners(learner))
    return next((reason for reason in reasons if reason is not None), None)


def _own_aim(learner: Any) -> str | None:
    """Return why the learner itself, whatever is inside it, does not fit means."""
    name = type(learner).__name__
    for ancestor in type(learner).__mro__:
        if ancestor.__name__ in _OTHER_AIMS:
            aim, instead = _OTHER_AIMS[ancestor.__name__]
            return f"{name} fits {aim}, not means; use {instead}"
    settings = learner.get_params(deep=False)
    for parameter, fine in _FITS_MEANS.items():
        if parameter in settings and settings[parameter] not in fine:
            return (
                f"{name}({parameter}={settings[parameter]!r}) does not fit means by "
                f"squares; leave {parameter} at its default"
            )
    if "regressor" in settings and not _keeps_means(settings):
        return (
            f"{name} fits means of a transformed target, and transforming them back "
            "gives no means; use its regressor alone"
        )
    return None


def _keeps_means(settings: dict[str, Any]) -> bool:
    """Return whether the transformation of a target is known to be linear."""
    if settings.get("func") is not None or settings.get("inverse_func") is not None:
        return False
    transformer = settings.get("transformer")
    return transformer is None or isinstance(transformer, _LINEAR)
