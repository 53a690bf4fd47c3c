"""Shares of classes in another population: told, or found by rows without outcomes."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.exceptions import ConvergenceWarning

from semikd._validation import (
    Shown,
    check_shape,
    count,
    finite_array,
    invalid,
    number,
    weights_or_ones,
)
from semikd.crossfit.learners import probabilities
from semikd.simplex import FloatArray, one_hot, reweight

__all__ = ["ClassPriors", "estimated_priors", "known_priors"]


@dataclass(frozen=True, eq=False)
class ClassPriors:
    r"""The shares of the classes here and there.

    .. math:: \tilde p_j(x) = c_j p_j(x) / \textstyle\sum_l c_l p_l(x), \qquad
       c_j = \pi^*_j / \pi_j

    are the probabilities there if the populations differ in these shares alone: what a
    member of a class looks like is the same in both.

    Parameters
    ----------
    classes : ndarray of shape (k,)
        Class labels.
    source, target : ndarray of shape (k,)
        Shares :math:`\pi` here and :math:`\pi^*` there.
    n_iter : int, default=0
        Steps that an estimate took; 0 where the shares were told.

    See Also
    --------
    semikd.DistilledClassifier : Takes ``class_weight`` from here, and 'label-shift'.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.transfer import known_priors
    >>> priors = known_priors(["no", "no", "no", "yes"], {"no": 0.5, "yes": 0.5})
    >>> priors.shifted(np.array([[0.75, 0.25]]))
    array([[0.5, 0.5]])
    """

    classes: NDArray[Any]
    source: FloatArray
    target: FloatArray
    n_iter: int = 0

    @property
    def factors(self) -> FloatArray:
        """Factor c of each class, shape (k,)."""
        return self.target / self.source

    @property
    def class_weight(self) -> dict[Any, float]:
        """The factors by class, as estimators take them."""
        return dict(zip(self.classes.tolist(), self.factors.tolist(), strict=True))

    def shifted(self, p: ArrayLike) -> FloatArray:
        """Return probabilities as they are there, shape (n, k).

        Parameters
        ----------
        p : array-like of shape (n, k)
            Probabilities as they are here.

        Returns
        -------
        ndarray of shape (n, k)
        """
        checked = probabilities(np.asarray(p), "p")
        check_shape("p", checked, (None, len(self.classes)))
        return np.asarray(reweight(checked, self.factors))


def known_priors(
    y: ArrayLike,
    target: Mapping[Any, float] | ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
) -> ClassPriors:
    r"""Return the shares of the classes here, beside those that are told of elsewhere.

    Of two classes the shift of the log-odds is

    .. math:: \log\frac{\pi^*}{1 - \pi^*} - \log\frac{\pi}{1 - \pi}

    Parameters
    ----------
    y : array-like of shape (n,)
        Class labels here.
    target : mapping from class to float, or array-like of shape (k,)
        Shares there, positive and with sum 1; an array is in the order of the sorted
        classes. Those of y change nothing.
    sample_weight : array-like of shape (n,), optional
        Weights of the rows.

    Returns
    -------
    ClassPriors

    Raises
    ------
    ValueError
        If shares are not positive, do not sum to one, or name other classes.

    References
    ----------
    .. [1] Y. Li et al., "De-biased knowledge distillation framework based on knowledge
       infusion and label de-biasing techniques", Journal of Electronic Science and
       Technology 22, 2024. The abstract was read: that prior shift is a kind of
       knowledge infusion is a reconstruction; the formula is Bayes' rule.

    Examples
    --------
    >>> from semikd.transfer import known_priors
    >>> known_priors([0, 0, 0, 1], [0.5, 0.5]).class_weight[1]
    2.0
    """
    classes, source = _shares(y, sample_weight)
    known = classes.tolist()
    if isinstance(target, Mapping):
        if set(target) != set(known):
            constraint = f"have a share for each class of y, {known}, and for no other"
            raise invalid("target", constraint, Shown(str(list(target))))
        target = [target[label] for label in known]
    shares = finite_array("target", target, shape=(len(classes),))
    return ClassPriors(classes, source, _checked_shares("target", shares))


def estimated_priors(
    p: ArrayLike,
    y: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    source_weight: ArrayLike | None = None,
    tolerance: float = 1e-8,
    max_iter: int = 10_000,
) -> ClassPriors:
    r"""Estimate the shares of the classes among rows without outcomes, by EM.

    .. math:: \pi^*_j \leftarrow \frac{\sum_i w_i \tilde p_j(x_i; \pi^*)}{\sum_i w_i},
       \qquad \tilde p_j(x; \pi^*) \propto \frac{\pi^*_j}{\pi_j}\, p_j(x)

    from :math:`\pi^* = \pi`: the maximum of the likelihood
    :math:`\sum_i w_i \log \sum_j (\pi^*_j / \pi_j)\, p_j(x_i)`, which is concave.

    Parameters
    ----------
    p : array-like of shape (n, k)
        What a teacher of the population here says of rows from there that it did not
        see, columns in the order of the sorted classes.
    y : array-like of shape (n_source,)
        Class labels of the rows here.
    sample_weight, source_weight : array-like of shape (n,) and (n_source,), optional
        Weights of the rows there and here.
    tolerance : float, default=1e-8
        Largest change of a share in the last step.
    max_iter : int, default=10000
        Most steps.

    Returns
    -------
    ClassPriors

    Raises
    ------
    ValueError
        If p has no column for each class, or holds no probabilities.

    Warns
    -----
    ConvergenceWarning
        If the shares still move after ``max_iter`` steps.

    Notes
    -----
    It needs probabilities that are right, not only ranked right: an over-confident
    teacher exaggerates the shift, a shrunken one hides it (``CalibratedTeacher``).
    Where rows of a class look different there, no share is right. A class that nothing
    points to ends at a share of 0.

    References
    ----------
    .. [1] M. Saerens, P. Latinne and C. Decaestecker, "Adjusting the Outputs of a
       Classifier to New a Priori Probabilities: A Simple Procedure", Neural Computation
       14 (2002), Section 2.2.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.transfer import estimated_priors
    >>> p = np.array([[0.9, 0.1]] * 3 + [[0.1, 0.9]] * 7)
    >>> estimated_priors(p, [0, 1]).target.round(3)
    array([0.25, 0.75])
    """
    classes, source = _shares(y, source_weight)
    number("tolerance", tolerance, low=0.0, open_low=True)
    count("max_iter", max_iter)
    said = probabilities(np.asarray(p), "p")
    check_shape("p", said, (None, len(classes)))
    if not len(said):
        raise invalid("p", "have at least one row", Shown("none"))
    weight = weights_or_ones(sample_weight, len(said))
    weight = weight / weight.sum()
    target, n_iter, change = source, 0, np.inf
    while change > tolerance and n_iter < max_iter:
        before, n_iter = target, n_iter + 1
        target = weight @ reweight(said, before / source)
        change = float(np.abs(target - before).max())
    if change > tolerance:
        warnings.warn(
            f"The shares of classes still move by {change:.1e} after {n_iter:,} steps, "
            f"more than {tolerance:.1e}. Increase max_iter.",
            ConvergenceWarning,
            stacklevel=2,
        )
    return ClassPriors(classes, source, target, n_iter)


def _shares(y: ArrayLike, weights: Any) -> tuple[NDArray[Any], FloatArray]:
    """Return the classes of labels and their weighted shares, all positive."""
    labels = np.asarray(y)
    check_shape("y", labels, (None,))
    weight = weights_or_ones(weights, len(labels))
    classes, codes = np.unique(labels, return_inverse=True)
    if len(classes) < 2:
        shown = Shown(f"{len(classes)}")
        raise invalid("y", "have at least two classes", shown)
    mass = weight @ one_hot(codes, len(classes))
    return classes, _checked_shares("y", mass / mass.sum())


def _checked_shares(name: str, shares: FloatArray) -> FloatArray:
    """Return shares that are positive and sum to one."""
    if (shares <= 0.0).any():
        shown = Shown(f"{shares.min():g}")
        raise invalid(name, "give every class a positive share", shown)
    if abs(shares.sum() - 1.0) > 1e-6:
        raise invalid(name, "hold shares that sum to one", Shown(f"{shares.sum():g}"))
    return np.asarray(shares / shares.sum())
