"""Which package may import which: the arrows of the design, held as one table."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OURS = ("thingrig", "conformance", "scenarios", "simulators", "reports")

# A package or module (the longest prefix counts) and which of our own it may import.
# Each may import itself. conformance.fixtures is test equipment: it starts what is judged.
ARROWS: dict[str, tuple[str, ...]] = {
    "thingrig": ("conformance", "scenarios", "simulators", "reports"),
    "conformance": (
        "scenarios.files",
        "scenarios.mistakes",
        "scenarios.secrets",
        "scenarios.trace",
    ),
    "conformance.fixtures": ("conformance", "scenarios", "simulators"),
    # Nodes and gateways whose frames foreign judges have proven; never a reference server.
    "conformance.things_stack.equipment": (
        "simulators.lorawan",
        "simulators.wire",
    ),
    "scenarios": ("simulators",),
    "reports": (),
    "simulators.clock": (),
    "simulators.randomness": (),
    "simulators.lorawan": (),
    "simulators.radio": ("simulators.lorawan", "simulators.clock", "simulators.randomness"),
    # Gateways' protocols have frames and modulations as values.
    "simulators.wire": ("simulators.lorawan",),
    "simulators.transports": ("simulators.wire", "simulators.clock", "simulators.randomness"),
    "simulators.devices": (
        "simulators.lorawan",
        "simulators.radio.transmission",
        "simulators.transports",
        "simulators.wire",
        "simulators.clock",
        "simulators.randomness",
    ),
    "simulators.apps": (
        "simulators.devices",
        "simulators.transports",
        "simulators.wire",
        "simulators.clock",
        "simulators.randomness",
    ),
    "simulators.gateways": (
        "simulators.radio",
        "simulators.transports",
        "simulators.lorawan",
        "simulators.wire",
        "simulators.clock",
        "simulators.randomness",
    ),
    "simulators.platforms": (
        "simulators.lorawan",
        "simulators.transports",
        "simulators.wire",
        "simulators.clock",
        "simulators.randomness",
    ),
}

# What a package must not import from elsewhere; None: anything but the standard library.
FOREIGN: dict[str, tuple[str, ...] | None] = {
    "simulators.lorawan": None,
    "simulators.wire": None,
    "simulators": ("pytest", "_pytest", "allure", "allure_commons", "requests"),
    "scenarios": ("pytest", "_pytest", "allure", "allure_commons", "requests"),
    "reports": ("pytest", "_pytest", "requests", "simpy"),
}
WIRE_MAY_USE = ("cryptography",)
# Sans-I/O: bytes in, values out. Time, sockets and chance come from outside.
WIRE_MUST_NOT_USE = ("asyncio", "socket", "time", "random", "secrets", "logging", "os", "ssl")


def modules() -> Iterator[tuple[str, Path]]:
    """Every module of ours with its file."""
    for package in OURS:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def imports(source: str) -> set[str]:
    """
    Full names of everything imported, in functions and under TYPE_CHECKING too.

    ``from a.b import c`` counts as ``a.b.c``: c may be a module.
    """
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            prefix = "." if node.level else ""
            found |= {f"{prefix}{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Call) and _callee(node) in ("import_module", "__import__"):
            found |= {arg.value for arg in node.args if _is_text(arg)}
    return found


def _callee(node: ast.Call) -> str:
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def within(name: str, prefix: str) -> bool:
    """Whether ``name`` is ``prefix`` or lies inside it."""
    return name == prefix or name.startswith(prefix + ".")


def longest(name: str, table: dict[str, tuple[str, ...]]) -> str:
    """The entry of ``table`` that speaks for the module ``name``; a new package needs one."""
    entries = [entry for entry in table if within(name, entry)]
    assert entries, f"{name} has no place in ARROWS"
    return max(entries, key=len)


def broken_arrows(module: str, imported: set[str]) -> list[str]:
    """Imports among our own packages that no arrow allows."""
    # The bare name of its own package tells a module where it lies, nothing more.
    ours = {name for name in imported if name.split(".")[0] in OURS} - {module.split(".")[0]}
    if not ours:
        return []
    layer = longest(module, ARROWS)
    allowed = (layer, *ARROWS[layer])
    return sorted(
        f"{module} imports {name}"
        for name in ours
        if not any(within(name, entry) for entry in allowed)
    )


@pytest.mark.parametrize(("module", "path"), [pytest.param(*row, id=row[0]) for row in modules()])
def test_imports_follow_the_arrows(module: str, path: Path) -> None:
    """Never back, not even inside a function."""
    assert broken_arrows(module, imports(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(("module", "path"), [pytest.param(*row, id=row[0]) for row in modules()])
def test_foreign_imports_stay_where_they_belong(module: str, path: Path) -> None:
    """Simulators know nothing of pytest; the wire needs the standard library alone."""
    imported = imports(path.read_text(encoding="utf-8"))
    for package, forbidden in FOREIGN.items():
        if not within(module, package):
            continue
        roots = {name.split(".")[0] for name in imported} - set(OURS)
        if forbidden is None:
            assert roots - set(sys.stdlib_module_names) - set(WIRE_MAY_USE) == set()
            assert roots & set(WIRE_MUST_NOT_USE) == set()
        else:
            assert roots & set(forbidden) == set()


@pytest.mark.parametrize(("module", "path"), [pytest.param(*row, id=row[0]) for row in modules()])
def test_no_relative_imports(module: str, path: Path) -> None:
    """One spelling for a module, so that one search finds every user of it."""
    imported = imports(path.read_text(encoding="utf-8"))
    assert [name for name in imported if name.startswith(".")] == []


@pytest.mark.parametrize(
    ("module", "source", "broken"),
    [
        ("simulators.wire.x", "import simulators.clock", ["simulators.clock"]),
        ("simulators.devices.x", "from simulators import platforms", ["simulators.platforms"]),
        ("conformance.x", "def f():\n import simulators", ["simulators"]),
        ("conformance.fixtures", "import simulators.platforms.embedded", []),
        (
            "conformance.thethings_io.test_x",
            "from scenarios.engine import x",
            ["scenarios.engine.x"],
        ),
        ("reports.x", "import_module('scenarios.files')", ["scenarios.files"]),
        ("scenarios.x", "from simulators.clock import Clock\nimport json", []),
    ],
)
def test_the_check_sees_a_broken_arrow(module: str, source: str, broken: list[str]) -> None:
    """The check itself can say no."""
    expected = [f"{module} imports {name}" for name in broken]
    assert broken_arrows(module, imports(source)) == expected
