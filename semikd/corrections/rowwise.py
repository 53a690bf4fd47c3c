"""The balancing weight where the teacher's error is known, or estimated, row by row."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semikd._validation import Shown, finite_array, invalid
from semikd.corrections.base import Correction
from semikd.corrections.formula import label_noise
from semikd.losses import DistillationLoss, IdentityLoss
from semikd.simplex import FloatArray


@dataclass(frozen=True, eq=False)
class RowwiseCorrection(Correction):
    r"""The weight that balances bias and noise, for rows whose errors are given.

    .. math:: \Lambda_i = \frac{\rho_i^2}{\rho_i^2 + o_i + \kappa\,v_i}

    It minimises :math:`(1 - \Lambda)^2 \rho_i^2 + \Lambda^2 (o_i + \kappa v_i)`, where
    :math:`\kappa n` are the student's degrees of freedom, :math:`\rho_i^2` is the
    squared error of :math:`\varphi(\hat p_i)`, :math:`v_i` the label's noise, and
    :math:`o_i`, which is 0 on linear scales, what a full first-order step overshoots.
    The noise is the larger of the given one and that of the teacher's own answer, so
    that an over-confident answer does not pass for a precise label.

    Parameters
    ----------
    squared_error : array-like of shape (n,)
        On the scale in use. 0 is no correction, infinitely much the orthogonal one.
        NaN where a row has no label; its weight is NaN.
    noise : array-like of shape (n,)
        Variance of a fully corrected target.
    overshoot : array-like of shape (n,) or float, default=0.0
        At least 0, one for each row or one for all.

    Raises
    ------
    ValueError
        If lengths differ or a value is negative; by ``weight``, if there are other rows
        than those the errors are of.

    References
    ----------
    .. [1] T. Dao et al., "Knowledge Distillation as Semiparametric Inference",
       ICLR 2021. The paper bounds the error of the label; the student's complexity and
       the overshoot are this library's reconstruction.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.corrections import RowwiseCorrection
    >>> from semikd.losses import ProbabilityLoss
    >>> p = np.array([[0.5, 0.5], [0.5, 0.5]])
    >>> correction = RowwiseCorrection(squared_error=[0.0, 0.025], noise=[0.25, 0.25])
    >>> correction.weight(p, None, ProbabilityLoss(), complexity=0.1)
    array([0. , 0.5])
    """

    squared_error: FloatArray
    noise: FloatArray
    overshoot: FloatArray | float = 0.0

    def __post_init__(self) -> None:
        n = len(np.atleast_1d(self.squared_error))
        for name in ("squared_error", "noise", "overshoot"):
            array = np.asarray(getattr(self, name), dtype=np.float64)
            if name == "overshoot" and array.ndim == 0:
                array = np.full(n, float(array))
            known = np.where(np.isnan(array), 0.0, array)
            finite_array(name, known, shape=(n,))
            if (known < 0).any():
                row = int(np.argmax(known < 0))
                shown = Shown(f"{known[row]:g} in row {row}")
                raise invalid(name, "be at least 0", shown)
            object.__setattr__(self, name, array)

    def take(self, rows: NDArray[np.intp]) -> "RowwiseCorrection":
        """Return the rule for some of its rows."""
        overshoot = np.asarray(self.overshoot)[rows]
        return RowwiseCorrection(self.squared_error[rows], self.noise[rows], overshoot)

    def weight(
        self,
        p: FloatArray,
        X: Any,
        loss: DistillationLoss,
        complexity: float,
    ) -> FloatArray:
        """Return the balancing weight of each row."""
        n = len(self.squared_error)
        if len(p) != n:
            constraint = f"be those of the {n} rows the correction was made for"
            remedy = "Fit it to these rows, or take the rows that are meant"
            raise invalid("p", constraint, Shown(f"{len(p)} rows"), remedy)
        noise = self.noise
        if not isinstance(loss, IdentityLoss):
            noise = np.maximum(noise, label_noise(loss, p))
        total = self.squared_error + self.overshoot + complexity * noise
        # No error at all asks for no correction, also where there is no noise either.
        return np.asarray(self.squared_error / np.where(total == 0, 1.0, total))
