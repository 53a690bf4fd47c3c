r"""Generations of models, each taught by the last, none of which heard a row's outcome.

Where a row's label comes from a student, that student's own labels must not come from
models that saw the row, nor theirs: honesty has to hold through all generations. So a
model is known by its generation g and the set S of folds that it and all its ancestors
did without. It learns from the rows outside S; row j of fold t is labelled for it by

.. math:: \hat p^{(g - 1,\, S \cup \{t\})}(x_j)

Sets that many descendants need are one: the first generation has a model for each set
of G folds, not K to the power of G models.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.parallel import delayed

from semikd._progress import Reporter
from semikd._random import spawn_seeds
from semikd._workers import in_workers
from semikd.corrections import Correction
from semikd.crossfit import OutOfFold, take_rows
from semikd.crossfit.fold_teachers import label_folds
from semikd.crossfit.folds import Fold, Rows
from semikd.crossfit.record import UNLABELLED
from semikd.distillation.lessons import make_lesson
from semikd.losses import DistillationLoss
from semikd.simplex import FloatArray, one_hot
from semikd.students import Student, new_student

__all__ = ["Breed", "Lineage", "left_out_sets"]

LeftOut = frozenset[int]
Indices = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Breed:
    """What the models of a lineage are.

    Parameters
    ----------
    teacher : classifier
        The first generation, unfitted.
    student : estimator
        All later ones, unfitted.
    n_generations : int
        Students one after the other.
    loss : DistillationLoss
        The scale on which they learn.
    correction : Correction
        How far their targets move towards the outcomes.
    in_sample : bool
        Whether a model labels the rows that it learned from.

    Examples
    --------
    >>> from semikd.corrections import NoCorrection
    >>> from semikd.distillation.lineage import Breed
    >>> from semikd.losses import ProbabilityLoss
    >>> breed = Breed(None, None, 2, ProbabilityLoss(), NoCorrection(), False)
    >>> breed.n_generations
    2
    """

    teacher: Any
    student: Any
    n_generations: int
    loss: DistillationLoss
    correction: Correction
    in_sample: bool


def left_out_sets(
    wanted: Sequence[LeftOut], n_folds: int, breed: Breed
) -> list[list[LeftOut]]:
    """Return the sets of folds that models do without, generation by generation.

    Parameters
    ----------
    wanted : sequence of frozenset of int
        Those of the last generation.
    n_folds : int
        Number of folds.
    breed : Breed
        The number of generations, and whether labels are honest.

    Returns
    -------
    list of list of frozenset, the first generation first

    Examples
    --------
    >>> from semikd.corrections import NoCorrection
    >>> from semikd.distillation.lineage import Breed, left_out_sets
    >>> from semikd.losses import ProbabilityLoss
    >>> breed = Breed(None, None, 2, ProbabilityLoss(), NoCorrection(), False)
    >>> [len(sets) for sets in left_out_sets([frozenset()], 5, breed)]
    [10, 5, 1]
    """
    found = [list(wanted)]
    for _ in range(breed.n_generations):
        last = found[-1]
        if breed.in_sample:
            found.append(last)
            continue
        more = {s | {t} for s in last for t in range(n_folds) if t not in s}
        found.append(sorted(more, key=sorted))
    return found[::-1]


class Lineage:
    """Models of all generations over one division into folds.

    Parameters
    ----------
    X, y : array-like
        All rows and their classes.
    rows : Rows
        Identity, class, group and weight of each.
    folds : sequence of ndarray of int
        Positions of the rows of each fold.
    breed : Breed
        What the models are.
    wanted : sequence of frozenset of int
        Folds that models of the last generation do without.
    seed : int
        From which every model has a seed of its own.
    n_jobs : int, optional
        Workers over models of a generation.
    progress : callable
        Called with a step as each teacher of the first generation starts.

    Attributes
    ----------
    students : dict from frozenset to Student
        The last generation.
    labels : tuple of ndarray of shape (n, k)
        What each generation but the last says of rows that it, and its ancestors, did
        without, on average; NaN where a row is in no fold.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from semikd._progress import silent
    >>> from semikd.corrections import NoCorrection
    >>> from semikd.crossfit.inputs import describe_rows
    >>> from semikd.distillation.lineage import Breed, Lineage
    >>> from semikd.losses import ProbabilityLoss
    >>> X, y = np.arange(12.0)[:, None], np.arange(12) % 2
    >>> rows = describe_rows(X, y, GaussianNB(), groups=None, sample_weight=None)
    >>> tree = DecisionTreeRegressor(max_depth=1)
    >>> breed = Breed(GaussianNB(), tree, 1, ProbabilityLoss(), NoCorrection(), False)
    >>> folds, every = np.arange(12).reshape(3, 4), [frozenset()]
    >>> grown = Lineage(X, y, rows, folds, breed, every, seed=0, progress=silent)
    >>> len(grown.students), grown.labels[0].shape
    (1, (12, 2))
    """

    def __init__(
        self,
        X: Any,
        y: NDArray[Any],
        rows: Rows,
        folds: Sequence[Indices],
        breed: Breed,
        wanted: Sequence[LeftOut],
        *,
        seed: int,
        n_jobs: int | None = None,
        progress: Reporter,
    ) -> None:
        assert rows.classes is not None  # noqa: S101 - a classifier asks
        self.X, self.rows, self.folds, self.breed = X, rows, list(folds), breed
        self.outcome = one_hot(rows.codes, len(rows.classes))
        self.fold = np.full(len(rows.codes), UNLABELLED, dtype=np.intp)
        for t, own in enumerate(self.folds):
            self.fold[own] = t
        sets = left_out_sets(wanted, len(self.folds), breed)
        first_seed, *seeds = spawn_seeds(seed, len(sets))
        said = self._first(y, sets[0], first_seed, n_jobs, progress)
        labels = [self._mean(said)]
        for g, (models, own_seed) in enumerate(zip(sets[1:], seeds, strict=True), 1):
            each = spawn_seeds(own_seed, len(models))
            tasks = (
                delayed(self._student)(self._labels(said, s), one, g)
                for s, one in zip(models, each, strict=True)
            )
            self.students: dict[LeftOut, Student] = dict(
                zip(models, in_workers(tasks, n_jobs), strict=True)
            )
            if g < breed.n_generations:
                said = {
                    s: self._asked(self.students[s], self._about(s)) for s in models
                }
                labels.append(self._mean(said))
        self.labels = tuple(labels)

    def _first(
        self,
        y: NDArray[Any],
        sets: Sequence[LeftOut],
        seed: int,
        n_jobs: int | None,
        progress: Reporter,
    ) -> dict[LeftOut, FloatArray]:
        """Return what the teachers say, each of the rows that it is asked about."""
        jobs = [Fold(self._kept(s), self._about(s)) for s in sets]
        said = label_folds(
            self.breed.teacher,
            self.X,
            y,
            self.rows,
            [[job] for job in jobs],
            seed=seed,
            n_jobs=n_jobs,
            progress=progress,
            keep=False,
        )
        return dict(zip(sets, said.prediction, strict=True))

    def _kept(self, left_out: LeftOut) -> Indices:
        """Return the rows that a model learns from."""
        known = self.fold != UNLABELLED
        return np.flatnonzero(known & ~np.isin(self.fold, list(left_out)))

    def _about(self, left_out: LeftOut) -> Indices:
        """Return the rows that a model labels for the next generation."""
        if self.breed.in_sample:
            return self._kept(left_out)
        return np.flatnonzero(np.isin(self.fold, list(left_out)))

    def _labels(self, said: dict[LeftOut, FloatArray], left_out: LeftOut) -> FloatArray:
        """Return the labels of all rows that a model learns from; NaN elsewhere."""
        if self.breed.in_sample:
            return said[left_out]
        found = np.full_like(self.outcome, np.nan)
        for t, own in enumerate(self.folds):
            if t not in left_out:
                found[own] = said[left_out | {t}][own]
        return found

    def _student(self, labels: FloatArray, seed: int, generation: int) -> Student:
        """Return a student of these labels."""
        rows, breed = self.rows, self.breed
        labelled = np.isfinite(labels).all(axis=1) & (not breed.in_sample)
        record = OutOfFold(
            prediction=labels[None],
            fold=np.where(labelled, self.fold, UNLABELLED)[None],
            classes=rows.classes,
            strategy=f"labels by generation {generation - 1}",
            row_hash=rows.hashes,
            honest=not breed.in_sample,
        )
        student = new_student(breed.student, len(labels), rows.weights, seed)
        lesson = make_lesson(
            record,
            record.prediction,
            self.outcome,
            self.X,
            student=student,
            loss=breed.loss,
            correction=breed.correction,
            weights=rows.weights,
            groups=rows.groups,
        )
        return lesson.teach(student)

    def _asked(self, student: Student, at: Indices) -> FloatArray:
        """Return what a student says of some rows, NaN of all others, (n, k)."""
        found = np.full_like(self.outcome, np.nan)
        scores = student.scores(take_rows(self.X, at))
        found[at] = self.breed.loss.probabilities(scores)
        return found

    def _mean(self, said: dict[LeftOut, FloatArray]) -> FloatArray:
        """Return the mean of all that was said of each row."""
        tables = np.stack(list(said.values()))
        times = np.isfinite(tables).all(axis=2).sum(axis=0)[:, None]
        total = np.nansum(tables, axis=0)
        mean = np.full_like(total, np.nan)
        np.divide(total, times, out=mean, where=times > 0)
        return np.asarray(mean)
