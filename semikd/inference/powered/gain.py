"""What unlabelled rows were worth, in labelled ones, and how many labels to buy."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from semikd._validation import FloatArray, count, invalid, number
from semikd.inference._inputs import checked_level
from semikd.inference.comparison import independence
from semikd.inference.influence import frozen
from semikd.inference.powered.combining import PoweredEstimate
from semikd.inference.powered.rows import PartlyLabelled
from semikd.inference.result import InferenceResult

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PoweredResult", "PredictionGain", "gain_of", "powered_conditions"]


@dataclass(frozen=True, eq=False)
class PredictionGain:
    r"""What unlabelled rows bought: the labelled rows that would give the same.

    .. math:: n_{\text{eff}} = n \frac{\operatorname{var}_{\text{labels only}}}
       {\operatorname{var}}, \qquad
       n_{\max} = \frac{n}{1 - \max(\rho_+^2, 1 - \nu)\, N / (N + n)}

    Parameters
    ----------
    names : tuple of str
        Name of each estimate.
    n_labelled, n_unlabelled : int
        n and N.
    variance_label_only : ndarray of shape (d,)
        Variance of the estimate by outcomes alone.
    multiple : ndarray of shape (d,)
        How much labels count, λ, over folds; that of an intercept is the one at the
        means of the columns.
    correlation : ndarray of shape (d,)
        Correlation ρ of what a row moves the estimate by its outcome and by its label.
    effective_n : ndarray of shape (d,)
        Labelled rows that would give the interval.
    most : ndarray of shape (d,)
        Those that any method could reach with as many unlabelled rows, if no teacher
        knew more than this one. The noise of outcomes has the share ν of the variance,
        if labels are the Bayes probabilities; what labels explain, ρ² of a positive
        ρ, is the least. N / (N + n) as the variances of labels in these rows have it.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.inference import PredictionGain
    >>> one = np.ones(1)
    >>> gain = PredictionGain(("a",), 100, 900, 0.01 * one, one, 0.8 * one, one, one)
    >>> gain.labels_needed(0.1).round().iloc[0].tolist()
    [385.0, 180.0]
    """

    names: tuple[str, ...]
    n_labelled: int
    n_unlabelled: int
    variance_label_only: FloatArray
    multiple: FloatArray
    correlation: FloatArray
    effective_n: FloatArray
    most: FloatArray

    def to_frame(self) -> "pd.DataFrame":
        """Return one row for each estimate, as a data frame.

        Returns
        -------
        pandas.DataFrame
            Effective labelled rows, the most that any method could reach, λ and ρ.
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

        The smallest n with

        .. math:: \frac{\sigma^2}{n} \Bigl(1 - \rho^2 \frac{N}{N + n}\Bigr) \le
           \Bigl(\frac{h}{z}\Bigr)^2

        with ρ = 0 for a negative one.

        Parameters
        ----------
        half_width : float
            h, in units of the estimate.
        n_unlabelled : int, optional
            N; by default that of these rows.
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
            If the half-width is not positive, or the level is none.
        """
        import pandas as pd

        if not number("half_width", half_width) > 0:
            raise invalid("half_width", "be positive", half_width)
        more = self.n_unlabelled if n_unlabelled is None else n_unlabelled
        more = count("n_unlabelled", more, low=0)
        z = special.ndtri(0.5 + checked_level(level) / 2.0)
        spread = self.n_labelled * self.variance_label_only
        least = (half_width / z) ** 2 / np.where(spread > 0, spread, np.nan)
        rest = 1.0 - least * more
        left = 1.0 - np.maximum(self.correlation, 0.0) ** 2
        root = (rest + np.sqrt(rest**2 + 4.0 * least * more * left)) / (2.0 * least)
        columns = {"label_only": np.ceil(1.0 / least), "powered": np.ceil(root)}
        return pd.DataFrame(columns, index=pd.Index(self.names, name="name"))

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

    Everything of `InferenceResult`.

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
    n, more = rows.n_labelled, rows.n_unlabelled
    own, alone = (
        np.diag(units @ each @ units.T) for each in (found.covariance, found.label_only)
    )
    told = np.maximum(found.correlation, 0.0) ** 2
    explained = np.fmax(told, 1.0 - found.noise)
    ratio = np.divide(alone, own, out=np.ones_like(own), where=own > 0)
    return PredictionGain(
        names=names,
        n_labelled=n,
        n_unlabelled=more,
        variance_label_only=frozen(alone),
        multiple=frozen(found.multiple),
        correlation=frozen(found.correlation),
        effective_n=frozen(n * ratio),
        most=frozen(n / (1.0 - explained * found.reach)),
    )


def powered_conditions(rows: PartlyLabelled) -> tuple[str, ...]:
    """Return what must hold of rows and teachers, in words."""
    n = rows.n_labelled
    weights = np.ones(n) if rows.weights is None else rows.weights
    groups = rows.units[:n] if rows.has_clusters else None
    if groups is not None:
        groups = np.unique(groups, return_inverse=True)[1]
    same = "labelled and unlabelled rows are draws from one population"
    if rows.weights is not None or rows.unlabelled_weights is not None:
        same += ", once they are weighed"
    return (
        same,
        f"labels are of teachers that did not see the row ({rows.strategy})",
        "a row more or less changes a teacher little",
        independence(n, groups, weights, "labelled rows"),
        f"the {rows.n_unlabelled:,} unlabelled rows are no labelled ones",
    )
