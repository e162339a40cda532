"""What a LoRaWAN run leaves in writing: trace and results, by their schemas and without keys."""

from __future__ import annotations

import json

import pytest

from scenarios import results
from scenarios.files import mistakes_in

from .playing import changed, played

ABOUT = {
    "target": None,
    "settings": {"fleet.node.behaviour.app_key": "00112233445566778899AABBCCDDEEFF"},
    "started": "2026-01-01T00:00:00Z",
    "finished": "2026-01-01T00:00:01Z",
}
KEY = "00112233445566778899aabbccddeeff"


@pytest.mark.parametrize("place", ["[100, 0]", "[100000, 0]"])
@pytest.mark.parametrize("name", ["join", "uplink"])
def test_documents_keep_their_schemas_and_no_key(name: str, place: str) -> None:
    """Whether the node joins or not, and whoever wrote the key how."""
    scenario = changed(
        name, fleet__node__behaviour__app_key=KEY.upper(), fleet__node__position=place
    )
    run, _, trace = played(scenario)
    document = results.document(run, suite_version="0", about=ABOUT)

    assert mistakes_in(document, "run") == []
    assert not [line for line in trace.splitlines() if mistakes_in(json.loads(line), "trace")]
    assert KEY not in trace.lower()
    assert KEY not in json.dumps(document).lower()
    assert document["settings"]["fleet.node.behaviour.app_key"].endswith(":…EEFF>")


def test_radio_times_are_in_order_and_the_gateway_sends_at_the_ordered_stamp() -> None:
    """Five seconds after the request, to the microsecond, although the gateway's clock drifts."""
    scenario = changed("join", gateway__gateway__drift_ppm=20)
    lines = [json.loads(line) for line in played(scenario)[2].splitlines()[1:]]
    radio = [line for line in lines if line["channel"] == "radio" and line["device"] == "gateway"]
    heard, sent = radio[0]["message"]["tmst"], radio[1]["message"]["tmst"]

    assert [line["at"] for line in lines] == sorted(line["at"] for line in lines)
    assert sent - heard == 5_000_000
    assert radio[1]["at"] - radio[0]["at"] == 5_000_000 - 100
