"""The labels of one refit, made once for all arms that learn from them."""

import time
from dataclasses import replace
from typing import Any

import numpy as np

from semikd._progress import Reporter, Step
from semikd.crossfit import OutOfFold, cross_fit, row_hashes
from semikd.evaluation.chosen import half_in_sample, outcome_labels
from semikd.evaluation.tables import Table
from semikd.evaluation.tasks import Task

__all__ = ["Labels", "Steps", "fold_steps"]

# The kinds of labels, as a search names them.
SCRATCH, IN_SAMPLE, CROSS_FITTED = "scratch", "in-sample", "cross-fitted"
ONE_FIT, HALF = "one fit", "half in-sample"


class Steps:
    """Counts the steps of one refit for whoever is listening."""

    def __init__(self, progress: Reporter, total: int) -> None:
        self.progress, self.total, self.done = progress, total, 0

    def start(self, stage: str, label: str) -> None:
        """Report a step that starts now."""
        self.progress(Step(stage, label, self.done, self.total))
        self.done += 1

    def fold(self, step: Step) -> None:
        """Report a fold that starts now, of those that cross-fitting knows of."""
        if step.done < step.total:
            self.start(step.stage, f"cross-fitted labels, {step.label}")


class Labels:
    """The labels of one refit, each kind made where it is first asked for."""

    def __init__(
        self,
        recipe: Any,
        train: Table,
        task: Task,
        seed: int,
        steps: Steps,
        *,
        keep_teachers: bool,
    ) -> None:
        self.recipe, self.train, self.task = recipe, train, task
        self.seed, self.steps = seed, steps
        self.new_rows = "mean" if keep_teachers else "none"
        self._known: dict[str, tuple[OutOfFold, float]] = {}

    def of(self, kind: str) -> tuple[OutOfFold, float]:
        """Return labels of a kind, and the seconds that they took."""
        if kind not in self._known:
            self._known[kind] = self._made(kind)
        return self._known[kind]

    def _made(self, kind: str) -> tuple[OutOfFold, float]:
        """Return labels that were not made before."""
        recipe, new_rows = self.recipe, self.new_rows
        if kind == SCRATCH:
            return outcome_labels(self.train, self.task), 0.0
        if kind == HALF:
            (inside, first), (outside, second) = map(self.of, (IN_SAMPLE, CROSS_FITTED))
            return half_in_sample(inside, outside), first + second
        if kind == IN_SAMPLE:
            return self._cross_fitted(IN_SAMPLE, 1, "mean")
        if kind == ONE_FIT:
            return self._cross_fitted("auto", 1, new_rows)
        if isinstance(recipe.cv, OutOfFold):
            return recipe.cv, 0.0
        heard = self.steps.fold
        return self._cross_fitted(recipe.cv, recipe.n_repeats, new_rows, heard)

    def _cross_fitted(
        self, cv: Any, n_repeats: int, new_rows: str, heard: Reporter | None = None
    ) -> tuple[OutOfFold, float]:
        """Return the teacher's labels and the seconds they took."""
        start, recipe, train = time.perf_counter(), self.recipe, self.train
        labels = cross_fit(
            recipe.resolved_teacher(),
            train.X,
            train.y,
            cv=cv,
            groups=train.groups,
            sample_weight=train.weights,
            n_repeats=n_repeats,
            new_rows=new_rows,
            n_jobs=recipe.n_jobs,
            random_state=self.seed,
            progress=heard,
        )
        if train.student_view is not None:
            # The student's rows are the teacher's rows, read otherwise.
            labels = replace(labels, row_hash=row_hashes(train.student_view))
        return labels, time.perf_counter() - start


def fold_steps(recipe: Any) -> int:
    """Return how many fold teachers a labelling fits."""
    cv = 5 if recipe.cv is None else recipe.cv
    if hasattr(cv, "get_n_splits"):
        return int(cv.get_n_splits())
    n_folds = int(cv) if isinstance(cv, int | np.integer) else 1
    return n_folds * int(recipe.n_repeats)
