"""Lines for a terminal: emphasis where there is one, and no markup from the data."""

from collections.abc import Sequence
from dataclasses import dataclass

from semikd._text import visible

__all__ = ["Line", "print_lines"]


@dataclass(frozen=True)
class Line:
    """One line of text.

    Parameters
    ----------
    text : str
        What to print; it is never read as markup.
    strong, faint : bool, default=False
        How it looks in a terminal.
    """

    text: str
    strong: bool = False
    faint: bool = False


def print_lines(lines: Sequence[Line], *, err: bool = False) -> None:
    """Print lines, in colour where the stream is a terminal."""
    from rich.console import Console
    from rich.text import Text

    console = Console(stderr=err, highlight=False, soft_wrap=True)
    for line in lines:
        style = "bold" if line.strong else "dim" if line.faint else ""
        console.print(Text(visible(line.text), style=style))
