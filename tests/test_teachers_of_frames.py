"""Teachers made of others read every table that those read, and no other."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.utils import get_tags

from semikd import DistilledClassifier, TorchClassifier, TorchStudent
from semikd.distillation import SelfDistilledClassifier
from semikd.teachers import CalibratedTeacher, EnsembleTeacher

pytestmark = pytest.mark.usefixtures("one_torch_thread")
N = 60
DRAWS = np.random.default_rng(0)
WORDS = DRAWS.choice(["x", "y", "z"], N)
FRAMES = {
    "text": pd.DataFrame({"a": DRAWS.normal(size=N), "c": WORDS}),
    "categories": pd.DataFrame({"a": DRAWS.normal(size=N), "c": pd.Categorical(WORDS)}),
}
Y = np.arange(N) % 2
QUICK: dict[str, Any] = {"max_epochs": 2, "device": "cpu"}


def network() -> TorchClassifier:
    return TorchClassifier((4,), **QUICK)


def student() -> TorchStudent:
    return TorchStudent((4,), **QUICK)


def encoded(last: Any) -> Any:
    return make_pipeline(OneHotEncoder(handle_unknown="ignore"), last)


READ: dict[str, Any] = {
    "network": network,
    "ensemble": lambda: EnsembleTeacher(network(), n_members=2),
    "ensemble of pipelines": lambda: EnsembleTeacher(
        encoded(RandomForestClassifier(2)), n_members=2
    ),
    "generations": lambda: SelfDistilledClassifier(network(), student(), cv=3),
    "generations of pipelines": lambda: SelfDistilledClassifier(
        encoded(LogisticRegression()), encoded(Ridge()), cv=3
    ),
    "calibrated": lambda: CalibratedTeacher(network(), cv=3),
    "distilled": lambda: DistilledClassifier(network(), student(), cv=3),
}
REFUSED: dict[str, Any] = {
    "ensemble": lambda: EnsembleTeacher(RandomForestClassifier(2), n_members=2),
    "second generation": lambda: SelfDistilledClassifier(network(), Ridge(), cv=3),
    "first generation": lambda: SelfDistilledClassifier(
        RandomForestClassifier(2), student(), cv=3
    ),
    "ensemble of generations": lambda: EnsembleTeacher(
        SelfDistilledClassifier(network(), Ridge(), cv=3), n_members=2
    ),
}


@pytest.mark.parametrize("kind", FRAMES)
@pytest.mark.parametrize("name", READ)
def test_a_teacher_made_of_readers_of_words_reads_words(name: str, kind: str) -> None:
    X = FRAMES[kind]
    model = DistilledClassifier(READ[name](), student(), cv=2, random_state=0)
    proba = model.fit(X, Y).predict_proba(X)
    # The words are read: without them the answers are others.
    assert not np.allclose(proba, model.fit(X.assign(c="x"), Y).predict_proba(X))


@pytest.mark.parametrize("kind", FRAMES)
@pytest.mark.parametrize("name", REFUSED)
def test_a_part_that_reads_numbers_alone_is_refused_before_any_fit(
    name: str, kind: str
) -> None:
    model = DistilledClassifier(REFUSED[name](), student())
    with pytest.raises(ValueError, match="must hold numbers for the teacher"):
        model.fit(FRAMES[kind], Y)


def test_tags_are_those_that_all_parts_have() -> None:
    networks = [READ["ensemble"](), READ["generations"]()]
    assert all(get_tags(one).input_tags.categorical for one in networks)
    others = [each() for each in REFUSED.values()]
    assert not any(get_tags(one).input_tags.categorical for one in others)
