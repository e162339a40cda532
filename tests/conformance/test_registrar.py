"""Devices that tests register: the Join Server answers for their JoinEUIs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conformance.clients.exchange import Headers, Response, answered
from conformance.things_stack.registering import Registrar


def registrar(prefixes: list[dict[str, Any]]) -> Registrar:
    """One whose target answers every request, and these prefixes."""

    def call(method: str, path: str, body: Any = None) -> Response:
        document = {"prefixes": prefixes} if path == "/js/join_eui_prefixes" else {}
        headers = Headers([("Content-Type", "application/json")])
        return answered(200, headers, json.dumps(document).encode(), 0.0)

    return Registrar(call, "app", lambda word: f"rig-{word}", "EU_863_870")


@pytest.mark.parametrize(
    ("prefixes", "start"),
    [
        ([{"join_eui": "70B3D57ED0000000", "length": 40}], "70b3d57ed0"),
        ([{"join_eui": "70B3D57ED0000001", "length": 64}], "70b3d57ed0000001"),
        ([{"join_eui": "0000000000000000"}], ""),
        ([], ""),
    ],
)
def test_join_eui_has_the_prefix(prefixes: list[dict[str, Any]], start: str) -> None:
    join_eui = registrar(prefixes).otaa().join_eui

    assert (len(join_eui), join_eui.startswith(start)) == (16, True)
