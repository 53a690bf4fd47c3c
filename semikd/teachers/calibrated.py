"""Teachers whose probabilities are put right by a map that is fitted to honest ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.isotonic import IsotonicRegression

from semikd._random import RandomState
from semikd._validation import choose, number, weights_or_ones
from semikd.crossfit.second_stage import Stage
from semikd.simplex import FloatArray, clip
from semikd.teachers._pool import fit_pool
from semikd.teachers.staged import StagedTeacher, first_teacher

__all__ = ["CalibratedTeacher"]

# Method -> which slopes and shifts of a pool of one teacher it has.
POOLS: dict[str, dict[str, Any] | None] = {
    "temperature": {"slopes": "one", "shifts": False},
    "sigmoid": {"slopes": "one", "shifts": True},
    "beta": {"slopes": "each", "shifts": True},
    "isotonic": None,
}


class CalibratedTeacher(StagedTeacher):
    r"""A teacher whose out-of-fold probabilities are calibrated.

    .. math:: \tilde p \propto \exp(b + a \circ \log \hat p)

    =============  =============================  ==================================
    ``method``     slopes a, shifts b             for two classes
    =============  =============================  ==================================
    'temperature'  one a = 1/T, b = 0             log-odds times a
    'sigmoid'      one a, a shift for each class  Platt: a · log-odds + c
    'beta'         an a and a b for each class    beta: a₁ log p − a₀ log(1 − p) + c
    'isotonic'     (a monotone step function)     isotonic regression of y on p
    =============  =============================  ==================================

    The first three are fitted jointly for any number of classes; 'isotonic' one class
    against the rest, normalised.

    Parameters
    ----------
    teacher : estimator, optional
        Any classifier with ``predict_proba``; None means ``BoostingTeacher()``.
    method : {'sigmoid', 'beta', 'isotonic', 'temperature'}, default='sigmoid'
        The map.
    penalty : float, default=1.0
        Weight, in rows, of what is believed before: towards no change, ½ · penalty
        times the squared distance of slopes from 1 and shifts from 0, in nats; for
        'isotonic' two rows of this weight beyond the ends, one of either outcome, which
        keep steps off 0 and 1. Above 0, since separable answers have infinite slopes
        otherwise; towards infinity nothing is calibrated.
    floor : float, default=1e-6
        Probabilities are mixed with the uniform distribution until none is below it,
        before and after: logarithms need it.
    cv : int, splitter, fold ids or (train, test) pairs, default=5
        Folds of a fit; ``cross_fit`` has its own.
    n_jobs : int, optional
        Workers over folds.
    random_state : int, generator or None, default=None
        Seed of folds and of the teacher's open seeds.

    Attributes
    ----------
    classes_ : ndarray of shape (k,)
        Class labels.
    model_ : StagedModel
        The fitted teacher and, as ``model_.stage``, the map.
    n_features_in_ : int
        Number of columns seen in the fit.

    See Also
    --------
    semikd.StackedTeacher : Calibrates its sum of teachers on the way.

    Notes
    -----
    Slopes are non-negative: no map turns a ranking round, which out-of-fold base rates
    would ask for. With 'temperature' and 'sigmoid' two classes keep their ranking, and
    the AUC of a fitted teacher does not move; that of cross-fitted labels may a little,
    since each fold has a map of its own. 'isotonic' makes ties.

    References
    ----------
    .. [1] J. Platt, "Probabilistic Outputs for Support Vector Machines", Advances in
       Large Margin Classifiers, 1999, Section 2.2 (the prior around the identity in
       place of his targets is this library's).
    .. [2] M. Kull, T. M. Silva Filho and P. Flach, "Beta Calibration", AISTATS 2017,
       Section 3.
    .. [3] C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, "On Calibration of Modern
       Neural Networks", ICML 2017, Section 4 (temperature; vector scaling, here of
       log-probabilities).
    .. [4] B. Zadrozny and C. Elkan, "Transforming Classifier Scores into Accurate
       Multiclass Probability Estimates", KDD 2002, Sections 3 and 4.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from semikd import CalibratedTeacher
    >>> rng = np.random.default_rng(0)
    >>> X = np.repeat(rng.normal(size=(500, 1)), 4, axis=1)
    >>> y = rng.random(500) < 1 / (1 + np.exp(-X[:, 0]))
    >>> teacher = CalibratedTeacher(GaussianNB(), random_state=0).fit(X, y)
    >>> teacher.model_.stage.slopes.round(1)
    array([[0.3, 0.3]])
    """

    def __init__(
        self,
        teacher: Any = None,
        *,
        method: str = "sigmoid",
        penalty: float = 1.0,
        floor: float = 1e-6,
        cv: Any = 5,
        n_jobs: int | None = None,
        random_state: RandomState = None,
    ) -> None:
        self.teacher = teacher
        self.method = method
        self.penalty = penalty
        self.floor = floor
        self.cv = cv
        self.n_jobs = n_jobs
        self.random_state = random_state

    def first_stage(self) -> Sequence[Any]:
        """Return the teacher to calibrate, having checked the settings."""
        choose("method", self.method, POOLS)
        number("penalty", self.penalty, low=0.0, open_low=True)
        number("floor", self.floor, low=0.0, high=0.01, open_low=True)
        return [first_teacher(self.teacher)]

    def second_stage(
        self,
        answers: list[FloatArray],
        X: Any,
        outcome: FloatArray,
        *,
        sample_weight: FloatArray | None = None,
        random_state: RandomState = None,
    ) -> Stage:
        """Return the map from the teacher's labels to calibrated ones.

        Parameters
        ----------
        answers : list of one ndarray of shape (n, k)
            Honest labels of the teacher.
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
        weight = weights_or_ones(sample_weight, len(outcome))
        settings: dict[str, Any] = {"penalty": self.penalty, "floor": self.floor}
        pool = choose("method", self.method, POOLS)
        if pool is None:
            return fit_steps(answers[0], outcome, weight, **settings)
        return fit_pool(answers, outcome, weight, **pool, **settings)


@dataclass(frozen=True)
class Steps:
    """Isotonic regressions of each class against the rest, which are a second stage."""

    regressions: tuple[Any, ...]
    floor: float

    def __call__(self, answers: list[FloatArray], X: Any) -> FloatArray:
        """Return the calibrated labels, shape (n, k)."""
        p = answers[0]
        columns = [
            each.predict(p[:, -1 - j]) for j, each in enumerate(self.regressions)
        ]
        if len(columns) == 1:
            columns = [columns[0], 1.0 - columns[0]]
        q = np.column_stack(columns[::-1])
        return np.asarray(clip(q / q.sum(axis=1, keepdims=True), self.floor))


def fit_steps(
    p: FloatArray,
    outcome: FloatArray,
    weight: FloatArray,
    *,
    penalty: float,
    floor: float,
) -> Steps:
    """Return isotonic regressions, last class first; two classes need one.

    Isotonic regression has the least log-loss of all monotone maps. A success below
    the lowest answer and a failure above the highest keep its ends off 0 and 1.
    """
    k = p.shape[1]
    found = []
    for j in range(k - 1, 0 if k == 2 else -1, -1):
        x = np.concatenate([p[:, j], [p[:, j].min(), p[:, j].max()]])
        y = np.concatenate([outcome[:, j], [1.0, 0.0]])
        w = np.concatenate([weight, [penalty, penalty]])
        found.append(IsotonicRegression(out_of_bounds="clip").fit(x, y, w))
    return Steps(tuple(found), floor)
