"""Sandwich covariances of coefficients: how much each row, or cluster, moved them."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semikd._validation import FloatArray, Shown, choose, invalid
from semikd.exceptions import SemikdWarning
from semikd.inference.estimating import EstimatingEquation, matrix_power
from semikd.inference.influence import cluster_sums
from semikd.inference.units import without_rounding

__all__ = ["COVARIANCES", "crossed", "sandwich_of"]

# A row that alone determines a coefficient has leverage 1.
_ALONE = 1.0 - 1e-10
# Of the covariance of two ways, relative to what is subtracted from.
_NEGATIVE = 1e-8


def sandwich_of(
    equation: EstimatingEquation,
    clusters: Sequence[NDArray[np.intp]] = (),
    kind: str | None = None,
    *,
    largest: float = 1.0,
) -> tuple[FloatArray, float]:
    r"""Return the covariance of coefficients that holds whatever the residuals are.

    .. math:: \widehat{\mathrm{var}}(\hat\theta) = c \sum_g m_g m_g^\top

    With :math:`\psi_i` the score of a row, J the Jacobian, H the leverage, d
    coefficients and G clusters, the move m of row i or cluster g and the factor c are

    ======  =========================================  =================================
    kind    move                                       c
    ======  =========================================  =================================
    HC0     :math:`J^{-1}\psi_i`                       1
    HC1     the same                                   n / (n - d)
    HC2     residuals times :math:`(I - H)^{-1/2}`     1
    HC3     residuals times :math:`(I - H)^{-1}`       1
    CRV1    :math:`J^{-1}\sum_{i \in g}\psi_i`         G/(G - 1) (n - 1)/(n - d)
    CRV3    :math:`(J - J_g)^{-1}\sum_{i\in g}\psi_i`  (G - 1) / G
    ======  =========================================  =================================

    HC3 and CRV3 are the jackknife: the move is that of leaving the row or cluster out,
    exact for least squares and by one Newton step for others. Of two ways to cluster
    the covariance is :math:`V_1 + V_2 - V_{12}`, the last by both at once, each with
    its own factor; where that is none, which is warned of, :math:`V_1 + V_2`.

    Parameters
    ----------
    equation : EstimatingEquation
        The coefficients with the scores of all rows.
    clusters : sequence of ndarray of int of shape (n,), optional
        Cluster of each row, numbered from 0 without gaps, in up to two ways.
    kind : str, optional
        By default HC3, and CRV3 with clusters.
    largest : float, default=1.0
        Of the numbers that residuals were computed from, the largest: moves that are
        rounding of these are none.

    Returns
    -------
    covariance : ndarray of shape (d, d)
        The covariance, 0 where no unit moves the coefficient.
    df : float
        Degrees of freedom of Student's law: n - d, or G - 1 of the fewer clusters; of
        least squares d counts the coefficients of one output.

    Raises
    ------
    ValueError
        If the kind does not fit, a row or a cluster alone determines a coefficient, or
        there are no more rows, or clusters, than coefficients.

    References
    ----------
    .. [1] J. G. MacKinnon and H. White, "Some heteroskedasticity-consistent covariance
       matrix estimators with improved finite sample properties", Journal of
       Econometrics 29, 1985.
    .. [2] J. G. MacKinnon, M. O. Nielsen and M. D. Webb, "Cluster-robust inference: a
       guide to empirical practice", Journal of Econometrics 232, 2023, Section 2.
    .. [3] A. C. Cameron, J. B. Gelbach and D. L. Miller, "Robust inference with
       multiway clustering", Journal of Business & Economic Statistics 29, 2011,
       Section 2.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.inference import EstimatingEquation
    >>> from semikd.inference.sandwiches import sandwich_of
    >>> x, y = np.ones((3, 1)), np.array([[1.0], [2.0], [6.0]])
    >>> mean = EstimatingEquation([[3.0]], x, y - 3.0, None)
    >>> sandwich_of(mean, kind="HC2")
    (array([[2.33333333]]), 2.0)
    """
    default = "CRV3" if clusters else "HC3"
    own = choose("covariance", kind or default, COVARIANCES)
    if own.clustered != bool(clusters):
        remedy = "Use HC0 to HC3 without clusters, CRV1 or CRV3 with them"
        raise invalid("covariance", "fit the clusters", kind, remedy)
    n, d = len(equation.score), equation.n_free
    _check_number(n, clusters, d)

    size = largest * equation.reach()[0]

    def by(units: NDArray[np.intp]) -> FloatArray:
        # A cluster sums the rounding of its rows.
        most = float(np.bincount(units).max())
        moves = without_rounding(own.moves(equation, units), None, most * size)
        return np.asarray(own.factor(len(moves), n, d) * moves.T @ moves)

    if not clusters:
        return by(np.arange(n)), float(n - d)
    df = float(min(int(units.max()) for units in clusters))
    covariance = np.asarray(sum(by(units) for units in clusters))
    if len(clusters) > 1:
        covariance = _less(covariance, by(crossed(clusters)))
    return covariance, df


def _check_number(n: int, clusters: Sequence[NDArray[np.intp]], d: int) -> None:
    """Refuse no more units than coefficients: their covariance would lack rank."""
    least, what = n, "rows"
    for units in clusters:
        least, what = min(least, int(units.max()) + 1), "clusters"
    if least <= d:
        shown = Shown(f"{least:,} for {d:,} coefficients")
        remedy = (
            "Use fewer columns, or more clusters" if clusters else "Use fewer columns"
        )
        raise invalid(
            what, "be more than coefficients, over all classes", shown, remedy
        )


def crossed(clusters: Sequence[NDArray[np.intp]]) -> NDArray[np.intp]:
    """Return the cells that two ways to cluster make together, numbered from 0."""
    pairs = np.column_stack(list(clusters))
    return np.asarray(np.unique(pairs, axis=0, return_inverse=True)[1]).ravel()


def _less(both: FloatArray, cells: FloatArray) -> FloatArray:
    """Return the covariance of two ways less that of their cells, if that is one."""
    found = both - cells
    error = np.sqrt(np.diag(both))
    scale = np.outer(error, error)
    relative = np.divide(found, scale, out=np.zeros_like(found), where=scale > 0)
    if np.linalg.eigvalsh(relative).min() > _NEGATIVE:
        return found
    warnings.warn(
        "Clusters in two ways leave no positive covariance here: V1 + V2 stands for "
        "V1 + V2 - V12, which makes intervals wide rather than narrow. Use more "
        "clusters, or one way.",
        SemikdWarning,
        stacklevel=5,
    )
    return both


def _plain(equation: EstimatingEquation, units: NDArray[np.intp]) -> FloatArray:
    """Return the moves of the first order."""
    return np.asarray(cluster_sums(equation.score, units) @ equation.inverse)


def _by_leverage(power: float) -> Callable[..., FloatArray]:
    """Return moves whose residuals are raised by a power of one less the leverage."""

    def moves(equation: EstimatingEquation, _units: NDArray[np.intp]) -> FloatArray:
        pull = equation.pull()
        root, back = matrix_power(pull, 0.5), matrix_power(pull, -0.5)
        leverage = pull
        if equation.curvature is not None:
            leverage = root @ equation.curvature @ root
        _refuse_alone(np.asarray(np.linalg.eigvalsh(leverage))[:, -1], "row")
        rest = matrix_power(np.eye(leverage.shape[1]) - leverage, power)
        # Roots of the pull and not of the curvature, which is 0 where a probability is.
        raised = back @ rest @ root
        if equation.curvature is None:
            residual = raised[:, :, 0] * equation.residual
        else:
            residual = (raised @ equation.residual[:, :, None])[:, :, 0]
        return np.asarray(equation.scores_of(residual) @ equation.inverse)

    return moves


def _jackknife(equation: EstimatingEquation, units: NDArray[np.intp]) -> FloatArray:
    """Return the moves of leaving clusters out."""
    sizes = np.bincount(units)
    found = np.empty((len(sizes), equation.score.shape[1]))
    single = np.flatnonzero(sizes[units] == 1)
    if len(single):
        found[units[single]] = _by_leverage(-1.0)(equation, units)[single]
    # In coordinates in which the Jacobian is the identity.
    root = np.asarray(np.linalg.cholesky(equation.inverse))
    order = np.argsort(units, kind="stable")
    for g, rows in enumerate(np.split(order, np.cumsum(sizes)[:-1])):
        if len(rows) == 1:
            continue
        found[g] = root @ _without(equation, rows, root)
    return found


def _without(
    equation: EstimatingEquation, rows: NDArray[np.intp], root: FloatArray
) -> FloatArray:
    """Return the move of leaving rows out, in these coordinates, shape (d,)."""
    score = root.T @ equation.score[rows].sum(axis=0)
    few = len(rows) * len(equation.estimate) < len(score)
    # Of few rows the small side of Woodbury's identity.
    half = equation.root_of(rows) @ root if few else root
    own = half @ half.T if few else root.T @ equation.jacobian_of(rows) @ root
    _refuse_alone(np.asarray(np.linalg.eigvalsh(own))[-1:], "cluster")
    rest = np.eye(len(own)) - own
    if not few:
        return np.asarray(np.linalg.solve(rest, score))
    return np.asarray(score + half.T @ np.linalg.solve(rest, half @ score))


def _refuse_alone(leverage: FloatArray, unit: str) -> None:
    """Refuse units without which the coefficients are not determined."""
    if (leverage >= _ALONE).any():
        shown = Shown(f"a {unit} that alone determines a coefficient")
        remedy = "Drop the column that it alone fills, or use HC1 or CRV1"
        raise invalid("X", f"leave no {unit} alone with a coefficient", shown, remedy)


@dataclass(frozen=True)
class _Kind:
    """How a covariance is made: its factor is of units, rows and coefficients."""

    clustered: bool
    moves: Callable[..., FloatArray]
    factor: Callable[[int, int, int], float] = lambda units, n, d: 1.0


COVARIANCES = {
    "HC0": _Kind(False, _plain),
    "HC1": _Kind(False, _plain, lambda units, n, d: n / (n - d)),
    "HC2": _Kind(False, _by_leverage(-0.5)),
    "HC3": _Kind(False, _by_leverage(-1.0)),
    "CRV1": _Kind(
        True, _plain, lambda units, n, d: units / (units - 1) * (n - 1) / (n - d)
    ),
    "CRV3": _Kind(True, _jackknife, lambda units, n, d: (units - 1) / units),
}
