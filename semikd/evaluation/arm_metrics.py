"""What arms are compared by on held-out rows: losses of rows, and areas."""

import numpy as np

from semikd._validation import Shown, invalid
from semikd.evaluation.tables import Table
from semikd.evaluation.tasks import Task
from semikd.inference import InfluenceEstimate, auc_influence
from semikd.simplex import FloatArray

__all__ = ["arm_areas", "arm_losses"]

_DECIMALS = 12


def arm_losses(
    predictions: FloatArray, test: Table, task: Task, metric: str | None
) -> FloatArray:
    """Return the loss of every row, by every fitted model.

    Parameters
    ----------
    predictions : ndarray of shape (n_refits, n_arms, n_test, k)
        Probabilities, or means.
    test : Table
        The held-out rows.
    task : Task
        What is predicted.
    metric : str or None
        Which loss; by default the first of the task.

    Returns
    -------
    ndarray of shape (n_refits, n_test, n_arms)
        Without their last digits, by their size, in whatever unit: equal models differ
        by rounding, which must not be a significant difference.
    """
    loss = task.loss(metric)
    each = [[loss(p, test) for p in fit] for fit in predictions]
    losses = np.swapaxes(each, 1, 2)
    unit = float(np.abs(losses).max()) or 1.0
    return np.asarray(np.round(losses / unit, _DECIMALS) * unit)


def arm_areas(predictions: FloatArray, test: Table, task: Task) -> InfluenceEstimate:
    """Return the areas under the curves of arms, with the influence of each row.

    Parameters
    ----------
    predictions : ndarray of shape (n_arms, n_test, 2)
        Probabilities by one set of fitted models.
    test : Table
        The held-out rows.
    task : Task
        What is predicted.

    Returns
    -------
    InfluenceEstimate

    Raises
    ------
    ValueError
        If there are not two classes.
    """
    if predictions.shape[-1] != 2:
        classes = test.classes
        what = "a regression" if classes is None else f"{len(classes)} classes"
        shown = Shown(f"'auc' with {what}")
        remedy = "" if classes is None else "The table has the macro average"
        constraint = "be " + " or ".join(map(repr, task.losses()))
        raise invalid("metric", constraint, shown, remedy)
    parts = [
        auc_influence(test.codes, p[:, 1], sample_weight=test.weights)
        for p in predictions
    ]
    return InfluenceEstimate(
        np.array([area for area, _ in parts]),
        np.stack([influence for _, influence in parts], axis=1),
        metric="AUC",
        greater_is_better=True,
    )
