"""Labels drawn from probabilities that are known, and the record of both."""

import numpy as np
from numpy.typing import NDArray

from semikd.datasets.record import Dataset

__all__ = ["drawn_dataset", "probabilities"]

_LICENCE = "simulated; none needed"


def probabilities(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probabilities of scores, both of shape (n, k)."""
    from scipy.special import softmax

    return np.asarray(softmax(scores, axis=1))


def drawn_dataset(
    name: str,
    X: NDArray[np.float64],
    p_true: NDArray[np.float64],
    rng: np.random.Generator,
    description: str,
) -> Dataset:
    """Return the record of features X (n, d) with labels drawn from p_true (n, k)."""
    import pandas as pd

    # The last class takes the remainder, so rounding in the sum cannot lose a label.
    bounds = np.cumsum(p_true[:, :-1], axis=1)
    labels = (rng.random((len(X), 1)) >= bounds).sum(axis=1)
    return Dataset(
        name=name,
        X=pd.DataFrame(X, columns=[f"x{j + 1}" for j in range(X.shape[1])]),
        y=pd.Series(labels, name="y"),
        task="classification",
        description=description,
        source=f"semikd.datasets.make_{name}",
        licence=_LICENCE,
        true_proba=p_true,
    )
