"""Data sets of openml.org by name: the one place here that uses the network."""

from typing import Any

from semikd._validation import Shown, invalid
from semikd.datasets.record import Dataset

PREFIX = "openml:"


def from_openml(name: str, cache: Any = None) -> Dataset:
    """Return ``openml:NAME`` or ``openml:NAME@VERSION`` through scikit-learn."""
    from sklearn.datasets import fetch_openml

    title, _, version = name.removeprefix(PREFIX).partition("@")
    bunch = fetch_openml(
        title,
        version=_version(name, version),
        data_home=cache,
        as_frame=True,
        parser="auto",
    )
    if bunch.target is None or getattr(bunch.target, "ndim", 1) != 1:
        remedy = (
            "Fetch it with sklearn.datasets.fetch_openml and name one target_column"
        )
        raise invalid("name", "be a data set with one target", name, remedy)
    details = bunch.details
    return Dataset(
        name=name,
        X=bunch.data,
        y=bunch.target,
        task=_task(bunch.target),
        description=(
            "As uploaded to OpenML: check duplicates, the order of rows and columns "
            "that leak the target before trusting an estimate."
        ),
        source=f"https://www.openml.org/d/{details.get('id', title)}",
        licence=str(details.get("licence", "none stated")),
    )


def _version(name: str, version: str) -> int | str:
    """Return the version as OpenML counts it; without one, the active version."""
    if not version:
        return "active"
    if version.isdecimal():
        return int(version)
    shown = Shown(repr(name))
    raise invalid("name", "end in an integer version after '@'", shown)


def _task(target: Any) -> str:
    """Return regression for a numeric target, classification for any other."""
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    is_number = is_numeric_dtype(target.dtype) and not is_bool_dtype(target.dtype)
    return "regression" if is_number else "classification"
