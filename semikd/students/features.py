"""A network student that also learns from its teacher's hidden layers."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from semikd._validation import Shown, choose, wrong_type
from semikd.crossfit import n_rows, take_rows
from semikd.features import get_features
from semikd.losses import DistillationLoss
from semikd.networks import (
    FeatureTerm,
    NetworkEstimator,
    OnlineTargets,
    TeacherFeatures,
    prepare,
)
from semikd.networks.inputs import check_observed
from semikd.networks.options import NetworkOptions
from semikd.simplex import FloatArray
from semikd.students.base import Student
from semikd.students.network import TorchStudent

__all__ = ["FeatureStudent"]

# Rows that show of what kind a table is.
_LOOKED_AT = 64


class FeatureStudent(BaseEstimator, Student):
    r"""A network student whose hidden layers are set beside its teacher's.

    .. math:: \min_\theta \; \frac{1}{\sum_i w_i} \sum_i w_i \Bigl\{ \ell(f_\theta(x_i);
       \tau_i) + \sum_\phi \lambda_\phi\, \phi\bigl(s_\theta(x_i), t^{(-t(i))}(x_i)
       \bigr) \Bigr\}

    The loss of the answers is the library's: any scale, any correction, cross-fitted
    labels. The hidden layers t of a row are those of a network that did not see the
    row. For :class:`~semikd.DistilledClassifier` with a network as teacher.

    Parameters
    ----------
    student : TorchStudent
        The small network and how it is trained, by 'adam'.
    features : str, FeatureLoss or sequence of these, default='similarity'
        What is compared: 'similarity', 'distance', 'angle', 'hint', 'contrastive',
        'attention', or objects of ``semikd.features`` with weights and layers.
    taught_by : {'folds', 'all'}, default='folds'
        Whose layers are compared: those of the network of the fold that held the row
        out, or of one network fitted to all rows, which saw the row. The latter are
        aligned with one another, and too sure of themselves where the network
        interpolates; the labels stay those of the folds. ``labels_.strategy`` of the
        distilled model says which. With ``cv='in-sample'``, or labels by a network that
        was there and saw no row (``model_labels``), there is but one.

    Attributes
    ----------
    student_ : TorchStudent
        The fitted student, an ordinary network: connectors are gone.

    Raises
    ------
    TypeError
        If student or teacher is no network, or a feature is no such loss.
    ValueError
        If a layer has no such name, its shape does not suit the loss, or the student is
        not trained by 'adam'.

    Notes
    -----
    The networks of two folds are trained from weights of their own: the units of one
    are no units of the other. Similarities, distances and angles are therefore taken
    among rows of one fold, and hints and contrasts have a connector for each fold's
    network. With K folds a batch of b rows compares b / K rows with one another: large
    batches and few folds help.

    Unlabelled and synthetic rows learn from their labels alone: no one network stands
    for all that labelled them. Rows that are held out to watch the loss watch that of
    the answers. Without a teacher, as in a fit from scratch, the features are left out.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from semikd import DistilledClassifier, TorchClassifier, TorchStudent
    >>> from semikd.students import FeatureStudent
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> small = DistilledClassifier(
    ...     TorchClassifier((32,), max_epochs=5, device="cpu"),
    ...     FeatureStudent(TorchStudent((4,), max_epochs=5, device="cpu"), "hint"),
    ...     random_state=0,
    ... ).fit(X, y)
    >>> small.size_.coefficients
    129
    """

    default_loss = "cross_entropy"
    fit_options = ("groups", "online", "features")

    student_: TorchStudent

    def __init__(
        self, student: Any, features: Any = "similarity", *, taught_by: str = "folds"
    ) -> None:
        self.student = student
        self.features = features
        self.taught_by = taught_by

    @property
    def shown_by(self) -> str:  # type: ignore[override]
        """Whose hidden layers are compared."""
        return self.taught_by

    @property
    def learner(self) -> Any:
        """The network, fitted once there is one."""
        return getattr(self, "student_", self.student)

    def set_params(self, **params: Any) -> Self:
        """Set parameters; names that are not its own are those of the network."""
        own = self.get_params(deep=False)
        found: Self = super().set_params(
            **{
                name if name.partition("__")[0] in own else f"student__{name}": value
                for name, value in params.items()
            }
        )
        return found

    def configure(self, setting: Mapping[str, Any]) -> Self:
        """Set parameters of the network by name, and return the student."""
        return self.set_params(**setting)

    def supports(
        self, loss: DistillationLoss, target_range: tuple[float, float] | None = None
    ) -> str | None:
        """Return what the network says of such targets."""
        reason: str | None = self.student.supports(loss, target_range)
        return reason

    def _check_given(
        self, X: Any, weights: FloatArray | None, *, teacher: Any, **_: Any
    ) -> None:
        """Refuse a teacher whose layers it could not be shown, by a look at few rows.

        It is to be a network, with layers of these names in shapes that suit the loss.
        """
        if not isinstance(teacher, NetworkEstimator):
            constraint = "be a network to show its hidden layers to a FeatureStudent"
            shown = Shown(type(teacher).__name__)
            raise wrong_type("teacher", constraint, shown, "Use TorchClassifier")
        import torch

        from semikd.nets import seeded
        from semikd.networks.comparing import paired

        few = take_rows(X, np.arange(min(n_rows(X), _LOOKED_AT)))
        shape = prepare(few, np.zeros((n_rows(few), 1)), np.ones(n_rows(few))).shape
        built = [
            seeded(partial(NetworkOptions.of(each).architecture.build, shape, 2), 0)
            for each in (self.student, teacher)
        ]
        rows = torch.zeros((2, *shape.row))
        paired(get_features(self.features), built[0], built[1], rows, rows)

    def fit(self, X: Any, y: ArrayLike, sample_weight: Any = None) -> Self:
        """Fit the network to labels, as from scratch: there is no teacher to compare.

        Parameters
        ----------
        X : array-like or data frame of shape (n, d), or images (n, c, h, w)
            Covariates.
        y : array-like of shape (n,)
            Class labels.
        sample_weight : array-like of shape (n,), optional
            Weights of the rows.

        Returns
        -------
        FeatureStudent
        """
        self._check_settings()
        self.student_ = clone(self.student).fit(X, y, sample_weight)
        return self

    def fit_target(
        self,
        X: Any,
        target: FloatArray,
        *,
        loss: DistillationLoss,
        sample_weight: FloatArray | None = None,
        groups: NDArray[Any] | None = None,
        online: OnlineTargets | None = None,
        features: TeacherFeatures | None = None,
    ) -> Self:
        """Minimise the losses of answers and of layers; without teachers of answers.

        ``features`` says whose layers are compared; the rest is that of
        :class:`~semikd.TorchStudent`.
        """
        self._check_settings()
        shown = features and FeatureTerm(get_features(self.features), features)
        self.student_ = clone(self.student).fit_target(
            X,
            target,
            loss=loss,
            sample_weight=sample_weight,
            groups=groups,
            online=online,
            features=shown,
        )
        return self

    def scores(self, X: Any) -> FloatArray:
        """Return the scores of the network in float64, shape (n, m)."""
        check_is_fitted(self)
        return self.student_.scores(X)

    def predict_proba(self, X: Any) -> FloatArray:
        """Return the class probabilities of each row, shape (n, k)."""
        check_is_fitted(self)
        return self.student_.predict_proba(X)

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most likely class of each row, shape (n,)."""
        check_is_fitted(self)
        return self.student_.predict(X)

    def n_coefficients(self) -> int | None:
        """Return the number of parameters of the fitted network."""
        return self.learner.n_coefficients()  # type: ignore[no-any-return]

    def _check_settings(self) -> None:
        """Refuse what could not be fitted, before anything is."""
        if not getattr(self.student, "shows_layers", False):
            shown = Shown(type(self.student).__name__)
            constraint = "be a TorchStudent, whose hidden layers can be seen"
            raise wrong_type("student of FeatureStudent", constraint, shown)
        check_observed(NetworkOptions.of(self.student))
        get_features(self.features)
        choose("taught_by", self.taught_by, dict.fromkeys(("folds", "all")))

    def __sklearn_tags__(self) -> Any:
        """Take from the network what it can do."""
        tags = super().__sklearn_tags__()
        if isinstance(self.student, TorchStudent):
            tags = get_tags(self.student)
        return tags
