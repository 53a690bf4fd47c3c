"""Means of what is linear in outcomes: shares of classes, numbers, losses."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from semikd._random import RandomState
from semikd._validation import FloatArray
from semikd.inference._inputs import checked_level
from semikd.inference.bootstrap import normal_draws
from semikd.inference.powered.combining import Moves, powered_estimate
from semikd.inference.powered.gain import PoweredResult, gain_of, powered_conditions
from semikd.inference.powered.multiples import chosen_multiples
from semikd.inference.powered.rows import PartlyLabelled, checked_rows
from semikd.inference.student_law import StudentLaw

__all__ = ["LinearMoment", "powered_linear", "powered_means"]

# Of normal errors, for what holds together.
N_DRAWS = 10_000


@dataclass(frozen=True, eq=False)
class LinearMoment:
    r"""Weighted means of :math:`\sum_k p_{ik} \ell_{ikd}`.

    Parameters
    ----------
    rows : PartlyLabelled
        Outcomes and weights.
    table : ndarray of shape (k, d) or (n, k, d)
        ℓ, of each class (of all rows alike, or row by row).
    unlabelled : ndarray of shape (k, d) or (n_unlabelled, k, d)
        The same of the unlabelled rows.
    """

    rows: PartlyLabelled
    table: FloatArray
    unlabelled: FloatArray

    @property
    def n_free(self) -> int:
        """One: the mean that is taken off."""
        return 1

    @cached_property
    def start(self) -> FloatArray:
        """The means by outcomes alone, shape (d,)."""
        share, _ = self.rows.shares
        return np.asarray(share @ _along(self.rows.outcomes, self.table))

    def at(self, theta: FloatArray) -> Moves:
        """Return what each row adds to the mean, less the mean."""
        return lambda labels, more: (
            _along(labels, self.unlabelled if more else self.table) - theta
        )

    def slope(self, theta: FloatArray, share: FloatArray, _more: bool) -> FloatArray:
        """Return that a move is what is averaged, less the mean, (d, d)."""
        return np.asarray(share.sum() * np.eye(len(theta)))


def powered_means(
    rows: PartlyLabelled,
    *,
    power: float | None = None,
    level: float = 0.95,
    random_state: RandomState = None,
) -> PoweredResult:
    r"""Infer shares of classes, or means, with the help of unlabelled rows.

    .. math:: \hat\theta = \sum_i w_i y_i - \sum_k \lambda_k \Bigl(
       \sum_{i \in k} w_i \hat p^{(k)}(x_i) - w_{(k)} \sum_j v_j \hat p^{(k)}(x_j)
       \Bigr)

    with shares w of labelled rows i, v of unlabelled rows j, and the teachers
    :math:`\hat p^{(k)}` that did not see fold k, which has the share :math:`w_{(k)}`.

    Parameters
    ----------
    rows : PartlyLabelled
        Made by `partly_labelled`.
    power : float, optional
        λ in [0, 1] for all folds: 0 leaves the labels out, 1 trusts them as outcomes
        less their bias. By default the one of least variance, fold by fold, chosen on
        the other folds.
    level : float, default=0.95
        Confidence level.
    random_state : int, generator or None
        Seed of the draws behind simultaneous intervals.

    Returns
    -------
    PoweredResult
        The share of each class (of two the second), or the mean of each output;
        ``gain`` says what the unlabelled rows were worth.

    Raises
    ------
    ValueError
        If the level or λ is out of range.

    References
    ----------
    .. [1] A. N. Angelopoulos, J. C. Duchi and T. Zrnic, "PPI++: Efficient
       prediction-powered inference", 2023, Sections 2 and 6.
    .. [2] T. Zrnic and E. J. Candes, "Cross-prediction-powered inference", PNAS 121,
       2024, Section 2 (λ fold by fold is this library's).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from semikd import cross_fit
    >>> from semikd.inference import partly_labelled, powered_means
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(3000, 1))
    >>> y = (2 * X[:, 0] + rng.normal(size=3000) > 0).astype(int)
    >>> labels = cross_fit(LogisticRegression(), X[:300], y[:300], random_state=0)
    >>> rows = partly_labelled(labels, X[:300], y[:300], X[300:])
    >>> found = powered_means(rows, random_state=0)
    >>> found.names, bool(found.gain.effective_n[0] > 400)
    (('1',), True)
    """
    k = checked_rows(rows).outcomes.shape[1]
    only_second = rows.classes is not None and k == 2
    shown = [1] if only_second else list(range(k))
    table = np.eye(k)[:, shown]
    what = "share of each class" if rows.classes else "mean of the outcome"
    return powered_linear(
        LinearMoment(rows, table, table),
        tuple(rows.names[j] for j in shown),
        f"{what} in the population of the rows",
        power=power,
        level=level,
        random_state=random_state,
    )


def powered_linear(
    moment: LinearMoment,
    names: tuple[str, ...],
    estimand: str,
    *,
    power: float | None,
    level: float,
    random_state: RandomState,
) -> PoweredResult:
    """Return the result of means of what is linear in outcomes.

    Parameters
    ----------
    moment : LinearMoment
        The rows and what is averaged.
    names : tuple of str
        Name of each mean.
    estimand : str
        What is estimated, in words.
    power : float or None
        λ, where it is not to be chosen.
    level : float
        Confidence level.
    random_state : int, generator or None
        Seed of the draws.

    Returns
    -------
    PoweredResult
    """
    checked_level(level)
    rows = moment.rows
    units = np.eye(len(names))
    chosen = chosen_multiples(moment, rows, power)
    found = powered_estimate(moment, rows, chosen)
    return PoweredResult(
        names=names,
        estimate=found.estimate,
        covariance=found.covariance,
        law=StudentLaw.of_each(found.df),
        estimand=estimand,
        conditions=powered_conditions(rows),
        level=level,
        draws=normal_draws(found.covariance, N_DRAWS, random_state),
        gain=gain_of(found, rows, units, names),
    )


def _along(labels: FloatArray, table: FloatArray) -> FloatArray:
    """Return sums over classes of labels (n, k) times (k, d) or (n, k, d)."""
    return np.asarray(np.matmul(labels[:, None, :], table)[:, 0])
