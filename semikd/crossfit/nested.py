"""Labels by which students can be chosen: no teacher of theirs saw the rows that judge.

Out-of-fold labels are honest for a fit, not for a choice: a student that learned from
the labels of the other folds learned from teachers that saw the fold it is judged on.
Teachers of *pairs* of folds end that. The teacher fitted without folds a and b labels
the rows of b for a student that is judged on a, and those of a for one judged on b:
K(K - 1)/2 such teachers beside the K fold teachers, 15 for five folds.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.dummy import DummyClassifier, DummyRegressor

from semikd._progress import Reporter, Step, silent
from semikd._random import RandomState, spawn_seeds
from semikd._validation import invalid
from semikd.crossfit.fold_teachers import FoldLabels, label_folds
from semikd.crossfit.folds import Fold
from semikd.crossfit.inputs import check_workers, describe_rows
from semikd.crossfit.learners import check_teacher
from semikd.crossfit.nested_labels import NestedLabels, Said
from semikd.crossfit.plan import Asked, Plan, held_out_part, nested_folds
from semikd.crossfit.record import OutOfFold
from semikd.crossfit.rows import Indices, take_rows
from semikd.crossfit.second_stage import (
    apply_stage,
    fit_stage,
    outcomes,
    stage_folds,
)
from semikd.simplex import FloatArray

__all__ = ["NestedFolds"]


class NestedFolds:
    r"""Rows that judge students in turn, and the teachers that allow it.

    Parameters
    ----------
    X : array-like, sparse matrix or data frame of shape (n, d)
        Covariates.
    y : array-like of shape (n,) or (n, m)
        Class labels, or outcomes of a regression.
    cv : int, splitter, fold ids or (train, test) pairs, default=5
        The folds, as in ``cross_fit``.
    holdout : float, optional
        Share of the rows, in (0, 1), that judges alone, in place of each fold in turn:
        2K + 1 teachers, none of which saw it but those of the outer labels.
    groups : array-like of shape (n,), optional
        No group is divided.
    sample_weight : array-like of shape (n,), optional
        Weights; rows of weight zero are in no fold.
    classification : bool, default=True
        Whether y holds classes.
    keep_teachers : bool, default=False
        Whether records keep their teachers, to label new rows.
    n_jobs : int, optional
        Workers over teachers.
    random_state : int, generator or None, default=None
        Seed of folds and teachers.
    progress : callable, optional
        Called with a ``Step`` as each teacher starts.

    Attributes
    ----------
    judging : tuple of ndarray
        Positions of the rows that judge, part by part.
    learning : tuple of ndarray
        Positions of the rows that students learn from meanwhile.
    n_fitted : int
        Teachers fitted so far.

    Raises
    ------
    ValueError
        If there are fewer than three folds: a pair must leave rows to learn from.

    Notes
    -----
    Labels of a second stage (calibration, stacking, residuals) stay exact: the stages
    behind a part that judges are fitted without its rows, on the answers of the pairs.
    First teachers are fitted once, however many second stages ask for them, as long as
    it is the same object.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from semikd.crossfit import NestedFolds
    >>> X = np.arange(20.0)[:, None]
    >>> folds = NestedFolds(X, np.arange(20) % 2, random_state=0)
    >>> _ = folds.cross_fit(GaussianNB())
    >>> folds.n_fitted
    15
    """

    def __init__(
        self,
        X: Any,
        y: ArrayLike,
        *,
        cv: Any = 5,
        holdout: float | None = None,
        groups: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        classification: bool = True,
        keep_teachers: bool = False,
        n_jobs: int | None = None,
        random_state: RandomState = None,
        progress: Reporter | None = None,
    ) -> None:
        self.X, self.y = X, np.asarray(y)
        self.keep_teachers, self.n_jobs = keep_teachers, check_workers(n_jobs)
        self.progress, self.n_fitted = progress or silent, 0
        stand_in = DummyClassifier() if classification else DummyRegressor()
        self.rows = describe_rows(
            X, self.y, stand_in, groups=groups, sample_weight=sample_weight
        )
        fold_seed, self._seed, part_seed = spawn_seeds(random_state, 3)
        self.folds = nested_folds(cv, self.rows, X, self.y, fold_seed)
        if holdout is None:
            self.judging = tuple(fold.test for fold in self.folds)
        else:
            self.judging = (held_out_part(holdout, X, self.rows, part_seed),)
        self.learning = tuple(
            np.setdiff1d(self.rows.active, part) for part in self.judging
        )
        self._known: dict[int, tuple[Any, Said]] = {}

    @property
    def judges_teachers(self) -> bool:
        """Whether a pair of folds leaves rows to learn from."""
        return len(self.folds) > 2 or len(self.judging) < len(self.folds)

    def cross_fit(self, teacher: Any) -> NestedLabels:
        """Return nested labels of a teacher, of which no first stage is fitted twice.

        Parameters
        ----------
        teacher : estimator
            Any teacher that ``cross_fit`` takes.

        Returns
        -------
        NestedLabels

        Raises
        ------
        ValueError
            If there are so few distinct rows that only two folds could be drawn.
        """
        if not self.judges_teachers:
            remedy = "They need three distinct rows, or groups, of every class"
            raise invalid("cv", "have three folds or more", len(self.folds), remedy)
        check_teacher(teacher, classification=self.rows.classes is not None)
        said = self._said(teacher)
        everyone = np.arange(len(self.rows.hashes))
        words = f"{len(self.folds)}-fold cross-fitting"
        return NestedLabels(
            self._record(said.outer, everyone, words),
            tuple(
                self._record(inner, learning, f"{words} without the rows that judge")
                for inner, learning in zip(said.inner, self.learning, strict=True)
            ),
            tuple(
                whole[learning]
                for whole, learning in zip(said.in_sample, self.learning, strict=True)
            ),
        )

    def in_sample(self, teacher: Any) -> FloatArray:
        """Return what a teacher says of all rows, having learned from them, (n, m)."""
        rows, active = self.rows, self.rows.active
        if not hasattr(teacher, "second_stage"):
            whole = self._label(teacher, [Fold(active, active)])
            return np.asarray(whole.prediction[0])
        first = teacher.first_stage()
        answers = [self._said(each).outer.prediction[0] for each in first]
        outcome = outcomes(self.y, rows)
        stage = fit_stage(teacher, answers, self.X, outcome, rows, active, self._seed)
        own = [self.in_sample(each)[active] for each in first]
        said = np.full_like(answers[0], np.nan)
        said[active] = apply_stage(stage, own, take_rows(self.X, active), rows)
        return np.asarray(said)

    def _record(self, said: FoldLabels, at: Indices, words: str) -> OutOfFold:
        """Return the record of what fold teachers said of the rows at these places."""
        return OutOfFold(
            prediction=said.prediction[:, at],
            fold=said.fold[:, at],
            classes=self.rows.classes,
            strategy=words,
            row_hash=self.rows.hashes[at],
            teachers=said.teachers,
        )

    def _said(self, teacher: Any) -> Said:
        """Return what a teacher says, from memory where it has said it."""
        if id(teacher) not in self._known:
            staged = hasattr(teacher, "second_stage")
            found = self._in_stages(teacher) if staged else self._at_once(teacher)
            # The teacher is kept beside it, so that no other takes its place in memory.
            self._known[id(teacher)] = (teacher, found)
        return self._known[id(teacher)][1]

    def _label(
        self, teacher: Any, jobs: Sequence[Fold], *, keep: bool = False
    ) -> FoldLabels:
        """Return what a copy of a teacher says for each job."""
        said = label_folds(
            teacher,
            self.X,
            self.y,
            self.rows,
            [[job] for job in jobs],
            seed=self._seed,
            n_jobs=self.n_jobs,
            progress=self.progress,
            keep=keep,
        )
        self.n_fitted += len(jobs)
        return said

    def _in_stages(self, teacher: Any) -> Said:
        """Return what the second stage makes of what the first teachers said."""
        first = [self._said(each) for each in teacher.first_stage()]
        outcome, rows = outcomes(self.y, self.rows), self.rows
        n_parts, n_folds = len(self.judging), len(self.folds)

        def report(done: int) -> None:
            name = f"second stage of {type(teacher).__name__}"
            total = n_parts + (n_parts + 1) * n_folds
            self.progress(Step("second stage", name, done, total))

        def staged(said: list[FoldLabels]) -> FoldLabels:
            return stage_folds(teacher, said, self.X, outcome, rows, self._seed)

        in_sample, inner = [], []
        for part, learning in enumerate(self.learning):
            report(part)
            answers = [each.inner[part].prediction[0] for each in first]
            stage = fit_stage(
                teacher, answers, self.X, outcome, rows, learning, self._seed
            )
            whole = [each.in_sample[part] for each in first]
            table = np.full_like(whole[0], np.nan)
            own = [answer[learning] for answer in whole]
            table[learning] = apply_stage(stage, own, take_rows(self.X, learning), rows)
            in_sample.append(table)
        for part in range(n_parts):
            report(n_parts + part * n_folds)
            inner.append(staged([each.inner[part] for each in first]))
        report(n_parts + n_parts * n_folds)
        outer = staged([each.outer for each in first])
        report(n_parts + (n_parts + 1) * n_folds)
        return Said(outer, tuple(inner), tuple(in_sample))

    @cached_property
    def rows_of_fits(self) -> list[int]:
        """Rows from which each of the teachers of one cross-fit learns."""
        return [len(job.train) for job in self._questions()[0].jobs()]

    def knows(self, teacher: Any) -> bool:
        """Return whether this very teacher was cross-fitted already."""
        return id(teacher) in self._known

    def _questions(self) -> tuple[Plan, Asked, list[Asked], Asked]:
        """Return the plan of the teachers, and what outer, inner and in-sample ask."""
        plan = Plan(self.rows.active)
        outer = [plan.ask(fold.test, fold.test) for fold in self.folds]
        inner = [
            [
                plan.ask(np.union1d(part, fold.test), np.setdiff1d(fold.test, part))
                for fold in self.folds
                if len(np.setdiff1d(fold.test, part))
            ]
            for part in self.judging
        ]
        whole = [
            plan.ask(part, learning)
            for part, learning in zip(self.judging, self.learning, strict=True)
        ]
        return plan, outer, inner, whole

    def _at_once(self, teacher: Any) -> Said:
        """Return what the teachers that are needed say, each fitted once."""
        plan, outer, inner, whole = self._questions()
        said = self._label(teacher, plan.jobs(), keep=self.keep_teachers)
        return Said(
            plan.folds(said, outer),
            tuple(plan.folds(said, each) for each in inner),
            tuple(said.prediction[place] for place, _ in whole),
        )
