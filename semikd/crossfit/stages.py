"""Teachers of several stages, labelled by folds and fitted to all rows."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from semikd._progress import Reporter, silent
from semikd._random import RandomState, spawn_seeds
from semikd._validation import count, invalid
from semikd.crossfit.fold_teachers import FoldLabels, label_folds, train
from semikd.crossfit.folds import Fold, Rows, integer_folds
from semikd.crossfit.given import user_folds
from semikd.crossfit.inputs import check_workers, describe_rows
from semikd.crossfit.second_stage import StagedModel, fit_stage, outcomes, stage_folds

__all__ = ["fit_stages", "label_in_stages"]

# What None stands for.
N_FOLDS = 5


def label_in_stages(
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
) -> FoldLabels:
    """Label by folds, stage after stage where the teacher has more than one.

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

    Returns
    -------
    FoldLabels

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.dummy import DummyRegressor
    >>> from semikd._progress import silent
    >>> from semikd.crossfit.folds import Fold, Rows
    >>> from semikd.crossfit.stages import label_in_stages
    >>> rows = Rows(np.arange(2, dtype=np.uint64), np.zeros(2, int), None, None, None)
    >>> one, two = np.array([0]), np.array([1])
    >>> labels = label_in_stages(
    ...     DummyRegressor(),
    ...     np.ones((2, 1)),
    ...     np.array([3.0, 5.0]),
    ...     rows,
    ...     [[Fold(one, two), Fold(two, one)]],
    ...     seed=0,
    ...     n_jobs=None,
    ...     progress=silent,
    ...     keep=False,
    ... )
    >>> labels.prediction.ravel()
    array([5., 3.])
    """
    options: dict[str, Any] = {"n_jobs": n_jobs, "progress": progress, "keep": keep}
    if not hasattr(teacher, "second_stage") or not _complete(repeats):
        # Folds that leave rows unlabelled: each teacher is fitted with its own stages.
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
    repeats = [_folds(cv, rows, X, y, fold_seed)]
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


def _folds(cv: Any, rows: Rows, X: Any, y: NDArray[Any], seed: int) -> list[Fold]:
    """Return the folds that honest labels are asked of."""
    if isinstance(cv, str):
        remedy = "Other labels lean on their own outcomes"
        raise invalid("cv", "be folds where a second stage is fitted", cv, remedy)
    if cv is None or isinstance(cv, int | np.integer):
        n_folds = count("cv", N_FOLDS if cv is None else cv, low=2)
        return integer_folds(n_folds, rows, n_repeats=1, random_state=seed)[0]
    return user_folds(cv, rows, X, y, seed=seed)


def _complete(repeats: list[list[Fold]]) -> bool:
    """Return whether each row that a fold learns from is labelled by another fold."""
    return all(
        np.isin(fold.train, np.concatenate([f.test for f in folds])).all()
        and len(folds) > 1
        for folds in repeats
        for fold in folds
    )
