"""Which part of a teacher's knowledge a student needs: one student for each level."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from semikd._random import RandomState
from semikd._tables import checked_labels
from semikd._validation import Shown, invalid
from semikd.corrections import Correction
from semikd.crossfit import OutOfFold, n_rows
from semikd.crossfit.checks import check_record
from semikd.diagnostics._classes import class_positions
from semikd.distillation import DistilledClassifier
from semikd.evaluation import pointwise_log_loss
from semikd.inference import paired_differences
from semikd.label_aware import ClassTable, ConfidenceTarget
from semikd.losses import DistillationLoss, SmoothedLoss, get_loss
from semikd.simplex import FloatArray, one_hot
from semikd.students import as_student

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["knowledge_levels", "mean_labels"]

_SCRATCH = "labels alone"


def mean_labels(labels: OutOfFold, y: ArrayLike) -> FloatArray:
    r"""Return what teachers say on average of the rows of a class, shape (k, k).

    .. math:: S_{tj} = \frac1{n_t} \sum_{i: y_i = t} \hat p_j(x_i)

    Parameters
    ----------
    labels : OutOfFold
        Labels of teachers that did not see the row.
    y : array-like of shape (n,)
        Class labels.

    Returns
    -------
    ndarray of shape (k, k)
        Rows of sum 1: how like classes are, by the teachers' mistakes.

    Raises
    ------
    ValueError
        If a class has no row with a label.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd import external_labels
    >>> from semikd.diagnostics import mean_labels
    >>> X, p = np.arange(3.0)[:, None], [[0.8, 0.2], [0.6, 0.4], [0.1, 0.9]]
    >>> mean_labels(external_labels(X, p, classes=[0, 1]), [0, 0, 1])
    array([[0.7, 0.3],
           [0.1, 0.9]])
    """
    if labels.classes is None:
        raise invalid(
            "labels", "be class probabilities", Shown("means of a regression")
        )
    p, classes = labels.mean, np.asarray(labels.classes)
    codes = class_positions("y", y, classes, len(p))
    known = one_hot(codes, len(classes)) * np.isfinite(p).all(axis=1, keepdims=True)
    counts = known.sum(axis=0)
    if (counts == 0).any():
        shown = Shown(f"none for class {classes[int(np.argmin(counts))]}")
        raise invalid("labels", "have a row of every class", shown)
    return np.asarray(known.T @ np.nan_to_num(p) / counts[:, None])


def knowledge_levels(
    student: Any,
    labels: OutOfFold,
    X: Any,
    y: ArrayLike,
    X_test: Any,
    y_test: ArrayLike,
    *,
    smoothing: float = 0.1,
    table: ArrayLike | None = None,
    loss: str | DistillationLoss = "auto",
    level: float = 0.95,
    random_state: RandomState = None,
) -> "pd.DataFrame":
    r"""Return what a student gains from each level of its teachers' knowledge.

    One student is fitted for each of: labels alone; smoothed labels (the universe);
    a row of a table for each class (the domain); the teachers' confidence in the row's
    own class, the rest shared by the table (the instance); and the teachers' answers.

    Parameters
    ----------
    student : estimator
        The small model.
    labels : OutOfFold
        Labels of the training rows by teachers that did not see them.
    X, y : array-like of shape (n, d) and (n,)
        Training rows.
    X_test, y_test : array-like of shape (m, d) and (m,)
        Rows that judge.
    smoothing : float, default=0.1
        Share of the uniform in smoothed labels.
    table : array of shape (k, k), optional
        Probabilities for each class, by default `mean_labels`.
    loss : str or DistillationLoss, default='auto'
        The scale, 'probability' or 'cross_entropy' at T = 1: on others the full
        correction is not labels alone.
    level : float, default=0.95
        Confidence level.
    random_state : int, generator or None
        Seed of students and intervals; all students have the same.

    Returns
    -------
    pandas.DataFrame
        One row for each level: ``accuracy``, ``log_loss``, and its ``difference`` from
        labels alone with ``lower`` and ``upper``, simultaneous over levels, of these
        fitted students.

    Raises
    ------
    ValueError
        If labels and rows do not belong together, a test row is of a class that the
        teachers do not know, or the scale is not linear.

    References
    ----------
    .. [1] J. Tang et al., "Understanding and Improving Knowledge Distillation", 2020,
       for the three levels: targets are reconstructed from descriptions of the paper.

    Examples
    --------
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from semikd import cross_fit
    >>> from semikd.datasets import make_class_hierarchy
    >>> from semikd.diagnostics import knowledge_levels
    >>> data = make_class_hierarchy(600, 4, 2, 5, random_state=0)
    >>> X, y = data.X.to_numpy(), data.y.to_numpy()
    >>> forest = RandomForestClassifier(20, random_state=0)
    >>> labels = cross_fit(forest, X[:400], y[:400], random_state=0)
    >>> tree = DecisionTreeRegressor(max_leaf_nodes=8)
    >>> halves = X[:400], y[:400], X[400:], y[400:]
    >>> found = knowledge_levels(tree, labels, *halves, random_state=0)
    >>> found.index.tolist()[:2]
    ['labels alone', 'smoothed labels']
    """
    import pandas as pd

    y, y_test = checked_labels(X, y), checked_labels(X_test, y_test)
    check_record(labels, X, np.unique(y))
    scale = get_loss(loss, auto=as_student(student).default_loss)
    if not scale.is_linear:
        remedy = "Use 'probability', or 'cross_entropy' at T = 1"
        constraint = "be linear in the probabilities, or labels alone hold the teacher"
        raise invalid("loss", constraint, scale, remedy)
    likeness = mean_labels(labels, y) if table is None else np.asarray(table)
    recipes = _recipes(scale, smoothing, likeness)
    known = np.asarray(labels.classes)
    codes = class_positions("y_test", y_test, known, n_rows(X_test))
    losses, rows = [], {}
    for name, (own, correction) in recipes.items():
        model = DistilledClassifier(
            student=student,
            loss=own,
            correction=correction,
            cv=labels,
            random_state=random_state,
        ).fit(X, y)
        p = model.predict_proba(X_test)
        losses.append(pointwise_log_loss(p, codes))
        right = float(np.mean(p.argmax(axis=1) == codes))
        rows[name] = {"accuracy": right, "log_loss": float(losses[-1].mean())}
    for name, found in _from_scratch(losses, list(recipes), level, random_state):
        rows[name] |= found
    return pd.DataFrame.from_dict(rows, orient="index")


def _recipes(
    scale: DistillationLoss, smoothing: float, likeness: FloatArray
) -> dict[str, tuple[DistillationLoss, str | Correction]]:
    """Return scale and correction of each level, from none to all."""
    return {
        _SCRATCH: (scale, "orthogonal"),
        "smoothed labels": (SmoothedLoss(scale, smoothing), "orthogonal"),
        "likeness of classes": (scale, ClassTable(likeness)),
        "confidence and likeness": (scale, ConfidenceTarget(likeness)),
        "teachers' answers": (scale, "none"),
    }


def _from_scratch(
    losses: list[FloatArray], names: list[str], level: float, random_state: RandomState
) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield each level's difference from labels alone, with simultaneous limits."""
    found = paired_differences(
        np.column_stack(losses),
        names=names,
        reference=_SCRATCH,
        level=level,
        random_state=random_state,
    )
    bounds = found.conf_int(kind="simultaneous")
    for name, moved, (low, high) in zip(
        found.names, found.estimate, bounds, strict=True
    ):
        yield name, {"difference": moved, "lower": low, "upper": high}
