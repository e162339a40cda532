"""
Requests to every endpoint, for sentences that hold for all of them.

``{thing}`` stands for the thing's token, ``{unknown}`` for one that no thing has, ``{key}`` for a
key that was written, ``{never}`` for one that was not.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import pytest

from conformance.clients.exchange import Response
from conformance.fixtures import Thing
from conformance.outcomes import NotApplicable
from conformance.targets import Target

JSON = {"Content-Type": "application/json"}
UNKNOWN = "/v2/things/{unknown}"
WRITE = b'{"values":[{"key":"a","value":1}]}'


class Case(NamedTuple):
    """One request; ``feature`` is what a target may lack for it."""

    name: str
    method: str
    target: str
    body: bytes = b""
    feature: str = ""

    def send(self, thing: Thing, target_file: Target, **words: str) -> Response:
        """
        Send the request, with ``words`` in the places of the target and the body.

        Raises:
            NotApplicable: the target file declares that the target lacks the feature.
        """
        if self.feature in target_file.lacks:
            raise NotApplicable(f"the target lacks {self.feature}")
        target, body = self.target, self.body.decode("latin-1")
        for word, text in {"thing": thing.token, **words}.items():
            target = target.replace(f"{{{word}}}", text)
            body = body.replace(f"{{{word}}}", text)
        data = body.encode("latin-1") if body else None
        return thing.api.send(self.method, target, body=data, headers=JSON if body else None)


def written(name: str, body: bytes) -> Case:
    """A write to the thing."""
    return Case(name, "POST", "/v2/things/{thing}", body)


def asked(name: str, read: str) -> Case:
    """A read of one resource of the thing."""
    return Case(name, "GET", f"/v2/things/{{thing}}/resources/{read}")


def item(more: bytes) -> bytes:
    """A write of one value with a further member."""
    return b'{"values":[{"key":"a","value":1,' + more + b"}]}"


REFUSED = [
    Case("root", "GET", "/v2/"),
    Case("path", "GET", "/v2/thingrig-nothing-here"),
    Case("path-of-thing", "GET", "/v2/things/{thing}/thingrig-nothing-here"),
    Case("activate-code", "POST", "/v2/things", b'{"activationCode":"no-such-code"}', "activation"),
    Case("write-token", "POST", "/v2/things/{unknown}", WRITE),
    written("write-json", b'{"values":'),
    written("write-values", b"{}"),
    written("write-key", b'{"values":[{"key":"a b","value":1}]}'),
    Case("read-token", "GET", UNKNOWN + "/resources/a"),
    Case("read-key", "GET", "/v2/things/{thing}/resources/{never}"),
    Case("resources-token", "GET", UNKNOWN + "/resources"),
    Case("all-resources-token", "GET", UNKNOWN + "/all_resources"),
    Case("description-token", "GET", UNKNOWN + "/resources/description", b"", "description"),
    Case("tags-token", "GET", UNKNOWN + "/tags", b"", "tags"),
    Case("firmwares-token", "GET", UNKNOWN + "/firmwares/latest", b"", "firmware"),
    Case("firmware-id", "GET", "/v2/things/{thing}/firmwares/download/no-such", b"", "firmware"),
]

SERVED = [
    written("write", b'{"values":[{"key":"{key}","value":"x"}]}'),
    asked("read", "{key}?limit=3"),
    asked("read-nothing", "{key}?endDate=19800101000000"),
    Case("resources", "GET", "/v2/things/{thing}/resources"),
    Case("all-resources", "GET", "/v2/things/{thing}/all_resources"),
    Case(
        "settings-write",
        "POST",
        "/v2/things/{thing}",
        b'{"values":[{"key":"$settings.tr","value":1}]}',
    ),
    Case("settings", "GET", "/v2/things/{thing}/resources/$settings"),
    Case("description", "GET", "/v2/things/{thing}/resources/description", b"", "description"),
    Case("tags", "GET", "/v2/things/{thing}/tags", b"", "tags"),
    Case("firmwares", "GET", "/v2/things/{thing}/firmwares/latest", b"", "firmware"),
    Case("date", "GET", "/v2/utils/date?thingToken={thing}"),
    Case("timestamp", "GET", "/v2/utils/date?thingToken={thing}&format=unix_timestamp"),
]

MALFORMED = [
    asked("limit-zero", "{key}?limit=0"),
    asked("limit-negative", "{key}?limit=-5"),
    asked("limit-word", "{key}?limit=many"),
    asked("limit-empty", "{key}?limit="),
    asked("limit-huge", "{key}?limit=99999999999999999999"),
    Case("limit-of-all", "GET", "/v2/things/{thing}/all_resources?limit=many"),
    asked("start-word", "{key}?startDate=yesterday"),
    asked("start-impossible", "{key}?startDate=20240230120000"),
    asked("end-word", "{key}?endDate=tomorrow"),
    asked("end-long", "{key}?endDate=99999999999999999999"),
    Case(
        "datetime-word",
        "POST",
        "/v2/things/{thing}",
        item(b'"datetime":"never"'),
    ),
    Case(
        "datetime-month-13",
        "POST",
        "/v2/things/{thing}",
        item(b'"datetime":"20241331120000"'),
    ),
    Case(
        "datetime-object",
        "POST",
        "/v2/things/{thing}",
        item(b'"datetime":{}'),
    ),
    Case("geo-text", "POST", "/v2/things/{thing}", item(b'"geo":"here"')),
    Case("geo-empty", "POST", "/v2/things/{thing}", item(b'"geo":{}')),
    written("key-number", b'{"values":[{"key":7,"value":1}]}'),
    written("key-empty", b'{"values":[{"key":"","value":1}]}'),
    written("key-object", b'{"values":[{"key":{},"value":1}]}'),
    Case(
        "key-long",
        "POST",
        "/v2/things/{thing}",
        b'{"values":[{"key":"%s b","value":1}]}' % (b"k" * 2000),
    ),
    written("values-empty", b'{"values":[]}'),
    written("values-object", b'{"values":{"key":"a b","value":1}}'),
    written("item-array", b'{"values":[[]]}'),
    Case("body-empty", "POST", "/v2/things/{thing}"),
    written("body-number", b"7"),
    written("body-not-utf-8", b'{"values":"\xff"}'),
    written("body-deep", b"[" * 20_000),
    written("geo-scalar", b'{"values":[{"key":"$geo","value":7}]}'),
    written("geo-far", b'{"values":[{"key":"$geo","value":[999,999]}]}'),
    Case(
        "settings-scalar",
        "POST",
        "/v2/things/{thing}",
        b'{"values":[{"key":"$settings","value":7}]}',
    ),
    Case(
        "settings-dots",
        "POST",
        "/v2/things/{thing}",
        b'{"values":[{"key":"$settings..","value":7}]}',
    ),
    Case("read-bad-escape", "GET", "/v2/things/{thing}/resources/%zz"),
    Case("read-not-utf-8", "GET", "/v2/things/{thing}/resources/%ff%fe"),
    Case("read-nul", "GET", "/v2/things/{thing}/resources/a%00b"),
    Case("date-format", "GET", "/v2/utils/date?thingToken={thing}&format=julian"),
    Case("date-token", "GET", "/v2/utils/date?thingToken={unknown}"),
    Case("description-array", "PUT", UNKNOWN + "/resources/description", b"[]"),
    Case("tag-nothing", "POST", "/v2/things/{thing}/tags", b"{}", "tags"),
    Case("activate-array", "POST", "/v2/things", b"[]", "activation"),
    Case("activate-number", "POST", "/v2/things", b'{"activationCode":7}', "activation"),
    Case(
        "activate-product",
        "POST",
        "/v2/things",
        b'{"activationCode":"x","productId":{}}',
        "activation",
    ),
]

WRONG_METHODS = [
    Case("delete-root", "DELETE", "/v2/"),
    Case("put-things", "PUT", "/v2/things", b"{}"),
    Case("put-thing", "PUT", "/v2/things/{thing}", WRITE),
    Case("post-resource", "POST", "/v2/things/{thing}/resources/{key}", b"{}"),
    Case("delete-resource", "DELETE", "/v2/things/{thing}/resources/{key}"),
    Case("post-date", "POST", "/v2/utils/date", b"{}"),
]


def cases(which: Iterable[Case]) -> pytest.MarkDecorator:
    """A test for each case."""
    return pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in which])
