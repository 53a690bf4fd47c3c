"""An estimator that answers through the model it chose."""

from typing import Any

from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from semikd._tables import checked_table
from semikd.distillation import DistilledClassifier
from semikd.simplex import FloatArray

__all__ = ["AnswersOfModel"]


class AnswersOfModel(BaseEstimator):
    """Predictions of ``model_``, a fitted `DistilledClassifier`.

    Examples
    --------
    >>> from semikd import AutoDistiller
    >>> from semikd.selection.answering import AnswersOfModel
    >>> issubclass(AutoDistiller, AnswersOfModel)
    True
    """

    model_: DistilledClassifier

    def decision_function(self, X: Any) -> FloatArray:
        """Return scores that are largest for the predicted class, (n,) or (n, m)."""
        return self._model(X).decision_function(X)

    def predict_proba(self, X: Any) -> FloatArray:
        """Return class probabilities, shape (n, k)."""
        return self._model(X).predict_proba(X)

    def predict_log_proba(self, X: Any) -> FloatArray:
        """Return the logarithm of ``predict_proba``; -inf where that is 0."""
        return self._model(X).predict_log_proba(X)

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most likely class of each row, shape (n,)."""
        return self._model(X).predict(X)

    def _model(self, X: Any) -> DistilledClassifier:
        """Return the winner, which can read these rows."""
        check_is_fitted(self)
        checked_table(self, X, reset=False)
        model: DistilledClassifier = self.model_
        return model
