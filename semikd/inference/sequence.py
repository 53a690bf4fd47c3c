"""Hypotheses tested one after the other, in an order chosen before the data are seen.

Notes
-----
Each is tested at the full level, and testing stops at the first that is not rejected.
A size curve is the case in point: from the largest student to the smallest, each is
tested for being worse than the teacher by less than a margin.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from semikd._validation import FloatArray, Shown, finite_array, invalid, unknown
from semikd.inference._inputs import checked_level, checked_names
from semikd.inference.influence import frozen
from semikd.inference.rendering import InWords
from semikd.inference.verdicts import Comparison

if TYPE_CHECKING:
    import pandas as pd

_ORDER = "the order, and any margin, were fixed before the data were seen"
_OWN_LEVEL = "each p-value holds its level by itself"


@dataclass(frozen=True, eq=False)
class FixedSequence(InWords):
    """Which hypotheses are rejected, in the order in which they were tested.

    Parameters
    ----------
    names : tuple of str
        Names of the hypotheses, in order.
    p_values : array of shape (m,)
        Their p-values, each on its own.
    level : float
        Family-wise confidence level.
    estimand : str, optional
        What is tested, in words.
    conditions : tuple of str, optional
        What must hold for the level to do so.

    Attributes
    ----------
    p_adjusted : array of shape (m,)
        The largest p-value so far: a hypothesis is rejected at every level of error at
        least as large.
    rejected : tuple of str
        The hypotheses that are rejected, in order.
    last : str or None
        The last of them: for a size curve from large to small, the smallest student
        that is good enough.

    Examples
    --------
    >>> from semikd.inference import FixedSequence
    >>> FixedSequence(("a", "b", "c"), [0.01, 0.2, 0.001], 0.95).rejected
    ('a',)
    """

    names: tuple[str, ...]
    p_values: FloatArray
    level: float = 0.95
    estimand: str = "which hypotheses are false"
    conditions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Freeze the numbers."""
        object.__setattr__(self, "p_values", frozen(self.p_values))

    @property
    def p_adjusted(self) -> FloatArray:
        """Largest p-value up to each hypothesis, shape (m,)."""
        return np.maximum.accumulate(self.p_values)

    @property
    def rejected(self) -> tuple[str, ...]:
        """Names of the rejected hypotheses, in the order of testing."""
        # Rounding of 1 - level must not undo an equality.
        count = int((self.p_adjusted <= (1 - self.level) * (1 + 1e-9)).sum())
        return self.names[:count]

    @property
    def last(self) -> str | None:
        """Name of the last rejected hypothesis; None where there is none."""
        return self.rejected[-1] if self.rejected else None

    def to_frame(self) -> "pd.DataFrame":
        """Return one row for each hypothesis, in order, as a data frame.

        Returns
        -------
        pandas.DataFrame
            The p-values, adjusted p-values, and whether each is rejected.
        """
        import pandas as pd

        columns = {
            "p_value": self.p_values,
            "p_adjusted": self.p_adjusted,
            "rejected": np.arange(len(self.names)) < len(self.rejected),
        }
        return pd.DataFrame(columns, index=pd.Index(self.names, name="hypothesis"))

    @property
    def _claim(self) -> str:
        """What is said, and of which class it is."""
        return f"Rejections at {100 * self.level:g} %, for all hypotheses together"

    def __str__(self) -> str:
        """Return the table with one line above it."""
        head = (
            f"{len(self.rejected)} of {len(self.names)} rejected in fixed sequence, "
            f"family-wise level {100 * self.level:g} %"
        )
        return f"{head}\n{self.to_frame().to_string(float_format='{:.4g}'.format)}"


def fixed_sequence(
    p_values: ArrayLike | Comparison,
    order: Sequence[str] | None = None,
    level: float | None = None,
    *,
    names: Sequence[str] | None = None,
    margin: float = 0.0,
) -> FixedSequence:
    r"""Test hypotheses in a fixed order, each at the full level, until one stands.

    .. math:: \tilde p_j = \max_{i \le j} p_i, \qquad
        \text{reject } H_j \text{ if } \tilde p_j \le 1 - \text{level}

    Parameters
    ----------
    p_values : array of shape (m,) or Comparison
        p-values, or a comparison whose arms are tested for being worse than the
        reference by less than ``margin``.
    order : sequence of str, optional
        Names in the order of testing, fixed before the data were seen; by default as
        they stand. Hypotheses that it leaves out are not tested.
    level : float, optional
        Family-wise confidence level: the chance of any false rejection is at most
        1 - level, whatever the dependence of the p-values. Default 0.95, or that of
        the comparison.
    names : sequence of str, optional
        Names of the hypotheses, where p-values are given; by default 'H1', 'H2', ...
    margin : float, default=0.0
        How much worse is still as good; only with a comparison.

    Returns
    -------
    FixedSequence

    Raises
    ------
    ValueError
        If a p-value is outside [0, 1], or the order names what is not there, or twice.

    Notes
    -----
    The first true hypothesis in the order decides everything: it is rejected with
    probability at most 1 - level, and without it no later one is. No adjustment is paid
    for, at the price that a false hypothesis behind a true one is rarely found. An
    order that was chosen by looking at the p-values holds no level.

    References
    ----------
    .. [1] W. Maurer, L. A. Hothorn and W. Lehmacher, "Multiple comparisons in drug
       clinical trials and preclinical assays: a-priori ordered hypotheses", in
       "Biometrie in der chemisch-pharmazeutischen Industrie" 6, 1995 (the method; the
       page was not looked up).

    Examples
    --------
    >>> from semikd.inference import fixed_sequence
    >>> tested = fixed_sequence(
    ...     [0.30, 0.01, 0.04],
    ...     order=["128 leaves", "32 leaves", "8 leaves"],
    ...     names=["8 leaves", "128 leaves", "32 leaves"],
    ... )
    >>> tested.rejected, tested.last
    (('128 leaves', '32 leaves'), '32 leaves')
    """
    if isinstance(p_values, Comparison):
        if names is not None:
            remedy = "The arms of the comparison have theirs"
            raise invalid("names", "be None beside a comparison", names, remedy)
        arms, default = p_values.names, p_values.level
        asked = _asked(p_values, margin)
        held = p_values.conditions
        used = checked_level(default if level is None else level)
        table = p_values.non_inferior(margin, level=used, adjust="none")
        numbers = np.asarray(table["p_value"], dtype=np.float64)
    else:
        if margin:
            remedy = "The p-values hold theirs already"
            raise invalid("margin", "be 0 beside p-values", margin, remedy)
        used = checked_level(0.95 if level is None else level)
        asked, held = FixedSequence.estimand, (_OWN_LEVEL,)
        numbers = finite_array("p_values", p_values, shape=(None,))
        given = [f"H{j + 1}" for j in range(len(numbers))] if names is None else names
        arms = checked_names(given, len(numbers))
    bad = (numbers < 0) | (numbers > 1)
    if bad.any():
        raise invalid("p_values", "lie between 0 and 1", float(numbers[bad][0]))
    places = _places(arms if order is None else order, arms)
    return FixedSequence(
        names=tuple(arms[at] for at in places),
        p_values=numbers[places],
        level=used,
        estimand=asked,
        conditions=(*held, _ORDER),
    )


def _asked(comparison: Comparison, margin: float) -> str:
    """Return what is tested of the arms of a comparison, in words."""
    beyond = f", or worse by less than {margin:g}" if margin else ""
    first = f"which arms are better than {comparison.reference!r}{beyond}"
    return f"{first}, by the {comparison.estimand}"


def _places(order: Sequence[str], arms: tuple[str, ...]) -> list[int]:
    """Return the position of each name of the order, each at most once."""
    listed = [order] if isinstance(order, str) else list(order)
    for name in listed:
        if name not in arms:
            raise unknown("order", name, arms)
        if listed.count(name) > 1:
            shown = Shown(f"{name!r} more than once")
            raise invalid("order", "name each hypothesis once", shown)
    return [arms.index(name) for name in listed]
