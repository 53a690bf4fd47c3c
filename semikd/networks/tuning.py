"""A fitted network tuned as a teacher: what its pupils are taught, and judged by."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from semikd import nets
from semikd.losses import CrossEntropyLoss
from semikd.nets.pilots import PilotEpoch, PilotOptions, tune_by_pilots
from semikd.networks.architectures import as_architecture
from semikd.networks.estimator import NetworkEstimator
from semikd.networks.options import NetworkOptions
from semikd.simplex import FloatArray


def tune_as_teacher(
    network: NetworkEstimator,
    pupil: Any,
    X: Any,
    target: FloatArray,
    weights: FloatArray,
    *,
    sides: tuple[NDArray[np.intp], NDArray[np.intp]],
    options: PilotOptions,
    temperature: float,
    hard_weight: float,
    seeds: list[int],
) -> tuple[PilotEpoch, ...]:
    """Tune a fitted network in place, beside a pupil that starts anew.

    Parameters
    ----------
    network : NetworkEstimator
        The teacher.
    pupil : architecture, sequence of int or callable
        What its pupil is built like.
    X : array-like
        All rows.
    target : ndarray of shape (n, m)
        Labels on the scale of cross-entropy.
    weights : ndarray of shape (n,)
        Weights of the rows.
    sides : pair of ndarray of int
        Rows that are taught, and rows of quizzes.
    options : PilotOptions
        How both step.
    temperature, hard_weight : float
        Of the loss that the pupil is taught by.
    seeds : list of int
        Of the pupil, and of the batches.

    Returns
    -------
    tuple of PilotEpoch
    """
    known = NetworkOptions.of(network)
    device, dtype = nets.find_device(known.device), nets.find_dtype(known.dtype)
    shape, m = network.encoding_.shape, target.shape[1]
    build = as_architecture(pupil).build
    built = nets.seeded(lambda: build(shape, m, dtype), seeds[0])
    module = network.module_.to(device, dtype)

    def tensor(array: Any) -> Tensor:
        return torch.as_tensor(np.asarray(array), dtype=dtype, device=device)

    lesson = _Lesson(tensor(target), tensor(weights), temperature, hard_weight)
    taught, quiz = (torch.from_numpy(rows).to(device) for rows in sides)
    history = tune_by_pilots(
        module,
        built.to(device),
        tensor(network.encoding_.encode(X)),
        taught,
        quiz,
        taught=lesson.taught,
        judged=lesson.judged,
        options=options,
        seed=seeds[1],
    )
    network.module_ = module.cpu()
    return history


class _Lesson:
    """The losses of pupils: what they are taught, and what quizzes say of them."""

    def __init__(
        self,
        target: Tensor,
        weights: Tensor,
        temperature: float,
        hard_weight: float,
    ) -> None:
        self.target, self.weights = target, weights
        self.soft = CrossEntropyLoss(temperature)
        self.hard_weight = hard_weight

    def taught(self, pupil: Tensor, teacher: Tensor, rows: Tensor) -> Tensor:
        """Return the mean loss of what the teacher says, mixed with the labels'."""
        # The very softmax of scores over T: powers of probabilities are cut off at 0.
        own = CrossEntropyLoss().probabilities(teacher / self.soft.temperature)
        target = own if pupil.shape[-1] > 1 else own[..., 1:]
        soft = self.soft.temperature**2 * self.soft.value(pupil, target)
        hard = CrossEntropyLoss().value(pupil, self.target[rows])
        mixed = (1.0 - self.hard_weight) * soft + self.hard_weight * hard
        return self._mean(mixed, rows)

    def judged(self, pupil: Tensor, rows: Tensor) -> Tensor:
        """Return the mean loss of labels."""
        return self._mean(CrossEntropyLoss().value(pupil, self.target[rows]), rows)

    def _mean(self, losses: Tensor, rows: Tensor) -> Tensor:
        """Return a mean by the weights of the rows."""
        w = self.weights[rows]
        return (w * losses).sum() / w.sum()
