"""
Which test stands for which requirement, read from the source of the tests without importing it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from conformance.requirement import PACKAGE


@cache
def marked_tests(folder: Path = PACKAGE) -> dict[str, list[str]]:
    """
    Test name (``conformance/thethings_io/test_read.py::test_x``) to requirement ids, in order.

    Ids given to single parameters with ``pytest.param(…, marks=…)`` count for the whole test.
    """
    return {
        f"{path.relative_to(folder.parent).as_posix()}::{name}": ids
        for path in sorted(folder.rglob("test_*.py"))
        for name, ids in _tests(ast.parse(path.read_text(encoding="utf-8")), [], "")
    }


def requirement_tests(folder: Path = PACKAGE) -> dict[str, list[str]]:
    """Requirement id to the names of its tests."""
    found: dict[str, list[str]] = {}
    for test, ids in marked_tests(folder).items():
        for requirement_id in ids:
            found.setdefault(requirement_id, []).append(test)
    return found


def ids_of(test: str, folder: Path = PACKAGE) -> list[str]:
    """The requirements of a test by its name, parameters included or not."""
    return marked_tests(folder).get(test.partition("[")[0], [])


def _tests(
    tree: ast.Module | ast.ClassDef, outer: list[str], prefix: str
) -> Iterator[tuple[str, list[str]]]:
    shared = [*outer, *_module_marks(tree)]
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            yield from _tests(node, [*shared, *_marks(node.decorator_list)], f"{node.name}::")
        elif isinstance(node, ast.FunctionDef) and node.name.startswith("test"):
            yield prefix + node.name, [*shared, *_marks(node.decorator_list)]


def _module_marks(tree: ast.Module | ast.ClassDef) -> list[str]:
    return [
        requirement_id
        for node in tree.body
        if isinstance(node, ast.Assign)
        and any(isinstance(name, ast.Name) and name.id == "pytestmark" for name in node.targets)
        for requirement_id in _marks([node.value])
    ]


def _marks(expressions: list[ast.expr]) -> list[str]:
    """Every literal argument of ``….requirement(…)`` inside these expressions."""
    return [
        argument.value
        for expression in expressions
        for call in ast.walk(expression)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr == "requirement"
        for argument in call.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    ]
