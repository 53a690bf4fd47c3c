"""Budgets that keep the code readable: lengths, arguments, nesting."""

import ast
from collections.abc import Iterator
from pathlib import Path

import semikd

PACKAGE = Path(semikd.__file__).parent
Function = ast.FunctionDef | ast.AsyncFunctionDef


def trees() -> Iterator[tuple[Path, ast.Module]]:
    """Yield every file of the package with its syntax tree."""
    for path in sorted(PACKAGE.rglob("*.py")):
        yield path, ast.parse(path.read_text())


def functions() -> Iterator[tuple[str, Function]]:
    """Yield every function with a name to report."""
    for path, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, Function):
                yield f"{path.relative_to(PACKAGE)}:{node.name}", node


def code_lines(node: Function) -> int:
    """Return the lines of a function without its docstring."""
    doc = ast.get_docstring(node, clean=False)
    lines = (node.end_lineno or 0) - node.lineno + 1
    return lines - (doc.count("\n") + 1 if doc else 0)


def depth(node: ast.AST) -> int:
    """Return how deep blocks are nested below a node; an elif is no deeper."""
    blocks = (ast.For, ast.While, ast.If, ast.With, ast.Try)
    below = [
        depth(child)
        - (isinstance(node, ast.If) and child in node.orelse[:1] and is_elif(node))
        for child in ast.iter_child_nodes(node)
    ]
    return max(below, default=0) + isinstance(node, blocks)


def is_elif(node: ast.If) -> bool:
    """Return whether the other branch of an if is another if and nothing else."""
    return len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If)


def test_no_function_is_longer_than_fifty_lines_and_most_are_short() -> None:
    lengths = {name: code_lines(node) for name, node in functions()}
    assert {name: n for name, n in lengths.items() if n > 50} == {}
    assert sum(n <= 30 for n in lengths.values()) >= 0.95 * len(lengths)


def test_no_file_is_longer_than_three_hundred_lines() -> None:
    lengths = {p: len(p.read_text().splitlines()) for p in PACKAGE.rglob("*.py")}
    assert {str(path): n for path, n in lengths.items() if n > 300} == {}


def test_classes_are_short_with_few_public_methods() -> None:
    for path, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                methods = [child for child in node.body if isinstance(child, Function)]
                public = [m for m in methods if not m.name.startswith("_")]
                lines = (node.end_lineno or 0) - node.lineno + 1
                doc = ast.get_docstring(node, clean=False) or ""
                assert lines - doc.count("\n") <= 200, (path, node.name)
                assert len(public) <= 12, (path, node.name, len(public))


def test_functions_have_few_arguments() -> None:
    for name, node in functions():
        total = len(node.args.args) + len(node.args.kwonlyargs)
        is_method = bool(node.args.args) and node.args.args[0].arg in {"self", "cls"}
        # Estimators and fitting functions may have twelve; nothing else needs to.
        assert total - is_method <= 12, name


def test_blocks_are_nested_three_deep_at_most() -> None:
    assert {name for name, node in functions() if depth(node) > 3} == set()


def test_no_note_to_self_is_left() -> None:
    marks = ("TO" + "DO", "FIX" + "ME", "XX" + "X")
    for path, _ in trees():
        assert not any(mark in path.read_text() for mark in marks), path
