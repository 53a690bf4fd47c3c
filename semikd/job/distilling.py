"""The main job: a table in, a small model and its honest score out.

Rows are divided, columns become numbers without a look at the target, a recipe is
chosen on the training rows, every arm is fitted and judged on the held-out rows, and
the chosen arm ships: the model that was judged, not another one, and never the one that
happened to score best there.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from semikd._progress import Reporter, Step, silent
from semikd.artifact import ShippedModel, ship
from semikd.crossfit import OutOfFold, external_labels, row_hashes
from semikd.distillation import DistilledClassifier
from semikd.evaluation import ArmComparison, FittedArm, compare_sides
from semikd.evaluation.arms import AUTOMATIC, CROSS_FITTED, TEACHER
from semikd.inference import Comparison
from semikd.job._words import score_text
from semikd.job.asked import AskedTeacher, answering_for, asked_teacher
from semikd.job.choosing import Searched, search_recipes
from semikd.job.coefficients import FeatureSlopes, feature_slopes
from semikd.job.encoded import ReadSides, read_sides
from semikd.job.latency import row_latencies
from semikd.job.learners import asked_student
from semikd.job.settings import Settings
from semikd.job.sides import RawSides, raw_sides
from semikd.job.sizing import SMALLEST, Sizes, SizeSearch
from semikd.regression import DistilledRegressor

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Outcome", "distil"]

# From so many training rows on, fewer refits: (rows, refits).
_REFITS = ((100_000, 1), (20_000, 3), (0, 5))


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a job found and what it ships.

    Parameters
    ----------
    settings : Settings
        What was asked for.
    sides : RawSides
        The rows, raw.
    comparison : ArmComparison
        The arms on held-out rows.
    shipped : str
        The arm that ships.
    model : ShippedModel
        What ships.
    labels : OutOfFold
        The teachers' labels of the training rows, each by a teacher that did not see
        the row, whatever the shipped arm learned from.
    latency : tuple of (str, float)
        What was timed, and microseconds for one raw row; the shipped model first.
    notes : tuple of str
        What was decided and left out, in sentences.
    slopes : FeatureSlopes or None
        The best slopes of a linear student's form, with intervals; of two classes.
    searched : Searched or None
        What was tried on the training rows, and what won; None without a search.
    sizes : Sizes or None
        Students of all sizes beside the teacher, where a margin was asked for.

    Examples
    --------
    >>> from dataclasses import fields
    >>> from semikd.job import Outcome
    >>> [field.name for field in fields(Outcome)][2:5]
    ['comparison', 'shipped', 'model']
    """

    settings: Settings
    sides: RawSides
    comparison: ArmComparison
    shipped: str
    model: ShippedModel
    labels: OutOfFold
    latency: tuple[tuple[str, float], ...]
    notes: tuple[str, ...]
    slopes: FeatureSlopes | None = None
    searched: Searched | None = None
    sizes: Sizes | None = None

    @property
    def headline(self) -> str:
        """Whether the shipped arm beats the student from scratch, in one sentence."""
        from semikd.report.words import Judged, verdict

        return verdict(Judged(self.comparison, self.shipped)).headline

    @cached_property
    def by_part(self) -> Comparison | None:
        """What ships beside the teacher on each part, if parts were asked for."""
        parts, names = self.sides.parts, self.comparison.names
        if parts is None:
            return None
        found = self.comparison.one_fit(
            reference=TEACHER if TEACHER in names else self.comparison.reference,
            arm=self.shipped,
            # By number, since values may read alike.
            groups={str(at): mask for at, mask in enumerate(parts.masks)},
        )
        return replace(found, names=("all rows", *parts.names))

    @property
    def scores(self) -> dict[str, float]:
        """Scores of the shipped model itself, not of the mean over fits, by name."""
        return _own_scores(self.comparison, self.shipped)


def distil(
    frame: "pd.DataFrame",
    settings: Settings,
    *,
    held_out: "pd.DataFrame | None" = None,
    progress: Reporter | None = None,
) -> Outcome:
    """Distil a table: choose a recipe, compare it with every arm, and ship it.

    Parameters
    ----------
    frame : pandas.DataFrame
        The table, target included.
    settings : Settings
        The target, teacher, student and everything else.
    held_out : pandas.DataFrame, optional
        Rows to be judged on; by default a share of the table.
    progress : callable, optional
        Called with a step as each step starts.

    Returns
    -------
    Outcome

    Raises
    ------
    ValueError
        If a column cannot play its role, or a value is out of its range.

    Examples
    --------
    >>> from semikd.datasets import load_dataset
    >>> from semikd.job import Settings, distil
    >>> data = load_dataset("fair")
    >>> frame = data.X.assign(affair=data.y).iloc[::10]
    >>> settings = Settings("affair", teacher="linear", leaves=4, refits=1)
    >>> outcome = distil(frame, settings)
    >>> outcome.shipped, outcome.model.student.n_leaves
    ('automatic', 4)
    """
    raw = raw_sides(frame, settings, held_out=held_out)
    teacher = None if settings.labels else asked_teacher(settings.teacher, raw.train)
    report = progress or silent
    report(Step("encoding", "reading columns", 0, 1))
    reads_table = teacher is not None and teacher.reads_table
    read = read_sides(raw, settings, teacher_reads_table=reads_table)
    recipe = _recipe(settings, raw, read, teacher)
    with answering_for(settings.teacher):
        searched = search_recipes(recipe, read.train, read.test, settings, report)
        if searched is not None:
            recipe = recipe.set_params(teacher=searched.teacher)
        comparison, models, sizes = _compared(recipe, read, settings, searched, report)
    shipped = SMALLEST if SMALLEST in models else _declared(settings)
    model, encoder = models[shipped].model, read.plan.encoder
    small = ship(model, encoder, target=settings.target, about=_about(raw))
    slopes = _slopes(read, settings)
    told = (each for each in (searched, slopes) if each is not None)
    said = [note for each in told for note in each.notes]
    return Outcome(
        settings=settings,
        sides=raw,
        comparison=comparison,
        shipped=shipped,
        model=small,
        labels=models[CROSS_FITTED].model.labels_,
        latency=row_latencies(small, models.get(TEACHER), raw, read),
        notes=(*raw.notes, *read.plan.notes, *said, *_of_means(comparison, shipped)),
        slopes=slopes,
        searched=searched,
        sizes=sizes,
    )


def _compared(
    recipe: Any,
    read: ReadSides,
    settings: Settings,
    searched: Searched | None,
    report: Reporter,
) -> tuple[ArmComparison, Mapping[str, FittedArm], Sizes | None]:
    """Return the arms on held-out rows, the first models, and the sizes asked for."""
    sizes = None
    if settings.within is not None:
        arm = _declared(settings)
        sizes = SizeSearch(settings.within, arm, read.train, read.test, report)
    comparison, models = compare_sides(
        read.train,
        read.test,
        recipe,
        chosen=None if searched is None else searched.chosen,
        add_arms=None if sizes is None else sizes.add,
        n_refits=settings.refits or _refits(len(read.train.y)),
        seed=settings.seed,
        progress=report,
    )
    return comparison, models, None if sizes is None else sizes.found


def _declared(settings: Settings) -> str:
    """Return the arm that ships, unless a smaller student is found for it."""
    if settings.search != "none":
        return AUTOMATIC
    return "corrected" if settings.correction != "none" else CROSS_FITTED


def _recipe(
    settings: Settings,
    raw: RawSides,
    read: ReadSides,
    teacher: AskedTeacher | None,
) -> DistilledClassifier | DistilledRegressor:
    """Return the estimator whose arms are compared."""
    weights = read.train.weights
    total = float(len(read.train.y) if weights is None else weights.sum())
    student = asked_student(settings, read.plan.encoder, total)
    cv: Any = settings.cv
    if raw.labels is not None:
        cv = external_labels(
            read.train.features,
            raw.labels.prediction[raw.rows],
            classes=read.train.classes,
            fold=raw.labels.fold[raw.rows],
        )
    kind = DistilledClassifier if read.train.classification else DistilledRegressor
    return kind(
        None if teacher is None else teacher.estimator,
        student,
        correction=settings.strength,
        cv=cv,
        n_jobs=settings.jobs,
    )


def _refits(n_rows: int) -> int:
    """Return how often all arms are fitted, by the size of the training table."""
    return next(refits for least, refits in _REFITS if n_rows >= least)


def _own_scores(comparison: ArmComparison, shipped: str) -> dict[str, float]:
    """Return the scores of the first fit of an arm, by name."""
    at = comparison.names.index(shipped)
    return comparison.task.scores(comparison.predictions[0, at], comparison.test)


def _of_means(comparison: ArmComparison, shipped: str) -> tuple[str, ...]:
    """Return what scores are means over, and what the shipped model scores itself."""
    if comparison.n_refits == 1:
        return ()
    metric = comparison.task.metric
    own = _own_scores(comparison, shipped)[metric]
    return (
        f"Scores are means over {comparison.n_refits} fits; the shipped model, of the "
        f"first, has {metric} {score_text(own)}.",
    )


def _slopes(read: ReadSides, settings: Settings) -> FeatureSlopes | None:
    """Return the best slopes of a linear student's form."""
    if settings.student != "linear":
        return None
    return feature_slopes(read.train, read.plan.encoder, settings.seed)


def _about(raw: RawSides) -> dict[str, Any]:
    """Return what identifies the training table."""
    hashes = np.sort(row_hashes(raw.train.X))
    return {
        "training_rows": len(hashes),
        "training_hash": hashlib.sha256(hashes.tobytes()).hexdigest()[:16],
    }
