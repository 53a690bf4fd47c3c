"""Ctrl-C at any moment: one line, exit code 130, and nothing that is half written."""

import os
import pkgutil
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from semikd.cli import applying, main
from semikd.cli.errors import run
from semikd.job import reading, sides

OLDER = ("--force",)
FITS = ("--refits", "4", "--leaves", "16")


@dataclass(frozen=True)
class Moment:
    """A line of progress, and how long after it Ctrl-C comes."""

    trigger: str
    seconds: float = 0.0
    options: tuple[str, ...] = FITS
    python: tuple[str, ...] = ()


# Seconds within a stage are drawn once; a line, not a clock, says where the job is.
_DRAWN = np.random.default_rng(3).uniform(0, 1, 4).round(3)
IMPORTS = ("-X", "importtime")
MOMENTS = {
    "before a command is known": Moment(r"\| typer", python=IMPORTS),
    "while libraries load": Moment(r"\| +pandas\.core", python=IMPORTS),
    "while columns are read": Moment("reading the table", 0.3 * _DRAWN[0], OLDER),
    "while recipes are tried": Moment("reading columns", _DRAWN[1]),
    "while teachers of pairs are fitted": Moment(
        "choosing the recipe, students", _DRAWN[1]
    ),
    "while arms are fitted": Moment("choosing the recipe, weights", _DRAWN[1]),
    "while workers start": Moment(
        "labels of boosting", 0.5 * _DRAWN[3], (*FITS, "--jobs", "2")
    ),
    "while workers fit": Moment(
        "arm 'scratch", 0.5 * _DRAWN[2], (*FITS, "--jobs", "2")
    ),
    # The last stages are short, and may have no line of their own.
    "towards the end": Moment("fold, 5", 0.3 * _DRAWN[3], ("--refits", "1", *OLDER)),
}


@dataclass(frozen=True)
class Ending:
    """How a command ended: its code, what it said at last, and what it left."""

    code: int
    said: list[str]
    before: dict[str, bytes]
    after: dict[str, bytes]


def content(folder: Path) -> dict[str, bytes]:
    """Return all files of a folder, hidden ones too, and its folders."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b""
        for path in folder.rglob("*")
    }


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table large enough that every stage takes its time, with an older result."""
    folder, draws = tmp_path_factory.mktemp("table"), np.random.default_rng(0)
    X = draws.normal(size=(4000, 6))
    noise = draws.normal(size=len(X))
    y = np.where(X[:, 0] + X[:, 1] * X[:, 2] + noise > 0, "yes", "no")
    frame = pd.DataFrame(X, columns=list("abcdef")).assign(y=y)
    frame.to_csv(folder / "table.csv", index=False)
    frame.head(200).to_csv(folder / "small.csv", index=False)
    words = ("--target", "y", "--teacher", "linear", "--leaves", "4", "--refits", "1")
    out = str(folder / "out")
    assert main(["distill", str(folder / "small.csv"), *words, "--out", out]) == 0
    return folder / "table.csv"


def interrupted(table: Path, folder: Path, moment: Moment) -> Ending:
    """Send Ctrl-C to a command and all its workers, as a terminal does."""
    if "--force" in moment.options:
        shutil.copytree(table.parent / "out", folder / "out")
    before = content(folder)
    words = ("distill", str(table), "--target", "y", "--out", "out", *moment.options)
    process = subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, *moment.python, "-m", "semikd", *words],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stderr is not None
    sent, said = False, []
    for line in process.stderr:
        if not sent and re.search(moment.trigger, line):
            time.sleep(moment.seconds)
            os.killpg(process.pid, signal.SIGINT)
            sent = True
        elif not re.search(r"^import time:|: \d+\.\d s$", line):
            said.append(line)
    assert sent, said
    return Ending(process.wait(), said, before, content(folder))


@pytest.fixture(scope="module")
def endings(table: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ending]:
    """How the command ended for each moment; they run side by side."""

    def one(name: str) -> tuple[str, Ending]:
        folder = tmp_path_factory.mktemp("run")
        return name, interrupted(table, folder, MOMENTS[name])

    with ThreadPoolExecutor(3) as pool:
        return dict(pool.map(one, MOMENTS))


@pytest.mark.parametrize("name", MOMENTS)
def test_ctrl_c_leaves_one_line_and_nothing_else(
    name: str, endings: dict[str, Ending]
) -> None:
    ending = endings[name]
    assert ending.said == ["semikd: interrupted; nothing was written\n"]
    # Python may end itself by the signal, which shells call 130 as well.
    assert ending.code in {130, -signal.SIGINT}
    assert ending.after == ending.before


QUICK = ("--target", "y", "--teacher", "linear", "--leaves", "4", "--refits", "1")


def ctrl_c_during(function: Callable[..., Any], *, after: bool) -> Callable[..., Any]:
    """Return a function in the middle of which Ctrl-C comes."""

    def call(*args: Any, **named: Any) -> Any:
        if not after:
            os.kill(os.getpid(), signal.SIGINT)
        result = function(*args, **named)
        if after:
            os.kill(os.getpid(), signal.SIGINT)
        return result

    return call


@contextmanager
def ctrl_c_in(step: str, *, after: bool) -> Iterator[None]:
    """Let Ctrl-C come in every call of a function that is named by its path."""
    home, name = step.rsplit(".", 1)
    owner = pkgutil.resolve_name(home)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, name, ctrl_c_during(getattr(owner, name), after=after))
        yield


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder, and return it."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def distilled_again(table: Path, *, older: bool) -> list[str]:
    """Return a command with a seed of its own, beside an older result if there is."""
    if older:
        shutil.copytree(table.parent / "out", "out")
    small = str(table.parent / "small.csv")
    return ["distill", small, *QUICK, "--seed", "3", "--force", "--out"]


@pytest.mark.parametrize(("after", "older"), [(False, True), (True, False)])
@pytest.mark.parametrize(
    "step",
    [
        "semikd.job.sides.read_target",
        "semikd.job.distilling.read_sides",
        "semikd.job.distilling.search_recipes",
        "semikd.job.choosing.made_choice",
        "semikd.job.distilling.ship",
        "semikd.job.results.save_model",
        "semikd.job.results.load_model",
        "semikd.job.results.write_labels",
        "semikd.report.report_page",
        "pathlib.Path.write_text",
    ],
)
def test_ctrl_c_in_any_step_leaves_what_was_there(
    step: str,
    older: bool,
    after: bool,
    table: Path,
    here: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = distilled_again(table, older=older)
    before = content(here)
    with ctrl_c_in(step, after=after):
        assert main([*words, "out"]) == 130
    *_, said = capsys.readouterr().err.splitlines()
    assert said == "semikd: interrupted; nothing was written"
    assert content(here) == before
    assert main([*words, "out"]) == 0
    assert content(here) != before


class Destroyed:
    """In the destructor of which Ctrl-C comes: Python reports it and goes on."""

    def __del__(self) -> None:
        """Send Ctrl-C, which is answered before the last line."""
        os.kill(os.getpid(), signal.SIGINT)
        for _ in range(10):
            pass


def test_ctrl_c_in_a_destructor_is_neither_lost_nor_reported(
    table: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words, before = distilled_again(table, older=True), content(here)
    read, reported = sides.read_target, []

    def destroying(*args: Any, **named: Any) -> Any:
        Destroyed()
        return read(*args, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sides, "read_target", destroying)
        patch.setattr(sys, "unraisablehook", reported.append)
        assert main([*words, "out"]) == 130
        # Whoever reported before does so again.
        assert sys.unraisablehook == reported.append
    *_, said = capsys.readouterr().err.splitlines()
    assert said == "semikd: interrupted; nothing was written"
    assert reported == []
    assert content(here) == before


@pytest.mark.parametrize("older", [False, True])
@pytest.mark.parametrize(
    "step", ["pathlib.Path.rename", "semikd.cli.distilling._found"]
)
def test_ctrl_c_after_the_last_moment_does_not_deny_the_result(
    step: str,
    older: bool,
    table: Path,
    here: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = distilled_again(table, older=older)
    assert main([*words, "other"]) == 0
    with ctrl_c_in(step, after=False):
        assert main([*words, "out"]) == 130
    *_, said = capsys.readouterr().err.splitlines()
    assert said == "semikd: interrupted; 'out' is complete"
    assert sorted(path.name for path in here.iterdir()) == ["other", "out"]
    mine, theirs = (Path(at) / "model.npz" for at in ("out", "other"))
    assert mine.read_bytes() == theirs.read_bytes()


@pytest.mark.parametrize("name", ["found.csv", "found.parquet"])
def test_ctrl_c_leaves_older_predictions_alone(
    name: str,
    table: Path,
    here: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    words = ["predict", str(table.parent / "out"), str(table), "--out", name]
    assert main(words) == 0
    before = content(here)
    for step in ("to_csv", "to_parquet"):
        slow = ctrl_c_during(getattr(pd.DataFrame, step), after=True)
        monkeypatch.setattr(pd.DataFrame, step, slow)
    assert main(words) == 130
    assert capsys.readouterr().err == "semikd: interrupted; nothing was written\n"
    assert content(here) == before


@pytest.mark.parametrize("command", ["distill", "predict"])
def test_a_ctrl_c_that_a_library_swallows_is_answered_later(
    command: str,
    table: Path,
    here: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    small, read = str(table.parent / "small.csv"), reading.read_table

    def deaf(*args: Any, **named: Any) -> pd.DataFrame:
        with suppress(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
        return read(*args, **named)

    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(reading, "read_table", deaf)
    monkeypatch.setattr(applying, "read_table", deaf)
    words = {
        "distill": ["distill", small, *QUICK, "--out", "out"],
        "predict": ["predict", str(table.parent / "out"), small, "--out", "found.csv"],
    }[command]
    assert main(words) == 130
    assert capsys.readouterr().err == "semikd: interrupted; nothing was written\n"
    assert os.listdir() == []
    assert signal.getsignal(signal.SIGINT) is before
    monkeypatch.undo()
    monkeypatch.chdir(here)
    assert main(words) == 0
    assert len(os.listdir()) == 1


def test_what_fails_after_a_swallowed_ctrl_c_fails_of_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def half_imported() -> None:
        with suppress(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
        raise ImportError("numpy._core.multiarray failed to import")

    assert run(["predict"], half_imported) == 130
    assert capsys.readouterr().err == "semikd: interrupted; nothing was written\n"


def test_whoever_answers_ctrl_c_already_keeps_doing_so(
    table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        words = ["evaluate", str(table.parent / "out"), str(table)]
        assert main(words) == 0
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
    assert "rows, target 'y'" in capsys.readouterr().out
