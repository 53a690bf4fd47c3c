"""The panels of the simulations as tables, rates beside those of the theory."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from semikd.reproduction.cells import Run
from semikd.reproduction.simulations.panels import PANELS, cell_name, extent
from semikd.simplex import FloatArray

__all__ = [
    "FORMULAS",
    "Rate",
    "Simulated",
    "best_shares",
    "rates",
    "simulated",
    "simulation_tables",
    "tidy_simulations",
]

Row = dict[str, Any]
FORMULAS = ("by leaves", "measured")
_VERDICTS = {True: "yes", False: "no", None: "not to be told"}


@dataclass(frozen=True, eq=False)
class Simulated:
    """The errors of one panel.

    Parameters
    ----------
    name : str
        The panel.
    places : tuple of float
        Where its dial was set.
    errors : mapping from str to ndarray of shape (places, repeats)
        Squared errors of every arm.
    """

    name: str
    places: tuple[float, ...]
    errors: Mapping[str, FloatArray]

    def mean(self, arm: str) -> FloatArray:
        """Return the mean error at each place."""
        return np.asarray(self.errors[arm].mean(axis=1))

    def standard_error(self, arm: str) -> FloatArray:
        """Return its standard error."""
        own = self.errors[arm]
        return np.asarray(own.std(axis=1, ddof=1) / math.sqrt(own.shape[1]))


@dataclass(frozen=True)
class Rate:
    """The slope of an error in its dial, both as logarithms.

    Parameters
    ----------
    what : str
        Panel and arm, in words.
    slope : float
        The slope.
    half_width : float
        Half of its 95 % interval, by the jackknife over data sets.
    theory : str
        What the theory says of it.
    contradicts : bool or None
        Whether the slope contradicts it by the rule of the plan; None where noise hides
        it.

    Examples
    --------
    >>> from semikd.reproduction.simulations.tables import Rate
    >>> Rate("cross-fitted", -0.5, 0.1, "below 0", False).slope
    -0.5
    """

    what: str
    slope: float
    half_width: float
    theory: str
    contradicts: bool | None

    def __str__(self) -> str:
        if math.isnan(self.slope + self.half_width):
            return "hidden by noise"
        return f"{self.slope:+.2f} ± {self.half_width:.2f}"


_RATES = (
    (
        "floor",
        "in-sample",
        "near 0: labels that are repeated keep their noise, whatever n",
    ),
    ("floor", "cross-fitted", "below 0: the teacher's own rate"),
    ("floor-control", "in-sample", "that of cross-fitted labels: nothing is repeated"),
    ("floor-control", "cross-fitted", "below 0: the teacher's own rate"),
    ("perturbed", "no correction", "2: the teacher's error is handed on"),
    ("perturbed", "half", "2: any weight below 1 hands some of it on"),
    ("perturbed", "full correction", "4: only its square is left"),
)


def simulated(run: Run, *, small: bool) -> list[Simulated]:
    """Return the errors of all panels.

    Parameters
    ----------
    run : Run
        The finished cells.
    small : bool
        Whether it was a trial.

    Returns
    -------
    list of Simulated
    """
    found = []
    for name, panel in PANELS.items():
        places, _ = extent(panel, small=small)
        cells = [run.read(cell_name(name, place)) for place in places]
        errors = {arm: np.array([cell[arm] for cell in cells]) for arm in cells[0]}
        found.append(Simulated(name, places, errors))
    return found


def rates(found: Sequence[Simulated]) -> list[Rate]:
    """Return the slopes about which the theory says something.

    Parameters
    ----------
    found : sequence of Simulated
        All panels.

    Returns
    -------
    list of Rate
    """
    by_name = {each.name: each for each in found}
    slopes = {(panel, arm): _slope(by_name[panel], arm) for panel, arm, _ in _RATES}
    return [
        Rate(
            f"{panel}: {arm}",
            *slopes[panel, arm],
            theory,
            _contradicts(panel, arm, slopes),
        )
        for panel, arm, theory in _RATES
    ]


def _contradicts(
    panel: str, arm: str, slopes: Mapping[tuple[str, str], tuple[float, float]]
) -> bool | None:
    """Return whether a slope says something else than the theory, None if nothing."""
    slope, half = slopes[panel, arm]
    honest, honest_half = slopes[panel, "cross-fitted"] if "floor" in panel else (0, 0)
    if not math.isfinite(slope + half + honest + honest_half):
        return None
    if panel == "perturbed":
        exponent = 4.0 if arm == "full correction" else 2.0
        return abs(slope - exponent) > half + 0.5
    if panel == "floor-control":
        return abs(slope - honest) > half + honest_half
    if arm == "cross-fitted":
        return slope + half >= 0.0
    # A floor falls, if at all, less than half as fast as what has none.
    return slope + half < honest / 2.0


def _slope(panel: Simulated, arm: str) -> tuple[float, float]:
    """Return a slope and half its interval; what noise alone gives is taken off."""
    x, own = np.array(panel.places), panel.errors[arm]
    if x[0] == 0.0:
        x, own = x[1:], own[1:] - own[0]
    n = own.shape[1]
    left_out = [_fitted(x, np.delete(own, at, axis=1).mean(axis=1)) for at in range(n)]
    spread = math.sqrt((n - 1) * float(np.var(left_out)))
    return _fitted(x, own.mean(axis=1)), float(stats.t.ppf(0.975, n - 1)) * spread


def _fitted(x: FloatArray, error: FloatArray) -> float:
    """Return the slope of log error in log x; NaN where noise hides the error."""
    if (error <= 0).any():
        return math.nan
    return float(np.polyfit(np.log(x), np.log(error), 1)[0])


def simulation_tables(found: Sequence[Simulated]) -> dict[str, list[Row]]:
    """Return the tables of a page: rates first, then every panel.

    Parameters
    ----------
    found : sequence of Simulated
        All panels.

    Returns
    -------
    dict from title to list of rows
    """
    tables: dict[str, list[Row]] = {
        "Rates": [
            {
                "what": each.what,
                "slope": str(each),
                "theory": each.theory,
                "contradicted": _VERDICTS[each.contradicts],
            }
            for each in rates(found)
        ]
    }
    for each in found:
        title = f"{PANELS[each.name].title}, squared error × 1,000"
        rows = _best_shares(each) if each.name == "complexity" else _rows(each)
        tables[title] = rows
    return tables


def tidy_simulations(found: Sequence[Simulated]) -> list[Row]:
    """Return one row for every mean error."""
    return [
        {
            "experiment": "synthetic",
            "panel": each.name,
            "x": place,
            "arm": arm,
            "mean": float(each.mean(arm)[at]),
            "standard_error": float(each.standard_error(arm)[at]),
            "data_sets": each.errors[arm].shape[1],
        }
        for each in found
        for arm in each.errors
        for at, place in enumerate(each.places)
    ]


def _rows(panel: Simulated) -> list[Row]:
    """Return one line for each place."""
    axis = PANELS[panel.name].axis
    return [
        {axis: f"{place:g}"}
        | {
            arm: f"{1e3 * panel.mean(arm)[at]:.3f} ± "
            f"{1e3 * panel.standard_error(arm)[at]:.3f}"
            for arm in panel.errors
        }
        for at, place in enumerate(panel.places)
    ]


def best_shares(panel: Simulated) -> list[tuple[float, float]]:
    """Return the best share at each place, and its error.

    The best of half of the data sets has its error from the other half, both ways; the
    share is that of all.
    """
    shares = [arm for arm in panel.errors if arm not in FORMULAS]
    errors = np.stack([panel.errors[arm] for arm in shares])
    halves = errors[..., ::2].mean(axis=-1), errors[..., 1::2].mean(axis=-1)
    places = np.arange(len(panel.places))
    there = [
        scored[chosen.argmin(axis=0), places]
        for chosen, scored in (halves, halves[::-1])
    ]
    best = errors.mean(axis=-1).argmin(axis=0)
    return [
        (float(shares[at]), float(error))
        for at, error in zip(best, np.mean(there, axis=0), strict=True)
    ]


def _best_shares(panel: Simulated) -> list[Row]:
    """Return the best share of the label for each size of the student."""
    axis = PANELS[panel.name].axis
    return [
        {
            axis: f"{place:g}",
            "best share": f"{share:g}",
            "error there": f"{1e3 * error:.3f}",
            "error at 0": f"{1e3 * panel.mean('0')[at]:.3f}",
            "error at 1": f"{1e3 * panel.mean('1')[at]:.3f}",
        }
        | {
            f"r² / (r² + κ v), κ {formula}": f"{panel.mean(formula)[at]:.2f}"
            for formula in FORMULAS
        }
        for at, (place, (share, error)) in enumerate(
            zip(panel.places, best_shares(panel), strict=True)
        )
    ]
