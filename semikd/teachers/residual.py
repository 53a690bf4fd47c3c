"""Teachers whose systematic errors are learned by a second learner, and taken off."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils import get_tags

from semikd._random import RandomState, spawn_seeds
from semikd._validation import count, invalid, number, weights_or_ones
from semikd.crossfit import cross_fit
from semikd.crossfit.learners import check_teacher, predict_outputs
from semikd.crossfit.second_stage import Stage
from semikd.simplex import FloatArray, center, project
from semikd.teachers.boosting import BoostingRegressorTeacher
from semikd.teachers.staged import StagedTeacher, first_teacher

__all__ = ["ResidualTeacher"]

# The steps that 'auto' tries. A grid, so that rounding errors do not decide.
STEPS = np.linspace(0.0, 1.0, 21)


class ResidualTeacher(StagedTeacher):
    r"""A teacher corrected by regressions of its out-of-fold residuals.

    .. math:: \tilde p \leftarrow \operatorname{project}(\tilde p + \eta\, \hat g),
       \qquad \hat g(x) \approx E[y - \tilde p \mid x]

    A second learner, the corrector, sees what the teacher missed. It rescues a teacher
    that is biased (too small, too regularised); a good one has residuals that nothing
    explains, and the step is then 0.

    Parameters
    ----------
    teacher : estimator, optional
        Any classifier with ``predict_proba``; None means ``BoostingTeacher()``.
    corrector : estimator, optional
        Any regressor; None means ``BoostingRegressorTeacher()``, which stops early.
    n_rounds : int, default=1
        Times that residuals are learned and taken off.
    step : 'auto' or float, default='auto'
        The step η in (0, 1]. 'auto' takes, of 0, 0.05, ..., 1, the one with the least
        log-loss on labels that are corrected out of fold, and ends the rounds at 0.
    floor : float, default=0.01
        No correction takes a probability below it (at most 1 / 2k is asked), and one
        that is there already is not lowered: a sum that leaves the simplex is projected
        to its border, where a surprise costs any number of nats. At 0 the projection
        stands.
    cv : int, splitter, fold ids or (train, test) pairs, default=5
        Folds of a fit; ``cross_fit`` has its own. Within each second stage correctors
        have as many, and five where it is no number.
    n_jobs : int, optional
        Workers over folds.
    random_state : int, generator or None, default=None
        Seed of folds and of all open seeds.

    Attributes
    ----------
    classes_ : ndarray of shape (k,)
        Class labels.
    model_ : StagedModel
        The fitted teacher and, as ``model_.stage``, its ``rounds`` of corrections.
    n_features_in_ : int
        Number of columns seen in the fit.

    See Also
    --------
    semikd.OrthogonalCorrection : Takes off the residuals themselves, row by row.

    Notes
    -----
    Each second stage cross-fits its correctors, so that the residuals of a later round
    and the choice of the step never use a row that the corrector saw; new rows get the
    mean of the fold correctors. With several outputs the corrector is fitted once, else
    once for each class (for two classes, once).

    In the paper the *teacher* is refitted to the residuals of the *student*, which
    takes proximal steps; here the teacher's own residuals are learned, before any
    student. What the two share is that a bias is learned from residuals.

    References
    ----------
    .. [1] K. Yamamoto and M. J. Wainwright, "Residual-as-Teacher: Mitigating Bias
       Propagation in Student-Teacher Estimation", arXiv:2603.25466, 2026 (the idea;
       this form is a reconstruction).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.dummy import DummyClassifier
    >>> from sklearn.linear_model import LinearRegression
    >>> from semikd import ResidualTeacher
    >>> X = np.arange(40.0)[:, None]
    >>> biased = DummyClassifier(strategy="prior")
    >>> teacher = ResidualTeacher(biased, LinearRegression(), random_state=0)
    >>> teacher.fit(X, X[:, 0] > 19).predict([[0.0], [39.0]])
    array([False,  True])
    """

    def __init__(
        self,
        teacher: Any = None,
        corrector: Any = None,
        *,
        n_rounds: int = 1,
        step: str | float = "auto",
        floor: float = 0.01,
        cv: Any = 5,
        n_jobs: int | None = None,
        random_state: RandomState = None,
    ) -> None:
        self.teacher = teacher
        self.corrector = corrector
        self.n_rounds = n_rounds
        self.step = step
        self.floor = floor
        self.cv = cv
        self.n_jobs = n_jobs
        self.random_state = random_state

    def first_stage(self) -> Sequence[Any]:
        """Return the teacher to correct, having checked the settings."""
        count("n_rounds", self.n_rounds)
        if isinstance(self.step, str):
            if self.step != "auto":
                raise invalid("step", "be 'auto' or a number in (0, 1]", self.step)
        else:
            number("step", self.step, low=0.0, high=1.0, open_low=True)
        number("floor", self.floor, low=0.0, high=0.1)
        check_teacher(self._corrector(), classification=False, name="corrector")
        return [first_teacher(self.teacher)]

    def second_stage(
        self,
        answers: list[FloatArray],
        X: Any,
        outcome: FloatArray,
        *,
        sample_weight: FloatArray | None = None,
        groups: Any = None,
        random_state: RandomState = None,
    ) -> Stage:
        """Return the corrections, round by round.

        Parameters
        ----------
        answers : list of one ndarray of shape (n, k)
            Honest labels of the teacher.
        X : array-like of shape (n, d)
            Covariates of the same rows.
        outcome : ndarray of shape (n, k)
            One-hot labels.
        sample_weight, groups : array-like of shape (n,), optional
            Weights, and groups that no fold of the correctors divides.
        random_state : int, generator or None
            Seed of the correctors and their folds.

        Returns
        -------
        callable
        """
        p, rounds = answers[0], []
        weight = weights_or_ones(sample_weight, len(outcome))
        cv = self.cv if isinstance(self.cv, int | np.integer) else None
        rows = {"sample_weight": sample_weight, "groups": groups, "cv": cv}
        for seed in spawn_seeds(random_state, self.n_rounds):
            gap, correctors = self._learned(X, outcome - p, seed, rows)
            step = self._step(p, gap, outcome, weight)
            if step == 0.0:
                break
            rounds.append(Round(correctors, step))
            p = moved(p, step * gap, self.floor)
        return Corrections(tuple(rounds), self.floor)

    def _learned(
        self, X: Any, residual: FloatArray, seed: int, rows: dict[str, Any]
    ) -> tuple[FloatArray, tuple[tuple[Any, ...], ...]]:
        """Return residuals predicted out of fold, and the correctors of each output."""
        corrector, k = self._corrector(), residual.shape[1]
        targets = [residual] if k > 2 else [residual[:, 1]]
        if k > 2 and not get_tags(corrector).target_tags.multi_output:
            targets = list(residual.T)
        records = [
            cross_fit(corrector, X, target, random_state=seed, **rows)
            for target in targets
        ]
        said = np.hstack([record.mean for record in records])
        return spread(said, k), tuple(record.teachers[0] for record in records)

    def _step(
        self, p: FloatArray, gap: FloatArray, outcome: FloatArray, weight: FloatArray
    ) -> float:
        """Return the step to take."""
        if not isinstance(self.step, str):
            return float(self.step)
        losses = [log_loss(p, outcome, weight)]
        losses += [
            log_loss(moved(p, step * gap, self.floor), outcome, weight)
            for step in STEPS[1:]
        ]
        return float(STEPS[int(np.argmin(losses))])

    def _corrector(self) -> Any:
        """Return the regressor to copy."""
        return BoostingRegressorTeacher() if self.corrector is None else self.corrector


@dataclass(frozen=True)
class Round:
    """One correction: fold correctors of each output, and the step."""

    correctors: tuple[tuple[Any, ...], ...]
    step: float


@dataclass(frozen=True)
class Corrections:
    """Rounds of corrections, which are a second stage."""

    rounds: tuple[Round, ...]
    floor: float

    def __call__(self, answers: list[FloatArray], X: Any) -> FloatArray:
        """Return the corrected labels, shape (n, k)."""
        p = answers[0]
        for each in self.rounds:
            said = [
                np.mean([predict_outputs(one, X, None)[0] for one in fold], axis=0)
                for fold in each.correctors
            ]
            p = moved(p, each.step * spread(np.hstack(said), p.shape[1]), self.floor)
        return p


def spread(said: FloatArray, k: int) -> FloatArray:
    """Return what each class gains; gains sum to zero."""
    return np.hstack([-said, said]) if said.shape[1] < k else np.asarray(center(said))


def moved(p: FloatArray, gain: FloatArray, floor: float) -> FloatArray:
    """Return probabilities after a gain, none of them lowered below the floor."""
    # Half of the simplex is left to move in, however many classes there are.
    low = np.minimum(p, min(floor, 0.5 / p.shape[1]))
    above = np.maximum(project(p + gain) - low, 0.0)
    room = 1.0 - low.sum(axis=1, keepdims=True)
    return np.asarray(low + above * (room / above.sum(axis=1, keepdims=True)))


def log_loss(p: FloatArray, outcome: FloatArray, weight: FloatArray) -> float:
    """Return the weighted sum of losses, in nats, of which none is infinite."""
    tiny = float(np.finfo(np.float64).tiny)
    return float(-(weight @ (outcome * np.log(np.maximum(p, tiny))).sum(axis=1)))
