"""``semikd reproduce``: what it leaves behind, goes on with, and refuses."""

import csv
import json
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from semikd.cli import main
from semikd.reproduction import cells, experiments
from semikd.reproduction.asked import Asked, Outcome
from semikd.reproduction.forests.reference import _Protocol

Capture = pytest.CaptureFixture[str]

TRIAL = "reproduce trees --small --protocol published"
FILES = ["figure.svg", "origin.json", "results.csv", "results.md"]
# Students without a teacher; two teachers; plain students of both, enhanced of one.
N_CELLS = 1 + 2 + 3


@pytest.fixture(autouse=True)
def _no_folder_of_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget the real data."""
    monkeypatch.delenv("SEMIKD_DATA", raising=False)


def run(words: str, out: Path) -> int:
    """Run a command and return its code."""
    return main([*shlex.split(words), "--out", str(out)])


def content(folder: Path) -> dict[str, bytes]:
    """Return all files of a folder, hidden ones too."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a trial that is through."""
    out = tmp_path_factory.mktemp("trial") / "out"
    assert run(TRIAL, out) == 0
    return out


@pytest.fixture
def _no_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no forest be fitted."""

    def fit(*_: Any, **__: Any) -> None:
        raise AssertionError("a forest was fitted")

    monkeypatch.setattr(RandomForestRegressor, "fit", fit)
    monkeypatch.setattr(RandomForestClassifier, "fit", fit)


def test_a_trial_writes_tables_a_figure_and_where_they_are_from(trial: Path) -> None:
    assert [path.name for path in trial.iterdir()] == ["trees-fair-small"]
    folder = trial / "trees-fair-small"
    own = [path.name for path in sorted(folder.iterdir())]
    assert own == sorted([*FILES, "published"])
    assert len(list((folder / "published" / "cells").iterdir())) == N_CELLS
    with (folder / "results.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {(row["experiment"], row["dataset"]) for row in rows} == {("trees", "fair")}
    assert {row["protocol"] for row in rows} == {"published"}
    assert all(0.4 < float(row["mean"]) < 0.9 for row in rows)
    arms = {row["arm"] for row in rows}
    assert {"kd_mse", "kd_boundfast", "teacher", "scratch_regressor"} <= arms
    # A survey that is not of the paper, read in a trial, has no published numbers.
    assert {row["published_mean"] for row in rows} == {""}
    page = (folder / "results.md").read_text(encoding="utf-8")
    assert page.startswith("# fair: a trial of: ")
    assert "| Enhanced KD | 2 |" in page
    assert (folder / "figure.svg").read_text().lstrip().startswith("<?xml")
    origin = json.loads((folder / "origin.json").read_text())
    assert origin["published"]["configuration"]["small"] == 250
    assert origin["published"]["configuration"]["rows"] == [6366, 8]
    assert origin["versions"] == cells.versions()


@pytest.mark.usefixtures("_no_fits")
def test_a_second_run_does_no_cell_again(trial: Path, capsys: Capture) -> None:
    before = content(trial)
    assert run(TRIAL, trial) == 0
    assert content(trial) == before
    shown = capsys.readouterr()
    where = str(trial / "trees-fair-small" / "results.md")
    assert f"Tables: {where}; figure: " in shown.out
    assert "split-" not in shown.err


def refused(words: str, out: Path, capsys: Capture) -> str:
    """Run what must be refused, with nothing changed, and return the one line."""
    before = content(out.parent)
    capsys.readouterr()
    code = run(words, out)
    shown = capsys.readouterr()
    assert (code, shown.out) == (2, ""), shown.err
    assert content(out.parent) == before
    (line,) = shown.err.splitlines()
    assert line.startswith("semikd: ")
    return line


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        ("reproduce tres", ("EXPERIMENT must be one of", "Did you mean 'trees'?")),
        (f"{TRIAL} --dataset magics", ("--dataset must", "Did you mean 'magic'?")),
        (f"{TRIAL} --protocol honets", ("--protocol must", "Did you mean 'honest'?")),
        (f"{TRIAL} --arms most", ("--arms must be one of 'figure', 'all'",)),
        (f"{TRIAL} --draws 0", ("--draws must be ", "at least 1; got 0")),
        (f"{TRIAL} --dataset heloc --data openml", ("--data must be a folder for",)),
        (
            f"{TRIAL} --dataset fair --dataset heloc",
            ("hold the file heloc/heloc_dataset_v1.csv", "or set SEMIKD_DATA"),
        ),
        (
            "reproduce depth --protocol published",
            ("--dataset must be one whose files are here", "none of adult, "),
        ),
        ("reproduce synthetic --draws 2", ("--draws must be left out for synthetic",)),
        ("reproduce cifar --arms all", ("--arms must be left out for cifar",)),
    ],
)
@pytest.mark.usefixtures("_no_fits")
def test_what_cannot_be_done_is_refused_before_anything_is(
    words: str, parts: tuple[str, ...], tmp_path: Path, capsys: Capture
) -> None:
    said = refused(words, tmp_path / "out", capsys)
    for part in parts:
        assert part in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("adult", "adult/adult.test.gz"),
        ("magic", "magic/magic04.data.gz"),
        ("heloc", "heloc/heloc_dataset_v1.csv"),
        ("higgs", "higgs/higgs.csv"),
        ("stumbleupon", "stumbleupon/evergreen.npz"),
    ],
)
def test_a_missing_file_is_named_with_the_option_that_helps(
    name: str, file: str, tmp_path: Path, capsys: Capture
) -> None:
    (tmp_path / "data").mkdir()
    words = f"{TRIAL} --dataset {name} --data {tmp_path / 'data'}"
    said = refused(words, tmp_path / "out", capsys)
    assert f"--data must hold the file {file}; got no such file in " in said
    assert "then pass --data or set SEMIKD_DATA" in said
    assert "data_home" not in said


@pytest.mark.parametrize("place", ["nowhere", "file"])
def test_data_must_be_a_folder(place: str, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "file").write_text("x")
    words = f"{TRIAL} --dataset magic --data {tmp_path / place}"
    said = refused(words, tmp_path / "out", capsys)
    assert f"--data must be a folder, or 'openml'; got '{tmp_path / place}'" in said


def test_another_configuration_is_refused(
    trial: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = {**cells.versions(), "numpy": "99.0"}
    with monkeypatch.context() as changed:
        changed.setattr(cells, "versions", lambda: newer)
        said = refused(TRIAL, trial, capsys)
    assert "--out must hold a run with versions {" in said
    assert "'numpy': '99.0'" in said
    assert f"'numpy': '{np.__version__}'" in said
    assert "Name another folder, or remove that one." in said


@pytest.mark.parametrize(
    "place", ["", "trees-fair-small/", "trees-fair-small/published/"]
)
def test_a_folder_of_something_else_is_left_alone(
    place: str, tmp_path: Path, capsys: Capture
) -> None:
    path = tmp_path / "out" / place / "notes.txt"
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    if place.endswith("published/"):
        said = refused(TRIAL, tmp_path / "out", capsys)
        assert "--out must be a new folder, or that of an earlier run; got" in said
    else:
        # Results have a folder of their own.
        assert run(TRIAL, tmp_path / "out") == 0
    assert path.read_text() == "mine"


@pytest.mark.parametrize("place", ["file", "file/out"])
def test_a_file_in_the_place_of_the_folder_is_refused(
    place: str, tmp_path: Path, capsys: Capture
) -> None:
    (tmp_path / "file").write_text("mine")
    assert run(TRIAL, tmp_path / place) == 2
    shown = capsys.readouterr().err
    assert shown.count("\n") == 1
    assert str(tmp_path / "file") in shown
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_damaged_cell_is_named(tmp_path: Path, capsys: Capture) -> None:
    assert run(TRIAL, tmp_path / "out") == 0
    before = content(tmp_path)
    (path,) = tmp_path.rglob("*kd_mse*none*.json")
    path.write_bytes(path.read_bytes()[:-9])
    said = refused(TRIAL, tmp_path / "out", capsys)
    assert str(path) in said
    path.unlink()
    assert run(TRIAL, tmp_path / "out") == 0
    same = {name for name in before if name.endswith(("results.csv", ".svg"))}
    after = content(tmp_path)
    assert {name: after[name] for name in same} == {name: before[name] for name in same}


def test_an_interrupt_keeps_what_is_finished(
    tmp_path: Path, trial: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def arm(self: _Protocol, *words: Any) -> Any:
        calls.append(words)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return work(self, *words)

    work = _Protocol.arm
    with monkeypatch.context() as changed:
        changed.setattr(_Protocol, "arm", arm)
        assert run(TRIAL, tmp_path / "out") == 130
    shown = capsys.readouterr()
    kept = f"finished cells stay in {str(tmp_path / 'out')!r}: the same command goes on"
    assert shown.err.splitlines()[-1] == f"semikd: interrupted; {kept}"
    assert (shown.out, "Traceback" in shown.err) == ("", False)
    before = content(tmp_path)
    assert sum("cells" in name for name in before) == 4
    assert all(name.endswith(".json") for name in before)
    assert not any("semikd-" in name for name in before)
    assert run(TRIAL, tmp_path / "out") == 0
    after = content(tmp_path)
    assert {name: after[name] for name in before} == before
    # What was interrupted finds what would have been found at once.
    results = "trees-fair-small/results.csv"
    assert after[f"out/{results}"] == content(trial)[results]


def test_sets_without_files_are_left_out_and_named(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "higgs").mkdir()
    rows = pd.DataFrame(np.random.default_rng(0).normal(size=(9, 28)))
    rows.insert(0, "class", np.arange(9) % 2)
    rows.to_csv(tmp_path / "higgs" / "higgs.csv", index=False)
    done: list[str] = []

    def reproduce(name: str, asked: Asked, out: Path, table: Any, *_: Any) -> Outcome:
        done.append(f"{name} {table.name} {asked.protocol}")
        return Outcome("a title", ("a finding",), (out / "results.md",))

    monkeypatch.setattr(experiments, "reproduce", reproduce)
    assert run(f"reproduce depth --data {tmp_path}", tmp_path / "out") == 0
    shown = capsys.readouterr().out
    assert done == ["depth higgs both"]
    assert "a title" in shown
    for name in ("adult", "magic", "heloc", "stumbleupon"):
        assert f"Note: {name} is left out: --data must hold the file {name}/" in shown
    assert "higgs is left out" not in shown
    twice = "reproduce trees --dataset fair --dataset fair"
    assert run(twice, tmp_path / "out") == 0
    assert done[1:] == ["trees fair both"]
