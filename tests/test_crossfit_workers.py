"""How workers and the threads inside them share the cores, and what they are told."""

import os
from typing import Any

import numpy as np
import pytest
import sklearn
from joblib import cpu_count, effective_n_jobs
from sklearn.base import BaseEstimator, RegressorMixin
from threadpoolctl import threadpool_info

from semikd import cross_fit


class Observer(RegressorMixin, BaseEstimator):
    """Notes the process, threads and configuration under which it is fitted."""

    def fit(self, X: Any, y: Any) -> "Observer":
        self.process_ = os.getpid()
        self.threads_ = max(pool["num_threads"] for pool in threadpool_info())
        self.nested_ = effective_n_jobs(-1), effective_n_jobs(None)
        self.missing_values_pass_ = sklearn.get_config()["assume_finite"]
        return self

    def predict(self, X: Any) -> Any:
        return np.zeros(len(X))


def observed(n_jobs: int | None) -> list[Observer]:
    """Return the observers of four folds."""
    X = np.arange(20.0)[:, None]
    return list(cross_fit(Observer(), X, X[:, 0], cv=4, n_jobs=n_jobs).teachers[0])


@pytest.fixture
def unlimited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the number of threads to joblib, as on a user's machine."""
    for library in ("OMP", "OPENBLAS", "MKL", "BLIS", "NUMBA", "NUMEXPR"):
        monkeypatch.delenv(f"{library}_NUM_THREADS", raising=False)


@pytest.mark.usefixtures("unlimited")
@pytest.mark.parametrize("n_jobs", [2, 3])
def test_workers_times_threads_do_not_exceed_the_cores(n_jobs: int) -> None:
    observers = observed(n_jobs)
    assert os.getpid() not in {each.process_ for each in observers}
    share = max(1, cpu_count() // n_jobs)
    assert {each.threads_ for each in observers} <= set(range(1, share + 1))


@pytest.mark.usefixtures("unlimited")
def test_one_worker_is_this_process_with_all_its_threads() -> None:
    here = max(pool["num_threads"] for pool in threadpool_info())
    for each in observed(None):
        assert each.process_ == os.getpid()
        assert each.threads_ == here


def test_an_open_n_jobs_inside_a_worker_is_one_and_a_fixed_one_is_kept() -> None:
    # A teacher that insists on all cores gets them in every worker: it is better left
    # alone, with the folds in turn, or left open, with the folds in parallel.
    assert {each.nested_ for each in observed(2)} == {(cpu_count(), 1)}


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_workers_know_the_configuration_of_scikit_learn(n_jobs: int) -> None:
    with sklearn.config_context(assume_finite=True):
        assert all(each.missing_values_pass_ for each in observed(n_jobs))
    assert not any(each.missing_values_pass_ for each in observed(n_jobs))
