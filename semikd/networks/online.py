"""Labels made while the student trains: the teacher sees the very pixels it sees.

When images are shifted or flipped at random, a label that was made beforehand is one
for another picture. Here the networks of the fold that held a row out label the rows as
they are shown.
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semikd._validation import Shown, invalid, wrong_type
from semikd.losses import CrossEntropyLoss
from semikd.networks.estimator import NetworkEstimator
from semikd.simplex import FloatArray

if TYPE_CHECKING:
    import torch
    from torch import Tensor

__all__ = ["OnlineTargets"]

Relabel = Callable[["Tensor", "Tensor"], "Tensor"]
Labeller = Callable[["Tensor"], "Tensor"]


@dataclass(frozen=True, eq=False)
class OnlineTargets:
    r"""Targets of rows as they are shown, from fold teachers that did not see the row.

    .. math:: \tau_i = \frac1r \sum_r T\bigl(\hat p^{(-t_r(i))}(\tilde x_i), i\bigr)

    with :math:`\tilde x_i` the augmented row and T what turns probabilities into a
    target. On rows that are not augmented these are the cached targets.

    Parameters
    ----------
    teachers : sequence of sequences of NetworkEstimator
        Fold teachers of each repeat.
    fold : ndarray of int of shape (r, n)
        Fold of each of the student's rows.
    target : callable
        Probabilities (b, k) and positions (b,) to targets (b, m).

    Raises
    ------
    TypeError
        If a teacher is no network.
    ValueError
        If a row was held out by no teacher.

    References
    ----------
    .. [1] T. Dao, G. M. Kamath, V. Syrgkanis and L. Mackey, "Knowledge Distillation as
       Semiparametric Inference", ICLR 2021 (the CIFAR experiments label augmented
       images so; the paper does not say how, this form is the library's).

    Examples
    --------
    >>> import numpy as np
    >>> from semikd import cross_fit
    >>> from semikd.networks import OnlineTargets
    >>> from semikd.teachers import TorchClassifier
    >>> X = np.random.default_rng(0).normal(size=(40, 2))
    >>> teacher = TorchClassifier((4,), max_epochs=2, device="cpu")
    >>> record = cross_fit(teacher, X, X[:, 0] > 0, cv=4, random_state=0)
    >>> online = OnlineTargets(record.teachers, record.fold, lambda p, rows: p)
    >>> online.fold.shape
    (1, 40)
    """

    teachers: Sequence[Sequence[Any]]
    fold: NDArray[np.intp]
    target: Callable[[FloatArray, NDArray[np.intp]], FloatArray]

    def __post_init__(self) -> None:
        constraint = "be networks to label rows as they are shown"
        remedy = "Use TorchClassifier as teacher, or cached labels"
        refuse_no_networks(self.teachers, constraint, remedy)
        if (self.fold < 0).any():
            shown = Shown(f"{int((self.fold < 0).any(axis=0).sum())} in no fold")
            remedy = "Cross-fit with folds, or use cached labels"
            raise invalid("labels", "come from folds for every row", shown, remedy)

    def bound(self, encoding: Any, device: "torch.device") -> Relabel:
        """Return the targets of inputs that a student encoded, and their positions."""
        import torch

        each = [teacher for repeat in self.teachers for teacher in repeat]
        classes = np.unique(np.concatenate([teacher.classes_ for teacher in each]))
        sides = [
            [_labeller(teacher, encoding, classes, device) for teacher in repeat]
            for repeat in self.teachers
        ]
        folds = torch.from_numpy(self.fold).to(device)

        def relabel(inputs: "Tensor", rows: "Tensor") -> "Tensor":
            places = rows.cpu().numpy()
            targets = []
            with torch.no_grad():
                for repeat, fold in zip(sides, folds, strict=True):
                    p = _held_out_labels(repeat, inputs, fold[rows], len(classes))
                    targets.append(self.target(p.cpu().numpy(), places))
            found = np.mean(targets, axis=0)
            return torch.from_numpy(found).to(device, inputs.dtype)

        return relabel


def refuse_no_networks(
    teachers: Sequence[Sequence[Any]], constraint: str, remedy: str
) -> None:
    """Refuse teachers that are no networks, or of which none was kept."""
    each = [teacher for repeat in teachers for teacher in repeat]
    strange = [one for one in each if not isinstance(one, NetworkEstimator)]
    if strange or not each:
        kind = type(strange[0]).__name__ if strange else "none that was kept"
        raise wrong_type("teacher", constraint, Shown(kind), remedy)


def _labeller(
    teacher: NetworkEstimator,
    encoding: Any,
    classes: NDArray[Any],
    device: "torch.device",
) -> tuple[Labeller, "Tensor"]:
    """Return what gives rows a teacher's probabilities, and the classes it knows."""
    import torch

    from semikd.networks.recoding import recoder

    module = copy.deepcopy(teacher.module_).to(device)
    recoded = recoder(encoding, teacher.encoding_, device)
    dtype = next(module.parameters()).dtype
    loss = CrossEntropyLoss()

    def probabilities(inputs: "Tensor") -> "Tensor":
        found: Tensor = loss.probabilities(module(recoded(inputs).to(dtype)).double())
        return found

    known = torch.from_numpy(np.searchsorted(classes, teacher.classes_))
    return probabilities, known.to(device)


def _held_out_labels(
    teachers: Sequence[tuple[Labeller, "Tensor"]],
    inputs: "Tensor",
    fold: "Tensor",
    n_classes: int,
) -> "Tensor":
    """Return the probabilities of each row by the teacher of its fold, shape (b, k)."""
    p = inputs.new_zeros((len(inputs), n_classes)).double()
    for t, (probabilities, known) in enumerate(teachers):
        own = (fold == t).nonzero()[:, 0]
        if len(own):
            # A class that a teacher never saw has probability 0 in its labels.
            p[own[:, None], known] = probabilities(inputs[own])
    return p
