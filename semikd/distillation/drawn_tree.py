"""An honest tree as people read it: as text, and as a picture with intervals."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from semikd._text import visible
from semikd._validation import counted
from semikd.distillation.trees import HonestTree
from semikd.simplex import FloatArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["tree_figure", "tree_text"]

# Dark enough on white, told apart by people who see few colours, and by marker too.
_COLOURS = ("#4477aa", "#ee6677", "#228833", "#aa3377", "#997700", "#0099bb", "#555555")
_MARKERS = "osD^vP*"
_LEAF = -1
# Characters of a column's name that fit into a box.
_LONGEST = 20
_INCHES = 1.15
# Beside a number, what single precision leaves of it.
_SINGLE = 2.0**-23


def tree_text(tree: HonestTree, level: float | None = None) -> str:
    """Return the tree as indented lines, each leaf with its intervals.

    Parameters
    ----------
    tree : HonestTree
        What to show.
    level : float, optional
        Confidence level; default the level of the intervals.

    Returns
    -------
    str
    """
    used = tree.leaves.level if level is None else level
    drawn = _Drawn.of(tree, used)
    names = _outcome_names(tree)
    head = tree.leaves.estimand[0].upper() + tree.leaves.estimand[1:]
    lines = [
        f"{head}: estimate",
        f"[{100 * used:g} % interval] [of all leaves together]",
    ]
    for node, depth, answer in _walk(tree.tree.tree_):
        start = "|  " * depth + answer
        if node not in drawn.leaves:
            lines.append(start + _question(tree, node, 10_000))
            continue
        at = drawn.leaves.index(node)
        said = zip(
            names, drawn.estimate[at], drawn.alone[at], drawn.together[at], strict=True
        )
        shown = [
            f"{name}{_in_digits(value, own)} {_shown(own)} {_shown(every)}"
            for name, value, own, every in said
        ]
        rows = counted(drawn.rows[at], "row")
        if drawn.units[at] != drawn.rows[at]:
            rows += f" in {counted(drawn.units[at], 'cluster')}"
        lines.append(f"{start}leaf {node}, {rows}: {'; '.join(shown)}")
    return "\n".join(lines)


def tree_figure(tree: HonestTree, level: float | None = None) -> "Figure":
    """Return the tree, and below each leaf its intervals.

    Parameters
    ----------
    tree : HonestTree
        What to draw.
    level : float, optional
        Confidence level; default the level of the intervals.

    Returns
    -------
    matplotlib.figure.Figure
        Made without pyplot, so that no window or global state is touched.
    """
    from matplotlib.figure import Figure

    depth = tree.tree.get_depth()
    heights = (1.0 + 0.75 * depth, 2.6)
    size = (max(5.5, 1.0 + _INCHES * len(tree.leaves.leaves)), sum(heights) + 0.6)
    figure = Figure(figsize=size, layout="constrained")
    upper, lower = figure.subplots(2, 1, height_ratios=heights, sharex=True)
    used = tree.leaves.level if level is None else level
    drawn = _Drawn.of(tree, used)
    _draw_tree(upper, tree, drawn)
    _draw_intervals(lower, tree, drawn)
    lower.set_xlabel(
        f"leaf; {100 * used:g} % intervals: thick of one leaf, thin of all leaves",
        fontsize=8,
    )
    return figure


@dataclass(frozen=True)
class _Drawn:
    """Leaves from left to right: estimates (L, m), intervals (L, m, 2), and rows."""

    leaves: list[int]
    estimate: FloatArray
    alone: FloatArray
    together: FloatArray
    rows: list[int]
    units: list[int]

    @classmethod
    def of(cls, tree: HonestTree, level: float | None) -> "_Drawn":
        """Return the leaves in the order of the tree, not of their numbers."""
        found, n_leaves = tree.leaves, len(tree.leaves.leaves)
        numbered = {leaf: at for at, leaf in enumerate(found.leaves)}
        leaves = [each[0] for each in _walk(tree.tree.tree_) if each[0] in numbered]
        order = [numbered[leaf] for leaf in leaves]
        shape = (n_leaves, -1, 2)
        return cls(
            leaves,
            found.estimate.reshape(n_leaves, -1)[order],
            found.conf_int(level, "interval").reshape(shape)[order],
            found.conf_int(level, "simultaneous").reshape(shape)[order],
            found.n_rows[order].tolist(),
            found.n_units[order].tolist(),
        )


def _outcome_names(tree: HonestTree) -> list[str]:
    """Return what stands before each estimate of a leaf: nothing for a single one."""
    names = tree.leaves.classes
    if names is None or len(names) == 1:
        return [""]
    return [f"{visible(name)} " for name in names]


def _shown(interval: FloatArray) -> str:
    """Return the ends of an interval."""
    return f"[{_in_digits(interval[0], interval)}, {_in_digits(interval[1], interval)}]"


def _in_digits(value: float, interval: FloatArray) -> str:
    """Return a number in digits that tell the ends of its interval apart."""
    width = float(interval[1] - interval[0])
    largest = max(abs(float(value)), *map(abs, map(float, interval)))
    # As many as tell the ends apart, in leaves far from zero too.
    digits = 1 + int(np.ceil(np.log10(largest / width))) if width > 0 else 3
    return f"{value:.{min(max(digits, 3), 15)}g}"


def _walk(nodes: Any) -> list[tuple[int, int, str]]:
    """Return nodes, depths and the answers that lead there, left before right."""
    found, ahead = [], [(0, 0, "")]
    while ahead:
        node, depth, answer = ahead.pop()
        found.append((node, depth, answer))
        if nodes.children_left[node] != _LEAF:
            ahead.append((int(nodes.children_right[node]), depth + 1, "no: "))
            ahead.append((int(nodes.children_left[node]), depth + 1, "yes: "))
    return found


def _question(tree: HonestTree, node: int, longest: int) -> str:
    """Return what a node asks for."""
    nodes = tree.tree.tree_
    name = visible(" ".join(tree.feature_names[nodes.feature[node]].split()))
    short = name if len(name) <= longest else f"{name[: longest - 3]}..."
    missing = ""
    known = getattr(tree.tree, "missing_values_in_feature_mask_", None)
    if known is not None and known[nodes.feature[node]]:
        yes = "yes" if nodes.missing_go_to_left[node] else "no"
        missing = f" (missing: {yes})"
    return f"{short} <= {_cut_at(nodes.threshold[node])}{missing}"


def _cut_at(threshold: float) -> str:
    """Return a threshold in no more digits than the data have that it divides."""
    # Trees read numbers in single precision.
    single = np.float32(threshold)
    exact = abs(float(single) - threshold) <= _SINGLE * abs(threshold)
    return np.format_float_positional(single if exact else threshold, trim="-")


def _places(tree: HonestTree) -> dict[int, tuple[float, int]]:
    """Return where nodes stand: leaves side by side, the rest over their children."""
    nodes, walked = tree.tree.tree_, _walk(tree.tree.tree_)
    places: dict[int, tuple[float, int]] = {}
    leaves = [each for each in walked if nodes.children_left[each[0]] == _LEAF]
    for x, (node, depth, _) in enumerate(leaves):
        places[node] = (float(x), -depth)
    for node, depth, _ in reversed(walked):
        if node not in places:
            pair = (nodes.children_left[node], nodes.children_right[node])
            places[node] = (float(np.mean([places[at][0] for at in pair])), -depth)
    return places


def _draw_tree(axes: "Axes", tree: HonestTree, drawn: _Drawn) -> None:
    """Draw boxes with questions, and lines that end above the intervals."""
    places, nodes = _places(tree), tree.tree.tree_
    bottom = -tree.tree.get_depth() - 0.45
    counts = dict(zip(drawn.leaves, drawn.rows, strict=True))
    box = {"boxstyle": "round,pad=0.35", "facecolor": "white", "edgecolor": "#666666"}
    for node, (x, y) in places.items():
        if node in counts:
            axes.plot([x, x], [y, bottom], color="#bbbbbb", linewidth=1, zorder=0)
            said = f"leaf {node}\n{counted(counts[node], 'row')}"
        else:
            said = _question(tree, node, _LONGEST).replace("$", r"\$")
            said = said.replace("<=", "≤")
            for child, answer in (
                (nodes.children_left[node], "yes"),
                (nodes.children_right[node], "no"),
            ):
                end = places[child]
                axes.plot([x, end[0]], [y, end[1]], color="#888888", lw=1, zorder=0)
                middle = ((x + end[0]) / 2, (y + end[1]) / 2)
                axes.text(*middle, answer, fontsize=7, ha="center", va="center",
                          color="#444444", backgroundcolor="white")  # fmt: skip
        axes.text(x, y, said, fontsize=8, ha="center", va="center", bbox=box)
    axes.set_ylim(bottom, 0.5)
    axes.axis("off")


def _draw_intervals(axes: "Axes", tree: HonestTree, drawn: _Drawn) -> None:
    """Draw the intervals of each leaf, alone and together."""
    names = _outcome_names(tree)
    n_leaves, m = drawn.estimate.shape
    for j in range(m):
        x = np.arange(n_leaves) + 0.6 * ((j + 0.5) / m - 0.5)
        colour, marker = _COLOURS[j % len(_COLOURS)], _MARKERS[j % len(_MARKERS)]
        axes.vlines(x, *drawn.together[:, j].T, color=colour, linewidth=1.2)
        axes.vlines(x, *drawn.alone[:, j].T, color=colour, linewidth=4)
        style: dict[str, Any] = {"color": "white", "mec": colour, "ms": 6, "mew": 1.5}
        label = _cut(names[j].strip()) or None
        axes.plot(x, drawn.estimate[:, j], marker, label=label, **style)
    if m > 1:
        beside: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0)}
        axes.legend(fontsize=8, frameon=False, title="class", **beside)
    if tree.leaves.classes is not None:
        axes.set_ylim(-0.03, 1.03)
    axes.set_xlim(-0.6, n_leaves - 0.4)
    axes.set_xticks(np.arange(n_leaves), [str(leaf) for leaf in drawn.leaves])
    label = tree.leaves.estimand.removesuffix(" in each leaf")
    axes.set_ylabel(_cut(label), fontsize=9)
    axes.grid(axis="y", color="#e5e5e5")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _cut(text: str) -> str:
    """Return text that fits beside an axis, no dollar sign starting a formula."""
    line = visible(text)
    short = line if len(line) <= 32 else f"{line[:29]}..."
    return short.replace("$", r"\$")
