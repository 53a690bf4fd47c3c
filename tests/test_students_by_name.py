"""Students by name, and students of hidden layers wherever several are compared."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.tree import DecisionTreeRegressor

from semikd import (
    AutoDistiller,
    DistilledClassifier,
    FeatureStudent,
    TorchClassifier,
    TorchStudent,
    compare,
)
from semikd.encoding import fit_plan
from semikd.evaluation import Classification, Table, compare_sides
from semikd.exceptions import UsageError
from semikd.job import Settings
from semikd.job.learners import asked_student
from semikd.job.names import LAYERS
from semikd.selection import Candidate
from semikd.selection.judging import Judge
from semikd.selection.plans import plan_rounds
from semikd.selection.preparing import prepared_judge
from semikd.selection.presets import PRESETS
from semikd.selection.teachers import named_students
from semikd.students import LinearStudent, named_student
from semikd.students.adversarial import protected_codes
from semikd.students.names import STUDENTS
from semikd.teachers import BoostingTeacher

pytestmark = pytest.mark.usefixtures("one_torch_thread")


def made(n: int = 120) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Return rows whose class is a noisy function of one column."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 3))
    return X, (X[:, 0] + rng.normal(size=n) > 0).astype(np.intp)


def network(kind: Any = TorchClassifier, **settings: Any) -> Any:
    return kind((4,), max_epochs=3, device="cpu", **settings)


def shown(features: Any = "hint", **settings: Any) -> FeatureStudent:
    return FeatureStudent(network(TorchStudent), features, **settings)


def judge(y: NDArray[np.intp], **students: Any) -> Judge:
    X, _ = made()
    teachers = {"boosting": BoostingTeacher(max_iter=5), "network": network()}
    table = Table(X, y, None, None)
    return prepared_judge(
        table,
        Classification(),
        teachers,
        students,
        cv=np.arange(len(y)) % 3,
        random_state=0,
    )


def test_names_stand_for_students() -> None:
    assert named_student("tree") is None
    assert isinstance(named_student("linear"), LinearStudent)
    for name in STUDENTS:
        if "+" in name:
            assert named_student(name).features == name.partition("+")[2]
            named_student(name)._check_settings()
    own = DecisionTreeRegressor()
    assert named_student(own) is own
    with pytest.raises(ValueError, match="Did you mean 'network'"):
        named_student("netwrok")


def test_a_name_distils_as_its_object_does() -> None:
    X, y = made()
    one, two = (
        DistilledClassifier(student=student, cv=2, random_state=0)
        .fit(X, y)
        .predict_proba(X)
        for student in ("linear", LinearStudent())
    )
    np.testing.assert_array_equal(one, two)
    plain, named = (
        DistilledClassifier(student=student, cv=2, random_state=0).fit(X, y).size_
        for student in (None, "tree")
    )
    assert plain == named


def test_the_search_takes_names_alone_in_lists_and_in_mappings() -> None:
    X, y = made()
    found = AutoDistiller(
        "boosting", ["tree", "linear"], preset="fast", cv=3, random_state=0
    ).fit(X, y)
    assert {each.student for each in found.choice_.candidates} == {"tree", "linear"}
    given = {"small": "tree", "mine": DecisionTreeRegressor()}
    assert list(named_students(given, 100, None)) == ["small", "mine"]
    assert isinstance(named_students(given, 100, None)["small"], DecisionTreeRegressor)
    for wrong in ("treee", ["treee"], {"a": "treee"}):
        with pytest.raises(ValueError, match="Did you mean 'tree'"):
            AutoDistiller(student=wrong, preset="fast").fit(X, y)


def test_a_search_shows_layers_of_fold_networks_and_of_nobody_else() -> None:
    judged = judge(made()[1], plain=network(TorchStudent), shown=shown())
    rounds = plan_rounds(PRESETS["balanced"], judged)
    tried = [each for own in rounds[:3] for each in own.candidates({})]
    of_layers = {
        (each.labels, each.teacher) for each in tried if each.student == "shown"
    }
    assert of_layers == {("scratch", ""), ("cross-fitted", "network")}
    assert {each.teacher for each in tried if each.student == "plain"} == {
        "",
        "boosting",
        "network",
    }


@pytest.mark.parametrize("part", [0, 2])
def test_networks_that_show_layers_never_met_the_rows_that_judge(part: int) -> None:
    y = made()[1]
    first = judge(y, shown=shown())
    rows = first.bank.folds.judging[part]
    other = y.copy()
    other[rows] = 1 - y[rows]
    second = judge(other, shown=shown())
    np.testing.assert_array_equal(rows, second.bank.folds.judging[part])

    def layers(each: Judge, at: int) -> list[NDArray[np.float64]]:
        candidate = Candidate("shown", "cross-fitted", "network")
        record = each.bank.inner("cross-fitted", "network", at)
        _, lesson = each.lesson(candidate, record, each.bank.folds.learning[at])
        (networks,) = lesson.options["features"].teachers
        return [
            weights.detach().numpy()
            for network in networks
            for weights in network.module_.parameters()
        ]

    for one, two in zip(layers(first, part), layers(second, part), strict=True):
        np.testing.assert_array_equal(one, two)
    changed = 1 if part == 0 else 0
    assert any(
        not np.array_equal(one, two)
        for one, two in zip(
            layers(first, changed), layers(second, changed), strict=True
        )
    )


def test_the_search_fits_what_it_chose() -> None:
    X, y = made()
    auto = AutoDistiller(network(), {"s": shown()}, preset="fast", cv=3, random_state=0)
    found = auto.fit(X, y)
    taught = [each for each in found.choice_.candidates if each.teacher]
    assert taught
    assert all(np.isfinite(found.choice_.table(found.seconds_)["loss"]))
    assert found.predict_proba(X).shape == (120, 2)


def test_arms_of_a_student_of_layers() -> None:
    X, y = made()
    train, test = Table(X[:80], y[:80], None, None), Table(X[80:], y[80:], None, None)
    options: dict[str, Any] = {"n_refits": 1, "seed": 0}
    of_layers, plain = (
        compare_sides(
            train, test, DistilledClassifier(network(), student, cv=2), **options
        )[1]
        for student in (shown(), network(TorchStudent))
    )
    for name in ("teacher", "scratch", "scratch, tuned"):
        np.testing.assert_array_equal(
            of_layers[name].predict(test), plain[name].predict(test)
        )
    for name, words in (
        ("in-sample", "hidden layers of a teacher that saw the rows"),
        ("cross-fitted", "hidden layers of the teachers that label"),
    ):
        assert words in of_layers[name].model.labels_.strategy
        assert not np.array_equal(
            of_layers[name].predict(test), plain[name].predict(test)
        )


def test_what_no_comparison_can_show() -> None:
    X, y = made()
    model = DistilledClassifier(network(), shown(taught_by="all"))
    with pytest.raises(ValueError, match="Use taught_by='folds'"):
        compare(X, y, model)
    with pytest.raises(ValueError, match="Use taught_by='folds'"):
        AutoDistiller(network(), shown(taught_by="all")).fit(X, y)
    with pytest.raises(TypeError, match="teacher must be a network"):
        AutoDistiller("boosting", shown(), preset="fast").fit(X, y)
    table = Table(X, y, None, None, student_view=X[:, :2])
    with pytest.raises(ValueError, match="Give both the same columns"):
        compare_sides(table, table, DistilledClassifier(network(), shown()), seed=0)


def test_the_command_line_has_layers() -> None:
    both = {"teacher": "network", "student": "network"}
    settings = Settings("y", layers="hint, distance", **both)
    assert settings.shown_layers == ("hint", "distance")
    frame = pd.DataFrame({"age": np.arange(12.0)})
    encoder = fit_plan(frame, student="linear", random_state=0).encoder
    found = asked_student(settings, encoder, 1.0)
    assert [each.name for each in _losses(found)] == ["hint", "distance"]
    # Maps of several pixels, which no table has, are the only ones that are missing.
    assert {f"network+{name}" for name in (*LAYERS, "attention")} == {
        name for name in STUDENTS if "+" in name
    }
    with pytest.raises(UsageError, match="networks on both sides"):
        Settings("y", layers="hint")
    with pytest.raises(ValueError, match="Did you mean 'hint'"):
        Settings("y", layers="hnit", **both)


def _losses(student: FeatureStudent) -> Any:
    from semikd.features import get_features

    return get_features(student.features)


def test_the_command_line_protects_a_column_however_it_is_coded() -> None:
    frame = pd.DataFrame(
        {
            "age": np.arange(12.0),
            "race": list("abc" * 4),
            "sex": ["f", "m"] * 6,
        }
    )
    plan = fit_plan(frame, student="linear", random_state=0)
    features, _ = plan.encoder.encode(frame)
    for column in ("race", "sex"):
        settings = Settings("y", student="network", protected=column)
        assert settings.parted_by == column
        student = asked_student(settings, plan.encoder, 1.0)
        codes = protected_codes(features, student.protected, np.ones(12, dtype=bool))
        _, own = np.unique(frame[column], return_inverse=True)
        # The same groups, by whatever number.
        assert len(set(zip(codes.tolist(), own.tolist(), strict=True))) == len(
            set(own.tolist())
        )
    with pytest.raises(UsageError, match="Did you mean 'race'"):
        asked_student(
            Settings("y", student="network", protected="rase"), plan.encoder, 1.0
        )


@pytest.mark.parametrize(
    "settings",
    [
        {"student": "tree"},
        {"student": "network", "teacher": "network", "layers": "hint"},
        {"student": "network", "task": "regression"},
    ],
)
def test_what_no_opponent_can_play_against(settings: Any) -> None:
    with pytest.raises(UsageError, match="--protected must"):
        Settings("y", protected="sex", **settings)


def test_several_protected_columns_are_their_combinations() -> None:
    X = np.array([[0.0, 1.0, 5.0], [0.0, 0.0, 5.0], [1.0, 1.0, 5.0], [0.0, 1.0, 7.0]])
    counts = np.ones(4, dtype=bool)
    codes = protected_codes(X, [0, 1], counts)
    assert codes[0] == codes[3]
    assert len(set(codes.tolist())) == 3
    with pytest.raises(ValueError, match="got an empty list"):
        protected_codes(X, [], counts)
