"""A second-order solver on all rows at once, for small networks and exact answers."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize as scipy_minimize
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector

from semikd.nets.training import Epoch, diverged

ScalarObjective = Callable[[Tensor, Tensor], Tensor]


FloatArray = NDArray[np.float64]


def minimize(
    module: nn.Module,
    inputs: Tensor,
    objective: ScalarObjective,
    *,
    weight_decay: float = 0.0,
    max_iter: int = 1000,
) -> tuple[tuple[Epoch, ...], float]:
    r"""Fit a module in place by L-BFGS to the objective on all rows plus the penalty.

    .. math:: \text{objective} + \tfrac\lambda2 \|W\|^2

    The search ends where the gradient vanishes to rounding, or where no step along it
    makes progress any more.

    Parameters
    ----------
    module : torch.nn.Module
        The network, on the device of the inputs.
    inputs : Tensor of shape (n, ...)
        All rows.
    objective : callable
        Scores (n, m) and rows (n,) to the scalar to be minimised.
    weight_decay : float, default=0.0
        :math:`\lambda`, the penalty on the weights; biases are free.
    max_iter : int, default=1000
        Most iterations.

    Returns
    -------
    history : tuple of Epoch
        One entry for each iteration, its loss without the penalty.
    gradient : float
        Largest entry of the final gradient in absolute value.

    Raises
    ------
    ValueError
        If the loss is no longer finite.

    References
    ----------
    .. [1] R. H. Byrd, P. Lu, J. Nocedal and C. Zhu, "A Limited Memory Algorithm for
       Bound Constrained Optimization", SIAM Journal on Scientific Computing, 1995.

    Examples
    --------
    >>> import torch
    >>> from semikd.nets import minimize, mlp
    >>> x = torch.linspace(-1, 1, 20, dtype=torch.float64)[:, None]
    >>> line = mlp(1, (), 1, dtype=torch.float64)
    >>> history, gradient = minimize(line, x, lambda f, _: ((f - 2 * x) ** 2).mean())
    >>> round(line[0].weight.item(), 6), gradient < 1e-8
    (2.0, True)
    """
    problem = _Problem(module, inputs, objective, weight_decay)
    history: list[Epoch] = []

    def note(_: FloatArray) -> None:
        history.append(Epoch(len(history) + 1, problem.loss, None))

    found: Any = scipy_minimize(
        problem,
        parameters_to_vector(module.parameters()).detach().cpu().double().numpy(),
        jac=True,
        method="L-BFGS-B",
        callback=note,
        options={
            "maxiter": max_iter,
            "maxfun": 20 * max_iter,
            "maxcor": 20,
            "maxls": 50,
            "gtol": 1e-12,
            "ftol": 0.0,
        },
    )
    problem.place(found.x)
    module.eval()
    return tuple(history), float(np.abs(found.jac).max())


class _Problem:
    """The penalised objective and its gradient at a vector of all parameters."""

    def __init__(
        self,
        module: nn.Module,
        inputs: Tensor,
        objective: ScalarObjective,
        weight_decay: float,
    ) -> None:
        self.module, self.inputs, self.objective = module, inputs, objective
        self.weight_decay = weight_decay
        self.rows = torch.arange(len(inputs), device=inputs.device)
        self.loss = float("nan")
        module.train()

    def __call__(self, theta: FloatArray) -> tuple[float, FloatArray]:
        self.place(theta)
        parameters = list(self.module.parameters())
        loss = self.objective(self.module(self.inputs), self.rows)
        squares = sum((weight**2).sum() for weight in _decayed(self.module))
        total = loss + 0.5 * self.weight_decay * squares
        gradient = parameters_to_vector(torch.autograd.grad(total, parameters))
        self.loss = loss.item()
        if not np.isfinite(self.loss):
            raise diverged(f"{self.loss} at a step of L-BFGS")
        return total.item(), gradient.cpu().double().numpy()

    def place(self, theta: FloatArray) -> None:
        """Copy a vector into the parameters of the module."""
        parameters = list(self.module.parameters())
        parts = torch.from_numpy(theta).split([p.numel() for p in parameters])
        with torch.no_grad():
            for parameter, part in zip(parameters, parts, strict=True):
                parameter.copy_(part.view_as(parameter))


def _decayed(module: nn.Module) -> list[nn.Parameter]:
    """Return the parameters under the penalty: weights, which have two axes or more."""
    return [parameter for parameter in module.parameters() if parameter.ndim > 1]
