"""What coefficients say of rows: probabilities with bands, and marginal effects.

Notes
-----
Letters: s (n, m) scores of the classes but the reference, whose score is 0; pi (n, k)
their softmax; z (n, p) the columns; theta (m, p) the coefficients.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from semikd._validation import FloatArray, Shown, invalid, sample_weights
from semikd.inference.designs import INTERCEPT, numeric_columns
from semikd.inference.influence import row_shares
from semikd.simplex import softmax

if TYPE_CHECKING:
    import pandas as pd

    from semikd.inference.coefficients import Coefficients
    from semikd.inference.result import InferenceResult, IntervalClass

__all__ = ["average_effects", "fitted_probabilities"]


def fitted_probabilities(
    found: "Coefficients", X: Any, level: float | None, kind: "IntervalClass"
) -> "pd.DataFrame":
    """Return the table of ``Coefficients.fitted``."""
    import pandas as pd

    z, theta = _columns(found, X), _theta(found)
    pi = softmax(np.pad(z @ theta.T, ((0, 0), (1, 0))))
    # The derivative of each class's log-odds in the scores.
    shown = [1] if len(found.classes) == 2 else range(len(found.classes))
    eye = np.eye(len(found.classes))[:, 1:]
    tables = []
    for j in shown:
        moved = (eye[j] - pi[:, 1:]) / (1.0 - pi[:, [j]])
        matrix = (moved[:, :, None] * z[:, None, :]).reshape(len(z), -1)
        names = [f"row {i}" for i in range(len(z))]
        ends = found.contrast(matrix, names).conf_int(level, kind)
        half = (ends[:, 1] - ends[:, 0]) / 2.0
        odds = special.logit(pi[:, j])
        columns = {
            "class": found.classes[j],
            "probability": pi[:, j],
            "lower": special.expit(odds - half),
            "upper": special.expit(odds + half),
        }
        tables.append(pd.DataFrame(columns, index=pd.RangeIndex(len(z), name="row")))
    return pd.concat(tables)


def average_effects(
    found: "Coefficients", X: Any, sample_weight: ArrayLike | None
) -> "InferenceResult":
    """Return the result of ``Coefficients.marginal_effects``."""
    z, theta = _columns(found, X), _theta(found)
    share = row_shares(sample_weights(sample_weight, len(z)), len(z))
    pi = softmax(np.pad(z @ theta.T, ((0, 0), (1, 0))))
    slopes = [at for at, name in enumerate(found.columns) if name != INTERCEPT]
    shown = [1] if len(found.classes) == 2 else range(len(found.classes))
    estimates, gradients, names = [], [], []
    for j in shown:
        first, second = _derivatives(pi, j)
        for at in slopes:
            estimates.append(share @ first @ theta[:, at])
            gradient = np.einsum("i,iab,a,ip->bp", share, second, theta[:, at], z)
            gradient[:, at] += share @ first
            gradients.append(gradient.ravel())
            label = "" if len(found.classes) == 2 else f"{found.classes[j]}: "
            names.append(f"{label}{found.columns[at]}")
    # The gradients give the covariance; effects are no linear combinations.
    return replace(
        found.contrast(np.array(gradients), names),
        estimate=np.array(estimates),
        estimand=f"average change of the fitted probability{_of(found)} by a unit of "
        "each column, over these rows",
    )


def _derivatives(pi: FloatArray, j: int) -> tuple[FloatArray, FloatArray]:
    """Return the first and second derivatives of pi_j in s, (n, m) and (n, m, m)."""
    own, others = pi[:, [j]], pi[:, 1:]
    m = others.shape[1]
    off = np.eye(m + 1)[j, 1:] - others
    first = own * off
    bent = (own * others)[:, :, None] * (np.eye(m) - others[:, None, :])
    return first, first[:, :, None] * off[:, None, :] - bent


def _of(found: "Coefficients") -> str:
    """Return whose probability it is, in words."""
    return f" of {found.classes[1]!r}" if len(found.classes) == 2 else ""


def _theta(found: "Coefficients") -> FloatArray:
    """Return the coefficients as a table, (m, p)."""
    return found.estimate.reshape(-1, len(found.columns))


def _columns(found: "Coefficients", X: Any) -> FloatArray:
    """Return the columns that the coefficients multiply, (n, p)."""
    table, names = numeric_columns(X)
    wanted = tuple(name for name in found.columns if name != INTERCEPT)
    if names != wanted:
        shown = Shown(", ".join(map(repr, names)))
        raise invalid("X", f"have the columns {', '.join(map(repr, wanted))}", shown)
    if len(wanted) == len(found.columns):
        return table
    return np.column_stack([table, np.ones(len(table))])
