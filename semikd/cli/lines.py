"""Lines for a terminal: emphasis where there is one, and no markup from the data."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from semikd._text import for_stream

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
    stream = sys.stderr if err else sys.stdout
    texts = [for_stream(line.text, stream) for line in lines]
    if not stream.isatty():
        # A reader who leaves is answered for by whoever runs the command.
        stream.write("".join(f"{text}\n" for text in texts))
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(file=stream, highlight=False, soft_wrap=True)
    for line, text in zip(lines, texts, strict=True):
        style = "bold" if line.strong else "dim" if line.faint else ""
        console.print(Text(text, style=style))
