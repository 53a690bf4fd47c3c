"""How much a search tries, and which weights of the outcome fit which student."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from semikd._validation import wrong_type
from semikd.corrections import Correction, MinimaxCorrection, ShrinkageCorrection
from semikd.label_aware import named_correction
from semikd.selection.candidates import SCRATCH, Candidate
from semikd.selection.judging import Judge
from semikd.students import new_student

__all__ = ["PRESETS", "Preset", "refusal"]

# Weights of the outcome that are tried: none has won everywhere.
_FEW_WEIGHTS, _WEIGHTS = (0.1, 0.35), (0.05, 0.1, 0.2, 0.35, 0.5, 0.75)
# Weights that depend on what the teacher says of a row.
_BY_ROW = (ShrinkageCorrection(0.01), MinimaxCorrection("relative", 0.5))
Weight = str | float | Correction


@dataclass(frozen=True)
class Preset:
    """How much is tried.

    Parameters
    ----------
    weights : tuple of str, float or Correction
        Weights of the outcome.
    estimated : bool
        Whether the weight is estimated too.
    all_settings : bool
        Whether students from scratch are tuned in every parameter, not in one.
    scales : bool
        Whether other scales are tried.
    synthetic : bool
        Whether synthetic rows are tried.

    Examples
    --------
    >>> from semikd.selection.presets import PRESETS
    >>> PRESETS["fast"].synthetic
    False
    """

    weights: tuple[Weight, ...]
    estimated: bool
    all_settings: bool
    scales: bool
    synthetic: bool

    def with_weights(
        self, more: Sequence[str | float | Correction], judge: Judge
    ) -> "Preset":
        """Return the preset with more weights, each of which fits some student.

        Parameters
        ----------
        more : sequence of str, float or Correction
            The weights, by name or as objects.
        judge : Judge
            Who knows the students and their scales.

        Returns
        -------
        Preset

        Raises
        ------
        ValueError, TypeError
            If a name is unknown, or no student's scale fits a rule.
        """
        if isinstance(more, str) or not isinstance(more, Sequence):
            remedy = "For instance corrections=['adaptive_alpha', 0.3]"
            raise wrong_type("corrections", "be a list of corrections", more, remedy)
        found: list[Weight] = []
        for each in more:
            named_correction(each)
            refusals = [refusal(judge, name, each) for name in judge.students]
            if all(refusals):
                raise next(reason for reason in refusals if reason is not None)
            found.append(each if isinstance(each, str | Correction) else float(each))
        return replace(self, weights=(*self.weights, *found))


PRESETS = {
    "fast": Preset(_FEW_WEIGHTS, False, False, False, False),
    "balanced": Preset(_WEIGHTS, True, True, True, False),
    "thorough": Preset((*_WEIGHTS, *_BY_ROW), True, True, True, True),
}


def refusal(judge: Judge, name: str, weight: Weight) -> Exception | None:
    """Return why a student's own scale does not fit a weight, or None.

    Parameters
    ----------
    judge : Judge
        Who knows the students and their scales.
    name : str
        Name of the student.
    weight : str, float or Correction
        The weight of the outcome.

    Returns
    -------
    Exception or None
    """
    student = new_student(judge.students[name], len(judge.table.y), None, 0)
    try:
        scale = judge.scale(Candidate(name, SCRATCH), student)
        classes = judge.table.classes
        n_classes = None if classes is None else len(classes)
        rule = named_correction(weight)
        rule.require(scale, n_classes=n_classes, X=judge.table.features)
    except (TypeError, ValueError) as reason:
        return reason
    return None
