"""How far a student is, at least, from probabilities that nobody has ever seen."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semikd._random import RandomState
from semikd._validation import Shown, invalid, sample_weights
from semikd.crossfit import OutOfFold
from semikd.inference._directions import (
    Direction,
    direction,
    warn_of_few_against,
)
from semikd.inference._inputs import (
    check_units,
    checked_clusters,
    checked_level,
    of_rows,
)
from semikd.inference._probabilities import given_probabilities
from semikd.inference.bootstrap import drawn_sandwich
from semikd.inference.distance_bound import DistanceBound
from semikd.inference.result import InferenceResult
from semikd.inference.student_law import StudentLaw
from semikd.inference.units import (
    row_conditions,
    unit_sizes,
    warn_of_few_effective,
    warn_of_spread,
)

_N_DRAWS = 10_000


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
        Probabilities of the second class, or of all classes; or cross-fitted labels,
        of two classes those of the second where a vector stands beside them.
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
        are not honest, records hold other rows or another order, or there are fewer
        than 2 rows or clusters.

    Warns
    -----
    SemikdWarning
        If a few rows would pull the bound far down, those whose outcomes speak for the
        student against a teacher: less of them than their share may be among the rows,
        and the bound is too high then. With a student of 0.5 and the truth for a
        teacher, nominal 5 % of errors were 29, 38, 36 and 7 % where such a row has
        probability 0.03, 0.01, 0.005 and 0.1, in 40, 100, 200 and 400 rows; with a
        student that is the truth, a rare class, and a teacher that says a third of it,
        22 and 5 % with 3 and 50 expected events. Of 48 such cells those where it is
        silent in nine of ten tables had 7 % at most (1,500 tables each, standard errors
        below 1.3 %). Also if every row or cluster says the same, if there are two of
        them, or if a few have most of the weight.

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
    rest, own = (outcome - f)[kept], f[kept]
    seen = [direction(rest, own, p[kept] - own, weights, groups) for p in said.values()]
    n = int(kept.sum())
    sizes = [("all rows", unit_sizes(weights, groups, n))]
    warn_of_few_effective(sizes, clusters=groups is not None)
    conditions = (
        "neither student nor teacher saw these rows, in fitting or in choosing",
        *words,
        *row_conditions(n, groups, weights)[1:],
    )
    roots = _roots(tuple(said), seen, groups, used, conditions, random_state)
    _warn(roots, seen, groups)
    low = roots.lower_bound(adjust="none" if len(said) == 1 else "max-t")
    at = int(np.argmax(low))
    squares = "E(p0 - f)^2" if f.shape[1] == 1 else "E|p0 - f|^2 over classes"
    return DistanceBound(
        bound=max(float(low[at]), 0.0) ** 2,
        estimate=max(float(roots.estimate[at]), 0.0) ** 2,
        roots=roots,
        teacher=roots.names[at],
        teacher_gap=seen[at].gap,
        level=used,
        estimand=f"the student's distance to the Bayes probabilities, {squares},",
        conditions=conditions,
    )


def _warn(
    roots: InferenceResult,
    seen: Sequence[Direction],
    groups: NDArray[np.intp] | None,
) -> None:
    """Warn where units have no spread, or few would pull a bound far down."""
    alike = np.array([own.n_apart > 0 and not own.influence.any() for own in seen])
    clusters = groups is not None
    warn_of_spread(roots.names, alike, roots.law.df, clusters=clusters, stacklevel=4)
    if roots.law.df.max() > 1:
        warn_of_few_against(roots.names, seen, groups, stacklevel=4)


def _roots(
    names: tuple[str, ...],
    seen: Sequence[Direction],
    groups: NDArray[np.intp] | None,
    level: float,
    conditions: tuple[str, ...],
    random_state: RandomState,
) -> InferenceResult:
    """Return s of every teacher, with draws for all of them together."""
    covariance, n_units, draws = drawn_sandwich(
        np.column_stack([own.influence for own in seen]), groups, _N_DRAWS, random_state
    )
    return InferenceResult(
        names=names,
        estimate=np.array([own.root for own in seen]),
        covariance=covariance,
        law=StudentLaw.of_each(np.full(len(names), n_units - 1.0)),
        estimand="root of what a teacher sees of the student's squared distance",
        conditions=conditions,
        level=level,
        draws=draws,
    )
