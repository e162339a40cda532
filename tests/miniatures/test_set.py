"""The set of miniatures: complete, and in step with the servers that there are."""

from __future__ import annotations

from conformance.miniature import miniatures
from conformance.requirement import catalogue
from simulators.platforms.thethings_io import deviations as thethings_io
from simulators.platforms.things_stack import deviations as things_stack


def sentences() -> dict[str, str]:
    """Every deviation of every platform, and what it does."""
    found = {**thethings_io.list_deviations(), **things_stack.list_deviations()}
    return {name: each.sentence for name, each in found.items()}


def test_every_must_is_broken_by_a_miniature() -> None:
    broken = {name for each in miniatures() for name in each.breaks}

    musts = [
        name for name, each in catalogue().items() if "must" in (each.level, each.level_when_named)
    ]
    assert [name for name in musts if name not in broken] == []


def test_no_miniature_breaks_what_is_only_observed() -> None:
    observed = {name for name, each in catalogue().items() if each.level == "info"}

    assert {name for each in miniatures() for name in each.breaks} & observed == set()


def test_every_deviation_is_a_miniature() -> None:
    assert sorted(each.name for each in miniatures()) == sorted(sentences())


def test_sentences_are_those_of_the_deviations() -> None:
    assert {each.name: each.sentence for each in miniatures()} == sentences()


def test_every_requirement_has_a_source() -> None:
    assert [name for name, each in catalogue().items() if not each.source.strip()] == []
