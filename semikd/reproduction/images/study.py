"""What the experiments on photographs consist of.

The recipe is that of the released configuration. Which student, which weight of the
labels and whether images were augmented is not stated anywhere: what is assumed is said
in the fields below.
"""

from dataclasses import asdict, dataclass, field, replace
from typing import Any

from semikd.networks import ResNet, SmallCNN
from semikd.reproduction.asked import HONEST, PAPER_SEED

__all__ = [
    "CIFAR",
    "IMAGE_STUDIES",
    "PRIMARY",
    "STRENGTH",
    "Grids",
    "ImageStudy",
    "Recipe",
]

# Depths of teachers that the comparison is about; the others show the way between.
PRIMARY = (20, 56)
# Words that no number depends on.
_COSMETIC = ("name", "title", "axis", "has_honest")


@dataclass(frozen=True)
class Recipe:
    """How every network is trained.

    Parameters
    ----------
    step, decay : float
        Step size and weight decay, of the released loss.
    batch_size : int, default=128
        Images of a step.
    optimizer, schedule : str
        Options of ``semikd.networks.Training``.
    floor : float, default=1e-3
        Least probability that a residual is divided by in a correction.
    orthogonal_floor : float, default=1e-2
        The same in the full correction, as released.

    Examples
    --------
    >>> from semikd.reproduction.images.study import Recipe
    >>> Recipe().step
    0.1
    """

    step: float = 0.1
    decay: float = 5e-4
    batch_size: int = 128
    optimizer: str = "sgd"
    schedule: str = "fifths"
    floor: float = 1e-3
    orthogonal_floor: float = 1e-2


@dataclass(frozen=True)
class Grids:
    r"""What the honest protocol tries, and validation images choose from.

    Parameters
    ----------
    steps, decays : tuple of float
        Of the student without a teacher, every pair.
    shares : tuple of float
        Of the labels in the constant mix.
    squared_errors : tuple of float
        :math:`\rho^2 / \kappa` of the correction, on centred log-probabilities.

    Examples
    --------
    >>> from semikd.reproduction.images.study import Grids
    >>> Grids().shares
    (0.2, 0.5)
    """

    steps: tuple[float, ...] = (0.05, 0.1, 0.2)
    decays: tuple[float, ...] = (1e-4, 5e-4)
    shares: tuple[float, ...] = (0.2, 0.5)
    squared_errors: tuple[float, ...] = (1.0, 10.0, 100.0)


@dataclass(frozen=True)
class ImageStudy:
    """An experiment on photographs.

    Parameters
    ----------
    name : {'cifar', 'strength'}
        Its name on the command line.
    title : str
        The same in words.
    axis : str
        What the horizontal axis of its figure counts.
    has_honest : bool
        Whether there is an honest protocol: there, a strength is always chosen.
    depths : tuple of int
        Layers of the teachers.
    strengths : tuple of float
        c of the correction.
    fits : int
        Times that each student of the published protocol is fitted.
    n_folds : int, default=10
        Folds of the cross-fitted teachers.
    epochs : int, default=100
        Passes over the training images.
    student : str, default='resnet'
        'resnet' is a ResNet-8, 'small_cnn' three convolutions: an assumption, since the
        paper's student is not stated.
    hard_weight : float, default=0.5
        Share of the labels' own loss: the default of the released code, an assumption.
    augmented : bool, default=True
        Whether the honest protocol shows images shifted and mirrored; a trial does not,
        whose images may be a few pixels wide.
    rows : tuple of int or None, default=None
        Training, validation and test images of a trial.
    recipe : Recipe
        How networks are trained.
    grids : Grids
        What the honest protocol chooses from.

    Examples
    --------
    >>> from semikd.reproduction.images.study import CIFAR
    >>> CIFAR.depths
    (14, 20, 32, 44, 56)
    """

    name: str
    title: str
    axis: str
    has_honest: bool
    depths: tuple[int, ...]
    strengths: tuple[float, ...]
    fits: int
    n_folds: int = 10
    epochs: int = 100
    student: str = "resnet"
    hard_weight: float = 0.5
    augmented: bool = True
    rows: tuple[int, int, int] | None = None
    recipe: Recipe = field(default_factory=Recipe)
    grids: Grids = field(default_factory=Grids)

    @property
    def varies_strength(self) -> bool:
        """Whether the axis is that of the correction."""
        return len(self.strengths) > 1

    def shortened(self) -> "ImageStudy":
        """Return a trial of the same code, in seconds on a processor."""
        return replace(
            self,
            title=f"{self.title} (a trial)",
            depths=(8,),
            strengths=self.strengths[-3:],
            fits=2,
            n_folds=2,
            epochs=4,
            augmented=False,
            rows=(250, 100, 300),
            recipe=replace(self.recipe, batch_size=64),
            grids=Grids(steps=(0.05, 0.1), decays=(5e-4,), squared_errors=(10.0,)),
        )

    def student_module(self) -> Any:
        """Return the architecture of the student."""
        return ResNet(8) if self.student == "resnet" else SmallCNN()

    def configuration(self, protocol: str) -> dict[str, Any]:
        """Return what the cells of a protocol depend on, the images aside.

        Parameters
        ----------
        protocol : {'published', 'honest'}
            Whose protocol.

        Returns
        -------
        dict
            Without words that only name things; seeds of honest repetitions are in the
            names of their cells, so that more of them keep those that are there.

        Examples
        --------
        >>> from semikd.reproduction.images.study import CIFAR
        >>> sorted(set(CIFAR.configuration("published")) - {"recipe"})[:4]
        ['depths', 'epochs', 'fits', 'hard_weight']
        """
        released = {"strengths", "fits", "hard_weight"}
        unread = released if protocol == HONEST else {"grids", "augmented"}
        read = {**asdict(self), "seed": PAPER_SEED}
        for name in (*_COSMETIC, *unread):
            del read[name]
        return read


CIFAR = ImageStudy(
    name="cifar",
    title="Photographs: teachers of growing depth",
    axis="layers of the teacher",
    has_honest=True,
    depths=(14, 20, 32, 44, 56),
    strengths=(1e-2,),
    fits=5,
)
STRENGTH = ImageStudy(
    name="strength",
    title="Photographs: the strength of the correction",
    axis="strength c",
    has_honest=False,
    depths=(20,),
    strengths=(1e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1),
    fits=3,
)
IMAGE_STUDIES = {study.name: study for study in (CIFAR, STRENGTH)}
