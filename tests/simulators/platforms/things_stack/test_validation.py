"""Rules of fields, and the chain of errors that names the one that failed."""

from __future__ import annotations

import pytest

from simulators.platforms.things_stack.schema import message
from simulators.platforms.things_stack.validation import tree_of, validate

NOON_US = 1_706_702_400_000_000
ID_REASON = 'value does not match regex pattern "^[a-z0-9](?:[-]?[a-z0-9]){2,}$"'


def told(name, document, paths=()):
    """The chain of fields and the last reason, or None."""
    invalid = validate(message(name), document, tree_of(paths), unix_us=NOON_US)
    fields = []
    reason = None
    while invalid is not None:
        fields.append(invalid.field)
        reason, invalid = invalid.reason, invalid.cause
    return (".".join(fields), reason) if fields else None


def device(**fields):
    ids = {"device_id": "dev1", "application_ids": {"application_id": "app1"}}
    return {"end_device": {"ids": ids, **fields}}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, None),
        ({"name": "x" * 50}, None),
        ({"name": "é" * 51}, ("end_device.name", "value length must be at most 50 runes")),
        ({"attributes": {f"key{n}": "" for n in range(11)}},
         ("end_device.attributes", "value must contain no more than 10 pair(s)")),
        ({"attributes": {"A": ""}}, ("end_device.attributes[A]", ID_REASON)),
        ({"attributes": {"key": "x" * 201}},
         ("end_device.attributes[key]", "value length must be at most 200 runes")),
        ({"lorawan_version": 99},
         ("end_device.lorawan_version", "value must be one of the defined enum values")),
        ({"net_id": "0013"}, ("end_device.net_id", "value length must be 3 bytes")),
        ({"network_server_address": "thethings.example.com:8884"}, None),
        ({"network_server_address": "not a host"},
         ("end_device.network_server_address",
          'value does not match regex pattern "^(?:(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9\\\\-]*'
          '[a-zA-Z0-9])\\\\.)*(?:[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9\\\\-]*[A-Za-z0-9])'
          '(?::[0-9]{1,5})?$|^$"')),
        ({"battery_percentage": 1.5},
         ("end_device.battery_percentage", "value must be inside range [0, 1]")),
        ({"mac_settings": {"rx2_frequency": "99999"}},
         ("end_device.mac_settings.rx2_frequency.value",
          "value must be greater than or equal to 100000")),
        ({"mac_settings": {"ping_slot_frequency": "99999"}},
         ("end_device.mac_settings.ping_slot_frequency.value",
          "value must be outside range (0, 100000)")),
        ({"mac_settings": {"ping_slot_frequency": "0"}}, None),
        ({"mac_settings": {"factory_preset_frequencies": ["1"] * 97}},
         ("end_device.mac_settings.factory_preset_frequencies",
          "value must contain no more than 96 item(s)")),
        ({"session": {}}, ("end_device.session.keys", "value is required")),
        ({"serial_number": ""}, None),
        ({"claim_authentication_code": {"value": "ABC\n"}},
         ("end_device.claim_authentication_code.value",
          'value does not match regex pattern "^[a-zA-Z0-9]{1,32}$"')),
    ],
)  # fmt: skip
def test_fields_of_a_device(fields, expected):
    assert told("CreateEndDeviceRequest", device(**fields)) == expected


@pytest.mark.parametrize(
    ("device_id", "reason"),
    [
        ("abc", None),
        ("a-b", ID_REASON),
        ("a-bc", None),
        ("0-1-2", None),
        ("ab", ID_REASON),
        ("", ID_REASON),
        ("My_Device", ID_REASON),
        ("-abc", ID_REASON),
        ("abc-", ID_REASON),
        ("a--b", ID_REASON),
        ("abc\n", ID_REASON),
        ("a" * 36, None),
        ("a" * 37, "value length must be at most 36 runes"),
    ],
)
def test_ids(device_id, reason):
    expected = reason and ("ids.device_id", reason)
    document = {"device_id": device_id, "application_ids": {"application_id": "app1"}}
    assert told("CreateEndDeviceRequest", {"end_device": {"ids": document}}) == (
        expected and (f"end_device.{expected[0]}", expected[1])
    )


def test_the_error_is_a_chain_down_to_the_field():
    invalid = validate(
        message("CreateEndDeviceRequest"), {"end_device": {"ids": {"device_id": "My_Device"}}},
        {}, unix_us=NOON_US,
    )  # fmt: skip
    assert invalid.error().body("0f6a")["details"] == [
        {
            "@type": "type.googleapis.com/ttn.lorawan.v3.ErrorDetails",
            "namespace": "pkg/errors",
            "name": "validation",
            "message_format": "invalid `{field}`: {reason}",
            "attributes": {
                "field": "end_device",
                "name": "CreateEndDeviceRequestValidationError",
                "reason": "embedded message failed validation",
            },
            "correlation_id": "0f6a",
            "cause": {
                "namespace": "pkg/errors",
                "name": "validation",
                "message_format": "invalid `{field}`: {reason}",
                "attributes": {
                    "field": "ids",
                    "name": "EndDeviceValidationError",
                    "reason": "embedded message failed validation",
                },
                "cause": {
                    "namespace": "pkg/errors",
                    "name": "validation",
                    "message_format": "invalid `{field}`: {reason}",
                    "attributes": {
                        "field": "device_id",
                        "name": "EndDeviceIdentifiersValidationError",
                        "reason": ID_REASON,
                    },
                    "code": 3,
                },
                "code": 3,
            },
            "code": 3,
        }
    ]


def test_a_tree_of_paths_leaves_the_rest_alone():
    wrong = {"application": {"ids": {"application_id": "app1"}, "name": "x" * 51}}
    assert told("UpdateApplicationRequest", wrong, ["application.description"]) is None
    assert told("UpdateApplicationRequest", wrong, ["application.name", "application.ids"]) == (
        "application.name",
        "value length must be at most 50 runes",
    )


@pytest.mark.parametrize(
    ("name", "document", "expected"),
    [
        ("CreateEndDeviceRequest", {}, ("end_device", "value is required")),
        ("ListApplicationsRequest", {"limit": 1001},
         ("limit", "value must be less than or equal to 1000")),
        ("ListApplicationsRequest", {"order": "size"},
         ("order", "value must be in list [ application_id -application_id name -name "
                   "created_at -created_at]")),
        ("CreateApplicationAPIKeyRequest", {"application_ids": {"application_id": "app1"}},
         ("rights", "value must contain at least 1 item(s)")),
        ("CreateApplicationAPIKeyRequest",
         {"application_ids": {"application_id": "app1"},
          "rights": ["RIGHT_ALL", "RIGHT_ALL"]},
         ("rights", "repeated value must contain unique items")),
        ("CreateApplicationAPIKeyRequest",
         {"application_ids": {"application_id": "app1"}, "rights": ["RIGHT_ALL"],
          "expires_at": "2024-01-31T12:00:00Z"},
         ("expires_at", "value must be greater than now")),
        ("EntityIdentifiers", {}, ("ids", "value is required")),
        ("UserIdentifiers", {"user_id": "me"}, None),
        ("SetApplicationWebhookRequest",
         {"webhook": {"ids": {"webhook_id": "hook", "application_ids": {"application_id": "app"}},
                      "base_url": "no-url", "format": "json"}},
         ("webhook.base_url", "value must be absolute")),
        ("DownlinkQueueRequest",
         {"end_device_ids": {"device_id": "dev1", "application_ids": {"application_id": "app1"}},
          "downlinks": [{"f_port": 1}, {"f_port": 224}]},
         ("downlinks[1].f_port", "value must not be in list [224]")),
        ("DownlinkQueueRequest",
         {"end_device_ids": {"device_id": "dev1", "application_ids": {"application_id": "app1"}},
          "downlinks": [{"f_port": 256}]},
         ("downlinks[0].f_port", "value must be less than or equal to 255")),
    ],
)  # fmt: skip
def test_requests(name, document, expected):
    assert told(name, document) == expected
