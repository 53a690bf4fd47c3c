"""Teachers pooled on the scale of log-odds, by what they say of rows not seen."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from semikd._random import RandomState
from semikd._validation import Shown, number, weights_or_ones, wrong_type
from semikd.crossfit.learners import check_teacher
from semikd.crossfit.second_stage import Stage
from semikd.simplex import FloatArray
from semikd.teachers._pool import fit_pool
from semikd.teachers.boosting import BoostingTeacher
from semikd.teachers.coded import CodedTeacher
from semikd.teachers.staged import StagedTeacher

__all__ = ["StackedTeacher"]


class StackedTeacher(StagedTeacher):
    r"""Several teachers, pooled by weights that their honest labels have earned.

    .. math:: \tilde p \propto \exp\Bigl(b + \sum_m w_m \log \hat p^{(m)}\Bigr),
       \qquad w_m \ge 0

    For two classes the log-odds are a weighted sum of the teachers' log-odds and a
    constant. Weights and constants minimise the log-loss of out-of-fold labels; they
    need not sum to one, so that the stack is calibrated too.

    Parameters
    ----------
    teachers : sequence of estimators, optional
        Classifiers with ``predict_proba``. None means boosting, extremely randomised
        trees and a linear model, all of which read categories and missing values.
    penalty : float, default=1.0
        Weight, in rows, of the belief that all weights are 1 / M and constants 0:
        ½ · penalty times the squared distance from there. Above 0; towards infinity the
        stack is the geometric mean.
    floor : float, default=1e-6
        Probabilities are mixed with the uniform distribution until none is below it,
        before and after: logarithms need it.
    cv : int, splitter, fold ids or (train, test) pairs, default=5
        Folds of a fit; ``cross_fit`` has its own.
    n_jobs : int, optional
        Workers over folds.
    random_state : int, generator or None, default=None
        Seed of folds and of the teachers' open seeds.

    Attributes
    ----------
    weights_ : ndarray of shape (M,)
        Weight of each teacher.
    classes_ : ndarray of shape (k,)
        Class labels.
    model_ : StagedModel
        The fitted teachers and, as ``model_.stage``, their pool.
    n_features_in_ : int
        Number of columns seen in the fit.

    See Also
    --------
    semikd.CalibratedTeacher : A stack of one teacher.

    Notes
    -----
    A cross-fit costs K fits of each teacher, and the weights of each fold come from
    the labels of the other folds. The problem is convex in M + k numbers.

    References
    ----------
    .. [1] D. H. Wolpert, "Stacked Generalization", Neural Networks 5 (1992), Section 2.
    .. [2] L. Breiman, "Stacked Regressions", Machine Learning 24 (1996), Section 2 (why
       weights are non-negative).
    .. [3] C. Genest and J. V. Zidek, "Combining Probability Distributions: A Critique
       and an Annotated Bibliography", Statistical Science 1 (1986), Section 2
       (logarithmic pools).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.dummy import DummyClassifier
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from semikd import StackedTeacher
    >>> X = np.random.default_rng(0).normal(size=(200, 1))
    >>> y = X[:, 0] + X[::-1, 0] > 0
    >>> teacher = StackedTeacher([GaussianNB(), DummyClassifier()], random_state=0)
    >>> int(teacher.fit(X, y).weights_.argmax())
    0
    """

    def __init__(
        self,
        teachers: Sequence[Any] | None = None,
        *,
        penalty: float = 1.0,
        floor: float = 1e-6,
        cv: Any = 5,
        n_jobs: int | None = None,
        random_state: RandomState = None,
    ) -> None:
        self.teachers = teachers
        self.penalty = penalty
        self.floor = floor
        self.cv = cv
        self.n_jobs = n_jobs
        self.random_state = random_state

    def first_stage(self) -> Sequence[Any]:
        """Return the teachers to pool, having checked the settings."""
        number("penalty", self.penalty, low=0.0, open_low=True)
        number("floor", self.floor, low=0.0, high=0.01, open_low=True)
        if self.teachers is None:
            return default_teachers()
        listed = isinstance(self.teachers, list | tuple)
        if not listed or not len(self.teachers):
            shown = Shown(type(self.teachers).__name__ if not listed else "none")
            raise wrong_type("teachers", "be a list of classifiers", shown)
        for each in self.teachers:
            check_teacher(each, classification=True, name="teachers")
        return list(self.teachers)

    def second_stage(
        self,
        answers: list[FloatArray],
        X: Any,
        outcome: FloatArray,
        *,
        sample_weight: FloatArray | None = None,
        random_state: RandomState = None,
    ) -> Stage:
        """Return the pool of the teachers' labels.

        Parameters
        ----------
        answers : list of ndarray of shape (n, k)
            Honest labels of each teacher.
        X : array-like of shape (n, d)
            Not used.
        outcome : ndarray of shape (n, k)
            One-hot labels.
        sample_weight : ndarray of shape (n,), optional
            Weights of the rows.
        random_state : int, generator or None
            Not used: nothing is random.

        Returns
        -------
        callable
        """
        return fit_pool(
            answers,
            outcome,
            weights_or_ones(sample_weight, len(outcome)),
            slopes="one",
            shifts=True,
            penalty=self.penalty,
            floor=self.floor,
        )

    @property
    def weights_(self) -> FloatArray:
        """Weight of each teacher, shape (M,)."""
        pool: Any = self.model_.stage
        return np.asarray(pool.slopes[:, 0])


def default_teachers() -> list[Any]:
    """Return teachers that differ in what they get wrong."""
    return [
        BoostingTeacher(),
        CodedTeacher(),
        CodedTeacher(LogisticRegression(max_iter=1000), coding="indicators"),
    ]
