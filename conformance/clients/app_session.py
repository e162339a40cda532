"""
What a user of an app calls on thethings.iO, a method per endpoint.

The session token goes into the header Authorization as it is. Nothing raises for what the peer
does: see ``Response``. ``ThethingsClient.session`` makes one of a token.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from conformance.clients.exchange import Response
from conformance.clients.http import NO_DOCUMENT, Http, query_of
from conformance.clients.stream import Stream

Permissions = Mapping[str, Mapping[str, Mapping[str, bool]]]
"""Resource to thing id to the flags ``get``, ``post`` and ``grant``."""
KEEP_ALIVE_MS = 60_000


class AppSession:
    """One user's session with one app."""

    def __init__(self, http: Http, token: str) -> None:
        self.http = http
        self.token = token

    def send(
        self,
        method: str,
        target: str,
        *,
        body: bytes | None = None,
        json: Any = NO_DOCUMENT,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Any request with the session's header; ``target`` (``/v2/…``) goes out as given."""
        fields = {"Authorization": self.token, **(headers or {})}
        return self.http.send_document(method, target, body=body, json=json, headers=fields)

    def link(self, *, thing_token: str | None = None, thing_id: str | None = None) -> Response:
        """POST /v2/me/things: the thing becomes the user's; by its token or its id."""
        named = {"thingToken": thing_token, "thingId": thing_id}
        document = {name: value for name, value in named.items() if value is not None}
        return self.send("POST", "/v2/me/things", json=document)

    def things(self) -> Response:
        """GET /v2/me/things: the user's things."""
        return self.send("GET", "/v2/me/things")

    def unlink(self, thing_id: str) -> Response:
        """DELETE /v2/me/things/{thingId}"""
        return self.send("DELETE", f"/v2/me/things/{_segment(thing_id)}")

    def resources(self) -> Response:
        """GET /v2/me/resources: names of resources, and the things that have them."""
        return self.send("GET", "/v2/me/resources")

    def read(self, resource: str, thing_id: str | None = None, **query: Any) -> Response:
        """GET /v2/me/resources/{resource}[/{thingId}]; limit, startDate, endDate."""
        return self.send("GET", _resource(resource, thing_id) + query_of(query))

    def all_resources(self, thing_id: str, **query: Any) -> Response:
        """GET /v2/me/all_resources/{thingId}: last values of all resources of a thing."""
        return self.send("GET", f"/v2/me/all_resources/{_segment(thing_id)}{query_of(query)}")

    def write(self, resource: str, thing_id: str, values: Sequence[Mapping[str, Any]]) -> Response:
        """POST /v2/me/resources/{resource}/{thingId}; each value is ``{"value": …}``."""
        return self.send("POST", _resource(resource, thing_id), json={"values": list(values)})

    def subscribe(
        self, resource: str, thing_id: str | None = None, *, keep_alive_ms: int = KEEP_ALIVE_MS
    ) -> Stream:
        """GET /v2/me/resources/{resource}[/{thingId}] as a stream of new values."""
        return self.stream(_resource(resource, thing_id), keep_alive_ms=keep_alive_ms)

    def stream(self, target: str, *, keep_alive_ms: Any = KEEP_ALIVE_MS) -> Stream:
        """Subscribe to any target; without keepAlive when it is None."""
        query: dict[str, Any] = {"subscribe": "true"}
        if keep_alive_ms is not None:
            query["keepAlive"] = keep_alive_ms
        return Stream(self.http, target + query_of(query), headers={"Authorization": self.token})

    def get_description(self, thing_id: str | None = None) -> Response:
        """GET /v2/me/resources/description[/{thingId}]"""
        return self.read("description", thing_id)

    def put_description(self, thing_id: str, description: Any) -> Response:
        """PUT /v2/me/resources/description/{thingId}: the whole document anew."""
        return self.send("PUT", _resource("description", thing_id), json=description)

    def grant(self, permissions: Permissions, *, email: str | None = None) -> Response:
        """PUT /v2/me/grant: to the app; with ``email`` to that user."""
        document: dict[str, Any] = {"permissions": permissions}
        if email is not None:
            document["email"] = email
        return self.send("PUT", "/v2/me/grant", json=document)

    def settings(self) -> Response:
        """GET /v2/me/settings"""
        return self.send("GET", "/v2/me/settings")

    def update_settings(self, members: Any) -> Response:
        """PUT /v2/me/settings: merged; the member ``password`` changes the password."""
        return self.send("PUT", "/v2/me/settings", json=members)

    def server_date(self, **query: Any) -> Response:
        """GET /v2/utils/date"""
        return self.send("GET", f"/v2/utils/date{query_of(query)}")

    def collection(self, *path: str) -> Collection:
        """
        A collection of stored objects.

        Args:
            path: ``me`` or ``app``, then a collection, or a collection, the key of one of its
                objects, a collection beneath it, and so on: ``("me", "Playlists", "25", "Songs")``.
        """
        return Collection(self, "/v2/classes/" + "/".join(map(_segment, path)))


class Collection:
    """Objects of one collection; each has its key in ``_id``."""

    def __init__(self, session: AppSession, target: str) -> None:
        self.session = session
        self.target = target

    def add(self, document: Any, key: str | None = None) -> Response:
        """POST: store an object, under ``key``, its ``_id``, or a key that the server chooses."""
        return self.session.send("POST", self._target(key), json=document)

    def all(self) -> Response:
        """GET: every object, the last key first."""
        return self.session.send("GET", self.target)

    def get(self, key: str) -> Response:
        """GET one object."""
        return self.session.send("GET", self._target(key))

    def update(self, key: str, members: Any) -> Response:
        """PUT: change some members of an object, and keep the others."""
        return self.session.send("PUT", self._target(key), json=members)

    def delete(self, key: str) -> Response:
        """DELETE one object."""
        return self.session.send("DELETE", self._target(key))

    def subscribe(self, *, keep_alive_ms: int = KEEP_ALIVE_MS) -> Stream:
        """GET as a stream of what changes in this collection."""
        return self.session.stream(self.target, keep_alive_ms=keep_alive_ms)

    def _target(self, key: str | None) -> str:
        return self.target if key is None else f"{self.target}/{_segment(key)}"


def _resource(resource: str, thing_id: str | None) -> str:
    target = f"/v2/me/resources/{quote(resource, safe='$-._~')}"
    return target if thing_id is None else f"{target}/{_segment(thing_id)}"


def _segment(text: str) -> str:
    return quote(text, safe="-._~")
