"""A logistic model by outcomes of a few rows and labels of many."""

from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np

from semikd._random import RandomState
from semikd._validation import FloatArray
from semikd.inference._inputs import checked_level
from semikd.inference.coefficients import Coefficients, coefficients_of
from semikd.inference.designs import Design, made_design
from semikd.inference.fitted import class_scores
from semikd.inference.likelihood import (
    likelihood_equation,
    most_likely,
    nearest_model,
)
from semikd.inference.powered.combining import Moves, powered_estimate
from semikd.inference.powered.gain import (
    PredictionGain,
    gain_of,
    powered_conditions,
)
from semikd.inference.powered.multiples import chosen_multiples
from semikd.inference.powered.rows import PartlyLabelled, checked_rows
from semikd.simplex import softmax

__all__ = ["PoweredCoefficients", "newton_moves", "powered_coefficients"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class PoweredCoefficients(Coefficients):
    """Coefficients with the help of unlabelled rows, and what these were worth.

    Everything of `Coefficients`.

    Parameters
    ----------
    gain : PredictionGain
        What unlabelled rows bought.

    See Also
    --------
    powered_coefficients : Makes it.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd import external_labels
    >>> from semikd.inference import partly_labelled, powered_coefficients
    >>> X, y = np.arange(16.0)[:, None], np.array([0, 1, 0, 0, 1, 0, 1, 1])
    >>> p = np.linspace(0.1, 0.9, 16)
    >>> labels = external_labels(X[::2], p[::2], classes=[0, 1])
    >>> more = external_labels(X[1::2], p[1::2], classes=[0, 1])
    >>> rows = partly_labelled(labels, X[::2], y, more)
    >>> found = powered_coefficients(rows, X[::2], X[1::2])
    >>> found.gain.n_unlabelled
    8
    """

    gain: PredictionGain

    def _notes(self) -> tuple[str, ...]:
        """Return what unlabelled rows bought, below the table."""
        return (str(self.gain),)


def powered_coefficients(
    rows: PartlyLabelled,
    X: Any,
    unlabelled: Any,
    *,
    reference: Any = None,
    fit_intercept: bool = True,
    power: float | None = None,
    level: float = 0.95,
    random_state: RandomState = None,
) -> PoweredCoefficients:
    r"""Infer a logistic model with the help of unlabelled rows.

    The estimand of `likelihood_coefficients`. At the estimate

    .. math:: \sum_i w_i\, m(y_i, x_i) - \sum_k \Lambda_k \Bigl(\sum_{i \in k} w_i\,
       m(\hat p^{(k)}_i, x_i) - w_{(k)} \sum_j v_j\, m(\hat p^{(k)}_j, x_j)\Bigr) = 0,
       \qquad m(p, x) = J^{-1} (p - \pi_\theta(x)) \otimes x

    with shares w, v of labelled and unlabelled rows and J the information in a labelled
    row. :math:`\Lambda_k` is diagonal in the coefficients of columns of mean 0 and
    deviation 1: one λ for each.

    Parameters
    ----------
    rows : PartlyLabelled
        Made by `partly_labelled`.
    X : array-like or data frame of shape (n, d)
        The columns that the coefficients belong to, of all labelled rows in their
        order; the teachers may have read others.
    unlabelled : array-like or data frame of shape (n_unlabelled, d)
        The same columns of the unlabelled rows.
    reference : class label, optional
        The class that the log-odds are against; by default the first.
    fit_intercept : bool, default=True
        Whether a constant column is added.
    power : float, optional
        λ in [0, 1] for all coefficients and folds: 0 is `likelihood_coefficients`. By
        default the one of least variance, chosen on the other folds.
    level : float, default=0.95
        Confidence level.
    random_state : int, generator or None
        Seed of the draws behind simultaneous intervals.

    Returns
    -------
    PoweredCoefficients
        Slopes and, last, the intercept; with three or more classes for each class but
        the reference. The covariance is HC1, or CRV1 with clusters.

    Raises
    ------
    ValueError, TypeError
        If labels are numbers, tables have other rows or columns, columns depend on one
        another, classes can be separated, or no coefficients balance.

    References
    ----------
    .. [1] A. N. Angelopoulos, J. C. Duchi and T. Zrnic, "PPI++: Efficient
       prediction-powered inference", 2023, Sections 3 and 6 (one λ for all; for each
       coefficient it is this library's).
    .. [2] T. Zrnic and E. J. Candes, "Cross-prediction-powered inference", PNAS 121,
       2024, Section 4.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from semikd import cross_fit
    >>> from semikd.inference import partly_labelled, powered_coefficients
    >>> rng = np.random.default_rng(0)
    >>> W = rng.normal(size=(3000, 2))
    >>> y = (W.sum(axis=1) + 0.3 * rng.normal(size=3000) > 0).astype(int)
    >>> labels = cross_fit(LogisticRegression(), W[:300], y[:300], random_state=0)
    >>> rows = partly_labelled(labels, W[:300], y[:300], W[300:])
    >>> found = powered_coefficients(rows, W[:300, :1], W[300:, :1], random_state=0)
    >>> found.names, bool(found.gain.effective_n[0] > 600)
    (('x0', 'intercept'), True)
    """
    classes = checked_rows(rows).need_classes()
    checked_level(level)
    design = made_design(
        rows.of_given("X", X),
        rows.y,
        reference=reference,
        fit_intercept=fit_intercept,
        sample_weight=rows.weights,
        clusters=rows.units[: rows.n_labelled] if rows.has_clusters else None,
    )
    more = design.columns.standard(
        rows.of_unlabelled("unlabelled", unlabelled), name="unlabelled"
    )
    order = [classes.index(label) for label in design.classes[1:]]
    units = np.asarray(np.kron(np.eye(len(order)), design.columns.to_units()))
    moment = _Likelihood(design, more, rows.shares[0], order)
    found = powered_estimate(moment, rows, chosen_multiples(moment, rows, power))
    gain = gain_of(found, rows, units, design.coefficient_names)
    powered: PoweredCoefficients = coefficients_of(
        found.estimate.reshape(len(order), -1),
        found.covariance,
        found.df,
        design,
        partial(PoweredCoefficients, gain=gain),
        estimand=nearest_model(design),
        conditions=powered_conditions(rows),
        level=level,
        random_state=random_state,
    )
    return powered


def newton_moves(
    residual: FloatArray, columns: FloatArray, inverse: FloatArray
) -> FloatArray:
    """Return what each row moves coefficients, by one Newton step.

    Parameters
    ----------
    residual : ndarray of shape (n, m)
        Labels less what the coefficients say.
    columns : ndarray of shape (n, p)
        What they multiply.
    inverse : ndarray of shape (m p, m p)
        That of the mean information.

    Returns
    -------
    ndarray of shape (n, m p)
    """
    spread = residual[:, :, None] * columns[:, None, :]
    return np.asarray(spread.reshape(len(spread), -1) @ inverse)


@dataclass(frozen=True, eq=False)
class _Likelihood:
    """Scores of the likelihood, as moves of the coefficients of standard columns."""

    design: Design
    unlabelled: FloatArray
    share: FloatArray
    order: list[int]

    @property
    def standard(self) -> FloatArray:
        """The columns of the labelled rows."""
        return self.design.standard

    @cached_property
    def start(self) -> FloatArray:
        """The coefficients by outcomes alone, shape (d,)."""
        return most_likely(self.design).estimate.ravel()

    @property
    def n_free(self) -> int:
        """Coefficients."""
        return int(self.standard.shape[1]) * len(self.order)

    def at(self, theta: FloatArray) -> Moves:
        """Return what a row moves the coefficients, by one Newton step."""
        sides = {False: self.standard, True: self.unlabelled}
        shaped = theta.reshape(len(self.order), -1)
        p = {more: softmax(class_scores(z, shaped))[:, 1:] for more, z in sides.items()}
        inverse = np.asarray(np.linalg.inv(self._bent(theta)))

        return lambda labels, more: newton_moves(
            labels[:, self.order] - p[more], sides[more], inverse
        )

    def slope(self, theta: FloatArray, share: FloatArray, more: bool) -> FloatArray:
        """Return the information of some rows beside that of all labelled ones."""
        own = self._bent(theta, share, more)
        return np.asarray(np.linalg.solve(self._bent(theta), own))

    def _bent(
        self, theta: FloatArray, share: FloatArray | None = None, more: bool = False
    ) -> FloatArray:
        """Return the information of rows with these shares, by default all, (d, d)."""
        z = self.unlabelled if more else self.standard
        shaped = theta.reshape(len(self.order), -1)
        weights = self.share if share is None else share
        return likelihood_equation(z, None, weights, shaped).jacobian
