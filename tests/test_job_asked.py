"""One's own teacher is tried on a few rows of every class before the work begins."""

import sys
import types

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier

from semikd.evaluation import Table
from semikd.exceptions import UsageError
from semikd.job.asked import asked_teacher

seen: list[np.ndarray] = []


class Recording(DummyClassifier):
    """Remembers the labels it was fitted to."""

    def fit(self, X, y, sample_weight=None) -> "Recording":
        seen.append(y)
        return super().fit(X, y, sample_weight)


class Refusing(DummyClassifier):
    """Learns from nothing."""

    def fit(self, X, y, sample_weight=None) -> "Refusing":
        raise ValueError("no")


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this module's classes be found under a name of their own."""
    module = types.ModuleType("mine_for_trial")
    module.recording, module.refusing = Recording(), Refusing()
    monkeypatch.setitem(sys.modules, "mine_for_trial", module)


def sorted_rows(n: int) -> Table:
    """Return rows sorted by their label, most of one class."""
    y = np.sort((np.arange(n) % 5 == 0).astype(int))
    return Table(pd.DataFrame({"x": np.arange(n)}), y, None, None)


@pytest.mark.parametrize("n", [2, 299, 301, 599, 600, 10_000])
def test_the_trial_has_few_rows_of_every_class(n: int) -> None:
    seen.clear()
    asked_teacher("mine_for_trial:recording", sorted_rows(n))
    (labels,) = seen
    assert len(labels) <= 300
    assert len(labels) > 0.5 * min(n, 300)
    assert set(labels) == {0, 1}


def test_a_teacher_that_cannot_learn_is_refused_on_a_sorted_table() -> None:
    with pytest.raises(UsageError, match="be able to learn from the table"):
        asked_teacher("mine_for_trial:refusing", sorted_rows(10_000))
