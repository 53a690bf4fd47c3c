"""The main job on real rows: what is judged is what ships, and what is written."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_diabetes, load_iris
from sklearn.metrics import log_loss

from semikd.artifact import load_model
from semikd.crossfit import row_hashes, seeded_clone
from semikd.datasets import load_dataset
from semikd.encoding import Encoder, NumberColumn
from semikd.exceptions import UsageError
from semikd.job import read_table
from semikd.job.asked import imported_teacher
from semikd.job.distilling import distil
from semikd.job.encoded import read_sides
from semikd.job.learners import asked_student, named_teacher
from semikd.job.names import STUDENTS, TEACHERS, TEACHERS_OF_CLASSES
from semikd.job.results import write_result
from semikd.job.settings import Settings
from semikd.job.sides import raw_sides

# What a search finds is tried in a module of its own.
QUICK = {"teacher": "linear", "leaves": 8, "refits": 1, "preset": "none"}


@pytest.fixture(scope="module")
def fair() -> pd.DataFrame:
    data = load_dataset("fair")
    # The file is sorted by its outcome: every part of this table has both.
    rows = data.X.assign(affair=data.y).iloc[::4]
    return rows.sample(frac=1, random_state=0).reset_index(drop=True)


@pytest.fixture(scope="module")
def mixed() -> pd.DataFrame:
    """A table of every kind of column, with a class that depends on all of them."""
    draws, n = np.random.default_rng(0), 900
    colour = draws.choice(["red", "green", "blue", None], n)
    joined = pd.Timestamp("2020-01-01") + pd.to_timedelta(
        draws.integers(0, 900, n), "D"
    )
    size = np.where(draws.random(n) < 0.1, np.nan, draws.normal(size=n))
    words = [
        " ".join(draws.choice(["sun", "rain", "snow", "wind"], 6)) for _ in range(n)
    ]
    note = [f"{text} {at % 400}" for at, text in enumerate(words)]
    rain = np.array([text.count("rain") for text in words])
    score = np.nan_to_num(size) + (colour == "red") + rain - 1.5
    y = np.where(draws.random(n) < 1 / (1 + np.exp(-2 * score)), "yes", "no")
    return pd.DataFrame(
        {"colour": colour, "joined": joined, "size": size, "note": note, "y": y}
    )


def test_the_files_hold_the_model_that_was_judged(fair, tmp_path: Path) -> None:
    outcome = distil(fair, Settings("affair", **QUICK))
    written = write_result(outcome, tmp_path, table=None)
    assert written.gap < 1e-9
    model, test = load_model(tmp_path), outcome.sides.test
    mine = log_loss(test.y, model.predict_proba(test.X))
    found = json.loads((tmp_path / "metrics.json").read_text())
    assert found["arms"]["cross-fitted"]["log_loss"] == pytest.approx(mine, abs=2e-3)
    assert {path.name for path in tmp_path.iterdir()} == {
        "labels.csv.gz",
        "metrics.json",
        "model.json",
        "model.npz",
        "report.html",
    }
    sizes = [(tmp_path / name).stat().st_size for name in ("model.json", "model.npz")]
    assert sum(sizes) == written.model_bytes == found["model"]["bytes"]


def test_the_score_of_the_shipped_model_is_its_own(fair, tmp_path: Path) -> None:
    outcome = distil(fair, Settings("affair", **QUICK | {"refits": 2}))
    write_result(outcome, tmp_path, table=None)
    test = outcome.sides.test
    proba = load_model(tmp_path).predict_proba(test.X)
    mine = log_loss(test.y, (1 - 2e-3) * proba + 1e-3)
    found = json.loads((tmp_path / "metrics.json").read_text())
    own = found["model"]["held_out_scores"]
    assert own["log_loss"] == pytest.approx(mine, abs=1e-12)
    assert found["arms"]["cross-fitted"]["log_loss"] != pytest.approx(mine, abs=1e-6)
    note = (
        f"means over 2 fits; the shipped model, of the first, has log_loss {mine:.4f}"
    )
    assert any(note in said for said in found["notes"])
    once = distil(fair, Settings("affair", **QUICK))
    assert not any("means over" in said for said in once.notes)


def test_labels_come_with_folds_and_the_rows_they_are_for(fair, tmp_path: Path) -> None:
    outcome = distil(fair, Settings("affair", cv=3, **QUICK))
    write_result(outcome, tmp_path, table=None)
    labels = read_table(tmp_path / "labels.csv.gz", text_columns=["row_hash"])
    assert len(labels) == len(outcome.sides.train.y)
    assert sorted(labels["fold"].unique()) == [0, 1, 2]
    rows = fair.drop(columns="affair").iloc[labels["row"]]
    assert labels["row_hash"].tolist() == [f"{h:016x}" for h in row_hashes(rows)]
    np.testing.assert_allclose(labels[["p(0)", "p(1)"]].sum(axis=1), 1.0, atol=1e-9)


def test_brought_labels_give_the_student_that_the_teacher_gave(
    fair, tmp_path: Path
) -> None:
    own = distil(fair, Settings("affair", **QUICK))
    write_result(own, tmp_path, table=None)
    # Only training rows have a label: the others are held out, as before.
    settings = Settings(
        "affair", labels=str(tmp_path / "labels.csv.gz"), leaves=8, refits=1
    )
    brought = distil(fair, settings)
    np.testing.assert_array_equal(np.sort(brought.sides.rows), np.sort(own.sides.rows))
    assert "teacher" not in brought.comparison.names
    assert any("are held out" in note for note in brought.notes)
    mine, theirs = (o.model.predict_proba(own.sides.test.X) for o in (brought, own))
    np.testing.assert_allclose(mine, theirs, atol=1e-9)


def test_labels_of_all_rows_come_with_a_warning(fair, tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    rows = np.arange(len(fair))
    table = {"row": rows, "fold": rows % 5, "p(0)": 0.7, "p(1)": 0.3}
    pd.DataFrame(table).to_csv(path, index=False)
    outcome = distil(fair, Settings("affair", labels=str(path), leaves=8, refits=1))
    assert any("may have seen the held-out rows" in note for note in outcome.notes)


def test_only_the_teacher_reads_texts(mixed) -> None:
    outcome = distil(mixed, Settings("y", **QUICK | {"teacher": "boosting"}))
    assert {c.name for c in outcome.model.encoder.columns} == {
        "colour",
        "joined",
        "size",
    }
    assert any("'note'" in note for note in outcome.notes)
    # The words decide much of y: only their reader knows it.
    auc = outcome.comparison.table["auc"]
    assert auc["teacher"] > auc["cross-fitted"] + 0.05


@pytest.mark.parametrize("student", STUDENTS)
def test_every_student_ships_what_it_says(mixed, tmp_path: Path, student: str) -> None:
    settings = Settings("y", student=student, **QUICK)
    outcome = distil(mixed, settings)
    written = write_result(outcome, tmp_path, table="mixed.csv")
    assert written.gap < 1e-9
    assert outcome.comparison.table.loc["cross-fitted", "auc"] > 0.6


@pytest.mark.parametrize(
    ("teacher", "classification"),
    [(name, True) for name in TEACHERS]
    + [(name, False) for name in TEACHERS if name not in TEACHERS_OF_CLASSES],
)
def test_every_teacher_reads_gaps(teacher: str, classification: bool) -> None:
    X = np.random.default_rng(0).normal(size=(60, 3))
    X[::7, 0] = np.nan
    y = (X[:, 1] > 0).astype(int) if classification else X[:, 1]
    fitted = seeded_clone(named_teacher(teacher, classification=classification), 0)
    assert fitted.fit(X, y).score(X, y) > 0.3


def test_a_number_of_many_values_is_a_regression(tmp_path: Path) -> None:
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    outcome = distil(X.assign(progress=y), Settings("progress", **QUICK))
    assert "regression" in outcome.notes[0]
    assert write_result(outcome, tmp_path, table="d.csv").gap < 1e-9
    model, test = load_model(tmp_path), outcome.sides.test
    error = ((model.predict(test.X) - test.y) ** 2).mean()
    judged = outcome.comparison.table.loc["cross-fitted", "squared_error"]
    assert error == pytest.approx(judged, rel=1e-9)


def test_three_classes_are_three_columns(tmp_path: Path) -> None:
    X, y = load_iris(return_X_y=True, as_frame=True)
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    outcome = distil(X.assign(kind=names), Settings("kind", **QUICK))
    write_result(outcome, tmp_path, table="iris.csv")
    model = load_model(tmp_path)
    assert model.classes == ("setosa", "versicolor", "virginica")
    assert model.predict_proba(X).shape == (150, 3)
    labels = read_table(tmp_path / "labels.csv.gz")
    assert {"p(setosa)", "p(versicolor)", "p(virginica)"} <= set(labels.columns)


def test_groups_stay_on_one_side_and_weights_of_zero_play_no_part(fair) -> None:
    draws = np.random.default_rng(0)
    weight = draws.integers(0, 3, len(fair)).astype(float)
    table = fair.assign(house=np.arange(len(fair)) // 3, w=weight)
    outcome = distil(table, Settings("affair", groups="house", weight="w", **QUICK))
    train, test = outcome.sides.train, outcome.sides.test
    assert not set(train.groups) & set(test.groups)
    assert (train.weights > 0).all()
    assert (test.weights > 0).all()
    assert not {"house", "w"} & set(train.X.columns)
    np.testing.assert_array_equal(train.weights, weight[outcome.sides.rows])


def test_held_out_rows_may_be_brought(fair) -> None:
    outcome = distil(
        fair.head(1000),
        Settings("affair", test="rest.csv", **QUICK),
        held_out=fair.tail(400).assign(affair=lambda t: t["affair"].astype(float)),
    )
    assert len(outcome.sides.train.y) == 1000
    np.testing.assert_array_equal(outcome.sides.test.y, fair["affair"].tail(400))


def test_equal_seeds_give_equal_models(fair) -> None:
    a, b, c = (
        distil(fair, Settings("affair", seed=seed, **QUICK)) for seed in (1, 1, 2)
    )
    frame = fair.drop(columns="affair")
    same, other = (m.model.predict_proba(frame) for m in (b, c))
    np.testing.assert_array_equal(a.model.predict_proba(frame), same)
    assert not np.array_equal(same, other)


def test_a_correction_of_the_users_own_is_what_ships(fair) -> None:
    quick = {"teacher": "linear", "leaves": 8, "refits": 1}
    outcome = distil(fair, Settings("affair", correction="0.3", **quick))
    assert outcome.shipped == "corrected"
    assert "0.3" in outcome.comparison.table.loc["corrected", "setting"]


def test_a_teacher_of_ones_own_reads_the_table_as_it_is(
    mixed, tmp_path: Path, monkeypatch
) -> None:
    (tmp_path / "my_teacher_module.py").write_text(
        "import pandas as pd\n"
        "from sklearn.pipeline import make_pipeline\n"
        "from sklearn.feature_extraction.text import CountVectorizer\n"
        "from sklearn.compose import make_column_transformer\n"
        "from sklearn.linear_model import LogisticRegression\n"
        "def build():\n"
        "    words = make_column_transformer((CountVectorizer(), 'note'))\n"
        "    return make_pipeline(words, LogisticRegression())\n"
    )
    monkeypatch.chdir(tmp_path)
    settings = Settings("y", teacher="my_teacher_module:build", leaves=8, refits=1)
    outcome = distil(mixed, settings)
    assert outcome.comparison.table.loc["teacher", "auc"] > 0.7
    broken = Settings("y", teacher="sklearn.svm:LinearSVC", leaves=8, refits=1)
    with pytest.raises(TypeError, match=r"teacher must .*predict_proba"):
        distil(mixed, broken)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("sklearn", "have the form package.module:object"),
        ("no_such_module:x", "be importable; got .*ModuleNotFoundError"),
        ("sklearn.naive_bayes:GausianNB", "Did you mean 'GaussianNB'"),
        ("math:pi", "name an estimator"),
        ("os:remove", "be callable without arguments"),
    ],
)
def test_a_teacher_that_is_not_there_is_refused(path: str, words: str) -> None:
    with pytest.raises(UsageError, match=f"--teacher must .*{words}|{words}"):
        imported_teacher(path)
    assert imported_teacher("sklearn.naive_bayes:GaussianNB").get_params()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"student": "tre"}, "--student must be one of .*Did you mean 'tree'"),
        ({"teacher": "bosting"}, "--teacher must .*Did you mean 'boosting'"),
        ({"task": "regresion"}, "--task must .*Did you mean 'regression'"),
        ({"correction": "strong"}, "--correction must be one of 'none'"),
        ({"correction": "1.5"}, "--correction must be a number .* at most 1"),
        ({"leaves": 1}, "--leaves must be an integer of at least 2"),
        ({"cv": 1}, "--cv must be an integer of at least 2"),
        ({"seed": -1}, "--seed must be an integer of at least 0"),
        ({"refits": 0}, "--refits must be an integer of at least 1"),
        ({"key": "id"}, "--key must come with --labels"),
        ({"labels": "a.csv", "teacher": "linear"}, "--teacher must be absent"),
    ],
)
def test_settings_that_no_job_could_use_are_refused(settings, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Settings("y", **settings)
    assert Settings("y", correction="0.2").strength == 0.2


def test_a_share_to_hold_out_is_below_one() -> None:
    with pytest.raises(ValueError, match="--test must be a number above 0"):
        _ = Settings("y", test="1.5").test_share
    assert Settings("y", test="rows.csv").test_share is None


def test_a_command_can_be_typed_again() -> None:
    settings = Settings("my target", leaves=16, weight="w", seed=3)
    assert settings.command("a table.csv") == (
        "semikd distill 'a table.csv' --target 'my target' --leaves 16 --weight w "
        "--seed 3"
    )


def test_named_students_keep_their_leaves() -> None:
    settings = Settings("y", student="forest", leaves=9)
    columns = (NumberColumn("age"),)
    assert asked_student(settings, Encoder(columns), 100.0).max_leaf_nodes == 9


def test_copies_among_held_out_rows_are_counted(fair) -> None:
    sides = raw_sides(
        fair.head(1000), Settings("affair", test="t.csv"), held_out=fair.tail(700)
    )
    known = set(row_hashes(sides.train.X))
    n_known = sum(code in known for code in row_hashes(sides.test.X))
    assert n_known > 100
    assert f"{n_known:,} of 700 held-out rows have a copy" in sides.notes[-1]


def test_nobody_reads_components_that_nobody_asked_for(mixed) -> None:
    raw = raw_sides(mixed, Settings("y"))
    numbers = read_sides(raw, Settings("y"), teacher_reads_table=False)
    table = read_sides(raw, Settings("y"), teacher_reads_table=True)
    assert numbers.train.X.shape[1] == numbers.train.features.shape[1] + 30
    assert list(table.train.X.columns) == ["colour", "joined", "size", "note"]
    said = next(note for note in table.plan.notes if "'note'" in note)
    assert "teacher" not in said
    assert table.plan.texts == ()


def test_a_class_of_two_rows_cannot_be_divided(fair) -> None:
    rare = fair.assign(affair=fair["affair"].astype(str))
    rare.loc[:1, "affair"] = "rare"
    with pytest.raises(UsageError, match=r"--target must have at least 3 .* got 2 of"):
        raw_sides(rare, Settings("affair"))
    rare.loc[:2, "affair"] = "rare"
    assert raw_sides(rare, Settings("affair")).target.classes[-1] == "rare"


def test_weights_of_a_survey_are_spoken_of(fair) -> None:
    plain, survey = (
        raw_sides(fair.assign(w=weight), Settings("affair", weight="w")).notes
        for weight in (2, 190_000)
    )
    assert any("with a mean of 190,000" in note for note in survey)
    assert not any("with a mean of" in note for note in plain)
