"""Which arrays each kind of student has in a file, with their kinds and axes."""

from semikd._validation import choose, invalid

__all__ = ["expected_arrays"]

# Names -> the letter of the kind ('f' float, 'u' unsigned) and the number of axes.
Axes = dict[str, tuple[str, int]]

_TREE: Axes = {
    **dict.fromkeys(("left", "right", "feature", "missing_left"), ("u", 1)),
    **dict.fromkeys(("threshold", "leaf_cover"), ("f", 1)),
    "leaf_value": ("f", 2),
}
_NEEDED: dict[str, Axes] = {
    "forest": {**_TREE, "sizes": ("u", 1)},
    "linear": {"coef": ("f", 2), "intercept": ("f", 1)},
    "network": {"mean": ("f", 1), "scale": ("f", 1)},
    "tree": _TREE,
}
_MAX_LAYERS = 64


def expected_arrays(kind: object, names: object) -> Axes:
    """Return the axes of the arrays of a student; ``ValueError`` for other names.

    The names say what is left open: whether the trees of a forest share the scores, and
    how many layers a network has.
    """
    needed = choose("student", kind, _NEEDED)
    optional: Axes = {}
    if kind == "forest":
        optional = {"output": ("u", 1)}
    if kind == "network":
        n_layers = len(names) // 2 - 1 if isinstance(names, list) else 0
        for at in range(min(max(n_layers, 1), _MAX_LAYERS)):
            needed = needed | {f"weight_{at}": ("f", 2), f"bias_{at}": ("f", 1)}
    for axes in (needed, needed | optional):
        if names == sorted(axes):
            return axes
    raise invalid("arrays", f"be those of a {kind}", names)
