"""The scales on which a student is a least-squares regression."""

from dataclasses import dataclass
from typing import ClassVar

from semikd._validation import number
from semikd.losses.base import DistillationLoss, identity_like
from semikd.simplex import Array, center, namespace, project, softmax, two_scores


class SquaredLoss(DistillationLoss):
    r"""Squared distance to the target, :math:`\tfrac{c}{2}\|f - \tau\|^2`.

    The constant c is 1, except for two classes on one number, where it makes that
    number count as the two coordinates it stands for; it matters only under a penalty.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.losses import IdentityLoss
    >>> IdentityLoss().value(np.array([[3.0]]), np.array([[1.0]]))
    array([2.])
    """

    is_squared: ClassVar[bool] = True
    two_class_factor: ClassVar[float] = 1.0

    def n_outputs(self, n_classes: int) -> int:
        """Return 1 for two classes and k otherwise."""
        return 1 if n_classes == 2 else n_classes

    def value(self, f: Array, target: Array) -> Array:
        """Return half the squared distance of each row, shape (n,)."""
        return 0.5 * self._factor(f) * ((f - target) ** 2).sum(axis=-1)

    def gradient(self, f: Array, target: Array) -> Array:
        """Return the distance itself, shape (n, m)."""
        return self._factor(f) * (f - target)

    def curvature(self, f: Array) -> Array:
        """Return a multiple of the identity for each row, shape (n, m, m)."""
        return self._factor(f) * identity_like(f)

    def _factor(self, f: Array) -> float:
        """Return c for scores of this width."""
        return self.two_class_factor if f.shape[-1] == 1 else 1.0


@dataclass(frozen=True)
class IdentityLoss(SquaredLoss):
    r"""Half squared error of a regression, :math:`\tfrac12\|f - \mu\|^2`.

    The scale of a regression teacher: :math:`\varphi(\mu) = \mu`, with nothing to
    project and any number of outputs.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.losses import IdentityLoss
    >>> IdentityLoss().gradient(np.array([[3.0]]), np.array([[1.0]]))
    array([[2.]])
    """

    name: ClassVar[str] = "identity"

    def n_outputs(self, n_classes: int) -> int:
        """Return the number of regression outputs as it is."""
        return n_classes

    def phi(self, p: Array) -> Array:
        """Return the predicted means as they are, shape (n, m)."""
        return p

    def jvp(self, p: Array, v: Array) -> Array:
        """Return v: the scale is linear."""
        return v

    def probabilities(self, f: Array) -> Array:
        """Return the scores as they are: they are means already."""
        return f


@dataclass(frozen=True)
class ProbabilityLoss(SquaredLoss):
    r"""Squared distance of probabilities, :math:`\tfrac12\|f - p\|^2`.

    The scale is :math:`\varphi(p) = p` (two classes: the second probability). A full
    correction gives the label itself: the teacher drops out. Scores become
    probabilities by projection onto the simplex.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.losses import ProbabilityLoss
    >>> ProbabilityLoss().phi(np.array([[0.3, 0.7]]))
    array([[0.7]])
    """

    name: ClassVar[str] = "probability"
    even: ClassVar[float] = 0.5

    @property
    def is_linear(self) -> bool:
        """True: targets are probabilities."""
        return True

    two_class_factor: ClassVar[float] = 2.0

    def phi(self, p: Array) -> Array:
        """Return the probabilities, shape (n, m)."""
        return p[..., 1:] if p.shape[-1] == 2 else p

    def jvp(self, p: Array, v: Array) -> Array:
        """Return v in the coordinates of the scale, shape (n, m)."""
        return self.phi(v)

    def probabilities(self, f: Array) -> Array:
        """Return the nearest point of the simplex, shape (n, k)."""
        if f.shape[-1] > 1:
            return project(f)
        xp = namespace(f)
        second = xp.clip(f, 0.0, 1.0)
        return xp.concatenate([1.0 - second, second], axis=-1)


@dataclass(frozen=True)
class LogProbabilityLoss(SquaredLoss):
    r"""Squared distance of log-probabilities (the paper's squared logit loss).

    .. math:: \tfrac12 \|f - \operatorname{clr}(p)\|^2, \qquad
       \operatorname{clr}(p) = \log p - \tfrac1k \textstyle\sum_l \log p_l

    Two classes use one number, the log-odds, and a quarter of its squared error, which
    is the same value. Below ``min_proba`` the logarithm goes on as its tangent,
    :math:`\log\varepsilon + (p - \varepsilon)/\varepsilon`, so that a correction stays
    the exact derivative there.

    Parameters
    ----------
    centered : bool, default=True
        With False the scale is :math:`\log p` itself: two numbers for two classes, and
        the student also learns the offset that softmax ignores.
    min_proba : float, default=1e-3
        The floor :math:`\varepsilon`, a probability. Smaller floors let single rows
        with a near-zero probability dominate the fit.

    Raises
    ------
    ValueError
        If ``min_proba`` is not in (0, 0.5].

    References
    ----------
    .. [1] J. Ba and R. Caruana, "Do Deep Nets Really Need to be Deep?", NeurIPS 2014.
    .. [2] T. Dao et al., "Knowledge Distillation as Semiparametric Inference",
       ICLR 2021 (the loss; centring and the tangent are this library's).

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.losses import LogProbabilityLoss
    >>> LogProbabilityLoss().phi(np.array([[0.5, 0.5], [0.2, 0.8]])).round(3)
    array([[0.   ],
           [1.386]])
    """

    centered: bool = True
    min_proba: float = 1e-3
    name: ClassVar[str] = "log_probability"
    two_class_factor: ClassVar[float] = 0.5

    def __post_init__(self) -> None:
        number("min_proba", self.min_proba, low=0.0, high=0.5, open_low=True)

    def n_outputs(self, n_classes: int) -> int:
        """Return 1 for centred log-odds of two classes and k otherwise."""
        return 1 if self.centered and n_classes == 2 else n_classes

    def phi(self, p: Array) -> Array:
        """Return the (centred) continued logarithm, shape (n, m)."""
        xp, floor = namespace(p), self.min_proba
        above = xp.clip(p, floor, None)
        return self._coordinates(xp.log(above) + (p - above) / floor)

    def jvp(self, p: Array, v: Array) -> Array:
        """Return v / p in the coordinates of the scale, shape (n, m)."""
        return self._coordinates(v / namespace(p).clip(p, self.min_proba, None))

    def probabilities(self, f: Array) -> Array:
        """Return softmax or logistic probabilities, shape (n, k)."""
        return softmax(two_scores(f))

    def _coordinates(self, log_p: Array) -> Array:
        """Return log-probabilities in the coordinates of the scale, shape (n, m)."""
        if not self.centered:
            return log_p
        if log_p.shape[-1] == 2:
            return log_p[..., 1:] - log_p[..., :1]
        return center(log_p)
