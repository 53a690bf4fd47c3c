"""Every command ends well, or with one line on stderr and the code that fits."""

import os
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer

from semikd import exceptions
from semikd._validation import invalid, wrong_type
from semikd.cli import main
from semikd.cli.errors import note_written, run
from semikd.exceptions import SemikdWarning, UsageError

Capture = pytest.CaptureFixture[str]


def application(body: Callable[[], Any]) -> Callable[[], typer.Typer]:
    """Return an application whose command ``work`` runs the body."""
    app = typer.Typer(add_completion=False)

    @app.command()
    def work(target: str = typer.Option(...), leaves: int = 128) -> Any:  # noqa: ARG001
        return body()

    @app.command()
    def rest() -> None:
        pass

    return lambda: app


def ends(body: Callable[[], Any], *argv: str) -> int:
    """Run a body as a command and return its exit code."""
    return run(list(argv) or ["work", "--target", "y"], application(body))


def raising(error: BaseException) -> Callable[[], Any]:
    """Return a body that raises."""

    def body() -> None:
        raise error

    return body


def line(capsys: Capture) -> str:
    """Return the only line that was written, to stderr."""
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("\n") == 1
    assert shown.err.startswith("semikd: ")
    assert "Traceback" not in shown.err
    return shown.err.removeprefix("semikd: ").rstrip("\n")


def test_a_command_that_ends_well_says_what_it_likes(capsys: Capture) -> None:
    assert ends(lambda: print("done")) == 0  # noqa: T201
    assert capsys.readouterr().out == "done\n"
    assert ends(lambda: 3) == 3
    assert ends(lambda: True) == 0


def test_help_is_no_error(capsys: Capture) -> None:
    assert ends(lambda: None, "--help") == 0
    assert ends(lambda: None, "work", "--help") == 0
    shown = capsys.readouterr()
    assert "--target" in shown.out
    assert shown.err == ""


@pytest.mark.parametrize(
    ("argv", "match"),
    [
        (["work", "--targt", "y"], "--target"),
        (["wrok", "--target", "y"], "work"),
        (["work"], "--target"),
        (["work", "--target"], "--target"),
        (["work", "--target", "y", "--leaves", "many"], "--leaves"),
        (["work", "--target", "y", "[/b]\n"], "[/b]"),
        (["--no-such"], "--no-such"),
    ],
)
def test_what_was_mistyped_is_one_line(
    argv: list[str], match: str, capsys: Capture
) -> None:
    assert ends(lambda: None, *argv) == 2
    shown = line(capsys)
    assert match in shown
    assert "Usage" not in shown
    assert not set(shown) & set("╭│╰")
    assert ends(lambda: None) == 0


@pytest.mark.parametrize(
    "error",
    [
        UsageError("TABLE must be a file; got 'x'."),
        invalid("sample_weight", "be non-negative", -1, "Drop it"),
        wrong_type("cv", "be an integer", "five"),
    ],
)
def test_refusals_have_exit_code_two(error: Exception, capsys: Capture) -> None:
    assert ends(raising(error)) == 2
    assert line(capsys) == str(error)


def test_errors_of_our_own_kinds_are_refusals_whatever_they_say(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    class OwnError(ValueError):
        pass

    assert ends(raising(OwnError("the file is damaged"))) == 1
    monkeypatch.setattr(exceptions, "OwnError", OwnError, raising=False)
    capsys.readouterr()
    assert ends(raising(OwnError("the file is damaged"))) == 2
    assert line(capsys) == "the file is damaged"


@pytest.mark.parametrize(
    "error", [ValueError("shapes"), KeyError("x"), OSError(5, "io")]
)
def test_mistakes_of_ours_say_so(
    error: Exception, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SEMIKD_DEBUG", raising=False)
    assert ends(raising(error)) == 1
    shown = line(capsys)
    assert shown.startswith(f"{type(error).__name__}: ")
    assert shown.endswith("This is a bug; set SEMIKD_DEBUG=1 to see where.")
    monkeypatch.setenv("SEMIKD_DEBUG", "1")
    assert ends(raising(error)) == 1
    assert "Traceback" in capsys.readouterr().err


def test_too_little_memory_is_no_bug(capsys: Capture) -> None:
    assert ends(raising(MemoryError())) == 1
    assert line(capsys) == "out of memory. Use fewer --jobs or a smaller table."


def test_nothing_from_the_data_reaches_the_terminal_as_a_command(
    capsys: Capture,
) -> None:
    nasty = "x must be tame; got \x1b[31m[/b]\r\n\u202ered\u2028\x9b."
    assert ends(raising(UsageError(nasty))) == 2
    assert line(capsys) == (
        "x must be tame; got \N{SYMBOL FOR ESCAPE}[31m[/b]"
        "\N{SYMBOL FOR CARRIAGE RETURN}\N{SYMBOL FOR LINE FEED}"
        "[U+202E]red[U+2028][U+009B]."
    )


def test_ctrl_c_anywhere_is_answered(capsys: Capture) -> None:
    assert ends(raising(KeyboardInterrupt())) == 130
    assert line(capsys) == "interrupted; nothing was written"

    def while_importing() -> typer.Typer:
        raise KeyboardInterrupt

    assert run(["work"], while_importing) == 130
    assert line(capsys) == "interrupted; nothing was written"
    failed = ImportError("numpy failed")
    failed.__cause__ = KeyboardInterrupt()
    assert ends(raising(failed)) == 130
    assert line(capsys) == "interrupted; nothing was written"


def test_ctrl_c_does_not_deny_what_was_written(capsys: Capture) -> None:
    def late() -> None:
        note_written("'out'")
        raise KeyboardInterrupt

    assert ends(late) == 130
    assert line(capsys) == "interrupted; 'out' is complete"
    assert ends(raising(KeyboardInterrupt("'out' is complete"))) == 130
    assert line(capsys) == "interrupted; 'out' is complete"
    assert ends(raising(KeyboardInterrupt())) == 130
    assert line(capsys) == "interrupted; nothing was written"


def test_calls_to_exit_keep_their_code(capsys: Capture) -> None:
    assert ends(raising(SystemExit(7))) == 7
    assert ends(raising(SystemExit())) == 0
    assert ends(raising(typer.Exit(4))) == 4
    assert capsys.readouterr().err == ""
    assert ends(raising(SystemExit("no\nmore"))) == 1
    assert line(capsys) == "no\N{SYMBOL FOR LINE FEED}more"
    assert ends(raising(typer.Abort())) == 130


def test_warnings_are_one_line_each(capsys: Capture) -> None:
    def body() -> None:
        warnings.simplefilter("always")
        warnings.warn("2 rows\nleak", SemikdWarning, stacklevel=1)
        warnings.warn("old", FutureWarning, stacklevel=1)

    before = warnings.showwarning
    assert ends(body) == 0
    assert capsys.readouterr().err == (
        "semikd: warning: 2 rows\N{SYMBOL FOR LINE FEED}leak\n"
        "semikd: FutureWarning: old\n"
    )
    assert warnings.showwarning is before


def python(code: str, **more: Any) -> subprocess.Popen[str]:
    """Start our interpreter with some code."""
    return subprocess.Popen(  # noqa: S603 - our own interpreter and code
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **more,
    )


RUN = (
    "import sys, typer\n"
    "from semikd.cli.errors import run\n"
    "app = typer.Typer()\n"
    "@app.command()\n"
    "def work():\n"
    "    {body}\n"
    "sys.exit(run([], lambda: app))\n"
)


def test_a_reader_who_leaves_is_not_told_anything() -> None:
    body = "[print(i) for i in range(200_000)]"
    process = python(RUN.format(body=body))
    assert process.stdout is not None
    assert process.stdout.readline() == "0\n"
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == ""
    assert process.wait() == 141


def test_the_same_command_with_a_patient_reader_ends_well() -> None:
    shown, said = (process := python(RUN.format(body="print('a' * 9)"))).communicate()
    assert (shown, said, process.returncode) == ("aaaaaaaaa\n", "", 0)


def test_a_real_ctrl_c_ends_a_real_process() -> None:
    body = "import time; print('on', flush=True); time.sleep(60)"
    process = python(RUN.format(body=body))
    assert process.stdout is not None
    assert process.stdout.readline() == "on\n"
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert said == "semikd: interrupted; nothing was written\n"
    assert process.returncode == 130


def test_a_terminal_of_few_characters_gets_escapes() -> None:
    body = "raise SystemExit('größe \\u2026')"
    process = python(
        RUN.format(body=body), env=os.environ | {"PYTHONIOENCODING": "ascii"}
    )
    _, said = process.communicate()
    assert said == "semikd: gr\\xf6\\xdfe \\u2026\n"


def test_help_is_there_before_anything_heavy(tmp_path: Path) -> None:
    code = "import sys; from semikd.cli import main; sys.exit(main(['--help']))"
    process = python(code, cwd=tmp_path)
    shown, said = process.communicate()
    assert (process.returncode, said) == (0, "")
    assert "distill" in shown
    loaded = "pandas", "sklearn", "torch", "pyarrow"
    code = (
        f"import sys, semikd.cli.app; print([m for m in {loaded} if m in sys.modules])"
    )
    assert python(code).communicate()[0] == "[]\n"


def test_the_console_script_is_main(capsys: Capture) -> None:
    assert main(["distill", "--no-such-option"]) == 2
    assert "--no-such-option" in line(capsys)


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_outputs_that_are_closed_are_no_mistake(closed: str) -> None:
    # Help goes to stdout, a refusal to stderr.
    for argument, code in (("--help", 0), ("--no-such", 2)):
        command = f"{sys.executable} -m semikd {argument} {closed}"
        ended = subprocess.run(["sh", "-c", command], capture_output=True, check=False)  # noqa: S603, S607
        assert ended.returncode == code
        assert b"bug" not in ended.stderr
