"""How much a choice flatters itself when the teachers behind the labels saw the judges.

Out-of-fold labels look honest, and a student tuned on them by ordinary cross-validation
is not: its teachers learned from the rows that judge it. The same candidates are scored
both ways on the same rows, by teachers of the same size, and the gap is tested.
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from semikd.inference.influence import mean_influence, sandwich
from semikd.selection.candidates import Candidate
from semikd.selection.choice import Choice
from semikd.selection.judging import Judge

__all__ = ["LeakTest", "leak_test"]


@dataclass(frozen=True)
class LeakTest:
    """The gap between the honest and the naive score of a candidate.

    Parameters
    ----------
    candidate : Candidate
        Of the cross-fitted ones the best, by both scores together.
    honest, naive : float
        Its mean losses.
    gap : float
        Honest less naive: above 0 where a naive search flatters itself.
    std_error : float
        Standard error of the gap, paired over rows or clusters.
    p_value : float
        Of no gap, against a positive one.

    Examples
    --------
    >>> from semikd.selection import Candidate
    >>> from semikd.selection.leaks import LeakTest
    >>> found = LeakTest(Candidate("tree", "cross-fitted"), 0.31, 0.3, 0.01, 0.002, 0.0)
    >>> print(found)
    naive scores flatter 'tree: cross-fitted' by 0.01 (standard error 0.002)
    """

    candidate: Candidate
    honest: float
    naive: float
    gap: float
    std_error: float
    p_value: float

    def __str__(self) -> str:
        size = f"{self.gap:.3g} (standard error {self.std_error:.2g})"
        if self.p_value < 0.05:
            return f"naive scores flatter '{self.candidate}' by {size}"
        return f"no leak is shown for '{self.candidate}': gap {size}"


def leak_test(judge: Judge, choice: Choice) -> LeakTest | None:
    """Score the cross-fitted candidates naively too, and test the gap of one of them.

    It is the one that is best by both scores together: choosing by the naive one alone
    would favour those that noise, and no leak, makes look good.

    Parameters
    ----------
    judge : Judge
        Who judged.
    choice : Choice
        The candidates, and the clusters of the rows.

    Returns
    -------
    LeakTest or None
        None where no candidate has cross-fitted labels of rows with outcomes alone.

    Raises
    ------
    ValueError
        If a holdout judged alone.
    """
    honest = [each for each in choice.candidates if _can_leak(each)]
    if not honest:
        return None
    rows = np.concatenate(judge.bank.folds.judging)
    naive = [judge.leaking_losses(each)[rows] for each in honest]
    nested = [judge.losses[each][rows] for each in honest]
    means = [float(np.average(each, weights=choice.weights)) for each in naive]
    fair = [float(np.average(each, weights=choice.weights)) for each in nested]
    at = int(np.argmin(np.add(means, fair)))
    record = mean_influence((nested[at] - naive[at])[:, None], choice.weights)
    covariance, n_units = sandwich(record.influence, choice.units)
    gap, error = float(record.estimate[0]), float(np.sqrt(covariance[0, 0]))
    # No spread at all: the two searches are the same.
    p_value = float(stats.t.sf(gap / error, n_units - 1)) if error > 0 else 1.0
    return LeakTest(honest[at], means[at] + gap, means[at], gap, error, p_value)


def _can_leak(candidate: Candidate) -> bool:
    """Return whether a candidate can be scored naively too.

    Added rows are left out: their labels are means over several teachers, of which a
    leaking record, made of teachers of other parts, has none.
    """
    added = candidate.unlabelled or candidate.synthetic is not None
    return candidate.labels == "cross-fitted" and not added
