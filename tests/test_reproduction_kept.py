"""A page holds what is finished in its folder, of one configuration and no other."""

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semikd._progress import Step
from semikd.reproduction.asked import HONEST, PUBLISHED, Asked
from semikd.reproduction.cells import Cell, open_run
from semikd.reproduction.forests import honest, run
from semikd.reproduction.forests.readings import READINGS, PaperTable, divided
from semikd.reproduction.forests.rules import RULES, ReferenceRule
from semikd.reproduction.forests.run import reproduce_forests

Row = dict[str, str]


def table(**changed: Any) -> PaperTable:
    """Return rows that are quickly learned, with a gap."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(160, 3))
    y = (X[:, 0] + rng.normal(size=160) > 0).astype(np.intp)
    X[3, 1] = np.nan
    return replace(PaperTable("fair", "AUC", X, y), **changed)


def page(out: Path, rows: PaperTable | None = None, **asked: Any) -> list[Row]:
    """Return the rows of a trial that is asked for in a folder."""
    wanted = Asked(small=True, **{"protocol": PUBLISHED, **asked})
    reproduce_forests("trees", rows or table(), wanted, out, lambda step: None)
    with (out / "trees-fair-small" / "results.csv").open() as file:
        return list(csv.DictReader(file))


def held(out: Path) -> dict[str, Any]:
    """Return what the last page says that it is made of."""
    text = (out / "trees-fair-small" / "origin.json").read_text()
    return dict(json.loads(text)["held"])


def of(rows: list[Row], protocol: str) -> list[Row]:
    """Return the rows of one protocol."""
    return [row for row in rows if row["protocol"] == protocol]


def test_less_asked_later_takes_nothing_from_the_page(tmp_path: Path) -> None:
    full = page(tmp_path, draws=2, arms="all")
    assert {row["draws"] for row in full} == {"2"}
    assert "kd_relerr" in {row["arm"] for row in full}
    assert page(tmp_path) == full
    draws = [{"split": 2357, "teachers": number} for number in (0, 1)]
    assert held(tmp_path) == {"draws": draws, "repeats": []}
    # Other splits have no published numbers, and move no level of this one.
    levels = [row for row in page(tmp_path, splits=2) if row["labels"]]
    assert levels == [row for row in full if row["labels"]]
    assert {"split": 0, "teachers": 0} in held(tmp_path)["draws"]


def test_one_protocol_stays_when_the_other_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def repetition(*_: Any) -> dict[str, Any]:
        sizes = {
            size: {"AUC": 0.7, "log-loss": 0.5, "Brier score": 0.2, "leaves": 9}
            for size in ("1", "2")
        }
        arms = dict.fromkeys(honest.ARMS, sizes)
        return {"arms": arms, "n_train": 70, "n_test": 30}

    monkeypatch.setattr(honest, "_repetition", repetition)
    before = page(tmp_path)
    both = page(tmp_path, protocol=HONEST)
    assert [row | {"repetitions": ""} for row in before] == of(both, PUBLISHED)
    assert {row["repetitions"] for row in of(both, HONEST)} == {"2"}
    assert page(tmp_path, protocol=PUBLISHED) == both


def other_grid(monkeypatch: pytest.MonkeyPatch) -> PaperTable:
    """Tune a rule over other settings."""
    changed = ReferenceRule("kd_boundfast", "enhanced", (1e6,))
    monkeypatch.setitem(RULES, "kd_boundfast", changed)
    return table()


def other_floor(monkeypatch: pytest.MonkeyPatch) -> PaperTable:
    """Take logarithms of something else."""
    monkeypatch.setattr(run, "FLOOR", 0.4)
    return table()


def other_rows(monkeypatch: pytest.MonkeyPatch) -> PaperTable:  # noqa: ARG001
    """Change one number."""
    X = table().X.copy()
    X[0, 0] += 1.0
    return table(X=X)


@pytest.mark.parametrize(
    ("change", "word"),
    [(other_grid, "settings"), (other_floor, "settings"), (other_rows, "content")],
)
def test_cells_of_another_configuration_meet_on_no_page(
    change: Callable[[pytest.MonkeyPatch], PaperTable],
    word: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    page(tmp_path)
    rows = change(monkeypatch)
    with pytest.raises(ValueError, match=f"--out must hold a run with {word} "):
        page(tmp_path, rows, draws=2)


def test_words_are_no_part_of_a_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = page(tmp_path)
    study = replace(run.FOREST_STUDIES["trees"], title="another", axis="trees")
    monkeypatch.setitem(run.FOREST_STUDIES, "trees", study)
    assert page(tmp_path) == before


def test_a_split_that_a_file_brings_is_the_only_one(tmp_path: Path) -> None:
    rows = table(fixed=(np.arange(110), np.arange(110, 160)))
    page(tmp_path, rows, splits=3)
    assert held(tmp_path)["draws"] == [{"split": 2357, "teachers": 0}]
    text = (tmp_path / "trees-fair-small" / "results.md").read_text()
    assert "The file brings its split: there is no other" in text


def test_rows_that_are_not_the_paper_s_have_no_published_numbers() -> None:
    assert table().unlike() is None
    short = table(name="magic").unlike()
    assert short == (
        "48 test rows, where the paper has 5,706; 3 columns, where the paper has 10"
    )
    y = np.zeros(19_020, dtype=np.intp)
    assert PaperTable("magic", "AUC", np.zeros((19_020, 10)), y).unlike() is None
    for name, reading in READINGS.items():
        assert name == "fair" or reading.n_test is not None


def test_gaps_are_filled_by_training_rows_where_it_is_to_be_believed() -> None:
    gap = table()
    train = divided(replace(gap, fixed=(np.arange(50), np.arange(50, 160))), 0)
    fair = divided(
        replace(gap, fixed=(np.arange(50), np.arange(50, 160))), 0, honest=True
    )
    assert train.X[3, 1] == pytest.approx(np.nanmean(gap.X[:, 1]))
    assert fair.X[3, 1] == pytest.approx(np.nanmean(gap.X[:50, 1]))
    np.testing.assert_array_equal(fair.X_test, train.X_test)


def test_an_unfinished_first_write_is_no_other_folder(tmp_path: Path) -> None:
    (tmp_path / ".run.json.semikd-3f9a01bc").write_text("{")
    assert open_run(tmp_path, {"seed": 0}).configuration["seed"] == 0


def test_cells_foretell_by_their_size_and_say_how_far_they_are(tmp_path: Path) -> None:
    heard: list[Step] = []

    def work(run: Any) -> dict[str, Any]:
        run.listener(Step("tree", "tree 3 of 9", 2, 9))
        return {}

    own = [Cell("small", "one", lambda run: {}), Cell("large", "two", work, size=8)]
    open_run(tmp_path, {}).finish(own, heard.append)
    assert heard == [
        Step("one", "small", 0, 9),
        Step("two", "large", 1, 9),
        Step("two", "large: tree 3 of 9", 1, 9),
        Step("done", "done", 9, 9),
    ]
