"""``thingrig requirements``: the catalogue, with the tests and miniatures of each sentence."""

from __future__ import annotations

import json

import click

from conformance.marks import requirement_tests
from conformance.miniature import miniatures_of
from conformance.profiles import select_profile
from conformance.requirement import Requirement, catalogue
from thingrig.errors import UsageProblem


@click.command("requirements")
@click.argument("profile", required=False)
@click.option("--json", "as_json", is_flag=True, help="Everything, as a JSON list.")
def command(profile: str | None, as_json: bool) -> None:
    """List the requirements of PROFILE, or all of them."""
    known = catalogue()
    try:
        chosen = list((select_profile(profile, known) if profile else known).values())
    except LookupError as problem:
        raise UsageProblem(str(problem.args[0])) from problem
    click.echo(_json(chosen) if as_json else _table(chosen))


def _json(chosen: list[Requirement]) -> str:
    tests = requirement_tests()
    documents = [
        {
            **each.document(),
            "tests": tests.get(each.id, []),
            "miniatures": miniatures_of(each.id),
        }
        for each in chosen
    ]
    return json.dumps(documents, indent=2, ensure_ascii=False)


def _table(chosen: list[Requirement]) -> str:
    width = max(len(each.id) for each in chosen)
    return "\n".join(f"{each.id:{width}}  {each.level:6}  {each.sentence}" for each in chosen)
