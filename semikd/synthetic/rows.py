"""Synthetic rows as a setting of distillation, and how they are drawn."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator

from semikd._random import RandomState, generator
from semikd._validation import (
    Shown,
    check_shape,
    choose,
    count,
    invalid,
    number,
    weights_or_ones,
    wrong_type,
)
from semikd.crossfit import n_rows, take_rows
from semikd.simplex import FloatArray
from semikd.synthetic.columns import Column, check_table, read_columns
from semikd.synthetic.drawing import DrawnRows, assembled
from semikd.synthetic.nearest import Mixed, nearest_rows
from semikd.synthetic.smoothing import kernel_scales, moved, silverman
from semikd.synthetic.units import Units

__all__ = ["SyntheticRows", "as_synthetic"]

# How many cells come from the second parent, where nobody says.
_SWAPS = {"neighbours": 0.5, "columns": 0.2, "bootstrap": 0.1}
_SOURCES = {"folds": True, "all": False}

Indices = NDArray[np.intp]


class SyntheticRows(BaseEstimator):
    r"""How rows are made up from others, and which teachers label them.

    Each distinct row is the first parent of ``ratio`` synthetic rows, and a second
    parent lends it some of its cells:

    - 'neighbours': each cell comes, with probability ``swap``, from one of the
      ``n_neighbours`` nearest rows.
    - 'columns': from a row drawn at random.
    - 'bootstrap': numbers are those of the first parent plus normal noise with standard
      deviation ``bandwidth`` times the smaller of standard deviation and interquartile
      range / 1.349 of the column; categories, and numbers half of which are one value,
      come, with probability ``swap``, from a row drawn at random.

    Parameters
    ----------
    method : {'neighbours', 'columns', 'bootstrap'}, default='neighbours'
        How rows are made.
    ratio : float, default=1.0
        Synthetic rows for each distinct row; 0 is none.
    labelled_by : {'folds', 'all'}, default='folds'
        Who labels. 'folds': both parents lie in one fold, and the teacher that held
        this fold out, which saw neither, labels. 'all': parents lie anywhere, and the
        mean of all teachers labels: better labels, with some of the parents' outcomes
        in them.
    weight : float, default=1.0
        Weight of a synthetic row beside that of its first parent.
    swap : float, optional
        Share of cells from the second parent, in [0, 1]; by default 0.5 for
        'neighbours', 0.2 for 'columns' and 0.1 for 'bootstrap'.
    n_neighbours : int, default=5
        Of how many neighbours one is drawn, for 'neighbours'.
    bandwidth : float, optional
        For 'bootstrap'; by default Silverman's, for the distinct rows and the columns
        that are moved. 0 moves nothing.
    categorical_features : list of str or int, optional
        Columns that hold categories, such as codes, although their type is numeric.
        Text, booleans and categorical types are categories anyway.

    Notes
    -----
    Rows are drawn from their content: a permuted table, or a repeated row in place of a
    weight of 2, gives the same rows and weights. Cells keep their type; missing cells
    stay missing, integers integers and numbers in the range observed. Columns of free
    text are refused. 'neighbours' costs n times the smaller of n (rows of a fold) and
    10,000 distances; the others are linear.

    Noise leaves means as they are and multiplies the variance of a column by
    :math:`1 + h^2 s^2 / \sigma^2`, with h the bandwidth and s the spread above, but for
    what is reflected at the ends of the range and rounded.

    References
    ----------
    .. [1] C. Bucila, R. Caruana and A. Niculescu-Mizil, "Model Compression", KDD 2006,
       section 3 (MUNGE; there the *nearest* neighbour lends a number with noise, and
       lends and borrows at once. 'neighbours' leaves the noise out).
    .. [2] B. Efron, "Bootstrap Methods: Another Look at the Jackknife", Annals of
       Statistics 7, 1979, section 3 (the smoothed bootstrap; here it is balanced: every
       row is drawn equally often).

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.synthetic import SyntheticRows
    >>> X, fold = np.arange(8.0).reshape(4, 2), np.array([0, 0, 1, 1])
    >>> drawn = SyntheticRows(ratio=2).draw(X, fold=fold, random_state=0)
    >>> fold[drawn.parents].tolist()[:2], drawn.X.shape
    ([[0, 0], [0, 0]], (8, 2))
    """

    def __init__(
        self,
        method: str = "neighbours",
        *,
        ratio: float = 1.0,
        labelled_by: str = "folds",
        weight: float = 1.0,
        swap: float | None = None,
        n_neighbours: int = 5,
        bandwidth: float | None = None,
        categorical_features: Sequence[Any] | None = None,
    ) -> None:
        self.method = method
        self.ratio = ratio
        self.labelled_by = labelled_by
        self.weight = weight
        self.swap = swap
        self.n_neighbours = n_neighbours
        self.bandwidth = bandwidth
        self.categorical_features = categorical_features

    @property
    def within_folds(self) -> bool:
        """Whether the parents of a row lie in one fold, whose teacher labels it."""
        return choose("labelled_by", self.labelled_by, _SOURCES)

    def check(self, X: Any = None) -> None:
        """Refuse settings, and a table, from which no rows can be drawn.

        Parameters
        ----------
        X : array-like of shape (n, d), optional
            The table.

        Raises
        ------
        ValueError, TypeError
            With the setting, or the column.
        """
        usual = choose("method", self.method, _SWAPS)
        choose("labelled_by", self.labelled_by, _SOURCES)
        number("ratio", self.ratio, low=0.0)
        number("weight", self.weight, low=0.0, open_low=True)
        number("swap", usual if self.swap is None else self.swap, low=0.0, high=1.0)
        count("n_neighbours", self.n_neighbours)
        number("bandwidth", 0.0 if self.bandwidth is None else self.bandwidth, low=0.0)
        if X is not None:
            check_table(X, self.categorical_features)

    def draw(
        self,
        X: Any,
        *,
        fold: ArrayLike,
        random_state: RandomState = None,
        sample_weight: ArrayLike | None = None,
    ) -> DrawnRows:
        """Draw rows.

        Parameters
        ----------
        X : ndarray or data frame of shape (n, d)
            Rows to draw from.
        fold : array-like of int of shape (n,)
            Fold of each row. With ``labelled_by='folds'`` rows of -1 are no parents.
        random_state : int, generator or None, default=None
            Seed.
        sample_weight : array-like of shape (n,), optional
            Weights; a row of weight zero is no parent.

        Returns
        -------
        DrawnRows

        Raises
        ------
        ValueError, TypeError
            If the table or a setting cannot be used.
        """
        self.check(X)
        folds, weights = np.asarray(fold), weights_or_ones(sample_weight, n_rows(X))
        check_shape("fold", folds, (n_rows(X),))
        if not self.within_folds:
            folds = np.zeros(len(folds), dtype=np.intp)
        units = Units.of(X, folds, weights)
        if not len(units.first):
            shown = Shown("no row of positive weight in a fold")
            raise invalid("fold", "hold rows to draw from", shown)
        table = take_rows(X, units.first)
        columns = read_columns(table, self.categorical_features)
        rng = generator(random_state)
        parents = self._parents(columns, units, rng)
        source, noisy = self._cells(columns, units, parents, rng)
        return DrawnRows(
            assembled(table, source, noisy),
            units.first[parents],
            self.weight * units.weights[parents[:, 0]],
        )

    def _parents(
        self, columns: list[Column], units: Units, rng: np.random.Generator
    ) -> Indices:
        """Return the two parents of each row, as places among the units."""
        n = len(units.first)
        times = np.full(n, int(self.ratio))
        rest = round((self.ratio - int(self.ratio)) * n)
        times[rng.permutation(n)[:rest]] += 1
        second = []
        alike = Mixed(columns, units.weights) if self.method == "neighbours" else None
        for pool in units.pools:
            asked = pool[times[pool] > 0]
            repeated = np.repeat(np.arange(len(asked)), times[asked])
            if alike is None:
                p = units.weights[pool] / units.weights[pool].sum()
                second.append(rng.choice(pool, len(repeated), p=p))
                continue
            near = nearest_rows(alike, asked, pool, self.n_neighbours, rng)
            which = rng.integers(near.shape[1], size=len(repeated))
            second.append(near[repeated, which])
        first = np.concatenate([np.repeat(pool, times[pool]) for pool in units.pools])
        return np.stack([first, np.concatenate(second)], axis=1)

    def _cells(
        self,
        columns: list[Column],
        units: Units,
        parents: Indices,
        rng: np.random.Generator,
    ) -> tuple[Indices, dict[int, FloatArray]]:
        """Return the unit of each cell, and the numbers that a kernel moves."""
        swap = _SWAPS[self.method] if self.swap is None else self.swap
        swapped = rng.random((len(parents), len(columns))) < swap
        noisy: dict[int, FloatArray] = {}
        if self.method == "bootstrap":
            scales = kernel_scales(columns, units.weights)
            h, d = self.bandwidth, int((scales > 0).sum())
            h = silverman(len(units.first), d) if h is None else h
            for j in np.flatnonzero(scales > 0):
                values = columns[j].values[parents[:, 0]]
                noisy[int(j)] = moved(columns[j], values, h * scales[j], rng)
            swapped[:, scales > 0] = False
        return np.where(swapped, parents[:, 1:], parents[:, :1]), noisy


def as_synthetic(synthetic: Any) -> SyntheticRows | None:
    """Return the setting, also by the name of a method; None for a ratio of 0.

    Parameters
    ----------
    synthetic : SyntheticRows, str or None
        What a user gave.

    Returns
    -------
    SyntheticRows or None

    Raises
    ------
    ValueError, TypeError
        If it is no such setting, or one out of range.

    Examples
    --------
    >>> from semikd.synthetic import as_synthetic
    >>> as_synthetic("bootstrap").method
    'bootstrap'
    """
    if synthetic is None:
        return None
    if isinstance(synthetic, str):
        choose("synthetic", synthetic, _SWAPS)
        synthetic = SyntheticRows(synthetic)
    if not isinstance(synthetic, SyntheticRows):
        constraint = "be SyntheticRows, the name of a method or None"
        raise wrong_type("synthetic", constraint, synthetic)
    synthetic.check()
    return synthetic if synthetic.ratio > 0 else None
