"""The teachers of the folds: trained in parallel, or by the teacher itself in a batch.

A teacher that trains many copies of itself at once offers ``cross_fit_proba`` (a
regressor ``cross_fit_predict``)::

    cross_fit_proba(X, y, folds, *, sample_weight=None, groups=None, random_state=None,
                    progress=None) -> (labels, teachers)

with ``folds`` a list of (train, test) positions over all folds and repeats, ``labels``
a list with the labels of each fold's test rows, and ``teachers`` the fitted ones, whose
``classes_`` name the columns.
"""

import warnings
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.parallel import delayed

from semikd._progress import Reporter, Step
from semikd._random import spawn_seeds
from semikd._validation import Shown, invalid
from semikd._workers import in_workers
from semikd.crossfit.copies import seeded_clone
from semikd.crossfit.folds import Fold, Rows
from semikd.crossfit.learners import (
    fit_learner,
    means,
    over_classes,
    predict_outputs,
)
from semikd.crossfit.record import UNLABELLED
from semikd.crossfit.rows import take_rows
from semikd.exceptions import SemikdWarning
from semikd.simplex import FloatArray

__all__ = ["FoldLabels", "label_folds", "train"]

# Teacher (None unless kept), labels of the test rows, classes never seen.
_Answer = tuple[Any, FloatArray, list[Any]]


@dataclass(frozen=True)
class FoldLabels:
    """What the fold teachers said, and who they are.

    Parameters
    ----------
    prediction : ndarray of shape (r, n, m)
        Labels; NaN where a row is in no fold.
    fold : ndarray of int of shape (r, n)
        Fold of each row; -1 where it is in none.
    teachers : tuple of tuples
        By repeat and fold; empty unless they are kept.
    in_a_batch : bool
        Whether they were trained at once.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.crossfit.fold_teachers import FoldLabels
    >>> FoldLabels(np.zeros((1, 2, 1)), np.zeros((1, 2), dtype=int), ()).fold
    array([[0, 0]])
    """

    prediction: FloatArray
    fold: NDArray[np.intp]
    teachers: tuple[tuple[Any, ...], ...]
    in_a_batch: bool = False


def label_folds(
    teacher: Any,
    X: Any,
    y: NDArray[Any],
    rows: Rows,
    repeats: list[list[Fold]],
    *,
    seed: int,
    n_jobs: int | None,
    progress: Reporter,
    keep: bool,
    may_batch: bool = True,
) -> FoldLabels:
    """Train every fold teacher, and gather labels, folds and the teachers to keep.

    Parameters
    ----------
    teacher : estimator
        Copied for each fold.
    X, y : array-like
        All rows.
    rows : Rows
        Classes, groups and weights.
    repeats : list of list of Fold
        Folds of each repeat.
    seed : int
        For the open seeds of the copies.
    n_jobs : int or None
        Workers over folds.
    progress : callable
        Called with a ``Step`` as each fold starts.
    keep : bool
        Whether to keep the fold teachers.
    may_batch : bool, default=True
        Whether a teacher that labels all folds at once may do so.

    Returns
    -------
    FoldLabels

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.dummy import DummyRegressor
    >>> from semikd._progress import silent
    >>> from semikd.crossfit.fold_teachers import label_folds
    >>> from semikd.crossfit.folds import Fold, Rows
    >>> rows = Rows(np.arange(2, dtype=np.uint64), np.zeros(2, int), None, None, None)
    >>> one, two = np.array([0]), np.array([1])
    >>> labels = label_folds(
    ...     DummyRegressor(),
    ...     np.ones((2, 1)),
    ...     np.array([3.0, 5.0]),
    ...     rows,
    ...     [[Fold(one, two), Fold(two, one)]],
    ...     seed=0,
    ...     n_jobs=None,
    ...     progress=print,
    ...     keep=False,
    ... )
    Step(stage='fold', label='fold 1 of 2', done=0, total=2)
    Step(stage='fold', label='fold 2 of 2', done=1, total=2)
    Step(stage='fold', label='fold 2 of 2', done=2, total=2)
    >>> labels.prediction.ravel()
    array([5., 3.])
    """
    jobs = [
        (r, t, fold) for r, folds in enumerate(repeats) for t, fold in enumerate(folds)
    ]
    folds = [fold for _, _, fold in jobs]
    batch = "cross_fit_predict" if rows.classes is None else "cross_fit_proba"
    if in_a_batch := may_batch and hasattr(teacher, batch):
        copy = seeded_clone(teacher, seed)
        results = _in_a_batch(copy, batch, X, y, rows, folds, seed, progress)
    else:
        # Seeds are drawn before dispatch: neither workers nor their order matter.
        seeds = spawn_seeds(seed, len(jobs))
        tasks = _Tasks(
            delayed(_train_and_label)(teacher, X, y, rows, fold, fold_seed, keep=keep)
            for fold, fold_seed in zip(folds, seeds, strict=True)
        )
        # No more is dealt than is worked on, so that little is lost by stopping.
        dealt = in_workers(tasks, n_jobs, pre_dispatch="n_jobs")
        results = _counted(dealt, tasks, len(jobs), progress)
    shape = (len(repeats), len(rows.hashes))
    prediction = np.full((*shape, results[0][1].shape[1]), np.nan)
    fold_of = np.full(shape, UNLABELLED, dtype=np.intp)
    for (r, t, fold), (_, labels, _) in zip(jobs, results, strict=True):
        prediction[r, fold.test] = labels
        fold_of[r, fold.test] = t
    _warn_of_unseen([unseen for _, _, unseen in results])
    teachers: tuple[tuple[Any, ...], ...] = ()
    if keep:
        fitted = iter(results)
        teachers = tuple(tuple(next(fitted)[0] for _ in each) for each in repeats)
    return FoldLabels(prediction, fold_of, teachers, in_a_batch)


def train(
    teacher: Any, X: Any, y: NDArray[Any], rows: Rows, positions: Any, seed: int
) -> Any:
    """Train a copy of the teacher on the rows at these positions.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.dummy import DummyRegressor
    >>> from semikd.crossfit.fold_teachers import train
    >>> from semikd.crossfit.folds import Rows
    >>> rows = Rows(np.arange(2, dtype=np.uint64), np.zeros(2, int), None, None, None)
    >>> X, y = np.ones((2, 1)), np.array([3.0, 5.0])
    >>> train(DummyRegressor(), X, y, rows, np.array([1]), seed=0).predict(X[:1])
    array([5.])
    """
    weights = None if rows.weights is None else rows.weights[positions]
    return fit_learner(
        seeded_clone(teacher, seed), take_rows(X, positions), y[positions], weights
    )


def _train_and_label(
    teacher: Any,
    X: Any,
    y: NDArray[Any],
    rows: Rows,
    fold: Fold,
    seed: int,
    *,
    keep: bool,
) -> _Answer:
    """Train one fold teacher and label its held-out rows; let it go unless kept."""
    fitted = train(teacher, X, y, rows, fold.train, seed)
    labels, unseen = predict_outputs(fitted, take_rows(X, fold.test), rows.classes)
    return fitted if keep else None, labels, unseen


def _in_a_batch(
    teacher: Any,
    method: str,
    X: Any,
    y: NDArray[Any],
    rows: Rows,
    folds: list[Fold],
    seed: int,
    progress: Reporter,
) -> list[_Answer]:
    """Let the teacher label all folds at once; its answer is checked fold by fold."""
    answers, teachers = getattr(teacher, method)(
        X,
        y,
        [(fold.train, fold.test) for fold in folds],
        sample_weight=rows.weights,
        groups=rows.groups,
        random_state=seed,
        progress=progress,
    )
    if len(answers) != len(folds) or len(teachers) != len(folds):
        shown = Shown(f"{len(answers)} and {len(teachers)} for {len(folds)} folds")
        raise invalid(method, "return labels and a teacher for each fold", shown)
    results: list[_Answer] = []
    for fold, answer, fitted in zip(folds, answers, teachers, strict=True):
        n = len(fold.test)
        if rows.classes is None:
            results.append((fitted, means(answer, n), []))
        else:
            own = getattr(fitted, "classes_", rows.classes)
            results.append((fitted, *over_classes(answer, own, rows.classes, n)))
    return results


class _Tasks:
    """Tasks for workers, of which no more come after a stop."""

    def __init__(self, tasks: Iterable[Any]) -> None:
        self.tasks, self.stopped = tasks, False

    def __iter__(self) -> Iterator[Any]:
        for each in self.tasks:
            if self.stopped:
                return
            yield each


def _counted(
    dealt: Iterable[_Answer], tasks: _Tasks, total: int, progress: Reporter
) -> list[_Answer]:
    """Return the results of all folds, reporting each start; a listener may raise."""
    results: list[_Answer] = []
    progress(Step("fold", f"fold 1 of {total}", 0, total))
    for done, result in enumerate(dealt, 1):
        results.append(result)
        label = f"fold {min(done + 1, total)} of {total}"
        try:
            progress(Step("fold", label, done, total))
        except Exception:
            tasks.stopped = True
            deque(dealt, maxlen=0)
            raise
    return results


def _warn_of_unseen(unseen: list[list[Any]]) -> None:
    """Count the fold teachers that lack a class."""
    lacking = [classes for classes in unseen if classes]
    if lacking:
        names = sorted({str(label) for classes in lacking for label in classes})
        warnings.warn(
            f"{len(lacking)} of {len(unseen)} fold teachers never saw a class "
            f"({', '.join(names)}), which has probability 0 in their labels.",
            SemikdWarning,
            stacklevel=5,
        )
