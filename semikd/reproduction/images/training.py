r"""Teachers and students on photographs, through the library's own parts.

Notes
-----
The released code adds half of the cross-entropy of the labels to half of the mean
squared difference of K logits. Here the squared loss is half a sum, so that the same
minimum, and the same steps, are those of

.. math:: \tfrac12 \|f - \tau\|^2 + h\,\mathrm{CE}, \qquad
   h = \frac{a}{1 - a}\,\frac K2,

with a the share of the labels, the step size divided and the weight decay multiplied by
:math:`K / (2 (1 - a))`. Departures: log-probabilities are centred in place of raw
logits; the momentum is Nesterov's; biases are not shrunk.
"""

from functools import partial
from typing import Any

import numpy as np
from sklearn.metrics import log_loss

from semikd.corrections import Correction, NoCorrection, ShrinkageCorrection
from semikd.crossfit import cross_fit
from semikd.distillation import DistilledClassifier
from semikd.label_aware import ReferenceCorrection
from semikd.losses import DistillationLoss, HardLabelMix, LogProbabilityLoss
from semikd.networks import ResNet, Training
from semikd.reproduction.cells import Cell, Run
from semikd.reproduction.images.study import ImageStudy, Photographs
from semikd.simplex import FloatArray, one_hot
from semikd.students import TorchStudent
from semikd.teachers import TorchClassifier

__all__ = ["arm_name", "arm_names", "honest_cells", "published_cells"]

Found = dict[str, Any]
_STEP, _DECAY, _BATCH = 0.1, 5e-4, 128
# Of log-probabilities, tried by the honest protocol.
_SQUARED_ERRORS = (1e-3, 0.1, 10.0)


def published_cells(
    study: ImageStudy, photographs: Photographs, device: str
) -> list[Cell]:
    """Return the cells of the published protocol, each after those that it reads.

    Parameters
    ----------
    study : ImageStudy
        The experiment.
    photographs : Photographs
        The images.
    device : str
        Where networks are trained.

    Returns
    -------
    list of Cell
    """
    own = _Experiment(study, photographs, device)
    cells = []
    for depth in study.depths:
        cells += [
            Cell(f"teacher-{depth}", "teacher", partial(own.teacher, depth)),
            Cell(f"folds-{depth}", "fold teachers", partial(own.folds, depth)),
            Cell(f"students-{depth}", "students", partial(own.students, depth)),
        ]
    return cells


def honest_cells(
    study: ImageStudy, photographs: Photographs, device: str
) -> list[Cell]:
    """Return the cells of the honest protocol: augmented images, labelled as shown.

    Parameters
    ----------
    study : ImageStudy
        The experiment.
    photographs : Photographs
        The images.
    device : str
        Where networks are trained.

    Returns
    -------
    list of Cell
    """
    own = _Experiment(study, photographs, device)
    return [
        Cell(
            f"repetition-{depth}-{seed}", "repetition", partial(own.repeat, depth, seed)
        )
        for depth in study.depths
        for seed in range(study.seeds)
    ]


def arm_names(study: ImageStudy) -> list[str]:
    """Return the names of the student arms of the published protocol."""
    enhanced = (arm_name("Enhanced KD", c) for c in study.strengths)
    return ["KD", "Cross-fit KD", *enhanced]


def arm_name(arm: str, strength: float) -> str:
    """Return the name of an arm with a strength of the correction."""
    return f"{arm}, c = {strength:g}"


class _Experiment:
    """What the cells of an experiment share."""

    def __init__(
        self, study: ImageStudy, photographs: Photographs, device: str
    ) -> None:
        self.study, self.photographs, self.device = study, photographs, device
        self.X, self.y = photographs.part(photographs.train)
        self.n_classes = int(photographs.y.max()) + 1

    def teacher(self, depth: int, run: Run) -> Found:
        """Return the labels and scores of a teacher that saw all training images."""
        network = self._teacher(depth, 0).fit(self.X, self.y)
        labels = network.predict_proba(self.X)
        return {"labels": labels.tolist(), "scores": self._scores(network)}

    def folds(self, depth: int, run: Run) -> Found:
        """Return the labels of fold teachers, and the scores of each of them."""
        record = cross_fit(
            self._teacher(depth, 0),
            self.X,
            self.y,
            cv=self.study.n_folds,
            random_state=0,
        )
        each = [self._scores(network) for network in record.teachers[0]]
        return {"labels": record.prediction[0].tolist(), "scores": each}

    def students(self, depth: int, run: Run) -> Found:
        """Return the scores of all student arms and seeds, trained as one batch."""
        seen = np.array(run.read(f"teacher-{depth}")["labels"])
        unseen = np.array(run.read(f"folds-{depth}")["labels"])
        rules: list[tuple[FloatArray, Correction]] = [
            (seen, NoCorrection()),
            (unseen, NoCorrection()),
            *((unseen, ReferenceCorrection(c)) for c in self.study.strengths),
        ]
        loss = self._loss()
        targets = [self._target(loss, p, rule) for p, rule in rules]
        seeds = range(self.study.seeds)
        fitted = self._student().fit_many(
            self.X,
            [target for target in targets for _ in seeds],
            loss=loss,
            settings=[{"random_state": seed} for _ in targets for seed in seeds],
        )
        scores = [self._scores(student, loss) for student in fitted]
        n = len(seeds)
        names = arm_names(self.study)
        return {name: scores[at * n : (at + 1) * n] for at, name in enumerate(names)}

    def repeat(self, depth: int, seed: int, run: Run) -> Found:
        """Return the scores of one repetition: new folds, teachers and students.

        Images are augmented and labelled as they are shown; the strength of the
        correction depends on x alone and is chosen on the validation images.
        """
        from semikd.nets import flip_and_crop

        teacher = self._teacher(depth, seed, augment=flip_and_crop)
        record = cross_fit(
            teacher, self.X, self.y, cv=self.study.n_folds, random_state=seed
        )
        student = self._student(augment=flip_and_crop).set_params(random_state=seed)
        rules = [ShrinkageCorrection(c) for c in _SQUARED_ERRORS]
        found = {"cross-fitted": self._online(student, record, "none")}
        tried = [self._online(student, record, rule) for rule in rules]
        found["corrected"] = min(tried, key=lambda each: each["validation loss"])
        found["scratch"] = self._scores(self._scratch(seed).fit(self.X, self.y))
        return {**found, "teacher": self._scores(teacher.fit(self.X, self.y))}

    def _online(self, student: TorchStudent, record: Any, rule: Any) -> Found:
        """Return the scores of a student taught by labels of the very images shown."""
        model = DistilledClassifier(
            student=student,
            loss=LogProbabilityLoss(),
            correction=rule,
            cv=record,
            online_labels=True,
            random_state=student.random_state,
        )
        return self._scores(model.fit(self.X, self.y))

    def _target(
        self, loss: DistillationLoss, p: FloatArray, rule: Correction
    ) -> FloatArray:
        """Return the targets of a rule, with the labels beside them."""
        y = one_hot(self.y, self.n_classes)
        moved = rule.target(p, y, loss=loss, complexity=1.0, X=None)
        return np.asarray(loss.with_labels(moved, y))

    def _loss(self) -> HardLabelMix:
        """Return the released loss in the library's units."""
        share = self.study.hard_weight
        weight = share / (1.0 - share) * self.n_classes / 2.0
        return HardLabelMix(LogProbabilityLoss(), weight)

    def _student(self, augment: Any = None) -> TorchStudent:
        """Return an unfitted student whose steps are those of the released loss."""
        factor = self.n_classes / (2.0 * (1.0 - self.study.hard_weight))
        return TorchStudent(
            self.study.student_module(),
            learning_rate=_STEP / factor,
            weight_decay=_DECAY * factor,
            **self._recipe(augment),
        )

    def _scratch(self, seed: int) -> TorchStudent:
        """Return an unfitted student for the labels themselves."""
        from semikd.nets import flip_and_crop

        return TorchStudent(
            self.study.student_module(),
            learning_rate=_STEP,
            weight_decay=_DECAY,
            random_state=seed,
            **self._recipe(flip_and_crop),
        )

    def _teacher(self, depth: int, seed: int, augment: Any = None) -> TorchClassifier:
        """Return an unfitted teacher."""
        return TorchClassifier(
            ResNet(depth),
            learning_rate=_STEP,
            weight_decay=_DECAY,
            random_state=seed,
            **self._recipe(augment),
        )

    def _recipe(self, augment: Any) -> dict[str, Any]:
        """Return what all networks have in common."""
        training = Training(
            optimizer="sgd",
            schedule="fifths",
            augment=augment,
            precision="bfloat16" if self.device.startswith("cuda") else "full",
        )
        return {
            "batch_size": _BATCH,
            "max_epochs": self.study.epochs,
            "validation_fraction": 0.0,
            "training": training,
            "device": self.device,
        }

    def _scores(self, model: Any, loss: DistillationLoss | None = None) -> Found:
        """Return accuracy and cross-entropy on validation and test images."""
        found: Found = {}
        for name in ("validation", "test"):
            X, y = self.photographs.part(getattr(self.photographs, name))
            if loss is None:
                p = model.predict_proba(X)
            else:
                p = np.asarray(loss.probabilities(model.scores(X)))
            found[f"{name} accuracy"] = float(np.mean(p.argmax(axis=1) == y))
            found[f"{name} loss"] = log_loss(y, p, labels=np.arange(self.n_classes))
        return found
