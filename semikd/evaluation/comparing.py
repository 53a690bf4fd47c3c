"""Did distilling help? Every arm on the same split and student, judged on new rows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from numpy.typing import ArrayLike

from semikd._progress import Reporter, Step, silent
from semikd._random import RandomState, spawn_seeds
from semikd._validation import count
from semikd.evaluation.arms import SCRATCH, TUNED, FittedArm, fit_arms, planned_steps
from semikd.evaluation.chosen import ChosenArm
from semikd.evaluation.judging import judged_arms
from semikd.evaluation.recipes import (
    checked_recipe,
    named_corrections,
    refuse_brought,
    refuse_early,
)
from semikd.evaluation.result import ArmComparison
from semikd.evaluation.tables import Table, resampled, split_table, warn_of_copies
from semikd.inference._inputs import checked_level

__all__ = ["compare", "compare_sides"]

Fits = Sequence[Mapping[str, FittedArm]]


def compare(
    X: Any,
    y: ArrayLike,
    estimator: Any = None,
    *,
    corrections: Mapping[str, Any] | None = None,
    test: float | tuple[Any, ArrayLike] = 0.3,
    sample_weight: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    n_refits: int = 5,
    resample_training: bool = False,
    min_proba: float = 1e-3,
    level: float = 0.95,
    random_state: RandomState = None,
) -> ArmComparison:
    """Compare a student from scratch with the same student distilled in several ways.

    The arms are the teacher; the student trained on labels (as given, and with leaf
    size or penalty tuned by cross-validation); distilled from in-sample labels; from
    cross-fitted labels; and cross-fitted with each correction. All are fitted
    ``n_refits`` times with new folds and seeds and judged on the same held-out rows.

    Parameters
    ----------
    X : array-like, sparse matrix or data frame of shape (n, d)
        Covariates.
    y : array-like of shape (n,)
        Class labels, or numbers for a ``DistilledRegressor``.
    estimator : DistilledClassifier or DistilledRegressor, optional
        Teacher, student, scale and folds to compare; by default the classifier. Its
        own correction, if any, becomes the arm 'corrected'. Class weights are refused.
    corrections : mapping from str to float or Correction, optional
        Cross-fitted arms by name. By default 'corrected' (shrinkage for a teacher that
        is off by 0.1 in probability at even odds) and 'constant mix' (half label, half
        teacher); only the mix for a regressor, whose noise is not known.
    test : float or tuple (X_test, y_test), default=0.3
        Share of distinct rows to hold out, class by class, copies and groups together;
        or the held-out rows themselves, where there are no weights and groups.
    sample_weight : array-like of shape (n,), optional
        Weights of the rows, in fits and in scores.
    groups : array-like of shape (n,), optional
        Groups stay on one side of every split; intervals count groups, not rows. Name
        the source of repeated rows here: a copy otherwise counts as a draw of its own.
    n_refits : int, default=5
        Times that everything is fitted; at least 2, or 1 for no statement about the
        procedure.
    resample_training : bool, default=False
        Whether each refit draws a bootstrap sample of training rows (or groups);
        otherwise refits differ in folds and seeds only. Intervals speak of the average
        over such refits of *this* training table, not over new tables.
    min_proba : float, default=1e-3
        Floor of all probabilities in log-loss and Brier score, the same for all arms.
        Regressions, which have none, are compared by squared error.
    level : float, default=0.95
        Confidence of intervals.
    random_state : int, generator or None, default=None
        Seed of split and refits.

    Returns
    -------
    ArmComparison
        A table, two kinds of differences with intervals, verdicts in words, and a plot.

    Raises
    ------
    ValueError
        On bad values, before any model is fitted.
    TypeError
        If the estimator is neither of the two.

    Notes
    -----
    Two questions have two intervals: *is this one fitted model better* (test rows are
    the only chance; ``one_fit``) and *does the procedure help* (test rows and refits;
    ``procedure``). The corrections' strengths are declared, not tuned: tuning them on
    out-of-fold labels would need rows that no labelling teacher saw.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from semikd import DistilledClassifier, compare
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> teacher = make_pipeline(StandardScaler(), LogisticRegression())
    >>> tree = DecisionTreeRegressor(max_leaf_nodes=8)
    >>> distilled = DistilledClassifier(teacher, tree)
    >>> result = compare(X, y, distilled, n_refits=2, random_state=0)
    >>> list(result.table.index)[:4]
    ['teacher', 'scratch', 'scratch, tuned', 'in-sample']
    """
    split_seed, refit_seed = spawn_seeds(random_state, 2)
    recipe, task = checked_recipe(estimator, min_proba)
    refuse_brought(recipe)
    train, held_out = split_table(
        X,
        y,
        test,
        sample_weight,
        groups,
        split_seed,
        classification=task.name == "classification",
    )
    warn_of_copies(held_out, stacklevel=2)
    comparison, _ = compare_sides(
        train,
        held_out,
        recipe,
        corrections=corrections,
        n_refits=n_refits,
        resample_training=resample_training,
        min_proba=min_proba,
        level=level,
        seed=refit_seed,
    )
    return comparison


def compare_sides(
    train: Table,
    test: Table,
    estimator: Any,
    *,
    corrections: Mapping[str, Any] | None = None,
    chosen: ChosenArm | None = None,
    add_arms: Callable[[Fits], Fits] | None = None,
    n_refits: int = 1,
    resample_training: bool = False,
    min_proba: float = 1e-3,
    level: float = 0.95,
    seed: int,
    progress: Reporter | None = None,
) -> tuple[ArmComparison, Mapping[str, FittedArm]]:
    """Compare arms on two sides that are already apart, and keep the first models.

    Parameters
    ----------
    train, test : Table
        Rows to learn from and rows to be judged on, with their weights and groups.
    estimator : DistilledClassifier or DistilledRegressor
        Teacher, student, scale and folds. A record of labels as its ``cv`` takes the
        teacher's place.
    corrections : mapping from str to float or Correction, optional
        Cross-fitted arms by name, as for ``compare``.
    chosen : ChosenArm, optional
        What a search on the training rows chose: the arm 'automatic'.
    add_arms : callable, optional
        From the fitted arms of each refit to the same with further ones.
    n_refits : int, default=1
        Times that everything is fitted.
    resample_training : bool, default=False
        Whether each refit draws a bootstrap sample of the training rows.
    min_proba : float, default=1e-3
        Floor of all probabilities in log-loss and Brier score.
    level : float, default=0.95
        Confidence of intervals.
    seed : int
        Seed of the refits.
    progress : callable, optional
        Called with a step (stage, label, done, total) as each step starts, and at last.

    Returns
    -------
    comparison : ArmComparison
        What ``compare`` returns.
    models : mapping from str to FittedArm
        The arms of the first refit, which ``one_fit`` speaks of.

    Raises
    ------
    ValueError
        On bad values, before any model is fitted.
    TypeError
        If the estimator is neither of the two.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import LinearRegression
    >>> from semikd import DistilledRegressor
    >>> from semikd.evaluation import Table, compare_sides
    >>> X, y = load_diabetes(return_X_y=True)
    >>> def side(rows):
    ...     return Table(X[rows], y[rows], None, None, classification=False)
    >>> distilled = DistilledRegressor(LinearRegression())
    >>> comparison, models = compare_sides(
    ...     side(slice(300)), side(slice(300, None)), distilled, seed=0
    ... )
    >>> models["cross-fitted"].size == models["cross-fitted"].model.size_
    True
    """
    checked_level(level)
    n_refits = count("n_refits", n_refits)
    recipe, task = checked_recipe(estimator, min_proba)
    n_classes = None if train.classes is None else len(train.classes)
    named = named_corrections(recipe, corrections, n_classes)
    refuse_early(recipe, task, train, test)
    total = planned_steps(recipe, named, chosen)
    fits: Fits = []
    for at, own in enumerate(spawn_seeds(seed, n_refits)):
        rows = resampled(train, own) if resample_training else train
        heard = _among(progress or silent, at, n_refits, total)
        one = fit_arms(
            recipe, rows, named, chosen=chosen, task=task, seed=own, progress=heard
        )
        fits = [*fits, one]
    fits = fits if add_arms is None else add_arms(fits)
    comparison = judged_arms(
        fits,
        test,
        reference=TUNED if TUNED in fits[0] else SCRATCH,
        resampled=resample_training,
        task=task,
        level=level,
    )
    (progress or silent)(Step("done", "compared", n_refits * total, n_refits * total))
    return comparison, fits[0]


def _among(progress: Reporter, at: int, n_refits: int, total: int) -> Reporter:
    """Return a listener to one refit that tells of all of them."""

    def heard(step: Step) -> None:
        label = f"refit {at + 1} of {n_refits}, {step.label}"
        done = at * total + step.done
        label = label if n_refits > 1 else step.label
        progress(replace(step, label=label, done=done, total=n_refits * total))

    return heard
