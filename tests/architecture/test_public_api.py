"""The public API: lazy, documented, and small."""

import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import semikd

ROOT = Path(__file__).parents[2]
ROOMS = [
    "artifact",
    "corrections",
    "crossfit",
    "datasets",
    "diagnostics",
    "encoding",
    "evaluation",
    "exceptions",
    "features",
    "inference",
    "job",
    "label_aware",
    "losses",
    "networks",
    "report",
    "selection",
    "simplex",
    "students",
    "synthetic",
    "teachers",
    "transfer",
]


def public_objects() -> list[tuple[str, object]]:
    """Return every public object of every room with its full name."""
    found = []
    for name in ROOMS:
        module = importlib.import_module(f"semikd.{name}")
        found += [
            (f"semikd.{name}.{item}", getattr(module, item)) for item in module.__all__
        ]
    return found


def test_every_public_name_resolves() -> None:
    for name in semikd.__all__:
        assert getattr(semikd, name) is not None
    assert len(semikd.__all__) <= 30
    assert set(semikd.__all__) <= set(dir(semikd))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'distil'"):
        semikd.distil  # noqa: B018


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = (
        "import sys, semikd; heavy = {'sklearn', 'torch', 'skrub', 'statsmodels', "
        "'matplotlib', 'typer', 'pandas', 'scipy', 'numpy'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    shown = subprocess.run(  # noqa: S603 - our own interpreter and code
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert shown.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "name",
    ["crossfit", "features", "networks", "students", "distillation", "evaluation"],
)
def test_rooms_do_not_import_torch_or_plots_until_used(name: str) -> None:
    code = (
        f"import sys, semikd.{name}; heavy = {{'torch', 'statsmodels', 'matplotlib'}}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    shown = subprocess.run(  # noqa: S603 - our own interpreter and code
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert shown.stdout.strip() == "[]"


@pytest.mark.parametrize(("name", "thing"), public_objects())
def test_every_public_function_and_class_has_a_running_example(
    name: str, thing: object
) -> None:
    if thing is Any or not (inspect.isclass(thing) or inspect.isfunction(thing)):
        return
    assert ">>>" in (inspect.getdoc(thing) or ""), name


def test_the_api_page_lists_exactly_the_public_names() -> None:
    page = ROOT / "docs" / "api.rst"
    if not page.exists():
        pytest.skip("an installed package has no docs beside it")
    text = page.read_text()
    listed = set(re.findall(r"^\s+semikd\.(\w+)$", text, flags=re.MULTILINE))
    assert listed == set(semikd.__all__) - {"__version__"}
    for name, _ in public_objects():
        room, item = name.split(".")[1:]
        assert re.search(rf"^\s+(semikd\.)?({room}\.)?{item}$", text, re.M), name


GLOBAL_STATE = (
    "np.random.seed",
    "np.seterr(",
    "random.seed(",
    "set_default_dtype",
    "set_num_threads",
    "torch.manual_seed",
    "warnings.filterwarnings",
    "warnings.resetwarnings",
)


def test_no_code_touches_global_state() -> None:
    for path in (ROOT / "semikd").rglob("*.py"):
        text = path.read_text()
        found = {name for name in GLOBAL_STATE if name in text}
        if "fork_rng" in text:
            # Seeding inside a fork leaves the generator outside as it was.
            found -= {"torch.manual_seed"}
        assert found == set(), path
