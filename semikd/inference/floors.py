"""Whether rows tell how large log-odds are, or a floor of probabilities does.

Notes
-----
Labels at 0 and 1 have no log-odds: below ``min_proba`` these go on as a tangent, whose
height is that of the floor. Classes that columns tell apart without error have
log-odds without bound, whatever the floor.
"""

import warnings

import numpy as np

from semikd._validation import FloatArray, counted
from semikd.exceptions import SemikdWarning
from semikd.inference.coefficients import Coefficients
from semikd.inference.designs import Design
from semikd.inference.separation import told_apart

__all__ = ["warn_of_floor"]

# Standard errors that half the floor may move a coefficient: as much as a bias may.
_DOUBTFUL = 0.5
_IF_APART = (
    "Use fewer columns, or score_test, which tests some of them without a floor."
)
_IF_NOT = "likelihood_coefficients needs no floor and no teacher."


def warn_of_floor(
    rows: Design,
    found: Coefficients,
    by_half: FloatArray,
    p: FloatArray,
    min_proba: float,
    *,
    stacklevel: int,
) -> None:
    """Warn where half the floor would give other coefficients, or classes have no edge.

    Parameters
    ----------
    rows : Design
        The rows.
    found : Coefficients
        The coefficients.
    by_half : ndarray of shape (k - 1, p)
        Those of standard columns, with half the floor.
    p : ndarray of shape (r, n, k)
        Labels.
    min_proba : float
        The floor.
    stacklevel : int
        Of the warning, seen from here.

    Warns
    -----
    SemikdWarning
        One line, with what moves and by how much.
    """
    inner, names = found.inner, found.names
    moved, error = np.abs(by_half.ravel() - inner.estimate), inner.std_error
    ratio = np.divide(moved, error, out=np.zeros_like(moved), where=error > 0)
    doubtful = ratio > _DOUBTFUL
    apart = told_apart(rows, inner.estimate.reshape(by_half.shape))
    if not (apart or doubtful.any()):
        return
    n = len(rows.rows)
    low = int((p < min_proba).any(axis=(0, 2)).sum())
    said = []
    if apart:
        said.append(
            f"{apart}, so that nothing bounds the log-odds there but the teacher and "
            "the floor"
        )
    if doubtful.any():
        at = int(ratio.argmax())
        said.append(
            f"half of min_proba={min_proba:g} would move {int(doubtful.sum()):,} of "
            f"{counted(len(names), 'coefficient')} by more than half a standard error "
            f"(most: {names[at]}, by {ratio[at]:.1f}), with a label below it in "
            f"{low:,} of {n:,} rows"
        )
    warnings.warn(
        f"Coefficients may be those of a floor, not of the rows: {'; '.join(said)}. "
        + (_IF_APART if apart else _IF_NOT),
        SemikdWarning,
        stacklevel=stacklevel,
    )
