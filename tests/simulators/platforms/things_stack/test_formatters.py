"""Payload formatters: in traffic, and tried out by calls."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulators.platforms.things_stack.traffic import (
    METADATA,
    SETTINGS,
    Traffic,
    add_device,
    downlink,
    encrypted,
)

DEVICE = "/as/applications/app1/devices/dev1"
UPLINK = {"f_port": 2, "frm_payload": "AQL/", "rx_metadata": METADATA, "settings": SETTINGS}
SUM = """
function decodeUplink(input) {
  return { data: { sum: input.bytes.reduce((a, b) => a + b, 0), port: input.fPort } };
}
"""
PROCESSING, SCRIPTING = "messageprocessors/javascript", "scripting/javascript"


def script(text: str, **more: str) -> dict[str, str]:
    return {"formatter": "FORMATTER_JAVASCRIPT", "parameter": text, **more}


def decoded(bench: Any, text: str) -> Any:
    """What an uplink gets by a script."""
    document = bench.made(f"{DEVICE}/up/decode", {"uplink": UPLINK, **script(text)})
    return {name: value for name, value in document["uplink"].items() if name not in UPLINK}


def refused(bench: Any, what: str, message: Any, text: str) -> Any:
    name = what.partition("/")[0] + "link"
    return bench.refused("POST", f"{DEVICE}/{what}", {name: message, **script(text)})


def undecoded(bench: Any, text: str) -> Any:
    return refused(bench, "up/decode", UPLINK, text)


# --- up/decode


@pytest.fixture(autouse=True)
def application(request, bench):
    """``app1``, unless there is traffic, which brings its own."""
    if "traffic" not in request.fixturenames:
        bench.application()


@pytest.mark.parametrize(
    ("text", "members"),
    [
        (SUM, {"decoded_payload": {"sum": 258, "port": 2}}),
        (
            "function Decoder(bytes, port) { return { last: bytes[2], port: port }; }",
            {"decoded_payload": {"last": 255, "port": 2}},
        ),
        (
            "const decodeUplink = () => ({ data: { a: 1 }, warnings: ['low', 3], errors: [] });",
            {"decoded_payload": {"a": 1}, "decoded_payload_warnings": ["low", "3"]},
        ),
        ("function decodeUplink() { return {}; }", {"decoded_payload": {}}),
        (
            "const decodeUplink = () => ({ data: { air: { temperature: 20.5 } } });",
            {
                "decoded_payload": {"air": {"temperature": 20.5}},
                "normalized_payload": [{"air": {"temperature": 20.5}}],
            },
        ),
        (
            SUM
            + "const normalizeUplink = ({ data }) => ({ data: { soil: { depth: data.sum } } });",
            {
                "decoded_payload": {"sum": 258, "port": 2},
                "normalized_payload": [{"soil": {"depth": 258}}],
            },
        ),
        (
            SUM + "function normalizeUplink() { return { data: ["
            "{ time: '2024-01-31T12:00:00Z', air: { pressure: 1013, relativeHumidity: 101 } },"
            "{ wind: { direction: 360 } }], warnings: ['old'] }; }",
            {
                "decoded_payload": {"sum": 258, "port": 2},
                "normalized_payload": [{"time": "2024-01-31T12:00:00Z", "air": {"pressure": 1013}}],
                "normalized_payload_warnings": [
                    "old",
                    "measurement 1: `air.relativeHumidity` should be equal or less than `100`",
                    "measurement 2: `wind.direction` should be less than `360`",
                ],
            },
        ),
        (
            SUM + "function normalizeUplink() { return {}; }",
            {"decoded_payload": {"sum": 258, "port": 2}},
        ),
    ],
)
def test_script_adds_what_it_returns(bench, text, members):
    assert decoded(bench, text) == members


@pytest.mark.parametrize(
    ("text", "status", "name", "attributes"),
    [
        ("function decodeUplink() { for (;;) {} }", 504, f"{SCRIPTING}:script_timeout", {}),
        (
            "function decodeUplink() { const a = []; for (;;) a.push(new Array(999).fill(1)); }",
            409,
            f"{SCRIPTING}:script_interrupt",
            {},
        ),
        (
            "function decodeUplink() { throw new Error('no such port'); }",
            409,
            f"{SCRIPTING}:script",
            {"message": "Error: no such port at decodeUplink (<input>:1:37)"},
        ),
        (
            "",
            409,
            f"{SCRIPTING}:script",
            {"message": "ReferenceError: Decoder is not defined at main (<input>:4:69)"},
        ),
        (
            "function (",
            409,
            f"{SCRIPTING}:runtime",
            {"message": "SyntaxError: function name expected at <input>:1:10"},
        ),
        (
            "function decodeUplink() { return { errors: ['bad', 'worse'] }; }",
            409,
            f"{PROCESSING}:output_errors",
            {"errors": "bad, worse"},
        ),
        (
            SUM + "function normalizeUplink() { return { errors: ['bad'] }; }",
            409,
            f"{PROCESSING}:output_errors",
            {"errors": "bad"},
        ),
        ("function decodeUplink() { return { data: 3 }; }", 409, f"{PROCESSING}:output", {}),
        ("function decodeUplink() { return 'text'; }", 409, f"{PROCESSING}:output", {}),
        (
            SUM + "function normalizeUplink() { return { data: { heat: 3 } }; }",
            400,
            f"{PROCESSING}:output",
            {},
        ),
        (
            SUM + "function normalizeUplink() { return { data: { air: 3 } }; }",
            400,
            f"{PROCESSING}:output",
            {},
        ),
    ],
)
def test_script_that_fails_is_an_error(bench, text, status, name, attributes):
    assert undecoded(bench, text) == (status, name, attributes)


@pytest.mark.parametrize(
    ("formatter", "expected"),
    [
        (
            "FORMATTER_NONE",
            (400, "messageprocessors:formatter_not_configured", {"formatter": "FORMATTER_NONE"}),
        ),
        (
            "FORMATTER_GRPC_SERVICE",
            (
                400,
                "messageprocessors:formatter_not_configured",
                {"formatter": "FORMATTER_GRPC_SERVICE"},
            ),
        ),
        (
            "FORMATTER_REPOSITORY",
            (400, "messageprocessors/devicerepository:no_version_identifiers", {}),
        ),
        ("FORMATTER_CAYENNELPP", (400, "messageprocessors/cayennelpp:output", {})),
    ],
)
def test_formatters_that_are_no_scripts(bench, formatter, expected):
    body = {"uplink": UPLINK, "formatter": formatter}

    assert bench.refused("POST", f"{DEVICE}/up/decode", body) == expected


def test_values_that_came_with_an_uplink_are_replaced(bench):
    body = {"uplink": UPLINK | {"decoded_payload": {"a": 1}, "decoded_payload_warnings": ["b"]}}

    document = bench.made(f"{DEVICE}/up/decode", body | script(SUM))

    assert document["uplink"] == UPLINK | {"decoded_payload": {"sum": 258, "port": 2}}


def test_formatters_are_tried_with_the_right_to_read_traffic(bench):
    key = bench.key("applications/app1", "RIGHT_APPLICATION_INFO")
    body = {"uplink": UPLINK, **script(SUM)}

    assert bench.refused("POST", f"{DEVICE}/up/decode", body, key=key)[:2] == (
        403,
        "auth/rights:insufficient_application_rights",
    )


# --- down/encode, down/decode


@pytest.mark.parametrize(
    ("text", "given", "members"),
    [
        (
            "const encodeDownlink = ({ data, fPort }) => ({ bytes: [data.a, fPort], fPort: 9 });",
            {"f_port": 2},
            {"frm_payload": "AQI=", "f_port": 9},
        ),
        (
            "function encodeDownlink() { return { bytes: [1] }; }",
            {},
            {"frm_payload": "AQ==", "f_port": 1},
        ),
        (
            "function encodeDownlink() { return { bytes: [1], warnings: ['odd'] }; }",
            {"f_port": 2},
            {"frm_payload": "AQ==", "decoded_payload_warnings": ["odd"]},
        ),
        (
            "function encodeDownlink() { return { bytes: [256, -1, 2.9, '3', null] }; }",
            {"f_port": 2},
            {"frm_payload": "AP8CAwA="},
        ),
        (
            "function encodeDownlink() { return { bytes: new Uint8Array([7, 8]) }; }",
            {"f_port": 2},
            {"frm_payload": "Bwg="},
        ),
        (
            "function Encoder(data, port) { return [data.a, port]; }",
            {"f_port": 2},
            {"frm_payload": "AQI="},
        ),
        ("function encodeDownlink() { return {}; }", {"f_port": 2}, {}),
    ],
)
def test_script_encodes_a_downlink(bench, text, given, members):
    item = given | {"decoded_payload": {"a": 1}}

    document = bench.made(f"{DEVICE}/down/encode", {"downlink": item, **script(text)})

    assert document == {"downlink": item | members}


def test_downlink_without_values_is_left_as_it_is(bench):
    body = {"downlink": {"f_port": 2}, **script("not even a script")}

    assert bench.made(f"{DEVICE}/down/encode", body) == {"downlink": {"f_port": 2}}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", (409, f"{SCRIPTING}:script")),
        ("function encodeDownlink() {}", (409, f"{PROCESSING}:output")),
        ("function encodeDownlink() { return { bytes: 'AQI=' }; }", (409, f"{PROCESSING}:output")),
        (
            "function encodeDownlink() { return { errors: ['no'] }; }",
            (409, f"{PROCESSING}:output_errors"),
        ),
    ],
)
def test_downlink_that_cannot_be_encoded(bench, text, expected):
    item = {"decoded_payload": {"a": 1}}

    assert refused(bench, "down/encode", item, text)[:2] == expected


def test_cayenne_lpp_encodes_numbers(bench):
    item = {"f_port": 2, "decoded_payload": {"value_1": 24.8}}
    body = {"downlink": item, "formatter": "FORMATTER_CAYENNELPP"}

    document = bench.made(f"{DEVICE}/down/encode", body)

    assert document == {"downlink": item | {"frm_payload": "AQmw"}}


def test_script_decodes_a_downlink(bench):
    item = {"f_port": 2, "frm_payload": "AQI="}
    text = "function decodeDownlink({ bytes, fPort }) { return { data: { bytes, fPort } }; }"

    document = bench.made(f"{DEVICE}/down/decode", {"downlink": item, **script(text)})

    assert document == {"downlink": item | {"decoded_payload": {"bytes": [1, 2], "fPort": 2}}}


def test_downlink_whose_script_cannot_decode(bench):
    item = {"f_port": 2, "frm_payload": "AQI="}

    assert refused(bench, "down/decode", item, SUM)[:2] == (409, f"{SCRIPTING}:script")


# --- in traffic


def add_formatters(bench: Any, **formatters: str) -> None:
    add_device(bench, formatters=formatters)


def test_uplink_waits_for_its_script(bench, traffic):
    add_formatters(bench, up_formatter="FORMATTER_JAVASCRIPT", up_formatter_parameter=SUM)
    traffic.uplink(encrypted(b"\x01\x02", 7), f_cnt=7)
    assert traffic.ups() == []

    bench.run_scripts()

    assert traffic.up()["uplink_message"]["decoded_payload"] == {"sum": 3, "port": 1}


def test_uplinks_of_a_device_keep_their_order(bench, traffic):
    add_formatters(bench, up_formatter="FORMATTER_JAVASCRIPT", up_formatter_parameter=SUM)
    for f_cnt in (7, 8, 9):
        traffic.uplink(encrypted(bytes([f_cnt]), f_cnt), f_cnt=f_cnt)
    traffic.uplink(f_cnt=10)  # has nothing to decode

    bench.run_scripts()

    found = [up["uplink_message"] for up in traffic.ups()]
    assert [(one["f_cnt"], one.get("decoded_payload", {}).get("sum")) for one in found] == [
        (7, 7),
        (8, 8),
        (9, 9),
        (10, None),
    ]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("function decodeUplink() { for (;;) {} }", "pkg/scripting/javascript:script_timeout"),
        (
            "function decodeUplink() { let a = 'a'; for (;;) a += a; }",
            "pkg/scripting/javascript:script_interrupt",
        ),
        ("function decodeUplink() { throw 'no'; }", "pkg/scripting/javascript:script"),
        (
            "function decodeUplink() { return { errors: ['no'] }; }",
            "pkg/messageprocessors/javascript:output_errors",
        ),
    ],
)
def test_uplink_whose_script_fails_goes_out_without_values(bench, traffic, text, name):
    add_formatters(bench, up_formatter="FORMATTER_JAVASCRIPT", up_formatter_parameter=text)
    traffic.events()
    traffic.uplink(encrypted(b"\x01", 7), f_cnt=7)

    bench.run_scripts()

    events = {event["name"]: event.get("data", {}) for event in traffic.events()}
    assert list(events) == ["as.up.data.receive", "as.up.data.decode.fail", "as.up.data.forward"]
    failure = events["as.up.data.decode.fail"]
    assert f"{failure['namespace']}:{failure['name']}" == name
    assert "decoded_payload" not in traffic.up()["uplink_message"]


def test_normalized_values_and_a_location_are_messages_of_their_own(bench, traffic):
    text = """
      function decodeUplink() { return { data: { latitude: 52.5, longitude: 4.25 } }; }
      function normalizeUplink() {
        return { data: [{ air: { temperature: 20 } }, { air: { temperature: -300 } }] };
      }
    """
    add_formatters(bench, up_formatter="FORMATTER_JAVASCRIPT", up_formatter_parameter=text)
    traffic.events()
    traffic.uplink(encrypted(b"\x01", 7), f_cnt=7)

    bench.run_scripts()

    assert "as.up.data.normalize.warning" in traffic.names()
    kinds = {next(kind for kind in up if kind in KINDS): up for up in traffic.ups()}
    normalized = kinds["uplink_normalized"]["uplink_normalized"]
    assert normalized["normalized_payload"] == {"air": {"temperature": 20}}
    assert kinds["location_solved"]["location_solved"] == {
        "service": "frm-payload",
        "location": {"latitude": 52.5, "longitude": 4.25, "source": "SOURCE_GPS"},
    }
    assert kinds["uplink_message"]["uplink_message"]["decoded_payload"]["latitude"] == 52.5


KINDS = ("uplink_message", "uplink_normalized", "location_solved")


def test_pushed_values_become_bytes_in_order(bench, traffic):
    text = "function encodeDownlink({ data }) { return { bytes: [data.n], fPort: 3 }; }"
    add_formatters(bench, down_formatter="FORMATTER_JAVASCRIPT", down_formatter_parameter=text)
    items = [{"decoded_payload": {"n": n}} for n in (5, 6, 7)]

    assert traffic.push(*items) == (200, {})

    found = [(item["f_cnt"], item["f_port"], downlink(item)) for item in traffic.queue.items]
    assert found == [(1, 3, b"\x05"), (2, 3, b"\x06"), (3, 3, b"\x07")]


def test_nothing_of_a_push_is_queued_when_one_encoder_fails(bench, traffic):
    text = "function encodeDownlink({ data }) { return { bytes: [data.list.length] }; }"
    add_formatters(bench, down_formatter="FORMATTER_JAVASCRIPT", down_formatter_parameter=text)
    traffic.events()

    status, name = traffic.push(
        {"decoded_payload": {"list": []}}, {"decoded_payload": {"other": 1}}
    )

    assert (status, name) == (409, "script")
    assert traffic.queue.items == []
    assert [name for name in traffic.names() if "encode" in name] == ["as.down.data.encode.fail"]


def test_queue_is_listed_with_values(bench, traffic: Traffic):
    text = "function decodeDownlink({ bytes }) { return { data: { n: bytes[0] } }; }"
    add_formatters(bench, down_formatter="FORMATTER_JAVASCRIPT", down_formatter_parameter=text)
    traffic.push({"f_port": 1, "frm_payload": "BQ=="}, {"f_port": 1, "frm_payload": "Bg=="})

    _, document = traffic.ask("GET", f"{DEVICE}/down")

    assert [item["decoded_payload"] for item in document["downlinks"]] == [{"n": 5}, {"n": 6}]
