"""A small tree whose leaves are judged by rows that had no part in choosing it.

One half of the rows, with its own teachers, decides where the tree splits; the other
half says what is true in each leaf. Nothing that looked at an outcome of the second
half has touched the splits, so that its means are plain means.
"""

import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.tree import BaseDecisionTree, DecisionTreeRegressor

from semikd._random import RandomState, spawn_seeds
from semikd._validation import Shown, invalid, wrong_type
from semikd.crossfit import OutOfFold, seeded_clone
from semikd.distillation.algorithm import Distilled
from semikd.distillation.halves import LEAST, HonestRows, honest_rows, two_sides
from semikd.distillation.trees import HonestTree, split_steps
from semikd.exceptions import SemikdWarning
from semikd.inference import leaf_means
from semikd.inference._inputs import checked_level
from semikd.students.refilled import ended, refilled

__all__ = ["honest_tree"]

# Few enough for one picture; on average as many leaf rows in each as the least weight.
_LEAVES, _LEAF_WEIGHT = 8, 20.0


def honest_tree(
    distiller: Distilled,
    X: Any,
    y: ArrayLike,
    *,
    structure: float = 0.5,
    sample_weight: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    level: float = 0.95,
    random_state: RandomState = None,
) -> HonestTree:
    r"""Distil a tree on some rows, and infer what is true in its leaves by the others.

    1. Rows are divided by their content, or by their clusters: copies of a row, or the
       rows of a cluster, stay together.
    2. On the structure rows alone teachers are cross-fitted and the tree distilled.
    3. Leaf rows fall through the tree; their outcomes are its values, with intervals.

    The estimand is :math:`E[Y \mid X \in \ell]` for each leaf of *this* tree.

    Parameters
    ----------
    distiller : DistilledClassifier or DistilledRegressor
        The recipe: teacher, folds, loss and correction, and as ``student`` a tree of
        scikit-learn or a Pipeline that ends in one; None is a tree of at most 8 leaves,
        of weight 20 or more. It is copied, never fitted.
    X : array-like, sparse matrix or data frame of shape (n, d)
        Covariates.
    y : array-like of shape (n,)
        Class labels, or outcomes of a regression.
    structure : float, default=0.5
        Share of the distinct rows, or clusters, that choose the tree, in (0, 1).
    sample_weight : array-like of shape (n,), optional
        Sampling weights, of structure and leaf rows; rows of weight zero are left out.
    clusters : array-like of shape (n,), optional
        Rows of a cluster depend on one another: they fall on one side and into one
        fold, and their leaf means vary as clusters do. By default copies of a row are a
        cluster; with clusters, copies in different ones are rows like any others.
    level : float, default=0.95
        Confidence level.
    random_state : int, generator or None
        Seed of the division, of open seeds of the distiller, and of the draws behind
        simultaneous intervals.

    Returns
    -------
    HonestTree

    Raises
    ------
    ValueError, TypeError
        If the student is no tree, ``cv`` is made for these rows (labels that were
        brought, or folds of every row), either side has fewer than 2 distinct rows or
        clusters, or an argument does not fit.

    Warns
    -----
    SemikdWarning
        If a split leaves fewer than 2 leaf rows, or clusters, on one side: the other
        side takes its place. Which ones are depends on covariates only.

    See Also
    --------
    semikd.inference.leaf_means : For a tree and rows of your own.

    Notes
    -----
    The price is a tree of half the rows, which intervals do not hide. It is not enough
    that the tree learned from other rows: labels by teachers that saw the leaf rows
    carry their outcomes into the splits. Nor does the division look at y: halves with
    equal shares of the classes would know of one another.

    References
    ----------
    .. [1] S. Athey and G. Imbens, "Recursive partitioning for heterogeneous causal
       effects", PNAS 113, 2016 (honest leaves; of distilled trees they are this
       library's).
    .. [2] S. Wager and S. Athey, "Estimation and inference of heterogeneous treatment
       effects using random forests", JASA 113, 2018, Definition 2.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from semikd import DistilledClassifier
    >>> from semikd.distillation import honest_tree
    >>> X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    >>> distiller = DistilledClassifier(
    ...     RandomForestClassifier(20), DecisionTreeRegressor(max_leaf_nodes=3)
    ... )
    >>> print(honest_tree(distiller, X, y, random_state=0))
    Probability of class 1 in each leaf: estimate
    [95 % interval] [of all leaves together]
    worst perimeter <= 105.95
    |  yes: leaf 1, 170 rows: 0.935 [0.888, 0.963] [0.876, 0.972]
    |  no: worst perimeter <= 116.95
    |  |  yes: leaf 3, 31 rows: 0.484 [0.32, 0.652] [0.269, 0.703]
    |  |  no: leaf 4, 84 rows: 0.0119 [0.0021, 0.0644] [0.000103, 0.0783]
    """
    checked_level(level)
    recipe = _recipe(distiller)
    split_seed, fit_seed, draw_seed = spawn_seeds(random_state, 3)
    whole = honest_rows(recipe, X, y, sample_weight, clusters)
    chosen, judging = two_sides(whole, structure, split_seed)
    grown = seeded_clone(_with_tree(recipe, chosen), fit_seed)
    grown.fit(chosen.X, chosen.y, sample_weight=chosen.weights, groups=chosen.groups)
    head, tree = split_steps(grown.student_)
    table = judging.X if head is None else head.transform(judging.X)
    honest = _honest(tree, table, judging)
    found = leaf_means(
        honest.apply(table),
        judging.y,
        classes=whole.classes,
        sample_weight=judging.weights,
        clusters=judging.units,
        level=level,
        random_state=draw_seed,
    )
    if hasattr(grown.student_, "steps"):
        steps = grown.student_.steps
        honest = Pipeline([*steps[:-1], (steps[-1][0], honest)])
    return HonestTree(
        student_=honest,
        leaves=found,
        structure_rows=chosen.rows,
        leaf_rows=judging.rows,
        loss_=whole.loss,
        classes_=whole.classes,
    )


def _recipe(distiller: Any) -> Distilled:
    """Return the distiller, refused where its student or its folds do not suit."""
    if not isinstance(distiller, Distilled):
        constraint = "be a DistilledClassifier or a DistilledRegressor"
        raise wrong_type("distiller", constraint, distiller)
    _, tree = split_steps(distiller.student)
    if not isinstance(tree, BaseDecisionTree | None):
        shown = Shown(type(tree).__name__)
        raise wrong_type("student", "be a tree", shown, "Use DecisionTreeRegressor")
    cv = distiller.cv
    by_rule = cv is None or isinstance(cv, str | int | np.integer)
    if isinstance(cv, OutOfFold) or not (by_rule or hasattr(cv, "split")):
        shown = Shown(type(cv).__name__)
        remedy = "Teachers are trained inside the structure rows: use a number of folds"
        raise invalid("cv", "be a number, a name or a splitter", shown, remedy)
    return distiller


def _with_tree(recipe: Distilled, chosen: HonestRows) -> Distilled:
    """Return the recipe, with a tree of readable size if it has no student."""
    if recipe.student is not None:
        return recipe
    smallest = min(0.5, _LEAF_WEIGHT / chosen.mass.sum())
    student = DecisionTreeRegressor(
        max_leaf_nodes=_LEAVES, min_weight_fraction_leaf=smallest
    )
    own: Distilled = clone(recipe).set_params(student=student)
    return own


def _honest(tree: Any, table: Any, judging: HonestRows) -> Any:
    """Return the tree with means of the leaf rows, and no split they do not fill."""
    path = sparse.csc_array(tree.decision_path(table))
    n = len(judging.y)
    units = np.arange(n) if judging.units is None else judging.units
    member = sparse.csr_array((np.ones(n), (units, np.arange(n))))
    kept = ended(tree.tree_, member @ path, LEAST)
    reaching = path[:, list(kept)].T
    mass = judging.mass / judging.mass.max()
    value = (reaching @ (mass[:, None] * judging.outcomes)) / (reaching @ mass)[:, None]
    honest = refilled(tree, kept, value)
    _warn_of_undone(tree.get_n_leaves(), honest.get_n_leaves(), judging)
    return honest


def _warn_of_undone(before: int, after: int, judging: HonestRows) -> None:
    """Warn of splits that were taken back."""
    if before == after:
        return
    what = "rows" if judging.units is None else "clusters"
    warnings.warn(
        f"The tree keeps {after} of {before} leaves: splits that leave fewer than "
        f"{LEAST} {what} of the leaf rows on one side were taken back. Ask for larger "
        "leaves (min_samples_leaf of the tree), or pass more rows.",
        SemikdWarning,
        stacklevel=4,
    )
