"""The linear student: the smallest one, and the one whose coefficients are inferred."""

import warnings
from typing import Any, Self

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from semikd._tables import refuse_equal_names
from semikd._validation import (
    Shown,
    count,
    finite_array,
    invalid,
    number,
    sample_weights,
)
from semikd.losses import DistillationLoss
from semikd.simplex import FloatArray
from semikd.students._newton import (
    Solution,
    lbfgs,
    least_squares,
    newton,
    unbounded,
)
from semikd.students._objective import Objective, felt_directions
from semikd.students.classifier import StudentClassifier

__all__ = ["LinearStudent"]


# Beyond this many coefficients forming the Hessian costs more than it saves.
_NEWTON_COLUMNS = 500
# Unpenalised scores beyond this in an unfinished fit are on their way to infinity.
_RUNAWAY = 30.0
# Class shares below this are zero up to rounding.
_NO_SHARE = 1e-12


class LinearStudent(StudentClassifier):
    r"""Linear scores of least penalised loss, in double precision.

    .. math:: \min_{b, B}\; \sum_i w_i\, \ell(b + B x_i;\, \tau_i)
       + \tfrac{\text{ridge}}{2} \|B\|_F^2

    With cross-entropy this is scikit-learn's ``LogisticRegression`` with
    ``C = 1 / ridge`` (intercepts are not penalised), for soft and corrected targets
    too. Squared losses are solved in closed form, the others by Newton's method until
    no step moves a score by more than ``tol``: a weight then equals repeated rows.

    Parameters
    ----------
    loss : str or DistillationLoss, default='cross_entropy'
        The scale that ``fit`` uses: 'cross_entropy', 'log_probability', 'probability'
        or a loss; ``fit_target`` is given its own.
    ridge : float, default=1.0
        Penalty on the squared coefficients. 0 leaves them free, and picks the
        coefficients of minimum norm among equally good ones.
    fit_intercept : bool, default=True
        Whether scores have a constant term.
    tol : float, default=1e-8
        Largest change of a score in the last step, relative to the largest score
        (but at least 1).
    max_iter : int, default=200
        Largest number of Newton steps; ten times as many where L-BFGS takes their
        place, beyond 500 coefficients.

    Attributes
    ----------
    coef_ : ndarray of shape (m, d)
        Slopes of each score.
    intercept_ : ndarray of shape (m,)
        Constant term of each score.
    n_iter_ : int
        Number of steps taken.
    classes_ : ndarray of shape (k,)
        Class labels; positions 0 .. k-1 after ``fit_target``.
    loss_ : DistillationLoss
        The scale of the fitted scores.
    n_features_in_ : int
        Number of columns seen in the fit.
    feature_names_in_ : ndarray of shape (d,)
        Their names, where the table had names.

    Raises
    ------
    ValueError
        If no minimum exists: targets of a class with a mean that is not positive (its
        intercept is then infinite), or, without a penalty, separable classes and
        corrected targets too far outside [0, 1].

    Warns
    -----
    sklearn.exceptions.ConvergenceWarning
        If ``max_iter`` steps were not enough.

    Notes
    -----
    Softmax ignores a common shift of the scores, so with three or more classes the
    coefficients of all classes sum to zero on that scale, with and without a penalty.
    Columns are centred while fitting, unless they are sparse; the minimum norm is that
    of centred columns. A Newton step costs of the order of n (m d)² operations, and no
    array larger than the input.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.losses import CrossEntropyLoss
    >>> from semikd.students import LinearStudent
    >>> X, target = np.array([[0.0], [0.0], [1.0]]), np.array([[0.2], [0.4], [0.9]])
    >>> student = LinearStudent(ridge=0.0)
    >>> student.fit_target(X, target, loss=CrossEntropyLoss()).predict_proba(X).round(3)
    array([[0.7, 0.3],
           [0.7, 0.3],
           [0.1, 0.9]])
    """

    coef_: FloatArray
    intercept_: FloatArray
    n_iter_: int

    def __init__(
        self,
        *,
        loss: str | DistillationLoss = "cross_entropy",
        ridge: float = 1.0,
        fit_intercept: bool = True,
        tol: float = 1e-8,
        max_iter: int = 200,
    ) -> None:
        self.loss = loss
        self.ridge = ridge
        self.fit_intercept = fit_intercept
        self.tol = tol
        self.max_iter = max_iter

    def supports(
        self, loss: DistillationLoss, target_range: tuple[float, float] | None = None
    ) -> str | None:
        """Return None: every pointwise loss is minimised.

        Whether a minimum exists at targets outside [0, 1] depends on the rows together,
        not on the range, so that the fit itself decides it.
        """
        return None

    def _check_settings(self) -> None:
        """Refuse a ridge, tolerance or number of steps out of its range."""
        number("ridge", self.ridge, low=0.0)
        number("tol", self.tol, low=0.0, open_low=True)
        count("max_iter", self.max_iter)

    def complexity(self, n_samples: int, n_features: int, n_outputs: int) -> float:
        """Return the coefficients of one score over rows, at most 1."""
        return min(1.0, (n_features + bool(self.fit_intercept)) / n_samples)

    def n_coefficients(self) -> int:
        """Return the number of fitted slopes and intercepts."""
        check_is_fitted(self)
        intercepts = self.intercept_.size if self.fit_intercept else 0
        return int(self.coef_.size + intercepts)

    def fit_target(
        self,
        X: Any,
        target: FloatArray,
        *,
        loss: DistillationLoss,
        sample_weight: FloatArray | None = None,
    ) -> Self:
        """Minimise the penalised sum of losses at these targets."""
        self._check_settings()
        refuse_equal_names(X)
        X = validate_data(self, X, accept_sparse="csr", dtype=np.float64)
        target = finite_array("target", target, shape=(X.shape[0], None))
        weight = sample_weights(sample_weight, X.shape[0])
        X, target, weight = _used_rows(X, target, weight)
        A, center = _columns(X, weight, self.fit_intercept)
        penalty = np.full(A.shape[1], float(self.ridge))
        penalty[X.shape[1] :] = 0.0
        theta = self._solve(loss, A, target, weight, penalty)
        self._remember(loss, loss.n_scores(target))
        self._store(theta, center)
        return self

    def scores(self, X: Any) -> FloatArray:
        """Return the fitted scores on the scale of the loss, shape (n, m)."""
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse="csr", dtype=np.float64, reset=False)
        return np.asarray(X @ self.coef_.T) + self.intercept_

    def _solve(
        self,
        loss: DistillationLoss,
        A: Any,
        target: FloatArray,
        weight: FloatArray,
        penalty: FloatArray,
    ) -> FloatArray:
        """Return the coefficients of all scores, shape (c, m)."""
        width = loss.n_scores(target)
        if loss.is_squared:
            self.n_iter_ = 1
            factor = float(loss.curvature(np.zeros((1, width)))[0, 0, 0])
            return least_squares(A, target, weight, penalty / factor)
        if self.fit_intercept:
            _check_intercept(loss, np.average(target, axis=0, weights=weight), width)
        basis = felt_directions(loss, width)
        objective = Objective(A, target, weight, loss, penalty, basis)
        small = A.shape[1] * width <= _NEWTON_COLUMNS
        found = (newton if small else lbfgs)(
            objective, tol=self.tol, max_iter=self.max_iter
        )
        self.n_iter_ = found.n_iter
        if not found.converged:
            _report(objective, found, self.tol)
        return np.asarray(found.theta @ basis.T)

    def _store(self, theta: FloatArray, center: FloatArray) -> None:
        """Keep slopes and intercepts in the units of the columns as they came."""
        d = len(center)
        self.coef_ = np.ascontiguousarray(theta[:d].T)
        intercept = theta[d] if self.fit_intercept else np.zeros(theta.shape[1])
        self.intercept_ = intercept - self.coef_ @ center

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _report(objective: Objective, found: Solution, tol: float) -> None:
    """Warn that the solver stopped early, or refuse if it was running away."""
    F = objective.scores(found.theta)
    if not objective.penalty.any() and np.abs(F).max() > _RUNAWAY:
        raise unbounded(F)
    warnings.warn(
        f"LinearStudent did not converge in {found.n_iter} steps: the last one moved "
        f"scores by {found.last_move:.1e} of the largest, and tol is {tol:.1e}. "
        "Increase max_iter or ridge, or scale the columns.",
        ConvergenceWarning,
        stacklevel=4,
    )


def _used_rows(
    X: Any, target: FloatArray, weight: FloatArray | None
) -> tuple[Any, FloatArray, FloatArray]:
    """Return the rows of positive weight, and the weights."""
    if weight is None:
        return X, target, np.ones(X.shape[0])
    used = weight > 0
    if used.all():
        return X, target, weight
    return X[used], target[used], weight[used]


def _columns(X: Any, weight: FloatArray, intercept: bool) -> tuple[Any, FloatArray]:
    """Return centred columns beside a constant one, and what was subtracted."""
    n, d = X.shape
    if not intercept:
        return X, np.zeros(d)
    if sparse.issparse(X):
        return sparse.hstack([X, np.ones((n, 1))], format="csr"), np.zeros(d)
    center = np.average(X, axis=0, weights=weight)
    A = np.empty((n, d + 1))
    np.subtract(X, center, out=A[:, :d])
    A[:, d] = 1.0
    return A, center


def _check_intercept(loss: DistillationLoss, mean: FloatArray, width: int) -> None:
    """Refuse targets whose mean no finite intercept can reach, penalty or not."""
    # Gradients are affine in the target, so the mean stands for all rows.
    ways = [np.ones(1), -np.ones(1)] if width == 1 else list(-np.eye(width))
    for way in ways:
        slope = loss.gradient(1e200 * way[None], mean[None])[0] @ way
        if slope <= _NO_SHARE:
            raise invalid(
                "target",
                "have a positive mean for every class, or no intercept is finite",
                Shown(f"mean {np.array2string(mean, precision=3)}"),
                "Use a smaller correction, or fit_intercept=False",
            )
