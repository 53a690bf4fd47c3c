"""How likely a row is to be in nearly every bag, known before anything is fitted.

Heavy rows, and rows of a heavy class, are drawn into most bags and have no label; where
too many would be lost, folds must stand in.
"""

from typing import Any

import numpy as np
from scipy.stats import binom
from sklearn.utils.class_weight import compute_sample_weight

from semikd.crossfit.folds import Rows
from semikd.crossfit.shortcuts.members import is_bagging
from semikd.simplex import FloatArray

__all__ = ["FEWEST_TREES", "chance_of_few", "draws", "share_without", "weights_of"]

# A mean of m trees has their variance over m: the standard error of a probability is at
# most 0.16 with ten of them, and 37 are out of bag in a forest of a hundred.
FEWEST_TREES = 10


def chance_of_few(ensemble: Any, rows: Rows, share: FloatArray) -> FloatArray:
    """Return the chance that too few members miss what has this share of the weight.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from semikd.crossfit.folds import Rows
    >>> from semikd.crossfit.shortcuts.bags import chance_of_few
    >>> hashes, codes = np.arange(4, dtype=np.uint64), np.array([0, 0, 0, 1])
    >>> rows = Rows(hashes, codes, np.array(["a", "b"]), None, None)
    >>> forest = RandomForestClassifier(30)
    >>> chance_of_few(forest, rows, np.array([0.25, 0.5])).round(3)
    array([0.511, 1.   ])
    """
    p = share_without(ensemble, rows, share)
    return np.asarray(binom.cdf(FEWEST_TREES - 1, ensemble.n_estimators, p))


def share_without(ensemble: Any, rows: Rows, share: FloatArray) -> FloatArray:
    """Return the probability that a bag lacks what has this share of the weight.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from semikd.crossfit.folds import Rows
    >>> from semikd.crossfit.shortcuts.bags import share_without
    >>> hashes, codes = np.arange(4, dtype=np.uint64), np.array([0, 0, 0, 1])
    >>> rows = Rows(hashes, codes, np.array(["a", "b"]), None, None)
    >>> share_without(RandomForestClassifier(), rows, np.array([0.5]))
    array([0.0625])
    """
    n = len(rows.active)
    size = _bag_size(ensemble, rows)
    if ensemble.bootstrap:
        return np.asarray((1.0 - share) ** size)
    if not is_bagging(ensemble):
        return np.zeros(len(share))
    return np.asarray(np.maximum(1.0 - size / n, 0.0) ** (share * n))


def _bag_size(ensemble: Any, rows: Rows) -> float:
    """Return how many rows are drawn into a bag."""
    n = len(rows.active)
    asked = ensemble.max_samples
    if asked is None:
        return n
    if isinstance(asked, int | np.integer):
        return int(asked)
    own = draws(ensemble, rows)
    return float(asked) * (n if own is None else float(own.sum()))


def weights_of(rows: Rows) -> FloatArray | None:
    """Return the weights of the rows that count, if there are any.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.crossfit.folds import Rows
    >>> from semikd.crossfit.shortcuts.bags import weights_of
    >>> hashes, codes = np.arange(3, dtype=np.uint64), np.zeros(3, dtype=int)
    >>> weights_of(Rows(hashes, codes, None, None, np.array([2.0, 0.0, 1.0])))
    array([2., 1.])
    """
    return None if rows.weights is None else rows.weights[rows.active]


def draws(ensemble: Any, rows: Rows) -> FloatArray | None:
    """Return what the chance of a row to be drawn goes by; None if all have the same.

    A forest draws by the weights of the classes too.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from semikd.crossfit.folds import Rows
    >>> from semikd.crossfit.shortcuts.bags import draws
    >>> hashes, codes = np.arange(4, dtype=np.uint64), np.array([0, 0, 0, 1])
    >>> rows = Rows(hashes, codes, np.array(["a", "b"]), None, None)
    >>> draws(RandomForestClassifier(class_weight={"b": 5.0}), rows)
    array([1., 1., 1., 5.])
    """
    weights, factors = weights_of(rows), getattr(ensemble, "class_weight", None)
    if rows.classes is None or not isinstance(factors, dict):
        return weights
    of_class = compute_sample_weight(factors, rows.classes[rows.codes[rows.active]])
    return np.asarray(of_class if weights is None else of_class * weights)
