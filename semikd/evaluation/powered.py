"""The risk of a fitted model by outcomes of a few rows and labels of many."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from semikd._random import RandomState
from semikd._validation import FloatArray
from semikd.evaluation.named_metrics import POINTWISE, chosen_metrics
from semikd.evaluation.risk_rows import probability_table
from semikd.inference import PartlyLabelled, PoweredResult
from semikd.inference.powered import LinearMoment, checked_rows, powered_linear

__all__ = ["powered_risks"]


def powered_risks(
    rows: PartlyLabelled,
    p: ArrayLike,
    unlabelled: ArrayLike,
    *,
    metrics: Sequence[str] = tuple(POINTWISE),
    power: float | None = None,
    level: float = 0.95,
    random_state: RandomState = None,
) -> PoweredResult:
    r"""Infer how good a fitted model is, with the help of unlabelled rows.

    A loss is linear in the outcome: that of a label is
    :math:`\sum_k \hat p_k(x)\, \ell(f(x), k)`, and
    :func:`~semikd.inference.powered_means` of these is the risk.

    Parameters
    ----------
    rows : PartlyLabelled
        Made by :func:`~semikd.inference.partly_labelled`.
    p : array-like or data frame of shape (n, k), or (n,) for two classes
        Probabilities by the model, of all labelled rows in their order; columns in the
        order of the classes of the labels. The model saw none of the rows.
    unlabelled : array-like or data frame of shape (n_unlabelled, k) or (n_unlabelled,)
        The same of the unlabelled rows.
    metrics : sequence of {'log_loss', 'brier', 'accuracy'}
        What is inferred. An AUC is no mean over rows.
    power : float, optional
        λ in [0, 1]; by default the one of least variance, metric by metric.
    level : float, default=0.95
        Confidence level.
    random_state : int, generator or None
        Seed of the draws behind simultaneous intervals.

    Returns
    -------
    PoweredResult
        One estimate for each metric.

    Raises
    ------
    ValueError, TypeError
        If labels are numbers, or p does not fit the rows and classes.

    References
    ----------
    .. [1] A. N. Angelopoulos, J. C. Duchi and T. Zrnic, "PPI++: Efficient
       prediction-powered inference", 2023, Section 2 (of risks it is this library's).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from semikd import cross_fit
    >>> from semikd.evaluation import powered_risks
    >>> from semikd.inference import partly_labelled
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(3000, 1))
    >>> y = (4 * X[:, 0] + rng.normal(size=3000) > 0).astype(int)
    >>> labels = cross_fit(LogisticRegression(), X[:300], y[:300], random_state=0)
    >>> rows = partly_labelled(labels, X[:300], y[:300], X[300:])
    >>> student = np.where(X[:, 0] > 0.5, 0.9, 0.2)
    >>> found = powered_risks(rows, student[:300], student[300:], random_state=0)
    >>> found.names
    ('log_loss', 'brier', 'accuracy')
    >>> bool((found.gain.effective_n > 300).all())
    True
    """
    known = np.asarray(checked_rows(rows).need_classes())
    wanted = chosen_metrics(metrics, tuple(POINTWISE))
    own = rows.of_given("p", probability_table(p, rows.n_given, known))
    more = probability_table(unlabelled, rows.n_given_unlabelled, known, "unlabelled")
    other = rows.of_unlabelled("unlabelled", more)
    return powered_linear(
        LinearMoment(rows, _losses(own, wanted), _losses(other, wanted)),
        wanted,
        "risk of this fitted model in the population of the rows",
        power=power,
        level=level,
        random_state=random_state,
    )


def _losses(p: FloatArray, metrics: Sequence[str]) -> FloatArray:
    """Return the loss that each row would have with each class, (n, k, d)."""
    n, k = p.shape
    found = np.empty((n, k, len(metrics)))
    for j in range(k):
        for d, name in enumerate(metrics):
            found[:, j, d] = POINTWISE[name](p, np.full(n, j))
    return found
