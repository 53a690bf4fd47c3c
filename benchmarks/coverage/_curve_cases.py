"""The median of a specification curve, by the standard error that stands beside it."""

from functools import partial

from _processes import FITS, SLOPES, UNDER, logistic, teacher_of
from _study import INTERVAL, SIZES, Case, Draw
from scipy import stats


def curve(n: int, teacher: str, seed: int) -> Draw:
    """Return whether the median of a slope over folds and seeds holds."""
    from semikd.diagnostics import specification_curve
    from semikd.inference import log_odds_coefficients

    rows = logistic(n, seed)
    table = rows.read_by(teacher)
    found = specification_curve(
        lambda labels: log_odds_coefficients(
            labels, rows.X, rows.y, teacher_rows=table, random_state=seed
        ),
        {teacher: teacher_of(teacher)},
        table,
        rows.y,
        folds=(2, 5),
        seeds=range(3 * seed, 3 * seed + 3),
    ).summary()
    far = abs(found["median"].iloc[0] - SLOPES[0])
    held = bool(far < stats.norm.isf(0.025) * found["std_error"].iloc[0])
    name = "" if teacher == FITS else ", the teacher under-fits"
    return {f"specification curve, median of a slope{name}": (held, INTERVAL)}


def cases() -> list[Case]:
    """Return the cells of this file."""
    found = [Case("curve", {"n": n}, partial(curve, n, FITS)) for n in SIZES[:2]]
    under = partial(curve, 1000, UNDER)
    return [*found, Case("curve, under-fits", {"n": 1000}, under, "control")]
