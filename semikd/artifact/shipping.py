"""From a fitted student to its arrays; scikit-learn and torch are needed here only."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semikd._validation import Shown, invalid, wrong_type
from semikd.artifact.arrays import StudentArrays
from semikd.artifact.descent import float32_below
from semikd.artifact.foreign import ForeignStudent
from semikd.artifact.forests import ForestArrays
from semikd.artifact.labels import Label, label_format
from semikd.artifact.linear import LinearArrays
from semikd.artifact.links import link_name
from semikd.artifact.model import ShippedModel
from semikd.artifact.network import NetworkArrays
from semikd.artifact.saving import FORMAT_VERSION
from semikd.artifact.trees import TreeArrays

if TYPE_CHECKING:
    from semikd.encoding import Encoder

__all__ = ["ship", "student_arrays"]


def ship(
    model: Any,
    encoder: "Encoder",
    *,
    target: str,
    threshold: float = 0.5,
    about: Mapping[str, Any] | None = None,
) -> ShippedModel:
    """Return what is shipped of a fitted model: its encoder, and its student as arrays.

    Parameters
    ----------
    model : DistilledClassifier, DistilledRegressor or object
        A fitted model, or any object with a fitted ``student_``, the scale ``loss_`` of
        its scores and, for classes, ``classes_``. A Pipeline as ``student_`` may only
        pass its leading columns on to its last step.
    encoder : Encoder
        What turns a table into the columns of the student.
    target : str
        Name of the column that is predicted.
    threshold : float, default=0.5
        Probability above which the second of two classes is predicted, in (0, 1).
    about : mapping, optional
        What else is to be kept, name by name: text, numbers or None; for instance the
        date and a hash of the training table. Versions are added.

    Returns
    -------
    ShippedModel

    Raises
    ------
    TypeError
        If the student or its scale cannot be shipped.
    ValueError
        If encoder and student differ in their columns, or a value is out of its range.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
    >>> from semikd import DistilledClassifier
    >>> from semikd.artifact import ship
    >>> from semikd.encoding import Encoder, NumberColumn
    >>> table = {"age": list(range(60))}
    >>> encoder = Encoder((NumberColumn("age"),))
    >>> features, _ = encoder.encode(table)
    >>> small = DistilledClassifier(
    ...     DecisionTreeClassifier(max_depth=1),
    ...     DecisionTreeRegressor(max_leaf_nodes=2),
    ...     random_state=0,
    ... )
    >>> labels = ["young" if age < 30 else "old" for age in table["age"]]
    >>> shipped = ship(small.fit(features, labels), encoder, target="group")
    >>> shipped.predict({"age": [3.0, 50.0]}).tolist()
    ['young', 'old']
    """
    student = student_arrays(model.student_)
    classes = getattr(model, "classes_", None)
    return ShippedModel(
        encoder=encoder,
        student=student,
        link=link_name(model.loss_),
        classes=None if classes is None else _labels(classes),
        class_format=None if classes is None else label_format(classes),
        threshold=threshold,
        target=target,
        about={**_versions(), **(about or {})},
    )


def student_arrays(learner: Any) -> StudentArrays:
    """Return a fitted learner as arrays.

    Parameters
    ----------
    learner : estimator
        A tree, a forest or a linear model of scikit-learn, ``LinearStudent``,
        ``TorchStudent``, one of these for each score in a ``MultiOutputRegressor``, or
        another learner, which is then saved by skops.

    Returns
    -------
    StudentArrays

    Raises
    ------
    TypeError
        If it is none of these.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LinearRegression
    >>> from semikd.artifact.shipping import student_arrays
    >>> X = np.array([[0.0], [1.0]])
    >>> student_arrays(LinearRegression().fit(X, [1.0, 3.0])).coef.round(6)
    array([[2.]])
    """
    if hasattr(learner, "steps"):
        return student_arrays(_last_step(learner))
    known = _ships().get(type(learner))
    return ForeignStudent.of(learner) if known is None else known(learner)


def _ships() -> dict[type, Callable[[Any], StudentArrays]]:
    """Return how each known class becomes arrays; subclasses may predict otherwise."""
    from sklearn import ensemble, linear_model, multioutput, tree

    from semikd.students import (
        AdversarialStudent,
        LinearStudent,
        RobustStudent,
        TorchStudent,
    )

    linear = [
        "ARDRegression",
        "BayesianRidge",
        "ElasticNet",
        "ElasticNetCV",
        "Lars",
        "Lasso",
        "LassoCV",
        "LassoLars",
        "LinearRegression",
        "LogisticRegression",
        "Ridge",
        "RidgeCV",
        "SGDRegressor",
    ]
    return {
        tree.DecisionTreeRegressor: _tree,
        tree.ExtraTreeRegressor: _tree,
        ensemble.RandomForestRegressor: _forest,
        ensemble.ExtraTreesRegressor: _forest,
        multioutput.MultiOutputRegressor: _one_for_each,
        LinearStudent: _linear,
        TorchStudent: _network,
        AdversarialStudent: _network,
        RobustStudent: _network,
        **{getattr(linear_model, name): _linear for name in linear},
    }


def _tree(learner: Any) -> TreeArrays:
    """Return the arrays of a fitted tree of scikit-learn."""
    tree = learner.tree_
    left, right = tree.children_left, tree.children_right
    inner = left >= 0
    weight = tree.weighted_n_node_samples
    threshold = float32_below(tree.threshold[inner])
    return TreeArrays.of_leaves(
        (left, right),
        (tree.feature[inner], threshold, tree.missing_go_to_left[inner]),
        tree.value[~inner, :, 0],
        weight[~inner] / weight[0],
        int(tree.n_features),
    )


def _forest(learner: Any) -> ForestArrays:
    """Return the arrays of the trees of a fitted forest."""
    return ForestArrays(tuple(_tree(tree) for tree in learner.estimators_))


def _linear(learner: Any) -> LinearArrays:
    """Return slopes and intercepts, one row for each score."""
    coef = np.atleast_2d(np.asarray(learner.coef_, dtype=np.float64))
    intercept = np.asarray(learner.intercept_, dtype=np.float64)
    return LinearArrays(coef, np.broadcast_to(intercept, len(coef)).copy())


def _network(learner: Any) -> NetworkArrays:
    """Return the layers of a fitted network."""
    if not learner.encoding_.is_plain:
        constraint = "read numbers without gaps or categories"
        remedy = "Encode the table before the student"
        shown = Shown(f"{type(learner).__name__} on other columns")
        raise wrong_type("student", constraint, shown, remedy)
    layers = _linear_layers(learner.module_)
    return NetworkArrays(
        np.asarray(learner.mean_, dtype=np.float64),
        np.asarray(learner.scale_, dtype=np.float64),
        tuple(layer.weight.detach().cpu().numpy().copy() for layer in layers),
        tuple(layer.bias.detach().cpu().numpy().copy() for layer in layers),
    )


def _linear_layers(module: Any) -> list[Any]:
    """Return linear layers with SiLU units between them, and nothing else that acts."""
    from torch import nn

    from semikd.nets import Dropout

    parts = list(module) if type(module) is nn.Sequential else [module]
    acting = [part for part in parts if not isinstance(part, Dropout)]
    wanted = [nn.SiLU if at % 2 else nn.Linear for at in range(len(acting) | 1)]
    found = [type(part) for part in acting]
    strange = [kind.__name__ for kind in found if kind not in (nn.Linear, nn.SiLU)]
    if found != wanted or any(part.bias is None for part in acting[::2]):
        constraint = "have linear layers and SiLU units in turn"
        shown = Shown(strange[0] if strange else "another order")
        raise wrong_type("student", constraint, shown)
    return acting[::2]


def _one_for_each(learner: Any) -> StudentArrays:
    """Return the arrays of one learner for each score."""
    parts = [student_arrays(part) for part in learner.estimators_]
    linear = [part for part in parts if isinstance(part, LinearArrays)]
    if len(linear) == len(parts):
        coef = np.concatenate([part.coef for part in linear])
        return LinearArrays(coef, np.concatenate([part.intercept for part in linear]))
    trees = [
        (tree, at)
        for at, part in enumerate(parts)
        for tree in getattr(part, "trees", [part])
    ]
    if any(not isinstance(tree, TreeArrays) for tree, _ in trees):
        return ForeignStudent.of(learner)
    return ForestArrays(tuple(tree for tree, _ in trees), tuple(at for _, at in trees))


def _last_step(pipeline: Any) -> Any:
    """Return the learner of a Pipeline that only passes its leading columns on."""
    last = pipeline.steps[-1][1]
    if len(pipeline.steps) == 1:
        return last
    head, n_kept = pipeline[:-1], last.n_features_in_
    try:
        probe = _probe(pipeline.n_features_in_)
        kept = np.asarray(head.transform(probe), dtype=np.float64)
    except (AttributeError, TypeError, ValueError):
        kept = np.empty((0, 0))
    if not np.array_equal(kept, probe[:, :n_kept], equal_nan=True):
        constraint = "be a learner without transformers, or select leading columns"
        remedy = "Fit the learner to encoded columns instead"
        raise wrong_type("student", constraint, Shown("a Pipeline"), remedy)
    return last


def _probe(width: int) -> NDArray[np.float64]:
    """Return rows of which no transformation but a selection leaves all alone."""
    ramp = np.arange(1.0, width + 1.0)
    return np.stack([ramp, -1000.0 * ramp, 0.125 / ramp, np.full(width, np.nan)])


def _labels(classes: NDArray[Any]) -> tuple[Label, ...]:
    """Return class labels as Python's own values."""
    labels = tuple(np.asarray(classes).tolist())
    strange = [label for label in labels if not isinstance(label, str | int | float)]
    if strange:
        constraint = "be text, numbers or True and False"
        raise invalid("classes", constraint, strange[0], "Name the classes by text")
    return labels


def _versions() -> dict[str, Any]:
    """Return the versions that a model was made with."""
    import platform

    import sklearn

    import semikd

    return {
        "semikd": semikd.__version__,
        "numpy": np.__version__,
        "scikit_learn": sklearn.__version__,
        "python": platform.python_version(),
        "format_version": FORMAT_VERSION,
    }
