"""What the experiments on photographs consist of, and the photographs.

The recipe is that of the released configuration. Which student, which weight of the
labels and whether images were augmented is not stated anywhere: what is assumed is said
in the fields below.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semikd.datasets import load_dataset
from semikd.networks import ResNet, SmallCNN
from semikd.reproduction.asked import PAPER_SEED
from semikd.reproduction.cells import content

__all__ = [
    "CIFAR",
    "IMAGE_STUDIES",
    "STRENGTH",
    "ImageStudy",
    "Photographs",
    "read_photographs",
]

Pixels = NDArray[np.uint8]
_VALIDATION = 5_000


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
    seeds : int
        Times that each student is fitted.
    n_folds : int, default=10
        Folds of the cross-fitted teachers.
    epochs : int, default=100
        Passes over the training images.
    student : str, default='resnet'
        'resnet' is a ResNet-8, 'small_cnn' three convolutions: an assumption, since the
        paper's student is not stated.
    hard_weight : float, default=0.5
        Share of the labels' own loss: the default of the released code, an assumption.
    rows : tuple of int or None, default=None
        Training, validation and test images of a trial.

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
    seeds: int
    n_folds: int = 10
    epochs: int = 100
    student: str = "resnet"
    hard_weight: float = 0.5
    rows: tuple[int, int, int] | None = None

    def shortened(self) -> "ImageStudy":
        """Return a trial of the same code, in seconds on a processor."""
        return replace(
            self,
            depths=(8,),
            strengths=self.strengths[:2],
            seeds=2,
            n_folds=2,
            epochs=3,
            student="small_cnn",
            rows=(300, 100, 300),
        )

    def student_module(self) -> Any:
        """Return the architecture of the student."""
        return ResNet(8) if self.student == "resnet" else SmallCNN()


CIFAR = ImageStudy(
    name="cifar",
    title="Photographs: teachers of growing depth",
    axis="layers of the teacher",
    has_honest=True,
    depths=(14, 20, 32, 44, 56),
    strengths=(1e-2,),
    seeds=5,
)
STRENGTH = ImageStudy(
    name="strength",
    title="Photographs: the strength of the correction",
    axis="strength c",
    has_honest=False,
    depths=(20,),
    strengths=(1e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1),
    seeds=3,
)
IMAGE_STUDIES = {study.name: study for study in (CIFAR, STRENGTH)}


@dataclass(frozen=True, eq=False)
class Photographs:
    """Images of three parts: to learn from, to choose by, to judge by.

    Parameters
    ----------
    name : str
        The data set.
    X, y : ndarray of shape (n, c, h, w) and (n,)
        All images as bytes, and their classes.
    train, validation, test : ndarray of int
        Rows of the parts.
    """

    name: str
    X: Pixels
    y: NDArray[np.intp]
    train: NDArray[np.intp]
    validation: NDArray[np.intp]
    test: NDArray[np.intp]

    def content(self) -> str:
        """Return what tells these images from others of the same name."""
        return content(self.X, self.y, self.train, self.validation, self.test)

    def part(self, rows: NDArray[np.intp]) -> tuple[Pixels, NDArray[np.intp]]:
        """Return images and classes of some rows."""
        return self.X[rows], self.y[rows]


def read_photographs(study: ImageStudy, data: Any = None) -> Photographs:
    """Return CIFAR-10, or small pictures of digits where a trial finds no files.

    Parameters
    ----------
    study : ImageStudy
        The experiment: how many images a trial takes.
    data : path or None, default=None
        Folder of the files; None takes the environment variable ``SEMIKD_DATA``.

    Returns
    -------
    Photographs

    Raises
    ------
    FileNotFoundError
        If there are no files, and it is no trial.

    Notes
    -----
    45,000 of the 50,000 training images are learned from, as in the paper; which ones
    depends on the order of the files, which is not the paper's.
    """
    try:
        found = load_dataset("cifar10", data_home=data)
    except FileNotFoundError:
        if study.rows is None:
            raise
        return _digits(study)
    images = np.ascontiguousarray(np.asarray(found.X).transpose(0, 3, 1, 2))
    order = np.random.default_rng(PAPER_SEED).permutation(found.extra["train_index"])
    test = np.asarray(found.extra["test_index"])
    return _parts(study, "cifar10", images, np.asarray(found.y), order, test)


def _digits(study: ImageStudy) -> Photographs:
    """Return handwritten digits of 8 x 8 pixels as bytes of three channels."""
    found = load_dataset("digits")
    pixels = (15 * found.numeric().reshape(-1, 1, 8, 8)).astype(np.uint8)
    images = np.repeat(pixels, 3, axis=1)
    order = np.random.default_rng(PAPER_SEED).permutation(len(images))
    half = len(order) // 2
    y = np.asarray(found.y)
    return _parts(study, "digits", images, y, order[:half], order[half:])


def _parts(
    study: ImageStudy,
    name: str,
    images: Pixels,
    y: NDArray[np.intp],
    order: NDArray[np.intp],
    test: NDArray[np.intp],
) -> Photographs:
    """Return the parts, all of them or those of a trial."""
    n_train, n_validation, n_test = study.rows or (
        len(order) - _VALIDATION,
        _VALIDATION,
        len(test),
    )
    validation = order[n_train : n_train + n_validation]
    kept = np.random.default_rng(PAPER_SEED).permutation(test)[:n_test]
    return Photographs(name, images, y, order[:n_train], validation, np.sort(kept))
