"""Data sets for treatment effects: covariates, outcome and treatment kept apart."""

from typing import TYPE_CHECKING

import numpy as np

from semikd.datasets._files import SOURCES, DataFolder
from semikd.datasets.record import Dataset

if TYPE_CHECKING:
    import pandas as pd

_LALONDE_COLUMNS = ["age", "educ", "black", "hisp", "marr", "nodegree", "re74", "re75"]

_PENSION_COLUMNS = [
    "age",
    "inc",
    "fsize",
    "educ",
    "db",
    "marr",
    "twoearn",
    "pira",
    "hown",
]


def lalonde(folder: DataFolder) -> Dataset:
    """Return the randomised job training experiment."""
    frame = _read_stata(folder, "lalonde/nsw_mixtape.dta")
    return Dataset(
        name="lalonde",
        X=frame[_LALONDE_COLUMNS],
        y=frame["re78"],
        task="effect",
        description=(
            "445 men of a randomised job training experiment, outcome earnings in 1978 "
            "in dollars. The difference in means (1,794.34) is unbiased for the effect "
            "on these men, so the set serves as the benchmark of lalonde_cps."
        ),
        source=f"{SOURCES['lalonde']}; Dehejia and Wahba (1999)",
        licence="public",
        extra={"treatment": frame["treat"].to_numpy(dtype=np.int64)},
    )


def lalonde_cps(folder: DataFolder) -> Dataset:
    """Return the trained men of the experiment with controls from a survey."""
    frame = _read_stata(folder, "lalonde/nswcps.dta")
    frame = frame.rename(columns={"hispanic": "hisp", "married": "marr"})
    return Dataset(
        name="lalonde_cps",
        X=frame[_LALONDE_COLUMNS],
        y=frame["re78"],
        task="effect",
        description=(
            "The 185 trained men of lalonde with 15,992 controls from a survey. "
            "Overlap is poor: the effect on the treated is meant, the effect on all "
            "is not identified without extrapolation. The experiment says 1,794."
        ),
        source=f"{SOURCES['lalonde']}; Dehejia and Wahba (1999)",
        licence="public",
        extra={"treatment": frame["treated"].to_numpy(dtype=np.int64)},
    )


def pension401k(folder: DataFolder) -> Dataset:
    """Return eligibility for a 401(k) pension plan and financial assets."""
    frame = _read_stata(folder, "pension401k/sipp1991.dta")
    return Dataset(
        name="pension401k",
        X=frame[_PENSION_COLUMNS],
        y=frame["net_tfa"],
        task="effect",
        description=(
            "9,915 households of 1991, outcome net financial assets in dollars. The "
            "treatment is eligibility for a 401(k) plan, taken as good as random given "
            "income and the other covariates; extra['participation'] is chosen by the "
            "household and needs eligibility as its instrument. The outcome has heavy "
            "tails on both sides."
        ),
        source=f"{SOURCES['pension401k']}; Survey of Income and Program Participation",
        licence="public",
        extra={
            "treatment": frame["e401"].to_numpy(dtype=np.int64),
            "participation": frame["p401"].to_numpy(dtype=np.int64),
            "other_outcomes": frame[["nifa", "tw"]],
        },
    )


def penn_bonus(folder: DataFolder) -> Dataset:
    """Return the reemployment bonus experiment: arm 4 against the control arm."""
    import pandas as pd

    path = folder.file("penn_bonus/penn_jae.dat.gz")
    rows = pd.read_csv(path, sep=r"\s+")
    frame = rows[rows["tg"].isin([0, 4])].reset_index(drop=True)
    return Dataset(
        name="penn_bonus",
        X=frame.drop(columns=["abdt", "tg", "inuidur1", "inuidur2"]),
        y=np.log(frame["inuidur1"]).rename("log_duration"),
        task="effect",
        description=(
            "Claimants of unemployment benefits in a randomised bonus experiment; the "
            "outcome is the log of the weeks of the first spell, the treatment arm 4 "
            "against arm 0. extra['all_rows'] holds the 13,913 rows of all six arms. "
            "Quarter dummies sum to one, and inuidur2 is an outcome too."
        ),
        source=f"{SOURCES['penn_bonus']}; Bilias (2000)",
        licence="public",
        extra={
            "treatment": (frame["tg"] == 4).to_numpy(dtype=np.int64),
            "all_rows": rows,
        },
    )


def ihdp(folder: DataFolder, replication: int = 1) -> Dataset:
    """Return one replication of the semi-synthetic infant health data."""
    import pandas as pd

    names = ["treatment", "y", "y_counterfactual", "mu0", "mu1"]
    names += [f"x{j}" for j in range(1, 26)]
    path = folder.file(f"ihdp/ihdp_npci_{replication}.csv")
    frame = pd.read_csv(path, header=None, names=names)
    frame["x14"] -= 1
    effect = (frame["mu1"] - frame["mu0"]).mean()
    known = ("mu0", "mu1", "y_counterfactual")
    return Dataset(
        name="ihdp" if replication == 1 else f"ihdp_{replication}",
        X=frame[names[5:]],
        y=frame["y"],
        task="effect",
        description=(
            "747 infants with real covariates and a simulated outcome; part of the "
            "treated were removed, so treatment is not random. The effect in this "
            f"sample, the mean of mu1 - mu0, is {effect:.4f}; it differs between "
            "replications. x14 is recoded from 1/2 to 0/1."
        ),
        source=f"{SOURCES['ihdp']}; Hill (2011), response surface B, {replication}",
        licence="none stated",
        extra={
            "treatment": frame["treatment"].to_numpy(dtype=np.int64),
            **{name: frame[name].to_numpy(dtype=np.float64) for name in known},
        },
    )


def _read_stata(folder: DataFolder, relative: str) -> "pd.DataFrame":
    """Return a Stata file with single precision widened, so that means are exact."""
    import pandas as pd

    frame: pd.DataFrame = pd.read_stata(folder.file(relative))
    return frame.astype(dict.fromkeys(frame.select_dtypes("float32"), np.float64))
