"""The suite can say no: every deliberately wrong server fails, for its own reason only."""

from __future__ import annotations

import pytest

from conformance.miniature import Miniature, miniatures
from conformance.requirement import catalogue
from tests.miniatures.conftest import PLATFORMS, Square
from tests.miniatures.judging import NOT_HERE

ALL = miniatures()


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.timeout(0)
def test_reference_passes_everything(square: Square, platform: str) -> None:
    """What the suite says of wrong servers counts only while it accepts the right one."""
    reference = square.reference(platform)

    known = [name for name, each in catalogue().items() if each.platform == platform]
    expected = {name: "not applicable" if name in NOT_HERE else "pass" for name in known}
    assert (reference.exit_code, reference.verdicts) == (0, expected)


@pytest.mark.parametrize("miniature", ALL, ids=[each.name for each in ALL])
@pytest.mark.timeout(0)
def test_miniature_fails_for_its_own_reason(square: Square, miniature: Miniature) -> None:
    """
    It fails what it breaks; all else passes, or could not be arranged because of it.

    That counts only where the unmodified server passes.
    """
    judged, reference = square.judged(miniature), square.reference(miniature.platform)

    passed = {*reference.with_verdict("pass"), *NOT_HERE}
    assert [name for name in judged.verdicts if name not in passed] == []
    assert sorted(judged.with_verdict("fail")) == sorted(miniature.breaks)
    unproven = judged.with_verdict("inconclusive", "not run", "error", "not applicable")
    assert set(unproven) <= {*miniature.inconclusive, *NOT_HERE}


@pytest.mark.parametrize("miniature", ALL, ids=[each.name for each in ALL])
@pytest.mark.timeout(0)
def test_miniature_is_not_certified(square: Square, miniature: Miniature) -> None:
    """A broken must ends the run with 1; broken shoulds alone are counted and change nothing."""
    is_must = any(catalogue()[name].level == "must" for name in miniature.breaks)

    assert (square.judged(miniature).exit_code == 1) == is_must
