"""What compare refuses, and that it does so before any teacher is fitted."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import Ridge

from semikd import DistilledClassifier, compare


class CountingTeacher(ClassifierMixin, BaseEstimator):
    """Counts its fits and remembers the rows it saw."""

    fits: list = []  # noqa: RUF012 - shared by clones on purpose

    def fit(self, X, y):
        type(self).fits.append(np.asarray(X))
        self.classes_ = np.unique(y)
        self.share_ = np.mean(y == self.classes_[1])
        return self

    def predict_proba(self, X):
        return np.tile([1 - self.share_, self.share_], (len(X), 1))


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"estimator": Ridge()}, TypeError, "estimator must be a DistilledClassifier"),
        (
            {"estimator": DistilledClassifier(cv="in-sample")},
            ValueError,
            "label any training rows",
        ),
        (
            {"estimator": DistilledClassifier(online_labels=True)},
            ValueError,
            "estimator.online_labels must be False; got True. Several students",
        ),
        (
            {"estimator": DistilledClassifier(cv=np.zeros(600))},
            ValueError,
            "estimator.cv must label",
        ),
        (
            {"estimator": DistilledClassifier(cv=[([0], [1])])},
            ValueError,
            "estimator.cv must label",
        ),
        (
            {"estimator": DistilledClassifier(synthetic="columns")},
            ValueError,
            "estimator.synthetic must be None: arms share labels",
        ),
        (
            {"estimator": DistilledClassifier(class_weight="balanced")},
            ValueError,
            "Pass sample_we",
        ),
        ({"corrections": [0.1]}, TypeError, "corrections must map names of arms"),
        ({"corrections": {1: 0.1}}, ValueError, "names that no other arm has; got 1"),
        ({"test": (1, 2, 3)}, ValueError, "test must be a share or"),
        (
            {"test": (np.zeros((2, 3)), [0, 1])},
            ValueError,
            "test must have the columns",
        ),
        (
            {"test": (np.zeros((2, 4)), [0, 1]), "sample_weight": np.ones(600)},
            ValueError,
            "test must be a share where sample_weight",
        ),
        (
            {"groups": np.arange(600) % 2},
            ValueError,
            "groups must leave two or more|test must leave every class",
        ),
        (
            {"estimator": DistilledClassifier(loss="cross_entropy")},
            TypeError,
            "student must take targets on the cross_entropy scale",
        ),
        ({"level": 0}, ValueError, "level must lie strictly between 0 and 1"),
        ({"corrections": {"teacher": 0.1}}, ValueError, "names that no other arm has"),
        ({"corrections": {"mine": 1.5}}, ValueError, "correction must be a number"),
        (
            {"corrections": {"mine": "ortogonal"}},
            ValueError,
            "Did you mean 'orthogonal'",
        ),
        ({"test": 1.5}, ValueError, "test must be a number above 0"),
        ({"n_refits": 0}, ValueError, "n_refits must be an integer of at least 1"),
        ({"level": 1.5}, ValueError, "level must lie strictly between 0 and 1"),
        ({"min_proba": 0.0}, ValueError, "min_proba must be a number above 0"),
        ({"sample_weight": np.zeros(600)}, ValueError, "sample_weight must have a pos"),
    ],
)
def test_wrong_input_is_refused_before_a_teacher_is_fitted(
    mixture, arguments, error, words
) -> None:
    CountingTeacher.fits.clear()
    arguments = {"estimator": DistilledClassifier(CountingTeacher())} | arguments
    with pytest.raises(error, match=words):
        compare(mixture.X, mixture.y, **arguments)
    assert CountingTeacher.fits == []


def test_a_test_share_without_every_class_is_refused() -> None:
    X, y = np.arange(40.0)[:, None], np.r_[np.zeros(38), 1, 1]
    with pytest.raises(ValueError, match="test must leave every class on both sides"):
        compare(X, y, DistilledClassifier(), test=0.01)


def test_held_out_rows_of_other_classes_are_refused(mixture) -> None:
    with pytest.raises(ValueError, match="test must have the classes of y"):
        compare(
            mixture.X,
            mixture.y,
            DistilledClassifier(),
            test=(mixture.X[:2], ["a", "b"]),
        )
