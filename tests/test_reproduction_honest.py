"""Repetitions of the honest protocol with forests, on a tiny table."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semikd.reproduction.cells import open_run
from semikd.reproduction.forests import honest
from semikd.reproduction.forests.honest import honest_cells
from semikd.reproduction.forests.paths import PathJudge
from semikd.reproduction.forests.readings import Sides
from semikd.reproduction.forests.study import DEPTH
from semikd.selection import Candidate

TEACHERS = {str(depth): {"n_estimators": 5, "max_depth": depth} for depth in (1, 3)}
STUDY = replace(DEPTH, teachers=TEACHERS, sizes=(2,))
UNTAUGHT = ("scratch", "scratch classifier", "scratch, tuned")
Found = dict[str, Any]


def sides() -> Sides:
    """Return rows that are quickly learned."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(160, 3))
    y = (X[:, 0] + rng.normal(size=160) > 0).astype(np.intp)
    return Sides("AUC", X[:100], y[:100], X[100:], y[100:])


def found(folder: Path, *teachers: str) -> dict[str, Found]:
    """Return the arms of the repetitions of some teachers, one after the other."""
    run = open_run(folder, {})
    cells = honest_cells(STUDY, 0, sides(), None, preset="fast")
    some = [cell for cell in cells if cell.name.split("-")[-1] in teachers]
    run.finish(some)
    return {cell.name[-1]: run.read(cell.name)["arms"] for cell in some}


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Found]:
    """Return the arms of both teachers."""
    return found(tmp_path_factory.mktemp("both"), *TEACHERS)


def test_students_without_a_teacher_are_those_of_the_teacher_before(
    both: dict[str, Found],
) -> None:
    for arm in UNTAUGHT:
        assert both["1"][arm] == both["3"][arm]
    assert both["1"]["cross-fitted"] != both["3"]["cross-fitted"]


def test_a_teacher_finds_the_same_alone(both: dict[str, Found], tmp_path: Path) -> None:
    assert found(tmp_path, "3") == {"3": both["3"]}


def test_students_without_a_teacher_are_judged_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged: list[Candidate] = []

    class Counted(PathJudge):
        def judge(self, candidates: Any) -> None:
            known = set(self.losses)
            super().judge(candidates)
            judged.extend(set(self.losses) - known)

    monkeypatch.setattr(honest, "PathJudge", Counted)
    found(tmp_path, *TEACHERS)
    untaught = [each for each in judged if each.labels == "scratch"]
    assert len(untaught) == len(set(untaught)) > len(UNTAUGHT)
    taught = [each for each in judged if each.labels == "cross-fitted"]
    assert len(taught) > len(set(taught))
