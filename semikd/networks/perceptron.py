"""The multilayer perceptron by its settings, for the rows of a table."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from semikd._validation import Shown, choose, count, invalid, number, wrong_type
from semikd.networks.base import Architecture
from semikd.networks.shapes import InputShape

if TYPE_CHECKING:
    from torch import nn

__all__ = ["MLP"]

_MOST_LAYERS = 256


class MLP(Architecture):
    r"""A multilayer perceptron for the rows of a table.

    Numbers, and for each category as many learned numbers as ``embedding_size`` says,
    go through hidden layers (linear, normalised if asked for, SiLU, dropout) and a last
    linear map. Without hidden layers the scores are linear, each category with a score
    of its own, and a convex loss has one minimum.

    Parameters
    ----------
    hidden_layer_sizes : sequence of int, default=(64, 64)
        Units of each hidden layer, 256 layers at most.
    dropout : float, default=0.0
        Chance of a hidden unit to be left out while training, in [0, 0.99].
    layer_norm : bool, default=False
        Whether the units of a layer are normalised, row by row, before they act.
    residual : bool, default=False
        Whether a skip leads around each layer that keeps the width.
    numeric : {'plain', 'periodic'}, default='plain'
        How numbers enter; 'periodic' turns each into learned waves of it, for functions
        that go up and down.
    embedding_size : int or 'auto', default='auto'
        Learned numbers for each category; 'auto' is :math:`\min(16,
        \operatorname{round}(1.6\, c^{0.56}))` for c categories.
    frequency_scale : float, default=0.1
        Standard deviation of the first frequencies of 'periodic'.

    Notes
    -----
    What stands for a category starts at zero: a category without training rows, such as
    one that a fold never saw, counts as the average of the others.

    References
    ----------
    .. [1] Y. Gorishniy, I. Rubachev and A. Babenko, "On Embeddings for Numerical
       Features in Tabular Deep Learning", NeurIPS 2022, Section 3.3.

    Examples
    --------
    >>> from semikd.networks import MLP
    >>> MLP((32,), dropout=0.1).get_params()["dropout"]
    0.1
    """

    name = "mlp"
    reads_images = False

    def __init__(
        self,
        hidden_layer_sizes: Sequence[int] = (64, 64),
        *,
        dropout: float = 0.0,
        layer_norm: bool = False,
        residual: bool = False,
        numeric: str = "plain",
        embedding_size: int | str = "auto",
        frequency_scale: float = 0.1,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.dropout = dropout
        self.layer_norm = layer_norm
        self.residual = residual
        self.numeric = numeric
        self.embedding_size = embedding_size
        self.frequency_scale = frequency_scale

    @property
    def is_linear(self) -> bool:
        """Whether there are neither hidden layers nor learned waves."""
        return not len(self.hidden_layer_sizes) and self.numeric == "plain"

    def check(self) -> None:
        """Refuse a setting that no network could have."""
        _check_widths(self.hidden_layer_sizes)
        number("dropout", self.dropout, low=0.0, high=0.99)
        _check_flag("layer_norm", self.layer_norm)
        _check_flag("residual", self.residual)
        choose("numeric", self.numeric, dict.fromkeys(("plain", "periodic")))
        if self.embedding_size != "auto":
            count("embedding_size", self.embedding_size, remedy="Or use 'auto'")
        number("frequency_scale", self.frequency_scale, low=0.0, open_low=True)

    def module(self, inputs: InputShape, n_outputs: int) -> "nn.Module":
        """Return a fresh network of default format, unchecked."""
        from torch import nn

        from semikd import nets
        from semikd.nets.hidden import hidden_layers
        from semikd.nets.tabular import LinearTable

        plain = self.numeric == "plain" and not inputs.categories
        if plain and not self.layer_norm and not self.residual:
            sizes, dropout = self.hidden_layer_sizes, self.dropout
            return nets.mlp(inputs.numeric, sizes, n_outputs, dropout=dropout)
        if self.is_linear and inputs.categories:
            return LinearTable(inputs.numeric, inputs.categories, n_outputs)
        first, width = self._first(inputs)
        hidden = hidden_layers(
            width,
            self.hidden_layer_sizes,
            layer_norm=self.layer_norm,
            residual=self.residual,
            dropout=self.dropout,
        )
        last = [width, *self.hidden_layer_sizes][-1]
        return nn.Sequential(*first, *hidden, nn.Linear(last, n_outputs))

    def _first(self, inputs: InputShape) -> "tuple[list[nn.Module], int]":
        """Return what prepares the inputs, if anything, and the width that it gives."""
        from torch import nn

        from semikd.nets.tabular import (
            CategoryEmbedding,
            PeriodicEmbedding,
            TableInputs,
            embedding_width,
        )

        numbers: nn.Module | None = nn.Identity() if inputs.numeric else None
        width = inputs.numeric
        if self.numeric == "periodic" and inputs.numeric:
            waves = PeriodicEmbedding(inputs.numeric, scale=self.frequency_scale)
            numbers, width = waves, waves.width
        if not inputs.categories:
            return ([numbers] if numbers and self.numeric != "plain" else []), width
        widths = [
            embedding_width(n) if self.embedding_size == "auto" else self.embedding_size
            for n in inputs.categories
        ]
        categories = CategoryEmbedding(inputs.categories, [int(w) for w in widths])
        first = TableInputs(inputs.numeric, numbers, categories)
        return [first], width + categories.width


def _check_widths(sizes: object) -> None:
    """Refuse what is no sequence of positive integers."""
    if not isinstance(sizes, Sequence) or isinstance(sizes, str):
        constraint = "be a sequence of integers"
        remedy = "Use (64,) for one hidden layer and () for linear scores"
        raise wrong_type("hidden_layer_sizes", constraint, sizes, remedy)
    for size in sizes:
        count("hidden_layer_sizes", size)
    if len(sizes) > _MOST_LAYERS:
        constraint = f"name at most {_MOST_LAYERS} layers"
        raise invalid("hidden_layer_sizes", constraint, Shown(str(len(sizes))))


def _check_flag(name: str, value: object) -> None:
    """Refuse what is neither True nor False."""
    if not isinstance(value, bool):
        raise wrong_type(name, "be True or False", value)
