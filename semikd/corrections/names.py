"""What corrections are called in a call of the library."""

from collections.abc import Callable, Mapping

import numpy as np

from semikd._validation import invalid, number, unknown, wrong_type
from semikd.corrections.base import Correction
from semikd.corrections.by_reliability import ReliabilityCorrection
from semikd.corrections.estimated import EstimatedCorrection
from semikd.corrections.family import (
    ConstantCorrection,
    NoCorrection,
    OrthogonalCorrection,
)

_NAMED: dict[str, Callable[[], Correction]] = {
    "none": NoCorrection,
    "orthogonal": OrthogonalCorrection,
    "estimated": EstimatedCorrection,
    "reliability": ReliabilityCorrection,
}
# What a name that needs a number is answered with.
_WITH_ARGUMENT = {
    "constant": "ConstantCorrection(value=0.5)",
    "shrinkage": "ShrinkageCorrection(squared_error=0.01)",
    "minimax": "MinimaxCorrection('relative', size=1.0)",
}


def get_correction(
    correction: str | float | Correction,
    more: Mapping[str, Callable[[], Correction]] | None = None,
) -> Correction:
    """Return the correction of that name, or of that constant weight.

    Parameters
    ----------
    correction : {'none', 'orthogonal', 'estimated', 'reliability'}, float or Correction
        A number is the weight of a constant correction; 'constant', 'shrinkage' and
        'minimax' need a number of their own and are passed as objects.
    more : mapping from str to callable, optional
        Further names, and what makes their corrections.

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
    >>> from semikd.corrections import get_correction
    >>> get_correction(0.5)
    ConstantCorrection(value=0.5)
    """
    if isinstance(correction, Correction):
        return correction
    if isinstance(correction, int | float | np.number):
        value = number("correction", correction, low=0.0, high=1.0)
        return ConstantCorrection(value)
    if not isinstance(correction, str):
        constraint = "be a name, a number in [0, 1] or a Correction"
        raise wrong_type("correction", constraint, correction, "Pass an instance")
    if correction in _WITH_ARGUMENT:
        remedy = f"Pass an object, such as {_WITH_ARGUMENT[correction]}"
        raise invalid("correction", "carry the number it needs", correction, remedy)
    named = _NAMED | dict(more or {})
    if correction not in named:
        raise unknown("correction", correction, [*named, *_WITH_ARGUMENT])
    return named[correction]()
