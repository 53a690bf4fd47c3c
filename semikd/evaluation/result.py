"""What a comparison found: a table, differences with intervals, and plain words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from semikd._validation import Shown, count, invalid, unknown
from semikd.evaluation.arm_metrics import arm_areas, arm_losses
from semikd.evaluation.arms import SCRATCH, TEACHER, TUNED
from semikd.evaluation.tables import Table
from semikd.evaluation.tasks import Task
from semikd.inference import (
    Comparison,
    CrossedComparison,
    Verdict,
    crossed_differences,
    paired_differences,
)
from semikd.inference.parts import Groups
from semikd.simplex import FloatArray

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["ArmComparison"]


@dataclass(frozen=True, eq=False)
class ArmComparison:
    """Arms side by side on held-out rows.

    Parameters
    ----------
    names : tuple of str
        The arms.
    reference : str
        The arm that others are compared with.
    predictions : ndarray of shape (n_refits, n_arms, n_test, k)
        Probabilities of every fitted model, or its means (k = 1).
    test : Table
        The held-out rows.
    details : mapping
        Columns of the table that are no scores: times, sizes, settings.
    resampled : bool
        Whether refits drew new training rows.
    task : Task
        What is predicted.
    level : float
        Confidence of intervals.
    undistilled : tuple of str, default=('scratch', 'scratch, tuned')
        Arms in which no teacher has a say: they are no proof that distilling helps.

    Attributes
    ----------
    table : DataFrame
        One row for each arm: means over refits.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression, Ridge
    >>> from semikd import DistilledClassifier, compare
    >>> X, y = load_iris(return_X_y=True)
    >>> distilled = DistilledClassifier(LogisticRegression(), Ridge())
    >>> result = compare(X, y, distilled, n_refits=2, random_state=0)
    >>> result.procedure("brier").interval_class
    'interval'
    """

    names: tuple[str, ...]
    reference: str
    predictions: FloatArray = field(repr=False)
    test: Table = field(repr=False)
    details: Mapping[str, Sequence[Any]] = field(repr=False)
    resampled: bool
    task: Task
    level: float
    undistilled: tuple[str, ...] = (SCRATCH, TUNED)

    @cached_property
    def table(self) -> "pd.DataFrame":
        """Scores (means over refits), times, sizes and settings of each arm."""
        import pandas as pd

        each = [
            [self.task.scores(prediction, self.test) for prediction in fit]
            for fit in self.predictions
        ]
        rows = [
            {
                metric: np.mean([fit[at][metric] for fit in each])
                for metric in each[0][at]
            }
            for at in range(len(self.names))
        ]
        table = pd.DataFrame(rows, index=pd.Index(self.names, name="arm"))
        return table.assign(**{name: list(self.details[name]) for name in self.details})

    def procedure(
        self, metric: str | None = None, *, reference: str | None = None
    ) -> CrossedComparison:
        """Return differences of the procedures, over refits and new rows.

        Parameters
        ----------
        metric : {'log_loss', 'brier', 'squared_error', 'absolute_error'}, optional
            What to compare; by default the first of those that the task has.
        reference : str, optional
            The arm to compare with; by default ``reference``.

        Returns
        -------
        CrossedComparison
            It answers "does distilling help".
        """
        return crossed_differences(
            arm_losses(self.predictions, self.test, self.task, metric),
            names=self.names,
            reference=reference or self.reference,
            metric=self._called(metric),
            refits=self.refits,
            sample_weight=self.test.weights,
            clusters=self.test.groups,
            level=self.level,
        )

    def one_fit(
        self,
        metric: str | None = None,
        *,
        refit: int = 0,
        reference: str | None = None,
        arm: str | None = None,
        groups: Groups | None = None,
    ) -> Comparison:
        """Return differences of one set of fitted models, over new rows.

        Parameters
        ----------
        metric : str, optional
            What to compare, as for ``procedure``; also 'auc' for two classes.
        refit : int, default=0
            Which of the refits.
        reference : str, optional
            The arm to compare with; by default ``reference``.
        arm : str, optional
            The only other arm; by default all.
        groups : array-like of shape (n_test,) or mapping, optional
            Groups of test rows, each judged like the whole, as for
            :func:`~semikd.inference.paired_differences`; not for 'auc'.

        Returns
        -------
        Comparison
            It answers "is this one fitted model better", and on whom.
        """
        if not 0 <= count("refit", refit, low=0) < self.n_refits:
            constraint = f"be below {self.n_refits}, the number of refits"
            raise invalid("refit", constraint, refit)
        reference = reference or self.reference
        if arm == reference:
            raise invalid("arm", "be another one than the reference", arm)
        names = self.names if arm is None else (arm, reference)
        at = [self._place(name, name == reference) for name in names]
        if metric == "auc" and groups is not None:
            remedy = "Compare by group by a loss"
            raise invalid("groups", "be None for 'auc'", Shown("groups"), remedy)
        if metric == "auc":
            own = self.predictions[refit, at]
            what: Any = arm_areas(own, self.test, self.task)
        else:
            every = arm_losses(self.predictions, self.test, self.task, metric)
            what = every[refit][:, at]
        return paired_differences(
            what,
            names=names,
            reference=reference,
            metric=self._called(metric),
            groups=groups,
            sample_weight=None if metric == "auc" else self.test.weights,
            clusters=self.test.groups,
            level=self.level,
            random_state=refit,
        )

    @property
    def refits(self) -> str:
        """What the refits vary, in words."""
        if self.resampled:
            return "refits on bootstrap samples of the training rows"
        return "refits with new folds and seeds on these training rows"

    @property
    def n_refits(self) -> int:
        """Number of times that every arm was fitted."""
        return len(self.predictions)

    @cached_property
    def verdict(self) -> str:
        """What the comparison says, in plain words: who wins, and by how much."""
        said = self._verdicts(self.reference)
        # Tuning can fail: the student as it is, from scratch, must be beaten too.
        plain = {v.arm: v.verdict for v in self._verdicts(SCRATCH)}
        better = [
            v.arm
            for v in said
            if v.verdict == plain.get(v.arm) == "better"
            and v.arm not in self.undistilled
        ]
        return "\n".join([self._headline(said, better), *(v.sentence for v in said)])

    def summary(self) -> str:
        """Return table, intervals and verdicts as text."""
        shown = self.table.drop(columns="setting").to_string(
            float_format="{:.4f}".format
        )
        head = (
            f"{len(self.test.y):,} test rows; means of {self.n_refits} {self.refits}"
            f"{self.task.terms}."
        )
        settings = "\n".join(
            f"  {arm}: {setting}" for arm, setting in self.table["setting"].items()
        )
        parts = [head, shown, f"Settings of the first refit\n{settings}"]
        if self.n_refits > 1:
            parts.append(f"Does the procedure help?\n{self.procedure().summary()}")
        parts.append(f"Is this one fitted model better?\n{self.one_fit().summary()}")
        return "\n\n".join([*parts, self.verdict])

    def plot(self) -> "Figure":
        """Return a figure: differences in log-loss with intervals, and calibration."""
        from semikd.evaluation.plots import comparison_figure

        return comparison_figure(self)

    def _repr_html_(self) -> str:
        """Return the table as HTML, for notebooks."""
        return str(self.table.to_html(float_format="{:.4f}".format))

    def _headline(self, verdicts: Sequence[Verdict], better: Sequence[str]) -> str:
        """Return the answer to "does distilling help", and to what it is limited."""
        where = "here" if self.n_refits > 1 else "in this one fit"
        if self.reference == SCRATCH:
            where += ", against scratch as it is (no setting is known to tune)"
        if better:
            return f"Distilling helps {where}: {', '.join(better)}."
        distilled = [v for v in verdicts if v.arm not in self.undistilled]
        if all(verdict.verdict == "worse" for verdict in distilled):
            return f"Scratch wins {where}: every distilled arm is worse."
        return f"Distilling is not shown to help {where}: scratch may be as good."

    def _verdicts(self, reference: str) -> list[Verdict]:
        """Return what is said of each arm but the teacher, against this one."""
        judge: Any = self.procedure if self.n_refits > 1 else self.one_fit
        said = judge(reference=reference).verdicts()
        return [verdict for verdict in said if verdict.arm != TEACHER]

    def _called(self, metric: str | None) -> str:
        """Return the name of a metric in sentences."""
        return (metric or self.task.metric).replace("_", "-")

    def _place(self, arm: str, is_reference: bool) -> int:
        """Return where an arm is."""
        if arm not in self.names:
            raise unknown("reference" if is_reference else "arm", arm, self.names)
        return self.names.index(arm)
