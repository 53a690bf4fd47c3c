"""What may be said of an arm in plain words, and nothing beyond it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from semikd._validation import number
from semikd.inference._inputs import checked_level
from semikd.inference.multiplicity import Adjustment
from semikd.inference.result import InferenceResult

if TYPE_CHECKING:
    import pandas as pd

VerdictName = Literal["better", "worse", "as good within margin", "undecided"]

_SENTENCES: dict[VerdictName, str] = {
    "better": "{arm} is better than {reference}: {metric} {direction} by {size}",
    "worse": (
        "{arm} is worse than {reference}: {metric} {direction} by {size}; "
        "{reference} wins"
    ),
    "as good within margin": (
        "{arm} is as good as {reference} within {margin}: worse in {metric} by at "
        "most {worst}{though}"
    ),
    "undecided": (
        "{arm} against {reference} is undecided: in {metric} it may be better by up to "
        "{best} or worse by up to {worst}"
    ),
}


_ALIKE = "No row tells them apart."
_NO_WIDTH = (
    "The interval has no width, since every row or cluster says the same: that says "
    "nothing of new rows."
)


@dataclass(frozen=True)
class Verdict:
    """What the simultaneous interval of one arm says against the reference.

    Parameters
    ----------
    arm : str
        Name of the arm.
    verdict : {'better', 'worse', 'as good within margin', 'undecided'}
        'better' if all of the interval is; 'as good within margin' if else all of it is
        worse by less than the margin; 'worse' if else all of it is worse.
    sentence : str
        The same in words, with the numbers.

    Examples
    --------
    >>> from semikd.inference import Verdict
    >>> Verdict("distilled", "undecided", "'distilled' against 'scratch': ...").arm
    'distilled'
    """

    arm: str
    verdict: VerdictName
    sentence: str


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Comparison(InferenceResult):
    """Differences of arms to a reference, with verdicts.

    Everything of `InferenceResult`; `names` are the arms without the reference.

    Parameters
    ----------
    reference : str
        The arm that all others are compared with.
    metric : str, default='mean loss'
        What the differences are differences of.
    greater_is_better : bool, default=False
        False for losses, True for scores.

    See Also
    --------
    paired_differences : Of fitted models, on the same rows.
    crossed_differences : Of procedures, over rows and refits.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.inference import paired_differences
    >>> rng = np.random.default_rng(0)
    >>> losses = rng.normal(size=(500, 1)) + rng.normal([0, 0.5], 0.3, size=(500, 2))
    >>> result = paired_differences(
    ...     losses, names=["scratch", "distilled"], reference="scratch", random_state=0
    ... )
    >>> result.verdicts()[0].verdict
    'worse'
    """

    reference: str
    metric: str = "mean loss"
    greater_is_better: bool = False

    def non_inferior(
        self,
        margin: float,
        *,
        level: float | None = None,
        adjust: Adjustment | None = None,
    ) -> "pd.DataFrame":
        """Test for each arm that it is worse than the reference by less than a margin.

        Parameters
        ----------
        margin : float
            How much worse is still as good, in units of the metric, fixed before
            looking at the data. 0 tests superiority.
        level : float, optional
            Family-wise confidence level; default the level of the result.
        adjust : {'none', 'max-t', 'bonferroni', 'holm'}, optional
            Default 'max-t' where the result has draws, else 'holm'. The column
            ``adjust`` states it.

        Returns
        -------
        pandas.DataFrame
            Index ``arm``; columns ``difference``, ``std_error``, ``margin``, ``bound``
            (the one-sided bound on the worse side: upper for losses, lower for scores),
            ``p_value``, ``p_adjusted``, ``non_inferior``, ``adjust``.

        Raises
        ------
        ValueError
            If the margin is negative, or an argument cannot be used.
        """
        import pandas as pd

        checked = number("margin", margin, low=0.0)
        used = checked_level(self.level if level is None else level)
        default: Adjustment = "holm" if self.draws is None else "max-t"
        chosen = adjust or default
        worse_by = self._shortfall()
        adjusted = worse_by.p_values(checked, alternative="less", adjust=chosen)
        columns = {
            "difference": self.estimate,
            "std_error": self.std_error,
            "margin": checked,
            "bound": self._sign * worse_by.upper_bound(used, chosen),
            "p_value": worse_by.p_values(checked, alternative="less"),
            "p_adjusted": adjusted,
            # Rounding of 1 - level must not undo an equality.
            "non_inferior": adjusted <= (1 - used) * (1 + 1e-9),
            "adjust": chosen,
        }
        return pd.DataFrame(columns, index=pd.Index(self.names, name="arm"))

    def verdicts(
        self, margin: float = 0.0, level: float | None = None
    ) -> tuple[Verdict, ...]:
        """Return for each arm what may be said, all statements holding together.

        Parameters
        ----------
        margin : float, default=0.0
            How much worse is still as good, in units of the metric.
        level : float, optional
            Family-wise confidence level; default the level of the result.

        Returns
        -------
        tuple of Verdict
            One for each arm, read off the simultaneous intervals.

        Raises
        ------
        ValueError
            If the margin is negative.
        """
        checked = number("margin", margin, low=0.0)
        used = checked_level(self.level if level is None else level)
        worse_by = self._shortfall().conf_int(used, "simultaneous")
        return tuple(
            self._verdict(at, (float(low), float(high)), checked, used)
            for at, (low, high) in enumerate(worse_by)
        )

    @property
    def _sign(self) -> int:
        """1 if larger is worse, else -1."""
        return -1 if self.greater_is_better else 1

    def _shortfall(self) -> InferenceResult:
        """Return the result for how much worse each arm is than the reference."""
        return InferenceResult(
            names=self.names,
            estimate=self._sign * self.estimate,
            covariance=self.covariance,
            law=self.law,
            estimand=self.estimand,
            conditions=self.conditions,
            draws=None if self.draws is None else self._sign * self.draws,
        )

    def _verdict(
        self, at: int, worse_by: tuple[float, float], margin: float, level: float
    ) -> Verdict:
        """Return the verdict on one arm, given how much worse it is, from and to."""
        low, high = worse_by
        name = _verdict_name(low, high, margin)
        ends = sorted((self._sign * low, self._sign * high))
        words = _SENTENCES[name].format(
            arm=repr(self.names[at]),
            reference=repr(self.reference),
            metric=self.metric,
            size=f"{abs(self.estimate[at]):.3g}",
            direction="higher" if self.estimate[at] > 0 else "lower",
            worst=f"{high:.3g}",
            best=f"{-low:.3g}",
            margin=f"{margin:g}",
            # Said only where it is so: shown to be worse, and by less than the margin.
            though=f", though worse by at least {low:.3g}" if low > 0 else "",
        )
        interval = f"{100 * level:g} % simultaneous interval of the difference"
        sentence = f"{words} ({interval}: {ends[0]:.3g} to {ends[1]:.3g})."
        if self.std_error[at] == 0:
            sentence += f" {_ALIKE if self.estimate[at] == 0 else _NO_WIDTH}"
        return Verdict(self.names[at], name, sentence)


def _verdict_name(low: float, high: float, margin: float) -> VerdictName:
    """Return the verdict on an arm that is worse by ``low`` to ``high``."""
    if high < 0:
        return "better"
    if high < margin or low == high == 0:
        return "as good within margin"
    return "worse" if low > 0 else "undecided"
