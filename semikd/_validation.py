"""Every check of what a user passes in, and the one form in which it is refused.

Messages read ``{name} must {constraint}; got {value}. {Remedy}.`` on one line, and
raise before any model is fitted. Functions here return the checked value, so that a
call is also the conversion.
"""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Characters of a value that a message shows in full.
_LONGEST = 120

Value = TypeVar("Value")
FloatArray = NDArray[np.float64]


def message(name: str, constraint: str, value: object, remedy: str) -> str:
    """Return the one line in which bad input is refused."""
    shown = value if isinstance(value, Shown) else Shown(_short(repr(value)))
    mark = "?" if remedy.startswith("Did you mean") else "."
    end = f" {remedy}{mark}" if remedy else ""
    return f"{name} must {constraint}; got {shown}.{end}"


def _short(text: str) -> str:
    """Return text on one line, its middle left out where it is long."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[:90]} ... {line[-20:]}"


def is_refusal(error: BaseException) -> bool:
    """Return whether an error is a refusal in the one form of this package."""
    text = str(error)
    own = isinstance(error, ValueError | TypeError)
    return own and " must " in text and "; got " in text


class Shown(str):
    """Text that stands for a value in a message as it is, without quotation marks."""

    __slots__ = ()


def invalid(name: str, constraint: str, value: object, remedy: str = "") -> ValueError:
    """Return the ``ValueError`` for a value that cannot be used."""
    return ValueError(message(name, constraint, value, remedy))


def wrong_type(
    name: str, constraint: str, value: object, remedy: str = ""
) -> TypeError:
    """Return the ``TypeError`` for an object of the wrong kind."""
    return TypeError(message(name, constraint, value, remedy))


def choose(name: str, value: object, options: Mapping[str, Value]) -> Value:
    """Return the option of that name; an unknown name is answered with the nearest."""
    if isinstance(value, str) and value in options:
        return options[value]
    raise unknown(name, value, options)


def unknown(name: str, value: object, options: Iterable[str]) -> ValueError:
    """Return the refusal of a name that is no option, with the nearest one that is."""
    names = list(options)
    near = difflib.get_close_matches(str(value), names, n=1, cutoff=0.4)
    remedy = f"Did you mean {near[0]!r}" if near else ""
    listed = ", ".join(repr(option) for option in names)
    return invalid(name, f"be one of {listed}", value, remedy)


def counted(n: int, what: str) -> str:
    """Return a number of things in words, such as '1 row' and '2 rows'."""
    return f"{n} {what}" if n == 1 else f"{n:,} {what}s"


def number(
    name: str,
    value: object,
    *,
    low: float = -np.inf,
    high: float = np.inf,
    open_low: bool = False,
    remedy: str = "",
) -> float:
    """Return a finite number within [low, high], or (low, high] where asked."""
    bound = f"{'above' if open_low else 'at least'} {low:g}"
    constraint = f"be a number {bound}" + (
        f" and at most {high:g}" if np.isfinite(high) else ""
    )
    if isinstance(value, bool) or not isinstance(
        value, int | float | np.integer | np.floating
    ):
        raise wrong_type(name, constraint, value, remedy)
    inside = low < value if open_low else low <= value
    if not (np.isfinite(value) and inside and value <= high):
        raise invalid(name, constraint, value, remedy)
    return float(value)


def count(name: str, value: object, *, low: int = 1, remedy: str = "") -> int:
    """Return an integer of at least ``low``."""
    constraint = f"be an integer of at least {low}"
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise wrong_type(name, constraint, value, remedy)
    if value < low:
        raise invalid(name, constraint, value, remedy)
    return int(value)


def finite_array(
    name: str, values: ArrayLike, *, shape: tuple[int | None, ...], remedy: str = ""
) -> FloatArray:
    """Return a float64 array of that shape (None: any length), refusing NaN and inf."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise wrong_type(name, "hold numbers in equal rows", values, remedy) from None
    check_shape(name, array, shape)
    bad = ~np.isfinite(array)
    if bad.any():
        row = int(np.argwhere(bad)[0][0])
        value = Shown(f"{array[bad][0]} in row {row} ({int(bad.sum())} such values)")
        raise invalid(name, "be finite", value, remedy)
    return array


def check_shape(name: str, array: NDArray[Any], shape: tuple[int | None, ...]) -> None:
    """Refuse an array whose number of axes or lengths differ from the shape."""
    fits = array.ndim == len(shape) and all(
        want is None or want == have
        for want, have in zip(shape, array.shape, strict=True)
    )
    if not fits:
        wanted = ", ".join("any" if want is None else str(want) for want in shape)
        constraint = f"have shape ({wanted}{',' if len(shape) == 1 else ''})"
        raise invalid(name, constraint, Shown(str(array.shape)))


def positions(name: str, values: ArrayLike, n: int) -> NDArray[np.intp]:
    """Return positions of rows between 0 and n - 1 as a vector of integers."""
    array = np.asarray(values)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        constraint = "be a vector of row positions"
        raise wrong_type(name, constraint, Shown(f"{array.dtype} of {array.shape}"))
    bad = (array < 0) | (array >= n)
    if bad.any():
        raise invalid(name, f"name rows between 0 and {n - 1}", int(array[bad][0]))
    return array.astype(np.intp)


def sample_weights(
    weights: ArrayLike | None, n_samples: int, *, name: str = "sample_weight"
) -> FloatArray | None:
    """Return weights of shape (n_samples,), non-negative and not all zero, or None."""
    if weights is None:
        return None
    if isinstance(weights, int | float | np.number):
        weights = np.full(n_samples, number(name, weights, low=0.0))
    array = finite_array(name, weights, shape=(n_samples,))
    if (array < 0).any():
        row = int(np.argmax(array < 0))
        shown = Shown(f"{array[row]:g} in row {row}")
        raise invalid(name, "be non-negative", shown)
    if not array.any():
        raise invalid(
            name,
            "have a positive sum",
            Shown("only zeros"),
            "Leave it out to weigh every row alike",
        )
    return array


def weights_or_ones(weights: ArrayLike | None, n_samples: int) -> FloatArray:
    """Return weights, checked; all one where none are given."""
    checked = sample_weights(weights, n_samples)
    return np.ones(n_samples) if checked is None else checked
