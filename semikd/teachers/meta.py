"""A network that is tuned as a teacher: by what a pupil learns from it."""

import warnings
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from semikd._random import RandomState, spawn_seeds
from semikd._tables import checked_labels, checked_table, label_positions
from semikd._validation import (
    Shown,
    count,
    counted,
    invalid,
    number,
    weights_or_ones,
    wrong_type,
)
from semikd.crossfit import content_split, n_rows, seeded_clone, take_rows
from semikd.exceptions import SemikdWarning
from semikd.networks import NetworkEstimator
from semikd.simplex import FloatArray
from semikd.teachers._folds import certain_targets
from semikd.teachers.network import TorchClassifier

if TYPE_CHECKING:
    from semikd.nets.pilots import PilotEpoch

__all__ = ["MetaTeacher"]

_PUPIL = (64,)


class MetaTeacher(ClassifierMixin, BaseEstimator):
    r"""A network that is tuned by how a pupil which learns from it answers quizzes.

    .. math:: S' = S - \eta \nabla_S L(S, T), \qquad
       T \leftarrow T - \eta_T \nabla_T Q(S'), \qquad
       S \leftarrow S - \eta \nabla_S L(S, T),

    .. math:: L = (1 - h)\, \vartheta^2\, \operatorname{CE}\bigl(
       \operatorname{softmax}(f_T / \vartheta), \operatorname{softmax}(f_S / \vartheta)
       \bigr) + h \operatorname{CE}(y, f_S)

    for the scores f of pupil S and teacher T at temperature :math:`\vartheta`, and Q
    the cross-entropy of rows that neither is taught. The network first learns the
    labels; then, batch by batch, a pilot copy of the pupil takes a step, the teacher
    descends along what the pilot then answers to a quiz, the pilot is thrown away, and
    the pupil takes the step from the better teacher. It is thrown away in the end:
    cross-fitted labels of the teacher are for any student.

    Parameters
    ----------
    teacher : TorchClassifier, optional
        The network, and how it learns the labels first; by default
        ``TorchClassifier()``.
    pupil : TorchClassifier or TorchStudent, optional
        Its ``module`` is the network that stands for the student; by default one hidden
        layer of 64 units. Nothing else of it is used.
    quiz_fraction : float, default=0.1
        Share of the distinct rows of each class (of the groups, where given) that judge
        pilots, in (0, 0.5].
    n_epochs : int, default=20
        Passes over the other rows; with 0 it is the network that learned their labels.
    temperature : float, default=4.0
        :math:`\vartheta`.
    hard_weight : float, default=0.5
        h, the weight of the labels' own loss in what the pupil is taught.
    learning_rate : float, default=0.05
        :math:`\eta`, of the pilot and of the pupil.
    teacher_learning_rate : float, default=0.005
        :math:`\eta_T`.
    batch_size : int, default=64
        Most rows of a batch, and of a quiz.
    random_state : int, generator or None, default=None
        Seed of the network, the quiz rows, the pupil and the batches.

    Attributes
    ----------
    classes_ : ndarray of shape (k,)
        Class labels.
    history_ : tuple of PilotEpoch
        Mean losses of what is taught, and of the quizzes, epoch by epoch.
    n_features_in_ : int
        Number of columns.
    teacher_ : TorchClassifier
        The tuned network.

    Raises
    ------
    TypeError
        If teacher or pupil is no network.
    ValueError
        If a number is out of its range, or a class is in no group but those of quizzes.

    Warns
    -----
    SemikdWarning
        If there are too few rows for a quiz: nothing is then tuned.

    See Also
    --------
    semikd.TorchClassifier : The network without the tuning.

    Notes
    -----
    The nuisance is tuned for the target's risk, so quiz rows see the teacher. They are
    rows of the fit: cross-fitted, a fold's quiz is drawn from the rows that its teacher
    learns from, and the rows that it labels are in neither. Copies of a row fall on one
    side. In-sample labels of such a teacher saw the quiz as well.

    References
    ----------
    .. [1] W. Zhou, C. Xu and J. McAuley, "BERT Learns to Teach: Knowledge Distillation
       with Meta Learning", ACL 2022. The order of the steps, the temperature, momentum
       (0.9) and decay (5e-4) are those of its released code for images, where both step
       sizes are 0.05 and fall; quizzes that are drawn from the training rows, networks
       for tables and the smaller step of the teacher are this library's.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from semikd import TorchClassifier
    >>> from semikd.teachers import MetaTeacher
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> network = TorchClassifier((32,), max_epochs=5, device="cpu")
    >>> teacher = MetaTeacher(network, n_epochs=2, random_state=0).fit(X, y)
    >>> len(teacher.history_), teacher.predict_proba(X).shape
    (2, (569, 2))
    """

    def __init__(
        self,
        teacher: Any = None,
        pupil: Any = None,
        *,
        quiz_fraction: float = 0.1,
        n_epochs: int = 20,
        temperature: float = 4.0,
        hard_weight: float = 0.5,
        learning_rate: float = 0.05,
        teacher_learning_rate: float = 0.005,
        batch_size: int = 64,
        random_state: RandomState = None,
    ) -> None:
        self.teacher = teacher
        self.pupil = pupil
        self.quiz_fraction = quiz_fraction
        self.n_epochs = n_epochs
        self.temperature = temperature
        self.hard_weight = hard_weight
        self.learning_rate = learning_rate
        self.teacher_learning_rate = teacher_learning_rate
        self.batch_size = batch_size
        self.random_state = random_state

    def fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> Self:
        """Learn the labels, then be tuned by pilots.

        Parameters
        ----------
        X : array-like or data frame of shape (n, d), or images (n, c, h, w)
            Covariates.
        y : array-like of shape (n,)
            Class labels.
        sample_weight : array-like of shape (n,), optional
            Weights of the rows.
        groups : array-like of shape (n,), optional
            No group is divided between what is taught and the quizzes.

        Returns
        -------
        MetaTeacher
        """
        self._check_settings()
        X = checked_table(self, X)
        labels = checked_labels(X, y)
        weights = weights_or_ones(sample_weight, n_rows(X))
        self.classes_ = np.unique(labels[weights > 0])
        seeds = spawn_seeds(self.random_state, 4)
        taught, quiz = self._sides(X, labels, weights, groups, seeds[0])
        own = None if groups is None else np.asarray(groups)[taught]
        network = seeded_clone(self._network(), seeds[1])
        self.teacher_ = network.fit(
            take_rows(X, taught), labels[taught], weights[taught], own
        )
        self.history_: tuple[PilotEpoch, ...] = ()
        if self.n_epochs and len(quiz):
            self._tune(X, labels, weights, (taught, quiz), seeds[2:])
        elif self.n_epochs:
            warnings.warn(
                f"{counted(len(taught), 'row')} leave none for quizzes "
                f"(quiz_fraction={self.quiz_fraction:g}): the network learned the "
                "labels and was not tuned. Add rows, or use TorchClassifier.",
                SemikdWarning,
                stacklevel=2,
            )
        return self

    def predict_proba(self, X: Any) -> FloatArray:
        """Return the class probabilities of each row, shape (n, k)."""
        check_is_fitted(self)
        X = checked_table(self, X, reset=False)
        return self.teacher_.predict_proba(X)  # type: ignore[no-any-return]

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most likely class of each row, shape (n,)."""
        proba = self.predict_proba(X)
        return np.asarray(self.classes_[proba.argmax(axis=1)])

    def _sides(
        self,
        X: Any,
        labels: NDArray[Any],
        weights: FloatArray,
        groups: ArrayLike | None,
        seed: int,
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return the rows that are taught, with all classes, and those of quizzes."""
        used = np.flatnonzero(weights > 0)
        held_out = content_split(
            take_rows(X, used),
            fraction=self.quiz_fraction,
            random_state=seed,
            groups=None if groups is None else np.asarray(groups)[used],
            strata=label_positions(labels[used], self.classes_),
        )
        taught, quiz = used[~held_out], used[held_out]
        absent = np.setdiff1d(self.classes_, labels[taught])
        if len(absent):
            constraint = "hold every class in more than the groups of quizzes"
            shown = Shown(f"{absent.tolist()[0]!r} in quizzes alone")
            remedy = "Lower quiz_fraction, or use smaller groups"
            raise invalid("y", constraint, shown, remedy)
        return taught, quiz

    def _tune(
        self,
        X: Any,
        labels: NDArray[Any],
        weights: FloatArray,
        sides: tuple[NDArray[np.intp], NDArray[np.intp]],
        seeds: list[int],
    ) -> None:
        """Tune the network beside a pupil that starts anew."""
        from semikd.nets.pilots import PilotOptions
        from semikd.networks.tuning import tune_as_teacher

        rates = self.learning_rate, self.teacher_learning_rate
        options = PilotOptions(self.n_epochs, self.batch_size, *rates)
        codes = label_positions(labels, self.classes_)
        self.history_ = tune_as_teacher(
            self.teacher_,
            _PUPIL if self.pupil is None else self.pupil.module,
            X,
            certain_targets(codes, len(self.classes_)),
            weights,
            sides=sides,
            options=options,
            temperature=self.temperature,
            hard_weight=self.hard_weight,
            seeds=seeds,
        )

    def _network(self) -> Any:
        """Return the network that becomes the teacher, unfitted."""
        return TorchClassifier() if self.teacher is None else clone(self.teacher)

    def _check_settings(self) -> None:
        """Refuse what no teacher could be tuned with."""
        for name, each in (("teacher", self.teacher), ("pupil", self.pupil)):
            kind = TorchClassifier if name == "teacher" else NetworkEstimator
            if each is not None and not isinstance(each, kind):
                shown = Shown(type(each).__name__)
                constraint = f"be a network to be {name} of a MetaTeacher"
                raise wrong_type(name, constraint, shown, "Use TorchClassifier")
        number("quiz_fraction", self.quiz_fraction, low=0.0, high=0.5, open_low=True)
        count("n_epochs", self.n_epochs, low=0)
        number("temperature", self.temperature, low=0.0, open_low=True)
        number("hard_weight", self.hard_weight, low=0.0, high=1.0)
        for name in ("learning_rate", "teacher_learning_rate"):
            number(name, getattr(self, name), low=0.0, open_low=True)
        count("batch_size", self.batch_size)

    def __sklearn_tags__(self) -> Any:
        """Say that the input is what the network takes."""
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self._network()).input_tags
        return tags
