"""Whether a conclusion hangs on the teacher, the folds, the seed or a floor.

All of these are chosen, and another choice would have been as good: what they do to an
estimate is shown for all of them.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from semikd._validation import unknown

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["SpecificationCurve"]


@dataclass(frozen=True, eq=False)
class SpecificationCurve:
    """The estimates of one analysis under every choice of what it hangs on.

    Parameters
    ----------
    table : pandas.DataFrame
        One row for each choice and estimate: the choices, ``name``, ``estimate``,
        ``std_error``, ``lower`` and ``upper``.
    choices : tuple of str
        The columns that hold choices.
    level : float
        Confidence level of the intervals.
    estimand : str
        What is estimated, in words, of the first choice.

    See Also
    --------
    specification_curve : Makes it.

    Examples
    --------
    >>> import pandas as pd
    >>> from semikd.diagnostics import SpecificationCurve
    >>> columns = ["seed", "name", "estimate", "std_error", "lower", "upper"]
    >>> rows = [[0, "x", 1.0, 0.3, 0.4, 1.6], [1, "x", 1.4, 0.3, 0.8, 2.0]]
    >>> table = pd.DataFrame(rows, columns=columns)
    >>> curve = SpecificationCurve(table, ("seed",), 0.95, "a slope")
    >>> curve.summary()["median"].tolist(), curve.summary()["share_above_0"].tolist()
    ([1.2], [1.0])
    """

    table: "pd.DataFrame"
    choices: tuple[str, ...]
    level: float
    estimand: str

    @property
    def names(self) -> tuple[str, ...]:
        """The estimates."""
        return tuple(dict.fromkeys(self.table["name"]))

    def summary(self) -> "pd.DataFrame":
        r"""Return one row for each estimate: how far choices move it.

        Returns
        -------
        pandas.DataFrame
            The median over choices, with the standard error
            :math:`\sqrt{\operatorname{median}(se^2 + (\hat\theta - \text{median})^2)}`,
            which holds what choices add; the lowest and highest estimate; and the share
            of choices whose interval is above 0, and below.

        References
        ----------
        .. [1] V. Chernozhukov et al., "Double/debiased machine learning for treatment
           and structural parameters", Econometrics Journal 21, 2018, Definition 3.3
           (over divisions into folds; over other choices it is a description).
        """
        import pandas as pd

        rows = {name: _summarised(self.of(name)) for name in self.names}
        return pd.DataFrame.from_dict(rows, orient="index")

    def effects(self) -> "pd.DataFrame":
        """Return how far each choice moves each estimate, in standard errors.

        Returns
        -------
        pandas.DataFrame
            One row for each estimate, one column for each choice: the range of the mean
            estimates by its levels, over the median standard error.
        """
        import pandas as pd

        found = {}
        for name in self.names:
            rows = self.of(name)
            unit = rows["std_error"].median()
            found[name] = {
                each: np.ptp(rows.groupby(each, sort=False)["estimate"].mean()) / unit
                for each in self.choices
            }
        return pd.DataFrame.from_dict(found, orient="index")

    def of(self, name: str) -> "pd.DataFrame":
        """Return the rows of one estimate.

        Parameters
        ----------
        name : str
            The estimate.

        Returns
        -------
        pandas.DataFrame

        Raises
        ------
        ValueError
            If there is none of this name.
        """
        if name not in self.names:
            raise unknown("name", name, self.names)
        return self.table[self.table["name"] == name]

    def plot(self, name: str) -> "Figure":
        """Return the estimates in their order, and the choices behind each.

        Parameters
        ----------
        name : str
            The estimate.

        Returns
        -------
        matplotlib.figure.Figure
            Made without pyplot; save it with ``savefig``.
        """
        # Imported here because few curves are drawn.
        from semikd.diagnostics.specification_drawing import curve_figure

        return curve_figure(self, name)


def _summarised(rows: "pd.DataFrame") -> dict[str, float]:
    """Return the summary of one estimate."""
    median = float(rows["estimate"].median())
    spread = rows["std_error"] ** 2 + (rows["estimate"] - median) ** 2
    return {
        "median": median,
        "std_error": float(np.sqrt(spread.median())),
        "lowest": float(rows["estimate"].min()),
        "highest": float(rows["estimate"].max()),
        "share_above_0": float((rows["lower"] > 0).mean()),
        "share_below_0": float((rows["upper"] < 0).mean()),
    }
