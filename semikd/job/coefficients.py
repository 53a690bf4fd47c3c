"""What can be relied on of the coefficients of a linear student.

What it says of a column hangs on its penalty, on its teacher, and on the rows. The
best coefficients of its form are a question to the rows alone: their intervals hold
whatever made the student, and whatever the truth looks like.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from semikd.encoding import CategoryColumn, DateColumn, Encoder
from semikd.evaluation import Table
from semikd.inference import Coefficients, likelihood_coefficients
from semikd.inference.designs import determined
from semikd.losses import CrossEntropyLoss
from semikd.simplex import FloatArray, one_hot
from semikd.students import LinearStudent

__all__ = ["FeatureSlopes", "feature_slopes"]

# Categories with fewer rows are put together.
_FEWEST = 20
_OTHERS, _MISSING = "(all others)", "(missing)"
# What the seconds of a date say already.
_IN_SECONDS = {"year", "month", "day"}
# Penalties that bound what has no bound: where a hundredth of one moves the log-odds of
# a row by more than this, its class is certain.
_PENALTIES, _MOVED = (1e-6, 1e-8), 1.0
_ROUNDS = 5
_SEPARATED = "the columns tell the classes apart without error"
Positions = NDArray[np.intp]


class _Slope(NamedTuple):
    """One slope: whose, against what, and the features that it is of."""

    name: str
    base: str
    of: Positions


@dataclass(frozen=True, eq=False)
class FeatureSlopes:
    """The best slopes in what a student reads, with intervals, by the training rows.

    Parameters
    ----------
    names, bases : tuple of str
        Features and, of categories, what they are measured against.
    measure : ndarray of shape (d', d)
        What makes coefficients of all d features such slopes: of the linear function
        nearest to theirs on these rows.
    left_out : tuple of str
        Features without a slope of their own.
    n_certain : int
        Rows that are left out: their columns tell their class.
    found : Coefficients or None
        The slopes and, last, the intercept; None if there are none.
    why_none : str
        Why there are no intervals; empty where there are.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.job.coefficients import FeatureSlopes
    >>> FeatureSlopes(("age",), ("",), np.eye(1), (), 0, None, "no class varies").notes
    ('There are no intervals of coefficients: no class varies',)
    """

    names: tuple[str, ...]
    bases: tuple[str, ...]
    measure: FloatArray
    left_out: tuple[str, ...]
    n_certain: int
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
    fewer than 20 rows are put together. Where columns tell the class of some rows for
    certain, the likelihood has no maximum, and the model of all other rows stands for
    its limit. Combinations of other columns are left out.

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
    array([0.6, 1.1])
    """
    if train.classes is None or len(train.classes) != 2:
        return None
    X = np.asarray(train.features, dtype=np.float64)
    slopes, told = _slopes(X, encoder)
    design = np.column_stack([X[:, each.of].sum(axis=1) for each in slopes])
    names = [each.name for each in slopes]
    rows, kept, found, why = _inferred(design, names, train, seed)
    lost = np.setdiff1d(np.arange(len(slopes)), kept)
    return FeatureSlopes(
        tuple(names[at] for at in kept),
        tuple(slopes[at].base for at in kept),
        _measure(design[np.ix_(rows, kept)], X[rows]),
        (*told, *(names[at] for at in lost)),
        len(design) - len(rows),
        found,
        why,
    )


def _slopes(X: FloatArray, encoder: Encoder) -> tuple[list[_Slope], list[str]]:
    """Return the slopes that are asked for, and features that others tell of."""
    found: list[_Slope] = []
    told: list[str] = []
    names, start = encoder.feature_names, 0
    for column in encoder.columns:
        at = np.arange(start, start + len(column.feature_names))
        start += len(at)
        if isinstance(column, CategoryColumn) and column.one_hot:
            found += _categories(column, X[:, at].sum(axis=0), at)
            continue
        own = [names[j] for j in at]
        less: set[str] = set()
        if isinstance(column, DateColumn) and "total_seconds" in column.parts:
            less = {f"{column.name}: {part}" for part in _IN_SECONDS}
        told += [name for name in own if name in less]
        found += [
            _Slope(name, "", at[[i]]) for i, name in enumerate(own) if name not in less
        ]
    return found, told


def _categories(
    column: CategoryColumn, counts: FloatArray, at: Positions
) -> list[_Slope]:
    """Return the slopes of categories, the rare ones together."""
    base = int(counts.argmax())
    against = (*column.categories, _MISSING)[base]
    rare = counts < _FEWEST
    if rare.sum() == 1:
        rare[:] = False
    rare[base] = False
    found = [
        _Slope(name, against, at[[i]])
        for i, name in enumerate(column.feature_names)
        if i != base and not rare[i]
    ]
    if rare.any():
        found.append(_Slope(f"{column.name} = {_OTHERS}", against, at[rare]))
    return found


def _inferred(
    design: FloatArray, names: list[str], train: Table, seed: int
) -> tuple[Positions, Positions, Coefficients | None, str]:
    """Return the rows and columns that determine slopes, the slopes, or why none."""
    rows, kept = np.arange(len(design)), np.arange(len(names))
    for _ in range(_ROUNDS):
        weights = None if train.weights is None else train.weights[rows]
        kept = kept[_determined(design[np.ix_(rows, kept)], weights)]
        if not len(kept) or len(np.unique(train.codes[rows])) < 2:
            break
        table = design[np.ix_(rows, kept)]
        try:
            found = likelihood_coefficients(
                pd.DataFrame(table, columns=[names[at] for at in kept]),
                train.y[rows],
                sample_weight=weights,
                clusters=None if train.groups is None else train.groups[rows],
                random_state=seed,
            )
        except ValueError as reason:
            certain = _certain(table, train.codes[rows], weights)
            if not certain.any():
                return rows, kept, None, str(reason)
            rows = rows[~certain]
        else:
            return rows, kept, found, ""
    return rows, kept, None, _SEPARATED


def _determined(X: FloatArray, weights: FloatArray | None) -> NDArray[np.bool_]:
    """Return which columns vary and are no combination of others."""
    found = np.zeros(X.shape[1], dtype=bool)
    if len(X):
        found = np.ptp(X, axis=0) > 0
    if found.any():
        standard = np.column_stack([_standard(X[:, found]), np.ones(len(X))])
        found[found] = determined(standard, weights)[:-1]
    return found


def _standard(X: FloatArray) -> FloatArray:
    """Return columns of mean 0 and deviation 1."""
    return np.asarray((X - X.mean(axis=0)) / X.std(axis=0))


def _certain(
    X: FloatArray, codes: Positions, weights: FloatArray | None
) -> NDArray[np.bool_]:
    """Return the rows whose log-odds have no bound without a penalty."""
    standard, scores = _standard(X), []
    for penalty in _PENALTIES:
        student = LinearStudent(ridge=penalty)
        student.fit_target(
            standard, one_hot(codes, 2), loss=CrossEntropyLoss(), sample_weight=weights
        )
        scores.append(student.scores(standard)[:, -1])
    return np.asarray(np.abs(scores[1] - scores[0]) > _MOVED)


def _measure(design: FloatArray, X: FloatArray) -> FloatArray:
    """Return what makes coefficients of X those of the nearest function of a design."""
    whole = np.column_stack([design, np.ones(len(design))])
    return np.asarray(np.linalg.lstsq(whole, X)[0][:-1])
