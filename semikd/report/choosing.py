"""What was chosen and why: every candidate with its honest loss, in words and rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from semikd.report.text import decimals_for, number_text
from semikd.report.words import metric_words
from semikd.selection import Choice
from semikd.selection.candidates import SCRATCH

__all__ = ["CandidateRow", "ChoiceFacts", "candidate_rows", "choice_sentences"]

# A difference of so many standard errors is no accident.
_CLEAR = 1.96


@dataclass(frozen=True, eq=False)
class ChoiceFacts:
    """What a search tried and found.

    Parameters
    ----------
    choice : Choice
        The candidates with their losses on rows that nobody behind them saw.
    metric : str
        The loss that chose.
    n_rows, n_folds : int
        Training rows that judged, and in how many parts.
    fit_seconds : sequence of float
        Time spent on the students of each candidate.
    seconds : float
        Time of the whole search, teachers included.
    done, left_out : sequence of str
        Rounds of the search, with their seconds.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.report.choosing import ChoiceFacts
    >>> from semikd.selection import Candidate, Choice
    >>> one = Choice((Candidate("tree", "scratch"),), np.ones((2, 1)), (0,), None, None)
    >>> ChoiceFacts(one, "log_loss", 2, 2, [0.1], 0.2).n_folds
    2
    """

    choice: Choice
    metric: str
    n_rows: int
    n_folds: int
    fit_seconds: Sequence[float]
    seconds: float
    done: Sequence[str] = ()
    left_out: Sequence[str] = ()


@dataclass(frozen=True)
class CandidateRow:
    """One candidate, as text that is ready to be read.

    Parameters
    ----------
    name : str
        What it is.
    loss, behind, error, seconds : str
        Its loss, how far it is behind the best, the standard error of that, and what
        its students took. The best is behind nobody.
    chosen : bool
        Whether it was taken.

    Examples
    --------
    >>> from semikd.report.choosing import CandidateRow
    >>> CandidateRow("tree: scratch", "0.5", "", "", "0.1", True).chosen
    True
    """

    name: str
    loss: str
    behind: str
    error: str
    seconds: str
    chosen: bool


def candidate_rows(facts: ChoiceFacts) -> list[CandidateRow]:
    """Return the candidates, best first.

    Parameters
    ----------
    facts : ChoiceFacts
        What was tried.

    Returns
    -------
    list of CandidateRow

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.report.choosing import ChoiceFacts, candidate_rows
    >>> from semikd.selection import Candidate, Choice
    >>> one = Choice((Candidate("tree", "scratch"),), np.ones((2, 1)), (0,), None, None)
    >>> candidate_rows(ChoiceFacts(one, "log_loss", 2, 2, [0.1], 0.2))[0].loss
    '1.0'
    """
    choice, digits = facts.choice, _decimals(facts)
    rows = []
    for at in _order(choice):
        behind, error = _behind(choice, at)
        first = at == choice.best
        rows.append(
            CandidateRow(
                str(choice.candidates[at]),
                number_text(float(choice.means[at]), digits),
                "" if first else number_text(behind, digits, sign=True),
                "" if first else number_text(error, digits),
                number_text(float(facts.fit_seconds[at]), 1),
                at == choice.place,
            )
        )
    return rows


def choice_sentences(facts: ChoiceFacts) -> list[str]:
    """Return what won, by how much, and what its score is worth.

    Parameters
    ----------
    facts : ChoiceFacts
        What was tried.

    Returns
    -------
    list of str
        The winner first; then its rivals, if any, and its score after the choice.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.report.choosing import ChoiceFacts, choice_sentences
    >>> from semikd.selection import Candidate, Choice
    >>> two = (Candidate("tree", "scratch"), Candidate("tree", "in-sample", "forest"))
    >>> losses = np.array([[0.5, 0.4], [0.6, 0.3], [0.7, 0.5], [0.4, 0.3]])
    >>> choice = Choice(two, losses, (0, 0), None, None)
    >>> print(choice_sentences(ChoiceFacts(choice, "log_loss", 4, 2, [0.1] * 2, 1))[0])
    Chosen of 2 recipes: 'tree: forest, in-sample', with a log-loss of 0.375.
    """
    choice, digits = facts.choice, _decimals(facts)
    loss = number_text(float(choice.means[choice.place]), digits)
    tried = f"of {len(choice.candidates)} recipes"
    if len(choice.candidates) == 1:
        tried = "as the only recipe that was tried"
    found = [
        f"Chosen {tried}: '{choice.chosen}', with a {metric_words(facts.metric)} of "
        f"{loss}."
    ]
    if len(choice.candidates) > 1:
        found += [_rivals(choice, digits), _after_choice(choice, digits)]
    return found


def _rivals(choice: Choice, digits: int) -> str:
    """Return how far the next best is behind, and the best without a teacher."""
    if choice.place != choice.best:
        behind, error = _behind(choice, choice.place)
        return (
            f"'{choice.candidates[choice.best]}' is better by "
            f"{_with_error(behind, error, digits)}, less than one standard error, and "
            "its student is larger."
        )
    order = _order(choice)
    said = [
        f"Next is '{choice.candidates[order[1]]}', {_gap(choice, order[1], digits)}"
    ]
    scratch = [at for at in order[2:] if choice.candidates[at].labels == SCRATCH]
    named = {choice.candidates[at].labels for at in order[:2]}
    if scratch and SCRATCH not in named:
        said.append(
            f"the best without a teacher, '{choice.candidates[scratch[0]]}', is "
            f"{_gap(choice, scratch[0], digits)}"
        )
    return "; ".join(said) + "."


def _gap(choice: Choice, at: int, digits: int) -> str:
    """Return how far a candidate is behind, and whether chance may have done that."""
    behind, error = _behind(choice, at)
    if behind == 0:
        return "equally good"
    chance = "" if behind > _CLEAR * error else ", which may be chance"
    return f"behind by {_with_error(behind, error, digits)}{chance}"


def _after_choice(choice: Choice, digits: int) -> str:
    """Return what the score of the winner is on rows that took no part."""
    score, error = choice.score
    return (
        "The smallest of many losses is too small: on training rows that took no part "
        f"in choosing, what is chosen has {_with_error(score, error, digits)}."
    )


def _with_error(value: float, error: float, digits: int) -> str:
    """Return a number with its standard error."""
    return f"{number_text(value, digits)} (standard error {number_text(error, digits)})"


def _behind(choice: Choice, at: int) -> tuple[float, float]:
    """Return how far a candidate is behind the best, and the error of that."""
    behind = float(choice.means[at] - choice.means[choice.best])
    return behind, float(choice.difference_errors[at])


def _order(choice: Choice) -> list[int]:
    """Return places of the candidates, best first."""
    return [int(at) for at in np.argsort(choice.means, kind="stable")]


def _decimals(facts: ChoiceFacts) -> int:
    """Return the digits after the point that differences are known to."""
    errors: Any = facts.choice.difference_errors
    known = errors[errors > 0]
    size = float(np.median(known)) if len(known) else float(facts.choice.means[0])
    return decimals_for(size, least=-300, most=300)
