"""Cross-fitting itself: one function from a teacher and a table to honest labels."""

import warnings
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semikd._progress import Reporter, Step, silent
from semikd._random import RandomState, spawn_seeds
from semikd._validation import count, unknown
from semikd.crossfit.fold_teachers import label_folds, train
from semikd.crossfit.folds import Fold, Rows, check_divisible
from semikd.crossfit.given import N_FOLDS, drawn_folds
from semikd.crossfit.inputs import check_workers, describe_rows
from semikd.crossfit.record import UNLABELLED, OutOfFold
from semikd.crossfit.shortcuts import (
    FallBack,
    Shortcut,
    distinct_units,
    split_pipeline,
)
from semikd.crossfit.shortcuts.choosing import CHEAP, Choice, choose_shortcut
from semikd.crossfit.stages import label_in_stages
from semikd.exceptions import SemikdWarning

__all__ = ["cross_fit"]

STRATEGIES = ("in-sample", "split", *CHEAP)
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
    cv : int, splitter, fold ids, (train, test) pairs or str, default=5
        An integer draws folds from the content of the rows, stratified by class, with
        identical rows together. None means 5. Or one of:

        - 'oob': out-of-bag. A forest, or a bagging ensemble, is fitted once, and each
          row is labelled by the members whose bags lack it.
        - 'loo': leave-one-out. Ridge and other linear smoothers, neighbours and
          logistic regression are fitted once, and each row gets the label of a fit
          without it, in closed form.
        - 'auto': the cheapest of these that is valid *for fitting a student*, else five
          folds; ``strategy`` of the record says which, and why.
        - 'split': train on one half and label the other.
        - 'in-sample': vanilla distillation. One teacher labels the rows it learned
          from, and the record says that it is not honest.
    groups : array-like of shape (n,), optional
        No group is divided between folds.
    sample_weight : array-like of shape (n,), optional
        Weights for the teacher; a row of weight zero gets no label.
    n_repeats : int, default=1
        Number of divisions into folds.
    new_rows : {'mean', 'refit', 'none'}, default='mean'
        Who labels new rows later: the mean of the fold teachers, one more teacher
        fitted on all rows, or nobody (no teacher is kept). 'oob' and 'loo' have a
        single teacher, fitted on all rows.
    n_jobs : int, optional
        Workers over folds and repeats, or over the trees of 'oob'; each gets its share
        of the threads, unless the teacher fixes ``n_jobs`` itself. The result does not
        depend on it.
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
        If folds overlap or miss rows, a class has a single distinct row, the teacher
        does not offer the shortcut asked for, or any input has the wrong shape or
        value.
    TypeError
        If the teacher lacks a method it needs.

    Warns
    -----
    SemikdWarning
        If ``cv`` is lowered, a shortcut fails its own check and folds stand in, rows
        stay unlabelled, or a fold teacher never saw a class.
    LeakageWarning
        If folds that were given have copies of a row on both sides.

    Notes
    -----
    Honest labels are independent of a row's own y given the other folds. Whatever is
    *tuned* on them (student size, correction) must be judged on rows that no labelling
    teacher saw. The cost is K fits of the teacher on (K - 1)/K of the rows; a teacher
    with a ``cross_fit_proba`` of its own trains all of them in one batch. Boosting bins
    the covariates anew in each fold; neither scikit-learn nor LightGBM's scikit-learn
    interface can share the bins, which are 5-8 % and 9-13 % of a fit of 100 rounds
    (Adult, MAGIC, one thread; 1-3 % for the default teacher).

    'oob' and 'loo' cost about one fit, and copies of a row leave together. Their labels
    lean (``leans`` of the record): over the whole table they are anti-correlated with
    the outcomes, which a student averages out and a comparison of labels with outcomes
    does not. A leave-one-out base rate is lower for each row of a class than for every
    other row: its AUC is 0.

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
    n_jobs, y, report = check_workers(n_jobs), np.asarray(y), progress or silent
    rows = describe_rows(X, y, teacher, groups=groups, sample_weight=sample_weight)
    fold_seed, teacher_seed, refit_seed = spawn_seeds(random_state, 3)
    choice = choose_shortcut(cv, teacher, X, rows, count("n_repeats", n_repeats))
    found = _by_shortcut(choice, teacher, X, y, rows, refit_seed, n_jobs, report)
    if isinstance(found, Shortcut):
        return _leaning(found, choice, rows, keep=new_rows != "none")
    repeats = _folds(cv, rows, X, y, n_repeats, fold_seed)
    honest = not (isinstance(cv, str) and cv == "in-sample")
    label = label_in_stages if honest else partial(label_folds, may_batch=False)
    said = label(
        teacher,
        X,
        y,
        rows,
        repeats,
        seed=teacher_seed,
        n_jobs=n_jobs,
        progress=report,
        keep=new_rows == "mean",
    )
    refitted = None
    if new_rows == "refit":
        refitted = train(teacher, X, y, rows, rows.active, refit_seed)
    return OutOfFold(
        prediction=said.prediction,
        fold=said.fold if honest else np.full_like(said.fold, UNLABELLED),
        classes=rows.classes,
        strategy=_in_words(cv, repeats, found, in_a_batch=said.in_a_batch),
        row_hash=rows.hashes,
        honest=honest,
        teachers=said.teachers,
        refitted=refitted,
    )


def _by_shortcut(
    choice: Choice,
    teacher: Any,
    X: Any,
    y: NDArray[Any],
    rows: Rows,
    seed: int,
    n_jobs: int | None,
    progress: Reporter,
) -> Shortcut | str:
    """Return labels of one fit; or, for folds, why they are used, '' if asked for."""
    if choice.strategy is None:
        return choice.reason
    check_divisible(rows)
    progress(Step("fold", "one fit", 0, 1))
    try:
        found = choice.strategy.labels(teacher, X, y, rows, seed=seed, n_jobs=n_jobs)
    except FallBack as reason:
        if choice.reason:
            return f"{choice.reason}: {reason}"
        warnings.warn(
            f"cv={choice.name!r} fell back to {N_FOLDS} folds: {reason}.",
            SemikdWarning,
            stacklevel=3,
        )
        return f"not {choice.name!r}: {reason}"
    progress(Step("fold", "one fit", 1, 1))
    if split_pipeline(teacher)[0] is not None:
        note = f"{found.note}; the steps before the learner saw the covariates of all"
        found = replace(found, note=note)
    return found


def _leaning(found: Shortcut, choice: Choice, rows: Rows, *, keep: bool) -> OutOfFold:
    """Return the record of labels from one fit, and count the rows without one."""
    n, active = len(rows.hashes), rows.active
    missing = int(np.isnan(found.prediction[active]).any(axis=1).sum())
    if missing:
        warnings.warn(
            f"{missing:,} of {len(active):,} rows {found.missing}: they get no label "
            "and the student does not see them.",
            SemikdWarning,
            stacklevel=3,
        )
    fold = np.full((1, n), UNLABELLED, dtype=np.intp)
    if choice.name == "loo":
        fold[0, active] = distinct_units(rows)[1]
    chosen = f" ({choice.reason})" if choice.reason else ""
    return OutOfFold(
        prediction=found.prediction[None],
        fold=fold,
        classes=rows.classes,
        strategy=f"{choice.words} labels of one fit{chosen}: {found.note}",
        row_hash=rows.hashes,
        refitted=found.teacher if keep else None,
        leans=True,
    )


def _folds(
    cv: Any, rows: Rows, X: Any, y: Any, n_repeats: int, seed: int
) -> list[list[Fold]]:
    """Return the folds of each repeat for any accepted form of ``cv``."""
    if isinstance(cv, str) and cv not in STRATEGIES:
        raise unknown("cv", cv, STRATEGIES)
    if isinstance(cv, str) and cv in CHEAP:
        cv = None
    if isinstance(cv, str):
        if cv == "split":
            halves = drawn_folds(2, rows, X, y, seed=seed, n_repeats=n_repeats)
            return [[folds[0]] for folds in halves]
        return [[Fold(rows.active, rows.active)] for _ in range(n_repeats)]
    return drawn_folds(cv, rows, X, y, seed=seed, n_repeats=n_repeats)


def _in_words(
    cv: Any, repeats: list[list[Fold]], reason: str, *, in_a_batch: bool
) -> str:
    """Return how the labels of fold teachers were made, in words."""
    if isinstance(cv, str) and cv not in CHEAP:
        return "in-sample" if cv == "in-sample" else "sample split"
    times = f", {len(repeats)} repeats" if len(repeats) > 1 else ""
    own = cv is None or isinstance(cv, str | int | np.integer)
    given = "" if own else " (folds given)"
    batch = " in one batch" if in_a_batch else ""
    why = f" ({reason})" if reason else ""
    return f"{len(repeats[0])}-fold cross-fitting{batch}{given}{times}{why}"
