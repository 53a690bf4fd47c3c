"""What every loss of hidden layers says of itself, so that one engine runs them all."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from semikd._validation import Shown, invalid, number, wrong_type

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["FeatureLoss", "Shape"]

Shape = tuple[int, ...]


@dataclass(frozen=True)
class FeatureLoss(ABC):
    r"""A loss that sets a layer of the student beside a layer of its teacher.

    .. math:: \frac{1}{\sum_i w_i} \sum_i w_i \bigl\{ \ell(f(x_i); \tau_i)
       + \lambda\, \phi_i \bigr\}

    with :math:`\tau_i` the target that the library makes, whatever its scale and
    correction, and :math:`\phi_i` this loss.

    Parameters
    ----------
    weight : float
        :math:`\lambda`; 0 leaves the layers alone.
    teacher_layer, student_layer : str, optional
        Names of the layers, as in ``named_modules()`` of the fitted networks; by
        default what goes into the last linear map.

    Raises
    ------
    ValueError
        If the weight is negative.
    TypeError
        If a layer is no name.

    Examples
    --------
    >>> from semikd.features import FeatureLoss, SimilarityPreserving
    >>> loss = SimilarityPreserving(weight=10.0, student_layer="1")
    >>> isinstance(loss, FeatureLoss), loss.weight
    (True, 10.0)
    """

    weight: float = 1.0
    teacher_layer: str | None = None
    student_layer: str | None = None

    name: ClassVar[str]
    """The word by which the loss is asked for."""

    reads_maps: ClassVar[bool] = False
    """Whether a layer has to give maps: channels, height and width."""

    by_teacher: ClassVar[bool] = True
    """Whether rows of two teachers must not be set beside one another."""

    fewest_rows: ClassVar[int] = 1
    """Rows of one teacher below which there is nothing to compare."""

    most_rows: ClassVar[int] = 1024
    """Rows of one teacher that are compared at a time."""

    def __post_init__(self) -> None:
        number("weight", self.weight, low=0.0)
        for name in ("teacher_layer", "student_layer"):
            if not isinstance(getattr(self, name), str | None):
                constraint = "be the name of a layer or None"
                raise wrong_type(name, constraint, getattr(self, name))

    def check(self, student: Shape, teacher: Shape) -> None:
        """Refuse layers whose shapes this loss cannot set side by side.

        Parameters
        ----------
        student, teacher : tuple of int
            Shape of what each layer makes of a row.

        Raises
        ------
        ValueError
            With the shape, and what to do.
        """
        for whose, shape in (("student_layer", student), ("teacher_layer", teacher)):
            if self.reads_maps and (len(shape) != 3 or shape[1] * shape[2] < 2):
                constraint = "give maps (channels, height, width) of several pixels"
                remedy = (
                    f"Name a layer of convolutions, or use other than {self.name!r}"
                )
                raise invalid(whose, constraint, Shown(f"{tuple(shape)}"), remedy)

    def connectors(self, student: Shape, teacher: Shape) -> "dict[str, Tensor]":
        """Return the first values of what is trained beside the student, by name.

        There is one set for each teacher. They are drawn from torch's global generator,
        which the engine seeds and puts back.

        Parameters
        ----------
        student, teacher : tuple of int
            Shape of what each layer makes of a row.

        Returns
        -------
        dict of Tensor
        """
        return {}

    @abstractmethod
    def value(
        self,
        student: "Tensor",
        teacher: "Tensor",
        weight: "Tensor",
        connectors: "Mapping[str, Tensor]",
    ) -> "Tensor":
        """Return the loss of each row, whose weighted mean is the loss, shape (b,).

        Parameters
        ----------
        student, teacher : Tensor of shape (b, ...)
            What the layers make of rows of one teacher.
        weight : Tensor of shape (b,)
            Weights of the rows, positive.
        connectors : mapping of Tensor
            What is trained for this teacher.

        Returns
        -------
        Tensor of shape (b,)
        """
