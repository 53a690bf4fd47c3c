"""Classification tables read from files, each with its pitfalls dealt with once."""

import gzip
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from semikd.datasets._categories import ADULT, BANK, declare
from semikd.datasets._files import SOURCES, DataFolder
from semikd.datasets.record import Dataset

if TYPE_CHECKING:
    import pandas as pd

_CC_BY = "CC BY 4.0"

_ADULT_COLUMNS = [
    "age",
    "workclass",
    "fnlwgt",
    "education",
    "education-num",
    "marital-status",
    "occupation",
    "relationship",
    "race",
    "sex",
    "capital-gain",
    "capital-loss",
    "hours-per-week",
    "native-country",
    "income",
]

_MAGIC_COLUMNS = [
    "fLength",
    "fWidth",
    "fSize",
    "fConc",
    "fConc1",
    "fAsym",
    "fM3Long",
    "fM3Trans",
    "fAlpha",
    "fDist",
    "class",
]


def adult(folder: DataFolder) -> Dataset:
    """Return the census income data, the official test part first."""
    import pandas as pd

    # The first line of the test file is a remark, and its labels end in a period.
    test = _read_adult(folder.file("adult/adult.test.gz"), skiprows=1)
    train = _read_adult(folder.file("adult/adult.data.gz"))
    frame = declare(pd.concat([test, train], ignore_index=True), ADULT)
    return Dataset(
        name="adult",
        X=frame.drop(columns="income"),
        y=frame["income"].str.rstrip("."),
        task="classification",
        description=(
            "48,842 persons of the 1994 census survey; class '>50K' earns more than "
            "50,000 dollars. X keeps all 14 columns of the usual benchmark: fnlwgt is "
            "a survey weight and no trait of a person (drop it and use "
            "extra['sample_weight'] for the population), and education repeats "
            "education-num. Rows of the test file come first."
        ),
        source=SOURCES["adult"],
        licence=_CC_BY,
        extra={
            "sample_weight": frame["fnlwgt"].to_numpy(dtype=np.float64),
            "test_index": np.arange(len(test)),
            "train_index": np.arange(len(test), len(frame)),
        },
    )


def magic(folder: DataFolder) -> Dataset:
    """Return the MAGIC gamma telescope data."""
    import pandas as pd

    path = folder.file("magic/magic04.data.gz")
    frame = pd.read_csv(path, header=None, names=_MAGIC_COLUMNS)
    return Dataset(
        name="magic",
        X=frame.drop(columns="class"),
        y=frame["class"],
        task="classification",
        description=(
            "19,020 simulated showers in a telescope; g is a gamma ray (signal), h a "
            "hadron (background). Rows are sorted by class, so shuffle before blocked "
            "folds; 115 rows repeat another. Gammas are overrepresented on purpose, so "
            "probabilities are not those of a real sky."
        ),
        source=SOURCES["magic"],
        licence=_CC_BY,
    )


def bank_marketing(folder: DataFolder) -> Dataset:
    """Return the bank marketing data without the duration of the call."""
    import pandas as pd

    path = folder.file("bank_marketing/bank-additional-full.csv.gz")
    frame = pd.read_csv(path, sep=";", na_values="unknown", keep_default_na=False)
    return Dataset(
        name="bank_marketing",
        X=declare(frame.drop(columns=["duration", "y"]), BANK),
        y=frame["y"],
        task="classification",
        description=(
            "41,188 telephone calls of a bank; class 'yes' subscribed a deposit. The "
            "duration is left out, since it is known only after the call. 'unknown' is "
            "missing, pdays=999 means never called before, and rows are in the order "
            "of time, so a random split is optimistic for later calls."
        ),
        source=SOURCES["bank_marketing"],
        licence=_CC_BY,
    )


def spambase(folder: DataFolder) -> Dataset:
    """Return the spam e-mail data."""
    frame = _read_arff(folder.file("spambase/spambase.arff.gz"))
    return Dataset(
        name="spambase",
        X=frame.drop(columns="class"),
        y=frame["class"],
        task="classification",
        description=(
            "Word and character frequencies of 4,601 e-mails; class 1 is spam. Many "
            "rows repeat another, and the legitimate mail is that of the donors, so "
            "words such as 'george' say who received it."
        ),
        source=SOURCES["spambase"],
        licence=_CC_BY,
    )


def letter(folder: DataFolder) -> Dataset:
    """Return the letter recognition data."""
    frame = _read_arff(folder.file("letter/letter.arff.gz"))
    return Dataset(
        name="letter",
        X=frame.drop(columns="class"),
        y=frame["class"],
        task="classification",
        description=(
            "16 integer features of 20,000 distorted printed capital letters, 26 "
            "classes. 6.7 % of the rows repeat another, and copies must share a fold."
        ),
        source=SOURCES["letter"],
        licence=_CC_BY,
    )


def covertype_15k(folder: DataFolder) -> Dataset:
    """Return the class-balanced subset of the forest cover data."""
    import pandas as pd

    frame = pd.read_csv(folder.file("covertype_15k/train.csv.gz"))
    return Dataset(
        name="covertype_15k",
        X=frame.drop(columns=["Id", "Cover_Type"]),
        y=frame["Cover_Type"],
        task="classification",
        description=(
            "15,120 patches of forest, 2,160 of each of seven cover types: balanced "
            "unlike the full set, so probabilities are not those of the forest. Two "
            "soil columns are constant; the row number is left out."
        ),
        source=SOURCES["covertype_15k"],
        licence=_CC_BY,
    )


def electricity(folder: DataFolder) -> Dataset:
    """Return the electricity price data."""
    import pandas as pd

    frame = pd.read_csv(folder.file("electricity/elec.csv.gz"))
    return Dataset(
        name="electricity",
        X=frame.drop(columns="class"),
        y=frame["class"],
        task="classification",
        description=(
            "45,312 half-hours of an Australian electricity market in the order of "
            "time; class 1 is a price above its average of the last day. Neighbouring "
            "rows share their label, so a random split is optimistic: use blocks."
        ),
        source=SOURCES["electricity"],
        licence="public",
    )


def _read_adult(path: Path, skiprows: int = 0) -> "pd.DataFrame":
    """Return one file of the census income data, a question mark being missing."""
    import pandas as pd

    return pd.read_csv(
        path,
        header=None,
        names=_ADULT_COLUMNS,
        skiprows=skiprows,
        skipinitialspace=True,
        na_values="?",
        keep_default_na=False,
    )


def _read_arff(path: Path) -> Any:
    """Return a gzipped ARFF file of plain columns as a data frame."""
    import pandas as pd

    names = []
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        for line in stream:
            word, _, rest = line.strip().partition(" ")
            if word.lower() == "@data":
                break
            if word.lower() == "@attribute":
                names.append(rest.split()[0].strip("'"))
        return pd.read_csv(stream, header=None, names=names)
