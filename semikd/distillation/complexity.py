"""How much of the noise of its targets a student keeps.

The number of its coefficients says it of a linear student. A learner that searches, as
a tree does for its splits, follows the noise with every choice that it makes and keeps
several times what its leaves would. That is measured, by two fits to targets that
differ in nothing but noise.
"""

from typing import Any

import numpy as np

from semikd.corrections import corrected_target
from semikd.losses import DistillationLoss, IdentityLoss
from semikd.simplex import FloatArray
from semikd.students import Student

__all__ = ["kept_noise", "simulated_targets"]

# Between the teacher's answer and the outcome: what is kept differs somewhat with it.
_HALF_WAY = 0.5


def simulated_targets(
    p: FloatArray, y: FloatArray, *, loss: DistillationLoss, random_state: int = 0
) -> tuple[FloatArray, FloatArray]:
    r"""Return targets half way to outcomes that might have been, twice.

    .. math:: z_i = \varphi(\hat p_i) + \tfrac12 J_\varphi(\hat p_i)
       (y^*_i - \hat p_i), \qquad y^*_i \sim \hat p_i

    For means, :math:`y^*_i = \hat p_i \pm (y_i - \hat p_i)`, the sign by chance and the
    other one the second time.

    Parameters
    ----------
    p : ndarray of shape (n, k)
        The teacher's answers.
    y : ndarray of shape (n, k)
        Outcomes; only those of a regression are read, for the size of their noise.
    loss : DistillationLoss
        The scale.
    random_state : int, default=0
        Seed of the outcomes.

    Returns
    -------
    tuple of two ndarrays of shape (n, m)

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.distillation import simulated_targets
    >>> from semikd.losses import IdentityLoss
    >>> p, y = np.array([[1.0]]), np.array([[3.0]])
    >>> first, second = simulated_targets(p, y, loss=IdentityLoss())
    >>> sorted([first.item(), second.item()])
    [0.0, 2.0]
    """
    rng = np.random.default_rng(random_state)
    if isinstance(loss, IdentityLoss):
        away = rng.choice([-1.0, 1.0], size=(len(p), 1)) * (y - p)
        outcomes = (p + away, p - away)
    else:
        outcomes = (_drawn(p, rng), _drawn(p, rng))
    weight = np.full(len(p), _HALF_WAY)
    first, second = (corrected_target(loss, p, each, weight) for each in outcomes)
    return (
        np.asarray(loss.with_labels(first, outcomes[0])),
        np.asarray(loss.with_labels(second, outcomes[1])),
    )


def kept_noise(
    student: Student,
    X: Any,
    first: FloatArray,
    second: FloatArray,
    *,
    loss: DistillationLoss,
    n_outcomes: int | None = None,
    sample_weight: FloatArray | None = None,
    **options: Any,
) -> float:
    r"""Return the share of the noise of targets that fitted scores keep.

    .. math:: \kappa = \frac{\sum_i w_i \|\hat f_i(z) - \hat f_i(z')\|^2 / \sum_i w_i}
       {\sum_{i \le r} w_i \|z_i - z'_i\|^2 / \sum_{i \le r} w_i}

    over the rows of the fit, of which the first r have an outcome. For a projection
    its mean over the noise is the number of its coefficients over the rows; a fully
    grown tree keeps everything, 1.

    Parameters
    ----------
    student : Student
        Unfitted; two copies are fitted, with the same seed.
    X : array-like of shape (n, d)
        Covariates.
    first, second : ndarrays of shape (n, m)
        Targets, independent given the labels.
    loss : DistillationLoss
        The scale.
    n_outcomes : int, optional
        r; by default all rows.
    sample_weight : ndarray of shape (n,), optional
        Weights of the rows.
    **options
        What else the student's fit takes.

    Returns
    -------
    float
        In (0, 1]; 1 where the targets do not differ.

    Notes
    -----
    What differs between the fits is noise that was averaged, and splits that were taken
    because of noise where others were nearly as good. The second part hardly depends on
    how large the noise is. It makes the share too large for small trees on many rows,
    and where the labels say that outcomes are surer than they are: simulated ones are
    then too quiet. Weights become smaller than is best.

    References
    ----------
    .. [1] J. Ye, "On Measuring and Correcting the Effects of Data Mining and Model
       Selection", Journal of the American Statistical Association 93, 1998: degrees of
       freedom of what searches, by the covariance of fit and noise. Here they are the
       variance of the fit over that of the noise, which is what the student's squared
       error has in it.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from semikd.distillation import kept_noise
    >>> from semikd.losses import IdentityLoss
    >>> from semikd.students import as_student
    >>> rng = np.random.default_rng(0)
    >>> X, z = rng.uniform(size=(500, 3)), rng.normal(size=(2, 500, 1))
    >>> tree = as_student(DecisionTreeRegressor(max_leaf_nodes=8, random_state=0))
    >>> round(500 * kept_noise(tree, X, *z, loss=IdentityLoss()))
    35
    """
    scores = [
        student.copy()
        .fit_target(X, target, loss=loss, sample_weight=sample_weight, **options)
        .scores(X)
        for target in (first, second)
    ]
    # Slopes are differences of score and target, in the units of either.
    start = loss.gradient(scores[0], first)
    moved = _squares(loss.gradient(scores[1], first) - start)
    noise = _squares(loss.gradient(scores[0], second) - start)[:n_outcomes]
    weights = np.ones(len(moved)) if sample_weight is None else sample_weight
    total = float(np.average(noise, weights=weights[:n_outcomes]))
    if total <= 0.0:
        return 1.0
    kept = float(np.average(moved, weights=weights)) / total
    return float(np.clip(kept, np.finfo(np.float64).tiny, 1.0))


def _drawn(p: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return one-hot outcomes drawn from probabilities, shape (n, k)."""
    below = p.cumsum(axis=1)[:, :-1] < rng.uniform(size=(len(p), 1))
    return np.asarray(np.eye(p.shape[1])[below.sum(axis=1)])


def _squares(apart: FloatArray) -> FloatArray:
    """Return the squared length of each row."""
    return np.asarray((np.asarray(apart) ** 2).sum(axis=1))
