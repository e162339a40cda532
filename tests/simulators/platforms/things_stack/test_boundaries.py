"""The servers of a deployment stay apart: none knows another's modules or tables."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import simulators.platforms.things_stack as package

ROOT = Path(package.__file__).parent
SERVERS = {
    "identity": "is_",
    "join_server": "js_",
    "network_server": "ns_",
    "application_server": "as_",
    "gateway_server": "gs_",
}
TABLE = re.compile(r"\b(?:FROM|INTO|UPDATE|JOIN)\s+([a-z]{2}_)[a-z_]+")


def modules(server):
    return sorted((ROOT / server).rglob("*.py"))


@pytest.mark.parametrize("server", SERVERS)
def test_no_server_imports_another(server):
    """What one wants of another it asks the object that ``Stack`` holds."""
    others = [f"{package.__name__}.{name}" for name in SERVERS if name != server]
    for path in modules(server):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                names = [f"{node.module}.{alias.name}" for alias in node.names]
                bad = [name for name in names if name.startswith(tuple(others))]
                assert bad == [], path


@pytest.mark.parametrize("server", SERVERS)
def test_no_server_reads_the_tables_of_another(server):
    for path in modules(server):
        prefixes = set(TABLE.findall(path.read_text()))
        assert prefixes <= {SERVERS[server]}, path
