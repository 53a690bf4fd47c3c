"""Teachers and tables on which the cost of honest labels is measured."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from _harness import FloatArray, available, table

MOST_NEIGHBOURS = 30_000
WIDTHS = {"ridge": (50, 100, 500, 1500), "logistic": (10, 50, 100, 500, 1500)}
N_GROWTH, SMALL_N, SMALL_D = 10_000, 200, 50


@dataclass(frozen=True)
class Case:
    """A teacher on a table, and the cheap strategy it has."""

    data: str
    teacher: str
    X: FloatArray
    y: Any
    cv: str | None
    d: int | None = None


def make_teacher(name: str, small: bool = False) -> Any:
    """Return an unfitted teacher with a fixed seed."""
    if name == "forest":
        from sklearn.ensemble import RandomForestClassifier

        return RandomForestClassifier(60 if small else 100, random_state=0)
    if name == "neighbours":
        from sklearn.neighbors import KNeighborsClassifier

        return KNeighborsClassifier(25)
    if name == "logistic":
        from sklearn.linear_model import LogisticRegression

        return LogisticRegression(max_iter=1000)
    if name == "boosting":
        from semikd import BoostingTeacher

        return BoostingTeacher(max_iter=30 if small else 1000, random_state=0)
    from sklearn.linear_model import Ridge

    from semikd.teachers import SquaresTeacher

    return Ridge() if name == "ridge" else SquaresTeacher(Ridge())


CHEAP = {
    "forest": "oob",
    "squares": "loo",
    "neighbours": "loo",
    "logistic": "loo",
    "boosting": None,
}


def simulated(model: str, n: int, d: int) -> Case:
    """Return normal covariates, a tenth of which matter, and noise like the signal."""
    rng = np.random.default_rng(d)
    X = rng.normal(size=(n, d))
    slopes = np.zeros(d)
    slopes[: max(1, d // 10)] = rng.normal(size=max(1, d // 10))
    signal = X @ slopes / np.linalg.norm(slopes)
    noise = rng.normal(size=n)
    if model == "ridge":
        return Case("normal", model, X, (signal + noise) / np.sqrt(2.0), "loo", d)
    return Case("normal", model, X, (signal + noise > 0).astype(int), "loo", d)


def real_cases(name: str) -> list[Case]:
    """Return every teacher on one table, standardised, with gaps at the mean."""
    X, y = table(name)
    spread = np.nanstd(X, axis=0)
    X = (X - np.nanmean(X, axis=0)) / np.where(spread > 0, spread, 1.0)
    X = np.nan_to_num(X)
    return [
        Case(name, teacher, X, y, cv)
        for teacher, cv in CHEAP.items()
        # A query of all rows of a larger table takes minutes, whatever the strategy.
        if teacher != "neighbours" or len(y) < MOST_NEIGHBOURS
    ]


def one_hot(name: str) -> Case:
    """Return a table with a column for each category: about a hundred on Adult."""
    import pandas as pd

    from semikd.datasets import load_dataset

    frame = load_dataset(name).X
    words = frame.select_dtypes(exclude="number").columns
    X = pd.get_dummies(frame, columns=list(words), dtype=float).to_numpy(float)
    spread = np.nanstd(X, axis=0)
    X = (X - np.nanmean(X, axis=0)) / np.where(spread > 0, spread, 1.0)
    y = np.unique(load_dataset(name).y, return_inverse=True)[1]
    return Case(f"{name}, one-hot", "logistic", np.nan_to_num(X), y, "loo", X.shape[1])


def growth_cases(small: bool) -> list[Case]:
    """Return the simulated tables, and a real one that is wide."""
    n = 400 if small else N_GROWTH
    cases = [
        simulated(model, n, d)
        for model, widths in WIDTHS.items()
        for d in ((10, 50) if small else widths)
    ]
    wide = [] if small else [one_hot(name) for name in available(["adult"])]
    return [*cases, simulated("logistic", SMALL_N, SMALL_D), *wide]
