"""Tables of features: what trees ask about, and what coefficients weigh."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup

from semikd.report.svg import tag
from semikd.report.text import decimals_for, number_text
from semikd.simplex import FloatArray

__all__ = ["MOST_SCORES", "TableRow", "ViewTable", "coefficients", "questions"]

# Further rows are folded away, and beyond the second number left out.
_SHOWN_ROWS = 20
_MOST_ROWS = 300
MOST_SCORES = 10


@dataclass(frozen=True)
class TableRow:
    """One line of a table about the student.

    Parameters
    ----------
    name : str
        A feature.
    cells : tuple of str
        Numbers as text.
    bar : Markup
        Their size as a picture.

    Examples
    --------
    >>> from markupsafe import Markup
    >>> from semikd.report.features import TableRow
    >>> TableRow("age", ("+0.3",), Markup("")).name
    'age'
    """

    name: str
    cells: tuple[str, ...]
    bar: Markup


@dataclass(frozen=True)
class ViewTable:
    """A table about the student.

    Parameters
    ----------
    title : str
        What it shows.
    columns : tuple of str
        The heads of its columns; that of the pictures is empty.
    rows : list of TableRow
        The largest first.
    folded : list of TableRow
        The rest, to be folded away.
    left_out : int
        Lines that are not shown.

    Examples
    --------
    >>> from semikd.report.features import ViewTable
    >>> ViewTable("Coefficients", ("feature", "slope", ""), [], [], 0).left_out
    0
    """

    title: str
    columns: tuple[str, ...]
    rows: list[TableRow]
    folded: list[TableRow]
    left_out: int


def questions(model: Any, trees: Sequence[Any]) -> ViewTable:
    """Return how often a feature is asked for, and by how many rows.

    Parameters
    ----------
    model : ShippedModel
        It names the features.
    trees : sequence of TreeArrays
        Rows go down all of them, and the number for a row is a mean over them.

    Returns
    -------
    ViewTable
        The features of the most rows first.
    """
    names = model.encoder.feature_names
    n_features = len(names)
    splits, reached = np.zeros(n_features), np.zeros(n_features)
    for tree in trees:
        inner = np.asarray(tree.feature) >= 0
        np.add.at(splits, tree.feature[inner], 1.0)
        np.add.at(reached, tree.feature[inner], tree.cover[inner] / len(trees))
    order = [at for at in np.argsort(-reached, kind="stable") if splits[at]]
    top = float(reached.max()) or 1.0
    rows = [
        TableRow(
            names[at],
            (f"{splits[at]:,.0f}", number_text(float(reached[at]), 2)),
            _length(float(reached[at]) / top),
        )
        for at in order[:_MOST_ROWS]
    ]
    columns = ("feature", "splits", "asked per row", "")
    return _view_table("What it asks about", columns, rows, len(order))


def coefficients(model: Any) -> ViewTable:
    """Return the coefficients of standardised columns.

    Parameters
    ----------
    model : ShippedModel
        A linear one.

    Returns
    -------
    ViewTable
        The features of the largest coefficients, in absolute value, first.
    """
    coef = model.student.coef[:MOST_SCORES]
    size = np.abs(model.student.coef).max(axis=0)
    order = np.argsort(-size, kind="stable")
    top = float(size.max()) or 1.0
    digits = decimals_for(top) + 1
    heads = (
        [str(name) for name in model.classes][:MOST_SCORES]
        if len(coef) > 1 and model.classes is not None
        else ["coefficient"] * len(coef)
    )
    names = model.encoder.feature_names
    rows = [
        TableRow(
            names[at],
            tuple(number_text(float(v), digits, sign=True) for v in coef[:, at]),
            _signed_length(coef[:, at], top),
        )
        for at in order[:_MOST_ROWS]
    ]
    return _view_table("Coefficients", ("feature", *heads, ""), rows, len(order))


def _view_table(
    title: str, columns: tuple[str, ...], rows: list[TableRow], count: int
) -> ViewTable:
    """Return a table with its later rows folded away."""
    shown, folded = rows[:_SHOWN_ROWS], rows[_SHOWN_ROWS:]
    return ViewTable(title, columns, shown, folded, count - len(rows))


def _length(share: float) -> Markup:
    """Return a share as a bar."""
    bar = tag("rect", width=f"{100 * share:.1f}%", height=8, class_="k0")
    return _small(bar)


def _signed_length(values: FloatArray, top: float) -> Markup:
    """Return the largest coefficient as a bar to the left or to the right."""
    value = float(values[np.abs(values).argmax()])
    share = 50 * abs(value) / top
    start = 50.0 if value >= 0 else 50.0 - share
    colour = "k0" if value >= 0 else "k1"
    bar = tag("rect", x=f"{start:.1f}%", width=f"{share:.1f}%", height=8, class_=colour)
    return _small(tag("line", x1="50%", x2="50%", y1=0, y2=8, class_="zero"), bar)


def _small(*parts: Markup) -> Markup:
    """Return a picture of fixed height."""
    return tag("svg", *parts, width="100%", height=8, class_="bar", aria_hidden="true")
