"""Contrastive distillation: which layer of the teacher belongs to which row."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from semikd._validation import count, number
from semikd.features.base import FeatureLoss, Shape
from semikd.features.shapes import linear, n_numbers, rows

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["ContrastiveRepresentation"]

_SMALLEST = 1e-7


@dataclass(frozen=True)
class ContrastiveRepresentation(FeatureLoss):
    r"""How well the layers of a row are told from those of other rows.

    .. math:: \phi_i = -2 \log h_{ii} - \sum_{j \ne i} \bigl\{\log(1 - h_{ij})
       + \log(1 - h_{ji})\bigr\}, \qquad h_{ij} = \frac{e_{ij}}{e_{ij} + N \bar e},
       \quad e_{ij} = \exp(\langle u_i, v_j \rangle / T)

    with :math:`u = A_g s + a_g` and :math:`v = C_g t + c_g` of length one, N the number
    of the other rows j of the same teacher g in the batch, and :math:`\bar e` the mean
    of e over all pairs, held fixed in the gradient. Both maps are learned, for each
    teacher apart.

    Parameters
    ----------
    weight : float, default=0.01
        :math:`\lambda`; 0.8 in the authors' experiments.
    teacher_layer, student_layer : str, optional
        Names of the layers; by default what goes into the last linear map.
    dimension : int, default=128
        Length of u and v.
    temperature : float, default=0.07
        T.

    Raises
    ------
    ValueError
        If the weight is negative, or another number is not positive.

    Notes
    -----
    After the authors' code, whose constant :math:`Z = M \bar e` for a table of M rows
    cancels M. Two things differ: the code compares with 16,384 rows out of a memory
    that lags behind, this with the rows of the batch; and the code takes Z from its
    first batch. A memory would hold rows of other teachers.

    References
    ----------
    .. [1] Y. Tian, D. Krishnan and P. Isola, "Contrastive Representation Distillation",
       ICLR 2020, equation 18, and the authors' code.
    .. [2] M. Gutmann and A. Hyvärinen, "Noise-contrastive estimation: A New Estimation
       Principle for Unnormalized Statistical Models", AISTATS 2010.

    Examples
    --------
    >>> import torch
    >>> from semikd.features import ContrastiveRepresentation
    >>> loss = ContrastiveRepresentation(dimension=2)
    >>> own = {f"{side}{part}": torch.eye(2) if part == "weight" else torch.zeros(2)
    ...        for side in ("student_", "teacher_") for part in ("weight", "bias")}
    >>> t = torch.eye(2)
    >>> same, other = (loss.value(s, t, torch.ones(2), own) for s in (t, t.flip(0)))
    >>> bool((same < other).all())
    True
    """

    weight: float = 0.01
    dimension: int = 128
    temperature: float = 0.07

    name: ClassVar[str] = "contrastive"
    fewest_rows: ClassVar[int] = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        count("dimension", self.dimension)
        number("temperature", self.temperature, low=0.0, open_low=True)

    def connectors(self, student: Shape, teacher: Shape) -> "dict[str, Tensor]":
        """Return linear maps of both layers into one space, as torch draws them."""
        own = linear(n_numbers(student), self.dimension, "student_")
        return own | linear(n_numbers(teacher), self.dimension, "teacher_")

    def value(
        self,
        student: "Tensor",
        teacher: "Tensor",
        weight: "Tensor",
        connectors: "Mapping[str, Tensor]",
    ) -> "Tensor":
        """Return the loss of each row against the others, shape (b,)."""
        from torch.nn.functional import logsigmoid

        u = _embedded(rows(student), connectors, "student_")
        v = _embedded(rows(teacher), connectors, "teacher_")
        scores = u @ v.T / self.temperature
        # Weights of mean one, so that all partners together count as N.
        partners = weight / weight.mean()
        pairs = partners[:, None] * partners
        level = (
            _log_mean(scores.detach(), pairs) + (scores.new_tensor(len(u) - 1)).log()
        )
        found, not_found = logsigmoid(scores - level), logsigmoid(level - scores)
        others = not_found + not_found.T
        others = others - others.diag().diag()
        return -2.0 * found.diag() - others @ partners


def _embedded(x: "Tensor", connectors: "Mapping[str, Tensor]", name: str) -> "Tensor":
    """Return rows in the common space, each of length one, (b, dimension)."""
    from torch.nn.functional import normalize

    return normalize(x @ connectors[f"{name}weight"] + connectors[f"{name}bias"], dim=1)


def _log_mean(scores: "Tensor", pairs: "Tensor") -> "Tensor":
    """Return the logarithm of the weighted mean of exp(scores)."""
    share = (pairs / pairs.sum()).log()
    return (scores + share).flatten().logsumexp(dim=0)
