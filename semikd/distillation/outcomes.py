"""Rows that have both a label and an outcome, and the rule between the two."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semikd._learners import labelled_rows
from semikd.corrections import Correction
from semikd.crossfit import OutOfFold, take_rows
from semikd.losses import DistillationLoss, with_shift
from semikd.simplex import FloatArray

__all__ = ["Outcomes"]


@dataclass(eq=False)
class Outcomes:
    """The rows that have a label and an outcome, and the rule between the two."""

    rows: NDArray[np.intp]
    X: Any
    labels: FloatArray
    outcome: FloatArray
    weights: FloatArray | None
    fold: NDArray[np.intp]
    loss: DistillationLoss
    groups: NDArray[Any] | None = None
    complexity: float = 1.0
    rules: tuple[Correction, ...] = ()

    @classmethod
    def of(
        cls,
        record: OutOfFold,
        labels: FloatArray,
        outcome: FloatArray,
        X: Any,
        weights: FloatArray | None,
        loss: DistillationLoss,
        groups: Any = None,
    ) -> "Outcomes":
        """Take the rows that some repeat labels and that count."""
        rows = labelled_rows(labels, weights)
        return cls(
            rows,
            take_rows(X, rows),
            labels[:, rows],
            outcome[rows],
            None if weights is None else weights[rows],
            record.fold[:, rows],
            loss,
            None if groups is None else np.asarray(groups)[rows],
        )

    def answers(self) -> FloatArray:
        """Return the labels, averaged over the repeats that have one, (n, k)."""
        return np.asarray(np.nanmean(self.labels, axis=0))

    def correct(
        self, rule: Correction, complexity: float, fitted: Sequence[Correction]
    ) -> None:
        """Let the rule learn from these rows, repeat by repeat, what it estimates."""
        self.complexity = complexity
        self.rules = tuple(fitted) or tuple(
            rule.fit(
                p,
                self.outcome,
                X=self.X,
                loss=self.loss,
                fold=fold,
                sample_weight=self.weights,
                groups=self.groups,
            )
            for p, fold in zip(self.labels, self.fold, strict=True)
        )

    def trained_by(self) -> DistillationLoss:
        """Return the loss that a student is fitted by: the scale, shifted if asked."""
        each = [rule.logit_shift() for rule in self.rules]
        shifts = [shift for shift in each if shift is not None]
        if not shifts:
            return self.loss
        return with_shift(self.loss, tuple(np.mean(shifts, axis=0).tolist()))

    def target(self) -> FloatArray:
        """Return the corrected target of each row, averaged over repeats, (n, m)."""
        each = [
            rule.target(
                p, self.outcome, loss=self.loss, complexity=self.complexity, X=self.X
            )
            for rule, p in zip(self.rules, self.labels, strict=True)
        ]
        # A repeat that left a row out has no say in its target.
        return np.asarray(np.nanmean(each, axis=0))

    def weight_of_labels(self) -> float:
        """Return the mean weight that outcomes have in the targets."""
        each = [
            rule.weight(p, self.X, self.loss, self.complexity)
            for rule, p in zip(self.rules, self.labels, strict=True)
        ]
        return float(np.nanmean(each))

    def shown(self, p: FloatArray, at: NDArray[np.intp]) -> FloatArray:
        """Return the targets of rows that teachers have just labelled."""
        y, table, rule = self.outcome[at], take_rows(self.X, at), self.rules[0].take(at)
        moved = rule.target(p, y, loss=self.loss, complexity=self.complexity, X=table)
        return np.asarray(self.loss.with_labels(moved, y))
