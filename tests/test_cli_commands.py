"""The three commands from a table to scores: every way in gives the same answers."""

import hashlib
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import (
    accuracy_score,
    log_loss,
    mean_squared_error,
    r2_score,
    roc_auc_score,
)

from semikd.artifact import load_model
from semikd.cli import main
from semikd.job import read_table
from semikd.job.names import STUDENTS
from semikd.job.settings import Settings

Capture = pytest.CaptureFixture[str]

# What a search finds is tried in a module of its own.
QUICK = ("--teacher", "linear", "--leaves", "6", "--refits", "1", "--preset", "none")
LABELLED = ("--leaves", "6", "--refits", "1")


def a_table(n: int = 300, seed: int = 0) -> pd.DataFrame:
    """Return rows of every kind of column, with targets that depend on them."""
    draws = np.random.default_rng(seed)
    size = np.where(draws.random(n) < 0.1, np.nan, draws.normal(size=n).round(6))
    code = draws.choice(["01", "02", "x9"], n)
    days = draws.integers(0, 900, n)
    score = np.nan_to_num(size) + (code == "02") + days / 600 - 1
    noisy = score + draws.normal(scale=0.7, size=n)
    kinds = np.array(["low", "middle", "top"])[np.digitize(noisy, [-0.5, 0.8])]
    return pd.DataFrame(
        {
            "id": [f"k{at:03d}" for at in range(n)],
            "size": size,
            "count": draws.integers(0, 30, n),
            "code": code,
            "joined": pd.Timestamp("2020-01-01") + pd.to_timedelta(days, "D"),
            "member": draws.random(n) < 0.4,
            "house": np.arange(n) // 3,
            "weight": draws.integers(0, 4, n),
            "buys": np.where(noisy > 0, "yes", "no"),
            "kind": kinds,
            "price": (10 + 3 * noisy).round(6),
        }
    )


ROLES = ("id", "house", "weight", "buys", "kind", "price")
WRITERS: dict[str, Callable[[pd.DataFrame, Path], object]] = {
    "table.csv": lambda frame, path: frame.to_csv(path, index=False),
    "table.tsv": lambda frame, path: frame.to_csv(path, index=False, sep="\t"),
    "table.csv.gz": lambda frame, path: frame.to_csv(path, index=False),
    "table.parquet": lambda frame, path: frame.to_parquet(path, index=False),
}


def written(frame: pd.DataFrame, folder: Path, target: str, name: str) -> str:
    """Write the covariates and one target, and return the path."""
    others = [role for role in ROLES if role != target]
    WRITERS[name](frame.drop(columns=others), folder / name)
    return str(folder / name)


def run(*argv: str) -> None:
    """Run a command that must end well."""
    assert main(argv) == 0, argv


def digests(folder: Path) -> dict[str, str]:
    """Return a hash of each file of a model."""
    files = (folder / name for name in ("model.json", "model.npz"))
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def metrics(folder: Path) -> dict:
    """Return what was measured."""
    return json.loads((folder / "metrics.json").read_text())


@pytest.fixture(scope="module", params=["buys", "kind", "price"])
def made(request: pytest.FixtureRequest, tmp_path_factory) -> tuple[Path, str]:
    """A folder with a table and a model of it, for two and three classes and none."""
    folder = tmp_path_factory.mktemp(request.param)
    table = written(a_table(), folder, request.param, "table.csv")
    model = str(folder / "model")
    run("distill", table, "--target", request.param, *QUICK, "--out", model)
    return folder, request.param


@pytest.fixture(scope="module")
def bought(tmp_path_factory) -> Path:
    """A folder with a table, whole, and a model of whether a member buys."""
    folder = tmp_path_factory.mktemp("bought")
    table = written(a_table(), folder, "buys", "table.csv")
    run("distill", table, "--target", "buys", *QUICK, "--out", str(folder / "model"))
    return folder


def predicted(folder: Path, table: str, name: str = "found.csv") -> pd.DataFrame:
    """Return the predictions that the command writes to a file of that name."""
    out = folder / name
    run("predict", str(folder / "model"), table, "--out", str(out))
    return pd.read_parquet(out) if name.endswith("parquet") else pd.read_csv(out)


def test_predictions_are_those_of_the_loaded_model(made) -> None:
    folder, target = made
    found = predicted(folder, str(folder / "table.csv"))
    model, rows = load_model(folder / "model"), a_table()
    wanted = model.predict(rows)
    if target == "price":
        assert list(found) == ["prediction"]
        np.testing.assert_allclose(found["prediction"], wanted, rtol=1e-12)
        return
    assert list(found) == ["prediction", *(f"p({label})" for label in model.classes)]
    assert found["prediction"].tolist() == wanted.tolist()
    np.testing.assert_allclose(found.iloc[:, 1:], model.predict_proba(rows), rtol=1e-12)


@pytest.mark.parametrize("name", WRITERS)
def test_every_form_of_a_table_gives_the_same_predictions(made, name: str) -> None:
    folder, target = made
    wanted = predicted(folder, str(folder / "table.csv"))
    table = written(a_table(), folder, target, name)
    pd.testing.assert_frame_equal(predicted(folder, table), wanted)


@pytest.mark.parametrize("name", WRITERS)
def test_every_form_of_a_table_gives_the_same_model(
    bought: Path, name: str, tmp_path: Path
) -> None:
    table = written(a_table(), tmp_path, "buys", name)
    run("distill", table, "--target", "buys", *QUICK, "--out", str(tmp_path / "model"))
    assert digests(tmp_path / "model") == digests(bought / "model")


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.csv.gz", "a.parquet"])
def test_predictions_go_to_every_form_of_a_file(bought: Path, name: str) -> None:
    wanted = predicted(bought, str(bought / "table.csv"))
    run(
        "predict",
        str(bought / "model"),
        str(bought / "table.csv"),
        "--out",
        str(bought / name),
    )
    found = read_table(bought / name)
    pd.testing.assert_frame_equal(found, wanted, check_dtype=False)


def test_predictions_go_to_the_screen(bought: Path, capsys: Capture) -> None:
    table = str(bought / "table.csv")
    wanted = predicted(bought, table).to_csv(index=False)
    capsys.readouterr()
    run("predict", str(bought / "model"), table)
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == (wanted, "")
    run("predict", str(bought / "model"), table, "--out", "-")
    assert capsys.readouterr().out == wanted


def evaluated(folder: Path, table: str, capsys: Capture) -> dict[str, float]:
    """Return the scores that the command prints."""
    capsys.readouterr()
    run("evaluate", str(folder / "model"), table)
    lines = capsys.readouterr().out.splitlines()
    return {words[0]: float(words[1]) for words in map(str.split, lines[1:-1])}


def test_scores_agree_with_scikit_learn(made, capsys: Capture) -> None:
    folder, target = made
    fresh = a_table(seed=1)
    found = evaluated(folder, written(fresh, folder, target, "table.parquet"), capsys)
    model, y = load_model(folder / "model"), fresh[target]
    if target == "price":
        mean = model.predict(fresh)
        assert found["squared_error"] == pytest.approx(
            mean_squared_error(y, mean), 1e-5
        )
        assert found["r2"] == pytest.approx(r2_score(y, mean), abs=1e-5)
        return
    proba = model.predict_proba(fresh)
    # No probability counts as less than this.
    floored = (1 - 0.001 * proba.shape[1]) * proba + 0.001
    assert found["log_loss"] == pytest.approx(log_loss(y, floored), rel=1e-5)
    assert found["accuracy"] == pytest.approx(
        accuracy_score(y, model.predict(fresh)), abs=1e-5
    )
    if target == "buys":
        assert found["auc"] == pytest.approx(roc_auc_score(y, proba[:, 1]), abs=1e-5)


def test_a_single_row_has_scores_and_no_interval(bought: Path, capsys: Capture) -> None:
    run(
        "predict",
        str(bought / "model"),
        written(a_table().head(1), bought, "buys", "table.tsv"),
    )
    capsys.readouterr()
    run("evaluate", str(bought / "model"), str(bought / "table.tsv"))
    shown = capsys.readouterr()
    assert shown.out.startswith("1 row, target 'buys'; no probability")
    assert "interval" not in shown.out
    assert shown.err == ""
    run("evaluate", str(bought / "model"), str(bought / "table.csv"))
    assert "95 % interval of the mean log loss" in capsys.readouterr().out


def test_a_number_of_many_values_is_said_to_be_a_regression(
    tmp_path: Path, capsys: Capture
) -> None:
    table = written(a_table(), tmp_path, "price", "table.csv")
    run("distill", table, "--target", "price", *QUICK, "--out", str(tmp_path / "model"))
    shown = capsys.readouterr()
    assert "'price' is a number with" in shown.out
    assert "different values: regression" in shown.out
    found = metrics(tmp_path / "model")
    assert found["task"] == "regression"
    assert "regression" in (tmp_path / "model" / "report.html").read_text()


def test_the_screen_the_page_and_the_file_begin_with_the_same_sentence(
    tmp_path: Path, capsys: Capture
) -> None:
    table = written(a_table(), tmp_path, "buys", "table.csv")
    run("distill", table, "--target", "buys", *QUICK, "--out", str(tmp_path / "model"))
    first = capsys.readouterr().out.splitlines()[0]
    assert first.startswith("Distilling ")
    assert metrics(tmp_path / "model")["headline"] == first
    page = (tmp_path / "model" / "report.html").read_text()
    assert f'<p class="headline">{first}</p>' in page


def test_unknown_categories_are_counted_and_answered(
    bought: Path, capsys: Capture
) -> None:
    table = a_table().head(50)
    strange = table.assign(code=["new", "newer", *table["code"].tolist()[2:]])
    path = written(strange, bought, "buys", "table.tsv")
    capsys.readouterr()
    found = predicted(bought, path)
    assert "Column 'code': 2 of 50 cells" in capsys.readouterr().err
    missing = strange.assign(
        code=strange["code"].where(~strange["code"].str.startswith("new"))
    )
    wanted = load_model(bought / "model").predict_proba(missing)
    np.testing.assert_allclose(found.iloc[:, 1:], wanted, rtol=1e-12)


def test_a_category_that_looks_like_a_number_stays_text(
    bought: Path, capsys: Capture
) -> None:
    model, rows = load_model(bought / "model"), a_table()
    coded = rows[rows["code"] != "x9"]
    # Without "x9" every cell of the column would pass for a number.
    found = predicted(bought, written(coded, bought, "buys", "table.tsv"))
    assert "code" not in capsys.readouterr().err
    np.testing.assert_allclose(
        found.iloc[:, 1:], model.predict_proba(coded), rtol=1e-12
    )
    assert len(found.iloc[:, 1].unique()) > 1


def test_other_columns_and_another_order_change_nothing(bought: Path) -> None:
    rows = a_table()
    wanted = predicted(bought, str(bought / "table.csv"))
    mixed = rows[rows.columns[::-1]].assign(remark="not asked for", extra=1.5)
    mixed.to_csv(bought / "mixed.csv", index=False)
    pd.testing.assert_frame_equal(predicted(bought, str(bought / "mixed.csv")), wanted)


@pytest.mark.parametrize("student", STUDENTS)
def test_every_student_goes_all_the_way(
    student: str, tmp_path: Path, capsys: Capture
) -> None:
    table = written(a_table(), tmp_path, "buys", "table.csv")
    out = str(tmp_path / "model")
    run(
        "distill", table, "--target", "buys", *QUICK, "--student", student, "--out", out
    )
    found = predicted(tmp_path, table)
    proba = load_model(out).predict_proba(a_table())
    np.testing.assert_allclose(found.iloc[:, 1:], proba, rtol=1e-9)
    assert evaluated(tmp_path, table, capsys)["auc"] > 0.7
    assert metrics(tmp_path / "model")["model"]["kind"] == student


def test_held_out_rows_may_come_in_a_file(tmp_path: Path, capsys: Capture) -> None:
    rows = a_table()
    # Of the held-out codes none is "x9", and the labels are fewer: both stay text.
    rest = a_table(seed=1).loc[lambda t: t["code"] != "x9"].head(90)
    (tmp_path / "rest").mkdir()
    table = written(rows, tmp_path, "buys", "table.csv")
    held_out = written(rest, tmp_path / "rest", "buys", "table.csv")
    out = str(tmp_path / "model")
    run("distill", table, "--target", "buys", *QUICK, "--test", held_out, "--out", out)
    found = metrics(tmp_path / "model")
    assert (found["training_rows"], found["test_rows"]) == (300, 90)
    assert found["unknown_cells"] == {}
    scores = evaluated(tmp_path, held_out, capsys)
    shipped = found["arms"][found["shipped"]]
    for name in ("log_loss", "brier", "auc", "accuracy"):
        assert scores[name] == pytest.approx(shipped[name], rel=1e-5)


@pytest.mark.parametrize("target", ["buys", "kind", "price"])
def test_labels_come_back_as_they_went(target: str, tmp_path: Path) -> None:
    table = written(a_table(), tmp_path, target, "table.csv")
    first, second = str(tmp_path / "model"), str(tmp_path / "again")
    run("distill", table, "--target", target, *QUICK, "--out", first)
    brought = ("--labels", f"{first}/labels.csv.gz")
    run("distill", table, "--target", target, *brought, *LABELLED, "--out", second)
    mine, theirs = (load_model(folder).predict(a_table()) for folder in (first, second))
    if target == "price":
        np.testing.assert_allclose(mine, theirs, rtol=1e-9)
    else:
        assert mine.tolist() == theirs.tolist()
    assert "teacher" not in metrics(tmp_path / "again")["arms"]


def test_labels_find_their_rows_by_a_key(tmp_path: Path) -> None:
    rows = a_table()
    table = written(rows, tmp_path, "buys", "table.csv")
    run("distill", table, "--target", "buys", *QUICK, "--out", str(tmp_path / "model"))
    labels = read_table(tmp_path / "model" / "labels.csv.gz", text_columns=["row_hash"])
    labels["id"] = rows["id"].to_numpy()[labels.pop("row")]
    labels.to_csv(tmp_path / "labels.csv", index=False)
    keyed = pd.read_csv(table, dtype={"code": str}).assign(id=rows["id"])
    # In another order: only the key knows which label is whose.
    keyed.sample(frac=1, random_state=0).to_csv(tmp_path / "keyed.csv", index=False)
    words = ("--labels", str(tmp_path / "labels.csv"), "--key", "id", *LABELLED)
    out = str(tmp_path / "again")
    run(
        "distill", str(tmp_path / "keyed.csv"), "--target", "buys", *words, "--out", out
    )
    mine, theirs = (load_model(folder) for folder in (tmp_path / "model", out))
    wanted = mine.predict_proba(rows)
    np.testing.assert_allclose(theirs.predict_proba(rows), wanted, atol=1e-9)
    assert "id" not in {column.name for column in theirs.encoder.columns}


def test_groups_and_weights_are_not_learned_from(
    tmp_path: Path, capsys: Capture
) -> None:
    a_table().drop(columns=["id", "kind", "price"]).to_csv(
        tmp_path / "t.csv", index=False
    )
    roles = ("--groups", "house", "--weight", "weight")
    out = str(tmp_path / "model")
    table = str(tmp_path / "t.csv")
    run("distill", table, "--target", "buys", *roles, *QUICK, "--out", out)
    shown = capsys.readouterr().out
    assert "Column 'house' holds groups and is not learned from." in shown
    assert "Column 'weight' holds weights and is not learned from." in shown
    found = metrics(tmp_path / "model")
    weighed = int((a_table()["weight"] > 0).sum())
    assert found["training_rows"] + found["test_rows"] == weighed
    names = {column.name for column in load_model(out).encoder.columns}
    assert not {"house", "weight"} & names
    labels = read_table(tmp_path / "model" / "labels.csv.gz", text_columns=["row_hash"])
    houses = labels.groupby(labels["row"] // 3)["fold"].nunique()
    assert houses.max() == 1


OWN = """
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.naive_bayes import BernoulliNB
from sklearn.pipeline import make_pipeline

def build():
    letters = CountVectorizer(analyzer="char", binary=True)
    return make_pipeline(make_column_transformer((letters, "code")), BernoulliNB())
"""


def test_a_teacher_of_ones_own_is_found_where_one_works(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_own_letters.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    table = written(a_table(), tmp_path, "buys", "table.csv")
    teacher = ("--teacher", "my_own_letters:build", *LABELLED)
    run("distill", table, "--target", "buys", *teacher, "--out", "model")
    shown = capsys.readouterr()
    assert "importing my_own_letters:build, whose code is run" in shown.err
    assert "'my_own_letters:build' was imported: its code was run." in shown.out
    assert metrics(Path("model"))["arms"]["teacher"]["auc"] > 0.55


@pytest.mark.parametrize("target", ["buys", "-a b'$(c)"])
def test_the_command_that_is_told_gives_the_same_bytes(
    target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = a_table().rename(columns={"buys": target})
    rows.drop(columns=["kind", "price"]).to_csv("-my table.csv", index=False)
    words = ("--weight", "weight", "--cv", "3", "--seed", "7", "--correction", "0.25")
    table = ("--", "-my table.csv")
    run("distill", f"--target={target}", *words, *QUICK, "--out", "first", *table)
    program, *told = shlex.split(metrics(Path("first"))["command"])
    assert program == "semikd"
    run(*told, "--out", "second")
    assert digests(Path("second")) == digests(Path("first"))
    run(*told, "--seed", "8", "--out", "third")
    assert digests(Path("third")) != digests(Path("first"))


def test_without_a_table_a_survey_is_distilled(tmp_path: Path, capsys: Capture) -> None:
    run("distill", *QUICK, "--out", str(tmp_path / "model"))
    assert "Result: " in capsys.readouterr().out
    found = metrics(tmp_path / "model")
    assert found["training_rows"] + found["test_rows"] == 6366
    assert found["command"].startswith("semikd distill --target affair ")


def test_an_older_result_is_replaced_only_when_asked(
    bought: Path, tmp_path: Path
) -> None:
    words = ("distill", str(bought / "table.csv"), "--target", "buys", *QUICK)
    words = (*words, "--out", str(tmp_path / "model"))
    run(*words)
    before = digests(tmp_path / "model")
    assert main([*words, "--seed", "3"]) == 2
    assert digests(tmp_path / "model") == before
    run(*words, "--seed", "3", "--force")
    assert digests(tmp_path / "model") != before
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def python(code: str, *argv: str, **more) -> subprocess.CompletedProcess[str]:
    """Run our interpreter."""
    return subprocess.run(  # noqa: S603 - our own interpreter and code
        [sys.executable, *argv, *([code] if code else [])],
        capture_output=True,
        text=True,
        check=False,
        **more,
    )


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from semikd.cli import main; "
        "codes = [main(words) for words in (['--help'], ['distill', '--help'])]; "
        "heavy = {'pandas', 'sklearn', 'skrub', 'torch', 'scipy', 'matplotlib', "
        "'pyarrow', 'statsmodels', 'joblib', 'jinja2', 'rich.live', 'rich.console'}; "
        "print(codes, sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    shown = python(code, "-c")
    assert shown.stderr == "[0, 0] []\n"
    assert "--target" in shown.stdout


def test_predicting_imports_no_learner(bought: Path) -> None:
    words = ["predict", str(bought / "model"), str(bought / "table.csv")]
    words += ["--out", str(bought / "light.csv")]
    code = (
        f"import sys; from semikd.cli import main; code = main({words}); "
        "heavy = {'sklearn', 'skrub', 'torch', 'scipy', 'statsmodels', 'joblib'}; "
        "print(code, sorted(heavy & set(sys.modules)))"
    )
    shown = python(code, "-c")
    assert (shown.stdout, shown.stderr) == ("0 []\n", "")


def test_the_package_runs_as_a_module(bought: Path) -> None:
    shown = python("--help", "-m", "semikd")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert all(name in shown.stdout for name in ("distill", "predict", "evaluate"))
    # A terminal of few characters is no reason to fail after the work is done.
    words = (str(bought / "table.csv"), "--target", "buys", *QUICK)
    ascii_only = os.environ | {"PYTHONIOENCODING": "ascii"}
    out = ("--out", str(bought / "plain"))
    shown = python("", "-m", "semikd", "distill", *words, *out, env=ascii_only)
    assert shown.returncode == 0
    assert "Use it: semikd predict" in shown.stdout
    assert shown.stdout.isascii()


def test_settings_and_options_are_the_same(capsys: Capture) -> None:
    run("distill", "--help")
    shown = capsys.readouterr().out
    for name in Settings.__dataclass_fields__:
        assert f"--{name.replace('_', '-')} " in shown


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"semikd {version('semikd')}\n"


def test_predictions_replace_nothing_that_they_are_made_from(
    bought: Path, capsys: Capture
) -> None:
    table, model = bought / "table.csv", bought / "model"
    before = table.read_bytes(), (model / "labels.csv.gz").read_bytes()
    # The same places under other names, too.
    (bought / "link.csv").symlink_to(table)
    for out, what in (
        (table, "the table itself"),
        (bought / "link.csv", "the table itself"),
        (model / ".." / "model" / "labels.csv.gz", "a file of the model's folder"),
    ):
        assert main(["predict", str(model), str(table), "--out", str(out)]) == 2
        shown = capsys.readouterr().err
        assert "--out must be a file of its own; got" in shown
        assert f"{what}. Name another place." in shown
    assert before == (table.read_bytes(), (model / "labels.csv.gz").read_bytes())
    run("predict", str(model), str(table), "--out", str(model / "answers.csv"))
    run("predict", str(model), str(table), "--out", "-")
    (model / "answers.csv").unlink()


def test_the_auc_of_a_single_class_is_undefined(bought: Path, capsys: Capture) -> None:
    rows = pd.read_csv(bought / "table.csv", dtype={"code": str})
    rows[rows["buys"] == "yes"].to_csv(bought / "yes.csv", index=False)
    run("evaluate", str(bought / "model"), str(bought / "yes.csv"))
    scores = capsys.readouterr().out
    assert "auc                undefined for these rows" in scores
    run("evaluate", str(bought / "model"), str(bought / "table.csv"))
    assert "undefined" not in capsys.readouterr().out


def test_weights_count_in_the_scores_of_evaluate(bought: Path, capsys: Capture) -> None:
    rows = pd.read_csv(bought / "table.csv", dtype={"code": str})
    w = np.arange(len(rows)) % 3
    rows.assign(w=w).to_csv(bought / "weighted.csv", index=False)
    rows.loc[rows.index.repeat(w)].to_csv(bought / "repeated.csv", index=False)
    model = str(bought / "model")
    found = []
    for table, more in (("weighted.csv", ["--weight", "w"]), ("repeated.csv", [])):
        run("evaluate", model, str(bought / table), *more)
        found.append(capsys.readouterr().out.splitlines())
    # Calibration is measured in bins of as many rows, whatever their weights.
    assert found[0][1:5] == found[1][1:5]
    # The interval does not take a weight for so many draws.
    proba = load_model(model).predict_proba(rows)
    code = (rows["buys"] == "yes").astype(int)
    floored = (1 - 2e-3) * proba[np.arange(len(rows)), code] + 1e-3
    loss = -np.log(floored)
    mean = np.average(loss, weights=w)
    n = len(w)
    error = np.sqrt((w**2 * (loss - mean) ** 2).sum() * n / (n - 1)) / w.sum()
    wanted = f"{mean - 1.96 * error:.6g} to {mean + 1.96 * error:.6g}"
    assert found[0][-1].endswith(wanted)
    assert main(["evaluate", model, str(bought / "table.csv"), "--weight", "w"]) == 2
    assert "--weight must be a column of the table" in capsys.readouterr().err
