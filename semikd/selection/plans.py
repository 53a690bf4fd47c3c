"""What a search tries: rounds, of which the later refine what the earlier found.

A round is left out where the time does not allow it.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from semikd.evaluation import Table
from semikd.exceptions import SemikdWarning
from semikd.label_aware import named_correction
from semikd.networks import NetworkEstimator
from semikd.selection.candidates import SCRATCH, Candidate
from semikd.selection.judging import Judge
from semikd.selection.presets import Preset, refusal
from semikd.selection.tuning import student_settings
from semikd.students import new_student
from semikd.synthetic import SyntheticRows

__all__ = ["Round", "plan_rounds"]

Best = Mapping[str, Candidate]
_TWO_FOLDS = "two folds leave no teacher that saw neither the judges nor the row"


@dataclass(frozen=True)
class Round:
    """Candidates that are judged together.

    Parameters
    ----------
    name : str
        What is tried, in words.
    teacher : str
        The teacher whose labels are needed first; '' for none.
    candidates : callable
        From the best candidate of each student so far to what is tried.
    unable : str, default=''
        Why it cannot be tried with these rows, if it cannot.
    taught : bool, default=True
        Whether its candidates have a teacher.

    Examples
    --------
    >>> from semikd.selection import Candidate
    >>> from semikd.selection.plans import Round
    >>> found = Round("outcomes", "", lambda best: [Candidate("tree", "scratch")])
    >>> print(found.candidates({})[0])
    tree: scratch
    """

    name: str
    teacher: str
    candidates: Callable[[Best], list[Candidate]]
    unable: str = ""
    taught: bool = True


def plan_rounds(preset: Preset, judge: Judge) -> list[Round]:
    """Return what is tried, round by round.

    Parameters
    ----------
    preset : Preset
        How much is tried.
    judge : Judge
        Who knows the students, the teachers and the rows.

    Returns
    -------
    list of Round

    Warns
    -----
    SemikdWarning
        If there are two folds, where only students from scratch can be judged.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from semikd.evaluation import Classification, Table
    >>> from semikd.selection.judging import Judge
    >>> from semikd.selection.plans import plan_rounds
    >>> from semikd.selection.presets import PRESETS
    >>> from semikd.selection.sources import LabelBank
    >>> table = Table(np.arange(12.0)[:, None], np.arange(12) // 6, None, None)
    >>> bank = LabelBank(table, {"bayes": GaussianNB()}, cv=3, seed=0)
    >>> students = {"tree": DecisionTreeRegressor(max_leaf_nodes=2)}
    >>> judge = Judge(table, Classification(), students, bank, seed=0)
    >>> [each.name for each in plan_rounds(PRESETS["fast"], judge)]
    ['students from scratch', 'labels of bayes', 'weights of the outcome']
    """
    rounds = [_scratch(judge)]
    rounds += [_labels(name, judge) for name in judge.bank.teachers]
    rounds.append(Round("weights of the outcome", "", _weights(preset, judge)))
    if preset.all_settings:
        rounds.append(_smaller_scratch(judge))
        settings = partial(_own_settings, judge)
        rounds.append(Round("settings of the student", "", settings))
    if preset.scales and judge.table.classification:
        rounds.append(Round("other scales", "", partial(_scales, judge)))
    if judge.unlabelled is not None:
        rounds.append(Round("unlabelled rows", "", _unlabelled))
    if preset.synthetic:
        rounds.append(_synthetic(judge.table))
    return rounds if judge.bank.folds.judges_teachers else _untaught(rounds)


def _untaught(rounds: list[Round]) -> list[Round]:
    """Return rounds of which those with a teacher cannot be tried, and warn of it."""
    warnings.warn(
        f"Only students from scratch are tried: {_TWO_FOLDS} that it labels. Three "
        "folds need three distinct rows, or groups, of every class.",
        SemikdWarning,
        stacklevel=4,
    )
    return [
        replace(each, unable=_TWO_FOLDS) if each.taught else each for each in rounds
    ]


def _scratch(judge: Judge) -> Round:
    """Return students that learn the outcomes, as they are and tuned in their size."""
    found = [
        Candidate(name, SCRATCH, settings=each)
        for name, learner in judge.students.items()
        for each in student_settings(learner, judge, smaller=False)
    ]
    return Round("students from scratch", "", lambda best: found, taught=False)


def _smaller_scratch(judge: Judge) -> Round:
    """Return students that learn the outcomes with fewer leaves than they may have."""
    found = []
    for name, learner in judge.students.items():
        own = student_settings(learner, judge, smaller=False)
        more = student_settings(learner, judge, smaller=True)
        found += [
            Candidate(name, SCRATCH, settings=each) for each in more if each not in own
        ]
    name = "smaller students from scratch"
    return Round(name, "", lambda best: found, taught=False)


def _own_settings(judge: Judge, best: Best) -> list[Candidate]:
    """Return the best of each student with other settings: soft targets need others."""
    return [
        replace(each, settings=settings)
        for each in _taught(best)
        for settings in student_settings(
            judge.students[each.student], judge, smaller=False
        )
    ]


def _labels(teacher: str, judge: Judge) -> Round:
    """Return the labels of one teacher, in sample and honest, without correction."""
    kinds = ["in-sample", "cross-fitted", "half in-sample"]
    if judge.bank.has_one_fit(teacher):
        kinds.append("one fit")
    found = [
        Candidate(name, labels, teacher)
        for name, student in judge.students.items()
        for labels in _taught_by(student, judge.bank.teachers[teacher], kinds)
    ]
    return Round(f"labels of {teacher}", teacher, lambda best: found)


def _taught_by(student: Any, teacher: Any, kinds: Sequence[str]) -> Sequence[str]:
    """Return the kinds of a teacher's labels that can teach a student.

    One of hidden layers is shown those of networks that label by folds.
    """
    if getattr(student, "shown_by", None) is None:
        return kinds
    return ["cross-fitted"] if isinstance(teacher, NetworkEstimator) else []


def _weights(preset: Preset, judge: Judge) -> Callable[[Best], list[Candidate]]:
    """Return what moves targets towards the outcomes, for the best of each student."""
    # Those by row are made for probabilities.
    weights = [
        each
        for each in preset.weights
        if judge.table.classification or isinstance(each, float)
    ]

    def candidates(best: Best) -> list[Candidate]:
        found = []
        for each in _taught(best):
            honest = replace(each, labels="cross-fitted")
            fitting = [w for w in weights if not refusal(judge, each.student, w)]
            # Some compare labels with outcomes, which only those of folds allow.
            found += [
                replace(each, correction=weight)
                for weight in fitting
                if not named_correction(weight).needs_folds
            ]
            found += [replace(honest, correction=weight) for weight in fitting]
            if preset.estimated:
                found.append(replace(honest, correction="estimated"))
        return list(dict.fromkeys(found))

    return candidates


def _scales(judge: Judge, best: Best) -> list[Candidate]:
    """Return the best of each student on the other scales that it supports."""
    found = []
    for each in map(_without_rule_by_row, _taught(best)):
        learner = judge.students[each.student]
        student = new_student(learner, len(judge.table.y), None, 0)
        own = judge.scale(each, student).name
        for name in ("probability", "log_probability", "cross_entropy"):
            other = replace(each, loss=name)
            loss = judge.scale(other, student)
            if name != own and student.supports(loss) is None:
                found.append(other)
    return found


def _without_rule_by_row(candidate: Candidate) -> Candidate:
    """Return the candidate without a weight by row, for whatever scale.

    An error of 0.1 in probability is 0.4 in log-odds at a half, and more elsewhere:
    what such a rule assumes of the teacher is something else on another scale, and some
    rules are of one scale alone.
    """
    kept = ("none", "orthogonal", "estimated")
    if isinstance(candidate.correction, float) or candidate.correction in kept:
        return candidate
    return replace(candidate, correction="none")


def _unlabelled(best: Best) -> list[Candidate]:
    """Return the best of each student with the rows that have no outcome."""
    honest = [replace(each, labels="cross-fitted") for each in _taught(best)]
    return [replace(each, unlabelled=True) for each in honest]


def _synthetic(table: Table) -> Round:
    """Return the best of each student with rows that are made up."""
    made = [
        SyntheticRows(
            method, ratio=4.0, labelled_by=who, categorical_features=table.categorical
        )
        for method in ("neighbours", "columns", "bootstrap")
        for who in ("folds", "all")
    ]

    def candidates(best: Best) -> list[Candidate]:
        honest = [replace(each, labels="cross-fitted") for each in _taught(best)]
        return [replace(each, synthetic=rows) for each in honest for rows in made]

    unable = ""
    if table.student_view is not None:
        unable = "the student reads the rows otherwise than the teacher"
    else:
        try:
            made[0].check(table.X)
        except (TypeError, ValueError) as error:
            unable = str(error)
    return Round("synthetic rows", "", candidates, unable)


def _taught(best: Best) -> Sequence[Candidate]:
    """Return the best candidates that have a teacher."""
    return [each for each in best.values() if each.teacher]
