"""A linear function by outcomes of a few rows and labels of many."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from semikd._random import RandomState
from semikd._validation import FloatArray, Shown, invalid
from semikd.inference._inputs import checked_level
from semikd.inference.bootstrap import normal_draws
from semikd.inference.columns import Columns, made_columns
from semikd.inference.designs import check_determined
from semikd.inference.powered.coefficients import newton_moves
from semikd.inference.powered.combining import Moves, powered_estimate
from semikd.inference.powered.gain import PoweredResult, gain_of, powered_conditions
from semikd.inference.powered.linear import N_DRAWS
from semikd.inference.powered.multiples import chosen_multiples
from semikd.inference.powered.rows import PartlyLabelled, checked_rows
from semikd.inference.student_law import StudentLaw

__all__ = ["powered_regression"]


def powered_regression(
    rows: PartlyLabelled,
    X: Any,
    unlabelled: Any,
    *,
    fit_intercept: bool = True,
    power: float | None = None,
    level: float = 0.95,
    random_state: RandomState = None,
) -> PoweredResult:
    r"""Infer the linear function nearest to an outcome, with unlabelled rows' help.

    .. math:: \theta = \operatorname*{argmin}_b E\bigl[w\, (y - b^\top x)^2\bigr]

    At the estimate

    .. math:: \sum_i w_i\, m(y_i, x_i) - \sum_k \Lambda_k \Bigl(\sum_{i \in k} w_i\,
       m(\hat y^{(k)}_i, x_i) - w_{(k)} \sum_j v_j\, m(\hat y^{(k)}_j, x_j)\Bigr) = 0,
       \qquad m(y, x) = \Bigl(\sum_i w_i x_i x_i^\top\Bigr)^{-1} x\, (y - \theta^\top x)

    with shares w, v of labelled and unlabelled rows. :math:`\Lambda_k` is diagonal in
    the coefficients of columns of mean 0 and deviation 1 (without an intercept, of mean
    square 1): one λ for each.

    Parameters
    ----------
    rows : PartlyLabelled
        Made by `partly_labelled` from labels of a regression.
    X : array-like or data frame of shape (n, d)
        The columns that the coefficients belong to, of all labelled rows in their
        order; the teachers may have read others.
    unlabelled : array-like or data frame of shape (n_unlabelled, d)
        The same columns of the unlabelled rows.
    fit_intercept : bool, default=True
        Whether a constant column is added.
    power : float, optional
        λ in [0, 1] for all coefficients and folds: 0 is least squares on the labelled
        rows. By default the one of least variance, chosen on the other folds.
    level : float, default=0.95
        Confidence level.
    random_state : int, generator or None
        Seed of the draws behind simultaneous intervals.

    Returns
    -------
    PoweredResult
        Slopes and, last, the intercept; of several outputs each in turn. The covariance
        is HC1, or CRV1 with clusters. ``gain`` says what unlabelled rows were worth.

    Raises
    ------
    ValueError, TypeError
        If labels are of classes, tables have other rows or columns, columns depend on
        one another, or there are too few rows or clusters.

    See Also
    --------
    powered_coefficients : Of classes.
    powered_means : Without columns.

    References
    ----------
    .. [1] A. N. Angelopoulos, J. C. Duchi and T. Zrnic, "PPI++: Efficient
       prediction-powered inference", 2023, Sections 3 and 6 (one λ for all; for each
       coefficient it is this library's).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LinearRegression
    >>> from semikd import cross_fit
    >>> from semikd.inference import partly_labelled, powered_regression
    >>> rng = np.random.default_rng(0)
    >>> W = rng.normal(size=(3000, 2))
    >>> y = W.sum(axis=1) + 0.3 * rng.normal(size=3000)
    >>> labels = cross_fit(LinearRegression(), W[:300], y[:300], random_state=0)
    >>> rows = partly_labelled(labels, W[:300], y[:300], W[300:])
    >>> found = powered_regression(rows, W[:300, :1], W[300:, :1], random_state=0)
    >>> found.names, bool(found.gain.effective_n[0] > 1500)
    (('x0', 'intercept'), True)
    """
    if checked_rows(rows).classes is not None:
        shown, remedy = Shown("labels of classes"), "Use powered_coefficients"
        raise invalid("rows", "have labels of a regression", shown, remedy)
    checked_level(level)
    moment = _squares(rows, X, unlabelled, fit_intercept=fit_intercept)
    found = powered_estimate(moment, rows, chosen_multiples(moment, rows, power))
    names = moment.columns.all_names
    if (m := len(rows.names)) > 1:
        names = tuple(f"{output}: {name}" for output in rows.names for name in names)
    units = np.asarray(np.kron(np.eye(m), moment.columns.to_units()))
    return PoweredResult(
        names=names,
        estimate=units @ found.estimate,
        covariance=units @ found.covariance @ units.T,
        law=StudentLaw.of_each(found.df),
        estimand="the linear function of least mean squared distance to the outcome",
        conditions=powered_conditions(rows),
        level=level,
        draws=normal_draws(found.covariance, N_DRAWS, random_state) @ units.T,
        gain=gain_of(found, rows, units, names),
    )


def _squares(
    rows: PartlyLabelled, X: Any, unlabelled: Any, *, fit_intercept: bool
) -> "_Squares":
    """Return standard columns of both sides, once they determine coefficients."""
    share, _ = rows.shares
    own = rows.of_given("X", X)
    columns, standard = made_columns(
        own, np.arange(rows.n_labelled), share, fit_intercept=fit_intercept
    )
    units = rows.units[: rows.n_labelled]
    clusters = np.unique(units, return_inverse=True)[1]
    check_determined(
        columns,
        standard,
        rows.weights,
        (clusters,) if rows.has_clusters else (),
    )
    table = rows.of_unlabelled("unlabelled", unlabelled)
    more = columns.standard(table, name="unlabelled")
    return _Squares(columns, standard, more, share, rows.outcomes)


@dataclass(frozen=True, eq=False)
class _Squares:
    """Scores of least squares, as moves of the coefficients of standard columns."""

    columns: Columns
    standard: FloatArray
    unlabelled: FloatArray
    share: FloatArray
    outcomes: FloatArray

    @property
    def n_free(self) -> int:
        """Coefficients of each output."""
        return int(self.standard.shape[1])

    @cached_property
    def start(self) -> FloatArray:
        """The coefficients by outcomes alone, shape (d,)."""
        root = np.sqrt(self.share)[:, None]
        found = np.linalg.lstsq(root * self.standard, root * self.outcomes)[0]
        return np.asarray(found.T.ravel())

    def at(self, theta: FloatArray) -> Moves:
        """Return what a row moves the coefficients."""
        sides = {False: self.standard, True: self.unlabelled}
        shaped = theta.reshape(self.outcomes.shape[1], -1)
        inverse = np.kron(np.eye(len(shaped)), np.linalg.inv(self._squared))
        return lambda labels, more: newton_moves(
            labels - sides[more] @ shaped.T, sides[more], inverse
        )

    def slope(self, theta: FloatArray, share: FloatArray, more: bool) -> FloatArray:
        """Return the squares of some rows beside those of all labelled ones, (d, d)."""
        z = self.unlabelled if more else self.standard
        own = np.linalg.solve(self._squared, (share[:, None] * z).T @ z)
        return np.kron(np.eye(len(theta) // len(own)), own)

    @cached_property
    def _squared(self) -> FloatArray:
        """The mean square of standard columns of labelled rows, (p, p)."""
        return np.asarray((self.share[:, None] * self.standard).T @ self.standard)
