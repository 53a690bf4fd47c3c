"""Whom a model serves worse: rows of a class, of rare classes, or of a group of people.

A mean over all rows hides who pays for it. A student may be right more often than one
without a teacher, and wrong more often on a class that its teacher does not know.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semikd._random import RandomState
from semikd._validation import (
    FloatArray,
    Shown,
    count,
    finite_array,
    invalid,
    sample_weights,
    unknown,
    wrong_type,
)
from semikd.corrections import margins
from semikd.diagnostics._classes import class_positions
from semikd.diagnostics.subgroup_result import SubgroupReport
from semikd.inference._inputs import checked_clusters, checked_level, numbered
from semikd.inference.shares import share_differences
from semikd.simplex import one_hot

__all__ = ["subgroup_report"]

Mask = NDArray[np.bool_]


def subgroup_report(
    y: ArrayLike,
    arms: Mapping[str, ArrayLike],
    *,
    reference: str,
    groups: ArrayLike | None = None,
    classes: ArrayLike | None = None,
    n_worst: int = 1,
    sample_weight: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    level: float = 0.95,
    random_state: RandomState = None,
) -> SubgroupReport:
    r"""Compare models group by group on rows that none of them learned from.

    .. math:: \Delta_g = P(\text{arm right} \mid g) - P(\text{reference right} \mid g)

    with intervals that hold for all groups and arms together.

    Parameters
    ----------
    y : array-like of shape (n,)
        Class labels.
    arms : mapping from str to array-like of shape (n, k)
        Probabilities of each fitted model, such as 'scratch', 'teacher', 'distilled'.
    reference : str
        The arm that harm is measured from, such as the student without a teacher.
    groups : array-like of shape (n,), optional
        Group of each row, by default its class; see `frequency_groups` and
        `crossed_groups`. Fix groups without a look at any answer: groups chosen because
        a model does badly there will do better on new rows.
    classes : array-like of shape (k,), optional
        Class of each column, by default the sorted labels.
    n_worst : int, default=1
        Groups whose mean accuracy stands as that of the worst.
    sample_weight : array-like of shape (n,), optional
        Sampling weights.
    clusters : array-like of shape (n,), optional
        Cluster of each row.
    level : float, default=0.95
        Confidence level.
    random_state : int, generator or None
        Seed of the draws behind simultaneous intervals.

    Returns
    -------
    SubgroupReport

    Raises
    ------
    ValueError
        If shapes or names do not fit, or there is one group only.

    Notes
    -----
    The error is split evenly over all statements. Where at least 10 rows of a group are
    right by one model alone, and 10 by the other alone, limits are normal, adjusted by
    max-T. Elsewhere they come from exact limits of both shares (Clopper and Pearson),
    which need rows that are independent and count alike. With weights or clusters, the
    10 are effective rows or clusters, and where there are fewer there is no interval,
    NaN, as in groups without weight. The mean of the worst groups errs to the low side,
    since groups are worst by chance, too; it has no interval.

    References
    ----------
    .. [1] M. Lukasik, S. Bhojanapalli, A. K. Menon and S. Kumar, "Teacher's pet:
       understanding and mitigating biases in distillation", TMLR 2022: the harm of a
       group against the student without a teacher.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.diagnostics import subgroup_report
    >>> rng = np.random.default_rng(0)
    >>> y = rng.integers(0, 2, 400)
    >>> good, blind = np.eye(2)[y] * 0.8 + 0.1, np.tile([0.7, 0.3], (400, 1))
    >>> arms = {"scratch": good, "distilled": blind}
    >>> found = subgroup_report(y, arms, reference="scratch", random_state=0)
    >>> found.summary["worst"].tolist(), found.summary["harmed"].tolist()
    ([1.0, 0.0], [0, 1])
    """
    import pandas as pd

    checked_level(level)
    if not isinstance(arms, Mapping):
        remedy = "For instance {'scratch': p, 'distilled': q}"
        raise wrong_type("arms", "map names to probabilities", arms, remedy)
    known = np.unique(np.asarray(y)) if classes is None else np.asarray(classes)
    codes = class_positions("y", y, known, len(np.asarray(y)))
    said = _checked(arms, reference, (len(codes), len(known)))
    weights = sample_weights(sample_weight, len(codes))
    units = checked_clusters(clusters, len(codes))
    parts = _parts(known[codes] if groups is None else groups, len(codes))
    count("n_worst", n_worst, low=1)
    right = {name: p.argmax(axis=1) == codes for name, p in said.items()}
    one = one_hot(codes, len(known))
    ahead = {name: margins(p, one) for name, p in said.items()}
    share = np.ones(len(codes)) if weights is None else weights
    rows = [
        {
            "group": name,
            "arm": arm,
            "rows": int((mask & (share > 0)).sum()),
            "accuracy": _mean(right[arm][mask], share[mask]),
            "margin": _mean(ahead[arm][mask], share[mask]),
        }
        for name, mask in parts.items()
        for arm in said
    ]
    table = pd.DataFrame(rows)
    options: dict[str, Any] = {"weights": weights, "units": units, "level": level}
    options["random_state"] = random_state
    harm = share_differences(right, reference, parts, **options)
    table = table.merge(pd.DataFrame(harm), on=["group", "arm"], how="left")
    means = {arm: float(np.average(hits, weights=share)) for arm, hits in right.items()}
    return SubgroupReport(table, reference, means, min(n_worst, len(parts)), level)


def _mean(values: NDArray[Any], weights: FloatArray) -> float:
    """Return the weighted mean, NaN of nothing."""
    total = float(weights.sum())
    return float(weights @ values) / total if total > 0.0 else float("nan")


def _checked(
    arms: Mapping[str, ArrayLike], reference: str, shape: tuple[int, int]
) -> dict[str, FloatArray]:
    """Return the probabilities of at least two arms, one of them the reference."""
    if len(arms) < 2:
        remedy = "Name the student without a teacher beside the distilled one"
        raise invalid("arms", "be at least two", Shown(f"{len(arms)}"), remedy)
    if reference not in arms:
        raise unknown("reference", reference, arms)
    found = {}
    for name, p in arms.items():
        table = finite_array(f"arms[{name!r}]", p, shape=(shape[0], None))
        if table.shape[1] != shape[1]:
            shown = Shown(f"{table.shape[1]} columns for {shape[1]} classes")
            remedy = "Name the class of every column by classes="
            raise invalid(
                f"arms[{name!r}]", "have a column for each class", shown, remedy
            )
        found[name] = table
    return found


def _parts(groups: ArrayLike, n: int) -> dict[str, Mask]:
    """Return the rows of each group by its name."""
    names, which = numbered("groups", groups, n)
    if len(names) < 2:
        raise invalid("groups", "part the rows", Shown("one group"))
    return {str(name): which == at for at, name in enumerate(names.tolist())}
