"""Every arm of one split: fixed ways to label, tuned scratch students, the choice."""

import warnings
from typing import Any

from _cells import Row
from _scratch import tuned_student
from _splits import Part, divided
from _study import Size, fixed_arms, part_scores, students, taught, teachers

SCRATCH, AUTOMATIC = "scratch, tuned", "automatic"


def scratch_arm(name: str, split: int, size: Size) -> Row:
    """Return the scores of every student on the outcomes, for every seed."""
    part, seeds = divided(name, size.rows_of(name), split), list(range(size.seeds))
    found = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for student, learner in students(small=size.small).items():
            said = tuned_student(learner, part.train, part.test.X, seeds)
            found[student] = [
                {**part_scores(part, p), "leaves": leaves} for p, leaves in said
            ]
    return {"ratio": part.ratio, "students": found}


def distilled_arms(name: str, split: int, track: str, size: Size, workers: int) -> Row:
    """Return the scores of every arm with a teacher, for every student and seed."""
    from semikd.selection.sources import LabelBank

    part, known = (
        divided(name, size.rows_of(name), split),
        teachers(track, small=size.small),
    )
    bank = LabelBank(part.train, known, n_jobs=workers, seed=1000 + split)
    found: Row = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for student in students(small=size.small):
            found[student] = of_student(part, student, bank, size, workers)
    return {"ratio": part.ratio, "students": found}


def of_student(part: Part, student: str, bank: Any, size: Size, workers: int) -> Row:
    """Return the arms of one student, and what was chosen for it."""
    from semikd.evaluation import Classification
    from semikd.selection.judging import Judge
    from semikd.selection.winner import made_choice

    learner, task = {student: students(small=size.small)[student]}, Classification()
    judges = [
        Judge(part.train, task, learner, bank, n_jobs=workers, seed=seed)
        for seed in range(size.seeds)
    ]
    searched(judges[0], size.preset)
    choice = made_choice(judges[0])
    teacher = list(bank.teachers)[-1]
    arms = fixed_arms(student, teacher, one_fit=bank.has_one_fit(teacher))
    arms[AUTOMATIC] = choice.chosen
    found = {
        arm: [taught(judge, candidate, part) for judge in judges]
        for arm, candidate in arms.items()
    }
    own = choice.chosen
    chosen = {"labels": own.labels, "teacher": own.teacher, "words": str(own)}
    return {"arms": found, "chosen": chosen, "score": choice.score}


def searched(judge: Any, preset: str) -> None:
    """Judge what ``AutoDistiller`` judges with this preset and no limit of time."""
    from semikd._progress import silent
    from semikd.selection.plans import plan_rounds
    from semikd.selection.presets import PRESETS
    from semikd.selection.search import search

    search(judge, plan_rounds(PRESETS[preset], judge), progress=silent)
