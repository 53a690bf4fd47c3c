"""The README is true: its Python runs, and its commands are the checked ones."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"


def blocks(language: str) -> list[str]:
    """Return the README's code blocks of one language."""
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(), flags=re.DOTALL)


@pytest.mark.parametrize("number", range(2))
def test_the_python_of_the_readme_runs(number: int, tmp_path: Path) -> None:
    shown = subprocess.run(  # noqa: S603 - our own interpreter and README
        [sys.executable, "-W", "error::UserWarning", "-c", blocks("python")[number]],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert shown.returncode == 0, shown.stderr


def test_no_block_of_python_is_left_out() -> None:
    assert len(blocks("python")) == 2


def test_the_two_commands_start_from_nothing_and_use_the_constraints() -> None:
    commands = [
        line
        for block in blocks("bash")
        for line in block.splitlines()
        if "-m venv" in line
    ]
    assert len(commands) == 2
    for command, end in zip(commands, ("-m semikd", "-m pytest"), strict=True):
        assert command.startswith("python3 -m venv .venv && ")
        assert "-c constraints.txt" in command
        assert command.endswith(end)


def test_every_direct_dependency_is_pinned_for_the_checks() -> None:
    pins = {
        re.split("[=<>]", line)[0].lower()
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if not line.startswith("#")
    }
    text = (ROOT / "pyproject.toml").read_text()
    direct = set(re.findall(r'"([a-zA-Z][\w-]*)>=', text)) - {"setuptools", "xgboost"}
    assert {name.lower() for name in direct} <= pins
    assert "+" not in (ROOT / "constraints.txt").read_text(), "a local version tag"
