"""A Pipeline as a student: its transformers are fitted to X, its last step learns."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags

from semikd.losses import DistillationLoss
from semikd.simplex import FloatArray
from semikd.students._inner import keeps_columns
from semikd.students.base import Student, StudentSize
from semikd.students.regressor import LearnerStudent
from semikd.students.sizes import measured_size

__all__ = ["PipelineStudent"]

_OF_ROWS = ("groups", "outcome")


class PipelineStudent(LearnerStudent):
    """A Pipeline whose last step is any student; its transformers see no target.

    Parameters
    ----------
    learner : Pipeline
        The pipeline; it is fitted in place, so pass a copy.
    last : Student
        The contract around its last step.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from semikd.students import as_student
    >>> as_student(make_pipeline(StandardScaler(), LogisticRegression())).default_loss
    'cross_entropy'
    """

    def __init__(self, learner: Pipeline, last: Student) -> None:
        super().__init__(learner)
        self.last = last

    def copy(self) -> Self:
        """Return an unfitted student with the same settings."""
        learner, last = clone(self.learner), self.last.copy()
        name, _ = learner.steps[-1]
        learner.steps[-1] = (name, last.learner)
        return type(self)(learner, last)

    @property
    def default_loss(self) -> str:  # type: ignore[override]
        """Name of the loss that 'auto' stands for with the last step."""
        return self.last.default_loss

    @property
    def fit_options(self) -> tuple[str, ...]:  # type: ignore[override]
        """What the last step takes that is the same before and after transformers."""
        # Teachers that label what is shown, or show layers, read other columns.
        return tuple(name for name in self.last.fit_options if name in _OF_ROWS)

    @property
    def trains_in_batches(self) -> bool:  # type: ignore[override]
        """Whether students of the last step are trained as one batch."""
        return self.last.trains_in_batches

    def supports(
        self, loss: DistillationLoss, target_range: tuple[float, float] | None = None
    ) -> str | None:
        """Return what the last step says, or which transformer needs a target."""
        for name, step in self.learner.steps[:-1]:
            if _needs_target(step):
                return (
                    f"its step {name!r} ({type(step).__name__}) learns from a target, "
                    "and transformers see none here; use one that needs none"
                )
        if self.last.shown_by is not None:
            return (
                "its last step is shown hidden layers of rows as the teacher reads "
                "them; encode the columns first, for both"
            )
        return self.last.supports(loss, target_range)

    def _supports_width(self, n_scores: int) -> str | None:
        """Return what the last step says."""
        return self.last._supports_width(n_scores)

    def _check_settings(self) -> None:
        """Let the last step check its settings."""
        self.last._check_settings()

    def _check_given(
        self, X: Any, weights: FloatArray | None, *, unlabelled: Any, **given: Any
    ) -> None:
        """Let the last step check the columns that will reach it."""
        if type(self.last)._check_given is Student._check_given:
            return
        if len(self.learner) > 1:
            head = clone(self._head)
            X = head.fit_transform(X)
            unlabelled = None if unlabelled is None else head.transform(unlabelled)
        self.last._check_given(X, weights, unlabelled=unlabelled, **given)

    def complexity(
        self, n_samples: int, n_features: int, n_outputs: int
    ) -> float | None:
        """Return what the last step says, for the columns that reach it.

        Returns
        -------
        float or None
            None where a transformer may change the number of columns.
        """
        if not all(keeps_columns(step) for _, step in self.learner.steps[:-1]):
            return None
        return self.last.complexity(n_samples, n_features, n_outputs)

    def fit_target(
        self,
        X: Any,
        target: FloatArray,
        *,
        loss: DistillationLoss,
        sample_weight: FloatArray | None = None,
        **options: Any,
    ) -> Self:
        """Fit the transformers to X, then the last step to the targets.

        ``options`` are those of the last step, as ``fit_options`` say.
        """
        head = self._head
        transformed = head.fit_transform(X) if len(self.learner) > 1 else X
        self.last.fit_target(
            transformed, target, loss=loss, sample_weight=sample_weight, **options
        )
        name, _ = self.learner.steps[-1]
        # A head with a memory fits copies of its steps, and keeps those.
        self.learner.steps = [*head.steps, (name, self.last.learner)]
        return self

    def fit_many(
        self,
        X: Any,
        targets: Sequence[FloatArray],
        *,
        loss: DistillationLoss,
        sample_weight: FloatArray | None = None,
        settings: Sequence[Mapping[str, Any]] | None = None,
        **options: Any,
    ) -> list[Self]:
        """Fit one student for each target; settings of the last step share the rest."""
        own = settings or [{}] * len(targets)
        more = {"loss": loss, "sample_weight": sample_weight, **options}
        name, _ = self.learner.steps[-1]
        prefix = f"{name}__"
        if not all(key.startswith(prefix) for setting in own for key in setting):
            return super().fit_many(X, targets, settings=own, **more)
        head = clone(self._head)
        last = self.last.fit_many(
            head.fit_transform(X) if len(self.learner) > 1 else X,
            targets,
            settings=[
                {key.removeprefix(prefix): value for key, value in setting.items()}
                for setting in own
            ],
            **more,
        )
        return [
            type(self)(Pipeline([*head.steps, (name, each.learner)]), each)
            for each in last
        ]

    def scores(self, X: Any) -> FloatArray:
        """Return the scores of the last step, shape (n, m)."""
        transformed = self._head.transform(X) if len(self.learner) > 1 else X
        return self.last.scores(transformed)

    def takes_weights(self) -> bool:
        """Return whether the last step takes weights; transformers never see any."""
        return self.last.takes_weights()

    def configure(self, setting: Mapping[str, Any]) -> Self:
        """Set parameters by their names in the pipeline, and return the student."""
        name, _ = self.learner.steps[-1]
        # The contract around the last step holds its own copy of the step.
        self.learner.steps[-1] = (name, self.last.learner)
        self.learner.set_params(**setting)
        return self

    def size(self) -> StudentSize:
        """Return the size of the last step, with the bytes of the whole pipeline."""
        return measured_size(self.learner)

    @property
    def _head(self) -> Pipeline:
        """The transformers, as a pipeline that shares them."""
        return self.learner[:-1]


def _needs_target(step: Any) -> bool:
    """Return whether a transformer learns from y; 'passthrough' learns nothing."""
    # scikit-learn's univariate selectors score columns by y, whatever their tag says.
    return hasattr(step, "fit") and (
        hasattr(step, "score_func") or get_tags(step).target_tags.required
    )
