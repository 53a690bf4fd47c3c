"""The weight of the labels, estimated from what they say against the teacher."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semikd.corrections._answers import Answers
from semikd.corrections._columns import codes, readable
from semikd.corrections._levels import FEWEST, error_level
from semikd.corrections._residuals import ResidualFits, units_of
from semikd.corrections.base import Correction, UnfittedCorrection
from semikd.corrections.rowwise import RowwiseCorrection
from semikd.crossfit import hash_values, row_hashes, take_rows
from semikd.crossfit.learners import check_teacher
from semikd.losses import DistillationLoss
from semikd.simplex import FloatArray


@dataclass(frozen=True)
class EstimatedCorrection(UnfittedCorrection):
    r"""The balancing weight with the teacher's squared error estimated from the data.

    .. math:: \Lambda(x) = \frac{\hat\rho^2(x)}{\hat\rho^2(x) + \kappa\,
       \operatorname{tr}[J_\varphi(\operatorname{diag}\hat p - \hat p \hat p^\top)
       J_\varphi^\top]}

    It minimises an estimate of :math:`(1 - \Lambda)^2 \rho^2 + \Lambda^2 \kappa\,
    \mathrm{noise}`, squared bias plus variance of a student of :math:`\kappa n` degrees
    of freedom, row by row. The label of a row takes no part in its own weight.

    The mean of :math:`\rho^2` comes from products :math:`g_1 g_2` of two regressions of
    the residual :math:`y - \hat p` on x and :math:`\hat p`, fitted to disjoint halves
    of the *other* folds. Their noises are independent, so that the product does not
    count noise as error, as the square of one regression would. Two factors follow.
    Smooth regressions are too small; their match with residuals of rows that they did
    not see, :math:`\mathrm{E}[(y - \hat p)\,\bar g]`, says by how much, and at most
    doubles the mean. And the mean is multiplied by the positive part of
    :math:`1 - (\log n / t^2)^2`, t the studentized match, which is 0 for a perfect
    teacher with probability towards one; n counts distinct rows, or groups where there
    are such, by which t is studentized too. The error of a row is then guessed as
    :math:`b\,\bar g(x)`, with b the mean over :math:`\mathrm{E}[\bar g^2]`, and what
    that leaves, a share 1 - b of the mean, is spread over all rows alike:
    :math:`\hat\rho^2(x) = b^2\,\bar g(x)^2 + (1 - b)\,(\text{the mean})`.

    Parameters
    ----------
    regressor : estimator, optional
        What residuals are regressed by; it must read the columns of x as numbers with
        NaN for gaps. By default a small ``HistGradientBoostingRegressor``.
    local : bool, default=True
        False gives every row the mean squared error.
    group_by : str or int, optional
        Name or position of a column whose values divide the rows into groups, each with
        a mean of its own. One with under 30 distinct rows (of whatever is passed to
        ``fit`` as ``groups``: under 30 of those) has that of all rows.
    random_state : int, default=0
        Seed of the regressor.

    Raises
    ------
    ValueError
        If it is asked for weights before ``fit``, or ``group_by`` names no column.

    Notes
    -----
    For a perfect teacher the weight tends to 0 and the student is that of plain
    distillation; an error that stays as n grows is found, and the weight of a student
    with :math:`\kappa \to 0` tends to 1. What is found is the error that the teachers
    of different folds share. The error of a single fold's teacher, which is independent
    from fold to fold, is not, and a student averages it out.

    Where :math:`\varphi` bends, let :math:`\tilde p` be the answer moved by the
    estimated error. Then :math:`\rho^2` is the product of the error of
    :math:`\varphi(\hat p)` and its linear part, what the linear part overshoots is
    added to the denominator, and the noise is the larger of those at :math:`\hat p` and
    at :math:`\tilde p`: on a log scale a first-order step away from an over-confident
    answer goes much too far.

    :math:`\kappa` is counted for linear students; for others the student is fitted two
    times more, see :func:`~semikd.distillation.kept_noise`.

    Ten regressions are fitted for each output. Images, documents and sparse tables of
    more than 1,000 columns are not read, the teacher's answers then stand for them.
    With too few rows to form three parts the correction is none. In-sample,
    leave-one-out and out-of-bag labels depend on their own outcomes: estimate from the
    labels of folds only.

    References
    ----------
    .. [1] T. Dao et al., "Knowledge Distillation as Semiparametric Inference",
       ICLR 2021, whose strength is tuned by hand. Estimating it, and weighing the noise
       by the student's complexity, are this library's reconstruction.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.corrections import EstimatedCorrection
    >>> from semikd.losses import ProbabilityLoss
    >>> from semikd.simplex import one_hot
    >>> rng = np.random.default_rng(0)
    >>> X, fold = rng.uniform(size=(2000, 1)), np.arange(2000) % 5
    >>> y = one_hot((rng.uniform(size=2000) < X[:, 0]).astype(int), 2)
    >>> right, wrong = np.column_stack([1 - X, X]), np.full((2000, 2), 0.5)
    >>> loss, rule = ProbabilityLoss(), EstimatedCorrection()
    >>> fitted = rule.fit(right, y, X=X, loss=loss, fold=fold)
    >>> bool(fitted.weight(right, X, loss, complexity=0.01).mean() < 0.05)
    True
    >>> fitted = rule.fit(wrong, y, X=X, loss=loss, fold=fold)
    >>> bool(fitted.weight(wrong, X, loss, complexity=0.01).mean() > 0.8)
    True
    """

    regressor: Any = None
    local: bool = True
    group_by: str | int | None = None
    random_state: int = 0

    def __post_init__(self) -> None:
        if self.regressor is not None:
            check_teacher(self.regressor, classification=False, name="regressor")

    def fit(
        self,
        p: FloatArray,
        y: FloatArray,
        *,
        X: Any,
        loss: DistillationLoss,
        fold: NDArray[np.intp],
        sample_weight: FloatArray | None = None,
        groups: NDArray[Any] | None = None,
    ) -> Correction:
        """Return the rule for these rows, each weighed by what other folds say."""
        group = np.zeros(len(p), dtype=np.intp)
        if self.group_by is not None:
            group = codes(X, self.group_by)
        known = np.isfinite(p).all(axis=1)
        if sample_weight is not None:
            known &= sample_weight > 0
        rows = np.flatnonzero(known)
        answers = Answers(p[rows], y[rows], take_rows(X, rows), loss)
        weights = np.ones(len(p)) if sample_weight is None else sample_weight
        parts = np.full((3, len(p)), np.nan)
        keys = row_hashes(answers.X)
        if groups is not None:
            keys = hash_values(np.asarray(groups)[rows])
        parts[:, rows] = self._errors(
            answers, fold[rows], group[rows], weights[rows], keys
        )
        return RowwiseCorrection(*parts)

    def _errors(
        self,
        answers: Answers,
        fold: NDArray[np.intp],
        group: NDArray[np.intp],
        weights: FloatArray,
        keys: NDArray[np.uint64],
    ) -> FloatArray:
        """Return squared error, noise and overshoot of each row, shape (3, n)."""
        parts = np.zeros((3, len(weights)))
        unit = units_of(keys, fold)
        units = np.unique(unit).tolist()
        if len(units) < 3:
            return parts
        fits = ResidualFits.of(
            readable(answers.X, answers.p),
            answers.residual,
            unit,
            None if (weights == weights[0]).all() else weights,
            self._resolved(),
            self.random_state,
        )
        for own in units:
            fit, product = fits.products(own)
            match = fits.matches(own)
            for rows, alike, others in _cells(unit == own, group, keys):
                level = error_level(
                    product[alike],
                    fit[alike],
                    match[others],
                    weights=(weights[alike], weights[others]),
                    keys=keys[others],
                )
                noise = answers.mean_square(others, weights[others])
                parts[:, rows] = answers.parts(
                    rows, fit[rows], level, noise, local=self.local
                )
        return parts

    def _resolved(self) -> Any:
        """Return the regression of residuals: shallow boosting, a little at a time."""
        if self.regressor is not None:
            return self.regressor
        # It could wait; a student that needs no estimate should not load it.
        from sklearn.ensemble import HistGradientBoostingRegressor

        return HistGradientBoostingRegressor(
            max_iter=60, max_leaf_nodes=8, min_samples_leaf=20, early_stopping=False
        )


def _cells(
    own: NDArray[np.bool_], group: NDArray[np.intp], keys: NDArray[np.uint64]
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]]:
    """Yield rows of a unit, the rows like them in it, and those in other units."""
    for one in np.unique(group[own]).tolist():
        same = group == one
        rows = np.flatnonzero(own & same)
        if len(np.unique(keys[same & ~own])) < FEWEST:
            same = np.ones(len(own), dtype=bool)
        yield rows, np.flatnonzero(own & same), np.flatnonzero(same & ~own)
