"""The folder of a result appears whole or not at all, whatever happens meanwhile."""

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from semikd._files.whole import interrupts_deferred
from semikd.exceptions import UsageError
from semikd.job import result_folder


def write(folder: Path, text: str = "new") -> None:
    """Write what a result holds."""
    (folder / "metrics.json").write_text(text)
    (folder / "report.html").write_text(text)


def make(
    path: Path, *, force: bool = False, meanwhile: Callable[[], None] | None = None
) -> None:
    """Make a result, while something else happens."""
    with result_folder(path, force=force) as folder:
        write(folder)
        if meanwhile is not None:
            meanwhile()


def failing(error: BaseException) -> Callable[[], None]:
    """Return something that raises."""

    def fail() -> None:
        raise error

    return fail


def content(folder: Path) -> dict[str, str]:
    """Return the files of a folder, hidden ones too."""
    return {file.name: file.read_text() for file in folder.iterdir()}


WHOLE = {"metrics.json": "new", "report.html": "new"}
OLDER = {"metrics.json": "old", "report.html": "old"}


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """The folder of an earlier result."""
    with result_folder(tmp_path / "out") as folder:
        write(folder, "old")
    return tmp_path / "out"


def test_a_result_appears_at_the_end_and_not_before(tmp_path: Path) -> None:
    target = tmp_path / "out"
    with result_folder(target) as folder:
        write(folder)
        assert not target.exists()
        assert folder.parent == tmp_path
        assert folder.name.startswith(".out.semikd-")
    assert content(target) == WHOLE
    assert os.listdir(tmp_path) == ["out"]


def test_an_empty_folder_is_as_good_as_none(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    make(tmp_path / "out")
    assert content(tmp_path / "out") == WHOLE


def test_relative_paths_survive_a_change_of_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with result_folder("out") as folder:
        write(folder)
        monkeypatch.chdir("/")
    assert content(tmp_path / "out") == WHOLE


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_failure_leaves_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    target = tmp_path / "a" / "b" / "out"
    with pytest.raises(error):
        make(target, meanwhile=failing(error()))
    assert list(tmp_path.iterdir()) == []
    make(target)
    assert content(target) == WHOLE


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_failure_leaves_the_older_result(
    older: Path, error: type[BaseException]
) -> None:
    with pytest.raises(error):
        make(older, force=True, meanwhile=failing(error()))
    assert content(older) == OLDER
    assert os.listdir(older.parent) == ["out"]


def test_an_older_result_is_replaced_only_when_asked(older: Path) -> None:
    with pytest.raises(UsageError, match=r"holds an earlier result. Add --force"):
        result_folder(older).__enter__()
    assert content(older) == OLDER
    with result_folder(older, force=True) as folder:
        (folder / "model.json").write_text("{}")
    assert content(older) == {"model.json": "{}"}
    assert os.listdir(older.parent) == ["out"]


def test_what_is_not_ours_is_never_replaced(older: Path, tmp_path: Path) -> None:
    (older / "thesis.tex").write_text("years of work")
    with pytest.raises(UsageError, match=r"which holds 'thesis\.tex'\. Name another"):
        result_folder(older, force=True).__enter__()
    (older / "thesis.tex").rename(tmp_path / "thesis.tex")
    (older / "model.json").mkdir()
    with pytest.raises(UsageError, match=r"which holds 'model.json'"):
        result_folder(older, force=True).__enter__()


def test_what_came_meanwhile_is_not_replaced_either(older: Path) -> None:
    def work() -> None:
        (older / "thesis.tex").write_text("years of work")

    with pytest.raises(UsageError, match=r"which holds 'thesis\.tex'"):
        make(older, force=True, meanwhile=work)
    assert content(older) == OLDER | {"thesis.tex": "years of work"}
    assert os.listdir(older.parent) == ["out"]


def test_places_where_something_else_stands_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    wrong = {
        "file": "got 'file', a file. Name another place",
        "link": "a symbolic link",
        "dangling": "a symbolic link",
        ".": "got '.', a folder in use. Name a new folder in it",
        "/": "a folder in use",
        "file/out": r"be a folder that can be written; got .*Not a directory",
        "x" * 250: r"\(File name too long\)",
    }
    for path, match in wrong.items():
        with pytest.raises(UsageError, match=match):
            result_folder(path, force=True).__enter__()
    make(Path("there"))
    assert content(tmp_path / "there") == WHOLE


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a place like /proc")
def test_a_place_that_cannot_be_written_is_refused_before_any_work() -> None:
    with pytest.raises(UsageError, match="--out must be a folder that can be written"):
        result_folder("/proc/semikd/out").__enter__()


def test_a_full_disk_is_one_line(older: Path) -> None:
    match = r"\(No space left on device\)\. Make room, or name another place\.$"
    full = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(UsageError, match=match):
        make(older, force=True, meanwhile=failing(full))
    assert content(older) == OLDER


def test_other_errors_of_the_system_are_not_explained_away(tmp_path: Path) -> None:
    lost = FileNotFoundError(errno.ENOENT, "weights")
    with pytest.raises(FileNotFoundError, match="weights"):
        make(tmp_path / "out", meanwhile=failing(lost))


def test_the_older_result_comes_back_if_the_new_one_cannot_be_moved(
    older: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = Path.rename

    def stubborn(self: Path, target: Path) -> Path:
        if "metrics.json" in os.listdir(self) and content(self) == WHOLE:
            raise OSError(errno.EIO, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", stubborn)
    with pytest.raises(UsageError, match=r"\(Input/output error\)"):
        make(older, force=True)
    assert content(older) == OLDER
    assert os.listdir(older.parent) == ["out"]


@pytest.mark.parametrize("at", [1, 2])
def test_ctrl_c_waits_until_the_result_is_in_its_place(
    at: int, older: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename, calls = Path.rename, []

    def interrupted(self: Path, target: Path) -> Path:
        calls.append(target)
        if len(calls) == at:
            os.kill(os.getpid(), signal.SIGINT)
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt, match="out' is complete"):
        make(older, force=True)
    assert content(older) == WHOLE
    assert os.listdir(older.parent) == ["out"]


def test_ctrl_c_is_only_deferred_and_never_lost() -> None:
    before = signal.getsignal(signal.SIGINT)
    reached = []

    def work() -> None:
        with interrupts_deferred():
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.01)
            reached.append(True)

    with pytest.raises(KeyboardInterrupt):
        work()
    assert reached == [True]
    assert signal.getsignal(signal.SIGINT) is before


def test_other_threads_can_make_results(tmp_path: Path) -> None:
    def job() -> None:
        make(tmp_path / "out")

    thread = threading.Thread(target=job)
    thread.start()
    thread.join()
    assert content(tmp_path / "out") == WHOLE


def test_leftovers_of_a_killed_run_block_nobody(tmp_path: Path) -> None:
    code = (
        "import os, signal\nfrom semikd.job import result_folder\n"
        f"with result_folder({str(tmp_path / 'out')!r}) as folder:\n"
        "    (folder / 'metrics.json').write_text('half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=False)  # noqa: S603
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".out.semikd-")
    make(tmp_path / "out")
    assert content(tmp_path / "out") == WHOLE


def test_a_generator_that_is_dropped_leaves_nothing(tmp_path: Path) -> None:
    def work() -> NoReturn:
        result_folder(tmp_path / "out").__enter__()
        raise ValueError("lost")

    with pytest.raises(ValueError, match="lost"):
        work()
    import gc

    gc.collect()
    assert list(tmp_path.iterdir()) == []
