"""Processes whose class probabilities are known, to judge an estimate by the truth.

Notes
-----
``p_true`` of shape (n, k) holds p_0(x), the probability of each class in each row; the
labels are drawn from exactly these rows, independently of each other.
"""

import numpy as np

from semikd._random import RandomState, generator
from semikd._validation import count, number
from semikd.datasets._drawing import drawn_dataset, probabilities
from semikd.datasets.record import Dataset


def make_gaussian_mixture(
    n_samples: int,
    n_features: int = 2,
    distance: float = 0.5,
    *,
    random_state: RandomState = None,
) -> Dataset:
    r"""Draw from two Gaussian clouds, one per class, whose log-odds are linear.

    .. math::

       Z \sim \mathrm{Bernoulli}(1/2), \quad
       X = \mu_Z + N(0, I_d), \quad
       \mu_0 = r (1, \dots, 1) = -\mu_1, \quad
       p_0(x) = \mathrm{softmax}(\mu_0^\top x, \mu_1^\top x),

    and Y is drawn afresh from p_0(X), which gives the same joint law as (X, Z). The
    best classifier is right with probability :math:`\Phi(r \sqrt d)`.

    Parameters
    ----------
    n_samples : int
        Number of rows n.
    n_features : int, default=2
        Number of features d.
    distance : float, default=0.5
        Half the distance r of the two means along each axis; 0 makes every label a
        fair coin, a large one makes labels certain.
    random_state : int, Generator, RandomState or None, default=None
        Seed of the draw.

    Returns
    -------
    Dataset
        With ``true_proba`` of shape (n_samples, 2) and labels 0 and 1.

    Raises
    ------
    ValueError
        If a count is below one or the distance is negative.
    TypeError
        If a count is no integer or the distance is no number.

    References
    ----------
    .. [1] T. Dao, G. M. Kamath, V. Syrgkanis and L. Mackey, "Knowledge Distillation as
       Semiparametric Inference", ICLR 2021, Section 5.1. A reconstruction from the
       authors' code; the r and d of their figures are not known.

    Examples
    --------
    >>> from semikd.datasets import make_gaussian_mixture
    >>> data = make_gaussian_mixture(4, distance=0.0, random_state=0)
    >>> data.true_proba[0]
    array([0.5, 0.5])
    """
    n, d = count("n_samples", n_samples), count("n_features", n_features)
    r = number("distance", distance, low=0.0)
    rng = generator(random_state)
    means = r * np.array([[1.0], [-1.0]]) * np.ones(d)
    X = means[rng.integers(2, size=n)] + rng.standard_normal((n, d))
    description = (
        f"Two Gaussian clouds {2 * r:g} apart along each axis; the log-odds of class 1 "
        f"are -{2 * r:g} times the sum of the features."
    )
    return drawn_dataset(
        "gaussian_mixture", X, probabilities(X @ means.T), rng, description
    )


def make_smooth_process(
    n_samples: int,
    n_features: int = 5,
    noise: float = 0.5,
    *,
    random_state: RandomState = None,
) -> Dataset:
    r"""Draw two classes whose log-odds bend and interact.

    .. math::

       X \sim U[-1, 1]^d, \quad
       p_0(x)_1 = \mathrm{logistic}\left(
           \frac{\sin(\pi x_1) + x_2 x_3}{\text{noise}} \right).

    Features beyond the third are irrelevant. The two classes are equally likely, since
    changing the sign of x_1 and x_2 changes that of the log-odds.

    Parameters
    ----------
    n_samples : int
        Number of rows n.
    n_features : int, default=5
        Number of features d, at least 3.
    noise : float, default=0.5
        Scale of the label noise; towards 0 labels become a function of x, towards
        infinity fair coins.
    random_state : int, Generator, RandomState or None, default=None
        Seed of the draw.

    Returns
    -------
    Dataset
        With ``true_proba`` of shape (n_samples, 2) and labels 0 and 1.

    Raises
    ------
    ValueError
        If there are no rows, fewer than three features, or the noise is not positive.
    TypeError
        If a count is no integer or the noise is no number.

    Examples
    --------
    >>> from semikd.datasets import make_smooth_process
    >>> make_smooth_process(1000, random_state=0)
    Dataset('smooth_process', classification, 1000 x 5)
    """
    n, d = count("n_samples", n_samples), count("n_features", n_features, low=3)
    scale = number("noise", noise, low=0.0, open_low=True)
    rng = generator(random_state)
    X = rng.uniform(-1.0, 1.0, size=(n, d))
    log_odds = (np.sin(np.pi * X[:, 0]) + X[:, 1] * X[:, 2]) / scale
    p_true = probabilities(np.column_stack([np.zeros(n), log_odds]))
    description = (
        "Two equally likely classes; the log-odds are a sine of one feature plus a "
        f"product of two others, divided by {scale:g}."
    )
    return drawn_dataset("smooth_process", X, p_true, rng, description)


def make_multiclass_process(
    n_samples: int,
    n_classes: int = 3,
    n_features: int = 4,
    *,
    noise: float = 0.5,
    random_state: RandomState = None,
) -> Dataset:
    r"""Draw any number of classes that wind around the origin as spiral arms.

    With (ρ, θ) the polar coordinates of the first two features,

    .. math::

       X \sim N(0, I_d), \quad
       p_0(x)_j \propto \exp\left(
           \frac{\cos(\theta - \rho - 2 \pi j / k)}{\text{noise}} \right),
       \quad j = 0, \dots, k - 1.

    Features beyond the second are irrelevant. All classes are equally likely, since θ
    is uniform given ρ.

    Parameters
    ----------
    n_samples : int
        Number of rows n.
    n_classes : int, default=3
        Number of classes k, at least 2.
    n_features : int, default=4
        Number of features d, at least 2.
    noise : float, default=0.5
        Scale of the label noise; towards 0 labels become a function of x, towards
        infinity all classes become equally likely everywhere.
    random_state : int, Generator, RandomState or None, default=None
        Seed of the draw.

    Returns
    -------
    Dataset
        With ``true_proba`` of shape (n_samples, n_classes) and labels 0 to k - 1.

    Raises
    ------
    ValueError
        If there are no rows, fewer than two classes or features, or the noise is not
        positive.
    TypeError
        If a count is no integer or the noise is no number.

    Examples
    --------
    >>> from semikd.datasets import make_multiclass_process
    >>> make_multiclass_process(100, n_classes=5, random_state=0).true_proba.shape
    (100, 5)
    """
    n, d = count("n_samples", n_samples), count("n_features", n_features, low=2)
    k = count("n_classes", n_classes, low=2)
    scale = number("noise", noise, low=0.0, open_low=True)
    rng = generator(random_state)
    X = rng.standard_normal((n, d))
    turn = np.arctan2(X[:, 1], X[:, 0]) - np.hypot(X[:, 0], X[:, 1])
    scores = np.cos(turn[:, np.newaxis] - 2 * np.pi * np.arange(k) / k) / scale
    description = f"{k} equally likely classes, arranged as the arms of a spiral."
    p_true = probabilities(scores)
    return drawn_dataset("multiclass_process", X, p_true, rng, description)
