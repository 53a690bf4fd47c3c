"""What distillation does where the class probabilities are known.

Each panel turns one dial and measures the squared error of students to the truth. The
theory says which dial must matter for which arm, and which must not.

Notes
-----
The paper has a study with two Gaussian clouds; its settings are not known. The panels
here are this library's own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from scipy.special import expit, logit
from sklearn.ensemble import RandomForestClassifier
from sklearn.tree import DecisionTreeRegressor

from semikd.crossfit import cross_fit, external_labels
from semikd.datasets import Dataset, make_gaussian_mixture, make_smooth_process
from semikd.distillation import DistilledClassifier
from semikd.reproduction.cells import Cell, Run
from semikd.simplex import FloatArray
from semikd.students import LinearStudent

__all__ = ["PANELS", "Panel", "cell_name", "extent", "simulation_cells"]

Errors = dict[str, float]
_FRESH = 10_000
# Enough that what is left of the teacher's error is more than noise.
_MANY = 400_000
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


@dataclass(frozen=True)
class Panel:
    """A dial, the places at which it is set, and what is measured there.

    Parameters
    ----------
    title : str
        What is varied, in words.
    axis : str
        What the dial counts.
    places : tuple of float
        Where it is set.
    repeats : int
        Data sets at each place.
    trial : callable
        Place and seed to the error of each arm.

    Examples
    --------
    >>> from semikd.reproduction.simulations.panels import PANELS
    >>> PANELS["growth"].axis
    'training rows'
    """

    title: str
    axis: str
    places: tuple[float, ...]
    repeats: int
    trial: Callable[[float, int], Errors]


def simulation_cells(*, small: bool) -> list[Cell]:
    """Return one cell for each place of each panel.

    Parameters
    ----------
    small : bool
        Whether two places with two data sets each are enough.

    Returns
    -------
    list of Cell
    """
    cells = []
    for name, panel in PANELS.items():
        places, repeats = extent(panel, small=small)
        for place in places:
            work = partial(_repeated, panel.trial, place, repeats)
            cells.append(Cell(cell_name(name, place), name, work))
    return cells


def extent(panel: Panel, *, small: bool) -> tuple[tuple[float, ...], int]:
    """Return places and repeats, for a trial the first of each."""
    # A dial that starts at 0 needs two more places for a slope.
    few = panel.places[: 3 if panel.places[0] == 0 else 2]
    return (few, 2) if small else (panel.places, panel.repeats)


def cell_name(panel: str, place: float) -> str:
    """Return the name of the cell of one place."""
    return f"{panel}-{place:g}"


def _repeated(
    trial: Callable[[float, int], Errors],
    place: float,
    repeats: int,
    run: Run,  # noqa: ARG001
) -> dict[str, Any]:
    """Return the errors of every arm, one for each data set."""
    each = [trial(place, seed) for seed in range(repeats)]
    return {arm: [errors[arm] for errors in each] for arm in each[0]}


def _growth(n: float, seed: int) -> Errors:
    """Return the errors of a small tree that a forest teaches, with n rows."""
    data, fresh = _smooth(int(n), seed)
    teacher = RandomForestClassifier(100, random_state=seed)
    student = DecisionTreeRegressor(max_leaf_nodes=32, random_state=seed)
    return {
        arm: _error(data, fresh, teacher, student, seed, options)
        for arm, options in ARMS.items()
    }


def _floor(n: float, seed: int, smallest_leaf: int = 1) -> Errors:
    """Return the errors of a fully grown tree: it repeats what its teacher says."""
    data, fresh = _smooth(int(n), seed)
    teacher = RandomForestClassifier(
        100, min_samples_leaf=smallest_leaf, random_state=seed
    )
    student = DecisionTreeRegressor(random_state=seed)
    return {arm: _error(data, fresh, teacher, student, seed, ARMS[arm]) for arm in _TWO}


def _overfit(smallest_leaf: float, seed: int) -> Errors:
    """Return the errors of a tree whose teacher repeats its labels, more or less."""
    data, fresh = _smooth(2_000, seed)
    teacher = RandomForestClassifier(
        100, min_samples_leaf=int(smallest_leaf), random_state=seed
    )
    student = DecisionTreeRegressor(max_leaf_nodes=128, random_state=seed)
    found = {
        arm: _error(data, fresh, teacher, student, seed, ARMS[arm]) for arm in _TWO
    }
    alone = teacher.fit(data.X, data.y).predict_proba(fresh.X)[:, 1]
    return {**found, "teacher": _squared(alone, fresh)}


def _underfit(depth: float, seed: int) -> Errors:
    """Return the errors of a tree whose teacher is too simple, more or less."""
    data, fresh = _smooth(4_000, seed)
    teacher = _shallow(int(depth), seed)
    student = DecisionTreeRegressor(max_leaf_nodes=32, random_state=seed)
    arms = [arm for arm in ARMS if arm != "in-sample"]
    return {arm: _error(data, fresh, teacher, student, seed, ARMS[arm]) for arm in arms}


def _complexity(leaves: float, seed: int) -> Errors:
    r"""Return the errors of a tree for every share of the label.

    'formula' is :math:`E r^2 / (E r^2 + \kappa E v)`, r the teacher's error, v the
    noise of a label, :math:`\kappa` leaves over rows.
    """
    data, fresh = _smooth(4_000, seed)
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
    truth = _truth(data)
    wrong = float(np.mean((truth - labels.prediction[0, :, 1]) ** 2))
    noise = float(np.mean(truth * (1.0 - truth)))
    return {**found, "formula": wrong / (wrong + leaves / len(truth) * noise)}


def _perturbed(delta: float, seed: int) -> Errors:
    """Return the errors of a linear student whose teacher is wrong by a known amount.

    The teacher's log-odds are those of the truth plus delta times a feature. No data
    are needed to know what plain distillation then does; with the full correction only
    the square of delta is left.
    """
    data = make_gaussian_mixture(_MANY, 2, _CLOUDS, random_state=seed)
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


def _by_rows(title: str, trial: Callable[[float, int], Errors]) -> Panel:
    """Return a panel whose dial is the number of training rows."""
    sizes = (250.0, 500.0, 1_000.0, 2_000.0, 4_000.0, 8_000.0)
    return Panel(title, "training rows", sizes, 20, trial)


PANELS: Mapping[str, Panel] = {
    "growth": _by_rows("A tree of 32 leaves taught by a forest", _growth),
    "floor": _by_rows(
        "A fully grown tree taught by a forest that repeats its labels", _floor
    ),
    "floor-control": _by_rows(
        "The same, with a forest that cannot repeat a label",
        partial(_floor, smallest_leaf=50),
    ),
    "overfit": Panel(
        "How much the teacher repeats its labels",
        "smallest leaf of the teacher",
        (1, 2, 5, 10, 20, 50, 100),
        20,
        _overfit,
    ),
    "underfit": Panel(
        "How simple the teacher is",
        "depth of the teacher",
        (1, 2, 3, 4, 6, 8, 12),
        20,
        _underfit,
    ),
    "complexity": Panel(
        "The best share of the label",
        "leaves of the student",
        (2, 4, 8, 16, 32, 64, 128, 256),
        20,
        _complexity,
    ),
    "perturbed": Panel(
        "A linear student, a teacher that is wrong by a known amount",
        "error of the teacher's log-odds",
        (0.0, 0.2, 0.3, 0.4, 0.5, 0.6),
        10,
        _perturbed,
    ),
}
