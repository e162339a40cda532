"""A server that is killed while it is used: nothing that was acknowledged is lost."""

from __future__ import annotations

import http.client
import json
import os
import signal
import threading
import time
from contextlib import ExitStack, closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from simulators.platforms.embedded import embedded_server

KEY = "000102030405060708090A0B0C0D0E0F"
SETTINGS = {
    "data_rate": {"lora": {"bandwidth": 125000, "spreading_factor": 7}},
    "frequency": "868100000",
}
SLOW = """
function decodeUplink({ bytes }) {
  let n = 0;
  while (n < 50000) n++;
  return { data: { n } };
}
"""
DOWN = "/api/v3/as/applications/app1/devices/dev1/down"


class Client:
    """Asks one server on one connection."""

    def __init__(self, server):
        host, _, port = server.url.removeprefix("http://").partition(":")
        self.connection = http.client.HTTPConnection(host, int(port), timeout=10)
        credentials = server.target["credentials"]
        self.user_id = credentials["user_id"]
        self.headers = {"Authorization": f"Bearer {credentials['api_key']}"}

    def ask(self, method, target, body=None):
        self.connection.request(method, target, json.dumps(body) if body else None, self.headers)
        answer = self.connection.getresponse()
        document = json.loads(answer.read())
        assert answer.status == 200, document
        return document

    def close(self):
        self.connection.close()

    def register(self):
        """An application with a device that has a session on both servers."""
        body = {"application": {"ids": {"application_id": "app1"}}}
        self.ask("POST", f"/api/v3/users/{self.user_id}/applications", body)
        for server, key, more in (
            ("ns", "f_nwk_s_int_key", {
                "lorawan_version": "MAC_V1_0_3", "lorawan_phy_version": "PHY_V1_0_3_REV_A",
                "frequency_plan_id": "EU_863_870",
            }),
            ("as", "app_s_key", {}),
        ):  # fmt: skip
            session = {"dev_addr": "26001234", "keys": {key: {"key": KEY}}}
            device = {"ids": {"device_id": "dev1"}, "session": session, **more}
            paths = ["session.dev_addr", f"session.keys.{key}.key", *more]
            body = {"end_device": device, "field_mask": {"paths": paths}}
            self.ask("PUT", f"/api/v3/{server}/applications/app1/devices/dev1", body)

    def register_listener(self, url):
        """A webhook for uplinks that a slow script decodes."""
        webhook = {"base_url": url, "format": "json", "uplink_message": {}}
        body = {"webhook": webhook, "field_mask": {"paths": list(webhook)}}
        self.ask("PUT", "/api/v3/as/webhooks/app1/hook1", body)
        formatters = {"up_formatter": "FORMATTER_JAVASCRIPT", "up_formatter_parameter": SLOW}
        device = {"ids": {"device_id": "dev1"}, "formatters": formatters}
        body = {"end_device": device, "field_mask": {"paths": ["formatters"]}}
        self.ask("PUT", "/api/v3/as/applications/app1/devices/dev1", body)

    def simulate(self, number):
        body = {"uplink_message": {"f_port": 1, "f_cnt": number, "frm_payload": "AQ==",
                                   "settings": SETTINGS}}  # fmt: skip
        self.ask("POST", "/api/v3/as/applications/app1/devices/dev1/up/simulate", body)

    def push(self, number):
        item = {"f_port": 1, "frm_payload": "AQ==", "correlation_ids": [f"order-{number}"]}
        self.ask("POST", f"{DOWN}/push", {"downlinks": [item]})

    def waiting(self):
        """Counters and orders of what waits."""
        found = self.ask("GET", DOWN)["downlinks"]
        return [(each["f_cnt"], order_of(each)) for each in found]


def order_of(item):
    (order,) = [each for each in item["correlation_ids"] if each.startswith("order-")]
    return int(order.removeprefix("order-"))


@contextmanager
def webhook_receiver():
    """A web server, and the counters of the uplinks that it was told."""
    told = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            told.append(body["uplink_message"])
            self.send_response(204)
            self.end_headers()

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", told
    server.shutdown()
    server.server_close()
    thread.join()


def test_no_acknowledged_uplink_is_lost_on_its_way_to_a_webhook(tmp_path):
    """Some wait for their script, some for the webhook, when the server is killed."""
    with webhook_receiver() as (url, told):
        with ExitStack() as stack:
            server = stack.enter_context(embedded_server("things-stack", state=tmp_path))
            client = stack.enter_context(closing(Client(server)))
            client.register()
            client.register_listener(url)
            for number in range(1, 201):
                client.simulate(number)
            os.kill(server.process.pid, signal.SIGKILL)
            server.process.wait()
            before = len(told)

        with embedded_server("things-stack", state=tmp_path):
            deadline_s = time.monotonic() + 20
            while len({up["f_cnt"] for up in told}) < 200 and time.monotonic() < deadline_s:
                time.sleep(0.02)

    assert before < 200
    assert {up["f_cnt"] for up in told} == set(range(1, 201))
    assert all(up["decoded_payload"] == {"n": 50000} for up in told)


def test_no_acknowledged_downlink_is_lost_and_no_counter_used_twice(tmp_path):
    acknowledged = []
    with ExitStack() as stack:
        server = stack.enter_context(embedded_server("things-stack", state=tmp_path))
        client = stack.enter_context(closing(Client(server)))
        client.register()

        def kill():
            time.sleep(0.4)
            os.kill(server.process.pid, signal.SIGKILL)

        killer = threading.Thread(target=kill)
        killer.start()
        try:
            for number in range(1, 100_000):
                client.push(number)
                acknowledged.append(number)
        except (ConnectionError, http.client.HTTPException):
            pass
        killer.join()

    with ExitStack() as stack:
        server = stack.enter_context(embedded_server("things-stack", state=tmp_path))
        client = stack.enter_context(closing(Client(server)))
        before = client.waiting()
        client.push(0)
        after = client.waiting()

    orders = [order for _, order in before]
    assert len(acknowledged) > 10
    # The last one may have been stored without its acknowledgement leaving.
    assert orders in (acknowledged, [*acknowledged, len(acknowledged) + 1])
    assert [f_cnt for f_cnt, _ in before] == list(range(1, len(before) + 1))
    assert after == [*before, (len(before) + 1, 0)]
