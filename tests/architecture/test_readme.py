"""The README is true: its Python runs, and its commands are the checked ones."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from semikd.artifact import save_model
from semikd.cli import main
from semikd.datasets import load_dataset
from semikd.job import Settings, distil

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"


def blocks(language: str) -> list[str]:
    """Return the README's code blocks of one language."""
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(), flags=re.DOTALL)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with what a quicker `semikd distill` leaves in `distilled`."""
    home = tmp_path_factory.mktemp("home")
    data = load_dataset("fair")
    frame = data.X.assign(affair=data.y)[::10]
    quick = Settings("affair", teacher="linear", leaves=4, refits=1)
    (home / "distilled").mkdir()
    save_model(distil(frame, quick).model, home / "distilled")
    return home


@pytest.mark.parametrize("number", range(3))
def test_the_python_of_the_readme_runs(number: int, home: Path) -> None:
    shown = subprocess.run(  # noqa: S603 - our own interpreter and README
        [sys.executable, "-W", "error::UserWarning", "-c", blocks("python")[number]],
        capture_output=True,
        text=True,
        cwd=home,
        check=False,
    )
    assert shown.returncode == 0, shown.stderr


def test_no_block_of_python_is_left_out() -> None:
    assert len(blocks("python")) == 3


def test_reading_a_model_takes_numpy_alone(home: Path) -> None:
    heavy = {"joblib", "pandas", "scipy", "skrub", "sklearn", "torch"}
    code = f"import sys\n{blocks('python')[0]}\nassert not {heavy} & set(sys.modules)"
    assert "load_model" in code
    subprocess.run([sys.executable, "-c", code], cwd=home, check=True)  # noqa: S603


def test_every_option_of_the_readme_exists(capsys: pytest.CaptureFixture[str]) -> None:
    typed = [line for block in blocks("bash") for line in block.splitlines()]
    for command in ("distill", "predict", "evaluate"):
        lines = [line.split("#")[0] for line in typed if f"semikd {command}" in line]
        assert lines
        assert main([command, "--help"]) == 0
        known = capsys.readouterr().out
        for option in re.findall(r" (--\w+)", " ".join(lines)):
            assert option in known


def test_the_picture_of_the_readme_is_there_small_and_described() -> None:
    (picture,) = re.findall(
        r'<img src="([^"]+)"[^>]* alt="[^"]{50,}">', README.read_text()
    )
    assert 0 < (ROOT / picture).stat().st_size < 300_000


def test_the_two_commands_start_from_nothing_and_use_the_constraints() -> None:
    commands = [
        line
        for block in blocks("bash")
        for line in block.splitlines()
        if "-m venv" in line
    ]
    assert len(commands) == 2
    for command, end in zip(
        commands, ("/semikd distill", "-m pytest -n 2"), strict=True
    ):
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
