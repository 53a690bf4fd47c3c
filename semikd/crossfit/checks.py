"""Whether labels suit the rows, the classes and the purpose that they are used for."""

from typing import Any

from numpy.typing import NDArray

from semikd._validation import Shown, invalid, wrong_type
from semikd.crossfit.record import OutOfFold

__all__ = ["check_honest", "check_record"]


def check_record(labels: OutOfFold, X: Any, classes: NDArray[Any] | None) -> None:
    """Refuse labels from elsewhere for other rows or, in classification, classes."""
    labels.check_rows(X)
    if classes is None:
        return
    known = [] if labels.classes is None else labels.classes.tolist()
    if known != classes.tolist():
        constraint = f"have the classes of y, {classes.tolist()}"
        raise invalid("labels", constraint, known)


def check_honest(
    labels: OutOfFold,
    purpose: str,
    remedy: str = "",
    *,
    regression: bool = False,
    name: str = "labels",
) -> None:
    """Refuse what is no record of honest labels that come from folds.

    Parameters
    ----------
    labels : OutOfFold
        The labels.
    purpose : str
        What they are for, as it reads after "for".
    remedy : str, optional
        What to do with labels of teachers that saw the rows.
    regression : bool, default=False
        Whether means of a regression serve too.
    name : str, default='labels'
        What messages call them.

    Raises
    ------
    ValueError, TypeError
        If the labels are none, of a regression, out-of-bag or leave-one-out, or of
        teachers that saw the rows.
    """
    if not isinstance(labels, OutOfFold):
        made = "Make one with semikd.cross_fit or semikd.external_labels"
        raise wrong_type(name, "be an OutOfFold record", labels, made)
    if labels.classes is None and not regression:
        shown = Shown("means of a regression")
        raise invalid(name, f"be class probabilities for {purpose}", shown)
    labels.require_folds(purpose)
    if not labels.honest:
        constraint = f"be of teachers that did not see the rows, for {purpose}"
        shown = Shown(labels.strategy)
        raise invalid(name, constraint, shown, remedy or "Cross-fit them")
