"""Linear hypotheses about several estimates at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike
from scipy import linalg, stats

from semikd._validation import (
    FloatArray,
    Shown,
    counted,
    finite_array,
    invalid,
    unknown,
)
from semikd.inference.rendering import InWords
from semikd.inference.student_law import StudentLaw

if TYPE_CHECKING:
    from semikd.inference.result import InferenceResult

__all__ = ["HypothesisTest", "asked", "contrasts", "matrix_of", "wald"]

# Combinations that are written out.
_SHOWN = 5


@dataclass(frozen=True)
class HypothesisTest(InWords):
    """A test that several numbers have given values together.

    Parameters
    ----------
    statistic : float
        F: the squared distance in standard errors, divided by ``df``.
    df : int
        Number of combinations.
    df_residual : float
        Degrees of freedom of the covariance; infinite for the chi-squared law.
    p_value : float
        Probability of a larger statistic where the hypothesis is true.
    estimand : str, optional
        What is tested, in words.
    conditions : tuple of str, optional
        What must hold for the p-value to be one.

    Examples
    --------
    >>> from semikd.inference import HypothesisTest
    >>> print(HypothesisTest(3.0, 2, 97.0, 0.0544))
    F(2, 97) = 3, p = 0.0544
    """

    statistic: float
    df: int
    df_residual: float
    p_value: float
    estimand: str = "whether several numbers have given values"
    conditions: tuple[str, ...] = ()

    @property
    def _claim(self) -> str:
        """What is said, and of which class it is."""
        law = "Fisher's law" if np.isfinite(self.df_residual) else "the chi-squared law"
        of = counted(self.df, "combination")
        return f"Test of {of} together, two-sided, by {law}"

    def __str__(self) -> str:
        """Return the test in one line."""
        law = f"F({self.df}, {self.df_residual:g})"
        return f"{law} = {self.statistic:.4g}, p = {self.p_value:.3g}"


def wald(
    result: "InferenceResult", matrix: FloatArray, value: ArrayLike
) -> HypothesisTest:
    """Return the test that combinations (q, d) have values; see ``wald_test``."""
    df = float(_df(result, matrix).min())
    wanted = finite_array("value", np.atleast_1d(value), shape=(None,))
    if len(wanted) not in {1, len(matrix)}:
        shown = Shown(f"{len(wanted)} for {counted(len(matrix), 'combination')}")
        raise invalid("value", "be one, or one for each combination", shown)
    distance = matrix @ result.estimate - wanted
    covariance = matrix @ result.covariance @ matrix.T
    error = np.sqrt(np.diag(covariance))
    scale = np.where(error > 0, error, 1.0)
    relative = covariance / np.outer(scale, scale)
    if np.linalg.matrix_rank(relative, hermitian=True) < len(matrix):
        shown = Shown(f"{len(matrix)} that depend on one another, or do not vary")
        remedy = "Drop those that follow from the others, or use more clusters"
        raise invalid("combinations", "be linearly independent", shown, remedy)
    solved = linalg.solve(relative, distance / scale, assume_a="pos")
    statistic = float(distance / scale @ solved) / len(matrix)
    p_value = float(stats.f.sf(statistic, len(matrix), min(df, 1e10)))
    conditions = result.conditions
    return HypothesisTest(statistic, len(matrix), df, p_value, conditions=conditions)


def asked(result: "InferenceResult", combinations: FloatArray, value: ArrayLike) -> str:
    """Return what is tested of combinations (q, d) of estimates, in words."""
    values = np.broadcast_to(np.atleast_1d(value), len(combinations))
    said = [
        f"{_sum(row, result.names)} = {each:.6g}"
        for row, each in zip(combinations[:_SHOWN], values, strict=False)
    ]
    more = len(combinations) - len(said)
    rest = f" and {more:,} more" if more else ""
    return f"whether {', '.join(said)}{rest}, of: {result.estimand}"


def _sum(row: FloatArray, names: tuple[str, ...]) -> str:
    """Return a combination of named numbers in words."""
    parts = [
        f"{'-' if factor < 0 else '+'} "
        + (name if abs(factor) == 1.0 else f"{abs(factor):.6g} * {name}")
        for factor, name in zip(row, names, strict=True)
        if factor
    ]
    return " ".join(parts).removeprefix("+ ") or "0"


def contrasts(
    result: "InferenceResult", matrix: FloatArray
) -> tuple[FloatArray, FloatArray, StudentLaw, FloatArray | None]:
    """Return estimate, covariance, law and draws of combinations (q, d)."""
    law = StudentLaw.of_each(_df(result, matrix))
    draws = None if result.draws is None else result.draws @ matrix.T
    covariance = matrix @ result.covariance @ matrix.T
    return matrix @ result.estimate, covariance, law, draws


def matrix_of(
    result: "InferenceResult", combinations: ArrayLike | Sequence[str]
) -> FloatArray:
    """Return the combinations as rows of a matrix, (q, d)."""
    names, d = result.names, len(result.names)
    given = np.asarray(
        [combinations] if isinstance(combinations, str) else combinations
    )
    if not given.size:
        raise invalid("combinations", "hold one at least", Shown("none"))
    if given.ndim == 1 and all(isinstance(each, str) for each in given.tolist()):
        for each in given.tolist():
            if each not in names:
                raise unknown("combinations", each, names)
        return np.eye(d)[[names.index(each) for each in given.tolist()]]
    return finite_array("combinations", np.atleast_2d(given), shape=(None, d))


def _df(result: "InferenceResult", matrix: FloatArray) -> FloatArray:
    """Return degrees of freedom of combinations: the fewest of what they combine."""
    law = result.law
    if not np.isin(law.share, (0.0, 1.0)).all():
        shown = Shown("a variance of several parts, rows and refits")
        remedy = "Compare the arms in question with each other instead"
        raise invalid("result", "have a variance of one part", shown, remedy)
    own = law.df[law.share.argmax(axis=1)]
    return np.array([own[row != 0].min(initial=np.inf) for row in matrix])
