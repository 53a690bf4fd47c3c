"""Did distilling help? Every arm on the same split and student, judged on new rows."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone

from semikd._random import RandomState, spawn_seeds
from semikd._validation import Shown, count, invalid, number, wrong_type
from semikd.corrections import NoCorrection, ShrinkageCorrection, get_correction
from semikd.distillation import DistilledClassifier
from semikd.evaluation.arms import (
    CROSS_FITTED,
    IN_SAMPLE,
    SCRATCH,
    TEACHER,
    TUNED,
    FittedArm,
    fit_arms,
)
from semikd.evaluation.judging import judged_arms
from semikd.evaluation.result import ArmComparison
from semikd.evaluation.tables import Table, resampled, split_table
from semikd.inference._inputs import checked_level
from semikd.losses import get_loss
from semikd.students import new_student

__all__ = ["compare"]

# The teacher's error that the arm 'corrected' assumes, as a probability at even odds.
_TEACHER_ERROR = 0.1
_TAKEN = {TEACHER, SCRATCH, TUNED, IN_SAMPLE, CROSS_FITTED}


def compare(
    X: Any,
    y: ArrayLike,
    estimator: DistilledClassifier | None = None,
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
        Class labels.
    estimator : DistilledClassifier, optional
        Teacher, student, scale and folds to compare; by default the default ones. Its
        own correction, if any, becomes the arm 'corrected'. Class weights are refused.
    corrections : mapping from str to float or Correction, optional
        Cross-fitted arms by name. By default 'corrected' (shrinkage for a teacher that
        is off by 0.1 in probability at even odds) and 'constant mix' (half label, half
        teacher).
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
        If the estimator is not a ``DistilledClassifier``.

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
    checked_level(level)
    n_refits = count("n_refits", n_refits)
    estimator = _checked_estimator(estimator)
    split_seed, refit_seed = spawn_seeds(random_state, 2)
    train, held_out = split_table(X, y, test, sample_weight, groups, split_seed)
    n_classes = len(np.unique(train.y))
    number("min_proba", min_proba, low=0.0, high=1.0 / n_classes, open_low=True)
    named = _named_corrections(estimator, corrections, n_classes)
    _refuse_early(estimator, train, held_out)
    fits = [
        fit_arms(
            estimator,
            resampled(train, seed) if resample_training else train,
            named,
            min_proba=min_proba,
            seed=seed,
        )
        for seed in spawn_seeds(refit_seed, n_refits)
    ]
    return judged_arms(
        fits,
        held_out,
        reference=_reference(fits),
        resampled=resample_training,
        min_proba=min_proba,
        level=level,
    )


def _checked_estimator(estimator: Any) -> DistilledClassifier:
    """Return an unfitted estimator that can be refitted on other rows."""
    if estimator is None:
        return DistilledClassifier()
    if not isinstance(estimator, DistilledClassifier):
        shown = Shown(type(estimator).__name__)
        raise wrong_type("estimator", "be a DistilledClassifier", shown)
    if not (estimator.cv is None or _labels_anew(estimator.cv)):
        constraint = "label any training rows anew: an integer, 'split' or a splitter"
        remedy = "In-sample labels are an arm anyway"
        shown = Shown(repr(estimator.cv).split("\n")[0][:60])
        raise invalid("estimator.cv", constraint, shown, remedy)
    if estimator.class_weight is not None:
        constraint = "be None: it would change the population of some arms only"
        remedy = "Pass sample_weight, which all arms and all scores take"
        shown = Shown(repr(estimator.class_weight))
        raise invalid("estimator.class_weight", constraint, shown, remedy)
    fresh: DistilledClassifier = clone(estimator)
    return fresh


def _refuse_early(estimator: DistilledClassifier, train: Table, test: Table) -> None:
    """Refuse what would otherwise fail after teachers were fitted."""
    student = new_student(estimator.student, len(train.y), train.weights, seed=0)
    loss = get_loss(
        estimator.loss, auto=student.default_loss, hard_weight=estimator.hard_weight
    )
    student.require(loss, n_classes=len(np.unique(train.y)))
    widths = [getattr(side.X, "shape", (0, 0))[1] for side in (train, test)]
    if widths[0] != widths[1]:
        shown = Shown(f"{widths[1]} against {widths[0]}")
        raise invalid("test", "have the columns of X", shown)
    if test.groups is not None and len(np.unique(test.groups)) < 2:
        remedy = "Hold out a larger share, or use finer groups"
        raise invalid(
            "groups", "leave two or more on the test side", Shown("1"), remedy
        )


def _labels_anew(cv: Any) -> bool:
    """Return whether these folds can be made again for other rows."""
    if isinstance(cv, str):
        return cv != "in-sample"
    return isinstance(cv, int | np.integer) or hasattr(cv, "split")


def _named_corrections(
    estimator: DistilledClassifier,
    corrections: Mapping[str, Any] | None,
    n_classes: int,
) -> dict[str, Any]:
    """Return the cross-fitted arms beside the plain one, checked."""
    own = get_correction(estimator.correction)
    plain = isinstance(own, NoCorrection)
    if corrections is None:
        if plain:
            own = ShrinkageCorrection(_assumed_error(estimator, n_classes))
        return {"corrected": own, "constant mix": 0.5}
    if not isinstance(corrections, Mapping):
        remedy = "For instance {'constant mix': 0.5}"
        constraint = "map names of arms to corrections"
        raise wrong_type("corrections", constraint, corrections, remedy)
    for name, correction in corrections.items():
        if not isinstance(name, str) or name in _TAKEN:
            constraint = "have names that no other arm has"
            raise invalid("corrections", constraint, name)
        get_correction(correction)
    return dict(corrections) if plain else {"corrected": own, **corrections}


def _assumed_error(estimator: DistilledClassifier, n_classes: int) -> float:
    """Return the assumed squared error of the teacher, on the scale in use."""
    student = new_student(estimator.student, 2, None, seed=0)
    loss = get_loss(estimator.loss, auto=student.default_loss)
    even = np.full((1, n_classes), 1.0 / n_classes)
    off = (np.eye(n_classes)[:1] - even) / (1.0 - 1.0 / n_classes) * _TEACHER_ERROR
    return float((np.asarray(loss.jvp(even, off)) ** 2).sum())


def _reference(fits: list[dict[str, FittedArm]]) -> str:
    """Return the arm to beat: the tuned student from scratch, if it could be tuned."""
    return TUNED if TUNED in fits[0] else SCRATCH
