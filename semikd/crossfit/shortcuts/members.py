"""What the members of an ensemble say of the rows that are not in their bags.

Memory is what matters here: bags are drawn again, one at a time, and no table of
members times rows is ever held.
"""

from copy import copy
from typing import Any

import numpy as np
from sklearn.ensemble import BaggingClassifier, BaggingRegressor
from sklearn.utils import check_array
from sklearn.utils.parallel import Parallel, delayed

from semikd.crossfit.rows import Indices, take_rows
from semikd.simplex import FloatArray

__all__ = ["is_bagging", "mean_without"]

# Members of one task; fixed, so that sums do not depend on the number of workers.
_CHUNK = 8


def is_bagging(ensemble: Any) -> bool:
    """Return whether members are other estimators, each with columns of its own.

    Examples
    --------
    >>> from sklearn.ensemble import BaggingRegressor
    >>> from semikd.crossfit.shortcuts.members import is_bagging
    >>> is_bagging(BaggingRegressor())
    True
    """
    return type(ensemble) in {BaggingClassifier, BaggingRegressor}


def mean_without(
    ensemble: Any, X: Any, unit: Indices, *, n_jobs: int | None
) -> tuple[FloatArray, Indices]:
    """Return the mean answer of the members whose bags lack a unit, and their number.

    Parameters
    ----------
    ensemble : estimator
        A fitted forest or bagging ensemble of scikit-learn's.
    X : array-like of shape (n, d)
        The rows that it was fitted to.
    unit : ndarray of int of shape (n,)
        Which rows are copies of each other: 0 to u - 1.
    n_jobs : int or None
        Workers (threads) over members.

    Returns
    -------
    mean : ndarray of shape (u, m)
        Probabilities by class, or means; 0 where no bag lacks the unit.
    n_members : ndarray of int of shape (u,)

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import RandomForestRegressor
    >>> from semikd.crossfit.shortcuts.members import mean_without
    >>> X = np.arange(4.0)[:, None]
    >>> forest = RandomForestRegressor(50, random_state=0).fit(X, X[:, 0])
    >>> mean_without(forest, X, np.arange(4), n_jobs=None)[1]
    array([19, 12, 20, 15])
    """
    _, lead = np.unique(unit, return_index=True)
    dtype = None if is_bagging(ensemble) else np.float32
    table = check_array(X, dtype=dtype, accept_sparse="csr", ensure_all_finite=False)
    table = take_rows(table, lead)
    n_all = len(ensemble.estimators_)
    dealt = Parallel(n_jobs=n_jobs, prefer="threads", return_as="generator")(
        delayed(_sums)(ensemble, range(at, min(at + _CHUNK, n_all)), table, unit)
        for at in range(0, n_all, _CHUNK)
    )
    total: Any = 0.0
    n_members = np.zeros(len(lead), dtype=np.intp)
    for sums, counts in dealt:
        total = total + sums
        n_members += counts
    return np.asarray(total / np.maximum(n_members, 1)[:, None]), n_members


def _sums(
    ensemble: Any, members: range, table: Any, unit: Indices
) -> tuple[FloatArray, Indices]:
    """Return sums of what members say that did not see a unit, and their number."""
    n_units = table.shape[0]
    counts = np.zeros(n_units, dtype=np.intp)
    # Of one column until an answer says how many there are.
    sums = np.zeros((n_units, 1))
    for at in members:
        held = np.zeros(n_units, dtype=bool)
        held[unit[_bag(ensemble, at)]] = True
        out = np.flatnonzero(~held)
        if len(out):
            said = _answer(ensemble, at, table[out])
            if sums.shape[1] != said.shape[1]:
                sums = np.zeros((n_units, said.shape[1]))
            sums[out] += said
            counts[out] += 1
    return sums, counts


def _bag(ensemble: Any, at: int) -> Indices:
    """Return the positions of the rows in the bag of one member, drawn again."""
    view = copy(ensemble)
    view.estimators_ = ensemble.estimators_[at : at + 1]
    if is_bagging(ensemble):
        view._seeds = ensemble._seeds[at : at + 1]
    return np.asarray(view.estimators_samples_[0])


def _answer(ensemble: Any, at: int, X: Any) -> FloatArray:
    """Return what one member says: shares of all classes, or means, shape (n, m)."""
    model = ensemble.estimators_[at]
    # Trees of a forest take the table as it is; checking it again for each costs more
    # than their answers where rows are few.
    asked: dict[str, Any] = {"check_input": False}
    if is_bagging(ensemble):
        asked = {}
        columns = ensemble.estimators_features_[at]
        if not np.array_equal(columns, np.arange(X.shape[1])):
            X = X[:, columns]
    if not hasattr(ensemble, "classes_"):
        means = np.asarray(model.predict(X, **asked), dtype=np.float64)
        return means[:, None] if means.ndim == 1 else means
    return _class_shares(model, X, asked, len(ensemble.classes_))


def _class_shares(
    model: Any, X: Any, asked: dict[str, Any], n_classes: int
) -> FloatArray:
    """Return probabilities, or votes, over all classes; members know them by number."""
    if not hasattr(model, "predict_proba"):
        votes = np.asarray(model.predict(X), dtype=np.intp)
        return np.asarray(np.eye(n_classes)[votes])
    known = np.asarray(model.predict_proba(X, **asked))
    if known.shape[1] == n_classes:
        return known
    shares = np.zeros((len(known), n_classes))
    shares[:, np.asarray(model.classes_, dtype=np.intp)] = known
    return shares
