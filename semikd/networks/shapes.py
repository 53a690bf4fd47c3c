"""What a network is given for each row, in plain numbers."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from semikd._validation import count, wrong_type

__all__ = ["InputShape"]


@dataclass(frozen=True)
class InputShape:
    """The shape of one row: columns of a table, or an image.

    Parameters
    ----------
    numeric : int, default=0
        Leading columns that are numbers, marks of missing values among them.
    categories : tuple of int, default=()
        Number of categories of each column behind, which holds their positions; 0 is
        the position of what is missing or was never seen.
    image : tuple of int, optional
        Channels, height and width; a table has none.

    Raises
    ------
    ValueError
        If a number is not positive, or there are no columns.

    Examples
    --------
    >>> from semikd.networks import InputShape
    >>> InputShape.table(3, (5, 2)).row, InputShape.images(3, 32, 32).row
    ((5,), (3, 32, 32))
    """

    numeric: int = 0
    categories: tuple[int, ...] = ()
    image: tuple[int, int, int] | None = None

    def __post_init__(self) -> None:
        count("numeric", self.numeric, low=0)
        for size in self.categories:
            count("categories", size)
        if self.image is not None:
            if len(self.image) != 3:
                constraint = "be channels, height and width"
                raise wrong_type("image", constraint, self.image)
            for length in self.image:
                count("image", length)
        else:
            count("columns", self.numeric + len(self.categories))

    @classmethod
    def table(cls, numeric: int, categories: tuple[int, ...] = ()) -> Self:
        """Return the shape of the rows of a table."""
        return cls(numeric=numeric, categories=tuple(categories))

    @classmethod
    def images(cls, channels: int, height: int, width: int) -> Self:
        """Return the shape of images."""
        return cls(image=(channels, height, width))

    @property
    def row(self) -> tuple[int, ...]:
        """The shape of the float tensor of one row."""
        return self.image or (self.numeric + len(self.categories),)

    def to_dict(self) -> dict[str, Any]:
        """Return the shape as JSON values."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
        }

    @classmethod
    def from_dict(cls, entry: Mapping[str, Any]) -> Self:
        """Return the shape of JSON values; ``ValueError`` or the like if it is none."""
        image = entry["image"]
        return cls(
            entry["numeric"],
            tuple(entry["categories"]),
            None if image is None else tuple(image),
        )
