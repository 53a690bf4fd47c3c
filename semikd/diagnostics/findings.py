"""One finding on a teacher, whatever it is about: a number, a test, and the details."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from semikd.inference import StudentLaw, mean_influence
from semikd.inference.influence import sandwich
from semikd.inference.multiplicity import adjusted_p_values
from semikd.inference.studentized import StudentizedEstimates
from semikd.simplex import FloatArray

__all__ = ["Finding", "adjusted", "mean_finding"]

ALL_ROWS = "all rows"
Clusters = NDArray[np.intp] | None


@dataclass(frozen=True)
class Finding:
    """What was found, on all rows or on a part of them.

    Parameters
    ----------
    name : {'optimism', 'calibration', 'left-over signal', 'variance'}
        What it is about.
    measure : str
        What the estimate is, with its unit.
    estimate, std_error : float
        The number; its standard error is NaN where none is known.
    p_value : float
        p-value of this test alone; NaN where there is no test.
    details : mapping of str to float
        Further numbers, by name.
    part : str, default='all rows'
        'all rows', or the class or group that it is about.
    n_rows : int
        Rows behind it.
    p_adjusted : float
        Holm's p-value, over the tests of all rows, or over all parts of this finding.

    Examples
    --------
    >>> from semikd.diagnostics import Finding
    >>> Finding("optimism", "nats", 0.02, 0.005, 0.001).part
    'all rows'
    """

    name: str
    measure: str
    estimate: float
    std_error: float
    p_value: float
    details: Mapping[str, float] = field(default_factory=dict)
    part: str = ALL_ROWS
    n_rows: int = 0
    p_adjusted: float = float("nan")

    @property
    def tested(self) -> bool:
        """Whether there is a test behind it."""
        return bool(np.isfinite(self.p_value))

    def shown(self, level: float) -> bool:
        """Return whether the adjusted test rejects at this confidence level.

        Parameters
        ----------
        level : float
            Confidence level.

        Returns
        -------
        bool
            False where there is no test.
        """
        return bool(self.p_adjusted <= (1 - level) * (1 + 1e-9))

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values, None for what is not known.

        Returns
        -------
        dict
        """
        names = ("part", "name", "n_rows", "measure", "estimate", "std_error")
        values = {name: getattr(self, name) for name in names}
        values |= {"p_value": self.p_value, "p_adjusted": self.p_adjusted}
        plain = {name: _plain(value) for name, value in values.items()}
        details = {name: _plain(value) for name, value in self.details.items()}
        return {**plain, "details": details}


def adjusted(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings with Holm's p-values in their two kinds of families.

    The tests of all rows are one family; for each name, those of all its parts.

    Parameters
    ----------
    findings : sequence of Finding
        What was found.

    Returns
    -------
    list of Finding

    Examples
    --------
    >>> from semikd.diagnostics import Finding
    >>> from semikd.diagnostics.findings import adjusted
    >>> both = [Finding(name, "", 0, 0, 0.02) for name in ("optimism", "calibration")]
    >>> [round(finding.p_adjusted, 6) for finding in adjusted(both)]
    [0.04, 0.04]
    """
    families: dict[str, list[int]] = {}
    for place, finding in enumerate(findings):
        if finding.tested:
            whole = finding.part == ALL_ROWS
            families.setdefault("" if whole else finding.name, []).append(place)
    changed = list(findings)
    for places in families.values():
        raw = np.array([findings[place].p_value for place in places])
        stepped = adjusted_p_values(-special.ndtri(raw), None, sign=1, adjust="holm")
        for place, p in zip(places, stepped, strict=True):
            changed[place] = replace(changed[place], p_adjusted=float(p))
    return changed


def mean_finding(
    values: FloatArray, weights: FloatArray, clusters: Clusters
) -> tuple[float, float, float]:
    """Return a weighted mean, its standard error and the p-value of being above 0.

    Parameters
    ----------
    values, weights : ndarray of shape (n,)
        A number and a weight for each row.
    clusters : ndarray of int of shape (n,) or None
        Cluster of each row.

    Returns
    -------
    tuple of float
        The p-value is one-sided, by Student's law.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.diagnostics.findings import mean_finding
    >>> mean, _, _ = mean_finding(np.array([1.0, 2.0]), np.ones(2), None)
    >>> mean
    1.5
    """
    record = mean_influence(values[:, None], weights)
    covariance, n_units = sandwich(record.influence, clusters)
    numbers = StudentizedEstimates(
        estimate=record.estimate,
        covariance=covariance,
        law=StudentLaw.of_each([n_units - 1.0]),
    )
    p_value = numbers.p_values(alternative="greater")[0]
    return float(record.estimate[0]), float(numbers.std_error[0]), float(p_value)


def _plain(value: Any) -> Any:
    """Return a value as JSON knows it: NaN and infinities are None."""
    if isinstance(value, str | int):
        return value
    return float(value) if np.isfinite(value) else None
