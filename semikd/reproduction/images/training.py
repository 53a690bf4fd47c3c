"""Networks of the image experiments by the one recipe, and what they score.

A student whose loss does not stay finite is no reason to stop, and none to be left out:
it answers with equal probabilities, and its scores say so.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from semikd.losses import DistillationLoss
from semikd.networks import OnlineTargets, ResNet, Training
from semikd.reproduction.images.photographs import Part, Photographs, Sides
from semikd.reproduction.images.released import step_factor
from semikd.reproduction.images.study import ImageStudy
from semikd.simplex import FloatArray
from semikd.students import TorchStudent
from semikd.teachers import TorchClassifier

__all__ = ["DIVERGED", "METRICS", "Fit", "Networks", "Scores", "row_scores"]

METRICS = ("accuracy", "loss", "Brier score")
# Part and metric to a mean over its images; '... error' is the mean's standard error;
# 'chosen' is what was chosen, in words.
Scores = dict[str, Any]
DIVERGED = "diverged"
# Of the library's refusal of a training that leaves the finite numbers.
_NOT_FINITE = "training loss must stay finite"


@dataclass(frozen=True, eq=False)
class Fit:
    """One of the students that are fitted together.

    Parameters
    ----------
    target : ndarray of shape (n, m)
        What it learns.
    setting : mapping of str
        Parameters of its own.
    """

    target: FloatArray
    setting: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Networks:
    """Unfitted networks of one experiment.

    Parameters
    ----------
    study : ImageStudy
        Architectures and recipe.
    photographs : Photographs
        The images.
    device : str
        Where networks are trained.
    augment : callable, optional
        How images are shown.
    """

    study: ImageStudy
    photographs: Photographs
    device: str
    augment: Callable[[Any, Any], Any] | None = None

    def teacher(self, depth: int, seed: int) -> TorchClassifier:
        """Return a residual network for the labels."""
        recipe = self.study.recipe
        return TorchClassifier(
            ResNet(depth),
            learning_rate=recipe.step,
            weight_decay=recipe.decay,
            random_state=seed,
            **self._common(),
        )

    def taught(self, share: float, seed: int) -> TorchStudent:
        """Return a student whose steps are those of the released loss.

        Parameters
        ----------
        share : float
            That of the labels; the loss is ``loss_of_share`` of it.
        seed : int
            Of the first parameters and the order of the images.
        """
        factor = step_factor(self.photographs.n_classes, share)
        recipe = self.study.recipe
        return self.student(recipe.step / factor, recipe.decay * factor, seed)

    def student(self, step: float, decay: float, seed: int) -> TorchStudent:
        """Return a student by its step size and weight decay."""
        return TorchStudent(
            self.study.student_module(),
            learning_rate=step,
            weight_decay=decay,
            random_state=seed,
            **self._common(),
        )

    def fitted(
        self,
        student: TorchStudent,
        X: Any,
        fits: Sequence[Fit],
        loss: DistillationLoss,
    ) -> list[TorchStudent | None]:
        """Return a student of each fit, None where its loss did not stay finite.

        Parameters
        ----------
        student : TorchStudent
            Unfitted.
        X : ndarray of shape (n, c, h, w)
            Images.
        fits : sequence of Fit
            Targets and settings.
        loss : DistillationLoss
            The scale.
        """
        try:
            return list(
                student.fit_many(
                    X,
                    [fit.target for fit in fits],
                    loss=loss,
                    settings=[fit.setting for fit in fits],
                )
            )
        except ValueError as error:
            if not str(error).startswith(_NOT_FINITE):
                raise
            # All were one batch, which one of them ended: each on its own.
            if len(fits) == 1:
                return [None]
        return [self.fitted(student, X, [fit], loss)[0] for fit in fits]

    def taught_online(
        self,
        student: TorchStudent,
        X: Any,
        target: FloatArray,
        loss: DistillationLoss,
        online: OnlineTargets,
    ) -> TorchStudent | None:
        """Return the student of labels made as it learns, None if it diverged."""
        try:
            return student.fit_target(X, target, loss=loss, online=online)
        except ValueError as error:
            if not str(error).startswith(_NOT_FINITE):
                raise
            return None

    def student_scores(
        self, student: TorchStudent | None, loss: DistillationLoss, sides: Sides
    ) -> Scores:
        """Return the scores of a student, or of none."""
        n_classes = self.photographs.n_classes

        def proba(X: Any) -> FloatArray:
            if student is None:
                return np.full((len(X), n_classes), 1.0 / n_classes)
            return np.asarray(loss.probabilities(student.scores(X)))

        found = self.scores(proba, sides)
        return found if student is not None else {**found, "chosen": DIVERGED}

    def scores(self, proba: Callable[[Any], FloatArray], sides: Sides) -> Scores:
        """Return what probabilities of validation and test images score."""
        found: Scores = {}
        for name in ("validation", "test"):
            part: Part = self.photographs.part(getattr(sides, name))
            each = row_scores(proba(part.X), part.y)
            for metric, values in each.items():
                error = values.std(ddof=1) / np.sqrt(len(values))
                found[f"{name} {metric}"] = float(values.mean())
                found[f"{name} {metric} error"] = float(error)
        return found

    def precision(self) -> str:
        """Return in which format matrix products are computed."""
        return "bfloat16" if self.device.startswith("cuda") else "full"

    def _common(self) -> dict[str, Any]:
        """Return what all networks have in common."""
        recipe = self.study.recipe
        training = Training(
            optimizer=recipe.optimizer,
            schedule=recipe.schedule,
            augment=self.augment,
            precision=self.precision(),
        )
        return {
            "batch_size": recipe.batch_size,
            "max_epochs": self.study.epochs,
            "validation_fraction": 0.0,
            "training": training,
            "device": self.device,
        }


def row_scores(p: FloatArray, y: Any) -> dict[str, FloatArray]:
    """Return what each row scores: whether it is right, its loss, its squared error.

    Parameters
    ----------
    p : ndarray of shape (n, k)
        Class probabilities.
    y : ndarray of int of shape (n,)
        Classes.

    Returns
    -------
    dict from metric to ndarray of shape (n,)

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.reproduction.images.training import row_scores
    >>> row_scores(np.array([[0.5, 0.5]]), np.array([1]))["Brier score"]
    array([0.5])
    """
    least = np.finfo(np.float64).eps
    own = p[np.arange(len(y)), y]
    squares = (p**2).sum(axis=1) - 2.0 * own + 1.0
    right = (p.argmax(axis=1) == y).astype(np.float64)
    return dict(
        zip(METRICS, (right, -np.log(np.maximum(own, least)), squares), strict=True)
    )
