"""One data set of each panel: what is drawn, who teaches, how wrong the student is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit, logit
from sklearn.ensemble import RandomForestClassifier
from sklearn.tree import DecisionTreeRegressor

from semikd.crossfit import cross_fit, external_labels
from semikd.datasets import Dataset, make_gaussian_mixture, make_smooth_process
from semikd.distillation import DistilledClassifier, kept_noise, noise_pair
from semikd.losses import ProbabilityLoss
from semikd.simplex import FloatArray, one_hot
from semikd.students import LinearStudent, as_student

__all__ = [
    "FULL",
    "SETTINGS",
    "TRIAL",
    "Errors",
    "Size",
    "Trial",
    "complexity",
    "floor",
    "growth",
    "overfit",
    "perturbed",
    "underfit",
]

Errors = dict[str, float]
_FRESH = 10_000
_CLOUDS = 0.5
_SHARES = tuple(round(0.1 * k, 1) for k in range(11))
ARMS: Mapping[str, dict[str, Any]] = {
    "in-sample": {"cv": "in-sample"},
    "cross-fitted": {"cv": 5},
    "constant mix": {"cv": 5, "correction": 0.2},
    "estimated": {"cv": 5, "correction": "estimated"},
    # On the scale of probabilities the full correction is training on the labels.
    "orthogonal = labels": {"cv": 5, "correction": "orthogonal"},
}
_TWO = ("in-sample", "cross-fitted")
# What every cell depends on.
SETTINGS: Mapping[str, Any] = {
    "fresh rows": _FRESH,
    "clouds": _CLOUDS,
    "shares": _SHARES,
    "arms": {arm: dict(options) for arm, options in ARMS.items()},
}


@dataclass(frozen=True)
class Size:
    """How large the data sets and teachers are where the dial does not say.

    Parameters
    ----------
    rows : int
        Rows of a data set.
    many : int
        Rows where what is left of a teacher's error must be more than noise.
    trees : int
        Trees of a teacher.

    Examples
    --------
    >>> from semikd.reproduction.simulations.panels import FULL
    >>> FULL.many
    400000
    """

    rows: int
    many: int
    trees: int


FULL, TRIAL = Size(4_000, 400_000, 100), Size(500, 5_000, 10)


# Place of the dial, seed and size to the error of each arm.
Trial = Callable[[float, int, Size], Errors]


def growth(n: float, seed: int, size: Size) -> Errors:
    """Return the errors of a small tree that a forest teaches, with n rows."""
    data, fresh = _smooth(int(n), seed)
    teacher = RandomForestClassifier(size.trees, random_state=seed)
    student = DecisionTreeRegressor(max_leaf_nodes=32, random_state=seed)
    return {
        arm: _error(data, fresh, teacher, student, seed, options)
        for arm, options in ARMS.items()
    }


def floor(n: float, seed: int, size: Size, smallest_leaf: int = 1) -> Errors:
    """Return the errors of a fully grown tree: it repeats what its teacher says."""
    data, fresh = _smooth(int(n), seed)
    teacher = RandomForestClassifier(
        size.trees, min_samples_leaf=smallest_leaf, random_state=seed
    )
    student = DecisionTreeRegressor(random_state=seed)
    return {arm: _error(data, fresh, teacher, student, seed, ARMS[arm]) for arm in _TWO}


def overfit(smallest_leaf: float, seed: int, size: Size) -> Errors:
    """Return the errors of a tree whose teacher repeats its labels, more or less."""
    data, fresh = _smooth(size.rows // 2, seed)
    teacher = RandomForestClassifier(
        size.trees, min_samples_leaf=int(smallest_leaf), random_state=seed
    )
    student = DecisionTreeRegressor(max_leaf_nodes=128, random_state=seed)
    found = {
        arm: _error(data, fresh, teacher, student, seed, ARMS[arm]) for arm in _TWO
    }
    alone = teacher.fit(data.X, data.y).predict_proba(fresh.X)[:, 1]
    return {**found, "teacher": _squared(alone, fresh)}


def underfit(depth: float, seed: int, size: Size) -> Errors:
    """Return the errors of a tree whose teacher is too simple, more or less."""
    data, fresh = _smooth(size.rows, seed)
    teacher = _shallow(int(depth), seed)
    student = DecisionTreeRegressor(max_leaf_nodes=32, random_state=seed)
    arms = [arm for arm in ARMS if arm != "in-sample"]
    return {arm: _error(data, fresh, teacher, student, seed, ARMS[arm]) for arm in arms}


def complexity(leaves: float, seed: int, size: Size) -> Errors:
    r"""Return the errors of a tree for every share of the label.

    'by leaves' and 'measured' are :math:`E r^2 / (E r^2 + \kappa E v)`, r the teacher's
    error, v the noise of a label, :math:`\kappa` leaves over rows, or the share of the
    noise that the tree keeps.
    """
    data, fresh = _smooth(size.rows, seed)
    labels = cross_fit(
        _shallow(3, seed), data.X, data.y, cv=5, random_state=seed, new_rows="none"
    )
    student = DecisionTreeRegressor(max_leaf_nodes=int(leaves), random_state=seed)
    found = {
        f"{share:g}": _error(
            data, fresh, None, student, seed, {"cv": labels, "correction": share}
        )
        for share in _SHARES
    }
    truth, said, loss = _truth(data), labels.prediction[0], ProbabilityLoss()
    wrong = float(np.mean((truth - said[:, 1]) ** 2))
    noise = float(np.mean(truth * (1.0 - truth)))
    outcome = one_hot(np.asarray(data.y), 2)
    pair = noise_pair(said, outcome, loss=loss, random_state=seed)
    kept = kept_noise(as_student(student), data.X, *pair, loss=loss)
    return {
        **found,
        "by leaves": wrong / (wrong + leaves / len(truth) * noise),
        "measured": wrong / (wrong + kept * noise),
    }


def perturbed(delta: float, seed: int, size: Size) -> Errors:
    """Return the errors of a linear student whose teacher is wrong by a known amount.

    The teacher's log-odds are those of the truth plus delta times a feature. No data
    are needed to know what plain distillation then does; with the full correction only
    the square of delta is left.
    """
    data = make_gaussian_mixture(size.many, 2, _CLOUDS, random_state=seed)
    fresh = make_gaussian_mixture(_FRESH, 2, _CLOUDS, random_state=10_000 + seed)
    covariates = np.asarray(data.X)
    said = expit(logit(_truth(data)) + delta * covariates[:, 0])
    labels = external_labels(data.X, said, classes=[0, 1])
    shares = {"no correction": 0.0, "half": 0.5, "full correction": 1.0}
    return {
        name: _error(
            data,
            fresh,
            None,
            LinearStudent(),
            seed,
            {"cv": labels, "correction": share, "loss": "log_probability"},
        )
        for name, share in shares.items()
    }


def _error(
    data: Dataset,
    fresh: Dataset,
    teacher: Any,
    student: Any,
    seed: int,
    options: Mapping[str, Any],
) -> float:
    """Return the squared error of a student to the truth, on fresh rows."""
    model = DistilledClassifier(teacher, student, random_state=seed, **options)
    model.fit(data.X, data.y)
    return _squared(model.predict_proba(fresh.X)[:, 1], fresh)


def _squared(said: FloatArray, fresh: Dataset) -> float:
    """Return the mean squared distance to the probability of the second class."""
    return float(np.mean((said - _truth(fresh)) ** 2))


def _truth(data: Dataset) -> FloatArray:
    """Return the probability of the second class in every row."""
    return np.asarray(data.true_proba)[:, 1]


def _smooth(n: int, seed: int) -> tuple[Dataset, Dataset]:
    """Return a table of n rows, and fresh rows of the same process."""
    return (
        make_smooth_process(n, random_state=seed),
        make_smooth_process(_FRESH, random_state=10_000 + seed),
    )


def _shallow(depth: int, seed: int) -> RandomForestClassifier:
    """Return a teacher that is too simple for the process."""
    return RandomForestClassifier(
        50, max_depth=depth, min_samples_leaf=20, random_state=seed
    )
