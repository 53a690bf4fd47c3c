"""A multilayer perceptron as arrays: the forward pass without torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from semikd._validation import Shown, check_shape, invalid
from semikd.artifact.arrays import (
    LARGEST_SCORE,
    Arrays,
    StudentArrays,
    check_finite,
    compact_float,
    float_rows,
)
from semikd.simplex import FloatArray

__all__ = ["NetworkArrays"]

_MAX_LAYERS = 64
_LARGEST_INPUT = float(np.finfo(np.float32).max)


@dataclass(frozen=True, eq=False)
class NetworkArrays(StudentArrays):
    r"""Standardised columns, then linear layers with SiLU units in between.

    .. math:: h_0 = (x - \text{mean}) / \text{scale}, \qquad
       h_{l} = \operatorname{silu}(W_l h_{l-1} + b_l), \qquad f = W_L h_{L-1} + b_L

    with :math:`\operatorname{silu}(z) = z / (1 + e^{-z})`. Without hidden layers the
    scores are linear. As in the student, all is computed in float64.

    Parameters
    ----------
    mean, scale : ndarray of float64 of shape (d,)
        What standardises the columns.
    weights : tuple of ndarray of shape (units, inputs)
        :math:`W_l`, in the format of the training (float32 or float64).
    biases : tuple of ndarray of shape (units,)
        :math:`b_l`.

    Raises
    ------
    ValueError
        If the shapes do not agree, a number is not finite, a scale not positive, or
        scores could leave the range of float64.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.artifact import NetworkArrays
    >>> one = np.ones((1, 1))
    >>> network = NetworkArrays(one[0], one[0], (one, one), (0 * one[0], 0 * one[0]))
    >>> network.scores([[2.0]]).round(3)
    array([[0.731]])
    """

    mean: FloatArray
    scale: FloatArray
    weights: tuple[NDArray[Any], ...]
    biases: tuple[NDArray[Any], ...]
    kind: ClassVar[str] = "network"

    def __post_init__(self) -> None:
        if not 1 <= len(self.weights) == len(self.biases) <= _MAX_LAYERS:
            shown = Shown(f"{len(self.weights)} and {len(self.biases)}")
            constraint = f"be as many, between 1 and {_MAX_LAYERS}"
            raise invalid("weights and biases", constraint, shown)
        check_shape("mean", self.mean, (None,))
        check_shape("scale", self.scale, (len(self.mean),))
        width = len(self.mean)
        for at, (weight, bias) in enumerate(
            zip(self.weights, self.biases, strict=True)
        ):
            check_shape(f"bias_{at}", bias, (None,))
            check_shape(f"weight_{at}", weight, (len(bias), width))
            if not weight.size:
                raise invalid(f"weight_{at}", "not be empty", Shown(str(weight.shape)))
            width = len(bias)
        self._check_range()

    def _check_range(self) -> None:
        """Refuse numbers by which a score could leave the range of float64."""
        for name in ("mean", "scale"):
            check_finite(name, getattr(self, name))
        if not (self.scale > 0).all():
            raise invalid("scale", "be positive", Shown("others"))
        # |silu(z)| <= |z|, so that row sums of absolute weights bound each layer. Plain
        # floats, since numpy would warn of the overflow that is looked for.
        largest = _LARGEST_INPUT + float(np.abs(self.mean).max())
        bound = largest / min(1.0, float(self.scale.min()))
        for at, (weight, bias) in enumerate(
            zip(self.weights, self.biases, strict=True)
        ):
            check_finite(f"weight_{at}", weight)
            check_finite(f"bias_{at}", bias)
            entry = float(np.abs(weight).max()) * weight.shape[1]
            bound = entry * bound + float(np.abs(bias).max())
            if bound > LARGEST_SCORE:
                constraint = "keep every score finite"
                raise invalid(f"weight_{at}", constraint, Shown("larger weights"))

    @property
    def n_features(self) -> int:  # type: ignore[override]
        """Number of columns d."""
        return len(self.mean)

    @property
    def n_outputs(self) -> int:  # type: ignore[override]
        """Number of scores m."""
        return len(self.biases[-1])

    @property
    def n_coefficients(self) -> int:
        """Number of weights and biases."""
        return sum(part.size for part in (*self.weights, *self.biases))

    @property
    def bare_bytes(self) -> int:
        """Bytes of parameters in the format of the training, mean and scale as float64.

        That is 4 bytes for each weight and bias of a network trained in float32.
        """
        parts = (self.mean, self.scale, *self.weights, *self.biases)
        return sum(part.nbytes for part in parts)

    @cached_property
    def _layers(self) -> list[tuple[FloatArray, FloatArray]]:
        """The layers in float64, weights with one column for each unit."""
        return [
            (np.ascontiguousarray(weight.T, dtype=np.float64), bias.astype(np.float64))
            for weight, bias in zip(self.weights, self.biases, strict=True)
        ]

    def scores(self, features: Any) -> FloatArray:
        """Return the scores of rows, shape (n, m)."""
        rows = float_rows(features, self.n_features, np.float64)
        hidden = (rows - self.mean) / self.scale
        *before, (weight, bias) = self._layers
        for inner_weight, inner_bias in before:
            hidden = _silu(hidden @ inner_weight + inner_bias)
        return np.asarray(hidden @ weight + bias)

    def describe(self) -> dict[str, Any]:
        """Return the number of coefficients and the units of each hidden layer."""
        hidden = [len(bias) for bias in self.biases[:-1]]
        return {"coefficients": self.n_coefficients, "hidden_layers": hidden}

    def to_arrays(self) -> Arrays:
        """Return the standardisation and the layers by number."""
        layers = {
            name: part
            for at, (weight, bias) in enumerate(
                zip(self.weights, self.biases, strict=True)
            )
            for name, part in ((f"weight_{at}", weight), (f"bias_{at}", bias))
        }
        moments = {"mean": compact_float(self.mean), "scale": compact_float(self.scale)}
        return moments | layers

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], n_features: int) -> Self:
        """Return the network of saved arrays; ``ValueError`` if they make none."""
        mean, scale = (arrays[name].astype(np.float64) for name in ("mean", "scale"))
        check_shape("mean", mean, (n_features,))
        n_layers = sum(name.startswith("weight_") for name in arrays)
        return cls(
            mean,
            scale,
            tuple(arrays[f"weight_{at}"] for at in range(n_layers)),
            tuple(arrays[f"bias_{at}"] for at in range(n_layers)),
        )


def _silu(z: FloatArray) -> FloatArray:
    """Return z times its logistic, which as a hyperbolic tangent cannot overflow."""
    return np.asarray(0.5 * z * (1.0 + np.tanh(0.5 * z)))
