"""A neural network as a student, trained on soft or corrected targets of any scale.

Torch is imported by the methods, never with the module.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted, validate_data

from semikd._random import RandomState
from semikd._validation import finite_array, sample_weights
from semikd.losses import DistillationLoss
from semikd.simplex import FloatArray
from semikd.students._rows import canonical
from semikd.students.classifier import StudentClassifier

if TYPE_CHECKING:
    from torch import nn

    from semikd.nets import Epoch
    from semikd.students._network import NetworkOptions

__all__ = ["TorchStudent"]

# Targets p + (y - p) leave [0, 1] by rounding alone.
_ROUNDING = 1e-9


class TorchStudent(StudentClassifier):
    r"""A multilayer perceptron fitted to targets on the scale of a loss.

    .. math:: \min_\theta \; \frac{1}{\sum_i w_i} \sum_i w_i \, \ell(f_\theta(x_i);
       \tau_i) + \frac{\lambda}{2} \sum_{\text{layers}} \|W\|^2

    on columns standardised by their weighted mean and standard deviation.

    Parameters
    ----------
    hidden_layer_sizes : sequence of int, default=(64, 64)
        Units of each hidden layer. ``()`` is a linear student, a convex problem.
    loss : str or DistillationLoss, default='cross_entropy'
        The scale that ``fit`` uses; ``fit_target`` is given its own.
    solver : {'adam', 'lbfgs'}, default='adam'
        'adam' trains in mini-batches. 'lbfgs' takes all rows at once until the gradient
        vanishes: for small networks and, in float64, for answers that do not depend on
        the order of the rows or on whether a weight or a repeated row is given.
    dropout : float, default=0.0
        Chance of a hidden unit to be left out, in [0, 0.99]; only for 'adam'.
    learning_rate : float, default=1e-3
        Step size of 'adam'.
    weight_decay : float, default=1e-4
        :math:`\lambda`; biases are not penalised.
    batch_size : int or None, default=256
        Most rows of a batch of 'adam'; None takes all rows at once.
    max_epochs : int, default=100
        Most passes of 'adam' over the rows, or iterations of 'lbfgs'.
    validation_fraction : float, default=0.1
        Share of the distinct rows, in [0, 0.9], on which 'adam' watches the loss: it
        stops after ten epochs without improvement and returns to the best one. 0 trains
        on all rows to the last epoch; 'lbfgs' always uses all rows.
    device : str, default='auto'
        'cpu', 'cuda' or 'cuda:0' and so on; 'auto' is a GPU where there is one.
    dtype : {'float32', 'float64'}, default='float32'
        Format of the parameters in training. Scores are float64 always.
    random_state : int, generator or None, default=None
        Seed of the first parameters, the split, the order of the rows and dropout.

    Attributes
    ----------
    classes_ : ndarray of shape (k,)
        Class labels; positions 0 .. k-1 after ``fit_target``.
    history_ : tuple of Epoch
        Epoch, training and validation loss, without the penalty.
    loss_ : DistillationLoss
        The scale of the fitted scores.
    mean_, scale_ : ndarray of shape (d,)
        Weighted mean and standard deviation of the columns; a constant column has
        scale 1.
    module_ : torch.nn.Module
        The fitted network, on the processor, for standardised inputs.
    n_features_in_ : int
        Number of columns.
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

    Notes
    -----
    A batch of b rows out of n contributes the gradient of
    :math:`\sum_{i \in \text{batch}} w_i \ell_i / (b \bar w)` with :math:`\bar w` the
    mean weight of all n rows. It is unbiased for the weighted mean of the loss;
    dividing by the weights of the batch itself would not be.

    Rows of zero weight take no part in anything. Rows are put in an order of their
    content first, so that a permuted table gives the same model; 'lbfgs' also merges
    repeated rows. With mini-batches a repeated row and a weight of 2 agree in
    expectation only.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.losses import LogProbabilityLoss
    >>> from semikd.students import TorchStudent
    >>> X = np.linspace(-1, 1, 50)[:, None]
    >>> student = TorchStudent((), solver="lbfgs", dtype="float64", weight_decay=0.0)
    >>> student.fit_target(X, 3 * X, loss=LogProbabilityLoss()).scores([[0.5]]).round(3)
    array([[1.5]])
    """

    history_: "tuple[Epoch, ...]"
    mean_: FloatArray
    module_: "nn.Module"
    n_iter_: int
    scale_: FloatArray

    def __init__(
        self,
        hidden_layer_sizes: Sequence[int] = (64, 64),
        *,
        loss: str | DistillationLoss = "cross_entropy",
        solver: str = "adam",
        dropout: float = 0.0,
        learning_rate: float = 1e-3,
        weight_decay: float = 1e-4,
        batch_size: int | None = 256,
        max_epochs: int = 100,
        validation_fraction: float = 0.1,
        device: str = "auto",
        dtype: str = "float32",
        random_state: RandomState = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.loss = loss
        self.solver = solver
        self.dropout = dropout
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.validation_fraction = validation_fraction
        self.device = device
        self.dtype = dtype
        self.random_state = random_state

    def supports(
        self, loss: DistillationLoss, target_range: tuple[float, float] | None = None
    ) -> str | None:
        """Return None, or why the loss could fall without end at such targets."""
        # The loss falls without end if a row can be fitted on its own. A penalty stops
        # linear scores; those of hidden layers grow at least as fast as the penalty.
        low, high = target_range or (0.0, 1.0)
        inside = low >= -_ROUNDING and high <= 1.0 + _ROUNDING
        stops = self.solver == "adam" and self.validation_fraction > 0
        convex = not len(self.hidden_layer_sizes) and self.weight_decay > 0
        if loss.name != "cross_entropy" or inside or stops or convex:
            return None
        return (
            f"cross-entropy at targets outside [0, 1] ({low:.3g} to {high:.3g}) may "
            "have no minimum for a network that is trained to the end; set "
            "validation_fraction above 0 with solver='adam', or use 'log_probability'"
        )

    def _check_settings(self) -> None:
        """Refuse a parameter out of its range, or a device that is not at hand."""
        self._options()

    def complexity(self, n_samples: int, n_features: int, n_outputs: int) -> float:
        """Return the parameters behind one score per row, at most 1.

        These are the hidden layers, which scores share, and the score's own output.
        """
        widths = [n_features, *self.hidden_layer_sizes, 1]
        n_parameters = sum((fan_in + 1) * out for fan_in, out in pairwise(widths))
        return min(1.0, n_parameters / n_samples)

    def n_coefficients(self) -> int:
        """Return the number of parameters of the fitted network."""
        from semikd import nets

        check_is_fitted(self)
        return nets.n_parameters(self.module_)

    def fit_target(
        self,
        X: Any,
        target: FloatArray,
        *,
        loss: DistillationLoss,
        sample_weight: FloatArray | None = None,
    ) -> Self:
        """Minimise the weighted mean of losses at these targets, shape (n, m)."""
        from semikd.students._network import fit_network

        options = self._options()
        X = validate_data(self, X, dtype=np.float64)
        target = finite_array("target", target, shape=(len(X), None))
        weight = sample_weights(sample_weight, len(X))
        weight = np.ones(len(X)) if weight is None else weight
        found = fit_network(canonical(X, target, weight), loss, options)
        self._remember(loss, loss.n_scores(target))
        self.module_, self.history_ = found.module, found.history
        self.mean_, self.scale_ = found.mean, found.scale
        self.n_iter_ = len(found.history)
        return self

    def _options(self) -> "NetworkOptions":
        """Return the parameters but the loss, checked."""
        from semikd.students._network import NetworkOptions

        settings = self.get_params(deep=False)
        del settings["loss"]
        return NetworkOptions(**settings)

    def scores(self, X: Any) -> FloatArray:
        """Return the fitted scores in float64, shape (n, m)."""
        from semikd import nets

        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        # A student trained on a GPU also answers where there is none.
        device = nets.devices().get(self.device, nets.find_device("cpu"))
        return nets.predict(self.module_, (X - self.mean_) / self.scale_, device=device)
