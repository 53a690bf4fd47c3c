"""The rules for the weight of a correction that estimate nothing."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from semikd._validation import invalid, number
from semikd.corrections.base import Correction
from semikd.corrections.formula import label_noise
from semikd.losses import DistillationLoss, IdentityLoss
from semikd.simplex import FloatArray


@dataclass(frozen=True)
class NoCorrection(Correction):
    r"""Plain distillation, :math:`\Lambda = 0`: the teacher's answer is the target.

    Examples
    --------
    >>> from semikd.corrections import NoCorrection
    >>> NoCorrection()
    NoCorrection()
    """

    weighs_noise: ClassVar[bool] = False

    def __str__(self) -> str:
        return "no correction"

    def weight(
        self,
        p: FloatArray,
        X: Any,
        loss: DistillationLoss,
        complexity: float,
    ) -> FloatArray:
        """Return 0 for each row."""
        return np.zeros(len(p))


@dataclass(frozen=True)
class OrthogonalCorrection(Correction):
    r"""The paper's full correction, :math:`\Lambda = 1`.

    The mean target then has no first-order error in the teacher, at the price of the
    label's whole noise: :math:`1/(p_1 p_2)` on log-odds. On the probability scale, and
    on cross-entropy at T = 1, it *is* training on the labels. Its error is second order
    in the teacher's, so it is not robust to a teacher that is simply bad.

    Examples
    --------
    >>> from semikd.corrections import OrthogonalCorrection
    >>> OrthogonalCorrection()
    OrthogonalCorrection()
    """

    weighs_noise: ClassVar[bool] = False

    def __str__(self) -> str:
        return "orthogonal"

    def weight(
        self,
        p: FloatArray,
        X: Any,
        loss: DistillationLoss,
        complexity: float,
    ) -> FloatArray:
        """Return 1 for each row."""
        return np.ones(len(p))


@dataclass(frozen=True)
class ConstantCorrection(Correction):
    r"""One weight for all rows.

    At T = 1 on cross-entropy, and on the probability scale, the target is the mix
    :math:`(1 - \Lambda)\hat p + \Lambda y` of soft and hard labels.

    Parameters
    ----------
    value : float
        :math:`\Lambda` in [0, 1]; 0 is no correction and 1 the orthogonal one.

    Raises
    ------
    ValueError
        If the weight is outside [0, 1].

    Examples
    --------
    >>> from semikd.corrections import ConstantCorrection
    >>> ConstantCorrection(0.3)
    ConstantCorrection(value=0.3)
    """

    weighs_noise: ClassVar[bool] = False

    value: float

    def __post_init__(self) -> None:
        number("value", self.value, low=0.0, high=1.0)

    def __str__(self) -> str:
        return f"constant {self.value:.4g}"

    def weight(
        self,
        p: FloatArray,
        X: Any,
        loss: DistillationLoss,
        complexity: float,
    ) -> FloatArray:
        """Return the constant for each row."""
        return np.full(len(p), float(self.value))


@dataclass(frozen=True)
class ShrinkageCorrection(Correction):
    r"""The weight that balances the teacher's bias against the label's noise.

    .. math:: \Lambda(x) = \frac{\rho^2}{\rho^2 + \kappa\,
       \operatorname{tr}[J_\varphi(\operatorname{diag}\hat p - \hat p \hat p^\top)
       J_\varphi^\top]}

    It minimises :math:`(1 - \Lambda)^2 \rho^2 + \Lambda^2 \kappa\,\mathrm{noise}`,
    where a student of :math:`\kappa n` degrees of freedom averages the noise of its
    targets over rows but not their bias. They are counted for linear students and
    measured for others, by two fits more. Where the teacher is sure, the noise on a log
    scale explodes and the weight vanishes.

    Parameters
    ----------
    squared_error : float
        :math:`\rho^2`, the squared error of :math:`\varphi(\hat p)` *on the scale in
        use*, at least 0. 0 is no correction; towards infinity the orthogonal one.
    noise_variance : float, optional
        Variance of y given x summed over outputs, for a regression; classification
        knows its own.

    Raises
    ------
    ValueError
        If an argument is negative, or ``noise_variance`` is missing for a regression.

    References
    ----------
    .. [1] T. Dao et al., "Knowledge Distillation as Semiparametric Inference",
       ICLR 2021. The paper's choice bounds the error of the *label*; weighing the noise
       by the student's complexity is this library's reconstruction for the student.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.corrections import ShrinkageCorrection
    >>> from semikd.losses import ProbabilityLoss
    >>> correction = ShrinkageCorrection(squared_error=0.01)
    >>> p = np.array([[0.5, 0.5], [0.01, 0.99]])
    >>> correction.weight(p, None, ProbabilityLoss(), complexity=0.1).round(2)
    array([0.29, 0.91])
    """

    squared_error: float
    noise_variance: float | None = None

    def __post_init__(self) -> None:
        number("squared_error", self.squared_error, low=0.0)
        if self.noise_variance is not None:
            number("noise_variance", self.noise_variance, low=0.0)

    def __str__(self) -> str:
        noise = self.noise_variance
        known = "" if noise is None else f", noise {noise:.4g}"
        return f"shrinkage {self.squared_error:.4g}{known}"

    def weight(
        self,
        p: FloatArray,
        X: Any,
        loss: DistillationLoss,
        complexity: float,
    ) -> FloatArray:
        """Return the balancing weight of each row."""
        noise = complexity * self._noise(loss, p)
        # No error at all asks for no correction, also where there is no noise either.
        total = self.squared_error + noise
        return np.asarray(self.squared_error / np.where(total > 0, total, 1.0))

    def _noise(self, loss: DistillationLoss, p: FloatArray) -> FloatArray:
        """Return the variance of a fully corrected target, shape (n,)."""
        if not isinstance(loss, IdentityLoss):
            return label_noise(loss, p)
        if self.noise_variance is None:
            raise invalid(
                "noise_variance",
                "be given for a regression",
                None,
                "Pass ShrinkageCorrection(squared_error, noise_variance=...), for "
                "instance the out-of-fold mean squared error",
            )
        return np.full(len(p), float(self.noise_variance))
