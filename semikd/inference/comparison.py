"""Arms judged on the same test rows: who is better, by how much, how surely.

Notes
-----
Differences are arm minus reference. Test rows and models are what they are here: the
models are fixed, the rows are a sample. For a statement on the *procedures* behind the
models, whose refits vary too, see `crossed_differences`.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semikd._random import RandomState
from semikd._validation import FloatArray, Shown, count, invalid
from semikd.inference._inputs import (
    check_units,
    checked_clusters,
    checked_level,
    checked_losses,
    checked_names,
    kept_rows,
    reference_index,
)
from semikd.inference.bootstrap import drawn_sandwich
from semikd.inference.influence import (
    InfluenceEstimate,
    differences_to,
    mean_influence,
)
from semikd.inference.student_law import StudentLaw
from semikd.inference.verdicts import Comparison


def paired_differences(
    losses: ArrayLike | InfluenceEstimate,
    *,
    names: Sequence[str],
    reference: str,
    metric: str = "mean loss",
    sample_weight: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    level: float = 0.95,
    n_draws: int = 10_000,
    random_state: RandomState = None,
) -> Comparison:
    r"""Compare fitted models on the same test rows.

    .. math:: \hat\delta_a = \frac{\sum_i w_i (\ell_{ia} - \ell_{i,ref})}{\sum_i w_i},
        \qquad \widehat{\mathrm{var}}(\hat\delta) = \frac{G}{G-1} \frac{1}{n^2}
        \sum_{g=1}^{G} \Bigl(\sum_{i \in g} \psi_i\Bigr)
        \Bigl(\sum_{i \in g} \psi_i\Bigr)^{\!\top}

    Parameters
    ----------
    losses : array of shape (n_rows, n_arms) or InfluenceEstimate
        Pointwise losses of the arms, or estimates with influence of a metric that is no
        mean of losses (the AUC).
    names : sequence of str
        Name of each arm.
    reference : str
        Name of the arm that the others are compared with.
    metric : str, default='mean loss'
        What the losses measure, for sentences; an influence record has its own name.
    sample_weight : array of shape (n_rows,), optional
        Sampling weights; rows of weight zero are left out, a constant changes nothing.
    clusters : array of shape (n_rows,), optional
        Cluster of each row (a group, a patient, copies of one row). Without clusters
        every row is its own, and G = n.
    level : float, default=0.95
        Confidence level.
    n_draws : int, default=10000
        Draws of the multiplier bootstrap behind simultaneous intervals.
    random_state : int, generator or None
        Seed of the draws.

    Returns
    -------
    Comparison
        Differences arm - reference; t laws with G - 1 degrees of freedom, max-T by a
        normal multiplier bootstrap.

    Raises
    ------
    ValueError
        If names do not fit, a loss is not finite, the reference is unknown, there are
        fewer than 2 rows or clusters, or a weight is negative.

    Notes
    -----
    Without weights and clusters each interval is that of the paired t-test. Few or very
    unequal clusters make intervals too narrow; the conditions of the result name the
    effective number of clusters, (Σ size)² / Σ size², where size is a sum of weights.

    References
    ----------
    .. [1] A. C. Cameron and D. L. Miller, "A practitioner's guide to cluster-robust
       inference", Journal of Human Resources 50, 2015, Section II.
    .. [2] J. P. Romano and M. Wolf, "Exact and approximate stepdown methods for
       multiple hypothesis testing", JASA 100, 2005, Section 4 (here in a single step).

    Examples
    --------
    >>> from semikd.inference import paired_differences
    >>> losses = [[0.2, 0.1], [0.9, 0.5], [0.4, 0.4], [0.3, 0.1]]
    >>> result = paired_differences(
    ...     losses, names=["scratch", "distilled"], reference="scratch", random_state=0
    ... )
    >>> result.estimate
    array([-0.175])
    """
    checked_level(level)
    size = count("n_draws", n_draws)
    record, arms, groups, sizes = _differences(
        losses, names, reference, sample_weight, clusters
    )
    if not isinstance(losses, InfluenceEstimate):
        record = replace(record, metric=metric)
    influence = record.influence
    covariance, n_units, draws = drawn_sandwich(influence, groups, size, random_state)
    return Comparison(
        names=arms,
        reference=reference,
        metric=record.metric,
        greater_is_better=record.greater_is_better,
        estimate=record.estimate,
        covariance=covariance,
        law=StudentLaw.of_each(np.full(len(arms), n_units - 1.0)),
        estimand=(
            f"difference in {record.metric} (arm - {reference!r}) of these fitted "
            "models, on new rows from the same population"
        ),
        conditions=row_conditions(len(influence), groups, sizes),
        level=level,
        draws=draws,
    )


def _differences(
    losses: ArrayLike | InfluenceEstimate,
    names: Sequence[str],
    reference: str,
    sample_weight: ArrayLike | None,
    clusters: ArrayLike | None,
) -> tuple[InfluenceEstimate, tuple[str, ...], NDArray[np.intp] | None, FloatArray]:
    """Return differences, names of the other arms, clusters, weight of each row."""
    if isinstance(losses, InfluenceEstimate):
        if sample_weight is not None:
            shown = Shown("weights beside an InfluenceEstimate")
            remedy = "Its influence holds the weights already"
            raise invalid("sample_weight", "be None", shown, remedy)
        arms = checked_names(names, len(losses.estimate))
        at = reference_index(reference, arms)
        n_rows = len(losses.influence)
        groups = checked_clusters(clusters, n_rows)
        check_units(n_rows, groups)
        record = replace(
            losses,
            estimate=differences_to(losses.estimate, at),
            influence=differences_to(losses.influence, at),
        )
        return record, arms[:at] + arms[at + 1 :], groups, np.ones(n_rows)
    table, arms = checked_losses(losses, names, n_axes=2)
    at = reference_index(reference, arms)
    table, groups, weights = kept_rows(table, sample_weight, clusters)
    sizes = np.ones(len(table)) if weights is None else weights
    record = mean_influence(differences_to(table, at), weights)
    return record, arms[:at] + arms[at + 1 :], groups, sizes


def row_conditions(
    n_rows: int, groups: NDArray[np.intp] | None, weights: FloatArray
) -> tuple[str, ...]:
    """Return what intervals on test rows rest on, in words."""
    first = "no test row took part in fitting, tuning or choosing any arm"
    return first, independence(n_rows, groups, weights, "test rows")


def left_out_in_words(n_rows: int) -> tuple[str, ...]:
    """Return what is said of rows that took no part."""
    if not n_rows:
        return ()
    return (
        f"rows without weight or label, {n_rows:,} here, are no part of the "
        "population, or like the others",
    )


def independence(
    n_rows: int, groups: NDArray[np.intp] | None, weights: FloatArray, rows: str
) -> str:
    """Return which units must be independent, in words."""
    if groups is None:
        return f"the {n_rows:,} {rows} are independent draws"
    sizes = np.bincount(groups, weights=weights)
    effective = sizes.sum() ** 2 / (sizes**2).sum()
    return (
        f"the {len(sizes):,} clusters of {n_rows:,} rows are independent and many "
        f"(about 40 or more; effective number here {effective:,.1f})"
    )
