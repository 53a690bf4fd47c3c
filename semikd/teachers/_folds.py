"""The folds of a cross-fit as one batch of networks."""

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.metaestimators import available_if

from semikd._progress import Reporter, silent
from semikd._random import RandomState, spawn_seeds
from semikd._validation import weights_or_ones
from semikd.crossfit import n_rows, take_rows
from semikd.losses import CrossEntropyLoss
from semikd.networks import NetworkEstimator, NetworkOptions, prepare
from semikd.simplex import FloatArray, last_column, one_hot

if TYPE_CHECKING:
    from semikd.networks.fitting import FittedNetwork
    from semikd.networks.prepared import Prepared

LOSS = CrossEntropyLoss()


class FoldsInABatch(NetworkEstimator):
    """The hook by which cross-fitting has all networks trained at once."""

    classes_: NDArray[Any]

    @available_if(lambda self: self.solver == "adam")  # type: ignore[untyped-decorator]
    def cross_fit_proba(
        self,
        X: Any,
        y: ArrayLike,
        folds: list[tuple[NDArray[np.intp], NDArray[np.intp]]],
        *,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        random_state: RandomState = None,
        progress: Reporter | None = None,
    ) -> tuple[list[FloatArray], list[Self]]:
        """Label the test rows of all folds, whose networks are trained as one batch.

        Columns are standardised, and their categories listed, by all rows: what is
        shared is the covariates, never an outcome.

        Parameters
        ----------
        X, y : array-like
            All rows and their labels.
        folds : list of (train, test)
            Positions of the rows of each fold.
        sample_weight, groups : array-like of shape (n,), optional
            Weights, and groups that the early stopping does not divide.
        random_state : int, generator or None
            Seed of the networks.
        progress : callable, optional
            Called with a step as each epoch starts.

        Returns
        -------
        labels : list of ndarray of shape (n_test, k)
        teachers : list of estimators
        """
        X = self._checked(X, reset=True)
        classes, codes = np.unique(np.asarray(y), return_inverse=True)
        groups = None if groups is None else np.asarray(groups)
        target = certain_targets(codes, len(classes))
        weight = weights_or_ones(sample_weight, n_rows(X))
        prepared = prepare(X, target, weight)
        options = NetworkOptions.of(self)
        seeds = spawn_seeds(random_state, len(folds))
        tasks = []
        for (train, _), seed in zip(folds, seeds, strict=True):
            rows = prepared.order[np.isin(prepared.order, train)]
            own = np.zeros(len(weight))
            own[rows] = self._counted(np.asarray(y)[rows], classes, weight[rows])
            tasks.append(
                self._task(
                    prepared, rows, target, own, options, groups, codes, seed=seed
                )
            )
        found = self._fit_batch(prepared, tasks, LOSS, progress or silent)
        teachers = [self._twin(network, prepared, classes) for network in found]
        labels = [
            teacher.predict_proba(take_rows(X, np.asarray(test)))
            for teacher, (_, test) in zip(teachers, folds, strict=True)
        ]
        return labels, teachers

    def _counted(
        self, labels: NDArray[Any], classes: NDArray[Any], weight: FloatArray
    ) -> FloatArray:
        """Return weights times the factor of each row's class."""
        return weight

    def _twin(
        self, network: "FittedNetwork", prepared: "Prepared", classes: NDArray[Any]
    ) -> Self:
        """Return a copy of the estimator with a network of its own."""
        twin: Self = type(self)(**self.get_params(deep=False))
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(self, name):
                setattr(twin, name, getattr(self, name))
        twin._adopt(network, prepared)
        twin.classes_ = classes
        return twin


def certain_targets(codes: NDArray[np.intp], n_classes: int) -> FloatArray:
    """Return the targets of certain labels: one number for two classes."""
    return np.asarray(last_column(one_hot(codes, n_classes)))
