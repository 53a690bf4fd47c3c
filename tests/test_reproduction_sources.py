"""Where the paper's data sets come from: a folder, openml.org, or nowhere yet."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import URLError

import numpy as np
import pandas as pd
import pytest
from sklearn.impute import SimpleImputer
from sklearn.utils import Bunch

from semikd.datasets._categories import ADULT
from semikd.reproduction.forests.readings import OPENML, READINGS, divided, read_table

Calls = list[tuple[str, Any]]
Answer = Callable[[], tuple[pd.DataFrame, pd.Series]]


def persons() -> tuple[pd.DataFrame, pd.Series]:
    """Return persons as openml.org has them: categories by the alphabet, with gaps."""
    draws = np.random.default_rng(0)
    columns: dict[str, Any] = {"age": [25, 39, 40, 51]}
    for name, categories in ADULT.items():
        values = draws.choice(categories, 4)
        columns[name] = pd.Categorical(values, categories=sorted(categories))
    frame = pd.DataFrame(columns)
    frame["workclass"] = frame["workclass"].where([True, True, False, True])
    frame["sex"] = pd.Categorical(["Male", "Female", "Female", "Male"])
    y = pd.Series(["<=50K", ">50K", "<=50K", ">50K"], dtype="category", name="class")
    return frame, y


def showers() -> tuple[pd.DataFrame, pd.Series]:
    """Return showers."""
    X = pd.DataFrame(np.arange(12.0).reshape(4, 3), columns=list("abc"))
    return X, pd.Series(["h", "g", "g", "h"], dtype="category")


def collisions() -> tuple[pd.DataFrame, pd.Series]:
    """Return collisions, one number of which is missing."""
    X = pd.DataFrame(np.arange(12.0).reshape(4, 3), columns=list("abc"))
    X.iloc[3, 2] = np.nan
    return X, pd.Series(["1", "0", "0", "1"], dtype="category")


@pytest.fixture
def online(monkeypatch: pytest.MonkeyPatch) -> Callable[[Answer], Calls]:
    """Return what answers in the place of the network, and notes what is asked."""

    def install(answer: Answer) -> Calls:
        calls: Calls = []

        def fetch(name: str, *, version: Any = "active", **more: Any) -> Bunch:
            calls.append((name, version))
            assert more["as_frame"] is True
            X, y = answer()
            return Bunch(data=X, target=y, details={"id": "0"})

        monkeypatch.setattr("sklearn.datasets.fetch_openml", fetch)
        return calls

    return install


def test_adult_of_openml_is_coded_as_declared(
    online: Callable[[Answer], Calls],
) -> None:
    calls = online(persons)
    table = read_table("adult", OPENML)
    assert calls == [("adult", 2)]
    frame, _ = persons()
    for at, name in enumerate(frame.columns):
        if name in ADULT:
            codes = [
                np.nan if pd.isna(value) else float(ADULT[name].index(value))
                for value in frame[name]
            ]
            # A gap is at the mean of the codes, as the paper's imputer puts it.
            expected = SimpleImputer().fit_transform(np.array(codes)[:, None])[:, 0]
            np.testing.assert_allclose(table.filled()[:, at], expected)
    # 'Female' is declared first; by the alphabet other columns would have other codes.
    assert table.X[:, list(frame).index("sex")].tolist() == [1, 0, 0, 1]
    first = frame["workclass"].cat.codes.to_numpy(dtype=float)
    assert (table.X[[0, 1, 3], 1] != first[[0, 1, 3]]).any()
    assert table.y.tolist() == [0, 1, 0, 1]


def test_an_undeclared_category_of_openml_is_refused(
    online: Callable[[Answer], Calls],
) -> None:
    def odd() -> tuple[pd.DataFrame, pd.Series]:
        frame, y = persons()
        return frame.assign(race=pd.Categorical(["Martian"] * 4)), y

    online(odd)
    with pytest.raises(ValueError, match=r"'race' must hold only declared .*'Martian'"):
        read_table("adult", OPENML)


def test_magic_of_openml_is_the_active_version(
    online: Callable[[Answer], Calls],
) -> None:
    calls = online(showers)
    table = read_table("magic", OPENML)
    assert calls == [("MagicTelescope", "active")]
    np.testing.assert_array_equal(table.X, showers()[0])
    assert table.y.tolist() == [1, 0, 0, 1]
    assert (table.name, table.metric) == ("magic", "AUC")


def test_gaps_of_higgs_are_at_the_mean_of_all_rows(
    online: Callable[[Answer], Calls],
) -> None:
    calls = online(collisions)
    table = read_table("higgs", OPENML)
    assert calls == [("higgs", 2)]
    # Rows 0 to 2 have 2, 5 and 8 there, whichever side they fall on.
    assert table.filled()[3, 2] == 5.0
    np.testing.assert_array_equal(
        table.filled(), SimpleImputer().fit_transform(collisions()[0])
    )
    assert table.y.tolist() == [1, 0, 0, 1]
    rows = {*divided(table, 0).y.tolist(), *divided(table, 0).y_test.tolist()}
    assert rows == {0, 1}


@pytest.mark.parametrize("name", ["adult", "magic", "higgs"])
@pytest.mark.parametrize(
    "error", [URLError("no route to host"), TimeoutError("timed out")]
)
def test_a_network_that_fails_is_one_line(
    name: str, error: OSError, online: Callable[[Answer], Calls]
) -> None:
    def fail() -> Any:
        raise error

    online(fail)
    with pytest.raises(ValueError, match="--data openml must be reachable") as refused:
        read_table(name, OPENML)
    said = str(refused.value)
    assert type(error).__name__ in said
    assert said.endswith("Download the file, and pass its folder.")
    assert "\n" not in said


@pytest.mark.parametrize("name", ["heloc", "stumbleupon", "fair"])
def test_what_openml_does_not_have_is_not_asked_for(
    name: str, online: Callable[[Answer], Calls]
) -> None:
    calls = online(showers)
    with pytest.raises(ValueError, match=f"--data must be a folder for '{name}'; got"):
        read_table(name, OPENML)
    assert calls == []


FILES = {
    "adult": "adult/adult.test.gz",
    "magic": "magic/magic04.data.gz",
    "heloc": "heloc/heloc_dataset_v1.csv",
    "higgs": "higgs/higgs.csv",
    "stumbleupon": "stumbleupon/evergreen.npz",
}


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named_with_its_place_and_source(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SEMIKD_DATA", raising=False)
    for folder, shown in ((None, r"None and no \$SEMIKD_DATA"), (tmp_path, "no such")):
        words = f"must hold the file {FILES[name]}; got {shown}"
        with pytest.raises(FileNotFoundError, match=words) as missing:
            read_table(name, folder)
        said = str(missing.value)
        assert "Get it from https://" in said
        assert f"to the folder that holds {name}/." in said
        assert "\n" not in said


def test_the_environment_names_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "higgs").mkdir()
    wide = ",".join(["0.5"] * 28)
    (tmp_path / "higgs" / "higgs.csv").write_text(f"0,{wide}\n1,{wide}\n")
    monkeypatch.setenv("SEMIKD_DATA", str(tmp_path))
    assert read_table("higgs").X.shape == (2, 28)
    with pytest.raises(FileNotFoundError, match="no such file in"):
        read_table("higgs", tmp_path / "elsewhere")


def test_the_sets_are_those_of_the_paper_and_one_that_needs_no_file() -> None:
    metrics = {name: READINGS[name].metric for name in FILES}
    assert metrics == {
        "adult": "AUC",
        "magic": "AUC",
        "heloc": "AUC",
        "higgs": "accuracy",
        "stumbleupon": "accuracy",
    }
    assert set(READINGS) == {*FILES, "fair"}
    table = read_table("fair")
    assert table.X.shape == (6366, 8)
    assert table.y.sum() == 2053


@pytest.mark.parametrize(
    ("name", "words"),
    [("higs", r"Did you mean 'higgs'\?$"), ("fico", "got 'fico'"), ("", "got ''")],
)
def test_an_unknown_set_is_refused(name: str, words: str) -> None:
    with pytest.raises(ValueError, match=f"--dataset must be one of .*{words}"):
        read_table(name)


def test_real_files_have_the_rows_of_the_paper(data_home: Path) -> None:
    for name, shape, ones in (("adult", (48842, 14), 11687), ("magic", (19020, 10), 0)):
        table = read_table(name, data_home)
        assert table.X.shape == shape
        assert np.isfinite(table.filled()).all()
        assert table.unlike() is None
        assert not ones or table.y.sum() == ones
        assert len(divided(table, 2357).y_test) == math.ceil(0.3 * shape[0])
