"""What an application's subscriber is told of changes in the registries, by each server."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from conformance.judge import Judge
from conformance.things_stack.answers import part, permitted
from conformance.things_stack.event_stream import Subscription, events_in, is_about
from conformance.things_stack.registering import Registrar
from conformance.things_stack.traffic_fixtures import Api, open_application_events

SERVERS = ("as", "ns", "js")
OF_APPLICATION = ["application.api-key.create", "application.update"]
OF_DEVICE = ["end_device.delete", "end_device.update"]
_ID = ("application_ids", "application_id")


class Changed(NamedTuple):
    """An application, a device of it that was changed and deleted, and who listened to them."""

    application_id: str
    device_id: str
    listeners: list[Subscription]
    patience_s: float

    def told(self, *names: str) -> list[str]:
        """Which of these names have come, once all have or the time is over."""
        deadline = time.monotonic() + self.patience_s
        while True:
            found = sorted({each["name"] for each in self._events() if each["name"] in names})
            if len(found) == len(names):
                return found
            if time.monotonic() >= deadline:
                for each in self.listeners:
                    each.be_open()
                return found
            time.sleep(0.02)

    def _events(self) -> Iterator[dict[str, Any]]:
        """Those about the application itself, or about the device."""
        for listener in self.listeners:
            for event in events_in(listener):
                names = [part(each, *_ID) for each in event.get("identifiers", ())]
                if self.application_id in names or is_about(event, self.device_id):
                    yield event


@pytest.fixture(scope="module")
def changed(stack_api: Api) -> Iterator[Changed]:
    """The Identity Server may stand elsewhere than the others: it is listened to as well."""
    application_id = stack_api.stack.new_application()
    registrar = Registrar(
        stack_api.call, application_id, stack_api.name, stack_api.stack.frequency_plan
    )
    device = registrar.otaa("1.0.2")
    identity = stack_api.run.stack.server("/applications")
    listeners = [
        open_application_events(stack_api, application_id, http)
        for http in dict.fromkeys((stack_api.http, identity))
    ]
    registrar.to_join_server(device)
    _change_application(stack_api, f"/applications/{application_id}")
    _change_device(stack_api, f"applications/{application_id}/devices/{device.device_id}")
    yield Changed(application_id, device.device_id, listeners, stack_api.patience_s)
    for each in listeners:
        each.close()


def _change_application(api: Api, path: str) -> None:
    api.stack.new_key(path, "RIGHT_APPLICATION_INFO")
    body = {"application": {"name": "Meters"}, "field_mask": {"paths": ["name"]}}
    permitted(api.call("PUT", path, body)).ok_json()


def _change_device(api: Api, path: str) -> None:
    """Change it where its registration has left something open, then delete it everywhere."""
    changes: dict[str, dict[str, Any]] = {
        "": {"name": "Meter"},
        "/ns": {"mac_settings": {"status_count_periodicity": 5}},
        "/as": {"formatters": {"up_formatter": "FORMATTER_CAYENNELPP"}},
    }
    for server, fields in changes.items():
        paths = [
            f"{name}.{inner}" if isinstance(value, dict) else name
            for name, value in fields.items()
            for inner in (value if isinstance(value, dict) else [""])
        ]
        body = {"end_device": fields, "field_mask": {"paths": paths}}
        permitted(api.call("PUT", f"{server}/{path}", body)).ok_json()
    for server in ("/as", "/ns", "/js", ""):
        permitted(api.call("DELETE", f"{server}/{path}")).ok_json()


@pytest.mark.requirement("TTS-EV-014")
def test_changes_of_devices_are_told(changed: Changed, requirement: Judge) -> None:
    names = sorted(f"{server}.end_device.update" for server in SERVERS)

    requirement.check(changed.told(*names), expected=names)


@pytest.mark.requirement("TTS-EV-015")
def test_deletions_of_devices_are_told(changed: Changed, requirement: Judge) -> None:
    names = sorted(f"{server}.end_device.delete" for server in SERVERS)

    requirement.check(changed.told(*names), expected=names)


@pytest.mark.requirement("TTS-EV-016")
def test_changes_of_the_application_are_told(changed: Changed, requirement: Judge) -> None:
    requirement.check(changed.told(*OF_APPLICATION), expected=OF_APPLICATION)


@pytest.mark.requirement("TTS-EV-017")
def test_changes_of_registrations_are_told(changed: Changed, requirement: Judge) -> None:
    requirement.check(changed.told(*OF_DEVICE), expected=OF_DEVICE)
