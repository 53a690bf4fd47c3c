"""What a student is judged on: probabilities by log-loss, means by squared error.

A comparison is one procedure for both; here is everything in which they differ.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from semikd._validation import number, unknown
from semikd.evaluation.metrics import POINTWISE, mean_scores, scores
from semikd.evaluation.tables import Table
from semikd.losses import DistillationLoss, IdentityLoss, get_loss
from semikd.simplex import FloatArray, one_hot
from semikd.students import Student

__all__ = ["Classification", "Regression", "Task"]

Pointwise = Callable[[FloatArray, Table], FloatArray]


class Task(ABC):
    """What is predicted, how it is scored, and what a student learns from labels.

    Examples
    --------
    >>> from semikd.evaluation import Classification, Regression
    >>> [task.metric for task in (Classification(0.001), Regression())]
    ['log_loss', 'squared_error']
    """

    name: str
    metric: str
    """The loss by which arms are compared and students from scratch are tuned."""
    unit: str
    terms: str = ""
    """What scores take for granted, as the end of a sentence."""

    @abstractmethod
    def losses(self) -> Mapping[str, Pointwise]:
        """Return the losses of single rows, by name, that comparisons can judge."""

    @abstractmethod
    def scores(self, prediction: FloatArray, table: Table) -> dict[str, float]:
        """Return every metric of one model, by name."""

    @abstractmethod
    def scratch_loss(self, student: Student) -> DistillationLoss:
        """Return the loss on which a student learns labels."""

    @abstractmethod
    def outcome(self, table: Table) -> FloatArray:
        """Return what was observed, as predictions would say it, shape (n, m)."""

    def loss(self, metric: str | None) -> Pointwise:
        """Return the loss of that name; None is the one that arms are compared by."""
        known = self.losses()
        if metric is None:
            return known[self.metric]
        if metric not in known:
            raise unknown("metric", metric, known)
        return known[metric]


@dataclass(frozen=True)
class Classification(Task):
    """Class probabilities, with one declared floor for every model.

    Parameters
    ----------
    min_proba : float, default=1e-3
        Floor of log-loss and Brier score.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.evaluation import Classification, Table
    >>> table = Table(np.zeros((2, 1)), np.array(["a", "b"]), None, None)
    >>> Classification(0.001).scores(np.eye(2), table)["accuracy"]
    1.0
    """

    min_proba: float = 1e-3

    name = "classification"
    metric = "log_loss"
    unit = "nats"

    @property
    def terms(self) -> str:  # type: ignore[override]
        """The floor, in words."""
        return f"; no probability counts as less than {self.min_proba:g}"

    def check(self, n_classes: int) -> None:
        """Refuse a floor that these classes cannot have."""
        low, high = 0.0, 1.0 / n_classes
        number("min_proba", self.min_proba, low=low, high=high, open_low=True)

    def losses(self) -> Mapping[str, Pointwise]:
        """Return log-loss and Brier score of single rows."""
        return {name: self._pointwise(name) for name in POINTWISE}

    def scores(self, prediction: FloatArray, table: Table) -> dict[str, float]:
        """Return log-loss, Brier score, AUC, accuracy and calibration error."""
        return scores(
            prediction,
            table.codes,
            sample_weight=table.weights,
            min_proba=self.min_proba,
        )

    def scratch_loss(self, student: Student) -> DistillationLoss:
        """Return the scale that suits the student."""
        return get_loss("auto", auto=student.default_loss)

    def outcome(self, table: Table) -> FloatArray:
        """Return the one-hot labels, shape (n, k)."""
        assert table.classes is not None  # noqa: S101 - a table of labels
        return np.asarray(one_hot(table.codes, len(table.classes)))

    def _pointwise(self, name: str) -> Pointwise:
        """Return one loss with the floor that all models have."""
        return lambda p, table: POINTWISE[name](
            p, table.codes, min_proba=self.min_proba
        )


@dataclass(frozen=True)
class Regression(Task):
    """Means of a single number.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.evaluation import Regression, Table
    >>> y = np.array([1.0, 3.0])
    >>> table = Table(np.zeros((2, 1)), y, None, None, classification=False)
    >>> Regression().scores(np.array([[1.0], [2.0]]), table)["squared_error"]
    0.5
    """

    name = "regression"
    metric = "squared_error"
    unit = "squared units of the target"

    def losses(self) -> Mapping[str, Pointwise]:
        """Return squared and absolute error of single rows."""
        return {
            "squared_error": lambda mean, table: (table.y - mean[:, 0]) ** 2,
            "absolute_error": lambda mean, table: np.abs(table.y - mean[:, 0]),
        }

    def scores(self, prediction: FloatArray, table: Table) -> dict[str, float]:
        """Return mean squared and absolute error, and the share explained."""
        return mean_scores(prediction[:, 0], table.y, sample_weight=table.weights)

    def scratch_loss(self, student: Student) -> DistillationLoss:
        """Return the identity scale: means are fitted as they are."""
        return IdentityLoss()

    def outcome(self, table: Table) -> FloatArray:
        """Return the outcomes, shape (n, 1)."""
        return np.asarray(table.y[:, None])
