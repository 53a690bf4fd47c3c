"""The photographs, and how each protocol divides them.

A division is drawn as the released code draws it: one permutation π of all rows that
may be learned from; its first part is learned from, the next one chosen by, and row i
is in fold π(i) mod K.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semikd._validation import invalid
from semikd.datasets import load_dataset
from semikd.reproduction.asked import PAPER_SEED
from semikd.reproduction.cells import content
from semikd.reproduction.images.study import ImageStudy

__all__ = ["Part", "Photographs", "Sides", "read_photographs"]

Pixels = NDArray[np.uint8]
Rows = NDArray[np.intp]
_VALIDATION = 5_000


@dataclass(frozen=True, eq=False)
class Part:
    """Some of the images.

    Parameters
    ----------
    X, y : ndarray of shape (n, c, h, w) and (n,)
        Images as bytes, and their classes.
    """

    X: Pixels
    y: Rows


@dataclass(frozen=True, eq=False)
class Sides:
    """One division: images to learn from, to choose by and to judge by.

    Parameters
    ----------
    train, validation, test : ndarray of int
        Rows of the parts, apart from each other.
    draw : ndarray of int of shape (n_train,)
        π(i) of the training rows; modulo K it is the fold in the released code.
    """

    train: Rows
    validation: Rows
    test: Rows
    draw: Rows


@dataclass(frozen=True, eq=False)
class Photographs:
    """Images, and the rules by which they are divided.

    Parameters
    ----------
    name : str
        The data set.
    about : str
        What a reader of numbers must know of it.
    X, y : ndarray of shape (n, c, h, w) and (n,)
        All images as bytes, and their classes.
    pool : ndarray of int
        Rows that a division is drawn from.
    test : ndarray of int
        Rows that judge in every division; none where it draws those, too.
    sizes : tuple of int
        Rows to learn from, to choose by and to judge by.
    """

    name: str
    about: str
    X: Pixels
    y: Rows
    pool: Rows
    test: Rows
    sizes: tuple[int, int, int]

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return int(self.y.max()) + 1

    @property
    def shares_test(self) -> bool:
        """Whether all divisions have the same test rows."""
        return len(self.test) > 0

    @property
    def ratio(self) -> float:
        """Test over training rows where each division draws its own, else 0."""
        return 0.0 if self.shares_test else self.sizes[2] / self.sizes[0]

    def content(self) -> str:
        """Return what tells these images from others of the same name."""
        return content(self.X, self.y, self.pool, self.test, np.array(self.sizes))

    def part(self, rows: Rows) -> Part:
        """Return some of the images."""
        return Part(self.X[rows], self.y[rows])

    def sides(self, seed: int) -> Sides:
        """Return the division of a seed.

        Parameters
        ----------
        seed : int
            That of the paper gives the division of the published protocol.

        Returns
        -------
        Sides
        """
        import torch

        lot = torch.Generator().manual_seed(seed)
        draw = torch.randperm(len(self.pool), generator=lot).numpy()
        n_train, n_validation, n_test = self.sizes
        last = n_train + n_validation
        test = self.test if self.shares_test else self.pool[draw[last : last + n_test]]
        return Sides(
            train=self.pool[draw[:n_train]],
            validation=self.pool[draw[n_train:last]],
            test=test,
            draw=draw[draw[:n_train]],
        )


def read_photographs(study: ImageStudy, data: str | None = None) -> Photographs:
    """Return CIFAR-10, or small pictures of digits where a trial has no files.

    Parameters
    ----------
    study : ImageStudy
        The experiment: how many images a trial takes.
    data : path or None, default=None
        Folder of the files; None takes the environment variable ``SEMIKD_DATA``, or
        for a trial, where that has none, pictures that come with scikit-learn.

    Returns
    -------
    Photographs

    Raises
    ------
    ValueError
        If ``data`` is no folder, or there are no files and they are needed.
    """
    if data is not None and not Path(data).is_dir():
        raise invalid("--data", f"be a folder for {study.name}", str(data))
    try:
        found = load_dataset("cifar10", data_home=data)
    except FileNotFoundError as missing:
        if study.rows is None or data is not None:
            said = str(missing).replace("data_home", "--data")
            raise ValueError(said) from None
        return _digits(study.rows)
    images = np.ascontiguousarray(np.asarray(found.X).transpose(0, 3, 1, 2))
    pool = np.asarray(found.extra["train_index"])
    test = np.asarray(found.extra["test_index"])
    sizes = study.rows or (len(pool) - _VALIDATION, _VALIDATION, len(test))
    kept = np.random.default_rng(PAPER_SEED).permutation(test)[: sizes[2]]
    return Photographs(
        name="cifar10",
        about=found.description,
        X=images,
        y=np.asarray(found.y),
        pool=pool,
        test=np.sort(kept),
        sizes=sizes,
    )


def _digits(sizes: tuple[int, int, int]) -> Photographs:
    """Return handwritten digits of 8 x 8 pixels as bytes of three channels."""
    found: Any = load_dataset("digits")
    pixels = (15 * found.numeric().reshape(-1, 1, 8, 8)).astype(np.uint8)
    return Photographs(
        name="digits",
        about=(
            "Handwritten digits of 8 x 8 pixels that come with scikit-learn stand in "
            "for photographs: they show that the commands run, and nothing else."
        ),
        X=np.repeat(pixels, 3, axis=1),
        y=np.asarray(found.y),
        pool=np.arange(len(pixels)),
        test=np.arange(0),
        sizes=sizes,
    )
