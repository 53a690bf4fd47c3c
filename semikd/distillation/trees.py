"""The record of an honest tree: it predicts, it is drawn, and it ships."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semikd._validation import Shown, wrong_type
from semikd.inference import LeafMeans
from semikd.losses import DistillationLoss
from semikd.simplex import FloatArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["HonestTree", "split_steps"]

Rows = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class HonestTree:
    """A tree grown on some rows, with values and intervals by others.

    Parameters
    ----------
    student_ : estimator
        The fitted tree of scikit-learn, or a Pipeline that ends in one; its values are
        the means of the leaf rows.
    leaves : LeafMeans
        The intervals; leaves are named by their node, as `apply` returns it.
    structure_rows, leaf_rows : ndarray of int
        Positions of the rows that chose the tree, and of those that judge it.
    loss_ : DistillationLoss
        The scale of the tree's values.
    classes_ : ndarray of shape (k,) or None
        Class labels; None for a regression.

    See Also
    --------
    honest_tree : Makes it.
    semikd.artifact.ship : Takes it, as a fitted model.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from semikd import DistilledClassifier
    >>> from semikd.distillation import HonestTree, honest_tree
    >>> X = np.arange(200.0)[:, None]
    >>> distiller = DistilledClassifier(DecisionTreeClassifier(max_depth=1))
    >>> tree = honest_tree(distiller, X, X[:, 0] > 99, random_state=0)
    >>> isinstance(tree, HonestTree), tree.predict(X[[0, 199]])
    (True, array([False,  True]))
    """

    student_: Any
    leaves: LeafMeans
    structure_rows: Rows
    leaf_rows: Rows
    loss_: DistillationLoss
    classes_: NDArray[Any] | None = None

    @property
    def tree(self) -> Any:
        """The tree itself, without the steps of a Pipeline before it."""
        return split_steps(self.student_)[1]

    @property
    def feature_names(self) -> list[str]:
        """Names of the columns that the tree asks for."""
        head, tree = split_steps(self.student_)
        names = getattr(tree, "feature_names_in_", None)
        if names is None and hasattr(head, "get_feature_names_out"):
            names = head.get_feature_names_out()
        if names is None:
            names = [f"column {at}" for at in range(tree.n_features_in_)]
        return [str(name) for name in names]

    def apply(self, X: Any) -> Rows:
        """Return the leaf that each row ends in, shape (n,)."""
        head, tree = split_steps(self.student_)
        return np.asarray(tree.apply(X if head is None else head.transform(X)))

    def predict_proba(self, X: Any) -> FloatArray:
        """Return the class probabilities of each row's leaf, shape (n, k).

        Raises
        ------
        TypeError
            If the tree predicts means.
        """
        if self.classes_ is None:
            shown = Shown("a tree of means")
            raise wrong_type("tree", "predict classes", shown, "Use predict")
        scores = np.asarray(self.student_.predict(X), dtype=np.float64)
        scores = scores.reshape(len(scores), -1)
        return np.asarray(self.loss_.probabilities(scores))

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most likely class, or the mean, of each row's leaf, shape (n,)."""
        if self.classes_ is None:
            return np.asarray(self.student_.predict(X), dtype=np.float64)
        return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])

    def to_text(self, level: float | None = None) -> str:
        """Return the tree as text, each leaf with its intervals.

        Parameters
        ----------
        level : float, optional
            Confidence level; default the level of the intervals.

        Returns
        -------
        str
            Several lines.
        """
        # Imported here because few trees are drawn.
        from semikd.distillation.drawn_tree import tree_text

        return tree_text(self, level)

    def plot(self, level: float | None = None) -> "Figure":
        """Return the tree as a picture, with the intervals below its leaves.

        Parameters
        ----------
        level : float, optional
            Confidence level; default the level of the intervals.

        Returns
        -------
        matplotlib.figure.Figure
            Made without pyplot; save it with ``savefig``.
        """
        from semikd.distillation.drawn_tree import tree_figure

        return tree_figure(self, level)

    def __str__(self) -> str:
        """Return the tree as text."""
        return self.to_text()


def split_steps(student: Any) -> tuple[Any, Any]:
    """Return the steps of a Pipeline before its last, None without any, and the tree.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from semikd.distillation.trees import split_steps
    >>> split_steps(DecisionTreeRegressor())
    (None, DecisionTreeRegressor())
    """
    if not hasattr(student, "steps"):
        return None, student
    return student[:-1] if len(student) > 1 else None, student[-1]
