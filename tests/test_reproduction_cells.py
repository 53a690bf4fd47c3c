"""Work that stops goes on later, and cells of two configurations never meet."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semikd._progress import Step
from semikd.reproduction import cells
from semikd.reproduction.asked import Asked
from semikd.reproduction.cells import Cell, Run, open_run, versions
from semikd.reproduction.experiments import reproduce
from semikd.reproduction.forests.readings import PaperTable

CONFIGURATION = {"dataset": "magic", "seed": 0, "sizes": (1, 2), "study": {"n": 5}}


def content(folder: Path) -> dict[str, bytes]:
    """Return all files of a folder, hidden ones too."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def counted(calls: list[str], stop: str = "", n: int = 4) -> list[Cell]:
    """Return cells that count their calls, of which one may be interrupted."""

    def work(at: int, run: Run) -> dict[str, Any]:
        name = f"cell-{at}"
        calls.append(name)
        if name == stop:
            raise KeyboardInterrupt
        before = run.read(f"cell-{at - 1}")["total"] if at else 0
        return {"total": before + at}

    return [
        Cell(f"cell-{at}", "sums", lambda run, at=at: work(at, run)) for at in range(n)
    ]


def test_what_a_cell_found_is_read_as_it_was(tmp_path: Path) -> None:
    found = {"scores": [0.1 + 0.2, 1e-300, -0.0], "tuned": [None, 3], "name": "ü"}
    run = open_run(tmp_path / "run", CONFIGURATION)
    assert not run.has("one")
    one = Cell("one", "stage", lambda _: found)
    run.finish([one])
    assert run.has("one")
    assert run.read("one") == found
    again = open_run(tmp_path / "run", CONFIGURATION)
    assert again.read("one") == found
    took = json.loads((tmp_path / "run/cells/one.json").read_text())["seconds"]
    assert run.seconds() == took > 0


def test_work_that_stopped_goes_on_where_it_was(tmp_path: Path) -> None:
    calls: list[str] = []
    run = open_run(tmp_path / "run", CONFIGURATION)
    with pytest.raises(KeyboardInterrupt):
        run.finish(counted(calls, stop="cell-2"))
    assert calls == ["cell-0", "cell-1", "cell-2"]
    names = sorted(content(tmp_path / "run"))
    assert names == ["cells/cell-0.json", "cells/cell-1.json", "run.json"]
    before = content(tmp_path / "run")
    calls.clear()
    open_run(tmp_path / "run", CONFIGURATION).finish(counted(calls))
    assert calls == ["cell-2", "cell-3"]
    assert run.read("cell-3") == {"total": 6}
    after = content(tmp_path / "run")
    assert {name: after[name] for name in before} == before
    calls.clear()
    run.finish(counted(calls))
    assert calls == []


@pytest.mark.parametrize("step", ["write_text", "replace"])
def test_an_interrupted_write_leaves_no_half_file(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    run = open_run(tmp_path / "run", CONFIGURATION)
    run.finish(counted(calls, n=1))

    def half(path: Path, text: str) -> None:
        path.write_bytes(text.encode()[:9])
        raise KeyboardInterrupt

    def nothing(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        if step == "write_text":
            broken.setattr(Path, "write_text", half)
        else:
            broken.setattr("semikd._files.whole.os.replace", nothing)
        with pytest.raises(KeyboardInterrupt):
            run.finish(counted(calls))
    assert sorted(content(tmp_path / "run")) == ["cells/cell-0.json", "run.json"]
    run.finish(counted(calls))
    assert run.read("cell-3") == {"total": 6}


def test_what_is_no_json_is_no_result(tmp_path: Path) -> None:
    run = open_run(tmp_path / "run", CONFIGURATION)
    with pytest.raises(ValueError, match="JSON"):
        run.finish([Cell("one", "stage", lambda _: {"mean": float("nan")})])
    assert sorted(content(tmp_path / "run")) == ["run.json"]


def test_steps_count_the_cells_that_are_missing(tmp_path: Path) -> None:
    steps: list[Step] = []
    run = open_run(tmp_path / "run", CONFIGURATION)
    run.finish(counted([], n=2), steps.append)
    assert [(step.label, step.done, step.total) for step in steps] == [
        ("cell-0", 0, 2),
        ("cell-1", 1, 2),
        ("done", 2, 2),
    ]
    assert steps[0].stage == "sums"
    steps.clear()
    run.finish(counted([]), steps.append)
    assert [(step.label, step.done, step.total) for step in steps] == [
        ("cell-2", 0, 2),
        ("cell-3", 1, 2),
        ("done", 2, 2),
    ]
    steps.clear()
    run.finish(counted([]), steps.append)
    assert [(step.done, step.total) for step in steps] == [(0, 0)]


def refused(folder: Path, configuration: dict[str, Any]) -> str:
    """Return the refusal of a folder, in which nothing has changed."""
    before = content(folder)
    with pytest.raises(ValueError, match="must") as error:
        open_run(folder, configuration)
    assert content(folder) == before
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"seed": 1}, ("seed 1", "got 0 in")),
        ({"dataset": "adult"}, ("dataset 'adult'", "got 'magic' in")),
        ({"sizes": (1, 2, 3)}, ("sizes [1, 2, 3]", "got [1, 2] in")),
        ({"study": {"n": 6}}, ("study {'n': 6}", "got {'n': 5} in")),
        ({"small": True}, ("small True", "got None in")),
    ],
)
def test_another_configuration_is_refused_with_both_values(
    changed: dict[str, Any], words: tuple[str, str], tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    open_run(folder, CONFIGURATION).finish(counted([]))
    said = refused(folder, {**CONFIGURATION, **changed})
    assert said.startswith(f"--out must hold a run with {words[0]}; {words[1]}")
    assert str(folder) in said
    assert said.endswith("Name another folder, or remove that one.")
    # The right one goes on.
    assert open_run(folder, CONFIGURATION).has("cell-3")


def test_less_than_was_asked_before_is_another_configuration(tmp_path: Path) -> None:
    open_run(tmp_path / "run", CONFIGURATION)
    less = {name: CONFIGURATION[name] for name in ("dataset", "sizes", "study")}
    assert "seed None; got 0 in" in refused(tmp_path / "run", less)


def test_other_versions_are_another_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"
    open_run(folder, CONFIGURATION)
    held = json.loads((folder / "run.json").read_text())
    assert held["versions"] == versions()
    assert {"semikd", "numpy", "scikit-learn"} <= set(held["versions"])
    newer = {**versions(), "scikit-learn": "99.0"}
    monkeypatch.setattr(cells, "versions", lambda: newer)
    said = refused(folder, CONFIGURATION)
    assert "'scikit-learn': '99.0'" in said
    assert f"'scikit-learn': '{held['versions']['scikit-learn']}'" in said


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    said = refused(tmp_path, CONFIGURATION)
    assert said.startswith("--out must be a new folder, or that of an earlier run; got")
    assert said.endswith(f"{str(tmp_path)!r}. Name another place.")
    (tmp_path / "empty").mkdir()
    assert open_run(tmp_path / "empty", CONFIGURATION).folder == tmp_path / "empty"


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("mine")
    with pytest.raises(ValueError, match="--out must be a new folder"):
        open_run(tmp_path / "run", CONFIGURATION)
    assert (tmp_path / "run").read_text() == "mine"


@pytest.mark.parametrize(
    "text",
    [
        "",
        '{"found": {"total"',
        '{"found": {"total": NaN}, "seconds": 1.0}',
        "[1, 2]",
        '{"total": 3}',
        '{"found": {}, "seconds": 1.0, "more": 1}',
        '{"found": 3, "seconds": 1.0}',
    ],
)
def test_a_damaged_cell_is_refused_and_named(text: str, tmp_path: Path) -> None:
    run = open_run(tmp_path / "run", CONFIGURATION)
    run.finish(counted([], n=2))
    path = tmp_path / "run" / "cells" / "cell-1.json"
    path.write_text(text)
    with pytest.raises(ValueError, match="must") as refused:
        run.finish(counted([]))
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)
    path.unlink()
    run.finish(counted([]))
    assert run.read("cell-3") == {"total": 6}


@pytest.mark.parametrize("text", ["", "{", "[]"])
def test_a_damaged_configuration_is_refused_and_named(
    text: str, tmp_path: Path
) -> None:
    open_run(tmp_path, CONFIGURATION)
    (tmp_path / "run.json").write_text(text)
    assert str(tmp_path / "run.json") in refused(tmp_path, CONFIGURATION)


def a_table(change: Callable[[Any], Any] = lambda X: X) -> PaperTable:
    """Return a table of two classes, some of it changed."""
    draws = np.random.default_rng(0)
    X = draws.normal(size=(120, 3))
    y = (X[:, 0] + draws.normal(size=120) > 0).astype(np.intp)
    return PaperTable("fair", "AUC", change(X), y)


def test_rows_of_another_file_do_not_meet_those_of_the_first(tmp_path: Path) -> None:
    asked = Asked(protocol="published", small=True)
    reproduce("trees", asked, tmp_path, a_table())
    before = {name: each for name, each in content(tmp_path).items() if "cells" in name}
    # As many rows in another order, as in a file from elsewhere.
    with pytest.raises(ValueError, match="--out must hold a run with"):
        reproduce("trees", asked, tmp_path, a_table(lambda X: X[::-1]))
    after = content(tmp_path)
    assert {name: after[name] for name in before} == before
