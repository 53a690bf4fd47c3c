"""What one Newton step says of every row, had the fit not seen it.

The step is exact where the loss of the other rows is quadratic along it, and costs no
more than the Hessian itself.
"""

from dataclasses import dataclass, replace

import numpy as np

from semikd.crossfit.rows import Indices
from semikd.crossfit.shortcuts.labels import FallBack
from semikd.crossfit.shortcuts.logistic.likelihood import Likelihood
from semikd.simplex import FloatArray

__all__ = ["Optimum", "one_step", "optimum", "over_copies"]

# The optimum is found when no score can move by more than this.
_SETTLED = 1e-9
_STEPS = 30
# Steps that move a score by more than this are shortened.
_LONG = 0.5
# Scores that moved by more than this need a Hessian of their own: the curvature of a
# row, and with it the leverage, may change by that part.
_STALE = 0.01
# Where this little of a row's curvature is left, the other rows have no optimum.
_ALONE = 1e-8


@dataclass(frozen=True)
class Optimum:
    """The minimum of a penalised likelihood, and its curvature there.

    Parameters
    ----------
    theta : ndarray of shape (p, m)
        Coefficients.
    scores : ndarray of shape (n, m)
        Scores of the rows.
    inverse : ndarray of shape (m, p, m, p)
        Inverse of the Hessian.
    residual : ndarray of shape (n, m)
        Derivative of each row's weighted loss in its scores.
    curvature : ndarray of shape (n, m, m)
        Second derivative of each row's weighted loss.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.crossfit.shortcuts.logistic.newton_step import Optimum
    >>> row, one = np.ones((2, 1)), np.ones((1, 1, 1, 1))
    >>> at = Optimum(np.ones((1, 1)), row, one, row, row[:, :, None])
    >>> at.summed(np.array([0, 0])).residual.ravel()
    array([2., 2.])
    """

    theta: FloatArray
    scores: FloatArray
    inverse: FloatArray
    residual: FloatArray
    curvature: FloatArray

    def summed(self, unit: Indices) -> "Optimum":
        """Return it with the derivatives of each row summed over its copies."""
        return replace(
            self,
            residual=over_copies(self.residual, unit),
            curvature=over_copies(self.curvature, unit),
        )


def optimum(data: Likelihood, theta: FloatArray) -> Optimum:
    """Return the optimum near a fit that its solver left early, by Newton's method.

    The Hessian is kept while the scores hardly move: steps then shrink by a factor of
    the order of that move, at the price of a gradient.

    Parameters
    ----------
    data : Likelihood
        Rows, outcomes and penalty.
    theta : ndarray of shape (p, m)
        Coefficients to start from.

    Returns
    -------
    Optimum

    Raises
    ------
    FallBack
        If there is no unique optimum, such as for separable classes without a penalty.

    References
    ----------
    .. [1] F. Bach, "Self-concordant analysis for logistic regression", Electronic
       Journal of Statistics 4 (2010), Section 2.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.crossfit.shortcuts.logistic.likelihood import Likelihood
    >>> from semikd.crossfit.shortcuts.logistic.newton_step import optimum
    >>> X, codes = np.ones((4, 1)), np.array([0, 1, 1, 1])
    >>> data = Likelihood(X, 0.0, codes, np.ones(4), np.zeros(1), None)
    >>> bool(np.isclose(optimum(data, np.zeros((1, 1))).theta[0, 0], np.log(3)))
    True
    """
    scores, target, weight = data.scores(theta), data.target, data.weight[:, None]
    largest = max(1.0, float(np.abs(scores).max()))
    counts = data.weight > 0
    inverse, drift, before = _inverse_at(data, scores), 0.0, 0.0
    for _ in range(_STEPS):
        residual = weight * (data.mean(scores) - target)
        gradient = data.pull(residual) + data.penalty[:, None] * theta
        step = -_times(inverse, gradient)
        move = data.scores(step)
        size = float(np.abs(move).max())
        if not np.isfinite(size):
            break
        # The loss falls for certain along this part of a long step [1]_; a row without
        # weight has no say in it.
        far = float(np.abs(move[counts]).max())
        part = np.log1p(far) / far if far > _LONG else 1.0
        theta, scores = theta + part * step, scores + part * move
        # Steps shrink at least as fast as they last did.
        rate = min(1.0, size / before) if before else 1.0
        if size * rate <= _SETTLED * largest:
            residual = weight * (data.mean(scores) - target)
            return Optimum(theta, scores, inverse, residual, data.curvature(scores))
        before = size
        drift += size
        if drift > _STALE:
            inverse, drift, before = _inverse_at(data, scores), 0.0, 0.0
    raise FallBack("Newton steps find no optimum of the likelihood of all rows")


def one_step(data: Likelihood, best: Optimum) -> FloatArray:
    r"""Return how one Newton step without a row changes its own scores.

    .. math:: \Delta_i = A_i (I - C_i A_i)^{-1} r_i, \qquad A_i = x_i' H^{-1} x_i

    with :math:`r_i` and :math:`C_i` the row's residual and curvature: the step of the
    other rows' loss, whose Hessian is :math:`H - x_i C_i x_i'`.

    Parameters
    ----------
    data : Likelihood
        Rows, outcomes and penalty.
    best : Optimum
        Its optimum, derivatives summed over copies of a row.

    Returns
    -------
    ndarray of shape (n, m)

    Raises
    ------
    FallBack
        If without some row there is no unique optimum.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.crossfit.shortcuts.logistic.likelihood import Likelihood
    >>> from semikd.crossfit.shortcuts.logistic.newton_step import one_step, optimum
    >>> X, codes = np.ones((4, 1)), np.array([0, 0, 1, 1])
    >>> data = Likelihood(X, 0.0, codes, np.ones(4), np.zeros(1), None)
    >>> one_step(data, optimum(data, np.zeros((1, 1)))).ravel().round(3)
    array([ 0.667,  0.667, -0.667, -0.667])
    """
    step = np.empty_like(best.scores)
    for where, A in data.leverages(best.inverse):
        left = np.eye(data.n_scores) - best.curvature[where] @ A
        right = best.residual[where, :, None]
        if data.n_scores == 1:
            remains, solved = float(left.min()), right / left
        else:
            remains = float(np.linalg.det(left).min())
            solved = np.asarray(np.linalg.solve(left, right), dtype=np.float64)
        if remains < _ALONE:
            raise FallBack("without some row the other rows have no unique optimum")
        step[where] = (A @ solved)[:, :, 0]
    return step


def _inverse_at(data: Likelihood, scores: FloatArray) -> FloatArray:
    """Return the inverse Hessian at these scores."""
    inverse = data.inverse_hessian(data.curvature(scores))
    if inverse is None:
        raise FallBack("the likelihood of all rows has no unique optimum")
    return inverse


def _times(inverse: FloatArray, gradient: FloatArray) -> FloatArray:
    """Return the inverse Hessian times a gradient, both of shape (p, m)."""
    p, m = gradient.shape
    flat = inverse.reshape(m * p, m * p) @ gradient.T.ravel()
    return np.asarray(flat.reshape(m, p).T)


def over_copies(values: FloatArray, unit: Indices) -> FloatArray:
    """Return for each row the sum over its copies, in an array of any shape (n, ...).

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.crossfit.shortcuts.logistic.newton_step import over_copies
    >>> over_copies(np.array([[1.0], [2.0], [4.0]]), np.array([0, 1, 0])).ravel()
    array([5., 2., 5.])
    """
    if int(unit.max()) + 1 == len(unit):
        return values
    columns = values.reshape(len(values), -1).T
    sums = [np.bincount(unit, weights=column)[unit] for column in columns]
    return np.asarray(sums, dtype=np.float64).T.reshape(values.shape)
