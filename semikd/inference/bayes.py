"""How far a student is, at least, from probabilities that nobody has ever seen."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from semikd._validation import (
    FloatArray,
    Shown,
    check_shape,
    finite_array,
    invalid,
    sample_weights,
)
from semikd.inference._inputs import check_units, checked_clusters, checked_level
from semikd.inference.comparison import row_conditions
from semikd.inference.influence import InfluenceEstimate, mean_influence, sandwich

# How far rounding in single precision moves a probability out of [0, 1].
_ROUNDING = 1e-6


@dataclass(frozen=True)
class DistanceBound:
    """A lower confidence bound on a squared distance to the Bayes probabilities.

    Parameters
    ----------
    bound : float
        The squared distance is at least this, with the confidence of ``level``; 0
        where nothing is shown.
    estimate : float
        What the bound is the lower end of: the share of the squared distance that the
        teacher sees, 0 if the teacher points away from the outcomes.
    root, root_std_error : float
        Signed root of the estimate, in probability, with its standard error.
    teacher_gap : float
        Mean squared distance of student and teacher, which bounds nothing.
    level : float
        Confidence of the bound.
    estimand : str
        What is bounded, in words.
    conditions : tuple of str
        What must hold for the bound to hold.

    Examples
    --------
    >>> from semikd.inference import DistanceBound
    >>> bound = DistanceBound(0.01, 0.0225, 0.15, 0.03, 0.04, 0.95, "E(p - f)^2", ())
    >>> print(bound)
    E(p - f)^2 is at least 0.01 with 95 % confidence (visible part: 0.0225)
    """

    bound: float
    estimate: float
    root: float
    root_std_error: float
    teacher_gap: float
    level: float
    estimand: str
    conditions: tuple[str, ...]

    @property
    def p_value(self) -> float:
        """Normal p-value of the student being at distance 0; 1 if nothing is seen."""
        if self.root_std_error == 0:
            return 0.0 if self.root > 0 else 1.0
        return float(special.ndtr(-self.root / self.root_std_error))

    def summary(self) -> str:
        """Return the bound, what it bounds and under which conditions, as text.

        Returns
        -------
        str
            Several lines.
        """
        root = f"root {self.root:.4g}, standard error {self.root_std_error:.2g}"
        lines = [str(self), f"({root}, p {self.p_value:.3g}), if"]
        return "\n".join([*lines, *(f"  - {words}" for words in self.conditions)])

    def __str__(self) -> str:
        """Return the bound in one line."""
        return (
            f"{self.estimand} is at least {self.bound:.4g} with "
            f"{100 * self.level:g} % confidence (visible part: {self.estimate:.4g})"
        )


def bayes_distance(
    y: ArrayLike,
    student: ArrayLike,
    teacher: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    level: float = 0.95,
) -> DistanceBound:
    r"""Bound a student's squared distance to the Bayes probabilities from below.

    With f the student, :math:`\hat p` the teacher, :math:`g = \hat p - f` and
    :math:`p_0` the unknown probabilities, Cauchy and Schwarz give

    .. math:: E\|p_0 - f\|^2 \ge s_+^2, \qquad
        s = \frac{E\langle y - f,\, g\rangle}{\sqrt{E\|g\|^2}}

    since :math:`E[y \mid x] = p_0(x)`. The bound is the square of the lower confidence
    bound of s, and 0 where that is negative.

    Parameters
    ----------
    y : array of shape (n,) or (n, k)
        Outcomes: 0 and 1 where probabilities are given as (n,), positions of classes or
        indicators where they are (n, k).
    student, teacher : array of shape (n,) or (n, k)
        Probabilities of the second class, or of all classes.
    sample_weight : array of shape (n,), optional
        Sampling weights; rows of weight zero are left out.
    clusters : array of shape (n,), optional
        Cluster of each row.
    level : float, default=0.95
        Confidence of the bound, one-sided.

    Returns
    -------
    DistanceBound
        For (n, k) squares are summed over classes: with two classes that is twice the
        squared distance of the (n,) form.

    Raises
    ------
    ValueError
        If shapes do not fit, an outcome is no class, a value is no probability, or
        there are fewer than 2 rows or clusters.

    Notes
    -----
    The rows must have been seen by neither model: a teacher that saw them agrees with
    their noise, and the bound fails. The closer :math:`g` is to :math:`p_0 - f`, up to
    a factor, the sharper the bound; at :math:`\hat p = p_0` it is an exact one-sided
    confidence bound to first order, and so it is for a student at distance 0, where it
    is positive with probability 1 - level. A teacher that is equal to the student sees
    nothing: the bound is 0. The variance of s is that of its influence

    .. math:: \psi_i = \frac{u_i - \bar u}{\sqrt{\bar v}}
        - \frac{\bar u\,(v_i - \bar v)}{2\,\bar v^{3/2}}, \quad
        u_i = \langle y_i - f_i, g_i\rangle,\; v_i = \|g_i\|^2,

    and the critical value is Student's with one degree of freedom less than there are
    rows or clusters.

    References
    ----------
    .. [1] A. W. van der Vaart, "Asymptotic Statistics", Cambridge 1998, Section 3.1
       (delta method; the bound is this library's).

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.inference import bayes_distance
    >>> rng = np.random.default_rng(0)
    >>> truth = rng.uniform(0.1, 0.9, 4000)
    >>> y = (rng.random(4000) < truth).astype(int)
    >>> found = bayes_distance(y, student=np.full(4000, 0.5), teacher=truth)
    >>> bool(0.04 < found.bound < np.mean((truth - 0.5) ** 2))
    True
    """
    used = checked_level(level)
    f, p, outcome = _checked(y, student, teacher)
    g = p - f
    columns = np.column_stack([((outcome - f) * g).sum(axis=1), (g**2).sum(axis=1)])
    weights = sample_weights(sample_weight, len(f))
    groups = checked_clusters(clusters, len(f))
    if weights is not None:
        kept = weights > 0
        columns, weights = columns[kept], weights[kept]
        groups = None if groups is None else checked_clusters(groups[kept], kept.sum())
    check_units(len(columns), groups)
    moments = mean_influence(columns, weights)
    root, error, n_units = _root(moments, groups)
    low = root + error * float(special.stdtrit(n_units - 1.0, 1.0 - used))
    sizes = np.ones(len(columns)) if weights is None else weights
    squares = "E(p0 - f)^2" if np.ndim(student) == 1 else "E|p0 - f|^2 over classes"
    return DistanceBound(
        bound=max(low, 0.0) ** 2,
        estimate=max(root, 0.0) ** 2,
        root=root,
        root_std_error=error,
        teacher_gap=float(moments.estimate[1]),
        level=used,
        estimand=f"the student's distance to the Bayes probabilities, {squares},",
        conditions=(
            "neither student nor teacher saw these rows, in fitting or in choosing",
            *row_conditions(len(columns), groups, sizes)[1:],
        ),
    )


def _root(
    moments: InfluenceEstimate, groups: NDArray[np.intp] | None
) -> tuple[float, float, int]:
    """Return s, its standard error and the number of units behind it."""
    product, square = moments.estimate
    if square <= 0:
        return 0.0, 0.0, len(moments.influence)
    slopes = np.array([1.0, -product / (2.0 * square)]) / np.sqrt(square)
    covariance, n_units = sandwich(moments.influence @ slopes[:, None], groups)
    return float(product / np.sqrt(square)), float(np.sqrt(covariance[0, 0])), n_units


def _checked(
    y: ArrayLike, student: ArrayLike, teacher: ArrayLike
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return probabilities and outcomes as tables of one shape."""
    axes = 1 if np.ndim(student) == 1 else 2
    f = _probabilities("student", student, (None,) * axes)
    p = _probabilities("teacher", teacher, f.shape)
    labels = finite_array("y", y, shape=(None,) * max(np.ndim(y), 1))
    if labels.shape == f.shape:
        bad = (labels != 0) & (labels != 1)
        remedy = "Pass 0 and 1, or positions of classes beside (n, k) probabilities"
        _refuse(bad, labels, "hold 0 and 1 only", remedy)
        outcome = labels
    else:
        check_shape("y", labels, (len(f),))
        bad = ~np.isin(labels, np.arange(f.shape[-1]))
        _refuse(bad, labels, f"be positions of classes, 0 to {f.shape[-1] - 1}", "")
        outcome = np.eye(f.shape[-1])[labels.astype(np.intp)]
    if axes == 1:
        return f[:, None], p[:, None], outcome[:, None]
    return f, p, outcome


def _probabilities(
    name: str, values: ArrayLike, shape: tuple[int | None, ...]
) -> FloatArray:
    """Return an array of probabilities, refusing scores, percentages and one column."""
    found = finite_array(name, values, shape=shape)
    if found.ndim == 2 and found.shape[1] == 1:
        remedy = "Pass a vector for one class, as in predict_proba(X)[:, 1]"
        constraint = "have shape (n,), or (n, k) with a column for each class"
        raise invalid(name, constraint, Shown(str(found.shape)), remedy)
    bad = (found < -_ROUNDING) | (found > 1.0 + _ROUNDING)
    if bad.any():
        row = int(np.argwhere(bad)[0][0])
        shown = Shown(f"{found[bad][0]:g} in row {row} ({int(bad.sum())} such values)")
        remedy = "Pass predict_proba, neither scores nor percentages"
        raise invalid(name, "hold probabilities in [0, 1]", shown, remedy)
    return found


def _refuse(
    bad: NDArray[np.bool_], labels: FloatArray, constraint: str, remedy: str
) -> None:
    """Refuse outcomes that are none, with the first of them."""
    if bad.any():
        row = int(np.argwhere(bad)[0][0])
        shown = Shown(f"{labels[bad][0]:g} in row {row}")
        raise invalid("y", constraint, shown, remedy)
