"""Classes that belong together, whose probabilities are known."""

import numpy as np
from numpy.typing import NDArray

from semikd._random import RandomState, generator
from semikd._validation import Shown, count, invalid, number
from semikd.datasets._drawing import drawn_dataset, probabilities
from semikd.datasets.record import Dataset

__all__ = ["make_class_hierarchy"]


def make_class_hierarchy(
    n_samples: int,
    n_classes: int = 20,
    n_groups: int = 5,
    n_features: int = 50,
    *,
    similarity: float = 0.8,
    n_waves: int = 3,
    noise: float = 0.5,
    random_state: RandomState = None,
) -> Dataset:
    r"""Draw many classes, of which those of one group are alike.

    .. math::

       X \sim N(0, I_d), \quad
       w_k = \sqrt{\tau}\,u_{g(k)} + \sqrt{1 - \tau}\,v_k, \quad
       s_k(x) = w_k^\top x + \sum_{m=1}^M \sin(m\,w_k^\top x + b_m), \quad
       p_0(x) \propto e^{s(x) / \text{noise}},

    with :math:`u` orthonormal directions of the groups and :math:`v_k` of length 1
    across all of them, so that directions of two classes have cosine :math:`\tau` in
    one group and 0 otherwise, but for chance. Class k belongs to group
    ``k // (n_classes // n_groups)``.

    Parameters
    ----------
    n_samples : int
        Number of rows n.
    n_classes : int, default=20
        Number of classes, a multiple of the groups.
    n_groups : int, default=5
        Number of groups, at least 2.
    n_features : int, default=50
        Number of features d, more than groups.
    similarity : float, default=0.8
        :math:`\tau` in [0, 1]: 0 makes all classes equally different, 1 those of a
        group the same.
    n_waves : int, default=3
        M; 0 makes scores linear.
    noise : float, default=0.5
        Towards 0 labels become a function of x.
    random_state : int, Generator, RandomState or None, default=None
        Seed of directions and draw.

    Returns
    -------
    Dataset
        With ``true_proba`` of shape (n_samples, n_classes) and labels from 0 on.

    Raises
    ------
    ValueError
        If a number is out of its range, or groups do not divide the classes.

    References
    ----------
    .. [1] J. Tang et al., "Understanding and Improving Knowledge Distillation", 2020:
       in the spirit of its synthetic data, of which the exact form is not known.

    Examples
    --------
    >>> from semikd.datasets import make_class_hierarchy
    >>> make_class_hierarchy(100, random_state=0).true_proba.shape
    (100, 20)
    """
    n, k = count("n_samples", n_samples), count("n_classes", n_classes, low=2)
    groups = count("n_groups", n_groups, low=2)
    d = count("n_features", n_features, low=groups + 1)
    waves = count("n_waves", n_waves, low=0)
    alike = number("similarity", similarity, low=0.0, high=1.0)
    scale = number("noise", noise, low=0.0, open_low=True)
    if k % groups:
        shown = Shown(f"{k} classes in {groups} groups")
        raise invalid("n_classes", "be a multiple of n_groups", shown)
    rng = generator(random_state)
    w = _directions(k, groups, d, alike, rng)
    along = (X := rng.standard_normal((n, d))) @ w.T
    score = along.copy()
    for m, start in enumerate(rng.uniform(0.0, 2.0 * np.pi, waves), start=1):
        score += np.sin(m * along + start)
    description = (
        f"{k} classes in {groups} groups; directions of classes of one group have "
        f"cosine {alike:g}."
    )
    p_true = probabilities(score / scale)
    return drawn_dataset("class_hierarchy", X, p_true, rng, description)


def _directions(
    k: int, groups: int, d: int, alike: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return a direction of length 1 for each class, shape (k, d)."""
    u = np.linalg.qr(rng.standard_normal((d, groups)))[0].T
    v = rng.standard_normal((k, d))
    v -= v @ u.T @ u
    v /= np.linalg.norm(v, axis=1, keepdims=True)
    of_group = np.repeat(np.arange(groups), k // groups)
    return np.asarray(np.sqrt(alike) * u[of_group] + np.sqrt(1.0 - alike) * v)
