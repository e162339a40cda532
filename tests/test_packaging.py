"""
The wheel, installed in a fresh environment and used in a folder that wants to get in the way.

Nothing of the checkout is on the path there.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = {"thingrig", "simulators", "scenarios", "conformance", "reports"}
pytestmark = pytest.mark.timeout(900)


def run(*command: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run to the end, with an environment that knows nothing of the caller's Python."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    return subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env=clean | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
    )


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", folder, ROOT]
    built = run(*command, cwd=folder)
    assert built.returncode == 0, built.stdout
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="session")
def programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of a fresh environment with the wheel in it."""
    environment = tmp_path_factory.mktemp("environment") / "venv"
    for command in (
        [sys.executable, "-m", "venv", environment],
        [environment / "bin" / "pip", "install", "--quiet", wheel],
    ):
        done = run(*command, cwd=wheel.parent)
        assert done.returncode == 0, done.stdout
    return environment / "bin"


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A folder in which everything that could be picked up by accident would do harm."""
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --collect-only -k nothing\n")
    (tmp_path / "conftest.py").write_text("raise SystemExit('conftest.py of the folder')\n")
    (tmp_path / "sitecustomize.py").write_text("raise SystemExit('sitecustomize')\n")
    for name in (*PACKAGES, "requests", "json", "simpy"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(f"raise SystemExit('{name} of the folder')\n")
    return tmp_path


def certificate(folder: Path) -> dict[str, object]:
    document: dict[str, object] = json.loads((folder / "certificate.json").read_text())
    return document


def test_the_wheel_holds_the_five_packages_and_their_data(wheel: Path) -> None:
    """And neither tests nor benchmarks."""
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}

    assert {top for top in tops if not top.endswith(".dist-info")} == PACKAGES
    for package in PACKAGES:
        assert f"{package}/py.typed" in names
    for data in (
        "conformance/requirements/thethings_io/read.toml",
        "conformance/schemas/certificate.json",
        "conformance/miniatures/thethings_io.toml",
        "conformance/thethings_io/test_read.py",
        "reports/templates/certificate.html",
        "scenarios/library/office.toml",
        "scenarios/schemas/scenario.json",
    ):
        assert data in names


def test_nothing_in_the_users_folder_changes_a_verdict(programs: Path, hostile: Path) -> None:
    """Configuration, plugins and packages of the same names stay outside."""
    done = run(
        programs / "thingrig",
        "certify",
        "thethings-io",
        "--jobs",
        "4",  # so that pytest's workers start in that folder, too
        "--out",
        "result",
        cwd=hostile,
        PYTEST_ADDOPTS="--collect-only",
        PYTEST_PLUGINS="no_such_plugin",
    )

    assert done.returncode == 0, done.stdout
    document = certificate(hostile / "result")
    assert document["verdict"] == "certified"
    assert document["scope"] == "full"
    for name in ("certificate.html", "certificate.json", "junit.xml", "results.jsonl"):
        assert (hostile / "result" / name).stat().st_size > 0
        assert f"{name}" in done.stdout


def test_as_a_module_it_ignores_the_folder_too(programs: Path, hostile: Path) -> None:
    """``python -m`` puts the folder first on the path; our packages still come from the wheel."""
    (hostile / "json" / "__init__.py").unlink()  # Python itself needs its own before any of ours
    (hostile / "json").rmdir()

    done = run(programs / "python", "-P", "-m", "thingrig", "requirements", cwd=hostile)

    assert done.returncode == 0, done.stdout
    assert "TIO-RD-001" in done.stdout


def test_the_suite_runs_as_plain_pytest(programs: Path, tmp_path: Path) -> None:
    """``--pyargs`` from the wheel judges the embedded server."""
    done = run(
        programs / "pytest", "--pyargs", "conformance", "-p", "conformance.plugin", cwd=tmp_path
    )

    assert done.returncode == 0, done.stdout[-3000:]
    assert " pass in " in done.stdout
