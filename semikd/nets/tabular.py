"""What stands between a table and the first linear layer of a network.

A row is one float tensor, numbers first and then the positions of its categories as
floats, so that a batch is a single gather; float32 holds positions up to 2^24 exactly.
Everything here runs for many members at once.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from semikd.nets.native import Scope

__all__ = [
    "CategoryEmbedding",
    "LinearTable",
    "PeriodicEmbedding",
    "TableInputs",
    "embedding_width",
]


class CategoryEmbedding(nn.Module):
    """Numbers to be learned for each category of each column, side by side.

    All start at zero: a category that is never trained on then counts as none at all,
    which is the average of the others as far as the penalty keeps them around zero.

    Parameters
    ----------
    n_categories : sequence of int
        Number of categories of each column.
    widths : sequence of int
        How many numbers stand for a category of each column.

    Examples
    --------
    >>> import torch
    >>> from semikd.nets.tabular import CategoryEmbedding
    >>> CategoryEmbedding((3, 9), (2, 4))(torch.tensor([[1.0, 8.0]])).shape
    torch.Size([1, 6])
    """

    def __init__(self, n_categories: Sequence[int], widths: Sequence[int]) -> None:
        super().__init__()
        self.width = sum(widths)
        self.names = tuple(f"table_{j}" for j in range(len(n_categories)))
        for name, n, width in zip(self.names, n_categories, widths, strict=True):
            self.register_parameter(name, nn.Parameter(torch.zeros(n, width)))

    def extra_repr(self) -> str:
        """Return the shape of each table."""
        tables = [tuple(table.shape) for table in self.parameters()]
        return ", ".join(map(str, tables))

    def forward(self, x: Tensor) -> Tensor:
        """Return embedded categories, (b, k) positions to (b, width)."""
        codes = x.long()
        parts = [
            functional.embedding(codes[:, j], self.get_parameter(name))
            for j, name in enumerate(self.names)
        ]
        return torch.cat(parts, dim=1)

    def forward_members(self, scope: Scope, x: Tensor) -> Tensor:
        """Return embedded categories of all members, (M, b, width)."""
        codes = x.long()
        parts = []
        for j, name in enumerate(self.names):
            table = scope[name]
            members, n, width = table.shape
            # The tables of all members as one, each member's categories after another.
            first = torch.arange(0, members * n, n, device=table.device)
            flat = table.reshape(members * n, width)
            parts.append(functional.embedding(codes[..., j] + first[:, None], flat))
        return torch.cat(parts, dim=2)


class PeriodicEmbedding(nn.Module):
    r"""Each number as learned waves of it, so that few units follow a wiggly function.

    .. math:: e(x) = \operatorname{relu}(W [\sin(2\pi c x), \cos(2\pi c x)] + b)

    with frequencies :math:`c` of each column's own, and W and b that all share.

    Parameters
    ----------
    n_columns : int
        Number of columns.
    scale : float, default=0.1
        Standard deviation of the first frequencies: how often a column goes up and down
        within one standard deviation.
    n_frequencies : int, default=16
        Frequencies of each column.
    width : int, default=8
        Numbers that stand for each column in the end.

    References
    ----------
    .. [1] Y. Gorishniy, I. Rubachev and A. Babenko, "On Embeddings for Numerical
       Features in Tabular Deep Learning", NeurIPS 2022, Section 3.3; the last layer is
       shared among columns, as in the "lite" form of the authors' package.

    Examples
    --------
    >>> import torch
    >>> from semikd.nets.tabular import PeriodicEmbedding
    >>> PeriodicEmbedding(3)(torch.zeros(5, 3)).shape
    torch.Size([5, 24])
    """

    def __init__(
        self,
        n_columns: int,
        *,
        scale: float = 0.1,
        n_frequencies: int = 16,
        width: int = 8,
    ) -> None:
        super().__init__()
        self.width = n_columns * width
        self.frequency = nn.Parameter(torch.empty(n_columns, n_frequencies))
        if not self.frequency.is_meta:
            nn.init.normal_(self.frequency, std=scale)
        self.mix = nn.Linear(2 * n_frequencies, width)

    def forward(self, x: Tensor) -> Tensor:
        """Return embedded numbers, (b, d) to (b, width)."""
        return functional.relu(self.mix(_waves(self.frequency, x))).flatten(1)

    def forward_members(self, scope: Scope, x: Tensor) -> Tensor:
        """Return embedded numbers of all members, (M, b, width)."""
        waves = _waves(scope["frequency"][:, None], x)
        mixed = scope.run("mix", waves.flatten(1, 2))
        return functional.relu(mixed).view(*waves.shape[:2], -1)


def _waves(frequency: Tensor, x: Tensor) -> Tensor:
    """Return sines and cosines of each column, (..., d, 2 k)."""
    angle = 2.0 * math.pi * frequency * x[..., None]
    return torch.cat([angle.sin(), angle.cos()], dim=-1)


class TableInputs(nn.Module):
    """Numbers and categories of a table, as what the first linear layer reads.

    Parameters
    ----------
    n_numeric : int
        Leading columns that are numbers; those behind are positions of categories.
    numbers : torch.nn.Module or None
        What is made of the numbers; None where there are none.
    categories : torch.nn.Module or None
        What is made of the categories; None where there are none.

    Examples
    --------
    >>> import torch
    >>> from semikd.nets.tabular import CategoryEmbedding, TableInputs
    >>> inputs = TableInputs(2, torch.nn.Identity(), CategoryEmbedding((4,), (3,)))
    >>> inputs(torch.zeros(5, 3)).shape
    torch.Size([5, 5])
    """

    def __init__(
        self, n_numeric: int, numbers: nn.Module | None, categories: nn.Module | None
    ) -> None:
        super().__init__()
        self.n_numeric = n_numeric
        self.add_module("numbers", numbers)
        self.add_module("categories", categories)

    def forward(self, x: Tensor) -> Tensor:
        """Return all inputs side by side, (b, d) to (b, width)."""
        pairs = zip(self.children(), self._split(x), strict=True)
        return torch.cat([child(part) for child, part in pairs], dim=-1)

    def forward_members(self, scope: Scope, x: Tensor) -> Tensor:
        """Return all inputs of all members side by side, (M, b, width)."""
        names = [name for name, _ in self.named_children()]
        parts = [scope.run(n, p) for n, p in zip(names, self._split(x), strict=True)]
        members = max(len(part) for part in parts)
        # Plain numbers that all members share have no axis of the members yet.
        return torch.cat([part.expand(members, -1, -1) for part in parts], dim=-1)

    def _split(self, x: Tensor) -> list[Tensor]:
        """Return the columns of each child that there is."""
        parts = x[..., : self.n_numeric], x[..., self.n_numeric :]
        children = self._modules.values()
        return [p for p, c in zip(parts, children, strict=True) if c is not None]


class LinearTable(nn.Module):
    """Scores that are linear in the numbers, with a score for each category beside.

    All of it is linear in the parameters, so that a convex loss has one minimum.

    Parameters
    ----------
    n_numeric : int
        Leading columns that are numbers.
    n_categories : sequence of int
        Number of categories of each column behind.
    n_outputs : int
        Scores m of each row.

    Examples
    --------
    >>> import torch
    >>> from semikd.nets.tabular import LinearTable
    >>> LinearTable(2, (4, 3), 1)(torch.zeros(5, 4)).shape
    torch.Size([5, 1])
    """

    def __init__(
        self, n_numeric: int, n_categories: Sequence[int], n_outputs: int
    ) -> None:
        super().__init__()
        self.n_numeric = n_numeric
        self.n_outputs = n_outputs
        widths = [n_outputs] * len(n_categories)
        self.categories = CategoryEmbedding(n_categories, widths)
        if n_numeric:
            self.numbers = nn.Linear(n_numeric, n_outputs)
        else:
            self.bias = nn.Parameter(torch.zeros(n_outputs))

    def forward(self, x: Tensor) -> Tensor:
        """Return scores, (b, d) to (b, m)."""
        numbers, codes = x[:, : self.n_numeric], x[:, self.n_numeric :]
        scores = self.numbers(numbers) if self.n_numeric else self.bias
        return self._sum(scores, self.categories(codes))

    def forward_members(self, scope: Scope, x: Tensor) -> Tensor:
        """Return scores of all members, (M, b, m)."""
        numbers, codes = x[..., : self.n_numeric], x[..., self.n_numeric :]
        if self.n_numeric:
            scores = scope.run("numbers", numbers)
        else:
            scores = scope["bias"][:, None]
        return self._sum(scores, scope.run("categories", codes))

    def _sum(self, scores: Tensor, embedded: Tensor) -> Tensor:
        """Return scores of the numbers and of each categorical column, summed."""
        each = embedded.view(*embedded.shape[:-1], -1, self.n_outputs)
        return scores + each.sum(dim=-2)


def embedding_width(n_categories: int) -> int:
    r"""Return how many numbers stand for a category of so many.

    .. math:: \min(16, \operatorname{round}(1.6\, c^{0.56}))

    References
    ----------
    .. [1] The exponent and factor are the rule of thumb of the fastai library.

    Examples
    --------
    >>> from semikd.nets.tabular import embedding_width
    >>> [embedding_width(n) for n in (2, 10, 1000)]
    [2, 6, 16]
    """
    return min(16, round(1.6 * math.exp(0.56 * math.log(n_categories))))
