"""``thingrig explain``: one requirement with its source, an exchange, its tests and miniatures."""

from __future__ import annotations

from collections.abc import Iterator

import click

from conformance.marks import requirement_tests
from conformance.measure import example_exchange
from conformance.miniature import miniatures
from conformance.requirement import Requirement, catalogue, find_requirement
from thingrig.errors import UsageProblem


@click.command("explain")
@click.argument("requirement_id", metavar="ID")
def command(requirement_id: str) -> None:
    """Tell everything about the requirement ID."""
    try:
        found = find_requirement(requirement_id, catalogue())
    except LookupError as problem:
        raise UsageProblem(str(problem.args[0])) from problem
    click.echo("\n".join(_lines(found)))


def _lines(found: Requirement) -> Iterator[str]:
    yield f"{found.id} ({found.level}, {found.profile})"
    yield found.sentence
    yield ""
    yield f"endpoint  {found.endpoint}"
    yield f"source    {found.source}"
    if found.boards:
        yield f"boards    {', '.join(found.boards)}"
    if found.needs:
        yield f"needs     {', '.join(found.needs)}"
    if found.level_when_named:
        yield f"level     {found.level_when_named} when {found.profile} is asked for by name"
    yield from ("", "example exchange", *(f"  {line}" for line in _example(found)))
    yield from ("", "tests")
    yield from (f"  {name}" for name in requirement_tests().get(found.id, ["none"]))
    yield from ("", "miniatures that break it")
    breaking = [each for each in miniatures() if found.id in each.breaks]
    yield from (f"  {each.name}: {each.sentence}" for each in breaking)
    if not breaking:
        yield "  none"


def _example(found: Requirement) -> list[str]:
    if found.example:
        return found.example.strip().splitlines()
    measured = example_exchange(found.platform, found.id)
    if measured is None:
        return ["none recorded"]
    lines = [measured["request"]]
    lines += [measured["body"]] if "body" in measured else []
    if "status" in measured:
        lines += [f"answer: {measured['status']}", measured["answer"] or "(an empty body)"]
    return [part for line in lines for part in line.splitlines()]
