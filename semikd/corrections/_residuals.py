"""What is left of the outcome after the teacher: regressions that share no row.

The square of one fitted residual counts its own noise as the teacher's error. The
product of two that were fitted to different rows does not.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.multioutput import MultiOutputRegressor
from sklearn.utils import get_tags

from semikd.crossfit import fit_learner, seeded_clone
from semikd.simplex import FloatArray

Part = tuple[int, ...]
Indices = NDArray[np.intp]

# Parts of the rows: ten regressions, whatever the number of folds.
_UNITS = 5


def units_of(keys: NDArray[np.uint64], fold: Indices) -> Indices:
    """Return the part of each row, 0 to 4: whole folds where there are three or more.

    Labels of fewer folds come from teachers that saw none or half of these rows, which
    are then divided by their keys, so that copies, or groups, stay together.
    """
    known, unit = np.unique(fold, return_inverse=True)
    if len(known) < 3:
        unit = (keys % np.uint64(_UNITS)).astype(np.intp)
    return np.asarray(unit % _UNITS, dtype=np.intp)


def halvings(units: Iterable[int]) -> list[tuple[Part, Part]]:
    """Return every way to divide some units into two halves, as equal as can be."""
    every = tuple(sorted(units))
    n_first = len(every) // 2
    pairs = []
    for first in combinations(every, n_first):
        second = tuple(unit for unit in every if unit not in first)
        # Halves of one size would come twice.
        if len(first) < len(second) or first[0] == every[0]:
            pairs.append((first, second))
    return pairs


@dataclass(frozen=True, eq=False)
class ResidualFits:
    """Regressions of the residual on the covariates, each fitted to some units.

    ``said`` holds what each says of the rows of other units, shape (n, c).
    """

    unit: Indices
    residual: FloatArray
    weights: FloatArray
    said: dict[Part, FloatArray]

    @classmethod
    def of(
        cls,
        columns: FloatArray,
        residual: FloatArray,
        unit: Indices,
        weights: FloatArray | None,
        regressor: Any,
        seed: int,
    ) -> "ResidualFits":
        """Fit a regression to every half that some unit asks for."""
        present = np.unique(unit).tolist()
        asked = {
            half
            for own in present
            for pair in halvings(u for u in present if u != own)
            for half in pair
        }
        said = {}
        for half in sorted(asked):
            learned = np.isin(unit, half)
            learner = seeded_clone(regressor, seed)
            single = residual.shape[1] == 1
            if not single and not get_tags(learner).target_tags.multi_output:
                learner = MultiOutputRegressor(learner)
            target = residual[learned, 0] if single else residual[learned]
            own = None if weights is None else weights[learned]
            # A column of gaps alone says nothing, and boosting cannot take one.
            seen = columns[:, ~np.isnan(columns[learned]).all(axis=0)]
            fit_learner(learner, seen[learned], target, own)
            answer = np.full(residual.shape, np.nan)
            shown = learner.predict(seen[~learned])
            answer[~learned] = np.reshape(shown, answer[~learned].shape)
            said[half] = answer
        ones = np.ones(len(unit))
        return cls(unit, residual, ones if weights is None else weights, said)

    def products(self, own: int) -> tuple[FloatArray, FloatArray]:
        """Return mean fit (n, c) and mean product of halves (n,), NaN for other units.

        Only outcomes of the other units are in either.
        """
        rows = self.unit == own
        pairs = [
            (self.said[first][rows], self.said[second][rows])
            for first, second in self._pairs(own)
        ]
        fit, product = np.full_like(self.residual, np.nan), np.full(len(rows), np.nan)
        fit[rows] = np.mean([half for pair in pairs for half in pair], axis=0)
        product[rows] = np.mean([(a * b).sum(axis=1) for a, b in pairs], axis=0)
        return fit, product

    def matches(self, own: int) -> FloatArray:
        """Return residual times fit of the rows of other units, NaN for its own, (n,).

        The fits are those that saw neither the row's unit nor the unit asked for.
        """
        halves = {half for pair in self._pairs(own) for half in pair}
        match = np.full(len(self.unit), np.nan)
        for other in np.unique(self.unit).tolist():
            apart = [half for half in halves if other not in half]
            if other == own or not apart:
                continue
            rows = self.unit == other
            fit = np.mean([self.said[half][rows] for half in sorted(apart)], axis=0)
            match[rows] = (self.residual[rows] * fit).sum(axis=1)
        return match

    def _pairs(self, own: int) -> list[tuple[Part, Part]]:
        """Return the halvings of the other units."""
        return halvings(u for u in np.unique(self.unit).tolist() if u != own)
