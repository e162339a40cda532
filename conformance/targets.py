"""
The target file: how to reach the platform that is judged, what it lacks, what we may do to it.

Any value may be ``"env:NAME"``. Knows nothing of requests or tests.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from scenarios.files import FileError, TomlFile, load_schema, mistakes_in, open_toml
from scenarios.mistakes import expected, nearest
from scenarios.secrets import SecretRegistry

DEFAULT_ALLOW = ("read", "write")
HERE = ("127.0.0.1", "localhost", "::1")
"""Names of this machine."""


@dataclass(frozen=True)
class Target:
    """
    A target file's content with ``env:`` resolved.

    ``document`` is the whole file; ``ca_file`` is absolute; ``kind`` is ``embedded`` or ``remote``.
    """

    platform: str
    url: str
    ca_file: str | None = None
    lacks: frozenset[str] = frozenset()
    allow: frozenset[str] = frozenset(DEFAULT_ALLOW)
    max_requests_per_s: float | None = None
    kind: str = "remote"
    document: dict[str, Any] = field(default_factory=dict)

    def credential(self, name: str, default: Any = None) -> Any:
        """One value of ``[credentials]``."""
        return self.document.get("credentials", {}).get(name, default)

    def tables(self, name: str) -> list[dict[str, Any]]:
        """The ``[[name]]`` tables of the file."""
        return list(self.document.get(name, []))

    def register_secrets(self, secrets: SecretRegistry) -> None:
        """Make every credential of the file known as a secret, in the order of the file."""
        for kind, value in _secrets(self.document.get("credentials", {})):
            secrets.add(kind, value)
        if password := self.document.get("mailbox", {}).get("password"):
            secrets.add("mailbox_password", password)

    def public(self) -> dict[str, Any]:
        """What results files tell about the target."""
        return {
            "platform": self.platform,
            "url": self.url,
            "kind": self.kind,
            "lacks": sorted(self.lacks),
        }


@dataclass(frozen=True, slots=True)
class Feature:
    """What a requirement may need of a target file; ``key`` is where the file holds it."""

    key: str
    is_present: Callable[[Target], bool]


def _things(target: Target) -> int:
    return len(target.credential("activation_codes", ())) + len(
        target.credential("thing_tokens", ())
    )


def sealing_keys(target: Target) -> list[str]:
    """Secrets of the target file, for what only its holder may read; the first one seals."""
    codes, tokens = (target.credential(name, ()) for name in ("activation_codes", "thing_tokens"))
    passwords = [user["password"] for user in target.credential("users", ())]
    return [*codes, *tokens, *passwords]


def _users(target: Target) -> float:
    """Where users can be registered there are as many as one likes."""
    is_open = "registration" not in target.lacks
    return float("inf") if is_open else len(target.credential("users", ()))


def webhook_place(target: Target) -> tuple[str, str | None] | None:
    """
    Where the receiver of webhooks listens, and the URL under which the target finds it.

    No URL means the receiver's own; None that the target cannot reach one, as far as we know. A
    target on this machine reaches it without being told.
    """
    table = target.document.get("webhook", {})
    if table:
        return table["listen"], table.get("url")
    is_here = urlsplit(target.url).hostname in HERE
    return ("127.0.0.1:0", None) if is_here else None


# A need that is not in this table is met unless the target file declares it lacking.
FEATURES: dict[str, Feature] = {
    "activation": Feature(
        "credentials.activation_codes", lambda target: bool(target.credential("activation_codes"))
    ),
    "thing": Feature(
        "credentials.activation_codes or credentials.thing_tokens",
        lambda target: _things(target) > 0,
    ),
    "second-thing": Feature(
        "two of credentials.activation_codes and credentials.thing_tokens",
        lambda target: _things(target) > 1,
    ),
    "firmware": Feature("[[firmware]]", lambda target: bool(target.tables("firmware"))),
    "function": Feature("[[function]]", lambda target: bool(target.tables("function"))),
    "functions": Feature("[[function]]", lambda target: bool(target.tables("function"))),
    "product": Feature(
        "credentials.product_id", lambda target: bool(target.credential("product_id"))
    ),
    "app": Feature("credentials.app_id", lambda target: bool(target.credential("app_id"))),
    "official-app": Feature(
        "credentials.official_app = true", lambda target: bool(target.credential("official_app"))
    ),
    "unofficial-app": Feature(
        "credentials.unofficial_app_id", lambda target: bool(target.credential("unofficial_app_id"))
    ),
    "session-expiry": Feature(
        "credentials.expiring_app", lambda target: bool(target.credential("expiring_app"))
    ),
    "second-user": Feature("second of credentials.users", lambda target: _users(target) > 1),
    "third-user": Feature("third of credentials.users", lambda target: _users(target) > 2),
    "admin": Feature(
        "credentials.admin_api_key", lambda target: bool(target.credential("admin_api_key"))
    ),
    "organization": Feature(
        "credentials.organization_id", lambda target: bool(target.credential("organization_id"))
    ),
    "tenant": Feature("credentials.tenant", lambda target: bool(target.credential("tenant"))),
    "mailbox": Feature("[mailbox]", lambda target: bool(target.document.get("mailbox"))),
    "gateway": Feature(
        "gateway.udp", lambda target: bool(target.document.get("gateway", {}).get("udp"))
    ),
    "station": Feature(
        "gateway.lns", lambda target: bool(target.document.get("gateway", {}).get("lns"))
    ),
    "webhook-receiver": Feature("[webhook]", lambda target: webhook_place(target) is not None),
}


def read_target(path: Path | str, *, url: str | None = None) -> Target:
    """
    Read a target file; ``url`` replaces only its key of that name.

    Raises:
        FileError: the file, an ``env:`` variable or ``url`` is wrong.
    """
    file = open_toml(path)
    _resolve(file, file.document, (), load_schema("target"))
    if url is not None:
        file.override(("url",), url, origin="--url")
    file.check("target")
    return from_document(_with_mailbox(_with_ca_file(file, Path(path)), Path(path)))


def from_document(document: dict[str, Any], *, kind: str = "remote") -> Target:
    """A target from a document that keeps the schema, such as the embedded server's own."""
    limits = document.get("limits", {})
    return Target(
        platform=document["platform"],
        url=document["url"].rstrip("/"),
        ca_file=document.get("ca_file"),
        lacks=frozenset(document.get("lacks", ())),
        allow=frozenset(limits.get("allow", DEFAULT_ALLOW)),
        max_requests_per_s=limits.get("max_requests_per_s"),
        kind=kind,
        document=document,
    )


def check_url(url: str) -> None:
    """
    Hold ``--url`` against the schema.

    Raises:
        FileError: not a base URL.
    """
    if mistakes_in({"platform": "thethings-io", "url": url}, "target"):
        what = load_schema("target")["properties"]["url"]["description"]
        raise FileError("--url", None, expected(what, url))


def check_lacks(target: Target, known: Iterable[str], path: Path | str) -> None:
    """
    Refuse words in ``lacks`` that no requirement needs: a typing error would hide a test.

    Raises:
        FileError: a word is unknown; the nearest one is named.
    """
    words = sorted({*FEATURES, *known})
    for word in sorted(target.lacks - set(words)):
        message = f"expected lacks to name features ({', '.join(words)}); got {word!r}"
        raise FileError(path, None, message + nearest(word, words))


def _with_ca_file(file: TomlFile, path: Path) -> dict[str, Any]:
    document = file.document
    if "ca_file" not in document:
        return document
    ca_file = path.resolve().parent / document["ca_file"]
    if not ca_file.is_file():
        message = expected("ca_file to be a readable file", str(document["ca_file"]))
        raise file.error(("ca_file",), message)
    return {**document, "ca_file": str(ca_file)}


def _with_mailbox(document: dict[str, Any], path: Path) -> dict[str, Any]:
    """A mailbox's places are relative to the target file, and need not be there yet."""
    mailbox = document.get("mailbox", {})
    places = {
        name: str(path.resolve().parent / mailbox[name])
        for name in ("folder", "ca_file")
        if name in mailbox
    }
    return {**document, "mailbox": {**mailbox, **places}} if places else document


def _resolve(file: TomlFile, value: Any, where: tuple[str | int, ...], schema: Any) -> None:
    """Put the environment's values in place of ``env:NAME``, typed as the schema wants them."""
    pairs: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, dict):
        pairs = list(value.items())
    elif isinstance(value, list):
        pairs = list(enumerate(value))
    for key, item in pairs:
        inner = _inner(schema, key)
        if isinstance(item, str) and item.startswith("env:"):
            value[key] = _typed(_environment(file, (*where, key), item[4:]), inner)
        else:
            _resolve(file, item, (*where, key), inner)


def _inner(schema: Mapping[str, Any], key: str | int) -> Any:
    if isinstance(key, int):
        return schema.get("items", {})
    return schema.get("properties", {}).get(key, {})


def _environment(file: TomlFile, where: tuple[str | int, ...], name: str) -> str:
    if name not in os.environ:
        message = f"expected the environment variable {name} to be set{nearest(name, os.environ)}"
        raise file.error(where, message)
    return os.environ[name]


def _typed(text: str, schema: Mapping[str, Any]) -> Any:
    kind = schema.get("type", "string")
    if kind == "string":
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text.replace(",", " ").split() if kind == "array" else text


def _secrets(credentials: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    for code in credentials.get("activation_codes", ()):
        yield "activation_code", code
    for token in credentials.get("thing_tokens", ()):
        yield "thing_token", token
    for user in credentials.get("users", ()):
        yield "password", user["password"]
    for name in ("api_key", "admin_api_key"):
        if key := credentials.get(name):
            yield name, key
