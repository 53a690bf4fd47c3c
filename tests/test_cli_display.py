"""What a long command shows: honest times, nothing read as markup, a tidy terminal."""

import io
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from semikd._progress import Step
from semikd._text import visible
from semikd.cli.display import Display
from semikd.cli.pace import Pace, duration


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def lines(steps: list[tuple[float, Step]], end: float) -> list[str]:
    """Return the plain lines of steps that start at these seconds."""
    out, clock = io.StringIO(), Clock()
    with Display(stream=out, clock=clock) as display:
        for clock.now, step in steps:
            display.progress(step)
        clock.now = end
    return out.getvalue().splitlines()


def test_a_step_that_says_how_far_it_is_counts_once() -> None:
    steps = [(0.0, Step("cell", "first", 0, 3)), (1.0, Step("cell", "first: a", 0, 3))]
    steps += [(2.0, Step("cell", "second", 1, 3)), (3.0, Step("done", "", 3, 3))]
    assert lines(steps, 4.0) == ["semikd: cell, 2 steps: 3.0 s"]


def test_each_stage_gets_one_line_with_its_seconds() -> None:
    steps = [(0.0, Step("reading", "reading the table", 0, 0))]
    steps += [(1.5 + i, Step("fold", f"fold {i + 1} of 5", i, 7)) for i in range(5)]
    steps += [(6.5, Step("student", "arm 'scratch'", 5, 7))]
    steps += [(7.0, Step("student", "arm 'cross-fitted'", 6, 7))]
    steps += [(9.0, Step("done", "compared", 7, 7))]
    steps += [(9.5, Step("report", "writing", 0, 0))]
    assert lines(steps, 11.0) == [
        "semikd: reading the table: 1.5 s",
        "semikd: fold, 5 steps: 5.0 s",
        "semikd: student, 2 steps: 2.5 s",
        "semikd: writing: 1.5 s",
    ]


def test_lines_of_many_steps_say_what_these_have_in_common() -> None:
    steps = [
        (float(i), Step("fold", f"refit 2 of 3, fold {i + 1} of 3", i, 5))
        for i in range(3)
    ]
    steps += [(3.0, Step("student", "refit 2 of 3, arm 'scratch'", 3, 5))]
    steps += [(3.01, Step("teacher", "refit 3 of 3, teacher", 4, 5))]
    steps += [(4.0, Step("done", "", 5, 5))]
    # What took no time that could be read is not told.
    assert lines(steps, 5.0) == [
        "semikd: refit 2 of 3, fold, 3 steps: 3.0 s",
        "semikd: refit 3 of 3, teacher: 1.0 s",
    ]


def test_what_fails_has_no_line_of_success() -> None:
    out = io.StringIO()

    def work() -> None:
        with Display(stream=out) as display:
            display.start("reading", "reading the table")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    assert out.getvalue() == ""


def test_lines_show_labels_as_they_are() -> None:
    out = io.StringIO()
    with Display(stream=out, clock=Clock()) as display:
        display.start("arm", "[red]x[/b] \x1b[2J \u202e\n")
    assert out.getvalue().splitlines() == [
        "semikd: [red]x[/b] \N{SYMBOL FOR ESCAPE}[2J [U+202E]"
        "\N{SYMBOL FOR LINE FEED}: 0.0 s",
    ]
    ascii_only = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    with Display(stream=ascii_only, clock=Clock()) as display:
        display.start("arm", "größe")
    ascii_only.seek(0)
    assert ascii_only.read() == "semikd: gr\\xf6\\xdfe: 0.0 s\n"


def test_the_time_left_is_that_of_steps_alike() -> None:
    pace = Pace()
    pace.start(Step("fold", "", 0, 6), 0.0)
    assert pace.left(1.0) is None
    pace.start(Step("fold", "", 1, 6), 4.0)
    # Three seconds of this fold and four more steps like the first.
    assert pace.left(5.0) == 3.0 + 4 * 4.0
    assert pace.left(100.0) == 4 * 4.0
    pace.start(Step("student", "", 2, 6), 10.0)
    # No student was measured yet: the mean of two folds of 4 and 6 seconds.
    assert pace.left(10.0) == 5.0 + 3 * 5.0
    pace.start(Step("student", "", 3, 6), 11.0)
    mean = (4.0 + 6.0 + 1.0) / 3
    assert pace.left(11.5) == pytest.approx(0.5 + 2 * mean)
    pace.start(Step("done", "", 6, 6), 14.0)
    assert pace.left(14.0) == 0.0


def test_steps_of_equal_length_are_foretold_exactly() -> None:
    pace = Pace()
    for done in range(1, 10):
        pace.start(Step("fold", "", done - 1, 10), 2.0 * (done - 1))
        if done > 1:
            assert pace.left(2.0 * done - 0.5) == pytest.approx(20.0 - 2.0 * done + 0.5)


def test_another_count_starts_afresh() -> None:
    pace = Pace()
    pace.start(Step("reading", "", 0, 2), 0.0)
    pace.start(Step("reading", "", 1, 2), 1.0)
    assert pace.left(1.0) == 1.0
    pace.start(Step("fold", "", 0, 5), 2.0)
    assert pace.left(2.0) is None
    pace.start(Step("fold", "", 0, 5), 3.0)
    assert pace.left(3.0) is None


def test_texts_and_durations_are_short_and_plain() -> None:
    assert [duration(s) for s in (0, 59.6, 61, 3599.7, 36_000)] == [
        "0:00",
        "1:00",
        "1:01",
        "1:00:00",
        "10:00:00",
    ]
    assert visible("é 漢 👩‍💻 [/b] $_^") == "é 漢 👩‍💻 [/b] $_^"
    assert visible("\t\x85\ud800\u2029") == "\u2409[U+0085]\ufffd[U+2029]"


SHOW = """
import signal, sys, time
from semikd._progress import Step
from semikd.cli.display import Display
with Display() as display:
    display.start("reading", "reading [/b] the table")
    display.progress(Step("fold", "fold 1 of 3", 0, 3))
    time.sleep(0.15)
    display.progress(Step("fold", "fold 2 of 3", 1, 3))
    time.sleep(0.25)
    {more}
print("end", flush=True)
"""


def in_terminal(code: str, interrupt: bool = False, **env: str) -> tuple[str, int]:
    """Run code in a terminal of its own; return what the terminal got and the end."""
    pty = pytest.importorskip("pty", reason="needs terminals of POSIX")
    parent, child = pty.openpty()
    env = {"COLUMNS": "100", "LINES": "24", "TERM": "xterm-256color"} | env
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and code
        [sys.executable, "-c", code],
        stdin=child,
        stdout=child,
        stderr=child,
        env={k: v for k, v in os.environ.items() if k != "NO_COLOR"} | env,
    )
    os.close(child)
    got = b""
    while True:
        try:
            block = os.read(parent, 4096)
        except OSError:
            # The other end of a terminal is closed.
            break
        got += block
        if not block:
            break
        if interrupt and b"fold 2 of 3" in got:
            process.send_signal(signal.SIGINT)
            interrupt = False
    os.close(parent)
    return got.decode(), process.wait()


HIDE, SHOWN = "\x1b[?25l", "\x1b[?25h"
COLOUR = re.compile(r"\x1b\[[\d;]*[1-9]m")


def test_a_terminal_gets_a_bar_that_disappears() -> None:
    got, code = in_terminal(SHOW.format(more=""))
    assert code == 0
    assert "reading [/b] the table" in got
    assert "fold 1 of 3" in got
    assert "━" in got
    assert re.search(r"0:00, 0:00 left", got)
    assert COLOUR.search(got)
    assert got.rindex(SHOWN) > got.rindex(HIDE)
    # The last thing done to the bar is to erase its line.
    assert got[got.rindex("fold 2 of 3") :].count("\x1b[2K") >= 1
    assert got.rstrip().endswith("end")


def test_ctrl_c_gives_the_cursor_back() -> None:
    got, code = in_terminal(SHOW.format(more="time.sleep(60)"), interrupt=True)
    assert code in {130, -signal.SIGINT, 1}
    assert got.rindex(SHOWN) > got.rindex(HIDE)


def test_no_color_is_heeded() -> None:
    got, code = in_terminal(SHOW.format(more=""), NO_COLOR="1")
    assert code == 0
    assert "fold 2 of 3" in got
    assert not re.search(r"\x1b\[(?:\d+;)*(?:3[0-7]|9[0-7]|38)[;m]", got)


def test_a_narrow_terminal_gets_no_wrapped_bar() -> None:
    got, code = in_terminal(SHOW.format(more=""), COLUMNS="30")
    assert code == 0
    assert "━" not in got
    drawn = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", got)
    bars = [part for part in re.split(r"[\r\n]", drawn) if "left" in part]
    assert bars
    assert max(map(len, bars)) <= 30


def test_a_dumb_terminal_gets_lines() -> None:
    got, code = in_terminal(SHOW.format(more=""), TERM="dumb")
    assert code == 0
    assert "\x1b" not in got
    assert "semikd: reading [/b] the table: 0.0 s" in got.replace("\r", "")


def test_output_that_goes_to_a_file_stays_there(tmp_path: Path) -> None:
    code = SHOW.format(more="print('result')").replace(
        "import signal,",
        f"import sys; sys.stdout = open({str(tmp_path / 'f')!r}, 'w')\nimport",
    )
    got, end = in_terminal(code)
    assert end == 0
    assert "result" not in got
    assert (tmp_path / "f").read_text() == "result\nend\n"


def test_steps_may_come_from_many_threads() -> None:
    from concurrent.futures import ThreadPoolExecutor

    out = io.StringIO()
    with Display(stream=out) as display, ThreadPoolExecutor(8) as pool:
        done = [
            pool.submit(display.progress, Step("fold", "fold", i, 0))
            for i in range(400)
        ]
        assert all(one.result() is None for one in done)
    assert out.getvalue().count("\n") == 1
    assert "fold, 400 steps" in out.getvalue()
