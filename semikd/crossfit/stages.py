"""Teachers of several stages, labelled by folds and fitted to all rows."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from semikd._progress import silent
from semikd._random import RandomState, spawn_seeds
from semikd._validation import invalid
from semikd.crossfit.fold_teachers import FoldLabels, label_folds, train
from semikd.crossfit.folds import Fold, Rows
from semikd.crossfit.given import drawn_folds
from semikd.crossfit.inputs import check_workers, describe_rows
from semikd.crossfit.second_stage import StagedModel, fit_stage, outcomes, stage_folds

__all__ = ["fit_stages", "label_in_stages"]


def label_in_stages(
    teacher: Any,
    X: Any,
    y: NDArray[Any],
    rows: Rows,
    repeats: list[list[Fold]],
    *,
    seed: int,
    **options: Any,
) -> FoldLabels:
    """Label by folds as ``label_folds`` does, whose options it takes, by all stages.

    A teacher of one stage is labelled by ``label_folds`` itself. So is one of two where
    folds leave rows unlabelled: each of its copies is then fitted as a whole.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.dummy import DummyRegressor
    >>> from semikd._progress import silent
    >>> from semikd.crossfit.folds import Fold, Rows
    >>> from semikd.crossfit.stages import label_in_stages
    >>> rows = Rows(np.arange(2, dtype=np.uint64), np.zeros(2, int), None, None, None)
    >>> folds = [Fold(np.array([0]), np.array([1])), Fold(np.array([1]), np.array([0]))]
    >>> X, y = np.ones((2, 1)), np.array([3.0, 5.0])
    >>> options = {"n_jobs": None, "keep": False, "progress": silent}
    >>> label_in_stages(
    ...     DummyRegressor(), X, y, rows, [folds], seed=0, **options
    ... ).prediction.ravel()
    array([5., 3.])
    """
    if not hasattr(teacher, "second_stage") or not _complete(repeats):
        return label_folds(teacher, X, y, rows, repeats, seed=seed, **options)
    first = teacher.first_stage()
    *seeds, own = spawn_seeds(seed, len(first) + 1)
    said = [
        label_in_stages(each, X, y, rows, repeats, seed=each_seed, **options)
        for each, each_seed in zip(first, seeds, strict=True)
    ]
    return stage_folds(teacher, said, X, outcomes(y, rows), rows, own)


def fit_stages(
    teacher: Any,
    X: Any,
    y: NDArray[Any],
    *,
    cv: Any,
    sample_weight: Any = None,
    groups: Any = None,
    n_jobs: int | None = None,
    random_state: RandomState = None,
) -> StagedModel:
    """Fit a teacher of two stages to all rows, for its own ``fit``.

    The second stage learns from the first teachers' labels of K folds, and is then
    applied to first teachers that are fitted to all rows.

    Parameters
    ----------
    teacher : estimator
        A teacher with a second stage.
    X, y : array-like
        All rows, and their labels or values.
    cv : int, splitter, fold ids or (train, test) pairs
        Folds; a row that none of them labels has no say in the second stage.
    sample_weight, groups : array-like of shape (n,), optional
        Weights, and groups that no fold divides.
    n_jobs : int, optional
        Workers over folds.
    random_state : int, generator or None
        Seed of folds, teachers and stages.

    Returns
    -------
    StagedModel

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.dummy import DummyRegressor
    >>> from semikd.crossfit.stages import fit_stages
    >>> class Twice(DummyRegressor):
    ...     def first_stage(self):
    ...         return [DummyRegressor()]
    ...     def second_stage(self, answers, X, outcome, **options):
    ...         return lambda answers, X: 2 * answers[0]
    >>> X, y = np.arange(4.0)[:, None], np.ones(4)
    >>> fit_stages(Twice(), X, y, cv=2, random_state=0).predict(X[:1])
    array([2.])
    """
    n_jobs = check_workers(n_jobs)
    rows = describe_rows(X, y, teacher, groups=groups, sample_weight=sample_weight)
    fold_seed, label_seed, stage_seed, last = spawn_seeds(random_state, 4)
    if isinstance(cv, str):
        remedy = "Other labels lean on their own outcomes"
        raise invalid("cv", "be folds where a second stage is fitted", cv, remedy)
    repeats = drawn_folds(cv, rows, X, y, seed=fold_seed)
    first = teacher.first_stage()
    answers = [
        label_in_stages(
            each,
            X,
            y,
            rows,
            repeats,
            seed=seed,
            n_jobs=n_jobs,
            progress=silent,
            keep=False,
        ).prediction[0]
        for each, seed in zip(first, spawn_seeds(label_seed, len(first)), strict=True)
    ]
    outcome, active = outcomes(y, rows), rows.active
    stage = fit_stage(teacher, answers, X, outcome, rows, active, stage_seed)
    fitted = tuple(
        train(each, X, y, rows, active, seed)
        for each, seed in zip(first, spawn_seeds(last, len(first)), strict=True)
    )
    return StagedModel(fitted, stage, rows.classes)


def _complete(repeats: list[list[Fold]]) -> bool:
    """Return whether each row that a fold learns from is labelled by another fold."""
    return all(
        np.isin(fold.train, np.concatenate([f.test for f in folds])).all()
        and len(folds) > 1
        for folds in repeats
        for fold in folds
    )
