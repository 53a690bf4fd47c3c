"""Tables that a user brings: they may not be handed on, or have no one known file.

Their columns are checked in place of a checksum.
"""

import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from semikd._validation import Shown, invalid
from semikd.datasets._files import SOURCES, DataFolder
from semikd.datasets.record import Dataset

if TYPE_CHECKING:
    import pandas as pd

_OUTCOME = "RiskPerformance"
_HELOC_COLUMNS = 24
_HIGGS_COLUMNS = 29
_STUMBLEUPON = ("X_train", "X_test", "y_train", "y_test")


def heloc(folder: DataFolder) -> Dataset:
    """Return the home-equity credit data of the FICO challenge."""
    names = ("heloc/heloc_dataset_v1.csv", "heloc/heloc_dataset_v1.csv.gz")
    path = folder.one_of(*names)
    frame = _csv(path)
    outcomes = set(frame[_OUTCOME]) if _OUTCOME in frame else set()
    if frame.shape[1] != _HELOC_COLUMNS or outcomes != {"Bad", "Good"}:
        constraint = (
            f"have {_HELOC_COLUMNS} columns, {_OUTCOME!r} among them, Bad or Good"
        )
        raise invalid(str(path), constraint, _shape_of(frame, outcomes))
    return Dataset(
        name="heloc",
        X=frame.drop(columns=_OUTCOME),
        y=frame[_OUTCOME],
        task="classification",
        description=(
            "Applicants for a home-equity line of credit; class 'Good' repaid. -7, -8 "
            "and -9 are codes for what is not known, and some rows hold nothing else."
        ),
        source=SOURCES["heloc"],
        licence="terms of the FICO challenge; not to be handed on",
    )


def higgs(folder: DataFolder) -> Dataset:
    """Return the simulated collisions of the Higgs data, the label in front."""
    path = folder.one_of("higgs/higgs.csv", "higgs/higgs.csv.gz")
    head = _csv(path, header=None, nrows=1, dtype=str)
    header = None if _is_number(head.iloc[0, 0]) else 0
    frame = _csv(path, header=header, na_values="?")
    labels = set(frame.iloc[:, 0])
    if frame.shape[1] != _HIGGS_COLUMNS or labels != {0, 1}:
        constraint = f"have a label, 0 or 1, and {_HIGGS_COLUMNS - 1} numbers"
        raise invalid(str(path), constraint, _shape_of(frame, labels))
    X = frame.iloc[:, 1:]
    return Dataset(
        name="higgs",
        X=X.set_axis([str(name) for name in X.columns], axis=1),
        y=frame.iloc[:, 0].astype(int),
        task="classification",
        description=(
            "Simulated collisions; class 1 is the decay of a Higgs boson. Seven of the "
            "28 numbers are computed from the others. The version of openml.org has "
            "98,050 rows and gaps in the last, that of the UCI repository 11 million."
        ),
        source=SOURCES["higgs"],
        licence="CC BY 4.0",
    )


def stumbleupon(folder: DataFolder) -> Dataset:
    """Return the evergreen web pages, with the split that the file brings."""
    path = folder.one_of("stumbleupon/evergreen.npz")
    arrays = _arrays(path)
    X = np.concatenate([arrays["X_train"], arrays["X_test"]]).astype(np.float64)
    y = np.concatenate([arrays["y_train"], arrays["y_test"]]).astype(np.int64)
    n_train = len(arrays["X_train"])
    return Dataset(
        name="stumbleupon",
        X=X,
        y=y,
        task="classification",
        description=(
            "Web pages as features of their text; class 1 stays of interest for long. "
            "How the features were made is not known; training rows come first."
        ),
        source=SOURCES["stumbleupon"],
        licence="terms of the StumbleUpon challenge; not to be handed on",
        extra={
            "train_index": np.arange(n_train),
            "test_index": np.arange(n_train, len(y)),
        },
    )


def _csv(path: Path, **options: Any) -> "pd.DataFrame":
    """Return a file of comma-separated cells, or say that it is none."""
    import pandas as pd

    try:
        frame: pd.DataFrame = pd.read_csv(path, **options)
    except (ValueError, OSError, EOFError, zlib.error) as error:
        reason = Shown(" ".join(str(error).split()))
        raise invalid(str(path), "be a table of CSV", reason) from None
    return frame


def _shape_of(frame: "pd.DataFrame", labels: set[Any]) -> Shown:
    """Return what a file holds instead, for a message."""
    some = ", ".join(sorted(map(str, labels))[:4])
    return Shown(f"{frame.shape[1]} columns, labels {some or 'nowhere'}")


def _arrays(path: Path) -> dict[str, Any]:
    """Return the four arrays of the file, which must fit together."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: np.asarray(file[name]) for name in _STUMBLEUPON}
    except KeyError as error:
        missing = next(name for name in _STUMBLEUPON if name in str(error))
        constraint = f"hold the arrays {', '.join(_STUMBLEUPON)}"
        raise invalid(str(path), constraint, Shown(f"no {missing}")) from None
    except (ValueError, TypeError, OSError, EOFError, zipfile.BadZipFile) as error:
        reason = Shown(" ".join(str(error).split()) or type(error).__name__)
        raise invalid(str(path), "be an archive of plain arrays", reason) from None
    shapes = {name: each.shape for name, each in arrays.items()}
    fits = (
        arrays["X_train"].ndim == arrays["X_test"].ndim == 2
        and arrays["X_train"].shape[1] == arrays["X_test"].shape[1]
        and all(
            arrays[f"y_{side}"].shape == arrays[f"X_{side}"].shape[:1]
            for side in ("train", "test")
        )
    )
    if not fits:
        constraint = "hold rows of the same columns with one label each"
        raise invalid(str(path), constraint, Shown(f"shapes {shapes}"))
    return arrays


def _is_number(text: object) -> bool:
    """Return whether the first cell of a file is a number, and no name."""
    try:
        float(str(text))
    except ValueError:
        return False
    return True
