"""A network as a student, on targets of any scale; only methods import torch."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted

from semikd._random import RandomState
from semikd._tables import checked_labels
from semikd._validation import Shown, finite_array, invalid, weights_or_ones
from semikd.crossfit import n_rows
from semikd.losses import DistillationLoss
from semikd.networks import (
    FeatureTerm,
    NetworkEstimator,
    NetworkOptions,
    OnlineTargets,
    Training,
    prepare,
)
from semikd.networks.architectures import as_architecture
from semikd.networks.inputs import check_groups
from semikd.networks.shapes import InputShape
from semikd.simplex import FloatArray
from semikd.students.classifier import StudentClassifier

__all__ = ["TorchStudent"]

# Targets p + (y - p) leave [0, 1] by rounding alone.
_ROUNDING = 1e-9


class TorchStudent(NetworkEstimator, StudentClassifier):
    r"""A network fitted to targets on the scale of a loss, on a table or on images.

    .. math:: \min_\theta \; \frac{1}{\sum_i w_i} \sum_i w_i \, \ell(f_\theta(x_i);
       \tau_i) + \frac{\lambda}{2} \sum_{\text{layers}} \|W\|^2

    on columns standardised by their weighted mean and standard deviation; missing
    numbers become the mean beside an indicator, categorical columns of a data frame
    positions with embeddings, images (n, c, h, w) are standardised by channel.

    Parameters
    ----------
    module : sequence of int, architecture or callable, default=(64, 64)
        Units of each hidden layer of a perceptron, ``()`` being a linear student, a
        convex problem; an architecture of ``semikd.networks`` such as ``MLP`` or
        ``ResNet``, whose settings are reached as ``module__x``; or a function of the
        input's shape and the number of scores that returns a ``torch.nn.Module``.
    loss : str or DistillationLoss, default='cross_entropy'
        The scale that ``fit`` uses; ``fit_target`` is given its own.
    solver : {'adam', 'lbfgs'}, default='adam'
        'adam' trains in mini-batches. 'lbfgs' takes all rows at once until the gradient
        vanishes: for small networks and, in float64, for answers that do not depend on
        the order of the rows or on whether a weight or a repeated row is given.
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
        stops after ``training.patience`` epochs without improvement and returns to the
        best one. 0 trains on all rows to the last epoch; 'lbfgs' always uses all rows.
    training : Training, optional
        Further options of 'adam': patience, schedule, precision, checkpoints and more.
    device : str, default='auto'
        'cpu', 'cuda', 'cuda:0' and so on; 'auto' is a GPU where there is one.
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
    encoding_ : TableEncoding or ImageEncoding
        How rows become the numbers that the network reads.
    mean_, scale_ : ndarray of shape (d,)
        Weighted moments of the numeric columns; a constant column has scale 1.
    module_ : torch.nn.Module
        The fitted network, on the processor, for encoded inputs.
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
    A batch of b rows gives the gradient of :math:`\sum_{\text{batch}} w_i \ell_i / (b
    \bar w)` with :math:`\bar w` the mean weight of all rows. It is unbiased for the
    weighted mean of the loss; dividing by the weights of the batch would not be.

    Rows of zero weight take no part. Rows are put in an order of their content first,
    so that a permuted table gives the same model; 'lbfgs' also merges repeated rows.
    With mini-batches a repeated row and a weight of 2 agree in expectation only.

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

    fit_options: tuple[str, ...] = ("groups", "online")

    trains_in_batches = shows_layers = True

    def __init__(
        self,
        module: Any = (64, 64),
        *,
        loss: str | DistillationLoss = "cross_entropy",
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
        self.loss = loss
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

    def supports(
        self, loss: DistillationLoss, target_range: tuple[float, float] | None = None
    ) -> str | None:
        """Return None, or why the loss could fall without end at such targets."""
        # A row that is fitted on its own has no least loss. A penalty stops linear
        # scores; those of hidden layers grow at least as fast as the penalty.
        low, high = target_range or (0.0, 1.0)
        inside = low >= -_ROUNDING and high <= 1.0 + _ROUNDING
        stops = self.solver == "adam" and self.validation_fraction > 0
        convex = as_architecture(self.module).is_linear and self.weight_decay > 0
        if loss.name != "cross_entropy" or inside or stops or convex:
            return None
        return (
            f"cross-entropy at targets outside [0, 1] ({low:.3g} to {high:.3g}) may "
            "have no minimum for a network that is trained to the end; set "
            "validation_fraction above 0 with solver='adam', or use 'log_probability'"
        )

    def _check_settings(self) -> None:
        """Refuse a parameter out of its range, or a device that is not at hand."""
        NetworkOptions.of(self)

    def complexity(
        self, n_samples: int, n_features: int, n_outputs: int
    ) -> float | None:
        """Return coefficients over rows without hidden layers, None with them."""
        architecture = as_architecture(self.module)
        if architecture.reads_images is not False or not architecture.is_linear:
            return None
        shape = InputShape.table(n_features, ())
        return min(1.0, architecture.n_parameters(shape, 1) / n_samples)

    def fit_target(
        self,
        X: Any,
        target: FloatArray,
        *,
        loss: DistillationLoss,
        sample_weight: FloatArray | None = None,
        groups: NDArray[Any] | None = None,
        online: OnlineTargets | None = None,
        features: FeatureTerm | None = None,
    ) -> Self:
        """Minimise the weighted mean of losses at these targets, shape (n, m).

        No group is divided between training and the rows that watch the loss. With
        ``online`` the targets of a batch are made for its rows as they are shown,
        augmented; with ``features`` losses of hidden layers are added.
        """
        more: Any = {"groups": groups, "online": online, "features": features}
        return self._fit(X, target, loss, sample_weight, **more)

    def partial_fit(
        self,
        X: Any,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Go on from the present parameters, ``max_epochs`` over these labelled rows.

        The first call decides the encoding, and needs ``classes`` if y lacks some.
        """
        known = getattr(self, "classes_", classes)
        target, loss, found = self._certain(X, y, known)
        self._fit(X, target, loss, sample_weight, go_on=True)
        self.classes_ = found
        return self

    def fit_many(
        self,
        X: Any,
        targets: Sequence[FloatArray],
        *,
        loss: DistillationLoss,
        sample_weight: FloatArray | None = None,
        settings: Sequence[Mapping[str, Any]] | None = None,
        groups: NDArray[Any] | None = None,
        **options: Any,
    ) -> list[Self]:
        """Fit one student for each target, as one batch; with options it is a loop."""
        each = [{}] * len(targets) if settings is None else settings
        if len(each) != len(targets):
            shown = Shown(f"{len(each)} for {len(targets)} targets")
            raise invalid("settings", "be one for each of the targets", shown)
        students = [self.copy().configure(dict(setting)) for setting in each]
        X = self._checked(X, reset=True)
        weight = weights_or_ones(sample_weight, n_rows(X))
        built = [NetworkOptions.of(student) for student in students]
        check_groups(groups, n_rows(X))
        alike = built and all(o.in_a_batch_with(built[0]) for o in built)
        if options or not alike or not self.trains_in_batches:
            # What all members of a batch share differs: the loop it is.
            more = {"sample_weight": sample_weight, "settings": each, **options}
            return super().fit_many(X, targets, loss=loss, groups=groups, **more)
        tables = [finite_array("target", t, shape=(n_rows(X), None)) for t in targets]
        prepared = [prepare(X, t, weight) for t in tables]
        tasks = [
            self._task(one, one.order, table, weight, option, groups)
            for one, table, option in zip(prepared, tables, built, strict=True)
        ]
        found = self._fit_batch(prepared[0], tasks, loss)
        for student, network, one, table in zip(
            students, found, prepared, tables, strict=True
        ):
            student._checked(X, reset=True)
            student._adopt(network, one)
            student._remember(loss, loss.n_scores(table))
        return students

    def scores(self, X: Any) -> FloatArray:
        """Return the fitted scores in float64, shape (n, m)."""
        check_is_fitted(self)
        return self._network_scores(X)

    def _fit(
        self,
        X: Any,
        target: Any,
        loss: DistillationLoss,
        sample_weight: Any,
        *,
        go_on: bool = False,
        **more: Any,
    ) -> Self:
        """Fit to targets, from fresh parameters or from the present ones."""
        NetworkOptions.of(self)
        X = self._checked(X, reset=not (go_on and hasattr(self, "module_")))
        target = finite_array("target", target, shape=(n_rows(X), None))
        weight = weights_or_ones(sample_weight, n_rows(X))
        self._fit_network(X, target, weight, loss, go_on=go_on, **more)
        self._remember(loss, loss.n_scores(target))
        return self

    def _labels(self, X: Any, y: ArrayLike) -> NDArray[Any]:
        """Return class labels, for tables and images alike."""
        self._checked(X, reset=True)
        return checked_labels(X, y)
