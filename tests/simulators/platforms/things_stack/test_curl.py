"""
The curl commands of the vendor's page on HTTP queries, run with real curl.

Only those that need no radio. What a command of the page has wrong stays wrong here: the answer is
what a real server gives.
"""

from __future__ import annotations

import json
import queue
import re
import shutil
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from simulators.platforms.embedded import embedded_server

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")

AGENT = ["--header", "User-Agent: my-integration/my-integration-version"]
ACCEPT = ["--header", "Accept: application/json"]
JSON = ["--header", "Content-Type: application/json"]
DEV_EUI, JOIN_EUI = "70B3D57ED0000001", "0000000000000001"
KEY, HOST = "000102030405060708090A0B0C0D0E0F", "thethings.example.com"


@pytest.fixture(scope="module")
def server():
    with embedded_server("things-stack") as running:
        yield running
        assert running.errors.read_text() == ""


class Shell:
    """Runs the page's commands, with this server's address and key in place of the page's."""

    def __init__(self, server):
        self.base = f"{server.url}/api/v3"
        self.user_id = server.target["credentials"]["user_id"]
        self.keys = server.target["credentials"]

    def curl(self, *options, target, body=None, key="api_key", time="10"):
        """Status, headers and text of the answer."""
        command = ["curl", "-s", "-i", "--location", "--max-time", time, *options]
        command += ["--header", f"Authorization: Bearer {self.keys[key]}"]
        command += ["--data-raw", body] if body is not None else []
        done = subprocess.run([*command, self.base + target], capture_output=True)
        head, _, text = done.stdout.decode().partition("\r\n\r\n")
        status, *lines = head.split("\r\n")
        return int(status.split()[1]), dict(line.split(": ", 1) for line in lines), text

    def json(self, *options, **arguments):
        status, _, text = self.curl(*options, **arguments)
        return status, json.loads(text)


@pytest.fixture(scope="module")
def shell(server):
    """An application app1 with a device dev1, as the page assumes."""
    shell = Shell(server)
    target = f"/users/{shell.user_id}/applications"
    assert (
        shell.json(target=target, body='{"application":{"ids":{"application_id":"app1"}}}')[0]
        == 200
    )
    device = {"end_device": {"ids": {"device_id": "dev1"}, "name": "Meter 12",
                             "locations": {"user": {"latitude": 52.37}}}}  # fmt: skip
    assert shell.json(target="/applications/app1/devices", body=json.dumps(device))[0] == 200
    return shell


def filled(text, **values):
    """A body of the page with its placeholders filled in, in this order."""
    for name, value in values.items():
        text = re.sub(rf'("{name}":\s*)"X+"', rf'\1"{value}"', text)
    assert "XXXX" not in text
    return text


def test_get_device_info(shell):
    target = "/applications/app1/devices/dev1?field_mask=name,description,locations"
    status, headers, text = shell.curl(*ACCEPT, *AGENT, target=target)
    document = json.loads(text)
    assert (status, headers["Content-Type"]) == (200, "application/json")
    assert sorted(document) == ["created_at", "ids", "locations", "name", "updated_at"]
    assert document["locations"] == {"user": {"latitude": 52.37}}


def test_get_device_info_of_a_tenant():
    provisioning = {
        "user": [{"user_id": "user1", "email": "a@example.com", "password": "long-enough"}],
        "server": {"tenants": ["tenant1"]},
    }
    with embedded_server("things-stack", provisioning=provisioning) as running:
        shell = Shell(running)
        port = running.url.rpartition(":")[2]
        name = "tenant1.thethings.example.com"
        shell.base = f"http://{name}:{port}/api/v3"
        status, document = shell.json(
            "--resolve", f"{name}:{port}:127.0.0.1", target="/applications/app1/devices/dev1"
        )
        assert (status, document["details"][0]["attributes"]) == (403, {"uid": "app1@tenant1"})


def test_get_event_stream(shell):
    body = """{
"identifiers":[{
"device_ids":{
"device_id":"dev1",
"application_ids":{"application_id":"app1"}
}
}]
}"""
    status, headers, text = shell.curl(
        "--header", "Accept: text/event-stream", *JSON, *AGENT, "--request", "POST",
        target="/events", body=body, time="1",
    )  # fmt: skip
    assert (status, headers["Content-Type"]) == (200, "text/event-stream")
    assert text.endswith("}\n\n")
    event = json.loads(text)["result"]
    assert event["name"] == "events.stream.start"
    assert event["identifiers"] == json.loads(body)["identifiers"]


OTAA_IS = """{
"end_device": {
"ids": {
"device_id": "newdev1",
"dev_eui": "XXXXXXXXXXXXXXXX",
"join_eui": "XXXXXXXXXXXXXXXX"
},
"join_server_address": "thethings.example.com",
"network_server_address": "thethings.example.com",
"application_server_address": "thethings.example.com"
},
"field_mask": {
"paths": [
"join_server_address",
"network_server_address",
"application_server_address",
"ids.dev_eui",
"ids.join_eui"
]
}
}"""
OTAA_JS = """{
"end_device": {
"ids": {
"device_id": "newdev1",
"dev_eui": "XXXXXXXXXXXXXXXX",
"join_eui": "XXXXXXXXXXXXXXXX"
},
"network_server_address": "thethings.example.com",
"application_server_address": "thethings.example.com",
"root_keys": {
"app_key": {
"key": "XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX"
}
}
},
"field_mask": {
"paths": [
"network_server_address",
"application_server_address",
"ids.device_id",
"ids.dev_eui",
"ids.join_eui",
"root_keys.app_key.key"
]
}
}"""
OTAA_NS = """{
"end_device": {
"supports_join": true,
"lorawan_version": "1.0.2",
"ids": {
"device_id": "newdev1",
"dev_eui": "XXXXXXXXXXXXXXXX",
"join_eui": "XXXXXXXXXXXXXXXX"
},
"lorawan_phy_version": "1.0.2-b",
"frequency_plan_id": "EU_863_870_TTN"
},
"field_mask": {
"paths": [
"supports_join",
"lorawan_version",
"ids.device_id",
"ids.dev_eui",
"ids.join_eui",
"lorawan_phy_version",
"frequency_plan_id"
]
}
}"""
OTAA_AS = """{
"end_device": {
"ids": {
"device_id": "newdev1",
"dev_eui": "XXXXXXXXXXXXXXXX",
"join_eui": "XXXXXXXXXXXXXXXX"
}
},
"field_mask": {
"paths": [
"ids.device_id",
"ids.dev_eui",
"ids.join_eui"
]
}
}"""


def test_placeholders_are_no_euis(shell):
    status, document = shell.json(
        *ACCEPT, *JSON, *AGENT, "--request", "POST", target="/applications/app1/devices",
        body=OTAA_IS,
    )  # fmt: skip
    assert (status, sorted(document)) == (400, ["code", "message"])
    assert document["message"].startswith('unmarshal error at path "end_device.ids.dev_eui": ')


def test_register_a_device_that_joins(shell):
    ids = {"device_id": "newdev1", "application_ids": {"application_id": "app1"},
           "dev_eui": DEV_EUI, "join_eui": JOIN_EUI}  # fmt: skip
    euis = {"dev_eui": DEV_EUI, "join_eui": JOIN_EUI}
    status, document = shell.json(
        *ACCEPT, *JSON, *AGENT, "--request", "POST", target="/applications/app1/devices",
        body=filled(OTAA_IS, **euis),
    )  # fmt: skip
    servers = ("join", "network", "application")
    assert (status, document["ids"]) == (200, ids)
    assert [document[f"{server}_server_address"] for server in servers] == [HOST] * 3

    def put(server, body):
        target = f"/{server}/applications/app1/devices/newdev1"
        status, document = shell.json(*JSON, *AGENT, "--request", "PUT", target=target, body=body)
        assert status == 200, document
        assert document.pop("created_at") == document.pop("updated_at")
        assert document.pop("ids") == ids
        return document

    assert put("js", filled(OTAA_JS, **euis, key=KEY)) == {
        "network_server_address": HOST,
        "application_server_address": HOST,
        "root_keys": {"app_key": {"key": KEY}},
    }
    assert put("ns", filled(OTAA_NS, **euis)) == {
        "supports_join": True,
        "lorawan_version": "MAC_V1_0_2",
        "lorawan_phy_version": "PHY_V1_0_2_REV_B",
        "frequency_plan_id": "EU_863_870_TTN",
    }
    assert put("as", filled(OTAA_AS, **euis)) == {}


ABP_IS = """{
"end_device": {
"ids": {
"device_id": "newdev1",
"dev_eui": "XXXXXXXXXXXXXXXX"
},
"network_server_address": "thethings.example.com",
"application_server_address": "thethings.example.com"
},
"field_mask": {
"paths": [
"network_server_address",
"application_server_address",
"ids.dev_eui"
]
}
}"""
ABP_NS = """{
"end_device": {
"supports_join": false,
"lorawan_version": "1.0.2",
"ids": {
"device_id": "newdev1",
"dev_eui": "XXXXXXXXXXXXXXXX"
},
"session": {
"keys": {
"f_nwk_s_int_key": {
"key": "XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX"
}
},
"dev_addr": "XXXXXXXX"
},
"mac_settings": {
"resets_f_cnt": true,
"factory_preset_frequencies": [
"868100000",
"868300000",
"868500000",
"867100000",
"867300000",
"867500000",
"867700000",
"867900000"
]
},
"resets_f_cnt": false,
"lorawan_phy_version": "1.0.2-b",
"frequency_plan_id": "EU_863_870_TTN"
},
"field_mask": {
"paths": [
"supports_join",
"lorawan_version",
"ids.device_id",
"ids.dev_eui",
"session.keys.f_nwk_s_int_key.key",
"session.dev_addr",
"mac_settings.resets_f_cnt",
"mac_settings.factory_preset_frequencies",
"lorawan_phy_version",
"frequency_plan_id"
]
}
}"""
ABP_AS = """{
"end_device": {
"ids": {
"device_id": "newdev1",
"dev_eui": "XXXXXXXXXXXXXXXX"
},
"session": {
"keys": {
"app_s_key": {
"key": "XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX"
}
},
"dev_addr": "XXXXXXXX"
},
"skip_payload_crypto": false
},
"field_mask": {
"paths": [
"ids.device_id",
"ids.dev_eui",
"session.keys.app_s_key.key",
"session.dev_addr",
"skip_payload_crypto"
]
}
}"""


def test_register_a_device_with_a_session(shell):
    """The page calls it newdev1 too; here it is another, of another application."""
    target = f"/users/{shell.user_id}/applications"
    shell.json(target=target, body='{"application":{"ids":{"application_id":"app2"}}}')
    status, document = shell.json(
        *ACCEPT, *JSON, *AGENT, "--request", "POST", target="/applications/app2/devices",
        body=filled(ABP_IS, dev_eui="70B3D57ED0000002"),
    )  # fmt: skip
    ids = {"device_id": "newdev1", "application_ids": {"application_id": "app2"},
           "dev_eui": "70B3D57ED0000002"}  # fmt: skip
    assert (status, document["ids"]) == (200, ids)
    address = shell.json(target="/ns/dev_addr")[1]["dev_addr"]
    values = {"dev_eui": ids["dev_eui"], "key": KEY, "dev_addr": address}

    def put(server, body):
        target = f"/{server}/applications/app2/devices/newdev1"
        status, document = shell.json(
            *ACCEPT, *JSON, *AGENT, "--request", "PUT", target=target, body=filled(body, **values)
        )
        assert status == 200, document
        assert document.pop("ids") == {**ids, "dev_addr": address}
        return {name: document[name] for name in document if not name.endswith("_at")}

    assert put("ns", ABP_NS) == {
        "session": {"dev_addr": address, "keys": {"f_nwk_s_int_key": {"key": KEY}}},
        "mac_settings": json.loads(ABP_NS)["end_device"]["mac_settings"],
        "lorawan_version": "MAC_V1_0_2",
        "lorawan_phy_version": "PHY_V1_0_2_REV_B",
        "frequency_plan_id": "EU_863_870_TTN",
    }
    assert put("as", ABP_AS) == {
        "session": {"dev_addr": address, "keys": {"app_s_key": {"key": KEY}}}
    }


def test_register_a_gateway(shell):
    body = """{
"gateway": {
"ids": {
"gateway_id": "gtw1",
"eui": "XXXXXXXXXXXXXXXX"
},
"name": "my gateway",
"gateway_server_address": "thethings.example.com",
"frequency_plan_id": "EU_863_870_TTN"
}
}"""
    status, document = shell.json(
        *ACCEPT, *JSON, "--request", "POST", target=f"/users/{shell.user_id}/gateways",
        body=filled(body, eui="B827EBFFFE000001"),
    )  # fmt: skip
    assert status == 200
    assert document["ids"] == {"gateway_id": "gtw1", "eui": "B827EBFFFE000001"}
    assert document["frequency_plan_ids"] == ["EU_863_870_TTN"]


def test_purge(shell):
    target = f"/users/{shell.user_id}/applications"
    shell.json(target=target, body='{"application":{"ids":{"application_id":"app3"}}}')
    status, document = shell.json("--request", "DELETE", target="/applications/app3/purge")
    assert (status, document["details"][0]["name"]) == (403, "admins_purge_applications")
    purge = ["--request", "DELETE"]
    answer = shell.json(*purge, target="/applications/app3/purge", key="admin_api_key")
    assert answer == (200, {})
    assert shell.json(target="/applications/app3", key="admin_api_key")[0] == 404


def test_troubles_of_the_page(shell):
    """Forbidden paths in a mask; an id that is none; rights that are not enough."""
    status, document = shell.json(target="/applications/app1/devices/dev1?field_mask=formatters")
    assert (status, document["details"][0]["name"]) == (400, "field_mask_paths")
    body = '{"end_device":{"ids":{"device_id":"My_Device"}}}'
    status, document = shell.json(target="/applications/app1/devices", body=body)
    assert status == 400
    assert document["message"] == (
        "error:pkg/errors:validation (invalid `end_device`: embedded message failed validation)"
    )
    key = shell.json(
        target="/applications/app1/api-keys", body='{"rights":["RIGHT_APPLICATION_INFO"]}'
    )[1]["key"]
    shell.keys["narrow"] = key
    status, document = shell.json(target="/applications/app1/devices", key="narrow")
    assert (status, document["details"][0]["name"]) == (403, "insufficient_application_rights")


@pytest.fixture(scope="module")
def talking(shell):
    """A device dev2 with a session, which the page's downlinks are for."""
    ids = {"device_id": "dev2", "dev_eui": "70B3D57ED0000009"}
    session = {"dev_addr": "2600AB01", "keys": {"f_nwk_s_int_key": {"key": KEY}}}
    device = {"ids": ids, "session": session, "lorawan_version": "1.0.3",
              "lorawan_phy_version": "1.0.3-a", "frequency_plan_id": "EU_863_870_TTN"}  # fmt: skip
    paths = ["ids.dev_eui", "session.dev_addr", "session.keys", "lorawan_version",
             "lorawan_phy_version", "frequency_plan_id"]  # fmt: skip
    body = json.dumps({"end_device": device, "field_mask": {"paths": paths}})
    put = ["--request", "PUT"]
    assert shell.json(*put, target="/ns/applications/app1/devices/dev2", body=body)[0] == 200
    session["keys"] = {"app_s_key": {"key": KEY}}
    device = {"ids": ids, "session": session}
    paths = ["ids.dev_eui", "session.dev_addr", "session.keys.app_s_key.key"]
    body = json.dumps({"end_device": device, "field_mask": {"paths": paths}})
    assert shell.json(*put, target="/as/applications/app1/devices/dev2", body=body)[0] == 200
    return "/as/applications/app1/devices/dev2/down"


def waiting(shell, talking):
    """Counter, port and payload of what waits."""
    _, document = shell.json(target=talking)
    return [
        (each["f_cnt"], each["f_port"], each["frm_payload"])
        for each in document.get("downlinks", [])
    ]


def test_schedule_downlink_as_the_page_has_it(shell, talking):
    body = """{
"downlinks": [{
"frm_payload": "vu8=",
"f_port": 42,
}]
}"""
    status, headers, text = shell.curl(
        *JSON, *AGENT, "--request", "POST", target=f"{talking}/push", body=body
    )
    assert (status, headers["Content-Type"]) == (400, "application/json")
    message = "invalid character '}' looking for beginning of object key string"
    assert json.loads(text) == {"code": 3, "message": message}


def test_schedule_downlink_without_its_last_comma(shell, talking):
    shell.json(target=f"{talking}/replace", body="{}")
    body = '{"downlinks": [{"frm_payload": "vu8=", "f_port": 42}]}'
    answer = shell.json(*JSON, *AGENT, "--request", "POST", target=f"{talking}/push", body=body)
    assert answer == (200, {})
    ((_, port, payload),) = waiting(shell, talking)
    assert (port, payload) == (42, "vu8=")


def test_schedule_human_readable_downlink(shell, talking):
    """There is no formatter that would choose a port."""
    body = """{"downlinks":[{
"decoded_payload": {
"bytes": [1, 2, 3]
}
}]
}"""
    status, document = shell.json(
        *JSON, *AGENT, "--request", "POST", target=f"{talking}/push", body=body
    )
    assert (status, document["details"][0]["name"]) == (400, "no_f_port")


class Receiver(BaseHTTPRequestHandler):
    """A webhook's server."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.put((self.path, dict(self.headers), json.loads(body)))
        self.send_response(202)
        self.end_headers()

    def log_message(self, *args):
        pass


@pytest.fixture
def receiver():
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    server.got = queue.Queue()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_webhook_is_called_and_pushes_a_downlink(shell, talking, receiver):
    port = receiver.server_address[1]
    webhook = {"base_url": f"http://127.0.0.1:{port}/{{appID}}", "format": "json",
               "downlink_api_key": shell.keys["api_key"],
               "uplink_message": {"path": "up/{devID}"}, "headers": {"X-Own": "1"}}  # fmt: skip
    body = json.dumps({"webhook": webhook, "field_mask": {"paths": list(webhook)}})
    assert shell.json("--request", "PUT", target="/as/webhooks/app1/hook1", body=body)[0] == 200
    body = """{"uplink_message":{"f_port":1,"f_cnt":7,"frm_payload":"AWcA+A==",
"rx_metadata":[{"gateway_ids":{"gateway_id":"gtw1"},"rssi":-42,"snr":4.2}],
"settings":{"data_rate":{"lora":{"bandwidth":125000,"spreading_factor":7}},
"frequency":"868000000"}}}"""
    target = "/as/applications/app1/devices/dev2/up/simulate"
    assert shell.json(*JSON, target=target, body=body) == (200, {})

    path, headers, up = receiver.got.get(timeout=5)

    assert path == "/app1/up/dev2"
    assert headers["X-Own"] == "1"
    assert headers["Content-Type"] == "application/json"
    assert up["uplink_message"]["frm_payload"] == "AWcA+A=="
    assert up["simulated"] is True
    shell.json(target=f"{talking}/replace", body="{}")
    back = headers["X-Downlink-Push"].removeprefix(shell.base)
    assert back == "/as/applications/app1/webhooks/hook1/devices/dev2/down/push"
    body = '{"downlinks":[{"frm_payload":"vu8=","f_port":15,"priority":"NORMAL"}]}'
    status, headers, text = shell.curl("-X", "POST", target=back, body=body)
    assert (status, text) == (200, "")
    assert [each[1:] for each in waiting(shell, talking)] == [(15, "vu8=")]
    shell.curl("--request", "DELETE", target="/as/webhooks/app1/hook1")


def test_webhook_that_nobody_answers_is_an_event(shell, talking):
    webhook = {"base_url": "http://127.0.0.1:1", "format": "json", "uplink_message": {}}
    body = json.dumps({"webhook": webhook, "field_mask": {"paths": list(webhook)}})
    assert shell.json("--request", "PUT", target="/as/webhooks/app1/hook2", body=body)[0] == 200
    listening = '{"identifiers":[{"application_ids":{"application_id":"app1"}}]}'
    command = ["curl", "-s", "-N", "--max-time", "3", f"{shell.base}/events", "-d", listening]
    command += ["-H", f"Authorization: Bearer {shell.keys['api_key']}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as events:
        assert "events.stream.start" in events.stdout.readline()
        settings = '{"data_rate":{"fsk":{"bit_rate":50000}},"frequency":"868000000"}'
        body = f'{{"uplink_message":{{"settings":{settings}}}}}'
        shell.json(target="/as/applications/app1/devices/dev2/up/simulate", body=body)
        names = [json.loads(events.stdout.readline())["result"]["name"] for _ in range(2)]
        events.terminate()
    assert names == ["as.up.data.forward", "as.webhook.fail"]
    shell.curl("--request", "DELETE", target="/as/webhooks/app1/hook2")


def test_try_a_formatter(shell):
    """Through the real process: a script that ends, and one that does not."""
    settings = {"data_rate": {"lora": {"spreading_factor": 7}}, "frequency": "868100000"}
    uplink = {"f_port": 1, "frm_payload": "AQI=", "settings": settings}

    def decode(script):
        body = {"uplink": uplink, "formatter": "FORMATTER_JAVASCRIPT", "parameter": script}
        target = "/as/applications/app1/devices/dev1/up/decode"
        return shell.json(*JSON, target=target, body=json.dumps(body))

    script = "function decodeUplink({ bytes }) { return { data: { n: bytes.length } }; }"
    status, document = decode(script)
    assert (status, document["uplink"]["decoded_payload"]) == (200, {"n": 2})
    status, document = decode("function decodeUplink() { for (;;) {} }")
    assert (status, document["details"][0]["name"]) == (504, "script_timeout")
    status, document = decode(script)
    assert (status, document["uplink"]["decoded_payload"]) == (200, {"n": 2})
