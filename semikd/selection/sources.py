"""Labels for every candidate, made once: for its judgement and its final student."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from semikd._progress import Reporter, silent
from semikd._random import spawn_seeds
from semikd._validation import invalid
from semikd.corrections import Correction
from semikd.crossfit import (
    NestedFolds,
    NestedLabels,
    OutOfFold,
    cross_fit,
    row_hashes,
)
from semikd.crossfit.plan import fewest_of_a_class
from semikd.crossfit.shortcuts.choosing import choose_shortcut
from semikd.evaluation import Classification, Regression, Table
from semikd.evaluation.chosen import half_in_sample, outcome_labels
from semikd.losses import DistillationLoss
from semikd.simplex import FloatArray

__all__ = ["LabelBank"]


class LabelBank:
    """Who says what of which rows, for every part that judges and for all rows.

    Parameters
    ----------
    table : Table
        All rows.
    teachers : mapping from str to estimator
        Teachers by name. Those of two stages may share their first teachers.
    cv : int or folds
        The folds, as in ``cross_fit``.
    holdout : float, optional
        Share of the rows that judges alone.
    keep_teachers : bool, default=False
        Whether records keep their teachers, to label rows that are added.
    n_jobs : int, optional
        Workers over teachers.
    seed : int
        Seed of folds and teachers.
    progress : callable, optional
        Called with a ``Step`` as each teacher starts.

    Attributes
    ----------
    folds : NestedFolds
        Which rows judge, and which learn meanwhile.
    seconds : dict from str to float
        What the nested labels of each teacher took; shared first teachers count once.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from semikd.evaluation import Table
    >>> from semikd.selection.sources import LabelBank
    >>> table = Table(np.arange(12.0)[:, None], np.arange(12) % 2, None, None)
    >>> bank = LabelBank(table, {"bayes": GaussianNB()}, cv=3, seed=0)
    >>> bank.inner("cross-fitted", "bayes", 0).prediction.shape
    (1, 8, 2)
    """

    def __init__(
        self,
        table: Table,
        teachers: Mapping[str, Any],
        *,
        cv: Any = 5,
        holdout: float | None = None,
        keep_teachers: bool = False,
        n_jobs: int | None = None,
        seed: int = 0,
        progress: Reporter | None = None,
    ) -> None:
        self.table, self.teachers = table, dict(teachers)
        self.n_jobs, self.progress = n_jobs, progress or silent
        fold_seed, self._seed = spawn_seeds(seed, 2)
        self.folds = NestedFolds(
            table.X,
            table.y,
            cv=cv,
            holdout=holdout,
            groups=table.groups,
            sample_weight=table.weights,
            classification=table.classification,
            keep_teachers=keep_teachers,
            n_jobs=n_jobs,
            random_state=fold_seed,
            progress=self.progress,
        )
        self.seconds: dict[str, float] = {}
        self._nested: dict[str, NestedLabels] = {}
        self._records: dict[tuple[str, str, int | None], OutOfFold] = {}
        self._rules: dict[Any, tuple[OutOfFold, tuple[Correction, ...]]] = {}

    def nested(self, teacher: str) -> NestedLabels:
        """Return the nested labels of a teacher; its teachers are fitted once."""
        if teacher not in self._nested:
            start = time.perf_counter()
            self._nested[teacher] = self.folds.cross_fit(self.teachers[teacher])
            self.seconds[teacher] = time.perf_counter() - start
        return self._nested[teacher]

    def new_first_teachers(self, teacher: str) -> list[Any]:
        """Return the teachers that its labels need fitted, first stages one by one."""
        return _unknown(self.teachers[teacher], self.folds)

    def inner(self, labels: str, teacher: str, part: int) -> OutOfFold:
        """Return labels of the rows that learn while a part judges."""
        return self._remembered(labels, teacher, part)

    def outer(self, labels: str, teacher: str) -> OutOfFold:
        """Return labels of all rows, for the student that is kept."""
        return self._remembered(labels, teacher, None)

    def leaking(self, teacher: str, part: int) -> OutOfFold:
        """Return labels of the rows that learn, by teachers that saw the judging rows.

        They are honest for a fit and not for a choice. The teacher of folds b and c,
        neither of which judges, labels the rows of b: it learned from as many rows as
        the teachers of nested labels did, so that nothing but the leak differs.
        """
        judging, learning = self.folds.judging, self.folds.learning
        if len(judging) < len(self.folds.folds):
            remedy = "A holdout has no teachers of pairs: leave it out"
            raise invalid("holdout", "be None to look for leaks", len(judging), remedy)
        nested, n = self.nested(teacher), len(self.table.y)
        own = nested.inner[part]
        prediction = np.full((1, n, own.prediction.shape[2]), np.nan)
        fold = np.full((1, n), -1, dtype=np.intp)
        others = [b for b in range(len(judging)) if b != part]
        for t, b in enumerate(others):
            c, rows = others[t - 1], judging[b]
            places = np.searchsorted(learning[c], rows)
            prediction[0, rows] = nested.inner[c].prediction[0, places]
            fold[0, rows] = t
        rows = learning[part]
        return replace(
            own, prediction=prediction[:, rows], fold=fold[:, rows], teachers=()
        )

    def rules(
        self, record: OutOfFold, correction: Correction, loss: DistillationLoss
    ) -> tuple[Correction, ...]:
        """Return a correction as it was fitted to a record's labels, if it was."""
        return self._rules.get((id(record), correction, loss), (record, ()))[1]

    def keep_rules(
        self,
        record: OutOfFold,
        correction: Correction,
        loss: DistillationLoss,
        rules: tuple[Correction, ...],
    ) -> None:
        """Keep what was estimated, for other students of the same labels."""
        if any(rule is not correction for rule in rules):
            # The record stays too, so that no other one can come to have its place.
            self._rules[id(record), correction, loss] = record, rules

    def has_one_fit(self, teacher: str) -> bool:
        """Return whether a teacher labels its rows out-of-bag or leave-one-out.

        Whichever part judges, it needs two rows of every class that are left.
        """
        rows = self.table.rows()
        if min(fewest_of_a_class(rows, each)[0] for each in self.folds.learning) < 2:
            return False
        learner = self.teachers[teacher]
        return bool(choose_shortcut("auto", learner, self.table.X, rows, 1).name)

    def _remembered(self, labels: str, teacher: str, part: int | None) -> OutOfFold:
        """Return a record, made where it is first asked for."""
        key = (labels, teacher, part)
        if key not in self._records:
            made = self._makers()[labels](teacher, part)
            rows = slice(None) if part is None else self.folds.learning[part]
            # The student's rows are the teacher's rows, read otherwise.
            self._records[key] = replace(made, row_hash=self._hashes[rows])
        return self._records[key]

    @property
    def _hashes(self) -> Any:
        """Identity of each row as the student reads it."""
        if not hasattr(self, "_known_hashes"):
            self._known_hashes = row_hashes(self.table.features)
        return self._known_hashes

    def _makers(self) -> dict[str, Callable[[str, int | None], OutOfFold]]:
        """Return what makes each kind of label."""
        return {
            "scratch": self._outcomes,
            "in-sample": self._in_sample,
            "cross-fitted": self._cross_fitted,
            "one fit": self._one_fit,
            "half in-sample": self._half,
        }

    def _outcomes(self, teacher: str, part: int | None) -> OutOfFold:
        """Return the outcomes themselves, as a teacher would say them."""
        task = Classification() if self.table.classification else Regression()
        return outcome_labels(self.table.take(self._learning(part)), task)

    def _in_sample(self, teacher: str, part: int | None) -> OutOfFold:
        """Return what a teacher says of the rows it learned from."""
        if part is None:
            said = self.folds.in_sample(self.teachers[teacher])
        else:
            said = self.nested(teacher).in_sample[part]
        return self._dishonest(said, "in-sample", part)

    def _cross_fitted(self, teacher: str, part: int | None) -> OutOfFold:
        """Return out-of-fold labels; within a part, by teachers of pairs."""
        nested = self.nested(teacher)
        return nested.outer if part is None else nested.inner[part]

    def _one_fit(self, teacher: str, part: int | None) -> OutOfFold:
        """Return out-of-bag or leave-one-out labels."""
        own = self.table.take(self._learning(part))
        return cross_fit(
            self.teachers[teacher],
            own.X,
            own.y,
            cv="auto",
            groups=own.groups,
            sample_weight=own.weights,
            new_rows="none",
            n_jobs=self.n_jobs,
            random_state=self._seed,
        )

    def _half(self, teacher: str, part: int | None) -> OutOfFold:
        """Return the mean of in-sample and out-of-fold labels."""
        return half_in_sample(
            self._remembered("in-sample", teacher, part),
            self._remembered("cross-fitted", teacher, part),
        )

    def _learning(self, part: int | None) -> Any:
        """Return the rows that learn: all of them for the final student."""
        if part is None:
            return np.arange(len(self.table.y))
        return self.folds.learning[part]

    def _dishonest(self, said: FloatArray, words: str, part: int | None) -> OutOfFold:
        """Return a record of labels that saw their own outcomes."""
        rows = self._learning(part)
        return OutOfFold(
            prediction=said[None],
            fold=np.full((1, len(rows)), -1, dtype=np.intp),
            classes=self.table.classes,
            strategy=words,
            row_hash=self._hashes[rows],
            honest=False,
        )


def taken(record: OutOfFold, rows: Any) -> OutOfFold:
    """Return the record of some of its rows.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd import external_labels
    >>> from semikd.selection.sources import taken
    >>> record = external_labels(np.ones((2, 1)), [0.4, 0.6])
    >>> taken(record, np.array([1])).prediction
    array([[[0.6]]])
    """
    return replace(
        record,
        prediction=record.prediction[:, rows],
        fold=record.fold[:, rows],
        row_hash=record.row_hash[rows],
        teachers=(),
    )


def _unknown(teacher: Any, folds: NestedFolds) -> list[Any]:
    """Return the first teachers behind a teacher that were not cross-fitted yet."""
    if folds.knows(teacher):
        return []
    if not hasattr(teacher, "second_stage"):
        return [teacher]
    return [each for first in teacher.first_stage() for each in _unknown(first, folds)]
