"""Answers in words, and results as data frames, pieces of a page and LaTeX."""

import html
from collections.abc import Iterable
from typing import TYPE_CHECKING

from semikd._text import latex
from semikd.inference._inputs import checked_level

if TYPE_CHECKING:
    import pandas as pd

    from semikd.inference.result import InferenceResult

__all__ = ["InWords", "as_frame", "as_html", "as_latex", "as_text"]


class InWords:
    """What an answer is of, of which class it is, and what must hold for it.

    Parameters
    ----------
    estimand : str
        What is asked, in words.
    conditions : tuple of str
        What must hold.
    """

    estimand: str
    conditions: tuple[str, ...]

    def summary(self) -> str:
        """Return the estimand, the class, the conditions and the answer as text.

        Returns
        -------
        str
            Several lines.
        """
        words = _opening(self.estimand, self._claim, self.conditions)
        return _lines(words, self.conditions, [str(self)])

    @property
    def _claim(self) -> str:
        """What is said, and of which class it is, in words."""
        raise NotImplementedError


def as_frame(result: "InferenceResult", level: float | None) -> "pd.DataFrame":
    """Return the table that ``InferenceResult.to_frame`` returns."""
    import pandas as pd

    columns = {"estimate": result.estimate, "std_error": result.std_error}
    if result.interval_class == "bound":
        columns["upper"] = result.upper_bound(level)
        columns["upper_simultaneous"] = result.upper_bound(level, result.adjustment)
        return pd.DataFrame(columns, index=pd.Index(result.names, name="name"))
    columns["lower"], columns["upper"] = result.conf_int(level, "interval").T
    together = result.conf_int(level, "simultaneous")
    columns["lower_simultaneous"], columns["upper_simultaneous"] = together.T
    if result._has_null:
        columns["p_value"] = result.p_values()
        columns["p_adjusted"] = result.p_values(adjust=result.adjustment)
    return pd.DataFrame(columns, index=pd.Index(result.names, name="name"))


def as_text(result: "InferenceResult", level: float | None) -> str:
    """Return the text that ``InferenceResult.summary`` returns."""
    used, words = _words(result, level)
    table = result.to_frame(used).to_string(float_format=_shown)
    return _lines(words, result.conditions, [table, *result._notes()])


def as_html(result: "InferenceResult", level: float | None) -> str:
    """Return the HTML that ``InferenceResult.to_html`` returns."""
    used, words = _words(result, level)
    first = "<br>".join(map(html.escape, words))
    listed = "".join(f"<li>{html.escape(each)}</li>" for each in result.conditions)
    table = result.to_frame(used).to_html(float_format=_shown, border=0)
    below = "".join(f"\n<p>{html.escape(each)}</p>" for each in result._notes())
    return f"<p>{first}</p>\n<ul>{listed}</ul>\n{table}{below}"


def as_latex(result: "InferenceResult", level: float | None) -> str:
    """Return the LaTeX that ``InferenceResult.to_latex`` returns."""
    used, words = _words(result, level)
    conditions = "; ".join(result.conditions)
    caption = " ".join([*words, f"{conditions}.", *result._notes()])
    frame = result.to_frame(used).map(_shown)
    return str(frame.to_latex(escape=True, caption=latex(caption)))


def _words(result: "InferenceResult", level: float | None) -> tuple[float, list[str]]:
    """Return the level, what is estimated, and what the table holds."""
    used = checked_level(result.level if level is None else level)
    what = "upper bounds" if result.interval_class == "bound" else "intervals"
    claim = f"{100 * used:g} % {what}, alone and together ({result.adjustment})"
    return used, _opening(result.estimand, claim, result.conditions)


def _opening(estimand: str, claim: str, conditions: tuple[str, ...]) -> list[str]:
    """Return what is asked and what is said of it, for conditions to follow."""
    return [f"Estimand: {estimand}.", f"{claim}, if" if conditions else f"{claim}."]


def _lines(words: list[str], conditions: tuple[str, ...], below: Iterable[str]) -> str:
    """Return words, conditions and what stands below them as text."""
    listed = [f"  - {condition}" for condition in conditions]
    return "\n".join([*words, *listed, *below])


def _shown(value: float) -> str:
    """Return a number as tables show it."""
    return f"{value:.4g}"
