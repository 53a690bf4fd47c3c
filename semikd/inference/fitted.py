"""What coefficients say of rows: probabilities with bands, and marginal effects.

Notes
-----
Letters: z (n, p) standard columns; theta (m, p) their coefficients; s (n, k) scores of
the classes, of which the first, the reference, is 0; pi (n, k) their softmax.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from semikd._validation import FloatArray, Shown, choose, invalid, sample_weights
from semikd.inference._inputs import checked_level
from semikd.inference.designs import class_names
from semikd.inference.influence import row_shares
from semikd.inference.multiplicity import adjusted_tail
from semikd.simplex import softmax

if TYPE_CHECKING:
    import pandas as pd

    from semikd.inference.coefficients import Coefficients
    from semikd.inference.result import InferenceResult

__all__ = ["average_effects", "class_scores", "fitted_probabilities"]

_KINDS = {kind: kind for kind in ("interval", "simultaneous")}
# Rows whose draws are held at a time.
_BLOCK = 256


def class_scores(z: FloatArray, theta: FloatArray) -> FloatArray:
    """Return the scores of all classes, the reference's 0 in front, (n, k)."""
    return np.pad(z @ theta.T, ((0, 0), (1, 0)))


def fitted_probabilities(
    found: "Coefficients", X: Any, level: float | None, kind: str
) -> "pd.DataFrame":
    """Return the table of ``Coefficients.fitted``."""
    import pandas as pd

    chosen = choose("kind", kind, _KINDS)
    z = _standard(found, X)
    scores = class_scores(z, _theta(found))
    tables = []
    for j in _shown(found):
        others = np.delete(scores, j, axis=1)
        odds = scores[:, j] - special.logsumexp(others, axis=1)
        # Of the log-odds of a class: 1 in its own score, less the others' shares.
        moved = -np.insert(softmax(others), j, -1.0, axis=1)[:, 1:]
        gradient = (moved[:, :, None] * z[:, None, :]).reshape(len(z), -1)
        half = _half_widths(found, gradient, level, chosen)
        columns = {
            "class": found.classes[j],
            "probability": special.expit(odds),
            "lower": special.expit(odds - half),
            "upper": special.expit(odds + half),
        }
        tables.append(pd.DataFrame(columns, index=pd.RangeIndex(len(z), name="row")))
    return pd.concat(tables)


def average_effects(
    found: "Coefficients", X: Any, sample_weight: ArrayLike | None
) -> "InferenceResult":
    """Return the result of ``Coefficients.marginal_effects``."""
    z, theta = _standard(found, X), _theta(found)
    share = row_shares(sample_weights(sample_weight, len(z)), len(z))
    pi, scale = softmax(class_scores(z, theta)), found.columns.scale
    estimates, gradients = [], []
    for j in _shown(found):
        first, second = _derivatives(pi, j)
        for at, unit in enumerate(scale):
            estimates.append(share @ first @ theta[:, at] / unit)
            gradient = np.einsum("i,iab,a,ip->bp", share, second, theta[:, at], z)
            gradient[:, at] += share @ first
            gradients.append(gradient.ravel() / unit)
    shown = tuple(found.classes[j] for j in _shown(found))
    names = class_names(found.classes, found.columns.names, shown)
    of = f" of {found.classes[1]!r}" if len(found.classes) == 2 else ""
    # The gradients give the covariance; effects are no linear combinations.
    return replace(
        found.inner.contrast(np.array(gradients), names),
        level=found.level,
        estimate=np.array(estimates),
        estimand=f"average change of the fitted probability{of} by a unit of each "
        "column, over these rows",
    )


def _half_widths(
    found: "Coefficients", gradient: FloatArray, level: float | None, kind: str
) -> FloatArray:
    """Return half the widths of bands of rows whose gradients are given, (n,)."""
    inner = found.inner
    variance = np.einsum("ia,ab,ib->i", gradient, inner.covariance, gradient)
    error = np.sqrt(np.maximum(variance, 0.0))
    used = checked_level(found.level if level is None else level)
    if kind == "interval":
        beyond = adjusted_tail(used, 1, None, sign=0, adjust="none")
    else:
        largest = np.max(list(_ratios(found, gradient, error)), axis=0)[:, None]
        beyond = adjusted_tail(used, 1, largest, sign=0, adjust="max-t")
    return np.asarray(inner.law.critical(beyond)[0] * error)


def _ratios(
    found: "Coefficients", gradient: FloatArray, error: FloatArray
) -> Iterator[FloatArray]:
    """Yield the largest ratio of every draw, block of rows by block, (n_draws,)."""
    draws = found.inner.draws
    assert draws is not None  # noqa: S101 - coefficients always have draws
    for start in range(0, len(error), _BLOCK):
        rows = slice(start, start + _BLOCK)
        moved = np.abs(draws @ gradient[rows].T)
        zeros = np.zeros_like(moved)
        yield np.divide(moved, error[rows], out=zeros, where=error[rows] > 0).max(1)


def _derivatives(pi: FloatArray, j: int) -> tuple[FloatArray, FloatArray]:
    """Return the first and second derivatives of pi_j in s, (n, m) and (n, m, m)."""
    own, others = pi[:, [j]], pi[:, 1:]
    m = others.shape[1]
    off = np.eye(m + 1)[j, 1:] - others
    first = own * off
    bent = (own * others)[:, :, None] * (np.eye(m) - others[:, None, :])
    return first, first[:, :, None] * off[:, None, :] - bent


def _shown(found: "Coefficients") -> list[int]:
    """Return the classes that are told of: of two the second, else all."""
    return [1] if len(found.classes) == 2 else list(range(len(found.classes)))


def _theta(found: "Coefficients") -> FloatArray:
    """Return the coefficients of standard columns as a table, (m, p)."""
    return found.inner.estimate.reshape(len(found.classes) - 1, -1)


def _standard(found: "Coefficients", X: Any) -> FloatArray:
    """Return the standard columns of some rows, at least one."""
    z = found.columns.standard(X)
    if not len(z):
        raise invalid("X", "have at least one row", Shown("none"))
    return z
