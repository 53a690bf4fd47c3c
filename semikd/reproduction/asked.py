"""What is asked of an experiment, and what comes back."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import chain, islice
from pathlib import Path

from semikd._validation import count, invalid, unknown

__all__ = [
    "ARMS_ASKED",
    "HONEST",
    "PAPER_SEED",
    "PROTOCOLS",
    "PUBLISHED",
    "Asked",
    "Outcome",
    "seeds_in_order",
]

# Of splits and folds in the released configurations.
PAPER_SEED = 2357
PUBLISHED, HONEST = "published", "honest"
PROTOCOLS = (PUBLISHED, HONEST, "both")
ARMS_ASKED = ("figure", "all")


@dataclass(frozen=True)
class Asked:
    """What is asked of an experiment.

    Parameters
    ----------
    protocol : {'published', 'honest', 'both'}, default='both'
        Whose protocol.
    small : bool, default=False
        Whether a few hundred rows and a few trees are enough, for a trial.
    data : str, optional
        Folder of the files, or 'openml'; by default ``SEMIKD_DATA``.
    arms : {'figure', 'all'}, default='figure'
        Arms of the published protocol: those of the figure, or all that were released.
    draws : int, default=1
        Draws of teachers of the published protocol, for each split.
    splits : int, default=1
        Splits of the published protocol: the published one, then others.
    repeats : int, default=5
        Repetitions of the honest protocol, each with a split of its own.
    jobs : int, default=1
        Threads, or workers over fits.

    Examples
    --------
    >>> from semikd.reproduction.asked import Asked
    >>> Asked(splits=3).split_seeds()
    (2357, 0, 1)
    """

    protocol: str = "both"
    small: bool = False
    data: str | None = None
    arms: str = "figure"
    draws: int = 1
    splits: int = 1
    repeats: int = 5
    jobs: int = 1

    def __post_init__(self) -> None:
        for name, value, known in (
            ("--protocol", self.protocol, PROTOCOLS),
            ("--arms", self.arms, ARMS_ASKED),
        ):
            if value not in known:
                raise unknown(name, value, known)
        for name, number in (
            ("--draws", self.draws),
            ("--splits", self.splits),
            ("--repeats", self.repeats),
            ("--jobs", self.jobs),
        ):
            count(name, number)

    def refuse_idle(self, experiment: str, heard: Sequence[str]) -> None:
        """Refuse what an experiment does not listen to.

        Parameters
        ----------
        experiment : str
            Its name.
        heard : sequence of str
            The fields that it reads.

        Raises
        ------
        ValueError
            If another one is not as it is by default.
        """
        for each in fields(self):
            value = getattr(self, each.name)
            if each.name not in heard and value != each.default:
                constraint = f"be left out for {experiment}, which does not use it"
                raise invalid(f"--{each.name}", constraint, value)

    def split_seeds(self) -> tuple[int, ...]:
        """Return the seeds of the splits of the published protocol."""
        return _seeds(self.splits)

    def repeat_seeds(self) -> tuple[int, ...]:
        """Return the seeds of the repetitions of the honest protocol."""
        return _seeds(2 if self.small else self.repeats)


@dataclass(frozen=True)
class Outcome:
    """What is worth a line at the end of an experiment.

    Parameters
    ----------
    title : str
        What it was.
    said : tuple of str
        What was found, in a few lines.
    paths : tuple of Path
        The files that were written.

    Examples
    --------
    >>> from pathlib import Path
    >>> from semikd.reproduction.asked import Outcome
    >>> Outcome("trees", (), (Path("out/results.md"),)).paths[0].name
    'results.md'
    """

    title: str
    said: tuple[str, ...]
    paths: tuple[Path, ...]


def seeds_in_order() -> Iterator[int]:
    """Yield the published seed, and then 0, 1, 2 and so on without end."""
    return chain((PAPER_SEED,), itertools.count())


def _seeds(n: int) -> tuple[int, ...]:
    """Return the first seeds."""
    return tuple(islice(seeds_in_order(), n))
