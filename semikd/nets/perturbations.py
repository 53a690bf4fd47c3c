r"""Inputs moved a little to where a network does worst: projected gradient ascent.

Notes
-----
Letters: ``x`` inputs, (M, b, ...); ``x~`` moved inputs, within :math:`|\tilde x - x|
\le \varepsilon` coordinate by coordinate and within a range of the inputs.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["Ball", "perturbations"]


@dataclass(frozen=True, eq=False)
class Ball:
    r"""How far each coordinate may be moved, and between which limits.

    Parameters
    ----------
    radius : Tensor
        :math:`\varepsilon` of each coordinate, at least 0, in a shape that inputs
        broadcast with; 0 holds a coordinate.
    low, high : Tensor
        Limits of each coordinate, infinite where there are none.

    Examples
    --------
    >>> import torch
    >>> from semikd.nets import Ball
    >>> ball = Ball(torch.tensor(0.5), torch.tensor(0.0), torch.tensor(1.0))
    >>> ball.nearest(torch.tensor([0.9, -3.0]), torch.tensor([0.2, 0.2]))
    tensor([0.7000, 0.0000])
    """

    radius: Tensor
    low: Tensor
    high: Tensor

    def nearest(self, moved: Tensor, x: Tensor) -> Tensor:
        """Return the nearest inputs that are allowed around x, of the same shape."""
        # Limits give way to inputs beyond them, which nobody has to move.
        low = torch.maximum(torch.minimum(self.low, x), x - self.radius)
        high = torch.minimum(torch.maximum(self.high, x), x + self.radius)
        return torch.minimum(torch.maximum(moved, low), high).detach()


def perturbations(
    losses: Callable[[Tensor], Tensor],
    x: Tensor,
    ball: Ball,
    *,
    stride: float,
    n_steps: int,
    start: Tensor | None = None,
) -> Iterator[Tensor]:
    r"""Yield inputs on their way to where losses are larger, the first before any step.

    .. math:: \tilde x \leftarrow \Pi\bigl\{\tilde x + s\, \varepsilon \odot
       \operatorname{sign} \nabla_{\tilde x}\, \ell(\tilde x)\bigr\}

    with the nearest allowed inputs :math:`\Pi`. On a linear score the first whole
    stride is the worst there is; otherwise it is a way up, and no maximum is promised.

    Parameters
    ----------
    losses : callable
        Inputs (M, b, ...) to the loss of each row, which other rows do not change.
    x : Tensor of shape (M, b, ...)
        Inputs.
    ball : Ball
        Where they may go.
    stride : float
        s, the length of a step as a share of the radius.
    n_steps : int
        Number of steps.
    start : Tensor of the shape of x, optional
        Where to start, in [-1, 1] radii from x; by default at x.

    Yields
    ------
    Tensor
        ``n_steps + 1`` times, of the shape of x.

    References
    ----------
    .. [1] A. Madry et al., "Towards Deep Learning Models Resistant to Adversarial
       Attacks", ICLR 2018, Section 2.1.

    Examples
    --------
    >>> import torch
    >>> from semikd.nets import Ball, perturbations
    >>> far = torch.tensor(torch.inf)
    >>> w, x = torch.tensor([2.0, -1.0]), torch.zeros(1, 1, 2)
    >>> ball = Ball(torch.tensor(0.1), -far, far)
    >>> list(perturbations(lambda x: x @ w, x, ball, stride=1.0, n_steps=1))[-1]
    tensor([[[ 0.1000, -0.1000]]])
    """
    moved = x.detach() if start is None else ball.nearest(x + ball.radius * start, x)
    yield moved
    for _ in range(n_steps):
        with torch.enable_grad():
            moved = moved.clone().requires_grad_()
            risk = losses(moved).sum()
        (slope,) = torch.autograd.grad(risk, moved, materialize_grads=True)
        moved = ball.nearest(moved.detach() + stride * ball.radius * slope.sign(), x)
        yield moved
