"""Cross-fitting itself: one function from a teacher and a table to honest labels."""

import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.parallel import Parallel, delayed

from semikd._progress import Reporter, Step, silent
from semikd._random import RandomState, spawn_seeds
from semikd._validation import count, invalid, unknown
from semikd.crossfit.folds import Fold, Rows, integer_folds
from semikd.crossfit.given import user_folds
from semikd.crossfit.inputs import check_workers, describe_rows
from semikd.crossfit.learners import fit_learner, predict_outputs, seeded_clone
from semikd.crossfit.record import UNLABELLED, OutOfFold
from semikd.crossfit.rows import take_rows
from semikd.exceptions import SemikdWarning
from semikd.simplex import FloatArray

__all__ = ["cross_fit"]

STRATEGIES = ("in-sample", "split")
NEW_ROWS = ("mean", "refit", "none")


def cross_fit(
    teacher: Any,
    X: Any,
    y: ArrayLike,
    *,
    cv: Any = 5,
    groups: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    n_repeats: int = 1,
    new_rows: str = "mean",
    n_jobs: int | None = None,
    random_state: RandomState = None,
    progress: Reporter | None = None,
) -> OutOfFold:
    r"""Label every row by a teacher that never saw it.

    Rows are divided into K folds; for each fold a copy of the teacher learns from the
    other folds and labels the rows of this one:

    .. math:: \hat p_i = \hat p^{(-t(i))}(x_i)

    Parameters
    ----------
    teacher : estimator
        Any scikit-learn classifier with ``predict_proba``, regressor or Pipeline. It is
        cloned, never changed.
    X : array-like, sparse matrix or data frame of shape (n, d)
        Covariates, as the teacher takes them.
    y : array-like of shape (n,) or (n, m)
        Class labels, or the outcomes of a regression.
    cv : int, splitter, fold ids, (train, test) pairs, 'in-sample' or 'split', default=5
        An integer draws folds from the content of the rows, stratified by class, with
        identical rows together. 'split' trains on one half and labels the other.
        'in-sample' is vanilla distillation: one teacher labels the rows it learned
        from, and the record says that it is not honest. None means 5.
    groups : array-like of shape (n,), optional
        No group is divided between folds.
    sample_weight : array-like of shape (n,), optional
        Weights for the teacher; a row of weight zero gets no label.
    n_repeats : int, default=1
        Number of divisions into folds.
    new_rows : {'mean', 'refit', 'none'}, default='mean'
        Who labels new rows later: the mean of the fold teachers, one more teacher
        fitted on all rows, or nobody (no teacher is kept).
    n_jobs : int, optional
        Workers over folds and repeats; each gets its share of the threads, unless the
        teacher fixes ``n_jobs`` itself. The result does not depend on it.
    random_state : int, generator or None, default=None
        Seed of the folds and of the teachers' open seeds.
    progress : callable, optional
        Called with a step (stage, label, done, total) as each fold starts, and at last.

    Returns
    -------
    OutOfFold

    Raises
    ------
    ValueError
        If folds overlap or miss rows, a class has a single distinct row, or any input
        has the wrong shape or value.
    TypeError
        If the teacher lacks a method it needs.

    Warns
    -----
    SemikdWarning
        If ``cv`` is lowered, rows stay unlabelled, or a fold teacher never saw a class.
    LeakageWarning
        If folds that were given have copies of a row on both sides.

    Notes
    -----
    Honest labels are independent of a row's own y given the other folds. Whatever is
    *tuned* on them (student size, correction) must be judged on rows that no labelling
    teacher saw. The cost is K fits of the teacher on (K - 1)/K of the rows.

    References
    ----------
    .. [1] T. Dao, G. M. Kamath, V. Syrgkanis and L. Mackey, "Knowledge Distillation as
       Semiparametric Inference", ICLR 2021 (cross-fitted distillation).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from semikd import cross_fit
    >>> X = np.arange(20.0)[:, None]
    >>> y = (X[:, 0] > 9).astype(int)
    >>> labels = cross_fit(LogisticRegression(), X, y, cv=4, random_state=0)
    >>> np.bincount(labels.fold[0])
    array([5, 5, 5, 5])
    """
    if new_rows not in NEW_ROWS:
        raise unknown("new_rows", new_rows, NEW_ROWS)
    n_jobs, y = check_workers(n_jobs), np.asarray(y)
    rows = describe_rows(X, y, teacher, groups=groups, sample_weight=sample_weight)
    fold_seed, teacher_seed, refit_seed = spawn_seeds(random_state, 3)
    repeats = _folds(cv, rows, X, y, count("n_repeats", n_repeats), fold_seed)
    prediction, fold, teachers = _label(
        teacher,
        X,
        y,
        rows,
        repeats,
        teacher_seed,
        n_jobs,
        progress or silent,
        keep=new_rows == "mean",
    )
    refitted = None
    if new_rows == "refit":
        refitted = _train(teacher, X, y, rows, rows.active, refit_seed)
    honest = not (isinstance(cv, str) and cv == "in-sample")
    return OutOfFold(
        prediction=prediction,
        fold=fold if honest else np.full_like(fold, UNLABELLED),
        classes=rows.classes,
        strategy=_in_words(cv, repeats),
        row_hash=rows.hashes,
        honest=honest,
        teachers=teachers,
        refitted=refitted,
    )


def _folds(
    cv: Any, rows: Rows, X: Any, y: Any, n_repeats: int, seed: int
) -> list[list[Fold]]:
    """Return the folds of each repeat for any accepted form of ``cv``."""
    cv = 5 if cv is None else cv
    if isinstance(cv, str):
        if cv not in STRATEGIES:
            raise unknown("cv", cv, STRATEGIES)
        if cv == "split":
            halves = integer_folds(2, rows, n_repeats=n_repeats, random_state=seed)
            return [[folds[0]] for folds in halves]
        return [[Fold(rows.active, rows.active)] for _ in range(n_repeats)]
    if isinstance(cv, int | np.integer):
        n_folds = count("cv", cv, low=2)
        return integer_folds(n_folds, rows, n_repeats=n_repeats, random_state=seed)
    if n_repeats > 1:
        remedy = "Use an integer cv, or repeat the call with other folds"
        raise invalid("n_repeats", "be 1 where folds are given", n_repeats, remedy)
    return [user_folds(cv, rows, X, y, seed=seed)]


def _label(
    teacher: Any,
    X: Any,
    y: NDArray[Any],
    rows: Rows,
    repeats: list[list[Fold]],
    seed: int,
    n_jobs: int | None,
    progress: Reporter,
    *,
    keep: bool,
) -> tuple[FloatArray, NDArray[np.intp], tuple[tuple[Any, ...], ...]]:
    """Train every fold teacher and gather labels, folds and the teachers to keep."""
    jobs = [
        (r, t, fold) for r, folds in enumerate(repeats) for t, fold in enumerate(folds)
    ]
    # Seeds are drawn before dispatch: neither workers nor their order matter. Workers
    # are scikit-learn's, which take its configuration along.
    seeds = spawn_seeds(seed, len(jobs))
    dealt = Parallel(n_jobs=n_jobs, return_as="generator")(
        delayed(_train_and_label)(teacher, X, y, rows, fold, fold_seed, keep=keep)
        for (_, _, fold), fold_seed in zip(jobs, seeds, strict=True)
    )
    results = _counted(dealt, len(jobs), progress)
    n_outputs = results[0][1].shape[1]
    shape = (len(repeats), len(rows.hashes))
    prediction = np.full((*shape, n_outputs), np.nan)
    fold_of = np.full(shape, UNLABELLED, dtype=np.intp)
    for (r, t, fold), (_, labels, _) in zip(jobs, results, strict=True):
        prediction[r, fold.test] = labels
        fold_of[r, fold.test] = t
    _warn_of_unseen([unseen for _, _, unseen in results])
    if not keep:
        return prediction, fold_of, ()
    fitted = iter(results)
    teachers = tuple(tuple(next(fitted)[0] for _ in folds) for folds in repeats)
    return prediction, fold_of, teachers


def _counted(dealt: Iterable[Any], total: int, progress: Reporter) -> list[Any]:
    """Return the results of all folds, and report each as it starts."""
    results: list[Any] = []
    progress(Step("fold", f"fold 1 of {total}", 0, total))
    for done, result in enumerate(dealt, 1):
        results.append(result)
        label = f"fold {min(done + 1, total)} of {total}"
        progress(Step("fold", label, done, total))
    return results


def _train_and_label(
    teacher: Any,
    X: Any,
    y: NDArray[Any],
    rows: Rows,
    fold: Fold,
    seed: int,
    *,
    keep: bool,
) -> tuple[Any, FloatArray, list[Any]]:
    """Train one fold teacher and label its held-out rows; let it go unless kept."""
    fitted = _train(teacher, X, y, rows, fold.train, seed)
    labels, unseen = predict_outputs(fitted, take_rows(X, fold.test), rows.classes)
    return fitted if keep else None, labels, unseen


def _train(
    teacher: Any, X: Any, y: NDArray[Any], rows: Rows, train: Any, seed: int
) -> Any:
    """Train a copy of the teacher on these rows."""
    weights = None if rows.weights is None else rows.weights[train]
    return fit_learner(
        seeded_clone(teacher, seed), take_rows(X, train), y[train], weights
    )


def _warn_of_unseen(unseen: list[list[Any]]) -> None:
    """Count the fold teachers that lack a class."""
    lacking = [classes for classes in unseen if classes]
    if lacking:
        names = sorted({str(label) for classes in lacking for label in classes})
        warnings.warn(
            f"{len(lacking)} of {len(unseen)} fold teachers never saw a class "
            f"({', '.join(names)}), which has probability 0 in their labels.",
            SemikdWarning,
            stacklevel=4,
        )


def _in_words(cv: Any, repeats: list[list[Fold]]) -> str:
    """Return how the labels were made, in words."""
    if isinstance(cv, str):
        return "in-sample" if cv == "in-sample" else "sample split"
    times = f", {len(repeats)} repeats" if len(repeats) > 1 else ""
    given = "" if cv is None or isinstance(cv, int | np.integer) else " (folds given)"
    return f"{len(repeats[0])}-fold cross-fitting{given}{times}"
