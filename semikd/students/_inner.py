"""What a wrapper fits in the end: bags, votes, chains and searches pass targets on.

Whether a learner fits means, and how large it may become, is decided by the learners
inside it, never by the wrapper around them.
"""

from collections.abc import Mapping
from typing import Any

from sklearn.base import OneToOneFeatureMixin, clone
from sklearn.model_selection import ParameterGrid

__all__ = ["inner_learners", "keeps_columns"]


def inner_learners(learner: Any) -> list[Any]:
    """Return the learners whose answers this one passes on; none for a plain learner.

    Parameters
    ----------
    learner : estimator
        Any estimator. A search stands for its estimator with each of its settings, a
        Pipeline for its last step, stacking for its final estimator, whose inputs the
        others only are.

    Returns
    -------
    list of estimator

    Examples
    --------
    >>> from sklearn.ensemble import BaggingRegressor
    >>> from sklearn.linear_model import Ridge
    >>> from semikd.students._inner import inner_learners
    >>> inner_learners(BaggingRegressor(Ridge()))
    [Ridge()]
    """
    settings = learner.get_params(deep=False)
    if "steps" in settings:
        found = [settings["steps"][-1][1]]
    elif "param_grid" in settings or "param_distributions" in settings:
        found = _candidates(settings)
    elif "final_estimator" in settings:
        found = [settings["final_estimator"]]
    elif "estimators" in settings:
        found = [member for _, member in settings["estimators"]]
    else:
        names = ("estimator", "base_estimator", "regressor")
        found = [settings.get(name) for name in names]
    return [inner for inner in found if hasattr(inner, "get_params")]


def keeps_columns(step: Any) -> bool:
    """Return whether a transformer is known to make one column of each.

    Parameters
    ----------
    step : transformer, 'passthrough' or None
        A step of a Pipeline.

    Returns
    -------
    bool

    Examples
    --------
    >>> from sklearn.preprocessing import PolynomialFeatures, StandardScaler
    >>> from semikd.students._inner import keeps_columns
    >>> keeps_columns(StandardScaler()), keeps_columns(PolynomialFeatures())
    (True, False)
    """
    return isinstance(step, OneToOneFeatureMixin) or step in (None, "passthrough")


def _candidates(settings: Mapping[str, Any]) -> list[Any]:
    """Return the estimator of a search with each of its settings, as far as listed."""
    estimator = settings["estimator"]
    if "param_grid" in settings:
        choices = list(ParameterGrid(settings["param_grid"]))
    else:
        drawn = settings["param_distributions"]
        choices = [{}] + [
            {name: value}
            for each in ([drawn] if isinstance(drawn, Mapping) else drawn)
            for name, values in each.items()
            if isinstance(values, list | tuple)
            for value in values
        ]
    return [clone(estimator).set_params(**choice) for choice in choices]
