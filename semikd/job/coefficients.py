"""What can be relied on of the coefficients of a linear student.

What it says of a column hangs on its penalty, on its teacher, and on the rows. The
best coefficients of its form are a question to the rows alone: their intervals hold
whatever made the student, and whatever the truth looks like.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from semikd.encoding import CategoryColumn, Encoder
from semikd.evaluation import Table
from semikd.inference import Coefficients, likelihood_coefficients
from semikd.losses import CrossEntropyLoss
from semikd.simplex import FloatArray, one_hot
from semikd.students import LinearStudent

__all__ = ["FeatureSlopes", "feature_slopes"]

# A column this near to those before it, of length 1, says nothing of its own.
_DEPENDENT = 1e-6
# A penalty that bounds what has no bound and moves nothing else, and the share of a
# column that is left in rows of uncertain class where it has none.
_TINY, _CERTAIN = 1e-6, 1e-2
# Categories with fewer rows of either class are put together: where only one class is
# seen, no coefficient is finite.
_FEWEST = 5
_OTHERS, _MISSING = "all others", "missing"


class _Slope(NamedTuple):
    """One slope: whose, against what, and of which features each is a mixture."""

    name: str
    base: str
    of: NDArray[np.intp]
    against: int


@dataclass(frozen=True, eq=False)
class FeatureSlopes:
    """The best slopes in what a student reads, with intervals, by the training rows.

    Parameters
    ----------
    names, bases : tuple of str
        Features and, of categories, what they are measured against.
    contrast : ndarray of shape (d', d)
        What makes coefficients of all d features such slopes.
    left_out : tuple of str
        Features without a slope.
    found : Coefficients or None
        The slopes and, last, the intercept; None if there are none.
    why_none : str
        Why there are no intervals; empty where there are.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.job.coefficients import FeatureSlopes
    >>> FeatureSlopes(("age",), ("",), np.eye(1), (), None, "no class varies").notes
    ('There are no intervals of coefficients: no class varies',)
    """

    names: tuple[str, ...]
    bases: tuple[str, ...]
    contrast: FloatArray
    left_out: tuple[str, ...]
    found: Coefficients | None
    why_none: str = ""

    @property
    def notes(self) -> tuple[str, ...]:
        """What is said where there are no intervals."""
        if not self.why_none:
            return ()
        return (f"There are no intervals of coefficients: {self.why_none}",)


def feature_slopes(train: Table, encoder: Encoder, seed: int) -> FeatureSlopes | None:
    """Infer the logistic model of largest likelihood in what a student reads.

    Categories are measured against the most frequent one of their column; those with
    fewer than 5 rows of either class are put together or, if they are too few even so,
    with that one. Features without a slope of their own are left out: combinations of
    earlier ones, in all rows or in all whose class is uncertain.

    Parameters
    ----------
    train : Table
        The training rows, as the student reads them.
    encoder : Encoder
        It names the features.
    seed : int
        Seed of the draws behind simultaneous intervals.

    Returns
    -------
    FeatureSlopes or None
        None without exactly two classes.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.encoding import Encoder, NumberColumn
    >>> from semikd.evaluation import Table
    >>> from semikd.job.coefficients import feature_slopes
    >>> X = np.random.default_rng(0).normal(size=(400, 1))
    >>> y = np.random.default_rng(1).random(400) < 1 / (1 + np.exp(-X[:, 0]))
    >>> encoder = Encoder((NumberColumn("x"),))
    >>> slopes = feature_slopes(Table(X, y, None, None), encoder, 0)
    >>> slopes.found.conf_int(kind="interval")[0].round(1)
    array([0.9, 1.5])
    """
    if train.classes is None or len(train.classes) != 2:
        return None
    X = np.asarray(train.features, dtype=np.float64)
    slopes = _slopes(X, train.codes, encoder)
    design = np.column_stack([X[:, each.of].sum(axis=1) for each in slopes])
    kept = np.flatnonzero(_rest(design) > _DEPENDENT)
    kept = kept[_bounded(design[:, kept], train)]
    left_out = tuple(slopes[at].name for at in set(range(len(slopes))) - set(kept))
    slopes = [slopes[at] for at in kept]
    found, why = None, ""
    try:
        found = likelihood_coefficients(
            design[:, kept],
            train.y,
            sample_weight=train.weights,
            clusters=train.groups,
            random_state=seed,
        )
    except ValueError as reason:
        why = str(reason)
    return FeatureSlopes(
        tuple(each.name for each in slopes),
        tuple(each.base for each in slopes),
        _contrast(X, slopes),
        left_out,
        found,
        why,
    )


def _slopes(X: FloatArray, codes: NDArray[np.intp], encoder: Encoder) -> list[_Slope]:
    """Return the slopes that are asked for, column by column."""
    found: list[_Slope] = []
    names, start = encoder.feature_names, 0
    for column in encoder.columns:
        at = np.arange(start, start + len(column.feature_names))
        start += len(at)
        if not isinstance(column, CategoryColumn) or not column.one_hot:
            found += [_Slope(names[j], "", at[[i]], -1) for i, j in enumerate(at)]
            continue
        counts = np.array([(X[codes == one][:, at] > 0).sum(axis=0) for one in (0, 1)])
        base = int(counts.sum(axis=0).argmax())
        rare = counts.min(axis=0) < _FEWEST
        rare[base] = False
        against = (*column.categories, _MISSING)[base]
        found += [
            _Slope(names[j], against, np.array([j]), int(at[base]))
            for i, j in enumerate(at)
            if i != base and not rare[i]
        ]
        # Too few together as well, they count with the base.
        if counts[:, rare].sum(axis=1).min() >= _FEWEST:
            together = f"{column.name} = {_OTHERS}"
            found.append(_Slope(together, against, at[rare], int(at[base])))
    return found


def _contrast(X: FloatArray, slopes: list[_Slope]) -> FloatArray:
    """Return what makes coefficients of features slopes; of several their mean."""
    matrix = np.zeros((len(slopes), X.shape[1]))
    for row, slope in zip(matrix, slopes, strict=True):
        sizes = np.abs(X[:, slope.of]).sum(axis=0)
        row[slope.of] = sizes / sizes.sum() if len(sizes) > 1 else 1.0
        if slope.against >= 0:
            row[slope.against] -= 1.0
    return matrix


def _bounded(X: FloatArray, train: Table) -> NDArray[np.bool_]:
    """Return which columns are no combination of others where classes are uncertain.

    Along such a combination the likelihood has no maximum.
    """
    student = LinearStudent(ridge=_TINY)
    target = one_hot(train.codes, 2)
    student.fit_target(X, target, loss=CrossEntropyLoss(), sample_weight=train.weights)
    p = student.loss_.probabilities(student.scores(X))[:, 1]
    return np.asarray(_rest(X, np.sqrt(p * (1.0 - p))) > _CERTAIN * _rest(X))


def _rest(X: FloatArray, root: FloatArray | None = None) -> FloatArray:
    """Return the length of what columns, of length 1, add to those before them.

    The first is a constant one; rows may have roots of weights.
    """
    centered = X - X.mean(axis=0)
    length = np.sqrt((centered**2).sum(axis=0))
    unit = centered / np.where(length > 0, length, 1.0)
    whole = np.column_stack([np.full(len(X), 1.0 / np.sqrt(len(X))), unit])
    if root is not None:
        whole = root[:, None] * whole
    (upper,) = linalg.qr(whole, mode="r")
    own = np.zeros(whole.shape[1])
    own[: min(upper.shape)] = np.abs(np.diag(upper))
    return own[1:]
