"""Losses by name."""

from semikd._validation import choose, invalid, number
from semikd.losses.base import DistillationLoss
from semikd.losses.cross_entropy import CrossEntropyLoss
from semikd.losses.hard_label import HardLabelMix
from semikd.losses.squared import IdentityLoss, LogProbabilityLoss, ProbabilityLoss


def get_loss(
    loss: str | DistillationLoss, *, auto: str, hard_weight: float = 0.0
) -> DistillationLoss:
    """Return the loss of class probabilities of that name, with its hard-label term.

    Parameters
    ----------
    loss : {'auto', 'probability', 'log_probability', 'cross_entropy'} or \
DistillationLoss
        The scale; an object is taken as it is, unless it is that of a regression.
    auto : str
        The name that 'auto' stands for.
    hard_weight : float, default=0.0
        Weight h of the hard-label cross-entropy; 0 leaves it out.

    Returns
    -------
    DistillationLoss

    Raises
    ------
    ValueError
        If the name is unknown, the loss is the identity, which has no probabilities,
        or ``hard_weight`` is negative.
    TypeError
        If ``hard_weight`` is no number.

    Examples
    --------
    >>> from semikd.losses import get_loss
    >>> get_loss("auto", auto="probability")
    ProbabilityLoss()
    """
    number("hard_weight", hard_weight, low=0.0)
    scales: dict[str, DistillationLoss] = {
        "probability": ProbabilityLoss(),
        "log_probability": LogProbabilityLoss(),
        "cross_entropy": CrossEntropyLoss(),
    }
    named = {"auto": scales[auto], **scales}
    if isinstance(loss, DistillationLoss) and isinstance(loss.scale, IdentityLoss):
        constraint = "be a scale of class probabilities"
        remedy = "Use 'probability', or DistilledRegressor for means"
        raise invalid("loss", constraint, loss, remedy)
    found = loss if isinstance(loss, DistillationLoss) else choose("loss", loss, named)
    return HardLabelMix(found, hard_weight) if hard_weight else found
