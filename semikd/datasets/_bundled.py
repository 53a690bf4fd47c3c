"""The sets that scikit-learn and statsmodels carry with them: no file, no network."""

import importlib
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semikd.datasets.record import Dataset

if TYPE_CHECKING:
    import pandas as pd

_SKLEARN = "scikit-learn (sklearn.datasets), originally UCI"
_STATSMODELS = "statsmodels (statsmodels.datasets)"


def breast_cancer() -> Dataset:
    """Return the Wisconsin diagnostic breast cancer data."""
    return _from_sklearn(
        "breast_cancer",
        "Cell images of 569 breast tumours; class 1 is benign, class 0 malignant, so "
        "the positive class is the healthy one. Features are strongly collinear.",
    )


def wine() -> Dataset:
    """Return the wine recognition data."""
    return _from_sklearn(
        "wine",
        "Chemical analyses of 178 wines of three growers; nearly separable, so "
        "log-loss differences rest on a handful of rows. Rows are sorted by class.",
    )


def iris() -> Dataset:
    """Return Fisher's iris data."""
    return _from_sklearn(
        "iris",
        "Four measurements of 150 flowers of three species; rows are sorted by class, "
        "and one row occurs twice.",
    )


def digits() -> Dataset:
    """Return the 8 x 8 handwritten digits."""
    return _from_sklearn(
        "digits",
        "1,797 handwritten digits of 8 x 8 pixels from 0 to 16: the test part of the "
        "UCI set. Several digits come from one writer, who is not recorded, so a "
        "random split is optimistic for new writers.",
    )


def diabetes() -> Dataset:
    """Return the diabetes progression data."""
    return _from_sklearn(
        "diabetes",
        "Disease progression one year after ten baseline measurements of 442 patients; "
        "features are already centred and scaled with all rows, test rows included.",
        task="regression",
    )


def fair() -> Dataset:
    """Return Fair's survey: had any affair."""
    frame = _from_statsmodels("fair")
    return Dataset(
        name="fair",
        X=frame.drop(columns="affairs"),
        y=(frame["affairs"] > 0).astype(int).rename("affair"),
        task="classification",
        description=(
            "6,366 married women who answered a magazine's survey; class 1 reports any "
            "extramarital affair (time spent in affairs above zero). Readers chose "
            "themselves, so probabilities are those of respondents; the covariates are "
            "coarse codes and many rows are identical in all of them."
        ),
        source=f"{_STATSMODELS}; Fair (1978), Journal of Political Economy 86, 45-61",
        licence="included in statsmodels with permission of the author",
        extra={"outcome": frame["affairs"]},
    )


def randhie() -> Dataset:
    """Return the RAND health insurance experiment: any outpatient visit."""
    frame = _from_statsmodels("randhie")
    X = frame.drop(columns="mdvis")
    return Dataset(
        name="randhie",
        X=X,
        y=(frame["mdvis"] > 0).astype(int).rename("any_visit"),
        task="classification",
        description=(
            "20,190 person-years of a health insurance experiment; class 1 had any "
            "outpatient visit to a doctor that year. A person appears in several years "
            "and is not identified: groups are the sets of rows with identical "
            "covariates, which must share a fold and be clustered in standard errors. "
            "Different persons can share a group."
        ),
        source=f"{_STATSMODELS}; Cameron and Trivedi (2005), Microeconometrics",
        licence="public domain",
        groups=identical_rows(X),
        extra={"outcome": frame["mdvis"]},
    )


def spector() -> Dataset:
    """Return Spector's teaching experiment."""
    frame = _from_statsmodels("spector")
    return Dataset(
        name="spector",
        X=frame.drop(columns="GRADE"),
        y=frame["GRADE"].astype(int),
        task="classification",
        description=(
            "32 students; class 1 improved the grade. Small enough to check estimates "
            "by hand, too small to compare classifiers."
        ),
        source=f"{_STATSMODELS}; Greene, Econometric Analysis",
        licence="in statsmodels with permission of the author, who keeps all rights",
    )


def anes96() -> Dataset:
    """Return the American national election study of 1996: party identification."""
    frame = _from_statsmodels("anes96")
    return Dataset(
        name="anes96",
        X=frame[["logpopul", "selfLR", "age", "educ", "income"]],
        y=frame["PID"].astype(int),
        task="classification",
        description=(
            "944 voters; seven ordered classes from strong Democrat (0) to strong "
            "Republican (6). The intended vote and opinions of the candidates are left "
            "out as consequences of the target; survey weights are not in the file."
        ),
        source=f"{_STATSMODELS}; American National Election Studies",
        licence="public domain",
    )


def identical_rows(X: "pd.DataFrame") -> NDArray[np.int64]:
    """Return one number per distinct row, in order of first appearance, shape (n,)."""
    rows = X.groupby(list(X.columns), sort=False, dropna=False, observed=True)
    return np.asarray(rows.ngroup(), dtype=np.int64)


def _from_sklearn(name: str, description: str, task: str = "classification") -> Dataset:
    """Return one of scikit-learn's sets as a record."""
    from sklearn import datasets

    bunch = getattr(datasets, f"load_{name}")(as_frame=True)
    names = getattr(bunch, "target_names", None)
    return Dataset(
        name=name,
        X=bunch.data,
        y=bunch.target,
        task=task,
        description=description,
        source=_SKLEARN if name != "diabetes" else "scikit-learn; Efron et al. (2004)",
        licence="distributed with scikit-learn (BSD-3-Clause)",
        extra={} if names is None else {"class_names": [str(name) for name in names]},
    )


def _from_statsmodels(name: str) -> Any:
    """Return the data frame of one of statsmodels' sets."""
    module = importlib.import_module(f"statsmodels.datasets.{name}")
    return module.load_pandas().data
