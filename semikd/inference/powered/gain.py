"""What unlabelled rows were worth, in labelled ones, and how many labels to buy."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from semikd._validation import FloatArray, Shown, count, invalid, number
from semikd.inference._inputs import checked_level
from semikd.inference.influence import frozen
from semikd.inference.powered.combining import PoweredEstimate
from semikd.inference.powered.multiples import explained_by
from semikd.inference.powered.rows import PartlyLabelled
from semikd.inference.powered.sums import ratio
from semikd.inference.result import InferenceResult
from semikd.inference.units import independence, left_out_in_words

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PoweredResult", "PredictionGain", "gain_of", "powered_conditions"]


@dataclass(frozen=True, eq=False)
class PredictionGain:
    r"""What unlabelled rows bought: the labelled rows that would give the same.

    .. math:: n_{\text{eff}} = n \frac{\operatorname{var}_{\text{outcomes alone}}}
       {\operatorname{var}}

    Both variances are taken at the same estimate.

    Parameters
    ----------
    names : tuple of str
        Name of each estimate.
    n_labelled, n_unlabelled : int
        n and N.
    variance_label_only : ndarray of shape (d,)
        Variance of the estimate by outcomes alone.
    multiple : ndarray of shape (d,)
        How much labels count, λ, the mean over rows; that of an intercept is the one at
        the means of the columns.
    correlation : ndarray of shape (d,)
        Correlation ρ of what a row moves the estimate by its outcome and by its label.
    reach : ndarray of shape (d,)
        Share of what labels tell that so many unlabelled rows can use: N / (N + n), and
        less where they have unequal weights or depend on one another.
    effective_n : ndarray of shape (d,)
        Labelled rows that would give the interval.
    most : ndarray of shape (d,)
        Those that no method could pass with as many unlabelled rows, unless a better
        teacher told more: n over one less the share that the best λ takes off, or,
        where that is more, the reach times the share of the variance that would not be
        noise if labels were the Bayes probabilities. An estimate, like all of these.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.inference import PredictionGain
    >>> one = np.ones(1)
    >>> gain = PredictionGain(
    ...     ("a",), 100, 900, 0.01 * one, one, 0.8 * one, 0.9 * one, one, one
    ... )
    >>> gain.labels_needed(0.1).iloc[0].tolist()
    [385.0, 180.0]
    """

    names: tuple[str, ...]
    n_labelled: int
    n_unlabelled: int
    variance_label_only: FloatArray
    multiple: FloatArray
    correlation: FloatArray
    reach: FloatArray
    effective_n: FloatArray
    most: FloatArray

    def to_frame(self) -> "pd.DataFrame":
        """Return one row for each estimate, as a data frame.

        Returns
        -------
        pandas.DataFrame
            Effective labelled rows, the most that could be, λ and ρ.
        """
        import pandas as pd

        columns = {
            "effective_n": self.effective_n,
            "most": self.most,
            "multiple": self.multiple,
            "correlation": self.correlation,
        }
        return pd.DataFrame(columns, index=pd.Index(self.names, name="name"))

    def labels_needed(
        self,
        half_width: float,
        *,
        n_unlabelled: int | None = None,
        level: float = 0.95,
    ) -> "pd.DataFrame":
        r"""Return how many labelled rows an interval of this width needs.

        The smallest n, and at least 2, with

        .. math:: \frac{\sigma^2}{n} \Bigl(1 - \rho^2 \frac{M}{M + n}\Bigr) \le
           \Bigl(\frac{h}{z}\Bigr)^2

        where M unlabelled rows of equal weight, independent of one another, would be
        worth the N. A negative ρ counts as 0.

        Parameters
        ----------
        half_width : float
            h, in units of the estimate.
        n_unlabelled : int, optional
            N; by default that of these rows. Others weigh, and depend on one another,
            as these do.
        level : float, default=0.95
            Confidence level, of the normal quantile z.

        Returns
        -------
        pandas.DataFrame
            Labels needed by outcomes alone, and with unlabelled rows that labels of
            this quality help: teachers of more rows are better, so that this is
            cautious.

        Raises
        ------
        ValueError
            If the half-width is not positive, the level is none, or an estimate does
            not vary.
        """
        import pandas as pd

        wanted = number("half_width", half_width, low=0.0)
        if wanted**2 < np.finfo(np.float64).tiny:
            raise invalid("half_width", "be positive", half_width)
        more = self.n_unlabelled if n_unlabelled is None else n_unlabelled
        factor = count("n_unlabelled", more, low=0) / self.n_unlabelled
        z = special.ndtri(0.5 + checked_level(level) / 2.0)
        spread = self.n_labelled * self.variance_label_only
        if (spread <= 0).any():
            shown = Shown(f"{self.names[int(np.argmin(spread))]!r}, which does not")
            raise invalid(
                "outcomes", "vary in every estimate", shown, "Label more rows"
            )
        least = (wanted / z) ** 2 / spread
        alone = np.ceil(1.0 / least)
        columns = {"label_only": alone, "powered": self._powered(least, factor, alone)}
        return pd.DataFrame(columns, index=pd.Index(self.names, name="name"))

    def _powered(
        self, least: FloatArray, factor: float, alone: FloatArray
    ) -> FloatArray:
        """Return n at which the variance is this share of that of one row."""
        far = self.reach >= 1.0
        odds = self.reach / np.where(far, 1.0, 1.0 - self.reach)
        more = factor * self.n_labelled * odds
        left = 1.0 - np.maximum(self.correlation, 0.0) ** 2
        # The positive root of least n^2 - rest n - more left, free of cancellation.
        rest = 1.0 - least * more
        root = np.sqrt(rest**2 + 4.0 * least * more * left)
        found = np.where(
            rest > 0,
            (rest + root) / (2.0 * least),
            2.0 * more * left / np.where(rest > 0, 1.0, root - rest),
        )
        found = np.where(far, left / least, found)
        return np.asarray(np.clip(np.ceil(found), 2.0, np.maximum(alone, 2.0)))

    def __str__(self) -> str:
        """Return what was bought in one sentence."""
        each = ", ".join(
            f"{name} {own:,.0f} (of about {most:,.0f} at most)"
            for name, own, most in zip(
                self.names, self.effective_n, self.most, strict=True
            )
        )
        return (
            f"{self.n_unlabelled:,} unlabelled rows make {self.n_labelled:,} labelled "
            f"ones worth: {each}."
        )


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class PoweredResult(InferenceResult):
    """Estimates with the help of unlabelled rows, and what these were worth.

    Everything of `InferenceResult`. Labels count differently in each number, so that
    none is less exact than by outcomes alone; a contrast of several may be, and shares
    of more than two classes do not sum to 1 exactly. One ``power`` for all avoids both.

    Parameters
    ----------
    gain : PredictionGain
        What unlabelled rows bought.

    See Also
    --------
    powered_means : Shares of classes, or means.
    semikd.evaluation.powered_risks : Losses of a model.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd import external_labels
    >>> from semikd.inference import partly_labelled, powered_means
    >>> X, p = np.arange(16.0)[:, None], np.linspace(0.1, 0.9, 16)
    >>> y = np.array([0, 1, 0, 0, 1, 0, 1, 1])
    >>> labels = external_labels(X[::2], p[::2], classes=[0, 1])
    >>> more = external_labels(X[1::2], p[1::2], classes=[0, 1])
    >>> powered_means(partly_labelled(labels, X[::2], y, more)).gain.n_labelled
    8
    """

    gain: PredictionGain

    def _notes(self) -> tuple[str, ...]:
        """Return what unlabelled rows bought, below the table."""
        return (str(self.gain),)


def gain_of(
    found: PoweredEstimate,
    rows: PartlyLabelled,
    units: FloatArray,
    names: tuple[str, ...],
) -> PredictionGain:
    """Return what unlabelled rows bought.

    Parameters
    ----------
    found : PoweredEstimate
        The estimate.
    rows : PartlyLabelled
        The rows.
    units : ndarray of shape (d, d)
        What turns the numbers of the estimate into those of the result.
    names : tuple of str
        Name of each estimate.

    Returns
    -------
    PredictionGain
    """
    told = explained_by(found.moves, rows, units)
    own, alone = (
        np.diag(units @ each @ units.T) for each in (found.covariance, found.label_only)
    )
    n = float(rows.n_labelled)
    left = 1.0 - np.fmax(told.total, told.reach * (1.0 - told.noise))
    return PredictionGain(
        names=names,
        n_labelled=rows.n_labelled,
        n_unlabelled=rows.n_unlabelled,
        variance_label_only=frozen(alone),
        multiple=frozen(found.multiple),
        correlation=frozen(told.correlation),
        reach=frozen(told.reach),
        effective_n=frozen(n * ratio(alone, own, 1.0)),
        most=frozen(n * ratio(np.ones_like(left), left, np.inf)),
    )


def powered_conditions(rows: PartlyLabelled) -> tuple[str, ...]:
    """Return what must hold of rows and teachers, in words."""
    n, units, more = rows.n_labelled, None, "rows"
    if rows.has_clusters:
        units = np.unique(rows.units[:n], return_inverse=True)[1]
        more = f"rows in {rows.n_unlabelled_units:,} clusters"
    same = "labelled and unlabelled rows are draws from one population"
    if rows.weights is not None or rows.unlabelled_weights is not None:
        same += ", once they are weighed"
    left_out = rows.n_given + rows.n_given_unlabelled - n - rows.n_unlabelled
    return (
        same,
        f"labels are of teachers that did not see the row ({rows.strategy})",
        "a row more or less changes a teacher little",
        independence(n, units, rows.weights, "labelled rows"),
        f"the {rows.n_unlabelled:,} unlabelled {more} are independent too, and none is "
        "a labelled one",
        *left_out_in_words(left_out),
    )
