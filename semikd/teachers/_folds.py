"""The folds of a cross-fit as one batch of networks."""

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.metaestimators import available_if

from semikd._progress import Reporter, silent
from semikd._random import RandomState, spawn_seeds
from semikd._validation import Shown, invalid, weights_or_ones
from semikd.crossfit import n_rows, take_rows
from semikd.crossfit.copies import same_columns
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
        shared is the covariates, never an outcome. A fold without a class is taught the
        others, as a teacher trained alone would be.

        Parameters
        ----------
        X, y : array-like
            All rows and their labels.
        folds : list of (train, test)
            Positions of the rows of each fold.
        sample_weight, groups : array-like of shape (n,), optional
            Weights, and groups that the early stopping does not divide.
        random_state : int, generator or None
            Seed of the networks, unless the estimator has one of its own.
        progress : callable, optional
            Called with a step as each epoch starts.

        Returns
        -------
        labels : list of ndarray of shape (n_test, k)
            Columns are the classes of the fold's teacher.
        teachers : list of estimators
        """
        X = self._checked(X, reset=True)
        outcome, weight = np.asarray(y), weights_or_ones(sample_weight, n_rows(X))
        groups = None if groups is None else np.asarray(groups)
        classes, codes = np.unique(outcome, return_inverse=True)
        prepared = prepare(X, certain_targets(codes, len(classes)), weight)
        # A seed that the user fixed stays.
        first = random_state if self.random_state is None else self.random_state
        seeds = spawn_seeds(first, len(folds))
        rows = [prepared.order[np.isin(prepared.order, train)] for train, _ in folds]
        options = NetworkOptions.of(self)
        teachers: dict[int, Self] = {}
        for known, places in _by_classes(codes, rows):
            # What rows of other classes become is read by nobody.
            among = np.searchsorted(known, codes).clip(max=len(known) - 1)
            target = certain_targets(among, len(known))
            tasks = []
            for t in places:
                own = np.zeros(len(weight))
                own[rows[t]] = self._counted(outcome[rows[t]], classes, weight[rows[t]])
                task = self._task(
                    prepared,
                    rows[t],
                    target,
                    own,
                    options,
                    groups,
                    codes,
                    seed=seeds[t],
                )
                tasks.append(task)
            found = self._fit_batch(prepared, tasks, LOSS, progress or silent)
            for t, network in zip(places, found, strict=True):
                teachers[t] = self._twin(network, prepared, classes[known])
        labels = [
            teachers[t].predict_proba(take_rows(X, np.asarray(test)))
            for t, (_, test) in enumerate(folds)
        ]
        return labels, [teachers[t] for t in range(len(folds))]

    def _counted(
        self, labels: NDArray[Any], classes: NDArray[Any], weight: FloatArray
    ) -> FloatArray:
        """Return weights times the factor of each row's class."""
        return weight

    def _twin(
        self, network: "FittedNetwork", prepared: "Prepared", classes: NDArray[Any]
    ) -> Self:
        """Return a copy of the estimator with a network of its own."""
        twin: Self = same_columns(self)
        twin._adopt(network, prepared)
        twin.classes_ = classes
        return twin


def _by_classes(
    codes: NDArray[np.intp], rows: list[NDArray[np.intp]]
) -> list[tuple[NDArray[np.intp], list[int]]]:
    """Return the classes that folds have, each with the places of its folds."""
    found: dict[bytes, tuple[NDArray[np.intp], list[int]]] = {}
    for place, own in enumerate(rows):
        known = np.unique(codes[own])
        if len(known) < 2:
            shown = Shown(f"fewer without the rows of fold {place + 1}")
            raise invalid("y", "have at least two classes", shown)
        found.setdefault(known.tobytes(), (known, []))[1].append(place)
    return list(found.values())


def certain_targets(codes: NDArray[np.intp], n_classes: int) -> FloatArray:
    """Return the targets of certain labels: one number for two classes."""
    return np.asarray(last_column(one_hot(codes, n_classes)))
