"""Classifiers of LightGBM and XGBoost as students, which their own labels cannot make.

Their objectives take class labels; LightGBM's 'binary' even accepts soft ones and then
predicts one class for every row. Here the loss gives the slopes itself.
"""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.utils.validation import check_is_fitted

from semikd.simplex import FloatArray
from semikd.students._booster import Allowed, BoosterStudent
from semikd.students._slopes import Slopes

__all__ = ["BoosterStudent", "LightGBMStudent", "XGBoostStudent"]

_ON_LABELS = "weighs labels; give class_weight to the distilling estimator instead"
_STOPS_EARLY = (
    "would stop on held-out labels, and a student has none; set n_estimators instead"
)
_OWN_AIM = "would replace the loss of the student; leave it out"


class LightGBMStudent(BoosterStudent):
    """An ``LGBMClassifier`` fitted to soft or corrected targets.

    Its settings are those of the wrapper. ``feature_pre_filter`` is switched off, which
    changes no tree: where no column can be split, LightGBM then fits the constant
    instead of failing.

    Examples
    --------
    >>> import numpy as np
    >>> from lightgbm import LGBMClassifier
    >>> from semikd.losses import CrossEntropyLoss
    >>> from semikd.students import as_student
    >>> student = as_student(LGBMClassifier(n_jobs=1, verbosity=-1))
    >>> X, target = np.array([[-1.0], [1.0]]), np.array([[0.3], [0.9]])
    >>> student.fit_target(X, target, loss=CrossEntropyLoss())  # doctest: +ELLIPSIS
    <semikd.students.boosters.LightGBMStudent object at ...>
    >>> student.learner.predict_proba(X).round(3)
    array([[0.4, 0.6],
           [0.4, 0.6]])
    """

    _regressor = "LGBMRegressor"
    _allowed: ClassVar[Allowed] = {
        "objective": ((None, "binary", "multiclass", "cross_entropy"), _OWN_AIM),
        **dict.fromkeys(("objective_type", "app", "application"), ((), _OWN_AIM)),
        "loss": ((), _OWN_AIM),
        **dict.fromkeys(
            ("boosting_type", "boosting", "boost"),
            (
                ("gbdt", "gbrt", "dart", "goss"),
                "does not boost, and takes no slopes; use boosting_type='gbdt'",
            ),
        ),
        **dict.fromkeys(
            ("linear_tree", "linear_trees"),
            ((False,), "has no constant leaves to hold the start; set it to False"),
        ),
        "class_weight": ((None,), _ON_LABELS),
        **dict.fromkeys(
            ("is_unbalance", "unbalance", "unbalanced_sets"), ((False,), _ON_LABELS)
        ),
        "scale_pos_weight": ((None, 1), _ON_LABELS),
        **dict.fromkeys(
            (
                "early_stopping_round",
                "early_stopping_rounds",
                "early_stopping",
                "n_iter_no_change",
            ),
            ((None, 0, -1), _STOPS_EARLY),
        ),
    }

    def scores(self, X: Any) -> FloatArray:
        """Return the log-odds or scores of the fitted booster, shape (n, m)."""
        check_is_fitted(self.learner)
        scores = np.asarray(self.learner.predict(X, raw_score=True), dtype=np.float64)
        return scores[:, None] if scores.ndim == 1 else scores

    def _train(
        self, X: Any, labels: NDArray[np.intp], slopes: Slopes, start: FloatArray
    ) -> None:
        """Fit along the slopes, then write start and link into the model."""
        learner, width = self.learner, len(start)
        learner.set_params(objective=slopes, feature_pre_filter=False)
        init_score = np.tile(start, (len(labels), 1))
        try:
            learner.fit(
                X, labels, init_score=init_score[:, 0] if width == 1 else init_score
            )
        finally:
            learner.set_params(objective="binary" if width == 1 else "multiclass")
        _keep_start(learner.booster_, start)
        _keep_link(learner.booster_, width)


def _keep_start(booster: Any, start: FloatArray) -> None:
    """Add the start to each leaf of the first round: LightGBM predicts without it."""
    trees = booster.dump_model(num_iteration=1)["tree_info"]
    for tree, (constant, leaves) in enumerate(
        zip(start, (tree["num_leaves"] for tree in trees), strict=True)
    ):
        for leaf in range(leaves):
            value = booster.get_leaf_output(tree, leaf) + constant
            booster.set_leaf_output(tree, leaf, value)


def _keep_link(booster: Any, width: int) -> None:
    """Name the link in the model, so that it predicts probabilities by itself."""
    link = "binary sigmoid:1" if width == 1 else f"multiclass num_class:{width}"
    head, names, rest = booster.model_to_string().partition("\nfeature_names=")
    booster.model_from_string(f"{head}\nobjective={link}{names}{rest}")


class XGBoostStudent(BoosterStudent):
    """An ``XGBClassifier`` fitted to soft or corrected targets.

    Its settings are those of the wrapper; scores are float32, as XGBoost keeps them.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.losses import CrossEntropyLoss
    >>> from semikd.students import as_student
    >>> from xgboost import XGBClassifier
    >>> student = as_student(XGBClassifier(n_estimators=1, max_depth=1, n_jobs=1))
    >>> X, target = np.array([[-1.0], [1.0]]), np.array([[0.3], [0.9]])
    >>> student.fit_target(X, target, loss=CrossEntropyLoss())  # doctest: +ELLIPSIS
    <semikd.students.boosters.XGBoostStudent object at ...>
    >>> student.learner.predict_proba(X).round(3)
    array([[0.4, 0.6],
           [0.4, 0.6]], dtype=float32)
    """

    _regressor = "XGBRegressor"
    _allowed: ClassVar[Allowed] = {
        "objective": (
            (None, "binary:logistic", "multi:softprob", "multi:softmax"),
            _OWN_AIM,
        ),
        "booster": (
            (None, "gbtree", "dart"),
            "has no trees; use LinearStudent, or booster='gbtree'",
        ),
        "base_score": (
            (None,),
            "would replace the start; leave it out to start at the best constant",
        ),
        "scale_pos_weight": ((None, 1), _ON_LABELS),
        "early_stopping_rounds": ((None,), _STOPS_EARLY),
    }

    def scores(self, X: Any) -> FloatArray:
        """Return the log-odds or scores of the fitted booster, shape (n, m)."""
        check_is_fitted(self.learner)
        margin = self.learner.predict(X, output_margin=True)
        scores = np.asarray(margin, dtype=np.float64)
        return scores[:, None] if scores.ndim == 1 else scores

    def _train(
        self, X: Any, labels: NDArray[np.intp], slopes: Slopes, start: FloatArray
    ) -> None:
        """Fit along the slopes; the model keeps the start as its base score."""
        learner, single = self.learner, len(start) == 1
        learner.objective = slopes
        # XGBoost takes the start of two classes as a probability, of more as scores.
        learner.base_score = float(expit(start[0])) if single else start.tolist()
        try:
            learner.fit(X, labels, verbose=False)
        finally:
            learner.objective = "binary:logistic" if single else "multi:softprob"
            learner.base_score = None
