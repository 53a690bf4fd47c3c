"""Text that a page may show: names made harmless to read, numbers with few digits.

Escaping for HTML is the template's work. What is done here is what escaping leaves
undone: a newline or a right-to-left override is legal HTML and still misleads a reader.
"""

import math
import re
import unicodedata

from markupsafe import Markup, escape

from semikd._text import visible

__all__ = ["bytes_text", "duration_text", "name_html", "number_text"]

_LONGEST_NAME = 72
_LONG_DECIMAL = re.compile(r"-?\d+\.\d{7,}(?:e-?\d+)?")
_MINUS = "\N{MINUS SIGN}"
# Between a number and its unit no line may end.
_SPACE = "\N{NO-BREAK SPACE}"


def short(text: object, longest: int) -> str:
    """Return visible text with its middle left out where it is long."""
    shown = _unstacked(visible(text))
    if len(shown) <= longest:
        return shown
    return f"{shown[: longest * 3 // 4]} … {shown[-longest // 6 :]}"


def _unstacked(text: str) -> str:
    """Return text with at most three marks on one letter, which would paint over."""
    kept, marks = [], 0
    for character in text:
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks <= 3:
            kept.append(character)
    return "".join(kept)


def name_html(name: object, longest: int = _LONGEST_NAME) -> Markup:
    """Return a name from the data as HTML that cannot reorder what is beside it.

    Parameters
    ----------
    name : object
        A column, a class, an arm or a file.
    longest : int, default=72
        Characters that are shown, apart from a few for what is left out.

    Returns
    -------
    Markup
        An isolated element; a long name is shortened, with all of it in its title.

    Examples
    --------
    >>> from semikd.report.text import name_html
    >>> name_html("<b>")
    Markup('<bdi>&lt;b&gt;</bdi>')
    """
    shown, full = short(name, longest), visible(name)
    if shown == full:
        return Markup("<bdi>{}</bdi>").format(shown)
    return Markup('<bdi title="{}">{}</bdi>').format(full, shown)


def rounded_numbers(text: str) -> str:
    """Return a setting in words with its long decimals cut to five digits."""
    return _LONG_DECIMAL.sub(lambda found: f"{float(found[0]):.5g}", text)


# With more decimals than this, or fewer, a number is written with an exponent.
_MOST_DECIMALS, _FEWEST_DECIMALS = 8, -4


def decimals_for(size: float, least: int = 0, most: int = _MOST_DECIMALS) -> int:
    """Return the decimals that show a quantity of this size with two digits."""
    if not math.isfinite(size) or size == 0:
        return 3
    return min(max(1 - math.floor(math.log10(abs(size))), least), most)


def number_text(value: float, decimals: int, *, sign: bool = False) -> str:
    """Return a number with a true minus sign and thousands set apart.

    Parameters
    ----------
    value : float
        The number; a dash stands for one that does not exist.
    decimals : int
        Digits after the point, negative for tens or hundreds; with more than 8, or
        fewer than -4, the number has an exponent.
    sign : bool, default=False
        Whether positive numbers get a sign, too, as differences do.

    Returns
    -------
    str

    Examples
    --------
    >>> from semikd.report.text import number_text
    >>> number_text(0.01234, 3, sign=True)
    '+0.012'
    """
    if not math.isfinite(value):
        return "–"
    if not _FEWEST_DECIMALS <= decimals <= _MOST_DECIMALS:
        return exponent_text(value, 10.0**-decimals, sign=sign)
    # A negative number that rounds to nothing has no sign.
    value = round(float(value), decimals) + 0.0
    mark = _MINUS if value < 0 else "+" if sign and value > 0 else ""
    return f"{mark}{abs(value):,.{max(decimals, 0)}f}"


def exponent_text(value: float, step: float, *, sign: bool = False) -> str:
    """Return a number with an exponent, exact to a step or to six digits."""
    if abs(value) < step / 2:
        return "0"
    digits = math.floor(math.log10(abs(value))) - math.floor(math.log10(step))
    size, _, power = f"{abs(value):.{min(max(digits, 0), 5)}e}".partition("e")
    mark = _MINUS if value < 0 else "+" if sign else ""
    return f"{mark}{size}e{int(power)}".replace("e-", f"e{_MINUS}")


def significant(value: float, digits: int = 3) -> str:
    """Return a number with this many digits that matter."""
    if not math.isfinite(value) or value == 0:
        return number_text(value, 0)
    size = abs(value)
    if not 1e-5 <= size < 1e9:
        return f"{value:.{digits - 1}e}".replace("-", _MINUS)
    return number_text(value, max(digits - 1 - math.floor(math.log10(size)), 0))


def level_text(level: float) -> str:
    """Return a level of confidence in percent."""
    return f"{100 * level:g}{_SPACE}%"


def percent(share: float) -> str:
    """Return a share in percent: few digits, 0 % for nothing and 100 % for all only."""
    if 0 < share < 0.001:
        return f"<0.1{_SPACE}%"
    # What rounding leaves of all rows is all of them.
    share = 1.0 if 1 - 1e-6 < share < 1 else share
    if 0.9995 <= share < 1:
        return f">99.9{_SPACE}%"
    near_an_end = share < 0.0995 or 0.995 <= share < 1
    return f"{100 * share:.{1 if share and near_an_end else 0}f}{_SPACE}%"


def bytes_text(count: float) -> str:
    r"""Return a size in bytes in the unit that suits it.

    Parameters
    ----------
    count : float
        Bytes.

    Returns
    -------
    str

    Examples
    --------
    >>> from semikd.report.text import bytes_text
    >>> bytes_text(19416)
    '19.4\xa0kB'
    """
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{significant(count / size)}{_SPACE}{unit}"
    return f"{count:.0f}{_SPACE}bytes"


def duration_text(microseconds: float) -> str:
    r"""Return a time in the unit that suits it.

    Parameters
    ----------
    microseconds : float
        The time.

    Returns
    -------
    str

    Examples
    --------
    >>> from semikd.report.text import duration_text
    >>> duration_text(2500.0)
    '2.50\xa0ms'
    """
    for unit, size in (("s", 1e6), ("ms", 1e3), ("µs", 1.0)):
        if microseconds >= size:
            return f"{significant(microseconds / size)}{_SPACE}{unit}"
    return f"{significant(microseconds * 1e3, 2)}{_SPACE}ns"


def times_text(ratio: float) -> str:
    """Return how many times, with no more digits than a ratio of timings deserves."""
    if ratio >= 10:
        keep = max(math.floor(math.log10(ratio)) - 1, 0)
        return f"{round(ratio, -keep):,.0f}"
    return f"{ratio:.1f}".removesuffix(".0")


def attribute(text: object) -> str:
    """Return text escaped for an attribute."""
    return str(escape(visible(text)))
