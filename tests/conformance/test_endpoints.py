"""The table of endpoints: every line of the platform's list, each with requirements that exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.requirement import catalogue

TABLE = Path(__file__).parents[2] / "docs" / "thethings-io-endpoints.md"
RANGE = re.compile(r"(TIO-[A-Z]+-)(\d{3})(?:\s+to\s+(TIO-[A-Z]+-)(\d{3}))?")

THING = "/v2/things/{token}"
MINE = "/v2/classes/me/{collection}"
STREAM = "?subscribe=true&keepAlive={ms}"
LIST = [
    "POST /v2/things",
    f"POST {THING}",
    f"GET {THING}/resources/{{key}}",
    f"GET {THING}",
    f"POST {THING}",
    f"GET {THING}/resources/{{$key}}",
    f"GET {THING}/resources",
    f"POST {THING}/tags",
    f"GET {THING}/tags",
    f"DELETE {THING}/tags/{{tagId}}",
    "POST /v2/register",
    "POST /v2/login",
    "POST /v2/me/things",
    "GET /v2/me/resources",
    "PUT /v2/me/grant",
    "PUT /v2/me/grant",
    "GET /v2/me/resources/{resource}",
    f"GET /v2/me/resources/{{resource}}{STREAM}",
    "GET /v2/me/resources/description",
    "PUT /v2/me/resources/description/{thingId}",
    "GET /v2/me/settings",
    "PUT /v2/me/settings",
    "GET /v2/utils/date?format={format}",
    f"POST {MINE}",
    f"DELETE {MINE}/{{key}}",
    "PUT /v2/things/{collection}/{key}",
    f"GET {MINE}/{{key}}",
    f"GET {MINE}",
    f"GET {MINE}{STREAM}",
    "POST /v2/me/things",
    "DELETE /v2/me/things",
    f"GET {THING}/firmwares/download/{{firmwareId}}",
    f"GET {THING}/firmwares/latest",
]


def rows() -> list[list[str]]:
    """The cells of every line of the table."""
    lines = re.findall(r"^\| (\d+ \|.*) \|$", TABLE.read_text(encoding="utf-8"), re.MULTILINE)
    return [[cell.strip() for cell in line.split("|")] for line in lines]


def ids(text: str) -> Iterator[str]:
    """Every id that a cell names; those of a range as far as there are such."""
    known = catalogue()
    for first, start, second, end in RANGE.findall(text):
        if not end:
            yield first + start
            continue
        assert first == second, f"{first}{start} to {second}{end}"
        between = [f"{first}{number:03}" for number in range(int(start), int(end) + 1)]
        assert {between[0], between[-1]} <= set(known), f"{between[0]} to {between[-1]}"
        yield from (each for each in between if each in known)


def test_every_line_of_the_list_is_there() -> None:
    assert [(cells[0], cells[1]) for cells in rows()] == [
        (str(number), f"`{endpoint}`") for number, endpoint in enumerate(LIST, start=1)
    ]


@pytest.mark.parametrize("cells", rows(), ids=lambda cells: f"line-{cells[0]}")
def test_every_line_has_requirements_that_exist(cells: list[str]) -> None:
    found = list(ids(cells[3]))
    assert found
    assert [each for each in found if each not in catalogue()] == []


def test_every_requirement_is_somewhere() -> None:
    """Nothing is tested that the document does not tell."""
    named = set(ids(TABLE.read_text(encoding="utf-8")))
    known = {name for name, each in catalogue().items() if each.platform == "thethings-io"}
    assert sorted(known - named) == []
