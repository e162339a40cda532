"""Every document that leaves the reports keeps its published schema."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from reports import build

SCHEMAS = Path(__file__).parents[2] / "conformance" / "schemas"


def validator(name: str) -> Draft202012Validator:
    schema = json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


@pytest.mark.parametrize("kept", [pytest.param(9, id="whole"), pytest.param(3, id="interrupted")])
def test_certificates_keep_their_schema(lines, write, tmp_path, kept):
    """With a footer and without."""
    build(write(lines[:kept]), tmp_path)

    document = json.loads((tmp_path / "certificate.json").read_text(encoding="ascii"))

    assert list(validator("certificate").iter_errors(document)) == []


def test_a_certified_part_breaks_the_schema(lines, write, tmp_path):
    """Partial and certified must never stand in one document."""
    lines[0]["scope"], lines[-1]["verdict"] = "partial", "certified"
    build(write(lines), tmp_path)

    document = json.loads((tmp_path / "certificate.json").read_text(encoding="ascii"))

    assert [list(error.path) for error in validator("certificate").iter_errors(document)] == [
        ["verdict"]
    ]


def test_the_sample_is_a_results_file(lines):
    """The reports are tested with the shape that the suite writes."""
    known = validator("results")

    assert [message for line in lines for message in known.iter_errors(line)] == []
