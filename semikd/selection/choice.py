"""Which candidate won, by how much, and what its score is worth after the choice.

The smallest of many noisy means is too small. The score of what was chosen is therefore
made of rows that took no part in choosing: bootstrap samples choose, and the rows each
sample left out judge.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from semikd._random import generator
from semikd.inference.influence import differences_to, mean_influence, sandwich
from semikd.selection.candidates import Candidate
from semikd.simplex import FloatArray

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Choice"]

_DRAWS = 200
_ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class Choice:
    r"""Candidates with the losses of the rows that judged them all.

    Parameters
    ----------
    candidates : tuple of Candidate
        In the declared order of simplicity: of two that are equally good the first is
        taken.
    losses : ndarray of shape (n, c)
        Nested losses of the rows that judge.
    sizes : tuple of int
        Place of each candidate's student in the declared order of size, smallest first;
        along it alone a student may be taken that is not shown to be worse.
    weights : ndarray of shape (n,) or None
        Weights of these rows.
    units : ndarray of shape (n,) or None
        Cluster of each row: a group, or copies of one row.
    seed : int, default=0
        Seed of the bootstrap.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.selection import Candidate
    >>> from semikd.selection.choice import Choice
    >>> two = (Candidate("tree", "scratch"), Candidate("tree", "in-sample", "forest"))
    >>> losses = np.array([[0.5, 0.4], [0.6, 0.3], [0.7, 0.5], [0.4, 0.3]])
    >>> print(Choice(two, losses, (0, 0), None, None).chosen)
    tree: forest, in-sample
    """

    candidates: tuple[Candidate, ...]
    losses: FloatArray
    sizes: tuple[int, ...]
    weights: FloatArray | None
    units: NDArray[np.intp] | None
    seed: int = 0

    @cached_property
    def means(self) -> FloatArray:
        """Weighted mean loss of each candidate, shape (c,)."""
        return np.asarray(np.average(self.losses, axis=0, weights=self.weights))

    @property
    def best(self) -> int:
        """Place of the candidate with the smallest mean."""
        return _first_smallest(self.means)

    @cached_property
    def difference_errors(self) -> FloatArray:
        """Standard error of each candidate's mean less that of the best, shape (c,)."""
        table = np.column_stack([self.losses[:, self.best], self.losses])
        record = mean_influence(differences_to(table, 0), self.weights)
        covariance, _ = sandwich(record.influence, self.units)
        return np.sqrt(np.maximum(np.diag(covariance), 0.0))

    @cached_property
    def place(self) -> int:
        """Place of the candidate that is taken.

        Of each size the best; of the sizes the smallest whose best is within one
        standard error, of the paired difference, of the best of all.
        """
        return self._taken(self.means, lambda at, _: float(self.difference_errors[at]))

    @property
    def chosen(self) -> Candidate:
        """The candidate that is taken."""
        return self.candidates[self.place]

    @cached_property
    def score(self) -> tuple[float, float]:
        r"""Loss of what was chosen, on rows that took no part, and its standard error.

        .. math:: \hat L = \frac1B \sum_b \frac{1}{|O_b|}
           \sum_{i \in O_b} L_{i\,\hat c(b)}

        with :math:`\hat c(b)` the candidate that bootstrap sample b takes, by the rule
        that took the winner, and :math:`O_b` the rows (or clusters) that it leaves out.
        Which candidates a search came to try is not replayed: a little optimism of its
        later rounds stays, of which held-out rows are free.

        References
        ----------
        .. [1] I. Tsamardinos, E. Greasidou and G. Borboudakis, "Bootstrapping the
           out-of-sample predictions for efficient and accurate cross-validation",
           Machine Learning 107, 2018, Section 4.
        """
        n = len(self.losses)
        weights = np.ones(n) if self.weights is None else self.weights
        units = np.arange(n) if self.units is None else self.units
        n_units, draws = int(units.max()) + 1, generator(self.seed)
        totals = np.zeros((n_units, self.losses.shape[1]))
        np.add.at(totals, units, weights[:, None] * self.losses)
        mass = np.bincount(units, weights, minlength=n_units).astype(np.float64)
        found = []
        for _ in range(_DRAWS):
            times = np.bincount(
                draws.integers(n_units, size=n_units), minlength=n_units
            )
            picked = self._taken_of(times, totals, mass)
            out = times == 0
            if mass[out].sum() > 0:
                found.append(totals[out, picked].sum() / mass[out].sum())
        record = mean_influence(self.losses[:, [self.place]], self.weights)
        covariance, _ = sandwich(record.influence, self.units)
        return float(np.mean(found)), float(np.sqrt(covariance[0, 0]))

    def _taken(self, means: FloatArray, error: Callable[[int, int], float]) -> int:
        """Return the place that is taken, by means and errors of their differences."""
        best = _first_smallest(means)
        for size in sorted(set(self.sizes)):
            of_size = np.flatnonzero(np.equal(self.sizes, size))
            at = int(of_size[_first_smallest(means[of_size])])
            slack = _ROUNDING * abs(means[best])
            if means[at] - means[best] <= error(at, best) + slack:
                return at
        return best

    def _taken_of(
        self, times: NDArray[np.intp], totals: FloatArray, mass: FloatArray
    ) -> int:
        """Return the place that a sample takes which holds each unit so many times."""
        n_units, whole = len(times), float(times @ mass)
        means = times @ totals / whole

        def error(at: int, best: int) -> float:
            own = totals[:, at] - totals[:, best] - (means[at] - means[best]) * mass
            return float(np.sqrt(times @ own**2 * n_units / (n_units - 1))) / whole

        return self._taken(means, error)

    def table(self, seconds: Sequence[float] | None = None) -> "pd.DataFrame":
        """Return the candidates, best first.

        Parameters
        ----------
        seconds : sequence of float, optional
            Time spent on each candidate's students.

        Returns
        -------
        pandas.DataFrame
            Index ``candidate``; columns ``loss``, ``behind`` (the best), ``std_error``
            of that difference, ``chosen`` and, if given, ``seconds``.
        """
        import pandas as pd

        columns = {
            "loss": self.means,
            "behind": self.means - self.means[self.best],
            "std_error": self.difference_errors,
            "chosen": [at == self.place for at in range(len(self.candidates))],
        }
        if seconds is not None:
            columns["seconds"] = seconds
        names = pd.Index([str(each) for each in self.candidates], name="candidate")
        return pd.DataFrame(columns, index=names).sort_values("loss", kind="stable")


def _first_smallest(means: FloatArray) -> int:
    """Return the place of the smallest; the first of those that agree but for rounding.

    Sums of the same losses in another order differ in their last digits.
    """
    least = means.min()
    return int((means <= least + _ROUNDING * abs(least)).argmax())
