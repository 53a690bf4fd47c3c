"""The same experiments done again so that every number may be believed.

Probabilities for all arms, corrections that depend on x alone, settings chosen by rows
that no teacher of the student saw, and intervals over splits, folds, teachers and
students. A fifth of the training rows makes the choices: in nested folds every setting
would be five forests, and the chosen students are fitted to all rows either way.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import takewhile
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from semikd.corrections import MinimaxCorrection, ShrinkageCorrection
from semikd.evaluation import Classification, Table, scores
from semikd.reproduction.asked import seeds_in_order
from semikd.reproduction.cells import Cell, Run
from semikd.reproduction.forests.growing import score
from semikd.reproduction.forests.paths import PathForest, PathJudge, forget_forests
from semikd.reproduction.forests.readings import Sides
from semikd.reproduction.forests.study import ForestStudy
from semikd.reproduction.repeated import Repeated
from semikd.selection import Candidate
from semikd.selection.candidates import SCRATCH
from semikd.selection.plans import plan_rounds
from semikd.selection.presets import PRESETS
from semikd.selection.search import search
from semikd.selection.sources import LabelBank
from semikd.selection.teachers import GIVEN, named_teachers
from semikd.selection.winner import made_choice
from semikd.simplex import FloatArray

__all__ = [
    "ARMS",
    "SETTINGS",
    "finished_repeats",
    "honest_cells",
    "honest_results",
]

_WEIGHTS = tuple(round(0.1 * k, 1) for k in range(1, 10))
_ERRORS = tuple(10.0**k for k in range(-5, 1))
_RATIOS = (0.25, 0.5, 1.0, 2.0, 4.0)
_LEAVES, _COLUMNS = (1, 5, 20), (1.0, 0.33, "sqrt")
_FOLDS, _JUDGING = 5, 0.2
# What every cell depends on.
SETTINGS: Mapping[str, Any] = {
    "folds": _FOLDS,
    "judging share": _JUDGING,
    "weights": _WEIGHTS,
    "errors": _ERRORS,
    "ratios": _RATIOS,
    "smallest leaves": _LEAVES,
    "columns": _COLUMNS,
    "presets": {name: repr(preset) for name, preset in PRESETS.items()},
}

# What each arm is, in the order of the tables.
ARMS: Mapping[str, str] = {
    "teacher": "a forest of the teacher's kind that saw all training rows",
    "scratch": "a regression forest that learns the labels, as it is",
    "scratch classifier": "a classification forest that learns the labels, as it is",
    "scratch, tuned": "smallest leaf and columns of each split chosen",
    "in-sample": "labels of a teacher that saw the rows",
    "out-of-bag": "labels of the trees that did not draw the row",
    "cross-fitted": "labels of teachers that did not see the row",
    "orthogonal": "cross-fitted, the full correction on the scale of log-odds",
    "corrected": "cross-fitted, the share c / (c + p (1 - p)) of the label, c chosen",
    "minimax": "cross-fitted, best against the worst truth within a factor, chosen",
    "constant mix": "cross-fitted, one share of the label, chosen",
    "estimated": "cross-fitted, the share of the label estimated for each row",
    "automatic": "what AutoDistiller chooses; it tries other scales too",
}


def honest_cells(
    study: ForestStudy, split: int, sides: Sides, n_jobs: int | None, *, preset: str
) -> list[Cell]:
    """Return the cells of one repetition: its split, folds, teachers and students.

    Parameters
    ----------
    study : ForestStudy
        The experiment.
    split : int
        Seed of the split, and of everything in it.
    sides : Sides
        The rows of that split.
    n_jobs : int or None
        Workers over fits.
    preset : str
        How much the automatic choice tries.

    Returns
    -------
    list of Cell
    """
    cells = []
    # Students without a teacher are the same beside every teacher.
    untaught: dict[Candidate, FloatArray] = {}
    for teacher, settings in study.teachers.items():
        work = partial(
            _repetition, study, settings, split, sides, n_jobs, preset, untaught
        )
        cells.append(Cell(_name(split, teacher), "repetition", work))
    return cells


def _repetition(
    study: ForestStudy,
    settings: Mapping[str, Any],
    split: int,
    sides: Sides,
    n_jobs: int | None,
    preset: str,
    untaught: dict[Candidate, FloatArray],
    run: Run,
) -> dict[str, Any]:
    """Return the test scores of every arm, for every size of the student.

    Losses of students without a teacher are taken from, and added to, ``untaught``.
    """
    table = Table(sides.X, sides.y, None, None)
    teacher = RandomForestClassifier(**settings)
    named = named_teachers(teacher, preset)
    bank = LabelBank(
        table, named, cv=_FOLDS, holdout=_JUDGING, n_jobs=n_jobs, seed=split
    )
    students = _students(study)
    judge = PathJudge(
        table, Classification(), students, bank, n_jobs=n_jobs, seed=split
    )
    judge.progress = run.listener
    judge.losses |= untaught
    search(judge, plan_rounds(PRESETS[preset], judge), progress=run.listener)
    automatic = {name: made_choice(judge, student=name).chosen for name in students}
    groups = {name: _groups(name, bank.has_one_fit(GIVEN)) for name in students}
    judge.judge([c for own in groups.values() for some in own.values() for c in some])
    untaught |= {c: own for c, own in judge.losses.items() if c.labels == SCRATCH}
    arms = {
        arm: {name: _best(judge, groups[name][arm]) for name in students}
        for arm in next(iter(groups.values()))
    }
    arms["automatic"] = automatic
    found = {arm: _scored(judge, own, sides) for arm, own in arms.items()}
    alone = clone(teacher).set_params(random_state=split, n_jobs=n_jobs)
    own = _of_teacher(alone.fit(sides.X, sides.y), sides)
    found = {"teacher": dict.fromkeys(students, own), **found}
    forget_forests()
    return {"arms": found, "n_train": len(sides.y), "n_test": len(sides.y_test)}


def _students(study: ForestStudy) -> dict[str, RandomForestRegressor]:
    """Return the unfitted students by their number of trees."""
    if len(study.sizes) == 1:
        return {str(size): RandomForestRegressor(size) for size in study.sizes}
    largest = max(study.sizes)
    return {str(size): PathForest(size, largest=largest) for size in study.sizes}


def _groups(name: str, one_fit: bool) -> dict[str, list[Candidate]]:
    """Return the candidates of each arm, of which the best is taken."""
    scratch = Candidate(name, SCRATCH)
    plain = Candidate(name, "cross-fitted", GIVEN)
    tuned = [
        replace(scratch, settings=(("max_features", m), ("min_samples_leaf", n)))
        for m in _COLUMNS
        for n in _LEAVES
    ]
    classifier = replace(scratch, settings=(("max_features", "sqrt"),))
    groups = {
        "scratch": [scratch],
        # Of two classes the squared error is the Gini index: nothing else differs.
        "scratch classifier": [classifier],
        "scratch, tuned": [scratch, classifier, *tuned],
        "in-sample": [Candidate(name, "in-sample", GIVEN)],
        "cross-fitted": [plain],
        "orthogonal": [replace(plain, loss="log_probability", correction="orthogonal")],
        "corrected": [
            replace(plain, correction=ShrinkageCorrection(c)) for c in _ERRORS
        ],
        "minimax": [
            replace(plain, correction=MinimaxCorrection("relative", c)) for c in _RATIOS
        ],
        "constant mix": [plain, *(replace(plain, correction=w) for w in _WEIGHTS)],
        "estimated": [replace(plain, correction="estimated")],
    }
    if one_fit:
        groups["out-of-bag"] = [Candidate(name, "one fit", GIVEN)]
    return {arm: groups[arm] for arm in ARMS if arm in groups}


def _best(judge: PathJudge, candidates: Sequence[Candidate]) -> Candidate:
    """Return the candidate with the least log-loss of judging rows, first of equals."""
    return min(candidates, key=lambda each: float(np.nanmean(judge.losses[each])))


def _scored(
    judge: PathJudge, candidates: Mapping[str, Candidate], sides: Sides
) -> dict[str, Any]:
    """Return test scores and leaves of one arm's students, fitted to all rows."""
    found = {}
    for name, candidate in candidates.items():
        record = judge.bank.outer(candidate.labels, candidate.teacher)
        student, lesson = judge.lesson(candidate, record, np.arange(len(sides.y)))
        lesson.teach(student)
        p = np.asarray(lesson.loss.probabilities(student.scores(sides.X_test)))
        size = {"leaves": student.size().leaves}
        chosen = {"chosen": str(candidate).partition(": ")[2]}
        found[name] = _test_scores(p, sides) | size | chosen
    return found


def _of_teacher(forest: RandomForestClassifier, sides: Sides) -> dict[str, Any]:
    """Return test scores and leaves of the teacher itself."""
    leaves = sum(tree.get_n_leaves() for tree in forest.estimators_)
    found = _test_scores(forest.predict_proba(sides.X_test), sides)
    return found | {"leaves": int(leaves), "chosen": ""}


def _test_scores(p: FloatArray, sides: Sides) -> dict[str, float]:
    """Return the published metric and the proper scores of test rows."""
    proper = scores(p, sides.y_test)
    return {
        sides.metric: score(sides.metric, sides.y_test, p[:, 1]),
        "log-loss": proper["log_loss"],
        "Brier score": proper["brier"],
    }


def finished_repeats(study: ForestStudy, run: Run) -> list[int]:
    """Return the seeds of the repetitions that are finished, up to the first gap.

    Parameters
    ----------
    study : ForestStudy
        The experiment.
    run : Run
        The run as far as it is.

    Returns
    -------
    list of int
    """

    def is_finished(seed: int) -> bool:
        return all(run.has(_name(seed, teacher)) for teacher in study.teachers)

    return list(takewhile(is_finished, seeds_in_order()))


def honest_results(
    study: ForestStudy, splits: Sequence[int], run: Run, *, same_rows: bool = False
) -> dict[tuple[str, int], dict[str, Repeated]]:
    """Return what the repetitions found.

    Parameters
    ----------
    study : ForestStudy
        The experiment.
    splits : sequence of int
        Seeds of the repetitions.
    run : Run
        The finished cells.
    same_rows : bool, default=False
        Whether all repetitions have the same split: then no rows overlap by chance.

    Returns
    -------
    dict from (arm, place on the axis) to dict from metric to Repeated
        'leaves' is among the metrics.
    """
    found: dict[tuple[str, int], dict[str, Repeated]] = {}
    for teacher in study.teachers:
        cells = [run.read(_name(split, teacher)) for split in splits]
        ratios = [cell["n_test"] / cell["n_train"] for cell in cells]
        ratio = 0.0 if same_rows else float(np.mean(ratios))
        for arm, sizes in cells[0]["arms"].items():
            for size, first in sizes.items():
                x = int(teacher) if study.varies_teacher else int(size)
                found[arm, x] = {
                    metric: Repeated(
                        tuple(float(cell["arms"][arm][size][metric]) for cell in cells),
                        ratio,
                    )
                    for metric in first
                    if metric != "chosen"
                }
    return found


def _name(split: int, teacher: str) -> str:
    """Return the name of the cell of a repetition."""
    return f"split-{split}-teacher-{teacher}".replace(" ", "-")
