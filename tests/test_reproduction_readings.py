"""The paper's data sets, read from files that are made here."""

import gzip
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from semikd.datasets import load_dataset
from semikd.reproduction.forests import readings
from semikd.reproduction.forests.readings import PaperTable, divided, read_table

FloatArray = NDArray[np.float64]


def draws(seed: int, shape: tuple[int, ...]) -> FloatArray:
    """Return numbers."""
    return np.random.default_rng(seed).normal(size=shape).round(3)


def heloc_rows() -> pd.DataFrame:
    """Return applicants, the outcome in the middle, two of whom nothing is known."""
    X = np.abs(draws(0, (9, 23))).round(1)
    X[0, :3] = -7, -8, -9
    X[1] = -9
    X[2] = [-7, -8, -9, *[-8] * 20]
    X[3, 0] = -3
    frame = pd.DataFrame(X, columns=[f"c{at}" for at in range(23)])
    frame.insert(4, "RiskPerformance", ["Good", "Bad", "Good"] * 3)
    return frame


@pytest.mark.parametrize("name", ["heloc_dataset_v1.csv", "heloc_dataset_v1.csv.gz"])
def test_heloc_has_one_code_for_the_unknown_and_no_row_of_nothing(
    name: str, tmp_path: Path
) -> None:
    (tmp_path / "heloc").mkdir()
    frame = heloc_rows()
    frame.to_csv(tmp_path / "heloc" / name, index=False)
    with (tmp_path / "heloc" / name).open("rb") as file:
        assert (file.read(2) == b"\x1f\x8b") == name.endswith("gz")
    table = read_table("heloc", tmp_path)
    kept = [0, 3, 4, 5, 6, 7, 8]
    expected = frame.drop(columns="RiskPerformance").to_numpy()[kept]
    expected[0, :3] = -9
    np.testing.assert_array_equal(table.X, expected)
    assert table.X[1, 0] == -3
    assert table.y.tolist() == [int(kept_row % 3 != 1) for kept_row in kept]
    assert (table.name, table.metric, table.fixed) == ("heloc", "AUC", None)


def higgs_rows(n: int = 6) -> tuple[FloatArray, list[int]]:
    """Return collisions, one number of which is missing, and their labels."""
    X = draws(1, (n, 28))
    X[-1, -1] = np.nan
    return X, [1, 0, 0, 1, 1, 0][:n]


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("name", ["higgs.csv", "higgs.csv.gz"])
def test_higgs_is_read_with_and_without_names(
    header: bool, name: str, tmp_path: Path
) -> None:
    X, y = higgs_rows()
    frame = pd.DataFrame(X, columns=[f"f{at}" for at in range(28)])
    frame.insert(0, "class", [f"{label}.000000000000000000e+00" for label in y])
    (tmp_path / "higgs").mkdir()
    frame.to_csv(tmp_path / "higgs" / name, index=False, header=header, na_rep="?")
    table = read_table("higgs", str(tmp_path))
    assert table.y.tolist() == y
    np.testing.assert_allclose(table.X[:, :27], X[:, :27], rtol=1e-12)
    # Of all rows, whichever side they will be on.
    assert np.isnan(table.X[-1, -1])
    assert table.filled()[-1, -1] == pytest.approx(X[:-1, -1].mean())
    assert table.metric == "accuracy"


def arrays() -> dict[str, Any]:
    """Return what the file of web pages holds."""
    X, X_test = draws(2, (7, 3)), draws(3, (4, 3))
    X[0, 1] = np.nan
    labels = np.array([0, 1, 1, 0, 1, 0, 1]), np.array([1, 0, 0, 1])
    return {"X_train": X, "X_test": X_test, "y_train": labels[0], "y_test": labels[1]}


def write_pages(folder: Path, content: dict[str, Any]) -> Path:
    """Write the file of web pages, and return it."""
    (folder / "stumbleupon").mkdir()
    path = folder / "stumbleupon" / "evergreen.npz"
    np.savez(path, **content)
    return path


def test_stumbleupon_keeps_its_own_split_and_its_own_scale(tmp_path: Path) -> None:
    content = arrays()
    write_pages(tmp_path, content)
    table = read_table("stumbleupon", tmp_path)
    gap = np.nanmean([*content["X_train"][:, 1], *content["X_test"][:, 1]])
    for seed in (2357, 0):
        sides = divided(table, seed)
        np.testing.assert_array_equal(sides.X[1:], content["X_train"][1:])
        assert sides.X[0, 1] == pytest.approx(gap)
        np.testing.assert_array_equal(sides.X_test, content["X_test"])
        assert sides.y.tolist() == content["y_train"].tolist()
        assert sides.y_test.tolist() == content["y_test"].tolist()
    assert divided(table, 0, n_rows=3).y.tolist() == [0, 1, 1]
    assert table.metric == "accuracy"


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"y_test": None}, "hold the arrays X_train, .*; got no y_test"),
        ({"X_test": np.zeros((4, 2))}, r"same columns .*'X_test': \(4, 2\)"),
        ({"y_train": np.zeros(6)}, r"one label each; got shapes .*\(6,\)"),
        ({"X_train": np.zeros(7)}, "hold rows of the same columns"),
        ({"y_test": np.zeros((4, 1))}, "one label each; got shapes"),
    ],
)
def test_other_arrays_are_refused(
    changed: dict[str, Any], words: str, tmp_path: Path
) -> None:
    content = {**arrays(), **changed}
    path = write_pages(tmp_path, {k: v for k, v in content.items() if v is not None})
    refused_with(f"{path} must {words}|{path} must .*{words}", "stumbleupon", tmp_path)


def refused_with(words: str, name: str, folder: Any) -> None:
    """Assert that a data set is refused on one line with these words."""
    with pytest.raises((ValueError, TypeError), match=words) as refused:
        read_table(name, folder)
    assert "\n" not in str(refused.value)


class Trap:
    """Leaves a folder behind where it is unpickled."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def __reduce__(self) -> Any:
        return Path.mkdir, (self.home / "sprung",)


def test_pickled_arrays_are_never_loaded(tmp_path: Path) -> None:
    trap = np.array([Trap(tmp_path)] * 7)
    path = write_pages(tmp_path, {**arrays(), "X_train": trap})
    with np.load(path, allow_pickle=True) as file:
        assert len(file["y_train"]) == 7
    with pytest.raises(ValueError, match=r"must|allow_pickle"):
        read_table("stumbleupon", tmp_path)
    assert not (tmp_path / "sprung").exists()


def spoilt(kind: str, good: bytes) -> bytes:
    """Return the bytes of a file that is no archive of arrays."""
    return {
        "nothing": b"",
        "text": b"X_train",
        "half of it": good[: len(good) // 2],
        "another member": good.replace(b"NUMPY", b"NOMPY"),
        "one array": b"\x93NUMPY" + good.partition(b"\x93NUMPY")[2],
    }[kind]


@pytest.mark.parametrize(
    "kind", ["pickle", "nothing", "text", "half of it", "another member", "one array"]
)
def test_what_is_no_archive_of_numbers_is_refused_by_name(
    kind: str, tmp_path: Path
) -> None:
    objects = np.array([None] * 7)
    more = {"X_train": objects} if kind == "pickle" else {}
    path = write_pages(tmp_path, {**arrays(), **more})
    if kind != "pickle":
        path.write_bytes(spoilt(kind, path.read_bytes()))
    refused_with(f"{path} must ", "stumbleupon", tmp_path)


def write(folder: Path, name: str, text: str) -> None:
    """Write a file of a folder of its own, packed where its name says so."""
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    packed = gzip.compress(text.encode()) if name.endswith("gz") else text.encode()
    path.write_bytes(packed)


WIDE = ",".join(["0.5"] * 28)
THREE = heloc_rows().assign(RiskPerformance=["Good", "Bad", "Fair"] * 3)
WRONG = {
    "no outcome": ("heloc", heloc_rows().rename(columns={"RiskPerformance": "y"})),
    "a column less": ("heloc", heloc_rows().drop(columns="c0")),
    "three outcomes": ("heloc", THREE),
    "words": ("heloc", heloc_rows().assign(c5="many")),
    "no label": ("higgs", f"{WIDE}\n{WIDE}\n"),
    "three labels": ("higgs", f"0,{WIDE}\n1,{WIDE}\n2,{WIDE}\n"),
    "a gap in the label": ("higgs", f"0,{WIDE}\n1,{WIDE}\n?,{WIDE}\n"),
    "a line too long": ("higgs", f"0,{WIDE}\n1,{WIDE},4\n"),
    "nothing": ("higgs", ""),
}


@pytest.mark.parametrize("what", WRONG)
def test_files_of_another_shape_are_refused(what: str, tmp_path: Path) -> None:
    name, content = WRONG[what]
    text = content if isinstance(content, str) else content.to_csv(index=False)
    file = "heloc_dataset_v1.csv" if name == "heloc" else "higgs.csv"
    write(tmp_path, f"{name}/{file}", text)
    refused_with("must .*; got ", name, tmp_path)


PERSON = (
    "{}, {}, 1, Bachelors, 13, Never-married, ?, Wife, White, Male, 0, 0, 40, Hong, "
    "{}\n"
)


@pytest.fixture
def _unverified(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take files as they are."""
    load = partial(load_dataset, verify=False)
    monkeypatch.setattr(readings, "load_dataset", load)


@pytest.mark.usefixtures("_unverified")
@pytest.mark.filterwarnings("ignore:Mean of empty slice")
def test_adult_is_in_the_order_of_the_paper_and_codes_as_declared(
    tmp_path: Path,
) -> None:
    train = PERSON.format(39, "State-gov", "<=50K") + PERSON.format(40, "?", ">50K")
    write(tmp_path, "adult/adult.data.gz", train)
    first = PERSON.format(25, "Private", ">50K.")
    write(tmp_path, "adult/adult.test.gz", "|1x3 Cross validator\n" + first)
    table = read_table("adult", tmp_path)
    assert table.X[:, 0].tolist() == [25, 39, 40]
    # 'Private' is declared first and 'State-gov' sixth; the gap is at their mean.
    assert table.filled()[:, 1].tolist() == [0, 5, 2.5]
    assert table.y.tolist() == [1, 0, 1]


@pytest.mark.usefixtures("_unverified")
def test_magic_is_in_the_order_of_its_file(tmp_path: Path) -> None:
    lines = [f"{at},2,3,4,5,6,7,8,9,10,{'gh'[at % 2]}\n" for at in range(4)]
    write(tmp_path, "magic/magic04.data.gz", "".join(lines))
    table = read_table("magic", tmp_path)
    assert table.X[:, 0].tolist() == [0, 1, 2, 3]
    assert table.y.tolist() == [0, 1, 0, 1]


def test_sets_of_known_content_are_verified(tmp_path: Path) -> None:
    write(tmp_path, "magic/magic04.data.gz", "1,2,3,4,5,6,7,8,9,10,g\n")
    refused_with("must have SHA-256", "magic", tmp_path)


def a_table(n: int = 50) -> PaperTable:
    """Return rows of two classes, of which one is rare."""
    X = draws(4, (n, 3)) * [1, 10, 100] + [5, 0, -5]
    return PaperTable("magic", "AUC", X, (np.arange(n) % 5 == 0).astype(np.intp))


@pytest.mark.parametrize("seed", [2357, 0])
def test_the_split_is_scikit_learn_s_without_strata(seed: int) -> None:
    table = a_table()
    parts = train_test_split(table.X, table.y, test_size=0.3, random_state=seed)
    scaler = StandardScaler().fit(parts[0])
    sides = divided(table, seed)
    np.testing.assert_array_equal(sides.X, scaler.transform(parts[0]))
    np.testing.assert_array_equal(sides.X_test, scaler.transform(parts[1]))
    np.testing.assert_array_equal(sides.y, parts[2])
    np.testing.assert_array_equal(sides.y_test, parts[3])
    np.testing.assert_allclose(sides.X.mean(axis=0), 0.0, atol=1e-12)
    assert np.abs(sides.X_test.mean(axis=0)).max() > 1e-3
    assert sides.metric == "AUC"


def test_a_trial_keeps_the_first_rows_and_is_scaled_by_them() -> None:
    table = a_table()
    X, X_test, y, _ = train_test_split(
        table.X, table.y, test_size=0.3, random_state=2357
    )
    sides = divided(table, 2357, n_rows=10)
    scaler = StandardScaler().fit(X[:10])
    np.testing.assert_array_equal(sides.X, scaler.transform(X[:10]))
    np.testing.assert_array_equal(sides.X_test, scaler.transform(X_test))
    assert sides.y.tolist() == y[:10].tolist()
