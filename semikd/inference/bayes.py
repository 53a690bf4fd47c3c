"""How far a student is, at least, from probabilities that nobody has ever seen."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semikd._random import RandomState
from semikd._validation import FloatArray, Shown, invalid, sample_weights
from semikd.crossfit import OutOfFold
from semikd.inference._inputs import (
    check_units,
    checked_clusters,
    checked_level,
    of_rows,
)
from semikd.inference._probabilities import given_probabilities, warn_of_rare
from semikd.inference.bootstrap import drawn_sandwich
from semikd.inference.influence import InfluenceEstimate, mean_influence
from semikd.inference.multiplicity import Adjustment
from semikd.inference.result import InferenceResult
from semikd.inference.student_law import StudentLaw
from semikd.inference.units import row_conditions, unit_sizes, warn_of_few_effective

_N_DRAWS = 10_000


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
    roots : InferenceResult
        Signed root of the visible part, in probability, for each teacher.
    teacher : str
        The one by whose lights the bound is largest.
    teacher_gap : float
        Mean squared distance of student and that teacher, which bounds nothing.
    level : float
        Confidence of the bound.
    estimand : str
        What is bounded, in words.
    conditions : tuple of str
        What must hold for the bound to hold.

    Examples
    --------
    >>> from semikd.inference import bayes_distance
    >>> y, teacher = [0, 1, 1, 1] * 40, [0.2, 0.8, 0.8, 0.8] * 40
    >>> found = bayes_distance(y, [0.5] * 160, teacher)
    >>> round(found.root, 6), round(found.bound, 6)
    (0.5, 0.25)
    """

    bound: float
    estimate: float
    roots: InferenceResult
    teacher: str
    teacher_gap: float
    level: float
    estimand: str
    conditions: tuple[str, ...]

    @property
    def root(self) -> float:
        """Signed root of the estimate, in probability."""
        return float(self.roots.estimate[self._at])

    @property
    def root_std_error(self) -> float:
        """Its standard error."""
        return float(self.roots.std_error[self._at])

    @property
    def p_value(self) -> float:
        """P-value of distance 0, for all teachers together; 1 if nothing is seen."""
        several: Adjustment = "none" if len(self.roots.names) == 1 else "max-t"
        found = self.roots.p_values(alternative="greater", adjust=several)
        nothing = (self.roots.std_error == 0) & (self.roots.estimate <= 0)
        return float(np.where(nothing, 1.0, found).min())

    @property
    def _at(self) -> int:
        """Position of the teacher."""
        return self.roots.names.index(self.teacher)

    def summary(self) -> str:
        """Return the bound, what it bounds and under which conditions, as text.

        Returns
        -------
        str
            Several lines.
        """
        root = f"root {self.root:.4g}, standard error {self.root_std_error:.2g}"
        by = f" by {self.teacher!r}" if len(self.roots.names) > 1 else ""
        lines = [str(self), f"({root}{by}, p {self.p_value:.3g}), if"]
        return "\n".join([*lines, *(f"  - {words}" for words in self.conditions)])

    def __str__(self) -> str:
        """Return the bound in one line."""
        return (
            f"{self.estimand} is at least {self.bound:.4g} with "
            f"{100 * self.level:g} % confidence (visible part: {self.estimate:.4g})"
        )


def bayes_distance(
    y: ArrayLike,
    student: ArrayLike | OutOfFold,
    teacher: ArrayLike | OutOfFold | Mapping[str, ArrayLike | OutOfFold],
    *,
    sample_weight: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    level: float = 0.95,
    random_state: RandomState = None,
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
        indicators where they are (n, k); class labels beside an OutOfFold record.
    student : array of shape (n,) or (n, k), or OutOfFold
        Probabilities of the second class, or of all classes; or cross-fitted labels.
    teacher : array of the same shape, or OutOfFold, or mapping of names to these
        Probabilities by the teacher, or by several: each is another direction in which
        to look, and the largest of their bounds is corrected for their number.
    sample_weight : array of shape (n,), optional
        Sampling weights; rows of weight zero are left out.
    clusters : array of shape (n,), optional
        Cluster of each row.
    level : float, default=0.95
        Confidence of the bound, one-sided.
    random_state : int, generator or None
        Seed of the draws that correct for several teachers.

    Returns
    -------
    DistanceBound
        For (n, k) squares are summed over classes: with two classes that is twice the
        squared distance of the (n,) form.

    Raises
    ------
    ValueError
        If shapes do not fit, an outcome is no class, a value is no probability, labels
        are not honest, or there are fewer than 2 rows or clusters.

    Warns
    -----
    SemikdWarning
        If few rows are outside the most frequent class, under 100 of many: the bound
        is then positive too often. Simulated at a student that is the truth, one of
        nominal 5 % was so in 17, 10 and 7 % of tables with 3, 20 and 50 such rows.

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
    named: dict[str, Any] = {"teacher": teacher}
    if isinstance(teacher, Mapping):
        named = dict(teacher)
    if not named:
        raise invalid("teacher", "name one at least", Shown("none"))
    outcome, f, said, usable, words = given_probabilities(y, student, named)
    weights = sample_weights(sample_weight, len(f))
    kept = usable if weights is None else usable & (weights > 0)
    groups = of_rows(checked_clusters(clusters, len(f)), kept)
    check_units(int(kept.sum()), groups)
    weights = None if weights is None else weights[kept]
    warn_of_rare(outcome[kept], stacklevel=3)
    moments = [
        mean_influence(_products((outcome - f)[kept], (p - f)[kept]), weights)
        for p in said.values()
    ]
    n = int(kept.sum())
    sizes = [("all rows", unit_sizes(weights, groups, n))]
    warn_of_few_effective(sizes, clusters=groups is not None)
    conditions = (
        "neither student nor teacher saw these rows, in fitting or in choosing",
        *words,
        *row_conditions(n, groups, weights)[1:],
    )
    roots = _roots(tuple(said), moments, groups, used, conditions, random_state)
    low = roots.lower_bound(adjust="none" if len(said) == 1 else "max-t")
    at = int(np.argmax(low))
    squares = "E(p0 - f)^2" if f.shape[1] == 1 else "E|p0 - f|^2 over classes"
    return DistanceBound(
        bound=max(float(low[at]), 0.0) ** 2,
        estimate=max(float(roots.estimate[at]), 0.0) ** 2,
        roots=roots,
        teacher=roots.names[at],
        teacher_gap=float(moments[at].estimate[1]),
        level=used,
        estimand=f"the student's distance to the Bayes probabilities, {squares},",
        conditions=conditions,
    )


def _products(residual: FloatArray, g: FloatArray) -> FloatArray:
    """Return the products with outcomes, and the squares, of a direction, (n, 2)."""
    return np.column_stack([(residual * g).sum(axis=1), (g**2).sum(axis=1)])


def _roots(
    names: tuple[str, ...],
    moments: list[InfluenceEstimate],
    groups: NDArray[np.intp] | None,
    level: float,
    conditions: tuple[str, ...],
    random_state: RandomState,
) -> InferenceResult:
    """Return s of every teacher, with draws for all of them together."""
    each = [_root(own) for own in moments]
    covariance, n_units, draws = drawn_sandwich(
        np.column_stack([psi for _, psi in each]), groups, _N_DRAWS, random_state
    )
    return InferenceResult(
        names=names,
        estimate=np.array([root for root, _ in each]),
        covariance=covariance,
        law=StudentLaw.of_each(np.full(len(names), n_units - 1.0)),
        estimand="root of what a teacher sees of the student's squared distance",
        conditions=conditions,
        level=level,
        draws=draws,
    )


def _root(moments: InfluenceEstimate) -> tuple[float, FloatArray]:
    """Return s and its influence; of a teacher equal to the student nothing."""
    product, square = moments.estimate
    if square <= 0:
        return 0.0, np.zeros(len(moments.influence))
    slopes = np.array([1.0, -product / (2.0 * square)]) / np.sqrt(square)
    return float(product / np.sqrt(square)), moments.influence @ slopes
