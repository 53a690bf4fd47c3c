"""Text from data and from the command line, made safe to show anywhere.

Escaping is the work of whoever prints. What is done here is what that leaves undone: a
newline, a control character or a right-to-left override misleads a reader, and a
terminal obeys some of them.
"""

from typing import TextIO

__all__ = ["for_stream", "latex", "visible"]

# Reordering marks, invisible spaces, operators and tags, and line ends of Unicode.
# Joiners stay: emoji and several scripts need them.
_INVISIBLE = {
    0x00AD, 0x061C, 0x180E, 0x200B, 0x200E, 0x200F, 0x2028, 0x2029, 0xFEFF,
    *range(0x202A, 0x202F), *range(0x2060, 0x2070), *range(0xFFF9, 0xFFFC),
    *range(0xE0000, 0xE0080),
}  # fmt: skip

_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{each: "\\" + each for each in "&%$#_{}"},
}


def latex(text: str) -> str:
    r"""Return text as LaTeX that prints it.

    Parameters
    ----------
    text : str
        What to print.

    Returns
    -------
    str

    Examples
    --------
    >>> from semikd._text import latex
    >>> latex("50 % of a_b")
    '50 \\% of a\\_b'
    """
    return "".join(_LATEX.get(each, each) for each in text)


def visible(text: object, keep: str = "") -> str:
    r"""Return text in which no character hides or moves another.

    Control characters become their pictures, marks that reorder or vanish become their
    code points, and half characters become a replacement character.

    Parameters
    ----------
    text : object
        What to show; anything but text is turned into it.
    keep : str, default=''
        Characters that stay as they are, such as a newline in a command.

    Returns
    -------
    str

    Examples
    --------
    >>> from semikd._text import visible
    >>> visible("a\nb") == "a\N{SYMBOL FOR LINE FEED}b"
    True
    """
    return "".join(c if c in keep else _shown(c) for c in str(text))


def _shown(character: str) -> str:
    """Return one character, or what stands for it."""
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\N{SYMBOL FOR DELETE}"
    if code in _INVISIBLE or 0x80 <= code < 0xA0:
        return f"[U+{code:04X}]"
    # A lone surrogate cannot be written to a file, and a noncharacter means nothing.
    if 0xD800 <= code < 0xE000 or (code & 0xFFFE) == 0xFFFE:
        return "\N{REPLACEMENT CHARACTER}"
    return character


def for_stream(text: object, stream: TextIO) -> str:
    r"""Return visible text in characters that a stream knows.

    Parameters
    ----------
    text : object
        What to show.
    stream : text file
        Where to; what its encoding lacks is escaped.

    Returns
    -------
    str

    Examples
    --------
    >>> import io
    >>> from semikd._text import for_stream
    >>> for_stream("größe", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    'gr\\xf6\\xdfe'
    """
    code = getattr(stream, "encoding", None) or "utf-8"
    return visible(text).encode(code, "backslashreplace").decode(code)
