"""What a report by subgroups holds: a table, a summary of each model, a picture."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["SubgroupReport"]


@dataclass(frozen=True, eq=False)
class SubgroupReport:
    """Models side by side in every group.

    Parameters
    ----------
    table : pandas.DataFrame
        One row for each group and arm: ``group``, ``arm``, ``rows``, ``accuracy``,
        ``margin`` (the mean), and for all but the reference ``difference`` in accuracy
        with ``lower`` and ``upper``, which hold for all groups and arms together.
    reference : str
        The arm that differences are from.
    means : dict from str to float
        Accuracy of each arm over all rows.
    n_worst : int
        Groups whose mean accuracy is that of the worst.
    level : float
        Confidence level.

    See Also
    --------
    subgroup_report : Makes it.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.diagnostics import subgroup_report
    >>> y = np.arange(60) % 2
    >>> arms = {"one": np.eye(2)[y], "other": np.tile([1.0, 0.0], (60, 1))}
    >>> report = subgroup_report(y, arms, reference="one", random_state=0)
    >>> report.of("other")["difference"].tolist()
    [0.0, -1.0]
    """

    table: "pd.DataFrame"
    reference: str
    means: dict[str, float]
    n_worst: int
    level: float

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms, in their order."""
        return tuple(self.means)

    def of(self, arm: str) -> "pd.DataFrame":
        """Return the rows of one arm, by group.

        Parameters
        ----------
        arm : str
            Its name.

        Returns
        -------
        pandas.DataFrame
        """
        return self.table[self.table["arm"] == arm].set_index("group")

    @cached_property
    def summary(self) -> "pd.DataFrame":
        """One row for each arm: means over rows, over groups, and of the worst.

        ``harmed`` counts groups in which the arm is right less often than the
        reference, ``surely_harmed`` those whose interval lies below 0 (without an
        interval nothing is sure).
        """
        import pandas as pd

        rows = {}
        for arm in self.arms:
            own = self.of(arm)
            rows[arm] = {
                "accuracy": self.means[arm],
                "mean_over_groups": float(own["accuracy"].mean()),
                "worst": float(own["accuracy"].nsmallest(self.n_worst).mean()),
                "harmed": int((own["difference"] < 0).sum()),
                "surely_harmed": int((own["upper"] < 0).sum()),
            }
        return pd.DataFrame.from_dict(rows, orient="index")

    def plot(self) -> "Figure":
        """Return the accuracy of every group, and each arm's difference below it.

        Returns
        -------
        matplotlib.figure.Figure
            Made without pyplot; save it with ``savefig``.
        """
        # Imported here because few reports are drawn.
        from semikd.diagnostics.subgroup_drawing import subgroup_figure

        return subgroup_figure(self)

    def __repr__(self) -> str:
        return self.summary.to_string(float_format=lambda number: f"{number:.4f}")
