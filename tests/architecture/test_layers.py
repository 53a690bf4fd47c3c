"""The house: every module imports only from floors below its own."""

import ast
from pathlib import Path

import pytest

import semikd

PACKAGE = Path(semikd.__file__).parent

# From the roof to the cellar; names on one line do not import one another.
FLOORS = [
    {"__main__"},
    {"cli"},
    {"reproduction"},
    {"job"},
    {"report"},
    {"artifact"},
    {"export"},
    {"effects"},
    {"selection"},
    {"diagnostics"},
    {"evaluation"},
    {"regression"},
    {"distillation"},
    {"_learners"},
    {"inference"},
    {"students"},
    {"transfer"},
    {"label_aware"},
    {"corrections"},
    {"teachers"},
    {"networks"},
    {"synthetic"},
    {"crossfit"},
    {"nets"},
    {"features"},
    {"losses"},
    {"_tables"},
    {"simplex"},
    {"datasets"},
    {"encoding"},
    {"_files", "_progress", "_random", "_text", "_workers"},
    {"_validation"},
    {"exceptions"},
]
RANK = {name: len(FLOORS) - at for at, floor in enumerate(FLOORS) for name in floor}


def room(module: str) -> str:
    """Return the room of a dotted name such as semikd.losses.squared."""
    return module.split(".")[1] if "." in module else ""


def imports(path: Path) -> set[str]:
    """Return the rooms that a file imports, wherever in the file."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(
            "semikd"
        ):
            rooms = {room(node.module or "")}
            if rooms == {""}:
                rooms = {alias.name for alias in node.names}
            found |= rooms
        if isinstance(node, ast.Import):
            found |= {room(a.name) for a in node.names if a.name.startswith("semikd.")}
    return found - {""}


def violations(own: str, imported: set[str]) -> list[str]:
    """Return the imports of a room that do not point down."""
    return [name for name in imported if name != own and RANK[name] >= RANK[own]]


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: str(p.relative_to(PACKAGE))
)
def test_imports_point_down(path: Path) -> None:
    own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if own == "__init__":
        assert imports(path) == set()
        return
    assert own in RANK, f"{own} has no floor: give it one"
    assert violations(own, imports(path)) == []


def test_an_upward_import_would_be_found() -> None:
    assert violations("losses", {"students", "simplex"}) == ["students"]


@pytest.mark.parametrize("name", ["crossfit", "inference", "simplex", "synthetic"])
def test_rooms_that_must_not_know_torch_do_not(name: str) -> None:
    paths = PACKAGE.glob(f"{name}*/**/*.py") if (PACKAGE / name).is_dir() else []
    for path in [*paths, *PACKAGE.glob(f"{name}.py")]:
        assert "import torch" not in path.read_text(), path
