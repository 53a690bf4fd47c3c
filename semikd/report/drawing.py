"""A tree as people read it: its upper levels drawn, and all of it as an outline.

A drawing of 128 leaves is unreadable on any screen. The upper levels say what the model
looks at first; below each of them stands a letter, under which the rest is listed.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from semikd.report.outcomes import Outcome, OutcomeReader
from semikd.report.text import percent

__all__ = ["DrawnNode", "DrawnTree", "Outline", "OutlineRow", "draw_tree"]

_LEVELS = 3
_MOST_ROWS = 1500
_DEEPEST_INDENT = 14
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True)
class DrawnNode:
    """One node of the drawn part.

    Parameters
    ----------
    answer : {'', 'yes', 'no'}
        The answer that leads here; none leads to the root.
    question : str
        The split; empty where the drawing ends.
    outcome : Outcome
        What the tree would say here.
    share : str
        Share of the training weight.
    letter : str
        Of the outline that goes on from here; empty at leaves.
    hidden : int
        Leaves below that are not drawn.
    children : tuple of DrawnNode
        None, or yes and no.

    Examples
    --------
    >>> from markupsafe import Markup
    >>> from semikd.report.drawing import DrawnNode
    >>> from semikd.report.outcomes import Outcome
    >>> DrawnNode("", "", Outcome("0.3", None, Markup("")), "100 %", "", 0, ()).hidden
    0
    """

    answer: str
    question: str
    outcome: Outcome
    share: str
    letter: str
    hidden: int
    children: "tuple[DrawnNode, ...]"


@dataclass(frozen=True)
class OutlineRow:
    """One line of the outline below a letter.

    Parameters
    ----------
    indent : int
        How deep it stands.
    answer, question, share : str
        As for `DrawnNode`.
    outcome : Outcome
        What the tree says here.

    Examples
    --------
    >>> from markupsafe import Markup
    >>> from semikd.report.drawing import OutlineRow
    >>> from semikd.report.outcomes import Outcome
    >>> OutlineRow(1, "yes", "", "1 %", Outcome("0.3", None, Markup(""))).indent
    1
    """

    indent: int
    answer: str
    question: str
    share: str
    outcome: Outcome


@dataclass(frozen=True)
class Outline:
    """What stands below one letter.

    Parameters
    ----------
    letter : str
        As in the drawing.
    way : tuple of (str, str)
        Questions and answers that lead here.
    leaves : int
        Leaves below.
    rows : list of OutlineRow
        Every node, parents first.

    Examples
    --------
    >>> from semikd.report.drawing import Outline
    >>> Outline("A", (("age ≤ 37.5", "yes"),), 2, []).letter
    'A'
    """

    letter: str
    way: tuple[tuple[str, str], ...]
    leaves: int
    rows: list[OutlineRow]


@dataclass(frozen=True)
class DrawnTree:
    """A tree in both forms.

    Parameters
    ----------
    root : DrawnNode
        The drawing.
    outlines : list of Outline
        The rest, by letter.
    left_out : int
        Nodes that are in neither, where there are very many.
    n_leaves, depth : int
        The size of the tree.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from semikd.artifact.shipping import student_arrays
    >>> from semikd.encoding import Encoder, NumberColumn
    >>> from semikd.report.drawing import draw_tree
    >>> from semikd.report.outcomes import OutcomeReader
    >>> learner = DecisionTreeRegressor().fit([[20], [30], [50], [60]], [0, 0, 1, 1])
    >>> tree, encoder = student_arrays(learner), Encoder((NumberColumn("age"),))
    >>> drawn = draw_tree(tree, encoder, OutcomeReader(tree.value))
    >>> drawn.n_leaves, drawn.root.question
    (2, 'age ≤ 40')
    """

    root: DrawnNode
    outlines: list[Outline]
    left_out: int
    n_leaves: int
    depth: int


def draw_tree(tree: Any, encoder: Any, reader: OutcomeReader) -> DrawnTree:
    """Return a tree in both forms.

    Parameters
    ----------
    tree : TreeArrays
        The nodes; children follow their parents.
    encoder : Encoder
        It words the splits.
    reader : OutcomeReader
        It reads the values of nodes.

    Returns
    -------
    DrawnTree
    """
    drawer = _Drawer(tree, encoder, reader)
    root = drawer.node(0, ())
    listed = sum(len(outline.rows) for outline in drawer.outlines)
    return DrawnTree(
        root=root,
        outlines=drawer.outlines,
        left_out=drawer.n_below - listed,
        n_leaves=int(drawer.leaves[0]),
        depth=int(drawer.depth.max()),
    )


class _Drawer:
    """The state of one walk: letters given so far, and lines written."""

    def __init__(self, tree: Any, encoder: Any, reader: OutcomeReader) -> None:
        self.tree, self.encoder, self.reader = tree, encoder, reader
        self.cover = np.asarray(tree.cover, dtype=np.float64)
        self.inner = np.asarray(tree.feature) >= 0
        self.depth, self.leaves = self._levels()
        self.outlines: list[Outline] = []
        self.n_below = 0
        self._room = _MOST_ROWS

    def _levels(self) -> tuple[Any, Any]:
        """Return the depth of each node, and the leaves below it."""
        depth = np.zeros(len(self.inner), dtype=np.intp)
        leaves = np.where(self.inner, 0, 1)
        order = self._preorder(0)
        for at in order:
            for child in self._children(at):
                depth[child] = depth[at] + 1
        for at in reversed(order):
            for child in self._children(at):
                leaves[at] += leaves[child]
        return depth, leaves

    def _children(self, at: int) -> tuple[int, ...]:
        """Return the nodes for yes and no, none at leaves."""
        if not self.inner[at]:
            return ()
        return int(self.tree.left[at]), int(self.tree.right[at])

    def _preorder(self, start: int) -> list[int]:
        """Return the nodes from here on, parents first; without recursion."""
        order, waiting = [], [start]
        while waiting:
            at = waiting.pop()
            order.append(at)
            waiting += reversed(self._children(at))
        return order

    def node(self, at: int, way: tuple[tuple[str, str], ...]) -> DrawnNode:
        """Return a node with what is drawn below it."""
        goes_on = bool(self.inner[at]) and len(way) < _LEVELS
        hidden = int(self.leaves[at]) if self.inner[at] and not goes_on else 0
        question = self._question(at) if self.inner[at] else ""
        children = zip(("yes", "no"), self._children(at), strict=False)
        return DrawnNode(
            answer=way[-1][1] if way else "",
            question=question if goes_on else "",
            outcome=self.reader.read(at),
            share=percent(float(self.cover[at])),
            letter=self._letter(at, way) if hidden else "",
            hidden=hidden,
            children=tuple(
                self.node(child, (*way, (question, word))) for word, child in children
            )
            if goes_on
            else (),
        )

    def _question(self, at: int) -> str:
        """Return a split in words."""
        feature, threshold = int(self.tree.feature[at]), float(self.tree.threshold[at])
        return str(self.encoder.question(feature, threshold))

    def _letter(self, at: int, way: tuple[tuple[str, str], ...]) -> str:
        """Return the letter of an outline that goes on from here, once written."""
        letter = _LETTERS[len(self.outlines)]
        order = self._preorder(at)
        answers = {at: ""}
        for node in order:
            answers |= dict(zip(self._children(node), ("yes", "no"), strict=False))
        self.n_below += len(order)
        kept = order[: self._room]
        self._room -= len(kept)
        rows = [
            self._row(node, answers[node], int(self.depth[node] - self.depth[at]))
            for node in kept
        ]
        self.outlines.append(Outline(letter, way, int(self.leaves[at]), rows))
        return letter

    def _row(self, at: int, answer: str, indent: int) -> OutlineRow:
        """Return one line of the outline."""
        return OutlineRow(
            indent=min(indent, _DEEPEST_INDENT),
            answer=answer,
            question=self._question(at) if self.inner[at] else "",
            share=percent(float(self.cover[at])),
            outcome=self.reader.read(at),
        )
