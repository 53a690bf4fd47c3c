"""Did distilling help? Every arm on the same split and student, judged on new rows."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone

from semikd._random import RandomState, generator, spawn_seeds
from semikd._tables import checked_labels
from semikd._validation import Shown, count, invalid, number, sample_weights, wrong_type
from semikd.corrections import NoCorrection, ShrinkageCorrection, get_correction
from semikd.crossfit import OutOfFold, content_split, take_rows
from semikd.distillation import DistilledClassifier
from semikd.evaluation.arms import TEACHER, TUNED, FittedArm, Table, fit_arms
from semikd.evaluation.judging import judged_arms
from semikd.evaluation.result import ArmComparison

__all__ = ["compare"]

# A teacher off by 0.1 in probability, and a third of a nat in log-odds.
_SQUARED_ERROR = {"log_probability": 0.1}
_DEFAULT_SQUARED_ERROR = 0.01


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
        own correction, if any, becomes the arm 'corrected'.
    corrections : mapping from str to float or Correction, optional
        Cross-fitted arms by name. By default 'corrected' (shrinkage for a teacher that
        is off by 0.1 in probability) and 'constant mix' (half label, half teacher).
    test : float or tuple (X_test, y_test), default=0.3
        Share of distinct rows to hold out, class by class, copies and groups together;
        or the held-out rows themselves.
    sample_weight : array-like of shape (n,), optional
        Weights of the rows, in fits and in scores.
    groups : array-like of shape (n,), optional
        Groups stay on one side of every split; intervals count groups, not rows.
    n_refits : int, default=5
        Times that everything is fitted; at least 2, or 1 for no statement about the
        procedure.
    resample_training : bool, default=False
        Whether each refit draws a bootstrap sample of training rows (or groups), so
        that intervals include the chance of the training table; otherwise refits differ
        in folds and seeds only.
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
    number("level", level, low=0.0, high=1.0)
    number("min_proba", min_proba, low=0.0, high=0.5, open_low=True)
    n_refits = count("n_refits", n_refits)
    estimator = _checked_estimator(estimator)
    split_seed, refit_seed = spawn_seeds(random_state, 2)
    train, held_out = _split(X, y, test, sample_weight, groups, split_seed)
    named = _named_corrections(estimator, corrections)
    fits = [
        fit_arms(
            estimator,
            _resampled(train, seed) if resample_training else train,
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
    if isinstance(estimator.cv, OutOfFold) or estimator.cv == "in-sample":
        constraint = "label rows anew in every refit"
        remedy = "Use an integer or a splitter; in-sample labels are an arm anyway"
        raise invalid("estimator.cv", constraint, estimator.cv, remedy)
    fresh: DistilledClassifier = clone(estimator)
    return fresh


def _named_corrections(
    estimator: DistilledClassifier, corrections: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return the cross-fitted arms beside the plain one, checked."""
    if corrections is not None:
        for name, correction in corrections.items():
            if name in {TEACHER, TUNED, "scratch", "in-sample", "cross-fitted"}:
                constraint = "have names that no other arm has"
                raise invalid("corrections", constraint, name)
            get_correction(correction)
        return dict(corrections)
    own = get_correction(estimator.correction)
    if isinstance(own, NoCorrection):
        scale = str(getattr(estimator.loss, "name", estimator.loss))
        squared_error = _SQUARED_ERROR.get(scale, _DEFAULT_SQUARED_ERROR)
        own = ShrinkageCorrection(squared_error)
    return {"corrected": own, "constant mix": 0.5}


def _split(
    X: Any, y: ArrayLike, test: Any, sample_weight: Any, groups: Any, seed: int
) -> tuple[Table, Table]:
    """Return training and held-out rows, with copies of a row on one side."""
    labels = checked_labels(X, y)
    weights = sample_weights(sample_weight, len(labels))
    groups = None if groups is None else np.asarray(groups)
    whole = Table(X, labels, weights, groups)
    if isinstance(test, tuple):
        X_test, y_test = test
        return whole, Table(X_test, _known_labels(X_test, y_test, labels), None, None)
    fraction = number("test", test, low=0.0, high=0.9, open_low=True)
    held_out = content_split(
        X, fraction=fraction, random_state=seed, groups=groups, strata=whole.codes
    )
    sides = [_rows_of(whole, np.flatnonzero(side)) for side in (~held_out, held_out)]
    for name, side in zip(("training", "test"), sides, strict=True):
        if len(np.unique(side.y)) < len(np.unique(labels)):
            shown = Shown(f"{test} with a class missing in the {name} rows")
            remedy = "Choose another share, or pass (X_test, y_test)"
            raise invalid("test", "leave every class on both sides", shown, remedy)
    return sides[0], sides[1]


def _known_labels(X: Any, y: ArrayLike, training: NDArray[Any]) -> NDArray[Any]:
    """Return the labels of held-out rows, of the classes that training has."""
    labels = checked_labels(X, y)
    if not np.array_equal(np.unique(labels), np.unique(training)):
        shown = Shown(f"{np.unique(labels).tolist()}")
        constraint = f"have the classes of y, {np.unique(training).tolist()}"
        raise invalid("test", constraint, shown)
    return labels


def _rows_of(table: Table, rows: NDArray[np.intp]) -> Table:
    """Return these rows of a table."""
    return Table(
        take_rows(table.X, rows),
        table.y[rows],
        None if table.weights is None else table.weights[rows],
        None if table.groups is None else table.groups[rows],
    )


def _resampled(table: Table, seed: int) -> Table:
    """Return a bootstrap sample of rows or groups, as weights on the rows drawn."""
    units = np.arange(len(table.y)) if table.groups is None else table.groups
    _, unit = np.unique(units, return_inverse=True)
    n_units = int(unit.max()) + 1
    times = generator(seed).multinomial(n_units, np.full(n_units, 1.0 / n_units))[unit]
    drawn = _rows_of(table, np.flatnonzero(times))
    weights = times[times > 0].astype(np.float64)
    own = 1.0 if drawn.weights is None else drawn.weights
    return Table(drawn.X, drawn.y, weights * own, drawn.groups)


def _reference(fits: list[dict[str, FittedArm]]) -> str:
    """Return the arm to beat: the tuned student from scratch, if it could be tuned."""
    return TUNED if TUNED in fits[0] else "scratch"
