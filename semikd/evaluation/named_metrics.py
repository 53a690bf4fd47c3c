"""The means of losses that can be asked for by name."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from semikd._validation import Shown, invalid, unknown, wrong_type
from semikd.evaluation.metrics import pointwise_brier, pointwise_log_loss
from semikd.simplex import FloatArray

__all__ = ["POINTWISE", "chosen_metrics"]


def _accuracy(p: FloatArray, codes: NDArray[np.intp]) -> FloatArray:
    """Return 1 where the most probable class is the outcome, and 0 elsewhere."""
    return np.asarray(p.argmax(axis=1) == codes, dtype=np.float64)


POINTWISE: Mapping[str, Callable[..., FloatArray]] = {
    "log_loss": pointwise_log_loss,
    "brier": pointwise_brier,
    "accuracy": _accuracy,
}


def chosen_metrics(metrics: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    """Return the metrics that are asked for.

    Parameters
    ----------
    metrics : sequence of str
        Their names.
    known : sequence of str
        Those that there are.

    Returns
    -------
    tuple of str

    Raises
    ------
    ValueError, TypeError
        If there is none, or one that is unknown.
    """
    if isinstance(metrics, str) or not isinstance(metrics, Iterable):
        remedy = f"Put it into a list, as in [{metrics!r}]"
        raise wrong_type("metrics", "be a sequence of names", metrics, remedy)
    wanted = tuple(metrics)
    if not wanted:
        raise invalid("metrics", "name one at least", Shown("none"))
    if len(set(wanted)) < len(wanted):
        raise invalid("metrics", "be all different", Shown(", ".join(wanted)))
    for name in wanted:
        if name not in known:
            raise unknown("metrics", name, known)
    return wanted
