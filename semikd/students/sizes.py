"""How many numbers a learner is free to choose, and how large it is, once fitted."""

import pickle
from typing import Any

import numpy as np

from semikd.students._inner import inner_learners, keeps_columns
from semikd.students.base import StudentSize

__all__ = ["count_leaves", "counted_freedom", "measured_size"]


def measured_size(learner: Any) -> StudentSize:
    """Return the size of a fitted estimator of any kind.

    Parameters
    ----------
    learner : estimator
        A fitted estimator; a Pipeline counts its last step, and all its bytes.

    Returns
    -------
    StudentSize

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from semikd.students import measured_size
    >>> tree = DecisionTreeRegressor().fit(np.array([[0.0], [1.0]]), [0.0, 1.0])
    >>> measured_size(tree).leaves
    2
    """
    final = learner.steps[-1][1] if hasattr(learner, "steps") else learner
    return StudentSize(
        leaves=count_leaves(final),
        coefficients=_count_coefficients(final),
        bytes=len(pickle.dumps(learner)),
    )


def counted_freedom(learner: Any, n_samples: int, n_features: int) -> float | None:
    """Return the degrees of freedom of one score, where settings and columns tell them.

    Coefficients of a linear model, and n/k for k nearest neighbours that count alike. A
    bag, a vote or a search is taken for the most complex learner in it.

    Parameters
    ----------
    learner : estimator
        An unfitted estimator.
    n_samples, n_features : int
        Rows and columns of the fit to come.

    Returns
    -------
    float or None
        None where what is fitted depends on the targets, as the splits of a tree do.

    Examples
    --------
    >>> from sklearn.ensemble import BaggingRegressor
    >>> from sklearn.linear_model import Ridge
    >>> from semikd.students.sizes import counted_freedom
    >>> counted_freedom(BaggingRegressor(Ridge()), 80, 2)
    3.0
    """
    settings = learner.get_params(deep=False)
    if {"final_estimator", "param_distributions"} & set(settings):
        # Stacked learners add up, and what a search may draw is not listed.
        return None
    if "n_neighbors" in settings and settings.get("weights") == "uniform":
        return n_samples / float(settings["n_neighbors"])
    if not all(keeps_columns(step) for _, step in settings.get("steps", [])[:-1]):
        # Columns may become any number.
        return None
    if inner := inner_learners(learner):
        each = [counted_freedom(part, n_samples, n_features) for part in inner]
        known = [freedom for freedom in each if freedom is not None]
        return max(known) if len(known) == len(each) else None
    if type(learner).__module__.startswith("sklearn.linear_model"):
        return float(n_features + bool(settings.get("fit_intercept", True)))
    return None


def count_leaves(learner: Any) -> int | None:
    """Return the leaves over all trees of a fitted learner, None without trees.

    Parameters
    ----------
    learner : estimator
        A fitted estimator of scikit-learn, LightGBM or XGBoost.

    Returns
    -------
    int or None

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import Ridge
    >>> from semikd.students.sizes import count_leaves
    >>> count_leaves(Ridge().fit(np.array([[0.0], [1.0]]), [0.0, 1.0])) is None
    True
    """
    if hasattr(learner, "tree_"):
        return int(learner.tree_.n_leaves)
    if hasattr(learner, "_predictors"):
        rounds = [tree for trees in learner._predictors for tree in trees]
        return int(sum(tree.get_n_leaf_nodes() for tree in rounds))
    if hasattr(learner, "get_booster"):
        dumps = learner.get_booster().get_dump(dump_format="json")
        return sum(str(tree).count('"leaf":') for tree in dumps)
    if type(learner).__module__.startswith("lightgbm"):
        trees = learner.booster_.dump_model()["tree_info"]
        return sum(int(tree["num_leaves"]) for tree in trees)
    for inner in ("booster_", "best_estimator_", "regressor_"):
        if hasattr(learner, inner):
            return count_leaves(getattr(learner, inner))
    return _leaves_of_parts(learner)


def _leaves_of_parts(learner: Any) -> int | None:
    """Return the leaves of an ensemble whose members all have leaves."""
    parts = getattr(learner, "estimators_", None)
    if parts is None:
        return None
    counts = [count_leaves(part) for part in np.ravel(np.asarray(parts, dtype=object))]
    return None if None in counts else sum(filter(None, counts))


def _count_coefficients(learner: Any) -> int | None:
    """Return the fitted coefficients with their intercepts, None without any."""
    # Ensembles keep their members in lists, boosted ones in an array.
    parts = np.ravel(np.array(getattr(learner, "estimators_", [learner]), dtype=object))
    if not all("coef_" in vars(part) for part in parts):
        return None
    return sum(
        np.size(part.coef_) + np.size(getattr(part, "intercept_", [])) for part in parts
    )
