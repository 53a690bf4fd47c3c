"""The honest protocol on photographs: own divisions, chosen by some, judged by others.

Each repetition draws its images to learn from and to choose by, its folds, teachers and
students anew. Images are shown shifted and mirrored, and teachers label what is shown.
What an arm has to choose it chooses by the loss on validation images; test images only
judge.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import takewhile
from typing import Any

import numpy as np

from semikd._progress import Step
from semikd.corrections import (
    Correction,
    NoCorrection,
    OrthogonalCorrection,
    ShrinkageCorrection,
)
from semikd.crossfit import cross_fit
from semikd.losses import CrossEntropyLoss, LogProbabilityLoss
from semikd.networks import OnlineTargets
from semikd.reproduction.asked import seeds_in_order
from semikd.reproduction.cells import Cell, Run
from semikd.reproduction.images.photographs import Photographs
from semikd.reproduction.images.released import loss_of_share
from semikd.reproduction.images.study import ImageStudy
from semikd.reproduction.images.training import Fit, Networks, Scores
from semikd.simplex import FloatArray, center, one_hot

__all__ = ["ARMS", "SCRATCH", "honest_cells", "honest_scores", "moved_target"]

SCRATCH = "scratch, tuned"
# What each arm is, in the order of the tables.
ARMS: Mapping[str, str] = {
    "teacher": "it saw all training images",
    "fold teachers": "each saw all folds but one; the mean of their scores",
    SCRATCH: "the labels alone; step size and weight decay chosen",
    "in-sample": "labels of the teacher that saw the images",
    "cross-fitted": "labels of teachers that did not see the image",
    "constant mix": "cross-fitted, with a share of the labels' own loss, chosen",
    "orthogonal": "cross-fitted, the full correction",
    "corrected": (
        "cross-fitted, the share of the correction that balances bias and noise and "
        "depends on the image alone, its strength chosen"
    ),
}
# Probabilities are not 0 in the format they are computed in; their logarithm is finite.
_LEAST = np.finfo(np.float64).tiny


def honest_cells(
    study: ImageStudy, photographs: Photographs, device: str, seeds: Sequence[int]
) -> list[Cell]:
    """Return the cells of the honest protocol.

    Parameters
    ----------
    study : ImageStudy
        The experiment.
    photographs : Photographs
        The images.
    device : str
        Where networks are trained.
    seeds : sequence of int
        One for each repetition.

    Returns
    -------
    list of Cell
    """
    return [
        Cell(
            _name(depth, seed),
            "repetition",
            partial(_repetition, study, photographs, device, depth, seed),
        )
        for depth in study.depths
        for seed in seeds
    ]


def honest_scores(study: ImageStudy, run: Run) -> dict[tuple[str, int], list[Scores]]:
    """Return the scores of the repetitions of each depth, up to the first gap.

    Parameters
    ----------
    study : ImageStudy
        The experiment.
    run : Run
        The run as far as it is.

    Returns
    -------
    dict from (arm, depth) to scores of each repetition
    """
    found: dict[tuple[str, int], list[Scores]] = {}
    for depth in study.depths:
        names = (_name(depth, seed) for seed in seeds_in_order())
        for name in takewhile(run.has, names):
            own = run.read(name)
            for arm in ARMS:
                found.setdefault((arm, depth), []).append(own[arm])
    return found


def moved_target(
    p: FloatArray, y: FloatArray, rule: Correction, floor: float
) -> FloatArray:
    r"""Return centred log-probabilities, moved towards the labels, shape (n, k).

    .. math:: \tau = \operatorname{clr}(\hat p) + \Lambda(x) \Bigl(v - \bar v\Bigr),
       \qquad v_j = \frac{y_j - \hat p_j}{\max(\hat p_j, \varepsilon)}

    Parameters
    ----------
    p : ndarray of shape (n, k)
        Probabilities by teachers; their logarithms are floored nowhere.
    y : ndarray of shape (n, k)
        One-hot labels.
    rule : Correction
        The weight, one for each row.
    floor : float
        ε, where residuals are divided by probabilities.

    Returns
    -------
    ndarray of shape (n, k)

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.corrections import NoCorrection
    >>> from semikd.reproduction.images.honest import moved_target
    >>> p, y = np.array([[1.0, 1e-9, 1e-9]]), np.eye(3)[:1]
    >>> moved_target(p, y, NoCorrection(), 1e-3).round(2)
    array([[13.82, -6.91, -6.91]])
    """
    loss = LogProbabilityLoss(min_proba=floor)
    # What multiplies the noise of labels is part of the strength that is chosen.
    weight = rule.weight(p, None, loss, 1.0)
    step = loss.jvp(p, weight[:, None] * (y - p))
    return np.asarray(center(np.log(np.maximum(p, _LEAST))) + step)


def _name(depth: int, seed: int) -> str:
    """Return the name of a cell."""
    return f"repetition-{depth}-{seed}"


def _repetition(
    study: ImageStudy,
    photographs: Photographs,
    device: str,
    depth: int,
    seed: int,
    run: Run,
) -> dict[str, Any]:
    """Return the scores of all arms of one repetition."""
    own = _Repetition(study, photographs, device, seed)
    teacher = own.networks.teacher(depth, seed)
    record = cross_fit(
        teacher,
        own.X,
        own.y,
        cv=study.n_folds,
        random_state=seed,
        progress=run.listener,
    )
    others = _Labels(record.teachers[0], record.fold, record.prediction[0])
    run.listener(Step("teacher", "teacher of all images", 0, 1))
    teacher.fit(own.X, own.y)
    same = _Labels((teacher,), np.zeros_like(record.fold), teacher.predict_proba(own.X))
    each = [own.scores(network.predict_proba) for network in record.teachers[0]]
    found = {
        "teacher": own.scores(teacher.predict_proba),
        "fold teachers": {name: _mean(each, name) for name in each[0]},
    }
    students = _students(own, same, others)
    for done, (arm, scored) in enumerate(students.items()):
        run.listener(Step("student", arm, done, len(students)))
        found[arm] = scored()
    return found


def _students(
    own: "_Repetition", same: "_Labels", others: "_Labels"
) -> dict[str, Callable[[], Scores]]:
    """Return how the scores of each student arm are found."""
    recipe, grids = own.study.recipe, own.study.grids
    taught = partial(own.taught, others)

    def mixed() -> Scores:
        return _chosen({share: taught(share=share) for share in grids.shares})

    def corrected() -> Scores:
        rules = {c: ShrinkageCorrection(c) for c in grids.squared_errors}
        return _chosen({c: taught(rule) for c, rule in rules.items()})

    return {
        SCRATCH: lambda: _chosen(own.scratch()),
        "in-sample": lambda: own.taught(same),
        "cross-fitted": taught,
        "constant mix": mixed,
        "orthogonal": lambda: taught(OrthogonalCorrection(), recipe.orthogonal_floor),
        "corrected": corrected,
    }


@dataclass(frozen=True, eq=False)
class _Labels:
    """Who labels the training images, and what they say of them as they are."""

    teachers: Sequence[Any]
    fold: Any
    p: FloatArray


class _Repetition:
    """The images of a repetition, and students of every kind."""

    def __init__(
        self, study: ImageStudy, photographs: Photographs, device: str, seed: int
    ) -> None:
        from semikd.nets import flip_and_crop

        self.study, self.seed, self.n_classes = study, seed, photographs.n_classes
        augment = flip_and_crop if study.augmented else None
        self.networks = Networks(study, photographs, device, augment)
        self.sides = photographs.sides(seed)
        train = photographs.part(self.sides.train)
        self.X, self.y = train.X, train.y
        self.outcome = one_hot(train.y, self.n_classes)

    def scores(self, proba: Callable[[Any], FloatArray]) -> Scores:
        """Return what probabilities of validation and test images score."""
        return self.networks.scores(proba, self.sides)

    def taught(
        self,
        labels: _Labels,
        rule: Correction | None = None,
        floor: float | None = None,
        *,
        share: float = 0.0,
    ) -> Scores:
        """Return the scores of a student that is labelled what it is shown."""
        loss = loss_of_share(self.n_classes, share)
        rule = NoCorrection() if rule is None else rule
        least = self.study.recipe.floor if floor is None else floor

        def target(p: FloatArray, rows: Any) -> FloatArray:
            y = self.outcome[rows]
            return np.asarray(loss.with_labels(moved_target(p, y, rule, least), y))

        student = self.networks.taught_online(
            self.networks.taught(share, self.seed),
            self.X,
            target(labels.p, np.arange(len(self.y))),
            loss,
            OnlineTargets((labels.teachers,), labels.fold, target),
        )
        return self.networks.student_scores(student, loss, self.sides)

    def scratch(self) -> dict[str, Scores]:
        """Return the scores of students of the labels, by step and decay."""
        grids, loss = self.study.grids, CrossEntropyLoss()
        pairs = [(step, decay) for step in grids.steps for decay in grids.decays]
        fits = [
            Fit(self.outcome, {"learning_rate": step, "weight_decay": decay})
            for step, decay in pairs
        ]
        student = self.networks.student(*pairs[0], self.seed)
        fitted = self.networks.fitted(student, self.X, fits, loss)
        return {
            f"step {step:g}, decay {decay:g}": self.networks.student_scores(
                one, loss, self.sides
            )
            for (step, decay), one in zip(pairs, fitted, strict=True)
        }


def _chosen(tried: Mapping[Any, Scores]) -> Scores:
    """Return the scores of the setting with the least loss on validation images."""
    best = min(tried, key=lambda setting: float(tried[setting]["validation loss"]))
    said = tried[best].get("chosen")
    return {**tried[best], "chosen": f"{best}, {said}" if said else str(best)}


def _mean(each: Sequence[Scores], name: str) -> float:
    """Return the mean of a score over fold teachers."""
    return float(np.mean([own[name] for own in each]))
