"""Whether a fitted network is a linear rule in disguise.

Gradient descent on separable rows can drive the hidden units of a network into two
directions; what it answers is then nearly linear, and a linear student loses nothing.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.utils.validation import check_is_fitted

from semikd._random import RandomState
from semikd._validation import Shown, count, invalid, wrong_type
from semikd.crossfit import cross_fit
from semikd.networks import NetworkEstimator
from semikd.networks.tables import TableEncoding
from semikd.simplex import FloatArray

if TYPE_CHECKING:
    pass

__all__ = ["LinearAgreement", "WeightClusters", "linear_agreement", "weight_clusters"]

# As good as no penalty; decisions that a line parts have no finite best slope.
_NO_PENALTY = 1e4


@dataclass(frozen=True)
class WeightClusters:
    r"""How alike the hidden units of a network are, by the sign of what they add.

    Parameters
    ----------
    score : float
        Mean cosine between the input weights of two units of one sign, over all such
        pairs: 1 where the network has two directions, about 0 where they are scattered
        in many dimensions. NaN where no sign has two units.
    positive, negative : float
        The same within each sign alone.
    between : float
        Mean cosine between units of different signs; -1 for two opposite clusters.
    n_positive, n_negative : int
        Units of each sign; those of no weight are left out.

    Examples
    --------
    >>> from semikd.diagnostics import WeightClusters
    >>> print(WeightClusters(0.95, 0.94, 0.96, -0.9, 8, 8))
    cosine 0.950 within signs (8 and 8 units), -0.900 between
    """

    score: float
    positive: float
    negative: float
    between: float
    n_positive: int
    n_negative: int

    def __str__(self) -> str:
        return (
            f"cosine {self.score:.3f} within signs ({self.n_positive} and "
            f"{self.n_negative} units), {self.between:.3f} between"
        )


@dataclass(frozen=True)
class LinearAgreement:
    """How closely linear rules follow a network, on rows they did not learn from.

    Parameters
    ----------
    agreement : float
        Share of rows on which the best linear classifier of the network's decisions
        makes the same one.
    std_error : float
        Its standard error, for a network that is given.
    majority : float
        Share of the most common decision, which a constant agrees with.
    r_squared : float
        Share of the variance of the network's scores that a linear regression explains.
    n_rows : int
        Rows that were compared.

    Examples
    --------
    >>> from semikd.diagnostics import LinearAgreement
    >>> print(LinearAgreement(0.98, 0.002, 0.6, 0.93, 4_000))
    0.980 (0.002) of 4,000 decisions are linear, 0.930 of the variance of scores
    """

    agreement: float
    std_error: float
    majority: float
    r_squared: float
    n_rows: int

    def __str__(self) -> str:
        return (
            f"{self.agreement:.3f} ({self.std_error:.3f}) of {self.n_rows:,} decisions "
            f"are linear, {self.r_squared:.3f} of the variance of scores"
        )


def weight_clusters(model: Any, *, output: int = 0) -> WeightClusters:
    r"""Return how far the hidden units of a network with one hidden layer cluster.

    .. math:: \frac{2}{n(n - 1)} \sum_{i < j} \cos(w_i, w_j)

    over the n units that raise a score, and over those that lower it. With w for the
    first and u for the others the network is :math:`\sum_i v_i \sigma(w_i x) - \sum_i
    v_i' \sigma(u_i x)`; if all w, and all u, point one way, its boundary is nearly a
    hyperplane. Biases are left out.

    Parameters
    ----------
    model : TorchStudent, TorchClassifier or torch.nn.Module
        Fitted, with one hidden layer.
    output : int, default=0
        Which score; of several the weights are taken against their mean, which is all
        that a softmax sees.

    Returns
    -------
    WeightClusters

    Raises
    ------
    TypeError, ValueError
        If it is no network, has other than two linear layers, or no such score.

    References
    ----------
    .. [1] R. Sarussi, A. Brutzkus and A. Globerson, "Towards Understanding Learning in
       Neural Networks with Linear Teachers", ICML 2021 (PMLR 139): the abstract was
       read; the score is this library's form of its clustering of weights.

    Examples
    --------
    >>> import torch
    >>> from semikd.diagnostics import weight_clusters
    >>> from semikd.nets import mlp
    >>> net = mlp(3, (4,), 1)
    >>> with torch.no_grad():
    ...     _ = net[0].weight.copy_(torch.ones(4, 3))
    >>> round(weight_clusters(net).score, 6)
    1.0
    """
    hidden, out = _two_layers(model)
    if count("output", output, low=0) >= len(out):
        constraint = f"be below the number of scores, {len(out)}"
        raise invalid("output", constraint, output)
    adds = out[output] - (out.mean(axis=0) if len(out) > 1 else 0.0)
    length = np.linalg.norm(hidden, axis=1)
    counts = (length > 0.0) & (adds != 0.0)
    units = hidden[counts] / length[counts, None]
    plus, minus = units[adds[counts] > 0.0], units[adds[counts] < 0.0]
    own, others = _pairs(plus), _pairs(minus)
    score = _mean(own[0] + others[0], own[1] + others[1])
    between = float("nan")
    if len(plus) and len(minus):
        between = float(plus.mean(axis=0) @ minus.mean(axis=0))
    return WeightClusters(
        score, _mean(*own), _mean(*others), between, len(plus), len(minus)
    )


def linear_agreement(
    model: Any, X: Any, *, cv: Any = 5, random_state: RandomState = None
) -> LinearAgreement:
    """Return how closely linear rules of the same inputs follow a network.

    Parameters
    ----------
    model : TorchStudent or TorchClassifier
        Fitted.
    X : array-like of shape (n, d), or images
        Rows; not only those that it was trained on, where they are all that is linear.
    cv : int, splitter, fold ids or (train, test) pairs, default=5
        Folds: a probe is compared on rows that it did not learn from.
    random_state : int, generator or None, default=None
        Seed of the folds.

    Returns
    -------
    LinearAgreement

    Raises
    ------
    TypeError, ValueError
        If it is no fitted network of this library, or reads categories, of which there
        is no linear rule before they are coded.

    References
    ----------
    .. [1] R. Sarussi, A. Brutzkus and A. Globerson, "Towards Understanding Learning in
       Neural Networks with Linear Teachers", ICML 2021 (PMLR 139): the abstract was
       read; the comparison with a probe is this library's.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd import TorchClassifier
    >>> from semikd.diagnostics import linear_agreement
    >>> X = np.random.default_rng(0).normal(size=(200, 2))
    >>> settings = {"solver": "lbfgs", "device": "cpu", "random_state": 0}
    >>> network = TorchClassifier((), **settings).fit(X, X[:, 0] > X[:, 1])
    >>> linear_agreement(network, X, random_state=0).agreement > 0.9
    True
    """
    if not isinstance(model, NetworkEstimator):
        remedy = "Use TorchStudent or TorchClassifier"
        raise wrong_type("model", "be a network of this library", model, remedy)
    check_is_fitted(model)
    encoding: Any = model.encoding_
    if isinstance(encoding, TableEncoding) and encoding.layout.categorical:
        shown = Shown(f"{len(encoding.layout.categorical)} columns of categories")
        remedy = "Code them as numbers before the network reads them"
        raise invalid("X", "hold numbers for a linear rule", shown, remedy)
    inputs = encoding.encode(X)
    inputs = np.asarray(inputs, dtype=np.float64).reshape(len(inputs), -1)
    scores = model._network_scores(X)
    decisions = scores[:, 0] > 0 if scores.shape[1] == 1 else scores.argmax(axis=1)
    share = np.unique(decisions, return_counts=True)[1].max() / len(decisions)
    options = {"cv": cv, "random_state": random_state, "new_rows": "none"}
    fitted = cross_fit(LinearRegression(), inputs, scores, **options).mean
    if share == 1.0:
        same = np.ones(len(decisions))
    else:
        same = _same(inputs, decisions.astype(np.intp), options)
    known = np.isfinite(fitted).all(axis=1)
    off = ((scores - fitted)[known] ** 2).sum()
    spread = ((scores - scores.mean(axis=0))[known] ** 2).sum()
    agreement = float(same.mean())
    return LinearAgreement(
        agreement,
        float(np.sqrt(agreement * (1.0 - agreement) / len(same))),
        float(share),
        float(1.0 - off / spread) if spread > 0.0 else 1.0,
        len(same),
    )


def _same(
    inputs: FloatArray, decisions: NDArray[np.intp], options: dict[str, Any]
) -> FloatArray:
    """Return where a linear classifier decides as the network does."""
    probe = LogisticRegression(C=_NO_PENALTY, max_iter=1_000)
    record = cross_fit(probe, inputs, decisions, **options)
    known = np.isfinite(record.mean).all(axis=1)
    classes = np.asarray(record.classes)
    said = classes[record.mean[known].argmax(axis=1)]
    return np.asarray(said == decisions[known], dtype=np.float64)


def _pairs(units: FloatArray) -> tuple[float, int]:
    """Return the sum of cosines over all pairs of unit vectors, and their number."""
    n = len(units)
    total = units.sum(axis=0)
    return float(total @ total - n) / 2.0, n * (n - 1) // 2


def _mean(total: float, n: int) -> float:
    """Return a mean, NaN of nothing."""
    return total / n if n else float("nan")


def _two_layers(model: Any) -> tuple[FloatArray, FloatArray]:
    """Return the weights of the hidden layer, (h, d), and of the scores, (m, h)."""
    from torch import nn

    module: nn.Module = getattr(model, "module_", model)
    if not isinstance(module, nn.Module):
        remedy = "Fit it first, or pass a torch.nn.Module"
        raise wrong_type("model", "be a fitted network", model, remedy)
    layers = [one for one in module.modules() if isinstance(one, nn.Linear)]
    if len(layers) != 2 or layers[0].out_features != layers[1].in_features:
        constraint = "have one hidden layer, that is two linear ones"
        raise invalid("model", constraint, Shown(f"{len(layers)} linear layers"))
    first, last = (
        one.weight.detach().cpu().double().numpy() for one in (layers[0], layers[1])
    )
    return first, last
