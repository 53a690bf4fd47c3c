"""How large a learner may become, by its settings, and how large it is, once fitted."""

import math
import pickle
from collections.abc import Mapping
from typing import Any

import numpy as np

from semikd.students._inner import inner_learners, keeps_columns
from semikd.students.base import StudentSize

__all__ = ["count_leaves", "declared_freedom", "declared_leaves", "measured_size"]


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


def declared_freedom(learner: Any, n_samples: int, n_features: int) -> float:
    """Return the degrees of freedom of one score that the settings allow.

    Coefficients of a linear model, leaves of trees, and n/k for k nearest neighbours
    that count alike. A bag, a vote or a search is no more complex than the most complex
    learner in it.

    Parameters
    ----------
    learner : estimator
        An unfitted estimator.
    n_samples, n_features : int
        Rows and columns of the fit to come.

    Returns
    -------
    float
        Infinity, or the number of rows, where nothing bounds them.

    Examples
    --------
    >>> from sklearn.ensemble import BaggingRegressor
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from semikd.students.sizes import declared_freedom
    >>> declared_freedom(BaggingRegressor(DecisionTreeRegressor(max_depth=3)), 80, 2)
    8.0
    """
    settings = learner.get_params(deep=False)
    if {"final_estimator", "param_distributions"} & set(settings):
        # Stacked learners add up, and what a search may draw is not listed.
        return math.inf
    if not all(keeps_columns(step) for _, step in settings.get("steps", [])[:-1]):
        # Columns may become many; only a bound that does not count them holds.
        n_features = n_samples
    if inner := inner_learners(learner):
        return max(declared_freedom(part, n_samples, n_features) for part in inner)
    if type(learner).__module__.startswith("sklearn.linear_model"):
        return float(n_features + bool(settings.get("fit_intercept", True)))
    if "n_neighbors" in settings and settings.get("weights") == "uniform":
        return n_samples / float(settings["n_neighbors"])
    return declared_leaves(learner, n_samples)


def declared_leaves(learner: Any, n_samples: int) -> float:
    """Return the number of leaves that a learner's settings allow, infinity if any.

    A boosted model adds its trees up; a forest averages them, and is no more complex
    than one.

    Parameters
    ----------
    learner : estimator
        An estimator with scikit-learn's, LightGBM's or XGBoost's parameter names.
    n_samples : int
        Rows of the fit to come, for minima that count rows.

    Returns
    -------
    float

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from semikd.students.sizes import declared_leaves
    >>> declared_leaves(DecisionTreeRegressor(min_samples_leaf=10), 80)
    8.0
    """
    settings = learner.get_params(deep=False)
    of_one_tree = min(_tree_caps(settings, n_samples))
    if "learning_rate" not in settings:
        return of_one_tree
    rounds = settings.get("max_iter", settings.get("n_estimators")) or 100
    return of_one_tree * float(rounds)


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


def _tree_caps(settings: Mapping[str, Any], n_samples: int) -> list[float]:
    """Return every bound that the settings put on the leaves of one tree."""
    caps = [math.inf]
    for name in ("max_leaf_nodes", "num_leaves", "max_leaves"):
        if settings.get(name):
            caps.append(float(settings[name]))
    depth = settings.get("max_depth")
    if depth is not None and depth > 0:
        caps.append(2.0 ** min(depth, 64))
    smallest = settings.get("min_samples_leaf", 1)
    caps.append(n_samples / smallest if smallest >= 1 else 1.0 / smallest)
    if settings.get("min_weight_fraction_leaf"):
        caps.append(1.0 / settings["min_weight_fraction_leaf"])
    return caps


def _count_coefficients(learner: Any) -> int | None:
    """Return the fitted coefficients with their intercepts, None without any."""
    # Ensembles keep their members in lists, boosted ones in an array.
    parts = np.ravel(np.array(getattr(learner, "estimators_", [learner]), dtype=object))
    if not all("coef_" in vars(part) for part in parts):
        return None
    return sum(
        np.size(part.coef_) + np.size(getattr(part, "intercept_", [])) for part in parts
    )
