"""Neural networks on labels, alone or as teachers."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from semikd._random import RandomState
from semikd._tables import (
    checked_labels,
    class_factors,
    label_positions,
    refuse_missing,
)
from semikd._validation import check_shape, weights_or_ones
from semikd.crossfit import n_rows
from semikd.networks import NetworkEstimator, Training
from semikd.simplex import FloatArray
from semikd.teachers._folds import LOSS, FoldsInABatch, certain_targets

__all__ = ["TorchClassifier"]


class TorchClassifier(FoldsInABatch, ClassifierMixin, NetworkEstimator):
    r"""A network trained on labels, on a table or on images, alone or as a teacher.

    .. math:: \min_\theta \; -\frac{1}{\sum_i w_i} \sum_i w_i \log p_\theta(y_i \mid
       x_i) + \frac{\lambda}{2} \sum_{\text{layers}} \|W\|^2

    As a teacher it trains the networks of all folds and repeats as one tensor program.

    Parameters
    ----------
    module : sequence of int, architecture or callable, default=(64, 64)
        Units of each hidden layer of a perceptron; an architecture of
        ``semikd.networks`` such as ``MLP`` or ``ResNet``, whose settings are reached as
        ``module__x``; or a function of the input's shape and the number of scores that
        returns a ``torch.nn.Module``.
    class_weight : dict or 'balanced', optional
        Factors by which the rows of each class count.
    solver : {'adam', 'lbfgs'}, default='adam'
        'adam' trains in mini-batches. 'lbfgs' takes all rows at once until the gradient
        vanishes: for small networks and answers that do not depend on order or copies.
    learning_rate : float, default=1e-3
        Step size of 'adam'.
    weight_decay : float, default=1e-4
        :math:`\lambda`; biases are not penalised.
    batch_size : int or None, default=256
        Most rows of a batch of 'adam'; None takes all rows at once.
    max_epochs : int, default=100
        Most passes of 'adam' over the rows, or iterations of 'lbfgs'.
    validation_fraction : float, default=0.1
        Share of the distinct rows of each class (of the groups, where given), in
        [0, 0.9], on which 'adam' watches the loss: it stops after
        ``training.patience`` epochs without improvement and returns to the best one.
    training : Training, optional
        Further options of 'adam': patience, schedule, precision, checkpoints and more.
    device : str, default='auto'
        'cpu', 'cuda' or 'cuda:0' and so on; 'auto' is a GPU where there is one.
    dtype : {'float32', 'float64'}, default='float32'
        Format of the parameters in training. Probabilities of tables are float64.
    random_state : int, generator or None, default=None
        Seed of the first parameters, the split, the order of the rows and dropout.

    Attributes
    ----------
    classes_ : ndarray of shape (k,)
        Class labels.
    encoding_ : TableEncoding or ImageEncoding
        How rows become the numbers that the network reads.
    history_ : tuple of Epoch
        Epoch, training and validation loss, without the penalty.
    module_ : torch.nn.Module
        The fitted network, on the processor, for encoded inputs.
    n_features_in_ : int
        Number of columns, or of channels of images.
    n_iter_ : int
        Epochs or iterations that were run.

    Raises
    ------
    ValueError
        If a parameter is out of its range, the device is not at hand, or the loss does
        not stay finite.

    Warns
    -----
    ConvergenceWarning
        If 'lbfgs' ends before the gradient vanishes.

    See Also
    --------
    semikd.TorchStudent : The same networks on soft or corrected targets.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from semikd import cross_fit
    >>> from semikd.teachers import TorchClassifier
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> teacher = TorchClassifier((16,), max_epochs=5, device="cpu")
    >>> cross_fit(teacher, X, y, cv=5, random_state=0).mean.shape
    (569, 2)
    """

    classes_: NDArray[Any]

    def __init__(
        self,
        module: Any = (64, 64),
        *,
        class_weight: Any = None,
        solver: str = "adam",
        learning_rate: float = 1e-3,
        weight_decay: float = 1e-4,
        batch_size: int | None = 256,
        max_epochs: int = 100,
        validation_fraction: float = 0.1,
        training: Training | None = None,
        device: str = "auto",
        dtype: str = "float32",
        random_state: RandomState = None,
    ) -> None:
        self.module = module
        self.class_weight = class_weight
        self.solver = solver
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.validation_fraction = validation_fraction
        self.training = training
        self.device = device
        self.dtype = dtype
        self.random_state = random_state

    def fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> Self:
        """Train on labels.

        Parameters
        ----------
        X : array-like or data frame of shape (n, d), or images (n, c, h, w)
            Covariates.
        y : array-like of shape (n,)
            Class labels.
        sample_weight : array-like of shape (n,), optional
            Weights of the rows.
        groups : array-like of shape (n,), optional
            No group is divided between training and the rows that watch the loss.

        Returns
        -------
        TorchClassifier
        """
        X = self._checked(X, reset=True)
        labels = checked_labels(X, y)
        classes = np.unique(labels)
        return self._fit(X, labels, classes, sample_weight, groups, go_on=False)

    def partial_fit(
        self,
        X: Any,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Go on from the present parameters, ``max_epochs`` over these rows.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Covariates; the first call decides how they are encoded.
        y : array-like of shape (n,)
            Class labels.
        classes : array-like of shape (k,), optional
            All classes there will be; needed in the first call if y lacks some.
        sample_weight : array-like of shape (n,), optional
            Weights of the rows.

        Returns
        -------
        TorchClassifier
        """
        first = not hasattr(self, "module_")
        X = self._checked(X, reset=first)
        labels = np.asarray(y)
        check_shape("y", labels, (n_rows(X),))
        refuse_missing("y", labels)
        known = classes if first else self.classes_
        found = np.unique(labels if known is None else np.asarray(known))
        return self._fit(X, labels, found, sample_weight, None, go_on=True)

    def predict_proba(self, X: Any) -> FloatArray:
        """Return the class probabilities of each row, shape (n, k)."""
        return np.asarray(LOSS.probabilities(self._scores(X)))

    def decision_function(self, X: Any) -> FloatArray:
        """Return scores: log-odds of shape (n,) for two classes, else (n, k)."""
        scores = self._scores(X)
        return scores[:, 0] if scores.shape[1] == 1 else scores

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most likely class of each row, shape (n,)."""
        decision = self.decision_function(X)
        codes = decision > 0 if decision.ndim == 1 else decision.argmax(axis=1)
        labels: NDArray[Any] = self.classes_[codes.astype(np.intp)]
        return labels

    def _fit(
        self,
        X: Any,
        labels: NDArray[Any],
        classes: NDArray[Any],
        sample_weight: Any,
        groups: Any,
        *,
        go_on: bool,
    ) -> Self:
        """Train on checked labels."""
        known = getattr(self, "classes_", classes)
        if getattr(self.training, "warm_start", False) and len(known) == len(classes):
            # The scores that there are belong to these.
            classes = known
        codes = label_positions(labels, classes)
        weight = weights_or_ones(sample_weight, n_rows(X))
        weight = self._counted(labels, classes, weight)
        target = certain_targets(codes, len(classes))
        groups = None if groups is None else np.asarray(groups)
        self._fit_network(
            X, target, weight, LOSS, groups=groups, strata=codes, go_on=go_on
        )
        self.classes_ = classes
        return self

    def _counted(
        self, labels: NDArray[Any], classes: NDArray[Any], weight: FloatArray
    ) -> FloatArray:
        """Return weights times the factor of each row's class."""
        if self.class_weight is None:
            return weight
        if isinstance(self.class_weight, str):
            # Balance is one of the classes at hand: a later part may bring the others.
            classes = np.unique(labels)
        factors = class_factors(self.class_weight, labels, classes, weight)
        return weight * factors[label_positions(labels, classes)]

    def _scores(self, X: Any) -> FloatArray:
        """Return the scores of rows, shape (n, m)."""
        check_is_fitted(self)
        return self._network_scores(X)
