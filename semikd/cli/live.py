"""The bar of a terminal; nothing that it shows is read as markup."""

import sys
from collections.abc import Callable
from typing import TextIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
)
from rich.table import Column
from rich.text import Text

__all__ = ["LiveBar", "live_bar"]

# Narrower terminals have no room for a bar beside the words.
_ROOM_FOR_A_BAR = 72


class _Times(ProgressColumn):
    """The time taken and left, asked for at every refresh."""

    def __init__(self, times: Callable[[], str]) -> None:
        self._times = times
        super().__init__(table_column=Column(no_wrap=True))

    def render(self, task: Task) -> Text:
        """Return the times as plain text."""
        return Text(self._times())


class LiveBar:
    """A bar with a label and times, redrawn in place and gone at the end."""

    def __init__(self, console: Console, times: Callable[[], str]) -> None:
        self._progress = Progress(
            *_columns(console.width, times),
            console=console,
            transient=True,
            expand=True,
            # What is printed to a file or a pipe stays there.
            redirect_stdout=sys.stdout.isatty(),
        )
        self._progress.add_task("", total=None)
        self._task = self._progress.tasks[0]

    def start(self) -> None:
        """Draw the bar."""
        self._progress.start()

    def show(self, label: str, done: int, total: int) -> None:
        """Move the bar to this step; with no total it only says that work goes on."""
        self._task.total = total or None
        self._progress.update(
            self._task.id, description=label, completed=done, refresh=True
        )

    def stop(self) -> None:
        """Remove the bar, and give the cursor back."""
        self._progress.stop()


def live_bar(stream: TextIO, times: Callable[[], str]) -> LiveBar | None:
    """Return the bar of a terminal, or None if the terminal cannot redraw."""
    console = Console(file=stream, highlight=False, markup=False, emoji=False)
    able = console.is_terminal and not console.is_dumb_terminal
    return LiveBar(console, times) if able else None


def _columns(width: int, times: Callable[[], str]) -> list[ProgressColumn]:
    """Return the columns that fit."""
    label = Column(ratio=1, no_wrap=True, overflow="ellipsis")
    columns: list[ProgressColumn] = [
        TextColumn("{task.description}", markup=False, table_column=label)
    ]
    if width >= _ROOM_FOR_A_BAR:
        columns.append(BarColumn(bar_width=20))
    return [*columns, _Times(times)]
