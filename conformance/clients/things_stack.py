"""
The Things Stack's HTTP API v3, as one caller after the other uses it.

Nothing raises for what the peer does: see ``Response``. A refusal for the sake of a rate limit is
waited for and the request repeated, as the headers say. Usable on its own:

    api = ThingsStackClient("https://eu1.cloud.thethings.network", key=my_api_key)
    api.get("/applications/app1", field_mask="name")
    api.post("/users/me/applications", {"application": {"ids": {"application_id": "app1"}}})
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from conformance.clients.exchange import Guard, Response
from conformance.clients.http import NO_DOCUMENT, Http, query_of

PREFIX = "/api/v3"
COMPONENTS = {
    "js": "join", "edcs": "join", "ns": "network", "as": "application", "gs": "gateway",
    "gcs": "gateway",
}  # fmt: skip
"""The first part of a path tells which server answers it; the Identity Server all others."""
LONGEST_WAIT_S = 90.0
TRIES = 4
MINE: Any = object()
"""The key that the client was made with."""


class ThingsStackClient:
    """
    Calls one deployment.

    Args:
        url: scheme, host, port and optional prefix, without ``/api/v3``.
        key: an API key, sent as bearer token; None sends none.
        urls: other addresses of single servers: identity, join, network, application, gateway.

    ``look`` sees every answer to the client's own key before it is returned.
    """

    def __init__(
        self,
        url: str,
        *,
        key: str | None = None,
        urls: Mapping[str, str] | None = None,
        ca_file: str | Path | None = None,
        timeout_s: float = 20.0,
        guard: Guard | None = None,
    ) -> None:
        self.key = key
        self.look: Callable[[Response], None] | None = None
        self.http = Http(url, ca_file=ca_file, timeout_s=timeout_s, guard=guard)
        self._servers = {
            name: Http(address, ca_file=ca_file, timeout_s=timeout_s, guard=guard)
            for name, address in (urls or {}).items()
        }

    @property
    def url(self) -> str:
        """The base URL, without the API's version path."""
        return self.http.url

    def server(self, path: str) -> Http:
        """Where the server answers that a path below ``/api/v3`` belongs to."""
        component = COMPONENTS.get(path.lstrip("/").partition("/")[0], "identity")
        return self._servers.get(component, self.http)

    def send(
        self,
        method: str,
        path: str,
        document: Any = NO_DOCUMENT,
        *,
        body: bytes | None = None,
        key: Any = MINE,
        headers: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
        **query: Any,
    ) -> Response:
        """
        Any request; ``path`` is below ``/api/v3`` and may hold a query of its own.

        Args:
            document: becomes the body as JSON.
            key: another bearer token; None sends none.
            query: further names of the query; a name ending in _ loses that.
        """
        bearer = self.key if key is MINE else key
        fields = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        target = f"{PREFIX}{path}{query_of({name.rstrip('_'): query[name] for name in query})}"
        answer = self.send_whole(
            method, target, document, body=body, headers={**fields, **(headers or {})},
            http=self.server(path), timeout_s=timeout_s,
        )  # fmt: skip
        if key is MINE and self.look is not None:
            self.look(answer)
        return answer

    def send_whole(
        self,
        method: str,
        target: str,
        document: Any = NO_DOCUMENT,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        http: Http | None = None,
        timeout_s: float | None = None,
    ) -> Response:
        """As send, with the whole request target, of paths outside ``/api/v3`` too."""
        answer = None
        for _ in range(TRIES):
            answer = (http or self.http).send_document(
                method, target, body=body, json=document, headers=headers, timeout_s=timeout_s
            )
            wait_s = seconds_to_wait(answer)
            if answer.status != 429 or wait_s is None:
                break
            time.sleep(min(wait_s, LONGEST_WAIT_S))
        assert answer is not None
        return answer

    def get(self, path: str, **more: Any) -> Response:
        """GET; see send."""
        return self.send("GET", path, **more)

    def post(self, path: str, document: Any = NO_DOCUMENT, **more: Any) -> Response:
        """POST; see send."""
        return self.send("POST", path, document, **more)

    def put(self, path: str, document: Any = NO_DOCUMENT, **more: Any) -> Response:
        """PUT; see send."""
        return self.send("PUT", path, document, **more)

    def delete(self, path: str, **more: Any) -> Response:
        """DELETE; see send."""
        return self.send("DELETE", path, **more)


def rate_limit(headers: Mapping[str, str], name: str) -> float | None:
    """
    A number of the rate limit headers: ``Limit``, ``Available``, ``Reset`` or ``Retry``.

    Source: the server spells them X-Rate-Limit-…, its documents X-Ratelimit-…
    """
    for spelling in (f"X-Rate-Limit-{name}", f"X-Ratelimit-{name}"):
        text = str(headers.get(spelling, ""))
        if text.replace(".", "", 1).isdigit():
            return float(text)
    return None


def seconds_to_wait(answer: Response) -> float | None:
    """How long to wait after a refusal that is about the rate of requests; None for any other."""
    for name in ("Retry", "Reset"):
        seconds = rate_limit(answer.headers, name)
        if seconds:
            return seconds
    return None
