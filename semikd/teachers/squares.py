"""A classifier made of a regressor: the mean of an indicator is a probability.

Regressors that are linear in the outcomes have exact leave-one-out labels from one fit;
this brings them, and the projection that makes them probabilities, to classification.
"""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.linear_model import Ridge
from sklearn.utils import check_consistent_length, column_or_1d, get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from semikd._tables import refuse_equal_names
from semikd._validation import Shown, invalid, sample_weights
from semikd.crossfit import fit_learner, row_hashes
from semikd.crossfit.folds import Rows
from semikd.crossfit.indicators import indicator_probabilities
from semikd.crossfit.learners import require_weights
from semikd.crossfit.shortcuts.choosing import Strategy
from semikd.crossfit.shortcuts.exact import EXACT
from semikd.crossfit.shortcuts.hooks import Hook
from semikd.crossfit.shortcuts.labels import FallBack, last_step
from semikd.simplex import FloatArray, one_hot

__all__ = ["SquaresTeacher"]


def _strategy(teacher: "SquaresTeacher") -> Strategy | None:
    """Return what labels the rows from one fit of the regressor, if anything does."""
    learner = last_step(teacher._regressor())
    known: tuple[Strategy, ...] = (Hook("leave_one_out"), *EXACT)
    return next((one for one in known if one.handles(learner)), None)


class SquaresTeacher(ClassifierMixin, BaseEstimator):
    r"""A classifier that regresses the indicators of the classes on the covariates.

    .. math:: \hat p(x) = \operatorname{project}(\hat f(x)), \qquad
       \hat f_j(x) \approx E[\mathbf 1\{Y = j\} \mid x] = P(Y = j \mid x)

    so that a regressor which estimates conditional means estimates the probabilities
    themselves; the projection onto the simplex moves only what left it. With two
    classes one indicator is fitted, and cut off at 0 and 1.

    Parameters
    ----------
    regressor : estimator, optional
        Any scikit-learn regressor, or Pipeline that ends in one. None means ``Ridge()``
        with its default penalty; a penalty towards infinity gives the shares of the
        classes.

    Attributes
    ----------
    classes_ : ndarray of shape (k,)
        Class labels.
    regressors_ : tuple of estimators
        The fitted regressors: one where there are two classes or it predicts several
        outputs at once, else one for each class.
    n_features_in_ : int
        Number of columns seen in the fit.

    See Also
    --------
    semikd.cross_fit : With ``cv="loo"`` labels all rows from the one fit.

    Notes
    -----
    For ridge regression, least squares, kernel ridge, Gaussian processes with a fixed
    kernel, nearest neighbours and any regressor with a ``hat_matrix`` or a method
    ``leave_one_out`` of its own, leave-one-out labels are those of n refits, to
    rounding.

    References
    ----------
    .. [1] T. Hastie, R. Tibshirani and J. Friedman, "The Elements of Statistical
       Learning", 2nd ed., Springer 2009, Section 4.2 (regression of indicators; the
       projection is this library's).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.kernel_ridge import KernelRidge
    >>> from semikd import cross_fit
    >>> from semikd.teachers import SquaresTeacher
    >>> X = np.linspace(-1, 1, 20)[:, None]
    >>> y = np.where(X[:, 0] > 0, "high", "low")
    >>> teacher = SquaresTeacher(KernelRidge(kernel="rbf", alpha=0.1))
    >>> teacher.fit(X, y).predict([[-0.5], [0.5]])
    array(['low', 'high'], dtype='<U4')
    >>> cross_fit(teacher, X, y, cv="loo").mean.shape
    (20, 2)
    """

    def __init__(self, regressor: Any = None) -> None:
        self.regressor = regressor

    def fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Fit the regressor to the indicators of the classes.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n, d)
            Covariates, as the regressor takes them.
        y : array-like of shape (n,)
            Class labels.
        sample_weight : array-like of shape (n,), optional
            Weights of the rows.

        Returns
        -------
        SquaresTeacher

        Raises
        ------
        ValueError
            If there is only one class.
        TypeError
            If there are weights and the regressor takes none.
        """
        X, targets, weights = self._taken(X, y, sample_weight)
        regressor = self._regressor()
        self.regressors_ = tuple(
            fit_learner(clone(regressor), X, target, weights) for target in targets
        )
        return self

    def predict_proba(self, X: Any) -> FloatArray:
        """Return class probabilities, shape (n, k)."""
        check_is_fitted(self)
        said = [_columns(regressor.predict(X)) for regressor in self.regressors_]
        return indicator_probabilities(np.concatenate(said, axis=1))

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most likely class of each row, shape (n,)."""
        proba = self.predict_proba(X)
        return np.asarray(self.classes_[proba.argmax(axis=1)])

    @available_if(_strategy)  # type: ignore[untyped-decorator]
    def leave_one_out(
        self,
        X: Any,
        y: ArrayLike,
        *,
        units: ArrayLike,
        sample_weight: ArrayLike | None = None,
    ) -> FloatArray:
        """Fit to all rows, and return what fits without each unit would say of it.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n, d)
            Covariates.
        y : array-like of shape (n,)
            Class labels.
        units : array-like of int of shape (n,)
            Rows that leave together: copies of a row, or a group.
        sample_weight : array-like of shape (n,), optional
            Positive weights of the rows.

        Returns
        -------
        ndarray of shape (n, k)
            Probabilities, NaN where there is no honest label.

        Raises
        ------
        FallBack
            If the regressor's settings rule exact labels out.
        """
        X, targets, weights = self._taken(X, y, sample_weight)
        regressor, strategy = self._regressor(), _strategy(self)
        rows = _rows(X, np.asarray(units), weights)
        reason = strategy.why_not(regressor, X, rows) if strategy else "no shortcut"
        if strategy is None or reason is not None:
            raise FallBack(reason)
        found = [
            strategy.labels(regressor, X, target, rows, seed=0, n_jobs=None)
            for target in targets
        ]
        self.regressors_ = tuple(shortcut.teacher for shortcut in found)
        said = np.concatenate([shortcut.prediction for shortcut in found], axis=1)
        return indicator_probabilities(said)

    def _regressor(self) -> Any:
        """Return the regressor to copy."""
        return Ridge() if self.regressor is None else self.regressor

    def _taken(
        self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None
    ) -> tuple[Any, list[FloatArray], FloatArray | None]:
        """Return checked rows, the targets of each fit, and weights."""
        regressor = self._regressor()
        tags = get_tags(regressor)
        if hasattr(X, "columns"):
            refuse_equal_names(X)
            validate_data(self, X, skip_check_array=True)
            labels = column_or_1d(y, warn=True)
            check_consistent_length(X, labels)
        else:
            # The regressor decides what it reads: words, missing values, sparse rows.
            reads = {"dtype": None, "accept_sparse": tags.input_tags.sparse}
            X, labels = validate_data(self, X, y, ensure_all_finite=False, **reads)
        weights = sample_weights(sample_weight, len(labels))
        if weights is not None:
            require_weights(regressor, "regressor")
        check_classification_targets(labels)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        k = len(self.classes_)
        if k < 2:
            shown = Shown(f"1 class: {self.classes_.tolist()[0]!r}")
            raise invalid("y", "have at least two classes", shown)
        indicators = one_hot(codes, k)
        if k == 2:
            return X, [indicators[:, 1]], weights
        several = tags.target_tags.multi_output
        return X, [indicators] if several else list(indicators.T), weights

    def __sklearn_tags__(self) -> Any:
        """Say that the input is what the regressor takes."""
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self._regressor()).input_tags
        return tags


def _columns(said: ArrayLike) -> FloatArray:
    """Return predictions as columns."""
    table = np.asarray(said, dtype=np.float64)
    return table[:, None] if table.ndim == 1 else table


def _rows(X: Any, units: NDArray[Any], weights: FloatArray | None) -> Rows:
    """Return identity and weight of rows of which these leave together."""
    n, none = len(units), np.zeros(len(units), dtype=np.intp)
    if len(np.unique(units)) == n:
        return Rows(np.arange(n, dtype=np.uint64), none, None, None, weights)
    return Rows(row_hashes(X), none, None, units, weights)
