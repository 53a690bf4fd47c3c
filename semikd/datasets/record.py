"""What a data set is: one frozen record, whatever file or formula it came from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semikd._validation import Shown, check_shape, invalid, unknown
from semikd.datasets.encoding import ordinal_matrix

if TYPE_CHECKING:
    import pandas as pd

TASKS = ("classification", "regression", "effect")


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """A table or a stack of images with its target and what one must know about it.

    Parameters
    ----------
    name : str
        The name it is loaded by.
    X : pandas DataFrame, or ndarray of shape (n_samples, ...) for images
        Features, in the order of the source.
    y : pandas Series, or ndarray of shape (n_samples,)
        Labels, or the outcome for the other two tasks.
    task : {'classification', 'regression', 'effect'}
        What is usually asked of it.
    description : str
        What a row is, and the pitfalls that change what an estimate means.
    source : str
        Where it comes from.
    licence : str
        The terms it may be used under, as far as they are stated.
    sample_weight : ndarray of shape (n_samples,) or None, default=None
        Weights that any estimate should use.
    groups : ndarray of shape (n_samples,) or None, default=None
        Rows that belong together and must share a fold.
    true_proba : ndarray of shape (n_samples, n_classes) or None, default=None
        The class probabilities the labels were drawn from, if they are known.
    extra : mapping of str to object
        What only some sets have: ``train_index`` and ``test_index`` (official split),
        ``class_names``; for effects ``treatment`` of shape (n_samples,) and, where
        known, ``mu0`` and ``mu1`` (mean outcome without and with treatment).

    Raises
    ------
    ValueError
        If lengths differ or the task is none of the three.

    Examples
    --------
    >>> from semikd.datasets import load_dataset
    >>> data = load_dataset("iris")
    >>> data
    Dataset('iris', classification, 150 x 4)
    >>> data.numeric().shape
    (150, 4)
    """

    name: str
    X: "pd.DataFrame | NDArray[Any]"
    y: "pd.Series[Any] | NDArray[Any]"
    task: str
    description: str
    source: str
    licence: str
    sample_weight: NDArray[np.float64] | None = None
    groups: NDArray[np.int64] | None = None
    true_proba: NDArray[np.float64] | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.task not in TASKS:
            raise unknown("task", self.task, TASKS)
        n_samples = len(self.X)
        for name in ("y", "sample_weight", "groups", "true_proba"):
            values = getattr(self, name)
            if values is not None and len(values) != n_samples:
                shown = Shown(f"{len(values)} for {n_samples} rows of X")
                raise invalid(name, "have one entry per row", shown)
        if self.true_proba is not None:
            check_shape("true_proba", self.true_proba, (n_samples, None))

    def __repr__(self) -> str:
        size = " x ".join(str(length) for length in self.X.shape)
        return f"Dataset({self.name!r}, {self.task}, {size})"

    def numeric(self) -> NDArray[np.float64]:
        """Return the features as one float64 matrix.

        Categories become their declared codes, missing values NaN, images flat rows;
        see :func:`semikd.datasets.ordinal_matrix`.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            The features as numbers.

        Examples
        --------
        >>> from semikd.datasets import load_dataset
        >>> load_dataset("spector").numeric()[0]
        array([ 2.66, 20.  ,  0.  ])
        """
        return ordinal_matrix(self.X)
