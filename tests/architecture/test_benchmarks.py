"""Benchmarks are run by hand: what they ask of the library must still be there."""

import ast
import importlib.util
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest

FILES = sorted(Path("benchmarks").rglob("*.py"))


def asked_of(source: str) -> Iterator[str]:
    """Return what a file imports from the library, wherever in the file."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(
            "semikd"
        ):
            yield from (f"{node.module}:{alias.name}" for alias in node.names)


def missing(names: Iterator[str]) -> list[str]:
    """Return those that the library does not have."""
    found = []
    for name in names:
        try:
            pkgutil.resolve_name(name)
        except AttributeError:
            module, _, own = name.partition(":")
            if not importlib.util.find_spec(f"{module}.{own}"):
                found.append(name)
    return found


@pytest.mark.parametrize("path", FILES, ids=str)
def test_benchmarks_import_what_is_there(path: Path) -> None:
    assert missing(asked_of(path.read_text(encoding="utf-8"))) == []


def test_a_name_that_is_not_there_is_found() -> None:
    source = "def f():\n    from semikd.losses import SquaredLoss, NoSuchLoss\n"
    assert missing(asked_of(source))[-1] == "semikd.losses:NoSuchLoss"
