"""A column of dates as its parts, read strictly in the one form it was written in."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from semikd._validation import Shown, invalid
from semikd.encoding._dates import (
    PARTS,
    WEEKDAYS,
    check_form,
    fill_parts,
    moments,
    time_zone,
)
from semikd.encoding._values import Coded
from semikd.encoding.numbers import Scaling, number_text

Rows = NDArray[np.intp]
Matrix = NDArray[np.float32]


@dataclass(frozen=True)
class DateColumn:
    """A column of dates or moments, read as year, month, day and other parts.

    Parameters
    ----------
    name : str
        The name of the column.
    parts : tuple of str
        One feature each: 'year', 'month' (1 to 12), 'day' (1 to 31), 'hour' (0 to 23),
        'total_seconds' (since 1970, in UTC) and 'weekday' (1 is Monday).
    form : str or None, default=None
        How texts write a date, such as ``%d/%m/%Y``; None for ISO 8601.
    zone : str or None, default=None
        The time zone whose clock gives the parts. Moments without a zone are then
        taken for UTC. With None zones are dropped, after a conversion to UTC.
    scalings : tuple of Scaling, default=()
        How each part is filled and standardised; empty: parts stay as they are and
        those of a missing date are NaN.

    Raises
    ------
    ValueError
        If a part is unknown or named twice, the form is none, the time zone is not to
        be found, or the scalings are not as many as the parts.

    Notes
    -----
    A text that does not fit the form, or names a day that does not exist, cannot be
    read: it counts as missing and is reported. Fractions of a second beyond the sixth
    digit are dropped.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.encoding import DateColumn
    >>> joined = DateColumn("joined", ("year", "month"), form="%d/%m/%Y")
    >>> out = np.empty((3, 2), dtype=np.float32)
    >>> joined.fill(np.array(["05/01/2020", None, "31/02/2020"], dtype=object), out)
    array([2])
    >>> out[0].tolist(), out[2].tolist()
    ([2020.0, 1.0], [nan, nan])
    """

    kind: ClassVar[str] = "date"
    name: str
    parts: tuple[str, ...]
    form: str | None = None
    zone: str | None = None
    scalings: tuple[Scaling, ...] = ()

    def __post_init__(self) -> None:
        known = set(self.parts) <= set(PARTS)
        if not (self.parts and known and len(set(self.parts)) == len(self.parts)):
            constraint = f"be different ones of {', '.join(PARTS)}"
            raise invalid("parts", constraint, Shown(f"{len(self.parts)} others"))
        if len(self.scalings) not in {0, len(self.parts)}:
            raise invalid("scalings", "be none or one per part", len(self.scalings))
        if self.form is not None:
            check_form(self.form)
        if self.zone is not None:
            time_zone(self.zone)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """One name per part, such as ``joined: year``."""
        return tuple(f"{self.name}: {part.replace('_', ' ')}" for part in self.parts)

    def fill(self, values: NDArray[Any] | Coded, out: Matrix) -> Rows:
        """Write the features of every row.

        Parameters
        ----------
        values : ndarray of shape (n_samples,), or Coded
            Cells of the column: texts, dates, datetimes or numpy datetimes.
        out : ndarray of shape (n_samples, n_parts)
            Where to.

        Returns
        -------
        ndarray of int
            Rows whose cell could not be read as a date.
        """
        cells = values.decoded() if isinstance(values, Coded) else values
        utc, unreadable = moments(cells, self.form)
        fill_parts(out, utc, self.zone, self.parts)
        for position, scaling in enumerate(self.scalings):
            scaling.apply(out[:, position])
        return unreadable

    def question(self, feature: int, threshold: float) -> str:
        """Return in words what holds at or below a threshold.

        Parameters
        ----------
        feature : int
            Which part.
        threshold : float
            A value of the feature.

        Returns
        -------
        str
            Such as ``joined: year ≤ 2019.5`` or ``joined ≤ 2019-06-03 12:00``.
        """
        part = self.parts[feature]
        value = float(threshold)
        if self.scalings:
            value = self.scalings[feature].original(value)
        if part == "total_seconds" and abs(value) < 1e11:
            moment = np.datetime64(int(value), "s").astype("datetime64[m]")
            return f"{self.name} ≤ {str(moment).replace('T', ' ')}"
        if part == "weekday":
            last = int(np.clip(np.floor(value), 0, len(WEEKDAYS)))
            days = ", ".join(day[:3] for day in WEEKDAYS[:last])
            return f"{self.name}: weekday in {{{days}}}"
        return f"{self.feature_names[feature]} ≤ {number_text(value)}"
