"""The student that does best on rows nobody behind it saw, without being told how.

No way of distilling wins everywhere: this tries them, judges each honestly and keeps
the best.
"""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import ClassifierMixin
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from semikd._progress import Reporter, silent
from semikd._random import RandomState
from semikd._tables import checked_labels, checked_table
from semikd._validation import choose, invalid, number, sample_weights
from semikd.corrections import Correction
from semikd.crossfit.learners import is_estimator
from semikd.crossfit.unlabelled import checked_unlabelled
from semikd.distillation import named_teacher
from semikd.distillation.more_rows import MoreRows
from semikd.evaluation import Classification, Table
from semikd.selection.answering import AnswersOfModel
from semikd.selection.judging import Judge
from semikd.selection.leaks import leak_test
from semikd.selection.plans import plan_rounds
from semikd.selection.preparing import prepared_judge
from semikd.selection.presets import PRESETS
from semikd.selection.search import search
from semikd.selection.teachers import (
    learners,
    named_students,
    named_teachers,
    without_unreadable,
)
from semikd.selection.winner import fit_winner, made_choice
from semikd.students import named_student

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["AutoDistiller"]


class AutoDistiller(ClassifierMixin, AnswersOfModel):
    r"""A small classifier, and every choice behind it made and judged honestly.

    Candidates are ways from labels to a student: outcomes alone, labels of teachers in
    sample, out of fold or out of bag, moved towards the outcomes or not, on any scale.
    Each is judged by rows that neither its student nor a teacher behind its labels saw:
    for the part a that judges, row i is labelled by a teacher fitted without a and
    without the fold of i (K(K - 1)/2 teachers of pairs beside the K of the folds).

    Parameters
    ----------
    teacher : classifier, str or mapping from str to classifier, optional
        The large model, its name as `DistilledClassifier` takes it, or several by
        names of their own; by default the preset's own.
    student : estimator, str, list of str or mapping, optional
        The small model, its name (see ``semikd.students.named_student``), or several:
        a list of names, or a mapping from names of their own; smallest first: of two
        sizes the smaller is taken unless the larger is better by more than one standard
        error. By default a tree of at most 128 leaves.
    preset : {'fast', 'balanced', 'thorough'}, default='balanced'
        How much is tried. 'fast' has one boosted teacher and few corrections;
        'balanced' adds estimated corrections, other scales and a stacked teacher, or
        the given one calibrated; 'thorough' adds a teacher corrected by its residuals,
        weights by row, and synthetic rows.
    metric : str or callable, default='log_loss'
        What chooses: the proper scores 'log_loss' and 'brier', or any scorer of
        scikit-learn by name or as ``(estimator, X, y)``, whose negative is the loss.
    cv : int or folds, default=5
        The folds; three or more.
    holdout : float, optional
        Share of the rows that judges alone, in place of every fold in turn.
    corrections : sequence of str, float or Correction, default=()
        More weights of the outcome to try, as `DistilledClassifier` takes them, by
        name or as objects: on the students whose scale they fit.
    time_budget : float, optional
        Seconds; rounds that would not end in time are left out.
    categorical_features : list of str or int, optional
        Columns of X that hold codes of categories although their type is numeric, for
        synthetic rows.
    check_leak : bool, default=False
        Whether to score the cross-fitted candidates naively too, with labels of
        teachers that saw the rows that judge, and to test the gap, beyond the budget.
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
    student_, chosen_ : estimator and Candidate
        Its small model alone, and what won.
    choice_ : Choice
        All candidates with their losses.
    score_ : tuple of two floats
        Loss of what was chosen on rows that had no part in it, and its standard error.
    size_ : StudentSize
        Leaves or coefficients, and bytes, of the student.
    rounds_, left_out_ : tuple of str
        What was tried, with seconds, and what the time or the rows did not allow.
    leak_ : LeakTest or None
        With ``check_leak``: how much a naive search flatters itself.
    n_features_in_, feature_names_in_ : int and ndarray of shape (d,)
        Number of columns, and their names, if any.

    Raises
    ------
    ValueError, TypeError
        On bad values, or learners that cannot do what is asked, before any fit.

    Warns
    -----
    SemikdWarning
        If the time budget is too small for one round, or there are but two folds.

    Notes
    -----
    Corrections, calibration and stacking are fitted anew without each part that judges:
    the pairs are exact for them. Judged students learn from (K - 1)/K of the rows, with
    labels by teachers of (K - 2)/K.

    References
    ----------
    .. [1] T. Dao, G. M. Kamath, V. Syrgkanis and L. Mackey, "Knowledge Distillation as
       Semiparametric Inference", ICLR 2021; nested labels are this library's.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from semikd import AutoDistiller
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> auto = AutoDistiller(GaussianNB(), DecisionTreeRegressor(max_leaf_nodes=8))
    >>> auto.fit(X, y).size_.leaves <= 8
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
        corrections: Sequence[str | float | Correction] = (),
        time_budget: float | None = None,
        categorical_features: Sequence[Any] | None = None,
        check_leak: bool = False,
        n_jobs: int | None = None,
        random_state: RandomState = None,
    ) -> None:
        self.teacher = teacher
        self.student = student
        self.preset = preset
        self.metric = metric
        self.cv = cv
        self.holdout = holdout
        self.corrections = corrections
        self.time_budget = time_budget
        self.categorical_features = categorical_features
        self.check_leak = check_leak
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
            No group is divided between folds; an estimated correction counts groups.
        unlabelled : array-like of shape (n_new, d), optional
            Rows without outcomes, in the columns of X; whether they help is tried.
        progress : callable, optional
            Called with a ``Step`` as each round and each teacher starts.

        Returns
        -------
        AutoDistiller
        """
        start = time.perf_counter()
        X, y = checked_table(self, X), checked_labels(X, y)
        groups = None if groups is None else np.asarray(groups)
        weights = sample_weights(sample_weight, len(y))
        table = Table(X, y, weights, groups, categorical=self.categorical_features)
        unlabelled = MoreRows.of(None, checked_unlabelled(unlabelled, X)).unlabelled
        judge, unread = self._judge(table, unlabelled, progress or silent)
        if self.time_budget is not None:
            number("time_budget", self.time_budget, low=0.0, open_low=True)
        preset = PRESETS[self.preset].with_weights(self.corrections, judge)
        found = search(
            judge,
            plan_rounds(preset, judge),
            seconds=self.time_budget,
            start=start,
            progress=progress or silent,
        )
        choice = made_choice(judge)
        leak = leak_test(judge, choice) if self.check_leak else None
        model = fit_winner(judge, choice.chosen)
        # All at once, and last: a failed fit leaves the model (not its known columns).
        self.rounds_, self.left_out_ = found.done, (*unread, *found.left_out)
        self.choice_, self.chosen_, self.score_ = choice, choice.chosen, choice.score
        self.seconds_ = tuple(judge.seconds[each] for each in choice.candidates)
        self.model_, self.student_, self.leak_ = model, model.student_, leak
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

    def __sklearn_is_fitted__(self) -> bool:
        """Say whether a winner was fitted; a refused fit leaves none."""
        return hasattr(self, "model_")

    def __sklearn_tags__(self) -> Any:
        """Take missing values and sparse tables where teachers and students do."""
        tags = super().__sklearn_tags__()
        teachers = [named_teacher(each) for each in learners(self.teacher)]
        parts = [*teachers, *map(named_student, learners(self.student))]
        inputs = [get_tags(part).input_tags for part in parts if is_estimator(part)]
        tags.input_tags.allow_nan = all(part.allow_nan for part in inputs)
        # The teachers of the presets read dense tables.
        given = self.teacher is not None
        tags.input_tags.sparse = given and all(part.sparse for part in inputs)
        return tags

    def _judge(
        self, table: Table, unlabelled: Any, progress: Reporter
    ) -> tuple[Judge, tuple[str, ...]]:
        """Return who judges, all that can be refused having been, and who cannot."""
        preset = choose("preset", self.preset, PRESETS)
        if self.check_leak and self.holdout is not None:
            remedy = "A holdout has no teachers of pairs"
            raise invalid("check_leak", "be False with a holdout", True, remedy)
        named = named_teachers(self.teacher, self.preset)
        teachers, unread = without_unreadable(named, self.teacher, table.X)
        judge = prepared_judge(
            table,
            Classification(),
            teachers,
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
        return judge, unread
