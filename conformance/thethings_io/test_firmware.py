"""Firmware: what is the latest for each microcontroller, and its bytes."""

from hashlib import sha256
from typing import Any

import pytest

from conformance.clients.thethings_io import ThethingsClient
from conformance.fixtures import Thing
from conformance.judge import Judge
from conformance.outcomes import Inconclusive
from conformance.targets import Target
from conformance.thethings_io.shapes import (
    ERROR,
    REFUSED_TOKEN,
    body_status,
    is_error,
    is_refused,
    shown,
)

UNKNOWN = "thingrig-no-such-firmware"


@pytest.mark.requirement("TIO-FW-001")
def test_latest_has_an_array_of_firmwares(thing: Thing, requirement: Judge) -> None:
    answer = thing.latest_firmwares()

    found = [answer.status, body_status(answer), isinstance(member(answer.json), list)]
    requirement.check(found, expected=[200, "success", True])


@pytest.mark.requirement("TIO-FW-002")
def test_entry_has_id_and_numeric_version(thing: Thing, requirement: Judge) -> None:
    found = listed(thing)

    requirement.check_that(
        bool(found) and all(isinstance(e.get("_id"), str) and is_number(e) for e in found),
        expected="entries with an _id as a string and a version that reads as a number",
        actual=found,
    )


@pytest.mark.requirement("TIO-FW-003")
def test_declared_firmwares_are_listed(thing: Thing, target: Target, requirement: Judge) -> None:
    found = [[entry.get("_id"), str(entry.get("version"))] for entry in listed(thing)]

    declared = [[each["id"], str(each["version"])] for each in target.tables("firmware")]
    missing = [each for each in declared if each not in found]
    requirement.check_that(
        bool(declared) and not missing, expected=f"{declared} among the firmwares", actual=found
    )


@pytest.mark.requirement("TIO-FW-004")
@pytest.mark.parametrize("member", ["_id", "mcu"])
def test_no_firmware_is_listed_twice(thing: Thing, requirement: Judge, member: str) -> None:
    entries = listed(thing)

    found = [str(entry[member]) for entry in entries if member in entry]
    requirement.check_that(
        bool(entries) and len(found) == len(set(found)), expected="each once", actual=found
    )


@pytest.mark.requirement("TIO-FW-005")
@pytest.mark.parametrize("path", ["latest", "download/any"], ids=["latest", "download"])
def test_unknown_token_is_refused(
    api: ThethingsClient, unknown_token: str, requirement: Judge, path: str
) -> None:
    answer = api.send("GET", f"/v2/things/{unknown_token}/firmwares/{path}")

    requirement.check_in(answer.status, accepted=REFUSED_TOKEN)
    requirement.check_that(is_error(answer.json), expected=ERROR, actual=shown(answer))


@pytest.mark.requirement("TIO-FW-006")
def test_listed_firmware_downloads(thing: Thing, target: Target, requirement: Judge) -> None:
    for declared in declared_firmwares(target):
        answer = thing.download_firmware(declared["id"])

        requirement.check_that(
            answer.status == 200 and len(answer.body) > 0,
            expected="status 200 and a body",
            actual=f"status {answer.status}, {len(answer.body)} bytes",
        )


@pytest.mark.requirement("TIO-FW-007")
def test_download_brings_the_bytes_of_the_image(
    thing: Thing, target: Target, requirement: Judge
) -> None:
    digests = {
        each["id"]: each["sha256"].lower()
        for each in declared_firmwares(target)
        if "sha256" in each
    }
    if not digests:
        raise Inconclusive("no [[firmware]] of the target file has a sha256")

    found = {name: sha256(thing.download_firmware(name).body).hexdigest() for name in digests}

    requirement.check(found, expected=digests)


@pytest.mark.requirement("TIO-FW-008")
def test_unknown_firmware_is_refused(thing: Thing, requirement: Judge) -> None:
    answer = thing.download_firmware(UNKNOWN)

    requirement.check_that(is_refused(answer), expected=f"a 4xx with {ERROR}", actual=shown(answer))


@pytest.mark.requirement("TIO-FW-009")
def test_download_is_an_octet_stream_with_length(
    thing: Thing, target: Target, requirement: Judge
) -> None:
    answer = thing.download_firmware(declared_firmwares(target)[0]["id"])

    found = [answer.headers.get("Content-Type"), answer.headers.get("Content-Length")]
    requirement.check(found, expected=["application/octet-stream", str(len(answer.body))])


@pytest.mark.requirement("TIO-FW-010")
def test_unknown_firmware_is_404(thing: Thing, requirement: Judge) -> None:
    requirement.check(thing.download_firmware(UNKNOWN).status, expected=404)


@pytest.mark.requirement("TIO-FW-011")
def test_entry_names_its_microcontroller(thing: Thing, target: Target, requirement: Judge) -> None:
    mcus = {entry.get("_id"): entry.get("mcu") for entry in listed(thing)}

    declared = {each["id"]: each.get("mcu") for each in declared_firmwares(target)}
    requirement.check({name: mcus.get(name) for name in declared}, expected=declared)


def declared_firmwares(target: Target) -> list[dict[str, Any]]:
    """The firmwares that the target file names."""
    if not (declared := target.tables("firmware")):
        raise Inconclusive("the target file names no [[firmware]]")
    return declared


def member(document: Any) -> Any:
    """The member ``firmwares`` of an answer, or None."""
    return document.get("firmwares") if isinstance(document, dict) else None


def listed(thing: Thing) -> list[dict[str, Any]]:
    """The objects in the array of latest firmwares; none when there is no such array."""
    found = member(thing.latest_firmwares().json)
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def is_number(entry: dict[str, Any]) -> bool:
    """Whether a version reads as a number."""
    try:
        float(entry["version"])
    except (KeyError, TypeError, ValueError):
        return False
    return not isinstance(entry["version"], bool)
