"""The student that does best on rows nobody behind it saw, without being told how.

No way of distilling wins everywhere: labels of a teacher that saw the rows suit some
students, honest ones others, and some should learn from outcomes alone. This tries them
all, judges each honestly and keeps the best.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from semikd._progress import Reporter, silent
from semikd._random import RandomState
from semikd._tables import checked_labels, checked_table
from semikd._validation import choose, number, sample_weights
from semikd.crossfit.learners import is_estimator
from semikd.distillation import DistilledClassifier
from semikd.distillation.more_rows import MoreRows
from semikd.distillation.unlabelled import checked_unlabelled
from semikd.evaluation import Classification, Table
from semikd.selection.judging import Judge
from semikd.selection.plans import PRESETS, plan_rounds
from semikd.selection.preparing import prepared_judge
from semikd.selection.search import search
from semikd.selection.teachers import learners, named_students, named_teachers
from semikd.selection.winner import fit_winner, made_choice
from semikd.simplex import FloatArray

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["AutoDistiller"]


class AutoDistiller(ClassifierMixin, BaseEstimator):
    r"""A small classifier, and every choice behind it made and judged honestly.

    Candidates are ways from labels to a student: outcomes alone, labels of teachers in
    sample, out of fold or out of bag, moved towards the outcomes or not, on any scale.
    Each is judged by rows that neither its student nor a teacher behind its labels saw:
    for the part a that judges, row i is labelled by a teacher fitted without a and
    without the fold of i (K(K - 1)/2 teachers of pairs beside the K of the folds).

    Parameters
    ----------
    teacher : classifier or mapping from str to classifier, optional
        The large model, or several by name; by default the preset's own.
    student : estimator or mapping from str to estimator, optional
        The small model, or several by name, smallest first: of two sizes the smaller is
        taken unless the larger is better by more than one standard error. By default a
        tree of at most 128 leaves.
    preset : {'fast', 'balanced', 'thorough'}, default='balanced'
        How much is tried. 'fast' has one boosted teacher and few corrections;
        'balanced' adds a stacked teacher, estimated corrections and other scales;
        'thorough' adds a teacher corrected by its residuals, and synthetic rows.
    metric : str or callable, default='log_loss'
        What chooses: the proper scores 'log_loss' and 'brier', or any scorer of
        scikit-learn, by name ('roc_auc', 'f1') or as ``(estimator, X, y) -> float``.
        A scorer is greater when better; its "losses" are its negative.
    cv : int or folds, default=5
        The folds; three or more.
    holdout : float, optional
        Share of the rows that judges alone, in place of every fold in turn.
    time_budget : float, optional
        Seconds; rounds of the search that would not end in time are left out.
    n_jobs : int, optional
        Workers over teachers, and over students.
    random_state : int, generator or None, default=None
        Seed of everything.

    Attributes
    ----------
    classes_ : ndarray of shape (k,)
        Class labels.
    model_ : DistilledClassifier
        The winner, fitted to all rows.
    student_ : estimator
        Its small model alone.
    chosen_ : Candidate
        What won.
    choice_ : Choice
        All candidates with their losses.
    score_ : tuple of two floats
        Loss of what was chosen on rows that took no part in choosing, and its standard
        error.
    size_ : StudentSize
        Leaves or coefficients, and bytes, of the student.
    rounds_, left_out_ : tuple of str
        What was tried, and what the time did not allow, with seconds.
    n_features_in_, feature_names_in_ : int and ndarray of shape (d,)
        Number of columns seen in the fit, and their names, if any.

    Raises
    ------
    ValueError, TypeError
        On bad values, or learners that cannot do what is asked, before any fit.

    Warns
    -----
    SemikdWarning
        If the time budget is too small for one round.

    Notes
    -----
    Corrections, calibration and stacking are fitted anew without each part that judges,
    so that the pairs are exact for them. What the judged students cannot show is the
    gain from the last fold: they learn from (K - 1)/K of the rows, labelled by teachers
    of (K - 2)/K.

    References
    ----------
    .. [1] T. Dao, G. M. Kamath, V. Syrgkanis and L. Mackey, "Knowledge Distillation as
       Semiparametric Inference", ICLR 2021. Its strength is tuned on labels of teachers
       that saw the judging rows; nested labels are this library's.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from semikd import AutoDistiller
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> teacher = make_pipeline(StandardScaler(), LogisticRegression())
    >>> tree = DecisionTreeRegressor(max_leaf_nodes=8)
    >>> auto = AutoDistiller(teacher, tree, preset="fast", random_state=0).fit(X, y)
    >>> auto.size_.leaves <= 8
    True
    """

    def __init__(
        self,
        teacher: Any = None,
        student: Any = None,
        *,
        preset: str = "balanced",
        metric: str | Callable[..., float] = "log_loss",
        cv: Any = 5,
        holdout: float | None = None,
        time_budget: float | None = None,
        n_jobs: int | None = None,
        random_state: RandomState = None,
    ) -> None:
        self.teacher = teacher
        self.student = student
        self.preset = preset
        self.metric = metric
        self.cv = cv
        self.holdout = holdout
        self.time_budget = time_budget
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        unlabelled: Any = None,
        progress: Reporter | None = None,
    ) -> Self:
        """Try, judge, choose; then fit the winner to all rows.

        Parameters
        ----------
        X : array-like or data frame of shape (n, d)
            Covariates, as teacher and student take them.
        y : array-like of shape (n,)
            Class labels.
        sample_weight : array-like of shape (n,), optional
            Weights of the rows, in every fit and every score.
        groups : array-like of shape (n,), optional
            No group is divided between folds.
        unlabelled : array-like of shape (n_new, d), optional
            Rows without outcomes, in the columns of X; whether they help is tried.
        progress : callable, optional
            Called with a ``Step`` as each round and each teacher starts.

        Returns
        -------
        AutoDistiller
        """
        X, y = checked_table(self, X), checked_labels(X, y)
        groups = None if groups is None else np.asarray(groups)
        table = Table(X, y, sample_weights(sample_weight, len(y)), groups)
        unlabelled = MoreRows.of(None, checked_unlabelled(unlabelled, X)).unlabelled
        judge = self._judge(table, unlabelled, progress or silent)
        if self.time_budget is not None:
            number("time_budget", self.time_budget, low=0.0, open_low=True)
        found = search(
            judge,
            plan_rounds(PRESETS[self.preset], judge),
            seconds=self.time_budget,
            progress=progress or silent,
        )
        choice = made_choice(judge)
        model = fit_winner(judge, choice.chosen)
        # All at once, and last: a failed fit leaves the model (not its known columns).
        self.rounds_, self.left_out_ = found.done, found.left_out
        self.choice_, self.chosen_, self.score_ = choice, choice.chosen, choice.score
        self.seconds_ = tuple(judge.seconds[each] for each in choice.candidates)
        self.model_, self.student_ = model, model.student_
        self.classes_, self.size_ = model.classes_, model.size_
        return self

    def leaderboard(self) -> "pd.DataFrame":
        """Return all candidates with their honest losses, best first.

        Returns
        -------
        pandas.DataFrame
            Index ``candidate``; columns ``loss``, ``behind``, ``std_error``,
            ``chosen``, ``seconds``.
        """
        check_is_fitted(self)
        return self.choice_.table(self.seconds_)

    def decision_function(self, X: Any) -> FloatArray:
        """Return scores that are largest for the predicted class, (n,) or (n, m)."""
        return self._model(X).decision_function(X)

    def predict_proba(self, X: Any) -> FloatArray:
        """Return class probabilities, shape (n, k)."""
        return self._model(X).predict_proba(X)

    def predict_log_proba(self, X: Any) -> FloatArray:
        """Return the logarithm of ``predict_proba``; -inf where that is 0."""
        return self._model(X).predict_log_proba(X)

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most likely class of each row, shape (n,)."""
        return self._model(X).predict(X)

    def __sklearn_is_fitted__(self) -> bool:
        """Say whether a winner was fitted; a refused fit leaves none."""
        return hasattr(self, "model_")

    def __sklearn_tags__(self) -> Any:
        """Take missing values and sparse tables where teachers and students do."""
        tags = super().__sklearn_tags__()
        parts = [*learners(self.teacher), *learners(self.student)]
        inputs = [get_tags(part).input_tags for part in parts if is_estimator(part)]
        tags.input_tags.allow_nan = all(part.allow_nan for part in inputs)
        # The teachers of the presets read dense tables.
        given = self.teacher is not None
        tags.input_tags.sparse = given and all(part.sparse for part in inputs)
        return tags

    def _model(self, X: Any) -> DistilledClassifier:
        """Return the winner, which can read these rows."""
        check_is_fitted(self)
        checked_table(self, X, reset=False)
        model: DistilledClassifier = self.model_
        return model

    def _judge(self, table: Table, unlabelled: Any, progress: Reporter) -> Judge:
        """Return who judges candidates, all that can be refused having been."""
        preset = PRESETS[
            choose("preset", self.preset, {name: name for name in PRESETS})
        ]
        return prepared_judge(
            table,
            Classification(),
            named_teachers(self.teacher, self.preset),
            named_students(self.student, len(table.y), table.weights),
            metric=self.metric,
            cv=self.cv,
            holdout=self.holdout,
            unlabelled=unlabelled,
            keep_teachers=preset.synthetic,
            n_jobs=self.n_jobs,
            random_state=self.random_state,
            progress=progress,
        )
