"""
thethings.iO's HTTP API, a method per endpoint.

Here is what a device calls, and how a user of an app gets a session; what the session may call is
in ``app_session``. Nothing raises for what the peer does: see ``Response``. Usable on its own:

    api = ThethingsClient("http://127.0.0.1:8080")
    api.write(thing_token, [{"key": "temperature", "value": 21.5}])
    ada = api.session(api.login("ada@example.com", "secret", app_id).ok_json()["token"])
    ada.read("temperature", thing_id)
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

from conformance.clients.app_session import AppSession
from conformance.clients.exchange import Guard, Response
from conformance.clients.http import NO_DOCUMENT, Http, query_of
from conformance.clients.raw import exchange_raw
from conformance.clients.stream import Stream


class ThethingsClient:
    """Calls one server; ``query`` arguments become the query in their order."""

    def __init__(
        self,
        url: str,
        *,
        ca_file: str | Path | None = None,
        timeout_s: float = 10.0,
        guard: Guard | None = None,
    ) -> None:
        self.http = Http(url, ca_file=ca_file, timeout_s=timeout_s, guard=guard)

    @property
    def url(self) -> str:
        """The base URL, without the API's version path."""
        return self.http.url

    def send(
        self,
        method: str,
        target: str,
        *,
        body: bytes | None = None,
        json: Any = NO_DOCUMENT,
        headers: dict[str, str] | None = None,
        timeout_s: float | None = None,
    ) -> Response:
        """Any request; ``target`` (``/v2/…``) goes out as given, ``json`` becomes the body."""
        return self.http.send_document(
            method, target, body=body, json=json, headers=headers, timeout_s=timeout_s
        )

    def raw(self, data: bytes, *, answers: int = 1, timeout_s: float = 5.0) -> list[Response]:
        """
        Send bytes as they are on a connection of their own and read up to ``answers`` answers.

        With ``answers=0`` the connection is closed right after sending. A last element with
        status None tells why fewer came.
        """
        return exchange_raw(self.http, data, answers=answers, timeout_s=timeout_s)

    def ping(self) -> Response:
        """GET /v2/"""
        return self.send("GET", "/v2/")

    def activate(self, activation_code: str, product_id: str | None = None) -> Response:
        """POST /v2/things"""
        body = {"activationCode": activation_code}
        if product_id is not None:
            body["productId"] = product_id
        return self.send("POST", "/v2/things", json=body)

    def write(
        self, thing_token: str, values: list[dict[str, Any]], *, query: dict[str, Any] | None = None
    ) -> Response:
        """POST /v2/things/{token}"""
        target = f"/v2/things/{thing_token}{query_of(query or {})}"
        return self.send("POST", target, json={"values": values})

    def read(self, thing_token: str, key: str, **query: Any) -> Response:
        """GET /v2/things/{token}/resources/{key}"""
        name = quote(key, safe="$-._~")
        return self.send("GET", f"/v2/things/{thing_token}/resources/{name}{query_of(query)}")

    def resources(self, thing_token: str) -> Response:
        """GET /v2/things/{token}/resources"""
        return self.send("GET", f"/v2/things/{thing_token}/resources")

    def all_resources(self, thing_token: str, **query: Any) -> Response:
        """GET /v2/things/{token}/all_resources"""
        return self.send("GET", f"/v2/things/{thing_token}/all_resources{query_of(query)}")

    def subscribe(self, thing_token: str, *, keep_alive_ms: int = 60_000) -> Stream:
        """GET /v2/things/{token} as a stream of everything the thing is told."""
        return Stream(self.http, f"/v2/things/{thing_token}?keepAlive={keep_alive_ms}")

    def get_description(self, thing_token: str) -> Response:
        """GET /v2/things/{token}/resources/description"""
        return self.send("GET", f"/v2/things/{thing_token}/resources/description")

    def put_description(self, thing_token: str, description: Any) -> Response:
        """PUT /v2/things/{token}/resources/description"""
        target = f"/v2/things/{thing_token}/resources/description"
        return self.send("PUT", target, json=description)

    def add_tag(self, thing_token: str, name: str) -> Response:
        """POST /v2/things/{token}/tags"""
        return self.send("POST", f"/v2/things/{thing_token}/tags", json={"name": name})

    def tags(self, thing_token: str) -> Response:
        """GET /v2/things/{token}/tags"""
        return self.send("GET", f"/v2/things/{thing_token}/tags")

    def delete_tag(self, thing_token: str, tag_id: str) -> Response:
        """DELETE /v2/things/{token}/tags/{tagId}"""
        return self.send("DELETE", f"/v2/things/{thing_token}/tags/{quote(tag_id, safe='')}")

    def latest_firmwares(self, thing_token: str) -> Response:
        """GET /v2/things/{token}/firmwares/latest"""
        return self.send("GET", f"/v2/things/{thing_token}/firmwares/latest")

    def download_firmware(self, thing_token: str, firmware_id: str) -> Response:
        """GET /v2/things/{token}/firmwares/download/{firmwareId}"""
        name = quote(firmware_id, safe="")
        return self.send("GET", f"/v2/things/{thing_token}/firmwares/download/{name}")

    def server_date(self, **query: Any) -> Response:
        """GET /v2/utils/date; the thing token goes into ``thingToken``."""
        return self.send("GET", f"/v2/utils/date{query_of(query)}")

    def call_function(self, thing_token: str, name: str, params: Any) -> Response:
        """POST /v2/things/{token}/code/functions/{name}"""
        target = f"/v2/things/{thing_token}/code/functions/{quote(name, safe='')}"
        return self.send("POST", target, json={"params": params}, timeout_s=20.0)

    def register(self, email: str, password: str, app_id: str) -> Response:
        """POST /v2/register; the answer holds the first session's ``token``."""
        return self._credentials("/v2/register", email, password, app_id)

    def login(self, email: str, password: str, app_id: str) -> Response:
        """POST /v2/login; the answer holds the session's ``token``."""
        return self._credentials("/v2/login", email, password, app_id)

    def session(self, token: str) -> AppSession:
        """What a user may call with the ``token`` that register or login handed out."""
        return AppSession(self.http, token)

    def _credentials(self, target: str, email: str, password: str, app_id: str) -> Response:
        document = {"email": email, "password": password, "app": app_id}
        return self.send("POST", target, json=document)
