"""What to do about each finding, in one sentence."""

from collections.abc import Sequence

from semikd.diagnostics.findings import ALL_ROWS, Finding

__all__ = ["advise"]

# Share of the Brier score below which more repeats are not worth their time.
WORTHWHILE = 0.01
# Nats below which a fault is too small to act on, however surely it is there.
NEGLIGIBLE = 0.001


def advise(findings: Sequence[Finding], level: float) -> dict[str, str]:
    """Return one sentence for each finding, and one for the parts that stand out.

    Parameters
    ----------
    findings : sequence of Finding
        Findings with adjusted p-values.
    level : float
        Confidence level of the tests.

    Returns
    -------
    dict of str to str
        By the name of the finding; 'parts' where the test of a class or a group
        rejects.

    Examples
    --------
    >>> from semikd.diagnostics import Finding
    >>> from semikd.diagnostics.advice import advise
    >>> found = Finding("optimism", "nats", 0.1, 0.01, 0.0, p_adjusted=0.0)
    >>> print(advise([found], 0.95)["optimism"][:12])
    Over-fitted:
    """
    whole = [finding for finding in findings if finding.part == ALL_ROWS]
    said = {finding.name: _WORDS[finding.name](finding, level) for finding in whole}
    # Parts only repeat what holds everywhere, unless all rows together show nothing.
    shown = {finding.name for finding in whole if finding.shown(level)}
    news = [
        f"{finding.name} in {finding.part}"
        for finding in findings
        if finding.part != ALL_ROWS
        and finding.shown(level)
        and finding.name not in shown
    ]
    if news:
        said["parts"] = (
            f"Hidden in the whole, shown in parts: {', '.join(news)}; treat these "
            "parts by themselves, or give the teacher what tells them apart."
        )
    return said


def _on_optimism(finding: Finding, level: float) -> str:
    """Return what to do about over-fitting."""
    if not finding.shown(level):
        return (
            "No over-fitting shown: rows that the teacher saw are not told from new "
            "ones here, which is no proof that in-sample labels serve as well."
        )
    if finding.estimate < NEGLIGIBLE:
        return (
            f"Over-fitted by next to nothing ({finding.estimate:.2g} nats): shown, and "
            "too little to act on."
        )
    return (
        f"Over-fitted: on rows that it saw the teacher looks {finding.estimate:.3g} "
        "nats better than it is; keep out-of-fold labels, and use more folds, more "
        "repeats or more regularisation."
    )


def _on_calibration(finding: Finding, level: float) -> str:
    """Return what to do about probabilities that are no frequencies."""
    if not finding.shown(level):
        return "Calibrated as far as these rows can tell: leave the scale alone."
    slope, gain = finding.estimate, finding.details["gain_nats"]
    if gain < NEGLIGIBLE:
        return (
            f"Off by next to nothing (slope {slope:.2f}): calibration would gain "
            f"{gain:.2g} nats, too little to act on."
        )
    if slope <= 0:
        return (
            f"Ranks the wrong way round or not at all (slope {slope:.2f}): look for "
            "swapped labels; no calibration mends that."
        )
    if finding.details["slope_p_value"] > 1 - level:
        what, else_do = (
            "Shifted: the base rate is off",
            "check the rows it learned from",
        )
    elif slope < 1:
        what, else_do = f"Too sure (slope {slope:.2f})", "regularise it"
    else:
        what, else_do = f"Too timid (slope {slope:.2f})", "let it learn longer"
    return f"{what}: calibrate the teacher inside the folds, or {else_do}."


def _on_left_over(finding: Finding, level: float) -> str:
    """Return what to do about signal that the teacher leaves."""
    if not finding.shown(level):
        return (
            "No signal shown in what the teacher leaves: a bigger teacher or a "
            "correction has little to gain."
        )
    share = 100 * finding.estimate
    much = f"{share:.2g} %" if share > 0 else "a little"
    return (
        f"Under-fitted: {much} of what the teacher leaves can be predicted from X; "
        "turn a correction on, add a residual teacher, or take a bigger teacher."
    )


def _on_variance(finding: Finding, _level: float) -> str:
    """Return whether averaging more labels is worth it."""
    share = finding.details["left_share"]
    if share < WORTHWHILE:
        return (
            f"Steady: more repeats would lower the Brier score by {100 * share:.2g} % "
            "at most."
        )
    return (
        f"Unsteady: averaging more repeats would lower the Brier score by up to "
        f"{100 * share:.2g} %; raise n_repeats, or use a teacher that averages."
    )


_WORDS = {
    "optimism": _on_optimism,
    "calibration": _on_calibration,
    "left-over signal": _on_left_over,
    "variance": _on_variance,
}
