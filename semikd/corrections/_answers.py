"""The teacher's error, found in probabilities, as it counts on the scale of a loss."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semikd.corrections._levels import Level
from semikd.corrections.formula import label_noise
from semikd.losses import DistillationLoss, IdentityLoss
from semikd.simplex import FloatArray, project


@dataclass(frozen=True, eq=False)
class Answers:
    """What teachers say of rows, what came out, and the scale between the two."""

    p: FloatArray
    y: FloatArray
    X: Any
    loss: DistillationLoss

    @property
    def is_regression(self) -> bool:
        """Whether outcomes are numbers rather than classes."""
        return isinstance(self.loss, IdentityLoss)

    @property
    def residual(self) -> FloatArray:
        """Outcome less answer; of two classes, of the second alone, (n, c)."""
        left = self.y - self.p
        binary = left.shape[1] == 2 and not self.is_regression
        return left[:, 1:] if binary else left

    def mean_square(self, rows: NDArray[np.intp], weights: FloatArray) -> float:
        """Return the mean squared residual of some rows."""
        square = (self.residual[rows] ** 2).sum(axis=1)
        return float(np.average(square, weights=weights))

    def parts(
        self,
        rows: NDArray[np.intp],
        fit: FloatArray,
        level: Level,
        mean_square: float,
        *,
        local: bool,
    ) -> FloatArray:
        """Return squared error, noise and overshoot on the scale, shape (3, rows)."""
        p, step = self.p[rows], level.slope * fit
        if self.is_regression:
            noise = np.full(len(rows), max(mean_square - level.squared_error, 0.0))
            square = (step**2).sum(axis=1) + level.spread
            square = square if local else np.full(len(rows), level.squared_error)
            return np.stack([square, noise, np.zeros(len(rows))])
        if fit.shape[1] < p.shape[1]:
            step = np.column_stack([-step, step])
        moved = project(p + step)
        linear = np.asarray(self.loss.jvp(p, moved - p))
        error = np.asarray(self.loss.phi(moved)) - np.asarray(self.loss.phi(p))
        square = np.maximum((linear * error).sum(axis=1), 0.0)
        overshoot = np.maximum((linear**2).sum(axis=1) - square, 0.0)
        # Both classes err when one does.
        twice = 2.0 if fit.shape[1] < p.shape[1] else 1.0
        alike = np.full(len(rows), twice * self._stretch)
        if local:
            square = square + alike * level.spread
        else:
            square, overshoot = alike * level.squared_error, np.zeros(len(rows))
        return np.stack([square, label_noise(self.loss, p, moved), overshoot])

    @cached_property
    def _stretch(self) -> float:
        """By how much the scale stretches squared distances, in the median row."""
        even = np.full_like(self.p, 1.0 / self.p.shape[1])
        stretched = float(np.median(label_noise(self.loss, self.p, even)))
        return float(stretched / (1.0 - 1.0 / self.p.shape[1]))
