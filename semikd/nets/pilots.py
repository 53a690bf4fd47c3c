r"""A network that is tuned by what another learns from it: pilot steps and quizzes.

A pilot is a copy of the pupil that takes one step along the gradient of what it is
taught. What the pilot then scores on quiz rows depends on the teacher through that
step alone,

.. math:: \nabla_T\, Q\bigl(S - \eta \nabla_S L(S, T)\bigr)
   = -\eta\, \bigl(\nabla_T \nabla_S L\bigr)^\top \nabla Q(S'),

and this mixed derivative is what the teacher descends along. The pilot is thrown away,
and the pupil takes the same batch from the better teacher.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call

from semikd.nets.lending import lent_to_torch
from semikd.nets.training import diverged

__all__ = ["PilotEpoch", "PilotOptions", "Taught", "pilot_gradient", "tune_by_pilots"]

# Scores of the pupil and of the teacher and their rows, to the mean loss.
Taught = Callable[[Tensor, Tensor, Tensor], Tensor]
# Scores and their rows to the mean loss.
Judged = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class PilotOptions:
    """How teacher and pupil step.

    Parameters
    ----------
    n_epochs : int
        Passes over the rows that are taught.
    batch_size : int
        Most rows of a batch, and of a quiz.
    pupil_rate, teacher_rate : float
        Step sizes; the pilot steps as far as the pupil.
    momentum, weight_decay : float
        Of the plain gradient steps of both; the pilot has neither.

    Examples
    --------
    >>> from semikd.nets.pilots import PilotOptions
    >>> PilotOptions(n_epochs=2, batch_size=64, pupil_rate=0.05).teacher_rate
    0.05
    """

    n_epochs: int
    batch_size: int
    pupil_rate: float = 0.05
    teacher_rate: float = 0.05
    momentum: float = 0.9
    weight_decay: float = 5e-4


@dataclass(frozen=True)
class PilotEpoch:
    """One pass: its number, and the mean losses of what is taught and of the quizzes.

    Examples
    --------
    >>> from semikd.nets.pilots import PilotEpoch
    >>> PilotEpoch(1, 0.5, 0.6).quiz
    0.6
    """

    epoch: int
    taught: float
    quiz: float


def pilot_gradient(
    teacher: nn.Module,
    pupil: nn.Module,
    inputs: Tensor,
    batch: Tensor,
    quiz: Tensor,
    *,
    taught: Taught,
    judged: Judged,
    rate: float,
) -> tuple[list[Tensor], float]:
    r"""Return how the teacher changes what a pilot of its pupil scores on a quiz.

    Parameters
    ----------
    teacher, pupil : torch.nn.Module
        Both stay as they are.
    inputs : Tensor of shape (n, ...)
        All rows.
    batch, quiz : Tensor of int
        Rows that the pilot is taught, and rows that judge it.
    taught : callable
        Scores of pupil and teacher (b, m) and their rows to the mean loss.
    judged : callable
        Scores (b, m) and their rows to the mean loss.
    rate : float
        :math:`\eta`; at 0 the gradient is 0.

    Returns
    -------
    gradient : list of Tensor
        One for each parameter of the teacher.
    loss : float
        That of the quiz.

    Examples
    --------
    >>> import torch
    >>> from semikd.nets import mlp
    >>> from semikd.nets.pilots import pilot_gradient
    >>> x = torch.ones((2, 1), dtype=torch.float64)
    >>> teacher, pupil = (mlp(1, (), 1, dtype=torch.float64) for _ in range(2))
    >>> _ = [torch.nn.init.zeros_(p) for n in (teacher, pupil) for p in n.parameters()]
    >>> gradient, loss = pilot_gradient(
    ...     teacher,
    ...     pupil,
    ...     x,
    ...     torch.tensor([0]),
    ...     torch.tensor([1]),
    ...     taught=lambda s, t, rows: 0.5 * (s - t).square().mean(),
    ...     judged=lambda s, rows: 0.5 * (s - 1.0).square().mean(),
    ...     rate=0.1,
    ... )
    >>> [round(g.item(), 3) for g in gradient], loss
    ([-0.2, -0.2], 0.5)
    """
    start = dict(pupil.named_parameters())
    own = list(teacher.parameters())
    lesson = taught(pupil(inputs[batch]), teacher(inputs[batch]), batch)
    moves = torch.autograd.grad(lesson, list(start.values()), create_graph=True)
    pilot = {
        name: value - rate * move
        for (name, value), move in zip(start.items(), moves, strict=True)
    }
    risk = judged(functional_call(pupil, pilot, (inputs[quiz],)), quiz)
    found = torch.autograd.grad(risk, own, materialize_grads=True)
    return list(found), float(risk.detach())


def tune_by_pilots(
    teacher: nn.Module,
    pupil: nn.Module,
    inputs: Tensor,
    learning: Tensor,
    quiz: Tensor,
    *,
    taught: Taught,
    judged: Judged,
    options: PilotOptions,
    seed: int,
) -> tuple[PilotEpoch, ...]:
    """Tune a teacher, in place, beside a pupil that learns from it, in place too.

    Parameters
    ----------
    teacher, pupil : torch.nn.Module
        On the device of the inputs.
    inputs : Tensor of shape (n, ...)
        All rows.
    learning, quiz : Tensor of int
        Rows that are taught, and rows that judge pilots; none is both.
    taught, judged : callable
        As in ``pilot_gradient``.
    options : PilotOptions
        How both step.
    seed : int
        Seed of the batches, the quizzes and of dropout.

    Returns
    -------
    tuple of PilotEpoch

    Raises
    ------
    ValueError
        If a loss is no longer finite.

    References
    ----------
    .. [1] W. Zhou, C. Xu and J. McAuley, "BERT Learns to Teach: Knowledge Distillation
       with Meta Learning", ACL 2022; the order of the three steps is that of its
       released code.

    Examples
    --------
    >>> import torch
    >>> from semikd.nets import mlp
    >>> from semikd.nets.pilots import PilotOptions, tune_by_pilots
    >>> x = torch.linspace(-1, 1, 8)[:, None]
    >>> epochs = tune_by_pilots(
    ...     mlp(1, (), 1),
    ...     mlp(1, (), 1),
    ...     x,
    ...     torch.arange(6),
    ...     torch.arange(6, 8),
    ...     taught=lambda s, t, rows: (s - t).square().mean(),
    ...     judged=lambda s, rows: (s - x[rows]).square().mean(),
    ...     options=PilotOptions(n_epochs=2, batch_size=4),
    ...     seed=0,
    ... )
    >>> len(epochs)
    2
    """
    generator = torch.Generator().manual_seed(seed)
    steps = [
        _optimizer(network.train(), rate, options)
        for network, rate in (
            (teacher, options.teacher_rate),
            (pupil, options.pupil_rate),
        )
    ]
    quizzes = _Quizzes(quiz, options.batch_size, generator)

    def learn(batch: Tensor) -> tuple[float, float]:
        gradient, risk = pilot_gradient(
            teacher,
            pupil,
            inputs,
            batch,
            quizzes.draw(),
            taught=taught,
            judged=judged,
            rate=options.pupil_rate,
        )
        _step(steps[0], teacher, gradient)
        with torch.no_grad():
            said = teacher(inputs[batch])
        lesson = taught(pupil(inputs[batch]), said, batch)
        _step(steps[1], pupil, torch.autograd.grad(lesson, list(pupil.parameters())))
        return float(lesson.detach()), risk

    history, noise = [], torch.Generator(inputs.device).manual_seed(seed)
    for epoch in range(1, options.n_epochs + 1):
        batches = _batches(learning, options.batch_size, generator)
        with lent_to_torch(noise):
            means = torch.tensor([learn(batch) for batch in batches]).mean(dim=0)
        if not means.isfinite().all():
            raise diverged(f"{means.tolist()} in epoch {epoch}")
        history.append(PilotEpoch(epoch, *means.tolist()))
    _ = teacher.eval(), pupil.eval()
    return tuple(history)


def _optimizer(
    network: nn.Module, rate: float, options: PilotOptions
) -> torch.optim.Optimizer:
    """Return plain gradient steps with momentum and decay."""
    return torch.optim.SGD(
        network.parameters(),
        lr=rate,
        momentum=options.momentum,
        weight_decay=options.weight_decay,
    )


def _step(
    optimizer: torch.optim.Optimizer, network: nn.Module, gradient: Sequence[Tensor]
) -> None:
    """Let a network step along a gradient, and forget it."""
    for parameter, own in zip(network.parameters(), gradient, strict=True):
        parameter.grad = own
    optimizer.step()
    optimizer.zero_grad()


def _batches(rows: Tensor, most: int, generator: torch.Generator) -> tuple[Tensor, ...]:
    """Return rows in a drawn order, in batches of nearly equal length."""
    # Drawn on the processor, so that the order is the same on every device.
    order = torch.randperm(len(rows), generator=generator).to(rows.device)
    return torch.tensor_split(rows[order], -(-len(rows) // most))


class _Quizzes:
    """Quiz rows in batches, again and again."""

    def __init__(self, rows: Tensor, most: int, generator: torch.Generator) -> None:
        self.rows, self.most, self.generator = rows, most, generator
        self._left: list[Tensor] = []

    def draw(self) -> Tensor:
        """Return the rows of the next quiz."""
        self._left = self._left or list(_batches(self.rows, self.most, self.generator))
        return self._left.pop()
