"""The record of a diagnosis: a table, a picture, a dictionary, and advice."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from semikd.diagnostics.advice import advise
from semikd.diagnostics.findings import ALL_ROWS, Finding
from semikd.simplex import FloatArray

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["TeacherDiagnosis"]


@dataclass(frozen=True, eq=False)
class TeacherDiagnosis:
    """What is wrong with a teacher, as far as its labels show.

    Parameters
    ----------
    findings : tuple of Finding
        Findings on all rows first, then on each class and each group.
    strategy : str
        How the labels were made, in words.
    n_rows : int
        Rows that judged.
    classes : tuple of str
        Names of the classes.
    level : float
        Confidence level of the tests.
    reliability : tuple of (str, ndarray of shape (b, 2))
        For a picture: mean label of the last class and observed frequency in bins, for
        each kind of label.
    folds_apart : dict of str to float
        How far fold teachers differ on rows that none of them saw; empty if none were
        given.

    Attributes
    ----------
    optimism, calibration, left_over, variance : Finding or None
        The findings on all rows; None where they were not asked for.
    advice : dict of str to str
        One sentence for each of them.

    Notes
    -----
    The tests on all rows (optimism, calibration, left-over signal) are one family, and
    for each of them the tests of its parts are another: ``p_adjusted`` holds with
    Holm's method within its family, ``p_value`` alone. Advice goes by ``p_adjusted``.

    Examples
    --------
    >>> from semikd.diagnostics import Finding, TeacherDiagnosis
    >>> found = Finding("optimism", "nats", 0.1, 0.01, 0.0, n_rows=500, p_adjusted=0.0)
    >>> seen = TeacherDiagnosis((found,), "5-fold cross-fitting", 500, ("a", "b"))
    >>> seen.optimism.estimate, seen.variance
    (0.1, None)
    """

    findings: tuple[Finding, ...]
    strategy: str
    n_rows: int
    classes: tuple[str, ...]
    level: float = 0.95
    reliability: tuple[tuple[str, FloatArray], ...] = ()
    folds_apart: dict[str, float] | None = None

    @property
    def optimism(self) -> Finding | None:
        """Out-of-fold less in-sample log-loss."""
        return self._whole("optimism")

    @property
    def calibration(self) -> Finding | None:
        """Slope and intercepts of a recalibration."""
        return self._whole("calibration")

    @property
    def left_over(self) -> Finding | None:
        """Share of the residuals that a learner predicts."""
        return self._whole("left-over signal")

    @property
    def variance(self) -> Finding | None:
        """Variance of labels over repeats."""
        return self._whole("variance")

    @property
    def advice(self) -> dict[str, str]:
        """One sentence for each finding."""
        return advise(self.findings, self.level)

    def table(self) -> "pd.DataFrame":
        """Return one row for each finding on each part, as a data frame.

        Returns
        -------
        pandas.DataFrame
            Index part and finding; estimate with its unit, standard error, p-values
            alone and adjusted, and rows.
        """
        import pandas as pd

        rows = [finding.to_dict() for finding in self.findings]
        for row in rows:
            row["finding"] = row.pop("name")
            row.pop("details")
        frame = pd.DataFrame(rows).set_index(["part", "finding"])
        numbers = ["estimate", "std_error", "p_value", "p_adjusted"]
        return frame.astype(dict.fromkeys(numbers, float))

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values that JSON can hold.

        Returns
        -------
        dict
        """
        return {
            "strategy": self.strategy,
            "n_rows": self.n_rows,
            "classes": list(self.classes),
            "level": self.level,
            "findings": [finding.to_dict() for finding in self.findings],
            "folds_apart": dict(self.folds_apart or {}),
            "advice": self.advice,
        }

    def plot(self) -> "Figure":
        """Return the findings on all rows and on their parts as a picture.

        Returns
        -------
        matplotlib.figure.Figure
            Made without pyplot; save it with ``savefig``.
        """
        # Imported here because few diagnoses are drawn.
        from semikd.diagnostics.drawing import diagnosis_figure

        return diagnosis_figure(self)

    def __str__(self) -> str:
        """Return findings on all rows, parts that stand out, and advice."""
        head = f"Teacher diagnosis: {self.n_rows:,} rows, {self.strategy}"
        tests = sum(f.tested and f.part == ALL_ROWS for f in self.findings)
        lines = [head, f"p adjusted by Holm over {tests} tests, and over parts", ""]
        lines += [
            _line(finding)
            for finding in self.findings
            if finding.part == ALL_ROWS or finding.shown(self.level)
        ]
        if apart := self.folds_apart:
            lines.append(
                f"On unseen rows fold teachers are {apart['fold_spread']:.2g} apart in "
                "probability; the Brier score of their mean is lower by "
                f"{apart['fold_gain_brier']:.2g} than that of one."
            )
        return "\n".join([*lines, "", *(f"- {said}" for said in self.advice.values())])

    def _whole(self, name: str) -> Finding | None:
        """Return the finding of that name on all rows."""
        found = (f for f in self.findings if (f.name, f.part) == (name, ALL_ROWS))
        return next(found, None)


def _line(finding: Finding) -> str:
    """Return a finding in one line of a terminal."""
    error = f" ({finding.std_error:.2g})" if finding.std_error >= 0 else ""
    number = f"{finding.measure} {finding.estimate:.4g}{error}"
    tests = (
        f"p {_short(finding.p_value)}, adjusted {_short(finding.p_adjusted)}"
        if finding.tested
        else "no test"
    )
    return f"{finding.part:<16}  {finding.name:<17} {number:<26} {tests}"


def _short(p_value: float) -> str:
    """Return a p-value that nobody has to count the zeros of."""
    return f"{p_value:.2g}" if p_value >= 1e-6 else "below 1e-6"
