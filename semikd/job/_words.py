"""Counts and scores in words for a terminal and a page, in the same words for both.

Nothing heavy is imported here, so that ``semikd predict`` answers at once.
"""

from collections.abc import Mapping


def score_text(score: float) -> str:
    """Return a score with four digits that matter, whatever its unit is."""
    return f"{score:#.4g}".removesuffix(".")


def unknown_cells(unknown: Mapping[str, int], among: str) -> list[str]:
    """Return how many cells the encoder could not read, column by column."""
    return [
        f"Column {name!r}: {n:,} of {among} hold what no training row has, or cannot "
        "be read; the model takes them for unknown."
        for name, n in unknown.items()
        if n
    ]
