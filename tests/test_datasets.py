"""Data sets are loaded by name, as one record with one numeric view."""

import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from semikd import datasets
from semikd.datasets import Dataset, list_datasets, load_dataset, ordinal_matrix


def record(**changes):
    fields = {
        "name": "toy",
        "X": pd.DataFrame({"a": [1.0, 2.0]}),
        "y": np.array([0, 1]),
        "task": "classification",
        "description": "",
        "source": "",
        "licence": "",
    }
    return Dataset(**(fields | changes))


def test_importing_the_room_loads_no_heavy_library():
    code = (
        "import sys, semikd.datasets\n"
        "heavy = {'pandas', 'sklearn', 'statsmodels', 'torch', 'PIL', 'scipy'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_every_public_name_resolves_into_the_room():
    homes = {getattr(datasets, name).__module__ for name in datasets.__all__}
    assert len(datasets.__all__) == len(set(datasets.__all__)) == 10
    assert all(home.startswith("semikd.datasets.") for home in homes)


def test_a_data_set_survives_pickling_and_shows_its_size():
    data = pickle.loads(pickle.dumps(record()))  # noqa: S301
    assert repr(data) == "Dataset('toy', classification, 2 x 1)"


def test_a_data_set_cannot_be_changed():
    with pytest.raises(AttributeError, match="cannot assign"):
        record().y = None


@pytest.mark.parametrize("name", ["y", "sample_weight", "groups", "true_proba"])
def test_one_entry_per_row_is_demanded(name):
    with pytest.raises(
        ValueError, match=f"{name} must have one entry per row; got 3 for 2"
    ):
        record(**{name: np.zeros(3)})


def test_probabilities_need_two_axes():
    with pytest.raises(ValueError, match=r"true_proba must have shape \(2, any\)"):
        record(true_proba=np.zeros(2))


def test_an_unknown_task_is_answered_with_the_nearest():
    with pytest.raises(ValueError, match="Did you mean 'regression'"):
        record(task="regresion")


def test_codes_follow_the_declaration_and_not_the_values():
    declared = ["low", "middle", "high"]
    rows = pd.DataFrame(
        {
            "level": pd.Categorical(["high", None, "low"], categories=declared),
            "count": pd.array([1, None, 3], dtype="Int64"),
            "flag": [True, False, True],
            "size": [0.5, np.nan, 2.0],
        }
    )
    expected = [[2, 1, 1, 0.5], [np.nan, np.nan, 0, np.nan], [0, 3, 1, 2]]
    np.testing.assert_array_equal(ordinal_matrix(rows), expected)
    np.testing.assert_array_equal(ordinal_matrix(rows.iloc[:1]), expected[:1])
    assert ordinal_matrix(rows).dtype == np.float64


def test_images_become_flat_rows():
    X = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    np.testing.assert_array_equal(ordinal_matrix(X), np.arange(24.0).reshape(2, 12))


def test_text_without_declared_categories_is_refused_by_column():
    with pytest.raises(TypeError, match=r"column 'word' must hold numbers.*Declare"):
        ordinal_matrix(pd.DataFrame({"word": ["a", "b"]}))


def test_the_list_names_task_size_and_place_of_every_set():
    table = list_datasets()
    assert table.columns.tolist() == [
        "task",
        "n_samples",
        "shape",
        "n_classes",
        "where",
    ]
    assert set(table["task"]) == {"classification", "regression", "effect"}
    assert ((table["n_classes"] == 0) == (table["task"] != "classification")).all()
    assert table.loc["ihdp_2", "where"] == "ihdp/"


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(ValueError, match="Did you mean 'adult'"):
        load_dataset("adlut")


def test_fair_asks_for_any_affair():
    data = load_dataset("fair")
    assert int(data.y.sum()) == 2053
    assert "affairs" not in data.X.columns
    np.testing.assert_array_equal(data.y == 1, data.extra["outcome"] > 0)


def test_randhie_groups_are_the_identical_rows():
    data = load_dataset("randhie")
    rows = np.unique(data.numeric(), axis=0, return_inverse=True)[1].ravel()
    pairs = np.unique(np.column_stack([rows, data.groups]), axis=0)
    assert len(pairs) == rows.max() + 1 == data.groups.max() + 1
    assert "mdvis" not in data.X.columns


@pytest.fixture
def openml(monkeypatch):
    from sklearn import datasets as sklearn_datasets
    from sklearn.utils import Bunch

    calls = []
    bunch = Bunch(
        data=pd.DataFrame({"a": [1.0, 2.0]}),
        target=pd.Series(pd.Categorical(["no", "yes"])),
        details={"id": "31", "licence": "Public"},
    )

    def fetch(name, **options):
        calls.append((name, options))
        return bunch

    monkeypatch.setattr(sklearn_datasets, "fetch_openml", fetch)
    return calls, bunch


def test_openml_is_asked_by_name_and_version(openml, tmp_path):
    calls, _ = openml
    data = load_dataset("openml:credit-g@2", cache=tmp_path)
    assert calls[0][0] == "credit-g"
    assert calls[0][1]["version"] == 2
    assert calls[0][1]["data_home"] == tmp_path
    assert (data.task, data.licence) == ("classification", "Public")
    assert data.source.endswith("/d/31")
    load_dataset("openml:credit-g")
    assert calls[1][1]["version"] == "active"


def test_a_numeric_openml_target_is_a_regression(openml):
    openml[1].target = pd.Series([0.5, 1.5])
    assert load_dataset("openml:house").task == "regression"


@pytest.mark.parametrize("target", [None, pd.DataFrame({"a": [1, 2], "b": [1, 2]})])
def test_openml_sets_without_one_target_are_refused(target, openml):
    openml[1].target = target
    with pytest.raises(ValueError, match="one target; got 'openml:house'"):
        load_dataset("openml:house")


def test_names_after_openml_are_checked_before_the_network(openml):
    with pytest.raises(
        ValueError, match="integer version after '@'; got 'openml:a@new'"
    ):
        load_dataset("openml:a@new")
    with pytest.raises(ValueError, match="name a data set after 'openml:'"):
        load_dataset("openml:")
    assert openml[0] == []
