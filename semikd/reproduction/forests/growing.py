"""Forests of many sizes for the price of the largest: a small one is its beginning.

Every published curve runs over the number of trees. The trees of a forest are drawn one
after the other, so that its first three are a forest of three, and one fit of the
largest gives the whole curve. Points of a curve are then correlated, which those of the
released code are not.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from semikd.simplex import FloatArray

__all__ = ["grown", "means_by_size", "score"]


def grown(
    X: FloatArray, target: FloatArray, n_trees: int, *, seed: int, n_jobs: int | None
) -> RandomForestRegressor:
    """Return a forest of regression trees with scikit-learn's defaults, fitted.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Covariates.
    target : ndarray of shape (n,)
        What is learned.
    n_trees : int
        Number of trees.
    seed : int
        Seed of the trees.
    n_jobs : int or None
        Threads.

    Returns
    -------
    RandomForestRegressor

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.reproduction.forests.growing import grown
    >>> X = np.arange(8.0)[:, None]
    >>> len(grown(X, X[:, 0], 3, seed=0, n_jobs=None).estimators_)
    3
    """
    forest = RandomForestRegressor(n_trees, random_state=seed, n_jobs=n_jobs)
    return forest.fit(X, target)


def means_by_size(forest: Any, X: FloatArray, sizes: Sequence[int]) -> FloatArray:
    """Return what the first trees of a forest say on average, for each size.

    Parameters
    ----------
    forest : RandomForestRegressor or RandomForestClassifier
        A fitted forest of at least the largest size; a classifier has two classes.
    X : ndarray of shape (n, d)
        Covariates.
    sizes : sequence of int
        Numbers of trees, in increasing order.

    Returns
    -------
    ndarray of shape (len(sizes), n)
        Means, or probabilities of the second class.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.reproduction.forests.growing import grown, means_by_size
    >>> X = np.arange(8.0)[:, None]
    >>> forest = grown(X, X[:, 0], 3, seed=0, n_jobs=None)
    >>> np.allclose(means_by_size(forest, X, [1, 3])[1], forest.predict(X))
    True
    """
    rows = np.asarray(X, dtype=np.float32)
    classifier = isinstance(forest, RandomForestClassifier)
    total, found = np.zeros(len(rows)), []
    for n_trees, tree in enumerate(forest.estimators_[: max(sizes)], start=1):
        said = tree.predict_proba(rows)[:, 1] if classifier else tree.predict(rows)
        total += said
        if n_trees in sizes:
            found.append(total / n_trees)
    return np.array(found)


def score(metric: str, y: NDArray[np.intp], said: FloatArray) -> float:
    """Return the published metric of what is said of the second class.

    Parameters
    ----------
    metric : {'AUC', 'accuracy'}
        Accuracy decides for the second class from 1/2 on.
    y : ndarray of shape (n,)
        Labels, 0 and 1.
    said : ndarray of shape (n,)
        Probabilities, or what stands for them.

    Returns
    -------
    float

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.reproduction.forests.growing import score
    >>> score("accuracy", np.array([0, 1, 1]), np.array([0.2, 0.4, 0.9]))
    0.6666666666666666
    """
    if metric == "accuracy":
        return float(np.mean((said >= 0.5) == (y == 1)))
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(y, said))
