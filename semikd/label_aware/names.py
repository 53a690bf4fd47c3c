"""What all corrections are called in a call of the library, label-aware ones too."""

from collections.abc import Callable

from semikd.corrections import Correction, get_correction
from semikd.label_aware.adaptive import AdaptiveAlpha
from semikd.label_aware.levels import ConfidenceTarget
from semikd.label_aware.margins import AdaptiveMargin, LogitAdjustment
from semikd.label_aware.trust import TrustGate

__all__ = ["LABEL_AWARE", "named_correction"]

LABEL_AWARE: dict[str, Callable[[], Correction]] = {
    "adaptive_alpha": AdaptiveAlpha,
    "adaptive_margin": AdaptiveMargin,
    "confidence": ConfidenceTarget,
    "logit_adjustment": LogitAdjustment,
    "trust": TrustGate,
}


def named_correction(correction: str | float | Correction) -> Correction:
    """Return the correction of that name, of rules that look at the label too.

    Parameters
    ----------
    correction : str, float or Correction
        As `get_correction` takes it; or 'adaptive_alpha', 'adaptive_margin',
        'confidence', 'logit_adjustment' or 'trust', with their defaults.

    Returns
    -------
    Correction

    Raises
    ------
    ValueError
        If the name is unknown, needs an argument, or the number is outside [0, 1].
    TypeError
        If it is neither a name, a number nor a correction.

    Examples
    --------
    >>> from semikd.label_aware import named_correction
    >>> print(named_correction("adaptive_alpha"))
    teacher believed class by class, by margin
    """
    return get_correction(correction, LABEL_AWARE)
