"""Text from data and from the command line, made safe to show in a terminal."""

import unicodedata

# Marks that turn the direction of the text after them.
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e") | frozenset(
    "\u2066\u2067\u2068\u2069"
)
_UNSEEN = {"Cc", "Cs", "Zl", "Zp"}


def visible(text: str) -> str:
    """Return text on one line, control characters written as what they are."""
    return "".join(_escaped(character) for character in text)


def _escaped(character: str) -> str:
    """Return a character, or its escape if a terminal would obey it."""
    if unicodedata.category(character) in _UNSEEN or character in _TURNING:
        return character.encode("unicode_escape").decode("ascii")
    return character


def duration(seconds: float) -> str:
    """Return a time such as 0:07 or 1:02:03."""
    whole = max(0, round(seconds))
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02d}:{rest:02d}"
    return f"{minutes}:{rest:02d}"
