"""Reference laws of t ratios whose variance is a sum of parts estimated separately.

Notes
-----
One part with ν degrees of freedom is Student's t. With several parts the critical value
is the mean of Student quantiles weighted by the share of each part in the variance
(Cochran and Cox). It is exact when one part is all of the variance, whichever it is,
and errs on the wide side in between, where Satterthwaite's single number of degrees of
freedom errs on the narrow side: the part that has few degrees of freedom, when small by
chance, shrinks the standard error *and* hides its own lack of degrees of freedom.

References
----------
.. [1] W. G. Cochran and G. M. Cox, "Experimental Designs", 2nd edition, Wiley 1957,
   Section 4.14.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from semikd._validation import FloatArray
from semikd.inference.influence import frozen

_N_BISECTIONS = 80
# Further out Student quantiles overflow; the tail beyond is 3e-138.
_MAX_SCORE = 25.0
_LARGEST_DF = 1e10


@dataclass(frozen=True, eq=False)
class StudentLaw:
    r"""Law of d t ratios, each with K variance parts.

    .. math:: t_\alpha = \sum_k s_k\, t_{\nu_k, \alpha}

    Parameters
    ----------
    df : array of shape (K,)
        Degrees of freedom ν of each part; infinity is the normal law.
    share : array of shape (d, K)
        Share of each part in the variance of each estimate; rows sum to 1.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.inference import StudentLaw
    >>> law = StudentLaw(df=[2, np.inf], share=[[1, 0], [0.5, 0.5], [0, 1]])
    >>> law.critical(0.025).round(2)
    array([4.3 , 3.13, 1.96])
    """

    df: FloatArray
    share: FloatArray

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        object.__setattr__(self, "df", frozen(self.df))
        object.__setattr__(self, "share", frozen(self.share))

    @classmethod
    def of_each(cls, df: ArrayLike) -> Self:
        """Return Student's law of each estimate with its own degrees of freedom.

        Parameters
        ----------
        df : array of shape (d,)
            Degrees of freedom; infinity is the normal law.

        Returns
        -------
        StudentLaw
        """
        known, which = np.unique(np.asarray(df, dtype=np.float64), return_inverse=True)
        return cls(known, np.eye(len(known))[which])

    def critical(self, tail: ArrayLike) -> FloatArray:
        """Return the value exceeded with probability ``tail``, shape (d,).

        Parameters
        ----------
        tail : float or array of shape (d,)
            Probability of one tail, in (0, 1).

        Returns
        -------
        array of shape (d,)
            Critical values in standard errors.
        """
        column = np.asarray(tail, dtype=np.float64)[..., None]
        # scipy.stats would check every argument, of every draw.
        student = special.stdtrit(np.minimum(self.df, _LARGEST_DF), column)
        quantile = np.where(np.isinf(self.df), special.ndtri(column), student)
        shape = np.broadcast_shapes(self.share.shape, quantile.shape)
        # No share of an infinite quantile is nothing.
        parts = np.multiply(
            self.share, quantile, out=np.zeros(shape), where=self.share > 0
        )
        return np.asarray(-parts.sum(axis=1))

    def normal_scores(self, t: ArrayLike) -> FloatArray:
        """Return the normal deviates with the tail probabilities of t ratios.

        Parameters
        ----------
        t : array of shape (d,)
            Ratios of estimate to standard error; may be infinite.

        Returns
        -------
        array of shape (d,)
            Deviates z: the normal tail beyond z is the tail beyond t.
        """
        ratio = np.asarray(t, dtype=np.float64)
        low = np.zeros_like(ratio)
        high = np.minimum(np.abs(ratio), _MAX_SCORE)
        # Student tails are heavier than normal ones, so z lies between 0 and |t|.
        for _ in range(_N_BISECTIONS):
            middle = (low + high) / 2
            above = self.critical(special.ndtr(-middle)) > np.abs(ratio)
            high = np.where(above, middle, high)
            low = np.where(above, low, middle)
        return np.where(np.isinf(ratio), ratio, np.sign(ratio) * high)
