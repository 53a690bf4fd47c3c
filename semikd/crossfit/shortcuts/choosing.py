"""Which shortcut serves a teacher, and the reason in words where none does."""

from dataclasses import dataclass
from typing import Any, Protocol

from numpy.typing import NDArray

from semikd._validation import Shown, invalid
from semikd.crossfit.folds import Rows
from semikd.crossfit.learners import check_settings
from semikd.crossfit.shortcuts import bagging, logistic
from semikd.crossfit.shortcuts.exact import EXACT
from semikd.crossfit.shortcuts.hooks import Hook
from semikd.crossfit.shortcuts.labels import Shortcut, last_step

__all__ = ["CHEAP", "Choice", "Strategy", "choose_shortcut"]


class Strategy(Protocol):
    """A way to label all rows from one fit; modules and hooks have this form."""

    def handles(self, learner: Any) -> bool:
        """Return whether the learner is of a kind that this strategy knows."""

    def why_not(self, teacher: Any, X: Any, rows: Rows) -> str | None:
        """Return why it does not serve here, as a clause, or None."""

    def labels(
        self,
        teacher: Any,
        X: Any,
        y: NDArray[Any],
        rows: Rows,
        *,
        seed: int,
        n_jobs: int | None,
    ) -> Shortcut:
        """Fit one copy of the teacher and label all rows."""


# By name, in the order in which 'auto' tries them; a teacher's own method goes first.
_STRATEGIES: dict[str, tuple[Strategy, ...]] = {
    "oob": (Hook("out_of_bag"), bagging),
    "loo": (Hook("leave_one_out"), *EXACT, logistic),
}
_IN_WORDS = {"oob": "out-of-bag", "loo": "leave-one-out"}
CHEAP = (*_STRATEGIES, "auto")


@dataclass(frozen=True)
class Choice:
    """What labels the rows: a shortcut, or folds and the reason for them.

    Parameters
    ----------
    name : str
        'oob', 'loo', or '' for folds.
    strategy : Strategy or None
        None for folds.
    reason : str
        What 'auto' found, to stand in parentheses; '' where nothing was chosen.

    Examples
    --------
    >>> from semikd.crossfit.shortcuts.choosing import Choice
    >>> Choice("", None, "").strategy is None
    True
    """

    name: str
    strategy: Strategy | None
    reason: str

    @property
    def words(self) -> str:
        """How the labels are made, such as 'leave-one-out'."""
        return _IN_WORDS.get(self.name, "")


def choose_shortcut(
    cv: Any, teacher: Any, X: Any, rows: Rows, n_repeats: int
) -> Choice:
    """Return the shortcut that is asked for, or the cheapest valid one for 'auto'.

    Parameters
    ----------
    cv : object
        'oob', 'loo' or 'auto'; anything else is folds.
    teacher : estimator
        Not yet fitted.
    X : array-like of shape (n, d)
        All rows.
    rows : Rows
        Identity, group and weight of each row.
    n_repeats : int
        Number of divisions; a shortcut has one.

    Returns
    -------
    Choice

    Raises
    ------
    ValueError
        If the teacher does not offer the shortcut that is asked for.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from semikd.crossfit.folds import Rows
    >>> from semikd.crossfit.shortcuts.choosing import choose_shortcut
    >>> rows = Rows(np.arange(9, dtype=np.uint64), np.zeros(9, int), None, None, None)
    >>> tree = DecisionTreeRegressor()
    >>> choose_shortcut("auto", tree, np.ones((9, 1)), rows, 1).reason
    'auto: DecisionTreeRegressor has no shortcut'
    """
    if not isinstance(cv, str) or cv not in CHEAP:
        return Choice("", None, "")
    if cv != "auto" and n_repeats > 1:
        remedy = "Repeats are of folds: use an integer cv"
        raise invalid("n_repeats", f"be 1 with cv={cv!r}", n_repeats, remedy)
    wanted = _STRATEGIES if cv == "auto" else (cv,)
    known = [
        (name, strategy)
        for name in wanted
        for strategy in _STRATEGIES[name]
        if strategy.handles(last_step(teacher))
    ]
    if not known:
        kind = "" if cv == "auto" else f"{_IN_WORDS[cv]} "
        return _folds(cv, f"{type(last_step(teacher)).__name__} has no {kind}shortcut")
    check_settings(last_step(teacher))
    if n_repeats > 1:
        return _folds(cv, f"n_repeats={n_repeats} asks for folds")
    reasons = [
        strategy.why_not(teacher, X, rows) or _dear(strategy, teacher, X, rows, cv)
        for _, strategy in known
    ]
    for (name, strategy), reason in zip(known, reasons, strict=True):
        if reason is None:
            return Choice(name, strategy, "auto" if cv == "auto" else "")
    return _folds(cv, str(reasons[0]))


def _dear(strategy: Strategy, teacher: Any, X: Any, rows: Rows, cv: str) -> str | None:
    """Return why 'auto' passes by a strategy that serves: folds may be cheaper."""
    dear = getattr(strategy, "dear", None)
    return dear(teacher, X, rows) if cv == "auto" and dear is not None else None


def _folds(cv: str, reason: str) -> Choice:
    """Return folds where 'auto' is asked for, else refuse."""
    if cv == "auto":
        return Choice("", None, f"auto: {reason}")
    remedy = "Use an integer, or 'auto'"
    shown = Shown(f"{cv!r}, but {reason}")
    raise invalid("cv", "fit the teacher", shown, remedy)
