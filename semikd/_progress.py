"""What a long procedure says about itself while it runs, whoever is listening.

A procedure takes ``progress``, calls it with a ``Step`` as each step starts, and once
more with ``done == total`` when it is through. It knows nothing of displays.
"""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """A step that starts now, and how many of the planned steps lie behind it."""

    # Steps of one stage are alike: the time of those done foretells the others.
    stage: str
    label: str
    done: int
    total: int


Reporter = Callable[[Step], None]


def silent(step: Step) -> None:
    """Listen to nothing."""
