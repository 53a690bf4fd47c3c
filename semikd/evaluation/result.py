"""What a comparison found: a table, differences with intervals, and plain words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from semikd._validation import Shown, count, invalid, unknown
from semikd.evaluation.arms import SCRATCH, TEACHER
from semikd.evaluation.metrics import POINTWISE, scores
from semikd.evaluation.tables import Table
from semikd.inference import (
    Comparison,
    CrossedComparison,
    InfluenceEstimate,
    Verdict,
    auc_influence,
    crossed_differences,
    paired_differences,
)
from semikd.simplex import FloatArray

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["ArmComparison"]

_DECIMALS = 12


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
        Probabilities of every fitted model.
    test : Table
        The held-out rows.
    details : mapping
        Columns of the table that are no scores: times, sizes, settings.
    resampled : bool
        Whether refits drew new training rows.
    min_proba : float
        Floor of log-loss and Brier score.
    level : float
        Confidence of intervals.

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
    min_proba: float
    level: float

    @cached_property
    def table(self) -> "pd.DataFrame":
        """Scores (means over refits), times, sizes and settings of each arm."""
        import pandas as pd

        codes, weights = self.test.codes, self.test.weights
        each = [
            [
                scores(p, codes, sample_weight=weights, min_proba=self.min_proba)
                for p in fit
            ]
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
        self, metric: str = "log_loss", *, reference: str | None = None
    ) -> CrossedComparison:
        """Return differences of the procedures, over refits and new rows.

        Parameters
        ----------
        metric : {'log_loss', 'brier'}, default='log_loss'
            What to compare; smaller is better.
        reference : str, optional
            The arm to compare with; by default ``reference``.

        Returns
        -------
        CrossedComparison
            It answers "does distilling help".
        """
        return crossed_differences(
            self._losses(metric),
            names=self.names,
            reference=reference or self.reference,
            metric=metric.replace("_", "-"),
            refits=self.refits,
            sample_weight=self.test.weights,
            clusters=self.test.groups,
            level=self.level,
        )

    def one_fit(
        self, metric: str = "log_loss", *, refit: int = 0, reference: str | None = None
    ) -> Comparison:
        """Return differences of one set of fitted models, over new rows.

        Parameters
        ----------
        metric : {'log_loss', 'brier', 'auc'}, default='log_loss'
            What to compare; the AUC for two classes only.
        refit : int, default=0
            Which of the refits.
        reference : str, optional
            The arm to compare with; by default ``reference``.

        Returns
        -------
        Comparison
            It answers "is this one fitted model better".
        """
        if not 0 <= count("refit", refit, low=0) < self.n_refits:
            constraint = f"be below {self.n_refits}, the number of refits"
            raise invalid("refit", constraint, refit)
        what: Any = self._auc(refit) if metric == "auc" else self._losses(metric)[refit]
        return paired_differences(
            what,
            names=self.names,
            reference=reference or self.reference,
            metric=metric.replace("_", "-"),
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

    @property
    def verdict(self) -> str:
        """What the comparison says, in plain words: who wins, and by how much."""
        said = self._verdicts(self.reference)
        # Tuning can fail: the student as it is, from scratch, must be beaten too.
        plain = {v.arm: v.verdict for v in self._verdicts(SCRATCH)}
        better = [
            v.arm
            for v in said
            if v.verdict == plain.get(v.arm) == "better" and v.arm != self.reference
        ]
        return "\n".join([self._headline(said, better), *(v.sentence for v in said)])

    def summary(self) -> str:
        """Return table, intervals and verdicts as text."""
        shown = self.table.drop(columns="setting").to_string(
            float_format="{:.4f}".format
        )
        head = (
            f"{len(self.test.y):,} test rows; means of {self.n_refits} {self.refits}; "
            f"no probability counts as less than {self.min_proba:g}."
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
        distilled = [verdict for verdict in verdicts if verdict.arm != SCRATCH]
        if all(verdict.verdict == "worse" for verdict in distilled):
            return f"Scratch wins {where}: every distilled arm is worse."
        return f"Distilling is not shown to help {where}: scratch may be as good."

    def _verdicts(self, reference: str) -> list[Verdict]:
        """Return what is said of each arm but the teacher, against this one."""
        judge: Any = self.procedure if self.n_refits > 1 else self.one_fit
        said = judge(reference=reference).verdicts()
        return [verdict for verdict in said if verdict.arm != TEACHER]

    def _losses(self, metric: str) -> FloatArray:
        """Return pointwise losses of shape (n_refits, n_test, n_arms)."""
        if metric not in POINTWISE:
            raise unknown("metric", metric, POINTWISE)
        loss, codes = POINTWISE[metric], self.test.codes
        each = [
            [loss(p, codes, min_proba=self.min_proba) for p in fit]
            for fit in self.predictions
        ]
        # Equal models differ by rounding: 1e-16 must not be a significant difference.
        return np.round(np.swapaxes(each, 1, 2), _DECIMALS)

    def _auc(self, refit: int) -> InfluenceEstimate:
        """Return the areas of one refit's arms with the influence of each row."""
        if self.predictions.shape[-1] != 2:
            shown = Shown(f"'auc' with {self.predictions.shape[-1]} classes")
            remedy = "The table has the macro average"
            raise invalid("metric", "be 'log_loss' or 'brier'", shown, remedy)
        codes, weights = self.test.codes, self.test.weights
        parts = [
            auc_influence(codes, p[:, 1], sample_weight=weights)
            for p in self.predictions[refit]
        ]
        return InfluenceEstimate(
            np.array([area for area, _ in parts]),
            np.stack([influence for _, influence in parts], axis=1),
            metric="AUC",
            greater_is_better=True,
        )
