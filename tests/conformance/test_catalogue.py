"""The catalogue and its tests: every must is tested, every mark is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.marks import marked_tests, requirement_tests
from conformance.measure import read_measured
from conformance.miniature import miniatures
from conformance.profiles import profiles, select_profile
from conformance.requirement import catalogue, find_requirement
from scenarios.files import FileError

ENTRY = """\
[[requirement]]
id = "DEMO-001"
sentence = "It is."
level = "{level}"
profile = "demo/{part}"
endpoint = "GET /"
source = "somewhere"
"""


def test_every_must_and_should_has_a_test() -> None:
    tested = requirement_tests()
    judged = [each.id for each in catalogue().values() if each.level != "info"]
    assert [each for each in judged if each not in tested] == []


def test_every_mark_names_a_requirement() -> None:
    known = catalogue()
    assert {each for ids in marked_tests().values() for each in ids} <= set(known)
    assert [test for test, ids in marked_tests().items() if not ids] == []


def test_every_miniature_names_requirements() -> None:
    known = catalogue()
    named = {each for found in miniatures() for each in (*found.breaks, *found.inconclusive)}
    assert named <= set(known)


def test_every_test_has_measured_figures() -> None:
    """Missing ones: run ``certify`` in full, then ``python -m conformance.measure``."""
    platforms = ("thethings-io", "things-stack")
    measured = {name.partition("[")[0] for each in platforms for name in read_measured(each)}
    assert [test for test in marked_tests() if test not in measured] == []


def test_profiles_are_platforms_and_their_parts() -> None:
    assert profiles(catalogue())[:4] == [
        "thethings-io", "things-stack", "thethings-io/app", "thethings-io/device",
    ]  # fmt: skip


def test_an_unknown_profile_names_the_nearest() -> None:
    with pytest.raises(LookupError, match="did you mean 'thethings-io'"):
        select_profile("thethings.io", catalogue())


def test_an_unknown_id_names_the_nearest() -> None:
    with pytest.raises(LookupError, match="did you mean 'TIO-PING-001'"):
        find_requirement("TIO-PING-01", catalogue())


def test_a_part_asked_for_by_name_may_be_stricter(tmp_path: Path) -> None:
    text = ENTRY.format(level="should", part="field") + 'level_when_named = "must"\n'
    (tmp_path / "demo.toml").write_text(text)
    known = catalogue(tmp_path)
    assert select_profile("demo", known)["DEMO-001"].level == "should"
    assert select_profile("demo/field", known)["DEMO-001"].level == "must"


def test_field_devices_are_advice_until_they_are_asked_for() -> None:
    """Every requirement names who needs it; asked for by name, the bytes of boards are a must."""
    within, named = (
        {
            name: each
            for name, each in select_profile(profile, catalogue()).items()
            if each.profile == "thethings-io/field-devices"
        }
        for profile in ("thethings-io", "thethings-io/field-devices")
    )
    assert {each.level for each in within.values()} == {"should", "info"}
    assert {"must", "should", "info"} == {each.level for each in named.values()}
    assert [name for name, each in named.items() if not each.boards] == []
    readers = {each.level for name, each in named.items() if name.startswith("TIO-RDR-")}
    assert readers == {"should"}


def test_an_id_is_there_once(tmp_path: Path) -> None:
    (tmp_path / "demo.toml").write_text(ENTRY.format(level="must", part="device") * 2)
    with pytest.raises(FileError, match="expected unique ids; got 'DEMO-001' twice"):
        catalogue(tmp_path)


def test_a_mistake_has_its_line(tmp_path: Path) -> None:
    (tmp_path / "demo.toml").write_text(ENTRY.format(level="shuld", part="device"))
    with pytest.raises(FileError, match=r"demo.toml:4: .*did you mean 'should'"):
        catalogue(tmp_path)


def test_marks_are_read_from_decorators_classes_modules_and_parameters(tmp_path: Path) -> None:
    (tmp_path / "test_demo.py").write_text(
        "import pytest\n"
        "pytestmark = pytest.mark.requirement('M-1')\n"
        "@pytest.mark.requirement('A-1', 'A-2')\n"
        "def test_a(): pass\n"
        "@pytest.mark.parametrize('x', [pytest.param(1, marks=pytest.mark.requirement('P-1'))])\n"
        "def test_b(x): pass\n"
        "@pytest.mark.requirement('C-1')\n"
        "class TestC:\n"
        "    @pytest.mark.requirement('C-2')\n"
        "    def test_c(self): pass\n"
        "def helper(): pass\n"
    )
    name = tmp_path.name
    assert marked_tests(tmp_path) == {
        f"{name}/test_demo.py::test_a": ["M-1", "A-1", "A-2"],
        f"{name}/test_demo.py::test_b": ["M-1", "P-1"],
        f"{name}/test_demo.py::TestC::test_c": ["M-1", "C-1", "C-2"],
    }
