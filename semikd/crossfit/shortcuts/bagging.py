"""Out-of-bag labels: what the trees whose bag lacks a row say of it.

A bagged ensemble holds its own cross-fitting: about 37 % of the bags hold no copy of a
given row, and those trees are out-of-sample for it. The price is one fit and the
predictions of a third of the trees. scikit-learn's own attribute does not serve: it
needs a setting of the user's, runs on one core, holds zeros for rows that are in every
bag, and lets a tree label a row whose copy it saw.
"""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
from joblib import parallel_config
from numpy.typing import NDArray
from sklearn import get_config
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.tree import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    ExtraTreeClassifier,
    ExtraTreeRegressor,
)
from sklearn.utils.metadata_routing import get_routing_for_object
from sklearn.utils.validation import has_fit_parameter

from semikd.crossfit.folds import Rows
from semikd.crossfit.shortcuts.bags import (
    FEWEST_TREES,
    chance_of_few,
    draws,
    share_without,
    weights_of,
)
from semikd.crossfit.shortcuts.distinct import distinct_units
from semikd.crossfit.shortcuts.labels import (
    FallBack,
    Shortcut,
    fit_parts,
    last_step,
    split_pipeline,
)
from semikd.crossfit.shortcuts.members import is_bagging, mean_without
from semikd.simplex import FloatArray

__all__ = ["handles", "labels", "why_not"]

_FORESTS = {
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
}
# Learners for which a row of weight zero is no row, also where they look at y.
_BLIND_TO_WEIGHTLESS = _FORESTS | {
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    ExtraTreeClassifier,
    ExtraTreeRegressor,
    LinearRegression,
    LogisticRegression,
    Ridge,
}
# Rows without a label are lost to the student, and they are the heavy ones.
LARGEST_LOSS = 0.01
# A small class may lose more by its copies, but its share must not shrink by more.
LARGEST_LOSS_OF_CLASS = 0.05


def handles(learner: Any) -> bool:
    """Return whether this is a bagged ensemble of scikit-learn's.

    Examples
    --------
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from semikd.crossfit.shortcuts import bagging
    >>> bagging.handles(RandomForestClassifier())
    True
    """
    # Derived classes may draw their bags otherwise; they can offer ``out_of_bag``.
    return type(learner) in _FORESTS or is_bagging(learner)


def why_not(teacher: Any, X: Any, rows: Rows) -> str | None:  # noqa: ARG001 - one form
    """Return why out-of-bag would not be out-of-sample, or None.

    Parameters
    ----------
    teacher : estimator
        A bagged ensemble, or a Pipeline that ends in one.
    X : array-like of shape (n, d)
        All rows.
    rows : Rows
        Identity, group and weight of each row.

    Returns
    -------
    str or None

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import ExtraTreesClassifier
    >>> from semikd.crossfit.folds import Rows
    >>> from semikd.crossfit.shortcuts import bagging
    >>> rows = Rows(np.arange(9, dtype=np.uint64), np.zeros(9, int), None, None, None)
    >>> bagging.why_not(ExtraTreesClassifier(), np.ones((9, 1)), rows)
    'each of its trees sees every row (bootstrap=False)'
    """
    parts = split_pipeline(teacher)
    if isinstance(parts, str):
        return parts
    ensemble = parts[1]
    if rows.groups is not None:
        return "groups are given, and bags divide them"
    if "balanced" in _class_weights(ensemble):
        return "class_weight='balanced' weighs a row by the classes of all rows"
    base = ensemble.estimator if is_bagging(ensemble) else None
    if base is not None and _uses_weightless(base):
        name = type(base).__name__
        return f"{name} gets the rows out of its bag with weight zero, and may use them"
    return _too_few(ensemble, rows)


def labels(
    teacher: Any,
    X: Any,
    y: NDArray[Any],
    rows: Rows,
    *,
    seed: int,
    n_jobs: int | None,
) -> Shortcut:
    r"""Fit the ensemble once and label each row by the members that did not see it.

    .. math:: \hat p_i = \frac{1}{|M_i|} \sum_{b \in M_i} \hat p_b(x_i), \qquad
       M_i = \{b : \text{the bag of } b \text{ holds no copy of row } i\}

    Parameters
    ----------
    teacher : estimator
        A bagged ensemble, or a Pipeline that ends in one.
    X, y : array-like
        All rows.
    rows : Rows
        Identity, class and weight of each row.
    seed : int
        For the open seeds of the copy that is fitted.
    n_jobs : int or None
        Workers over trees; None leaves it to the ensemble's own.

    Returns
    -------
    Shortcut
        Rows with fewer than ten such members are NaN.

    Raises
    ------
    FallBack
        If those rows carry more than a hundredth of the weight, or are expected to be
        more than a twentieth of a class.

    References
    ----------
    .. [1] L. Breiman, "Out-of-bag estimation", technical report, Berkeley 1996. Leaving
       copies of a row out together, and the bound on the number of trees, are this
       library's.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import RandomForestRegressor
    >>> from semikd.crossfit.folds import Rows
    >>> from semikd.crossfit.shortcuts import bagging
    >>> X = np.arange(30.0)[:, None]
    >>> rows = Rows(np.arange(30, dtype=np.uint64), np.zeros(30, int), None, None, None)
    >>> forest = RandomForestRegressor(60)
    >>> bagging.labels(forest, X, X[:, 0], rows, seed=0, n_jobs=None).prediction.shape
    (30, 1)
    """
    _, unit = distinct_units(rows)
    ensemble = last_step(teacher)
    drawn = np.bincount(unit, draws(ensemble, rows)).astype(np.float64)
    chance = chance_of_few(ensemble, rows, drawn / drawn.sum())
    weight = np.bincount(unit, weights_of(rows)).astype(np.float64)
    _check_loss(chance, weight, LARGEST_LOSS, "about ")
    _check_classes(chance[unit], rows)
    with _workers(ensemble, n_jobs):
        parts = fit_parts(teacher, X, y, rows, seed)
    workers = parts.learner.n_jobs if n_jobs is None else n_jobs
    mean, n_trees = mean_without(parts.learner, parts.X, unit, n_jobs=workers)
    few = n_trees < FEWEST_TREES
    # Twice what is expected at most: chance alone must not waste a fit.
    _check_loss(few, weight, 2.0 * LARGEST_LOSS)
    mean[few] = np.nan
    prediction = np.full((len(rows.hashes), mean.shape[1]), np.nan)
    prediction[rows.active] = mean[unit]
    return Shortcut(
        prediction,
        parts.teacher,
        f"median of {int(np.median(n_trees[unit]))} out-of-bag members a row",
        missing=f"have fewer than {FEWEST_TREES} out-of-bag members",
    )


def _workers(ensemble: Any, n_jobs: int | None) -> AbstractContextManager[Any]:
    """Return a context in which an ensemble with an open ``n_jobs`` uses this many."""
    if n_jobs is None:
        return nullcontext()
    # A forest asks for threads, and would be left with one worker of another kind.
    backend = {} if is_bagging(ensemble) else {"backend": "threading"}
    context: AbstractContextManager[Any] = parallel_config(n_jobs=n_jobs, **backend)
    return context


def _uses_weightless(base: Any) -> bool:
    """Return whether a learner is given rows of weight zero and may look at their y.

    One that takes no weights, such as a Pipeline, gets the rows of its bag alone.
    """
    weighs = has_fit_parameter(base, "sample_weight")
    if get_config()["enable_metadata_routing"]:
        # A Pipeline then takes weights for a step, and none for those before it.
        routes = get_routing_for_object(base).consumes("fit", ("sample_weight",))
        weighs = weighs or bool(routes)
    return weighs and type(base) not in _BLIND_TO_WEIGHTLESS


def _class_weights(ensemble: Any) -> set[str]:
    """Return the names of class weights anywhere in the ensemble."""
    settings = ensemble.get_params(deep=True).items()
    named = (value for key, value in settings if key.split("__")[-1] == "class_weight")
    return {value for value in named if isinstance(value, str)}


def _too_few(ensemble: Any, rows: Rows) -> str | None:
    """Return why a row of average weight would lack members that did not see it."""
    n = len(rows.active)
    share = share_without(ensemble, rows, np.array([1.0 / n]))[0]
    if share <= 0.0:
        return f"each of its trees sees every row (bootstrap={ensemble.bootstrap})"
    if chance_of_few(ensemble, rows, np.array([1.0 / n]))[0] > LARGEST_LOSS:
        return (
            f"about {ensemble.n_estimators * share:.1f} of its {ensemble.n_estimators} "
            f"members would not see a row: too few for {FEWEST_TREES} at each"
        )
    return None


def _check_loss(
    few: NDArray[Any], weight: FloatArray, limit: float, about: str = ""
) -> None:
    """Fall back where rows without a label, or the chance of it, weigh too much."""
    lost = float((weight * few).sum() / weight.sum())
    if lost > limit:
        raise FallBack(
            f"{about}{few.sum():,.0f} of {len(weight):,} distinct rows, {lost:.0%} "
            f"of the weight, would have fewer than {FEWEST_TREES} out-of-bag members"
        )


def _check_classes(few: FloatArray, rows: Rows) -> None:
    """Fall back where the rows of some class would be lost: labels decide who stays."""
    if rows.classes is None:
        return
    codes, weights = rows.codes[rows.active], weights_of(rows)
    weighed = few if weights is None else few * weights
    lost = np.bincount(codes, weighed) / np.bincount(codes, weights)
    worst = int(lost.argmax())
    if lost[worst] > LARGEST_LOSS_OF_CLASS:
        raise FallBack(
            f"about {lost[worst]:.0%} of the class {rows.classes.tolist()[worst]!r} "
            f"would have fewer than {FEWEST_TREES} out-of-bag members"
        )
