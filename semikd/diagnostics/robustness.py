"""How many answers of a network stay right where its inputs are moved against it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted

from semikd._random import RandomState, spawn_seeds
from semikd._tables import label_positions
from semikd._validation import Shown, check_shape, count, wrong_type
from semikd.crossfit import n_rows, take_rows
from semikd.losses import CrossEntropyLoss, DistillationLoss
from semikd.networks import Attack, NetworkEstimator
from semikd.networks.attack import as_attack
from semikd.students._decision import chosen, decisions

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["RobustAccuracy", "robust_accuracy"]

# Rows that are moved at a time.
_PART = 4_096


@dataclass(frozen=True)
class RobustAccuracy:
    """Shares of right answers, as the rows are and where they are moved.

    Parameters
    ----------
    accuracy : float
        Share of rows that are right wherever the attack moved them: an upper bound of
        the share that no perturbation of this size makes wrong.
    std_error : float
        Its standard error over rows, for a network that is given.
    natural : float
        Share of rows that are right as they are.
    epsilon : float
        How far rows were moved.
    n_rows : int
        Rows that were tried.

    Examples
    --------
    >>> from semikd.diagnostics import RobustAccuracy
    >>> print(RobustAccuracy(0.412, 0.011, 0.95, 0.1, 2_000))
    at most 0.412 (0.011) right within 0.1 of 2,000 rows, 0.950 right as they are
    """

    accuracy: float
    std_error: float
    natural: float
    epsilon: float
    n_rows: int

    def __str__(self) -> str:
        return (
            f"at most {self.accuracy:.3f} ({self.std_error:.3f}) right within "
            f"{self.epsilon:g} of {self.n_rows:,} rows, {self.natural:.3f} right as "
            "they are"
        )


def robust_accuracy(
    model: Any,
    X: Any,
    y: ArrayLike,
    *,
    epsilon: float | Attack = 8 / 255,
    n_starts: int = 1,
    random_state: RandomState = None,
) -> RobustAccuracy:
    r"""Return how many rows a network still gets right under projected gradient ascent.

    .. math:: \frac1n \sum_i \mathbf 1\{\hat y(\tilde x) = y_i \text{ for all } \tilde
       x \text{ that were tried}\} \;\ge\; \frac1n \sum_i \mathbf 1\{\hat y(\tilde x) =
       y_i \text{ for all } \|\tilde x - x_i\|_\infty \le \varepsilon\}

    A row counts as wrong if it is so as it is, at a start, or after any of the steps.
    What is found is an upper bound: another attack may fool more. It is sharp for a
    linear score of two classes; a network whose gradients vanish or are noise looks
    more robust than it is, and more steps and starts are no proof.

    Parameters
    ----------
    model : TorchStudent, TorchClassifier or model with such a ``student_``
        Fitted, for instance a ``DistilledClassifier``.
    X : array-like or data frame of shape (n, d), or images (n, c, h, w)
        Rows that it was not fitted to.
    y : array-like of shape (n,)
        Their labels.
    epsilon : float or semikd.networks.Attack, default=8/255
        How far rows are moved: images in the scale 0 to 1, columns of a table in
        standard deviations, as this network learned them; or an attack with settings.
        At 0 this is the accuracy.
    n_starts : int, default=1
        Attacks on each row, from starts of their own; without ``random_start`` there is
        nothing to repeat.
    random_state : int, generator or None, default=None
        Seed of the starts.

    Returns
    -------
    RobustAccuracy

    Raises
    ------
    TypeError
        If the model is no network.
    ValueError
        If a number is out of its range, or a label is unknown to the model.

    References
    ----------
    .. [1] A. Madry et al., "Towards Deep Learning Models Resistant to Adversarial
       Attacks", ICLR 2018, Section 2.1.
    .. [2] A. Athalye, N. Carlini and D. Wagner, "Obfuscated Gradients Give a False
       Sense of Security", ICML 2018, on what such numbers do not show.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd import TorchStudent
    >>> from semikd.diagnostics import robust_accuracy
    >>> X = np.linspace(-1, 1, 40)[:, None]
    >>> y = X[:, 0] > 0
    >>> line = TorchStudent((), solver="lbfgs", device="cpu", random_state=0).fit(X, y)
    >>> print(robust_accuracy(line, X, y, epsilon=0.5, random_state=0))
    at most 0.700 (0.072) right within 0.5 of 40 rows, 1.000 right as they are
    """
    attack = as_attack(epsilon)
    count("n_starts", n_starts)
    network = _network(model)
    X = network._checked(X, reset=False)
    labels = np.asarray(y)
    check_shape("y", labels, (n_rows(X),))
    codes = label_positions(labels, np.asarray(model.classes_))
    seeds = spawn_seeds(random_state, n_starts if attack.random_start else 1)
    parts = [
        _right(network, take_rows(X, rows), codes[rows], attack, seeds)
        for rows in np.split(np.arange(len(codes)), range(_PART, len(codes), _PART))
    ]
    natural, robust = (np.concatenate(each) for each in zip(*parts, strict=True))
    share = float(robust.mean())
    error = float(np.sqrt(share * (1.0 - share) / len(codes)))
    epsilon = float(attack.epsilon)
    return RobustAccuracy(share, error, float(natural.mean()), epsilon, len(codes))


def _network(model: Any) -> NetworkEstimator:
    """Return the network of a fitted model."""
    check_is_fitted(model)
    network = getattr(model, "student_", model)
    if isinstance(network, NetworkEstimator) and hasattr(model, "classes_"):
        return network
    shown, remedy = Shown(type(network).__name__), "Use TorchStudent or TorchClassifier"
    raise wrong_type("model", "be a network of this library for classes", shown, remedy)


def _right(
    network: NetworkEstimator,
    X: Any,
    codes: NDArray[np.intp],
    attack: Attack,
    seeds: list[int],
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which rows are right as they are, and wherever they were moved."""
    import copy

    import torch

    from semikd import nets
    from semikd.networks.robust import balls, surprise

    device = nets.devices().get(network.device, nets.find_device("cpu"))
    x = torch.from_numpy(np.asarray(network.encoding_.encode(X))).to(device)
    module = copy.deepcopy(network.module_).to(device, x.dtype).eval()
    loss: DistillationLoss = getattr(network, "loss_", CrossEntropyLoss())
    ball = balls(attack, network.encoding_, x)(x)
    y = torch.from_numpy(codes).to(device)
    n_classes = max(2, module(x[:1]).shape[1])
    q = torch.nn.functional.one_hot(y, n_classes).to(x.dtype)

    def right(inputs: "Tensor") -> NDArray[np.bool_]:
        with torch.no_grad():
            scores = module(inputs).double().cpu().numpy()
        return np.asarray(chosen(decisions(loss, scores)) == codes)

    natural = right(x)
    robust = natural.copy()
    generator = torch.Generator(device)
    for seed in seeds:
        start = None
        if attack.random_start:
            generator.manual_seed(seed)
            start = torch.empty_like(x).uniform_(-1.0, 1.0, generator=generator)
        for moved in nets.perturbations(
            lambda inputs: surprise(module(inputs), q),
            x,
            ball,
            stride=attack.stride,
            n_steps=attack.n_steps,
            start=start,
        ):
            robust &= right(moved)
    return natural, robust
