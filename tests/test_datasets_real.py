"""Real sets are what their documentation says; files where they are at hand."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semikd.datasets import list_datasets, load_dataset

TABLE = list_datasets()
OFFLINE = TABLE.index[~TABLE["where"].str.endswith("/")].tolist()
FROM_FILES = TABLE.index[TABLE["where"].str.endswith("/")].tolist()
# Sets that may not be handed on: their loaders are tested on files made for it.
BROUGHT = ["heloc", "higgs", "stumbleupon"]


@pytest.fixture(scope="session")
def data_home():
    folder = os.environ.get("SEMIKD_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("SEMIKD_DATA names no folder: the real files are not at hand")
    return folder


@pytest.fixture(scope="session")
def image_cache(tmp_path_factory):
    return tmp_path_factory.mktemp("images")


def assert_declared_size(data):
    entry = TABLE.loc[data.name]
    assert data.X.shape == (entry["n_samples"], *entry["shape"])
    assert len(data.y) == entry["n_samples"]
    assert data.task == entry["task"]
    assert pd.notna(np.asarray(data.y)).all()
    if entry["n_classes"]:
        assert len(np.unique(np.asarray(data.y))) == entry["n_classes"]
    assert min(len(data.description), len(data.source), len(data.licence)) > 5


@pytest.mark.parametrize("name", OFFLINE)
def test_bundled_sets_have_the_declared_size(name, monkeypatch):
    monkeypatch.delenv("SEMIKD_DATA", raising=False)
    assert_declared_size(load_dataset(name))


@pytest.mark.parametrize(
    "name", [name for name in FROM_FILES if name not in ("cifar10", *BROUGHT)]
)
def test_real_files_have_the_declared_size(name, data_home):
    assert_declared_size(load_dataset(name, data_home=data_home))


@pytest.mark.parametrize("name", BROUGHT)
def test_files_that_a_user_brings_have_two_classes(name, data_home):
    if not (Path(data_home) / name).is_dir():
        pytest.skip(f"{data_home} has no folder {name}: its file must be brought")
    data = load_dataset(name, data_home=data_home)
    assert len(np.unique(np.asarray(data.y))) == TABLE.loc[name, "n_classes"]


@pytest.mark.slow
def test_real_cifar10_has_six_thousand_images_per_class(data_home, image_cache):
    data = load_dataset("cifar10", data_home=data_home, cache=image_cache)
    assert_declared_size(data)
    assert np.bincount(data.y).tolist() == [6000] * 10
    assert len(data.extra["train_index"]) == 50000
    # Mean of the training pixels as published, in units of the full range.
    means = data.X[data.extra["train_index"]].mean(axis=(0, 1, 2)) / 255
    np.testing.assert_allclose(means, [0.4914, 0.4822, 0.4465], atol=2e-3)


def test_real_class_counts_agree_with_the_documentation(data_home):
    expected = {
        "adult": {"<=50K": 37155, ">50K": 11687},
        "magic": {"g": 12332, "h": 6688},
        "bank_marketing": {"no": 36548, "yes": 4640},
        "spambase": {0: 2788, 1: 1813},
        "covertype_15k": dict.fromkeys(range(1, 8), 2160),
        "electricity": {0: 26075, 1: 19237},
    }
    for name, counts in expected.items():
        y = load_dataset(name, data_home=data_home).y
        assert y.value_counts().to_dict() == counts, name


def test_real_adult_has_the_documented_missing_values_and_split(data_home):
    data = load_dataset("adult", data_home=data_home)
    missing = data.X.isna().sum()
    assert missing[missing > 0].to_dict() == {
        "workclass": 2799,
        "occupation": 2809,
        "native-country": 857,
    }
    assert len(data.extra["test_index"]) == 16281
    repeated = data.X.groupby("education", observed=True)["education-num"].nunique()
    assert (repeated == 1).all()
    assert data.numeric().shape == (48842, 14)


def test_real_duplicates_are_as_many_as_the_descriptions_say(data_home):
    assert load_dataset("magic", data_home=data_home).X.duplicated().sum() == 115
    letter = load_dataset("letter", data_home=data_home)
    assert letter.X.assign(y=letter.y).duplicated().mean() == pytest.approx(
        0.067, abs=5e-4
    )
    cover = load_dataset("covertype_15k", data_home=data_home).X
    assert (cover.nunique() == 1).sum() == 2


def test_real_mnist_has_the_published_mean(data_home):
    data = load_dataset("mnist", data_home=data_home)
    train = data.X[data.extra["train_index"]]
    assert train.shape == (60000, 28, 28)
    assert train.mean() / 255 == pytest.approx(0.1307, abs=1e-4)


def difference_in_means(data):
    treated = data.extra["treatment"] == 1
    return data.y[treated].mean() - data.y[~treated].mean()


def test_real_effect_sets_give_the_known_differences(data_home):
    load = {
        n: load_dataset(n, data_home=data_home)
        for n in TABLE.index[TABLE.task == "effect"]
    }
    assert difference_in_means(load["lalonde"]) == pytest.approx(1794.34, abs=0.005)
    assert difference_in_means(load["pension401k"]) == pytest.approx(19559, abs=0.5)
    assert load["lalonde_cps"].extra["treatment"].sum() == 185
    assert len(load["penn_bonus"].extra["all_rows"]) == 13913
    assert np.isfinite(load["penn_bonus"].y).all()
    for name in ("ihdp", "ihdp_2", "ihdp_3"):
        assert set(load[name].X["x14"]) == {0, 1}
        assert load[name].extra["treatment"].sum() == 139


def test_real_lalonde_files_agree_with_each_other(data_home):
    experiment = load_dataset("lalonde", data_home=data_home)
    survey = load_dataset("lalonde_cps", data_home=data_home)
    trained = experiment.numeric()[experiment.extra["treatment"] == 1]
    again = survey.numeric()[survey.extra["treatment"] == 1]
    np.testing.assert_allclose(np.sort(trained, axis=0), np.sort(again, axis=0))
