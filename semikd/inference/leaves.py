"""What is true in each leaf of a tree, by rows that had no part in growing it.

A tree splits where outcomes differ, so that its own rows say too much. Other rows know
nothing of that choice: in each leaf their mean is a mean.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semikd._random import RandomState
from semikd._validation import (
    FloatArray,
    check_shape,
)
from semikd.inference._inputs import checked_level
from semikd.inference.bootstrap import normal_draws
from semikd.inference.influence import frozen
from semikd.inference.leaf_intervals import exact, wilson
from semikd.inference.leaf_rows import (
    effective_rows,
    leaf_outcomes,
    leaf_rows,
    means_by_unit,
)
from semikd.inference.result import InferenceResult
from semikd.inference.student_law import StudentLaw
from semikd.inference.units import (
    independence,
    warn_of_few_effective,
    warn_of_spread,
)

__all__ = ["LeafMeans", "leaf_means"]

_N_DRAWS = 10_000


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class LeafMeans(InferenceResult):
    r"""Class probabilities, or means, in leaves, with their intervals.

    Everything of `InferenceResult`. The interval of one class probability is Wilson's,
    with effective rows m and a critical value c:

    .. math:: \{p : |\hat p - p| \le c \sqrt{p (1 - p) / m}\}

    Together they are those of Clopper and Pearson at the level of that critical value:
    far out, near 0 and 1, Wilson's would cover too little. All stay between 0 and 1,
    and have a width in a leaf of one class too.

    Parameters
    ----------
    leaves : tuple
        Name of each of the L leaves; estimates stand leaf by leaf.
    n_rows, n_units : array of int of shape (L,)
        Rows in each leaf, and its clusters (rows, where there are none).
    classes : tuple or None
        The classes that estimates belong to within a leaf; None for means.
    effective_n : array of shape (d,), optional
        m, for class probabilities.

    See Also
    --------
    leaf_means : Makes it.

    References
    ----------
    .. [1] E. B. Wilson, "Probable inference, the law of succession, and statistical
       inference", JASA 22, 1927.
    .. [2] C. J. Clopper and E. S. Pearson, "The use of confidence or fiducial limits
       illustrated in the case of the binomial", Biometrika 26, 1934.

    Examples
    --------
    >>> from semikd.inference import leaf_means
    >>> leaf, y = ["a"] * 8 + ["b"] * 8, [0, 1] * 4 + [1] * 8
    >>> found = leaf_means(leaf, y, classes=[0, 1], random_state=0)
    >>> found.conf_int().round(2)
    array([[0.22, 0.78],
           [0.68, 1.  ]])
    """

    leaves: tuple[Any, ...]
    n_rows: NDArray[np.intp]
    n_units: NDArray[np.intp]
    classes: tuple[Any, ...] | None = None
    effective_n: FloatArray | None = None

    def __post_init__(self) -> None:
        """Check the numbers and freeze them."""
        super().__post_init__()
        for name in ("n_rows", "n_units"):
            counts = np.array(getattr(self, name), dtype=np.intp)
            check_shape(name, counts, (len(self.leaves),))
            counts.setflags(write=False)
            object.__setattr__(self, name, counts)
        if self.effective_n is not None:
            check_shape("effective_n", self.effective_n, (len(self.estimate),))
            object.__setattr__(self, "effective_n", frozen(self.effective_n))

    def statistic(self, null: ArrayLike = 0.0) -> FloatArray:
        """Return (estimate - null) / standard error, shape (d,); 0 / 0 is 0.

        Parameters
        ----------
        null : float or array of shape (d,), default=0.0
            Value under the null hypothesis, by which the standard error of a class
            probability goes.

        Returns
        -------
        array of shape (d,)
            Ratios; infinite where there is a difference and no variance.
        """
        if self.effective_n is None:
            return super().statistic(null)
        p = np.broadcast_to(np.asarray(null, dtype=np.float64), self.estimate.shape)
        error = np.sqrt(np.maximum(p * (1.0 - p), 0.0) / self.effective_n)
        difference = self.estimate - p
        certain = np.where(difference == 0, 0.0, np.copysign(np.inf, difference))
        return np.divide(difference, error, out=certain, where=error > 0)

    def _in_basis(self, matrix: FloatArray) -> tuple[InferenceResult, FloatArray]:
        """Return the result by Student's law: only differences lose freedom."""
        m = len(self.estimate) // len(self.leaves)
        law = StudentLaw.of_each(np.repeat(self.n_units - 1.0, m))
        return replace(self, law=law), matrix

    def _ends(
        self, level: float | None, adjust: str, *, sign: int
    ) -> tuple[FloatArray, FloatArray]:
        """Return the ends of Wilson's intervals; of means, those of Student's."""
        if self.effective_n is None:
            return super()._ends(level, adjust, sign=sign)
        c = self._critical(level, adjust, sign=sign)
        ends = wilson if adjust == "none" else exact
        return ends(self.estimate, self.effective_n, c, self.law)

    @property
    def _has_null(self) -> bool:
        """Whether 0 is worth a test: not for a probability."""
        return self.effective_n is None


def leaf_means(
    leaf: ArrayLike,
    y: ArrayLike,
    *,
    classes: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    level: float = 0.95,
    random_state: RandomState = None,
) -> LeafMeans:
    r"""Infer class probabilities, or means, in the leaves of a tree.

    .. math:: \hat\theta_\ell = \sum_{i \in \ell} s_i y_i, \qquad
       \widehat{\mathrm{var}}(\hat\theta_\ell) = \frac{G_\ell}{G_\ell - 1} \sum_g
       \Bigl(\sum_{i \in g \cap \ell} s_i (y_i - \hat\theta_\ell)\Bigr)^2

    with :math:`s_i` the share of row i in the weight of its leaf, and :math:`G_\ell`
    the units (clusters, or rows) in it.

    Parameters
    ----------
    leaf : array-like of shape (n,)
        Leaf of each row, such as ``tree.apply(X)``. Neither the tree, nor a teacher
        that labelled its rows, saw any of these rows.
    y : array-like of shape (n,)
        Outcomes: numbers or, where ``classes`` are named, class labels.
    classes : array-like of shape (k,), optional
        The classes. The probability of each is inferred, of two classes that of the
        second.
    sample_weight : array-like of shape (n,), optional
        Sampling weights; rows of weight zero are left out.
    clusters : array-like of shape (n,), optional
        Cluster of each row; it may have rows in several leaves.
    level : float, default=0.95
        Confidence level.
    random_state : int, generator or None
        Seed of the draws behind simultaneous intervals.

    Returns
    -------
    LeafMeans
        Leaf by leaf, in sorted order.

    Raises
    ------
    ValueError, TypeError
        If a leaf has fewer than 2 rows or clusters of positive weight, or shapes or
        values do not fit.

    Warns
    -----
    SemikdWarning
        If numbers are the same in every row of a leaf: that interval has no width; if a
        mean of numbers has two rows or clusters; or if a few of them have most of the
        weight of a leaf.

    Notes
    -----
    Effective rows of a class probability are 1 + p (1 - p) / variance, and at most the
    rows of the leaf: n for n rows that weigh alike, where the interval is Wilson's own.
    Where weights or clusters make the variance an estimate, c is Student's. A leaf of
    one class has :math:`(\sum_g s_g)^2 / \sum_g s_g^2` of them, and the standard error
    of two more rows with and two without the class.

    Labels of teachers bring nothing here: the mean of :math:`y - \lambda(\hat p -
    \bar p)` over the rows of a leaf is that of y. With rows that have labels and no
    outcome, :func:`powered_means` uses both.

    References
    ----------
    .. [1] S. Athey and G. Imbens, "Recursive partitioning for heterogeneous causal
       effects", PNAS 113, 2016 (honest leaves).
    .. [2] S. Wager and S. Athey, "Estimation and inference of heterogeneous treatment
       effects using random forests", JASA 113, 2018, Definition 2.
    .. [3] E. L. Korn and B. I. Graubard, "Confidence intervals for proportions with
       small expected number of positive counts estimated from survey data", Survey
       Methodology 24, 1998 (effective rows).

    Examples
    --------
    >>> from semikd.inference import leaf_means
    >>> leaf, y = [1, 1, 1, 1, 2, 2, 2, 2], [3.0, 4.0, 5.0, 4.0, 8.0, 7.0, 9.0, 8.0]
    >>> found = leaf_means(leaf, y, random_state=0)
    >>> found.estimate, found.conf_int()[0].round(1)
    (array([4., 8.]), array([2.7, 5.3]))
    """
    checked_level(level)
    outcomes, shown = leaf_outcomes(y, classes)
    rows = leaf_rows(leaf, len(outcomes), sample_weight, clusters)
    outcomes = outcomes[rows.kept]
    m = outcomes.shape[1]
    estimate, spread = means_by_unit(rows, outcomes)
    covariance = np.asarray((spread.T @ spread).toarray())
    effective, df = None, rows.n_units - 1.0
    warn_of_few_effective(rows.sizes(), clusters=rows.clusters is not None)
    if classes is None:
        remedy = "Use larger leaves; for class labels name the classes"
        called = [f"leaf {own}" for own in rows.names]
        alike, clustered = np.diag(covariance) == 0, rows.clusters is not None
        warn_of_spread(called, alike, df, clusters=clustered, remedy=remedy)
    else:
        effective, df = effective_rows(rows, estimate, covariance), rows.freedom
    return LeafMeans(
        names=tuple(
            f"leaf {own}{each}" for own in rows.names for each in _suffixes(shown)
        ),
        estimate=estimate,
        covariance=covariance,
        law=StudentLaw.of_each(np.repeat(df, m)),
        estimand=_estimand(shown),
        conditions=(
            "leaves were chosen by other rows, and by teachers that saw none of these",
            independence(len(rows.code), rows.clusters, rows.weights, "leaf rows"),
        ),
        level=level,
        draws=normal_draws(covariance, _N_DRAWS, random_state),
        leaves=rows.names,
        n_rows=np.bincount(rows.code),
        n_units=rows.n_units,
        classes=shown,
        effective_n=effective,
    )


def _suffixes(shown: Sequence[Any] | None) -> list[str]:
    """Return what the names of estimates in a leaf end in."""
    several = shown is not None and len(shown) > 1
    return [f", class {each}" for each in shown] if shown and several else [""]


def _estimand(shown: Sequence[Any] | None) -> str:
    """Return what is estimated, in words."""
    if shown is None:
        return "mean outcome in each leaf"
    which = f"class {shown[0]}" if len(shown) == 1 else "each class"
    return f"probability of {which} in each leaf"
