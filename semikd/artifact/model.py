"""What is shipped, in memory: it reads tables and answers, and needs numpy only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semikd._validation import Shown, choose, invalid, number, wrong_type
from semikd.artifact.arrays import StudentArrays
from semikd.artifact.foreign import ForeignStudent
from semikd.artifact.labels import Label, check_about, label_array
from semikd.artifact.links import LINKS
from semikd.losses import DistillationLoss
from semikd.simplex import FloatArray

if TYPE_CHECKING:
    from semikd.encoding import Encoder

__all__ = ["ShippedModel"]


@dataclass(frozen=True, eq=False)
class ShippedModel:
    """A small model with all that it needs to answer for a table.

    Parameters
    ----------
    encoder : Encoder
        What turns a table into columns of float32.
    student : StudentArrays
        The student: a tree, a forest, linear scores, a network, or a learner of another
        library.
    link : str
        The scale of the scores: 'identity' for a regression, 'probability',
        'log_probability', 'log_probability (uncentred)' or 'cross_entropy'.
    classes : tuple of str, int, float or bool, or None
        Class labels in the order of the probabilities; None for a regression.
    threshold : float, default=0.5
        Probability above which the second of two classes is predicted, in (0, 1). At
        0.5, as everywhere else, a tie goes to the first class. More classes do not use
        it.
    target : str, default='target'
        Name of the column that is predicted.
    about : mapping, default={}
        Versions, dates and hashes.
    class_format : str or None, default=None
        Format of the labels in the training: 'object', 'text', 'bool' or a number of
        numpy such as 'int64'; by default the one that numpy finds.

    Raises
    ------
    ValueError
        If encoder and student differ in their columns, classes and scores in number, a
        value is out of its range, or missing values lead to no finite score.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.artifact import LinearArrays, ShippedModel
    >>> from semikd.encoding import Encoder, NumberColumn, Scaling
    >>> encoder = Encoder((NumberColumn("age", Scaling(40.0, 0.0, 1.0)),))
    >>> student = LinearArrays(np.array([[0.1]]), np.array([-4.0]))
    >>> model = ShippedModel(encoder, student, "cross_entropy", ("no", "yes"))
    >>> model.predict_proba({"age": [30.0, 50.0]}).round(3)
    array([[0.731, 0.269],
           [0.269, 0.731]])
    >>> model.predict({"age": [30.0, 50.0]}).tolist()
    ['no', 'yes']
    """

    encoder: "Encoder"
    student: StudentArrays
    link: str
    classes: tuple[Label, ...] | None
    threshold: float = 0.5
    target: str = "target"
    about: Mapping[str, Any] = field(default_factory=dict)
    class_format: str | None = None

    def __post_init__(self) -> None:
        choose("link", self.link, LINKS)
        if not isinstance(self.target, str):
            raise wrong_type("target", "be the name of a column", self.target)
        threshold = number("threshold", self.threshold, low=0.0, high=1.0)
        if threshold in {0.0, 1.0}:
            raise invalid("threshold", "be above 0 and below 1", threshold)
        n_columns = len(self.encoder.feature_names)
        if n_columns != self.student.n_features:
            constraint = f"have {n_columns} columns, as the encoder has"
            raise invalid("student", constraint, self.student.n_features)
        self._check_classes()
        check_about(self.about)
        self._check_missing()

    def _check_classes(self) -> None:
        """Refuse classes that do not fit to the scores."""
        if (self.classes is None) != (self.link == "identity"):
            constraint = "be given for every scale but 'identity'"
            raise invalid("classes", constraint, self.classes)
        if self.classes is None:
            return
        label_array(self.classes, self.class_format)
        n_scores = self._loss.n_outputs(len(self.classes))
        if n_scores != self.student.n_outputs:
            constraint = f"fit to {self.student.n_outputs} scores on scale {self.link}"
            raise invalid("classes", constraint, Shown(str(len(self.classes))))

    def _check_missing(self) -> None:
        """Refuse a student that has no answer to a row without any value."""
        if isinstance(self.student, ForeignStudent):
            return
        row = {column.name: [None] for column in self.encoder.columns}
        with np.errstate(all="ignore"):
            scores = self.scores(self.encode(row)[0])
        if not np.isfinite(scores).all():
            constraint = "answer to missing values with finite numbers"
            remedy = "Use an encoder that fills them in"
            raise invalid("student", constraint, Shown("others"), remedy)

    @property
    def _loss(self) -> DistillationLoss:
        """The scale of the scores."""
        return LINKS[self.link]

    @cached_property
    def labels(self) -> NDArray[Any]:
        """The class labels as an array in the format of the training, shape (k,)."""
        if self.classes is None:
            raise invalid("model", "have classes", Shown("a regression"))
        return label_array(self.classes, self.class_format)

    @property
    def n_features(self) -> int:
        """Number of columns d that the encoder makes of a table."""
        return self.student.n_features

    def encode(self, table: Any) -> tuple[NDArray[np.float32], dict[str, int]]:
        """Return the encoded table, and the unknown values of each column.

        Parameters
        ----------
        table : data frame or mapping of columns
            A pandas or polars frame, or arrays or lists by the names of the columns.

        Returns
        -------
        features : ndarray of float32 of shape (n, d)
            What the student reads.
        unknown : dict of str to int
            Number of categories that the training had not, or of unreadable values.
        """
        return self.encoder.encode(table)

    def scores(self, features: Any) -> FloatArray:
        """Return the scores of encoded rows, shape (n, m)."""
        return self.student.scores(features)

    def predict_proba(self, table: Any) -> FloatArray:
        """Return class probabilities, shape (n, k).

        Parameters
        ----------
        table : data frame or mapping of columns
            As in ``encode``.

        Returns
        -------
        ndarray of shape (n, k)

        Raises
        ------
        ValueError
            If the model predicts means, which have no probabilities.
        """
        return self.probabilities(self.scores(self.encode(table)[0]))

    def predict(self, table: Any) -> NDArray[Any]:
        """Return the class of each row, or the mean for a regression, shape (n,).

        Parameters
        ----------
        table : data frame or mapping of columns
            As in ``encode``.

        Returns
        -------
        ndarray of shape (n,)
            In the format of the labels of the training; a regression with several
            outcomes has shape (n, m).
        """
        scores = self.scores(self.encode(table)[0])
        return self.decide(scores)

    def probabilities(self, scores: FloatArray) -> FloatArray:
        """Return the class probabilities of scores, shape (n, k)."""
        if self.classes is None:
            remedy = "Use predict"
            shown = Shown("a regression")
            raise invalid("model", "have classes for probabilities", shown, remedy)
        return np.asarray(self._loss.probabilities(scores))

    def decide(self, scores: FloatArray) -> NDArray[Any]:
        """Return the classes that scores stand for, or means as they are."""
        if self.classes is None:
            return scores[:, 0] if scores.shape[1] == 1 else scores
        if len(self.classes) > 2:
            return np.asarray(self.labels[scores.argmax(axis=1)])
        if self.threshold != 0.5:
            second = self.probabilities(scores)[:, 1] > self.threshold
        elif scores.shape[1] == 1:
            # On the scale itself: a tiny score is rounded away in a probability.
            second = scores[:, 0] > self._loss.even
        else:
            second = scores[:, 1] > scores[:, 0]
        return np.asarray(self.labels[second.astype(np.intp)])

    def describe(self) -> dict[str, Any]:
        """Return the kind and size of the model, in plain numbers and words."""
        size = {
            "bare_bytes": self.student.bare_bytes,
            "category_bytes": self.encoder.category_bytes,
        }
        return {
            "kind": self.student.kind,
            **self.student.describe(),
            "features": self.n_features,
            "columns": len(self.encoder.columns),
            "scores": self.student.n_outputs,
            "classes": None if self.classes is None else len(self.classes),
            "link": self.link,
            **size,
        }
