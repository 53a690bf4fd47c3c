"""The scales of scores by the names under which they are saved."""

from typing import Any

from semikd._validation import wrong_type
from semikd.losses import (
    CrossEntropyLoss,
    DistillationLoss,
    IdentityLoss,
    LogProbabilityLoss,
    ProbabilityLoss,
)

__all__ = ["LINKS", "link_name"]

# The parameters of a loss that only training needs are not kept.
LINKS: dict[str, DistillationLoss] = {
    "identity": IdentityLoss(),
    "probability": ProbabilityLoss(),
    "log_probability": LogProbabilityLoss(),
    "log_probability (uncentred)": LogProbabilityLoss(centered=False),
    "cross_entropy": CrossEntropyLoss(),
}


def link_name(loss: Any) -> str:
    """Return the name of the scale on which scores are."""
    scale = loss.scale if isinstance(loss, DistillationLoss) else loss
    for name, known in LINKS.items():
        centered = getattr(scale, "centered", None) == getattr(known, "centered", None)
        if type(scale) is type(known) and centered:
            return name
    constraint = f"be one of the scales {', '.join(LINKS)}"
    raise wrong_type("loss", constraint, loss, "Only these have a name in a file")
