"""What may be compared: recipes that can be refitted, and their corrections."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.base import clone

from semikd._validation import Shown, invalid, wrong_type
from semikd.corrections import NoCorrection, ShrinkageCorrection
from semikd.crossfit import OutOfFold
from semikd.distillation import DistilledClassifier
from semikd.evaluation.arms import CROSS_FITTED, IN_SAMPLE, SCRATCH, TEACHER, TUNED
from semikd.evaluation.tables import Table
from semikd.evaluation.tasks import Classification, Regression, Task
from semikd.label_aware import named_correction
from semikd.losses import IdentityLoss, get_loss
from semikd.regression import DistilledRegressor
from semikd.students import Student, named_student, new_student
from semikd.students.beside import check_given

__all__ = ["checked_recipe", "named_corrections", "refuse_brought", "refuse_early"]

# The teacher's error that the arm 'corrected' assumes, as a probability at even odds.
_TEACHER_ERROR = 0.1
_TAKEN = {TEACHER, SCRATCH, TUNED, IN_SAMPLE, CROSS_FITTED}


def checked_recipe(estimator: Any, min_proba: float) -> tuple[Any, Task]:
    """Return an unfitted estimator, and what it is judged on."""
    estimator = DistilledClassifier() if estimator is None else estimator
    if getattr(estimator, "synthetic", None) is not None:
        constraint = "be None: arms share labels whose teachers are not kept"
        remedy = "Fit it, and compare predictions on held-out rows"
        shown = Shown(repr(estimator.synthetic)[:60])
        raise invalid("estimator.synthetic", constraint, shown, remedy)
    if isinstance(estimator, DistilledRegressor):
        return clone(estimator), Regression()
    if not isinstance(estimator, DistilledClassifier):
        shown = Shown(type(estimator).__name__)
        constraint = "be a DistilledClassifier or DistilledRegressor"
        raise wrong_type("estimator", constraint, shown)
    if estimator.class_weight is not None:
        constraint = "be None: it would change the population of some arms only"
        remedy = "Pass sample_weight, which all arms and all scores take"
        shown = Shown(repr(estimator.class_weight))
        raise invalid("estimator.class_weight", constraint, shown, remedy)
    return clone(estimator), Classification(min_proba)


def refuse_brought(estimator: Any, *, arms: bool = True) -> None:
    """Refuse labels and folds that belong to rows which are yet to be split.

    Beside other arms in-sample labels are refused too, since they are one of them; and
    labels that are made as one student learns, since several share them here.
    """
    cv = estimator.cv
    in_sample = isinstance(cv, str) and cv == "in-sample"
    if not (cv is None or _labels_anew(cv) or (in_sample and not arms)):
        constraint = "label any training rows anew: an integer, 'split' or a splitter"
        remedy = "In-sample labels are an arm anyway" if arms else ""
        shown = Shown(repr(cv).split("\n")[0][:60])
        if isinstance(cv, OutOfFold):
            shown = Shown(f"an OutOfFold ({cv.strategy})")
            remedy = "Brought labels are those of rows that are split here"
        raise invalid("estimator.cv", constraint, shown, remedy)
    if getattr(estimator, "online_labels", False):
        remedy = "Several students learn from one set of labels here"
        raise invalid("estimator.online_labels", "be False", True, remedy)


def refuse_other_view(student: Any, table: Table, name: str = "student") -> None:
    """Refuse a student of hidden layers that nobody could show it here."""
    shown_by = getattr(named_student(student), "shown_by", None)
    if shown_by == "all":
        remedy = "Use taught_by='folds'; a DistilledClassifier takes both"
        constraint = "be shown the layers of fold teachers where several are compared"
        raise invalid(name, constraint, Shown("taught_by='all'"), remedy)
    if shown_by is not None and table.student_view is not None:
        remedy = "Give both the same columns"
        constraint = "read the rows as its teacher does, whose layers it is shown"
        raise invalid(name, constraint, Shown("a view of its own"), remedy)


def refuse_early(estimator: Any, task: Task, train: Table, test: Table) -> None:
    """Refuse what would otherwise fail after teachers were fitted."""
    refuse_other_view(estimator.student, train, "estimator.student")
    student = new_student(estimator.student, len(train.y), train.weights, seed=0)
    n_classes = None if train.classes is None else len(train.classes)
    if isinstance(task, Classification):
        task.check(n_classes or 2)
    student.require(_scale(estimator, student), n_classes=n_classes)
    if not (student.shown_by and isinstance(estimator.cv, OutOfFold)):
        teacher = estimator.resolved_teacher()
        check_given(student, train.features, train.weights, teacher=teacher)
    widths = [getattr(side.X, "shape", (0, 0))[1] for side in (train, test)]
    if widths[0] != widths[1]:
        shown = Shown(f"{widths[1]} against {widths[0]}")
        raise invalid("test", "have the columns of X", shown)
    if test.groups is not None and len(np.unique(test.groups)) < 2:
        remedy = "Hold out a larger share, or use finer groups"
        raise invalid(
            "groups", "leave two or more on the test side", Shown("1"), remedy
        )


def named_corrections(
    estimator: Any, corrections: Mapping[str, Any] | None, n_classes: int | None
) -> dict[str, Any]:
    """Return the cross-fitted arms beside the plain one, checked."""
    own = named_correction(estimator.correction)
    plain = isinstance(own, NoCorrection)
    if corrections is None:
        if plain and n_classes is not None:
            own = ShrinkageCorrection(_assumed_error(estimator, n_classes))
            plain = False
        return ({} if plain else {"corrected": own}) | {"constant mix": 0.5}
    if not isinstance(corrections, Mapping):
        remedy = "For instance {'constant mix': 0.5}"
        constraint = "map names of arms to corrections"
        raise wrong_type("corrections", constraint, corrections, remedy)
    scale = _scale(estimator, new_student(estimator.student, 2, None, seed=0))
    for name, correction in corrections.items():
        if not isinstance(name, str) or name in _TAKEN:
            constraint = "have names that no other arm has"
            raise invalid("corrections", constraint, name)
        named_correction(correction).require(scale, n_classes=n_classes)
    return dict(corrections) if plain else {"corrected": own, **corrections}


def _labels_anew(cv: Any) -> bool:
    """Return whether these folds can be made again for other rows."""
    if isinstance(cv, str):
        return cv != "in-sample"
    return isinstance(cv, int | np.integer) or hasattr(cv, "split")


def _scale(estimator: Any, student: Student) -> Any:
    """Return the scale on which the student will be fitted."""
    if isinstance(estimator, DistilledRegressor):
        return IdentityLoss()
    return get_loss(
        estimator.loss, auto=student.default_loss, hard_weight=estimator.hard_weight
    )


def _assumed_error(estimator: DistilledClassifier, n_classes: int) -> float:
    """Return the assumed squared error of the teacher, on the scale in use."""
    student = new_student(estimator.student, 2, None, seed=0)
    loss = get_loss(estimator.loss, auto=student.default_loss)
    even = np.full((1, n_classes), 1.0 / n_classes)
    off = (np.eye(n_classes)[:1] - even) / (1.0 - 1.0 / n_classes) * _TEACHER_ERROR
    return float((np.asarray(loss.jvp(even, off)) ** 2).sum())
