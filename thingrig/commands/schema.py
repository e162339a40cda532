"""``thingrig schema``: the JSON Schema of a file that ThingRig reads or writes."""

from __future__ import annotations

import json

import click

from scenarios.files import FileError, load_schema, schemas


@click.command("schema")
@click.argument("name", required=False)
def command(name: str | None) -> None:
    """Print the JSON Schema called NAME; without a name, list them all."""
    if name is None:
        click.echo("\n".join(schemas()))
        return
    try:
        schema = load_schema(name)
    except KeyError as problem:
        raise FileError("schema", None, problem.args[0]) from problem
    click.echo(json.dumps(schema, indent=2, ensure_ascii=False))
