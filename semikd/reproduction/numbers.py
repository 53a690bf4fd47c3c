"""A number as every page writes it: published, measured, or not there.

Experiments differ in what they measure and agree in how it is read, so that tables of
two of them can be laid side by side.
"""

import math
from dataclasses import dataclass

from semikd.reproduction.repeated import Repeated

__all__ = [
    "NOTHING",
    "PublishedCell",
    "in_errors",
    "interval",
    "measured",
    "published",
    "signed",
    "whole",
]

# Stands where there is no number.
NOTHING = "–"


@dataclass(frozen=True)
class PublishedCell:
    r"""A published mean and its spread.

    .. math:: \mathrm{SE} = \frac{s}{\sqrt{n - 1 + d}}

    with d the degrees of freedom that s was divided by less: a standard deviation of
    ddof 0 is too small for the population by the root of (n - 1) / n.

    Parameters
    ----------
    mean : float
        Mean over fits.
    sd : float
        Their standard deviation s.
    n : int
        Number of fits, at least 2.
    tuned : float or None, default=None
        The setting that was chosen, where one was.
    ddof : {0, 1}, default=0
        d.

    Examples
    --------
    >>> from semikd.reproduction.numbers import PublishedCell
    >>> PublishedCell(0.9, 0.002, 5).standard_error
    0.001
    >>> PublishedCell(0.9, 0.002, 4, ddof=1).standard_error
    0.001
    """

    mean: float
    sd: float
    n: int
    tuned: float | None = None
    ddof: int = 0

    @property
    def standard_error(self) -> float:
        """Standard error of the mean over fits."""
        return self.sd / math.sqrt(self.n - 1 + self.ddof)


def published(cell: PublishedCell | None) -> str:
    """Return a published mean with its standard deviation, or a dash.

    Parameters
    ----------
    cell : PublishedCell or None
        The number, if there is one.

    Returns
    -------
    str

    Examples
    --------
    >>> from semikd.reproduction.numbers import PublishedCell, published
    >>> published(PublishedCell(0.9, 0.002, 5))
    '0.9000 ± 0.0020'
    """
    return NOTHING if cell is None else f"{cell.mean:.4f} ± {cell.sd:.4f}"


def measured(mean: float | None, error: float | None = None) -> str:
    """Return a mean with its standard error, where there is one, or a dash.

    Parameters
    ----------
    mean : float or None
        The mean.
    error : float or None, default=None
        Its standard error; None and NaN are not written.

    Returns
    -------
    str

    Examples
    --------
    >>> from semikd.reproduction.numbers import measured
    >>> measured(0.9, 0.001), measured(0.9), measured(None)
    ('0.9000 ± 0.0010', '0.9000', '–')
    """
    if mean is None:
        return NOTHING
    return f"{mean:.4f}" + _width(error)


def signed(value: float | None, digits: int, error: float | None = None) -> str:
    """Return a number with its sign, or a dash.

    Parameters
    ----------
    value : float or None
        The number.
    digits : int
        Digits behind the point.
    error : float or None, default=None
        Its standard error; None and NaN are not written.

    Returns
    -------
    str

    Examples
    --------
    >>> from semikd.reproduction.numbers import signed
    >>> signed(0.0123, 3), signed(None, 3)
    ('+0.012', '–')
    """
    return NOTHING if value is None else f"{value:+.{digits}f}" + _width(error)


def in_errors(difference: float | None, error: float) -> float | None:
    """Return a difference in standard errors, or None where it has none.

    Parameters
    ----------
    difference : float or None
        Reproduced less published.
    error : float
        Combined standard error of both.

    Returns
    -------
    float or None

    Examples
    --------
    >>> from semikd.reproduction.numbers import in_errors
    >>> in_errors(0.02, 0.01), in_errors(0.02, 0.0)
    (2.0, None)
    """
    if difference is None or math.isnan(error) or error <= 0.0:
        return None
    return difference / error


def interval(own: Repeated | None, *, signed: bool = False) -> str:
    """Return a mean with half the width of its 95 % interval, or a dash.

    Parameters
    ----------
    own : Repeated or None
        Values over repetitions; a single one has no interval.
    signed : bool, default=False
        Whether a plus is written.

    Returns
    -------
    str

    Examples
    --------
    >>> from semikd.reproduction.numbers import interval
    >>> from semikd.reproduction.repeated import Repeated
    >>> interval(Repeated((0.90, 0.91, 0.92), ratio=0.0))
    '0.9100 ± 0.0248'
    >>> interval(Repeated((0.90,), ratio=0.0), signed=True)
    '+0.9000'
    """
    if own is None:
        return NOTHING
    return f"{own.mean:{'+' if signed else ''}.4f}" + _width(own.half_width())


def whole(own: Repeated | None) -> str:
    """Return a mean as a whole number, or a dash.

    Parameters
    ----------
    own : Repeated or None
        Values over repetitions.

    Returns
    -------
    str

    Examples
    --------
    >>> from semikd.reproduction.numbers import whole
    >>> from semikd.reproduction.repeated import Repeated
    >>> whole(Repeated((1200.0, 1400.0), ratio=0.0))
    '1,300'
    """
    return NOTHING if own is None else f"{own.mean:,.0f}"


def _width(error: float | None) -> str:
    """Return what stands behind a mean."""
    return "" if error is None or math.isnan(error) else f" ± {error:.4f}"
