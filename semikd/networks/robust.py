r"""What a network is fitted to where inputs are moved against it, for the engine.

Notes
-----
Letters: ``f`` scores of the inputs, ``f~`` of the moved ones, both (1, b, m); ``p`` the
teacher's probabilities; ``q`` the outcome, or what is believed of it, (n, k); ``a`` how
far the teacher is trusted, (1, b).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from semikd import nets
from semikd.losses import DistillationLoss
from semikd.networks.attack import Attack
from semikd.networks.tables import TableEncoding
from semikd.simplex import FloatArray, log_softmax, two_scores

if TYPE_CHECKING:
    from semikd.networks.fitting import Task


@dataclass(frozen=True, eq=False)
class Attacked:
    """Against what a network holds its answers, and how far its teacher is trusted.

    Parameters
    ----------
    attack : Attack
        How inputs are moved.
    belief : ndarray of shape (n, k)
        One-hot outcomes; of a row without one the teacher's probabilities.
    labels : ndarray of shape (n, k)
        The teacher's probabilities.
    power : float
        Power of the trust.
    warmup : int
        Epochs in which the teacher is trusted wholly.
    """

    attack: Attack
    belief: FloatArray
    labels: FloatArray
    power: float
    warmup: int

    @property
    def words(self) -> str:
        """All but the arrays, as text."""
        return repr((self.attack.get_params(), self.power, self.warmup))


def trust(p: Tensor, q: Tensor, power: float) -> Tensor:
    r"""Return how far the teacher is trusted in each row, shape (...).

    .. math:: a = \sum_j q_j\, p_j^{\,\beta}

    which is :math:`p_y^\beta` for an outcome y, and its mean by the teacher's own
    belief where q is p.

    Parameters
    ----------
    p, q : Tensor of shape (..., k)
        Probabilities of the teacher, and the outcome or what is believed of it.
    power : float
        :math:`\beta`; 0 is full trust.

    Examples
    --------
    >>> import torch
    >>> from semikd.networks.robust import trust
    >>> p = torch.tensor([0.25, 0.75])
    >>> trust(p, torch.tensor([1.0, 0.0]), 0.5), trust(p, p, 1.0)
    (tensor(0.5000), tensor(0.6250))
    """
    return (q * p.clamp(min=0.0) ** power).sum(dim=-1)


def divergence(f: Tensor, other: Tensor) -> Tensor:
    r"""Return :math:`\mathrm{KL}(S(f) \,\|\, S(\tilde f))` of scores, in nats.

    Parameters
    ----------
    f, other : Tensor of shape (..., m)
        Scores; a single one is the log-odds of two classes.

    Returns
    -------
    Tensor of shape (...)

    Examples
    --------
    >>> import torch
    >>> from semikd.networks.robust import divergence
    >>> divergence(torch.tensor([0.0]), torch.tensor([0.0]))
    tensor(0.)
    """
    log_s, log_moved = (log_softmax(two_scores(each)) for each in (f, other))
    found: Tensor = (log_s.exp() * (log_s - log_moved)).sum(dim=-1)
    return found


def surprise(f: Tensor, q: Tensor) -> Tensor:
    r"""Return the cross-entropy :math:`-\sum_j q_j \log S_j(f)` of scores, (...).

    Examples
    --------
    >>> import torch
    >>> from semikd.networks.robust import surprise
    >>> surprise(torch.tensor([0.0]), torch.tensor([0.0, 1.0]))
    tensor(0.6931)
    """
    found: Tensor = -(q * log_softmax(two_scores(f))).sum(dim=-1)
    return found


def balls(attack: Attack, encoding: Any, like: Tensor) -> Callable[[Tensor], nets.Ball]:
    """Return where encoded rows (..., *row) may be moved to; what is missing stays.

    Parameters
    ----------
    attack : Attack
        How far.
    encoding : TableEncoding or ImageEncoding
        What the numbers of a row are.
    like : Tensor
        Gives device and format.
    """
    radius, low, high = (
        torch.as_tensor(part, device=like.device, dtype=like.dtype)
        for part in attack.box(encoding)
    )
    is_table = isinstance(encoding, TableEncoding)
    gaps = list(encoding.layout.gaps) if is_table else []
    n = len(encoding.mean)

    def ball(inputs: Tensor) -> nets.Ball:
        if not gaps:
            return nets.Ball(radius, low, high)
        own = radius.expand_as(inputs).clone()
        own[..., gaps] *= 1.0 - inputs[..., n : n + len(gaps)]
        return nets.Ball(own, low, high)

    return ball


class RobustLoss:
    r"""The loss of rows that are moved against the network, (1, b), for one task.

    .. math:: a\, \ell(\tilde f; \tau) + (1 - a)\, \mathrm{KL}(S(f) \,\|\, S(\tilde f))

    Parameters
    ----------
    task : Task
        What is fitted.
    taught : callable
        Scores and their batch to the loss of each row at its target.
    device, dtype : torch.device and torch.dtype
        Where scores are, and their format.
    """

    def __init__(
        self,
        task: "Task",
        taught: nets.Objective,
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        assert task.attacked is not None  # noqa: S101 - who makes it looked
        self._given, self._taught = task.attacked, taught
        self._p, self._q = (
            torch.tensor(each, device=device, dtype=dtype)
            for each in (task.attacked.labels, task.attacked.belief)
        )
        self._ball = balls(task.attacked.attack, task.encoding, self._p)
        self._relabel = None
        if task.online is not None:
            says = replace(task.online, target=lambda p, rows: p)
            self._relabel = says.bound(task.encoding, device)

    def __call__(self, scores: Tensor, batch: nets.Batch) -> Tensor:
        """Return the loss of each row; of rows that nobody moves that of the target."""
        if batch.live is None:
            return self._taught(scores, batch)
        shown, moved = batch, scores
        if self._given.attack.epsilon:
            shown = replace(batch, inputs=self._worst(batch, batch.live))
            moved = batch.live.scores(shown.inputs)
        taught = self._taught(moved, shown)
        if not self._given.power or batch.live.epochs[0] < self._given.warmup:
            return taught
        a = self._trust(shown)
        return a * taught + (1.0 - a) * divergence(scores, moved)

    def _worst(self, batch: nets.Batch, live: nets.Live) -> Tensor:
        """Return the inputs of a batch, moved against the network as it is."""
        attack, q = self._given.attack, self._q[batch.rows]
        start = live.uniform(batch.inputs) if attack.random_start else None
        *_, worst = nets.perturbations(
            lambda inputs: surprise(live.settled_scores(inputs), q),
            batch.inputs,
            self._ball(batch.inputs),
            stride=attack.stride,
            n_steps=attack.n_steps,
            start=start,
        )
        return worst

    def _trust(self, shown: nets.Batch) -> Tensor:
        """Return how far the teacher is trusted, by its answer at what is shown."""
        p = self._p[shown.rows]
        if self._relabel is not None:
            p = self._relabel(shown.inputs[0], shown.rows[0])[None]
        return trust(p, self._q[shown.rows], self._given.power)


def answers_of(target: FloatArray, loss: DistillationLoss) -> FloatArray:
    """Return the probabilities that targets of cross-entropy name, shape (n, k).

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.losses import CrossEntropyLoss
    >>> from semikd.networks.robust import answers_of
    >>> answers_of(np.array([[0.25], [1.5]]), CrossEntropyLoss())
    array([[0.75, 0.25],
           [0.  , 1.  ]])
    """
    p = target[:, : loss.n_scores(target)].clip(0.0, 1.0)
    if p.shape[1] == 1:
        return np.hstack([1.0 - p, p])
    return np.asarray(p / p.sum(axis=1, keepdims=True))
