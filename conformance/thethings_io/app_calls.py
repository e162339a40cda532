"""
Requests to every endpoint of the app side, for sentences that hold for all of them.

``{id}`` stands for the id of a thing, ``{key}`` for a resource, ``{class}`` for a collection.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import pytest

from conformance.clients.exchange import Response
from conformance.clients.thethings_io import ThethingsClient

JSON = {"Content-Type": "application/json"}
LIMIT_S = 4.0
"""How long an answer may take: a subscription that should have been refused has none."""


class Call(NamedTuple):
    """One request of an app."""

    name: str
    method: str
    target: str
    body: bytes = b""

    def send(
        self,
        api: ThethingsClient,
        token: str | None,
        words: Mapping[str, str],
        *,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Send it with a session token or without, with ``words`` in the places of the target."""
        target, body = self.target, self.body.decode("latin-1")
        for word, text in words.items():
            target, body = target.replace(f"{{{word}}}", text), body.replace(f"{{{word}}}", text)
        fields = dict(JSON if body else {}) | ({} if token is None else {"Authorization": token})
        return api.send(
            self.method,
            target,
            body=body.encode("latin-1") if body else None,
            headers={**fields, **(headers or {})},
            timeout_s=LIMIT_S,
        )


RESOURCE = "/v2/me/resources/{key}"
CLASS = "/v2/classes/me/{class}"
VALUE = b'{"values":[{"value":1}]}'
PERMISSIONS = b'{"permissions":{"{key}":{"{id}":{"get":true,"post":false,"grant":false}}}}'

CALLS = [
    Call("link", "POST", "/v2/me/things", b'{"thingId":"{id}"}'),
    Call("things", "GET", "/v2/me/things"),
    Call("unlink", "DELETE", "/v2/me/things/{id}"),
    Call("resources", "GET", "/v2/me/resources"),
    Call("read", "GET", RESOURCE),
    Call("read-thing", "GET", RESOURCE + "/{id}"),
    Call("write", "POST", RESOURCE + "/{id}", VALUE),
    Call("subscribe", "GET", RESOURCE + "?subscribe=true&keepAlive=60000"),
    Call("description", "GET", "/v2/me/resources/description"),
    Call("put-description", "PUT", "/v2/me/resources/description/{id}", b'{"a":1}'),
    Call("grant", "PUT", "/v2/me/grant", PERMISSIONS),
    Call("settings", "GET", "/v2/me/settings"),
    Call("put-settings", "PUT", "/v2/me/settings", b'{"{key}":1}'),
    Call("store", "POST", CLASS, b'{"a":1}'),
    Call("store-key", "POST", CLASS + "/1", b'{"a":1}'),
    Call("collection", "GET", CLASS),
    Call("collection-app", "GET", "/v2/classes/app/{class}"),
    Call("object", "GET", CLASS + "/1"),
    Call("update", "PUT", CLASS + "/1", b'{"a":2}'),
    Call("delete", "DELETE", CLASS + "/1"),
    Call("subscribe-class", "GET", CLASS + "?subscribe=true&keepAlive=60000"),
]

SERVED = [
    Call("things", "GET", "/v2/me/things"),
    Call("resources", "GET", "/v2/me/resources"),
    Call("read", "GET", RESOURCE),
    Call("read-thing", "GET", RESOURCE + "/{id}?limit=3"),
    Call("write", "POST", RESOURCE + "/{id}", VALUE),
    Call("settings", "GET", "/v2/me/settings"),
    Call("put-settings", "PUT", "/v2/me/settings", b'{"{key}":"a b"}'),
    Call("store", "POST", CLASS, b'{"a":"b c"}'),
    Call("collection", "GET", CLASS),
]

REFUSED = [
    Call("path", "GET", "/v2/me/thingrig-nothing-here"),
    Call("login-fields", "POST", "/v2/login", b"{}"),
    Call("register-fields", "POST", "/v2/register", b"{}"),
    Call("login-json", "POST", "/v2/login", b'{"email":'),
    Call("link-unknown", "POST", "/v2/me/things", b'{"thingToken":"{unknown}"}'),
    Call("link-nothing", "POST", "/v2/me/things", b"{}"),
    Call("unlink-unknown", "DELETE", "/v2/me/things/{unknown}"),
    Call("read-unknown", "GET", RESOURCE + "/{unknown}"),
    Call("write-unknown", "POST", RESOURCE + "/{unknown}", VALUE),
    Call("write-nothing", "POST", RESOURCE + "/{id}", b"{}"),
    Call("grant-nothing", "PUT", "/v2/me/grant", b"{}"),
    Call("object-missing", "GET", CLASS + "/no-such-object"),
]

MALFORMED = [
    Call("login-array", "POST", "/v2/login", b"[]"),
    Call("login-numbers", "POST", "/v2/login", b'{"email":7,"password":[],"app":{}}'),
    Call("login-nul", "POST", "/v2/login", b'{"email":"a\\u0000","password":"b","app":"c"}'),
    Call("login-surrogate", "POST", "/v2/login", b'{"email":"\\ud800","password":"b","app":"c"}'),
    Call("login-deep", "POST", "/v2/login", b"[" * 20_000),
    Call("register-array", "POST", "/v2/register", b"[]"),
    Call("register-null", "POST", "/v2/register", b'{"email":null,"password":null,"app":null}'),
    Call("link-number", "POST", "/v2/me/things", b'{"thingToken":7}'),
    Call("link-array", "POST", "/v2/me/things", b"[]"),
    Call("unlink-nothing", "DELETE", "/v2/me/things"),
    Call("unlink-escape", "DELETE", "/v2/me/things/%zz"),
    Call("read-limit", "GET", RESOURCE + "/{id}?limit=many"),
    Call("read-limit-huge", "GET", RESOURCE + "/{id}?limit=99999999999999999999"),
    Call("read-start", "GET", RESOURCE + "?startDate=yesterday"),
    Call("read-end", "GET", RESOURCE + "/{id}?endDate=99999999999999999999"),
    Call("read-not-utf-8", "GET", "/v2/me/resources/%ff%fe"),
    Call("read-nul", "GET", "/v2/me/resources/a%00b/{id}"),
    Call("write-array", "POST", RESOURCE + "/{id}", b"[]"),
    Call("write-item", "POST", RESOURCE + "/{id}", b'{"values":[7]}'),
    Call("write-datetime", "POST", RESOURCE + "/{id}", b'{"values":[{"value":1,"datetime":{}}]}'),
    Call("write-json", "POST", RESOURCE + "/{id}", b'{"values":'),
    Call("description-array", "PUT", "/v2/me/resources/description/{unknown}", b"[]"),
    Call("grant-array", "PUT", "/v2/me/grant", b"[]"),
    Call("grant-text", "PUT", "/v2/me/grant", b'{"permissions":"all"}'),
    Call("grant-flags", "PUT", "/v2/me/grant", b'{"permissions":{"{key}":{"{id}":7}}}'),
    Call("grant-email", "PUT", "/v2/me/grant", PERMISSIONS[:-1] + b',"email":{}}'),
    Call("settings-array", "PUT", "/v2/me/settings", b"[]"),
    Call("settings-text", "PUT", "/v2/me/settings", b'"a"'),
    Call("settings-password", "PUT", "/v2/me/settings", b'{"password":{}}'),
    Call("settings-not-utf-8", "PUT", "/v2/me/settings", b'{"a":"\xff"}'),
    Call("settings-deep", "PUT", "/v2/me/settings", b'{"a":' * 20_000),
    Call("store-array", "POST", CLASS, b"[]"),
    Call("store-number", "POST", CLASS, b"7"),
    Call("store-id", "POST", CLASS, b'{"_id":{}}'),
    Call("store-json", "POST", CLASS, b'{"a":'),
    Call("store-empty", "POST", CLASS),
    Call("update-array", "PUT", CLASS + "/1", b"[]"),
    Call("class-nothing", "GET", "/v2/classes/me"),
    Call("class-scope", "GET", "/v2/classes/thingrig-no-scope/{class}"),
    Call("class-escape", "GET", "/v2/classes/me/%zz"),
    Call("class-deep", "GET", "/v2/classes/me" + "/{class}/1" * 200),
    Call("keep-alive", "GET", CLASS + "/no-such-object?subscribe=true&keepAlive=soon"),
    Call("date-format", "GET", "/v2/utils/date?format=julian"),
]

WRONG_METHODS = [
    Call("get-login", "GET", "/v2/login"),
    Call("put-register", "PUT", "/v2/register", b"{}"),
    Call("put-things", "PUT", "/v2/me/things", b"{}"),
    Call("delete-resources", "DELETE", "/v2/me/resources"),
    Call("delete-settings", "DELETE", "/v2/me/settings"),
    Call("post-grant", "POST", "/v2/me/grant", PERMISSIONS),
    Call("delete-resource", "DELETE", RESOURCE + "/{id}"),
]


def calls(which: Iterable[Call]) -> pytest.MarkDecorator:
    """A test for each call."""
    return pytest.mark.parametrize("call", [pytest.param(call, id=call.name) for call in which])
