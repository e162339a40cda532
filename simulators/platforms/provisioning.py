"""
What a thethings.iO server knows before its first request: products, codes, things, firmware, apps,
users.

From a document (the provisioning file, already parsed) or generated from a seed. Knows nothing of
files or storage.
"""

from __future__ import annotations

import base64
import binascii
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, TypeVar

from simulators.wire.thethings_io import is_email

T = TypeVar("T")
Path = tuple[str | int, ...]

DEMO_PRODUCT = "thingrig-demo"
DEFAULT_CODES = 1200
DEFAULT_THINGS = 24
DEMO_APP = "thingrig-demo-app"
DEMO_UNOFFICIAL_APP = "thingrig-demo-unofficial-app"
DEMO_EXPIRING_APP = "thingrig-demo-expiring-app"
DEFAULT_USERS = 3
PASSWORD_COSTS = range(1, 21)
MAIL_DOMAIN = "thingrig.example"
SMTP = re.compile(r"[^\s:]+:[0-9]{1,5}|\[[0-9A-Fa-f:.]+\]:[0-9]{1,5}")
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


class ProvisioningError(ValueError):
    """The document is wrong at ``path``; ``str()`` tells what was expected."""

    def __init__(self, path: Path, message: str) -> None:
        self.path = path
        super().__init__(message)


@dataclass(frozen=True)
class ActivationCode:
    """A code that turns one device into a thing of ``product``."""

    code: str
    product: str


@dataclass(frozen=True)
class ProvisionedThing:
    """A thing that exists before anybody activates it."""

    thing_token: str
    thing_id: str
    product: str


@dataclass(frozen=True)
class Firmware:
    """An image for one microcontroller of a product."""

    id: str
    product: str
    mcu: str
    version: str
    image: bytes

    @property
    def sha256(self) -> str:
        """Hex digest of the image, as target files carry it."""
        return sha256(self.image).hexdigest()


@dataclass(frozen=True)
class Function:
    """
    A cloud function: answers its params (``returns = "params"``) or always the same ``result``.

    Belongs to every product.
    """

    name: str
    returns: str = "params"
    result: Any = None


@dataclass(frozen=True)
class App:
    """
    An app whose users log in with ``id``.

    ``session_s`` is how long a session lasts (None: for ever).
    """

    id: str
    is_official: bool = True
    session_s: float | None = None


@dataclass(frozen=True)
class User:
    """A person, known by e-mail address, who is registered in every app of the provisioning."""

    email: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class ServerSettings:
    """
    How the server works, whatever its state holds; None leaves a default.

    ``password_cost`` is the base-2 logarithm of scrypt's N; ``smtp`` the mail server as
    ``host:port``; ``mail_from`` the sender's address.
    """

    password_cost: int | None = None
    smtp: str | None = None
    mail_from: str | None = None


@dataclass(frozen=True)
class Provisioning:
    """Everything a server is started with."""

    products: list[str] = field(default_factory=list)
    activation_codes: list[ActivationCode] = field(default_factory=list)
    things: list[ProvisionedThing] = field(default_factory=list)
    firmwares: list[Firmware] = field(default_factory=list)
    functions: list[Function] = field(default_factory=list)
    apps: list[App] = field(default_factory=list)
    users: list[User] = field(default_factory=list)
    server: ServerSettings = ServerSettings()


def random_token(rng: random.Random) -> str:
    """43 base64url characters: 32 bytes without padding, as thing tokens and thing ids are."""
    return base64.urlsafe_b64encode(rng.randbytes(32)).decode().rstrip("=")


def random_code(rng: random.Random) -> str:
    """34 characters, as real activation codes have."""
    return "".join(rng.choices(_ALPHABET, k=34))


def random_user(rng: random.Random) -> User:
    """Somebody with an address that cannot exist outside, and a password nobody guesses."""
    return User(f"user-{rng.randbytes(5).hex()}@{MAIL_DOMAIN}", random_code(rng))


def default_provisioning(rng: random.Random) -> Provisioning:
    """
    One product with codes, things, two firmwares and one function; apps with users.

    The same rng gives the same result.
    """
    codes = [ActivationCode(random_code(rng), DEMO_PRODUCT) for _ in range(DEFAULT_CODES)]
    things = [
        ProvisionedThing(random_token(rng), random_token(rng), DEMO_PRODUCT)
        for _ in range(DEFAULT_THINGS)
    ]
    return Provisioning(
        products=[DEMO_PRODUCT],
        activation_codes=codes,
        things=things,
        firmwares=[
            Firmware("main-2", DEMO_PRODUCT, "main", "2", rng.randbytes(4096)),
            Firmware("radio-7", DEMO_PRODUCT, "radio", "7", rng.randbytes(1500)),
        ],
        functions=[Function("echo")],
        apps=[
            App(DEMO_APP),
            App(DEMO_UNOFFICIAL_APP, is_official=False),
            App(DEMO_EXPIRING_APP, session_s=2),
        ],
        users=[random_user(rng) for _ in range(DEFAULT_USERS)],
    )


def from_document(document: dict[str, Any]) -> Provisioning:
    """
    Read a parsed provisioning file.

    Raises:
        ProvisioningError: a member is missing, of the wrong type, repeated, or names an
            unknown product; with the path to it.
    """
    products = _tables(document, "product", _product)
    known = set(products)
    codes = list(_codes(document))
    things = _tables(document, "thing", _thing, known)
    firmwares = _tables(document, "firmware", _firmware, known)
    functions = _tables(document, "function", _function)
    apps = _tables(document, "app", _app)
    users = _tables(document, "user", _user)
    _unique(("product",), "id", products)
    _unique(("product",), "activation_codes", [code.code for code in codes])
    _unique(("thing",), "thing_token", [thing.thing_token for thing in things])
    _unique(("thing",), "thing_id", [thing.thing_id for thing in things])
    _unique(("firmware",), "id", [firmware.id for firmware in firmwares])
    _unique(("function",), "name", [function.name for function in functions])
    _unique(("app",), "id", [app.id for app in apps])
    _unique(("user",), "email", [user.email for user in users])
    return Provisioning(
        products, codes, things, firmwares, functions, apps, users, _server(document)
    )


def _tables(
    document: dict[str, Any], name: str, read: Callable[..., T], *arguments: Any
) -> list[T]:
    tables = document.get(name, [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise ProvisioningError((name,), f"expected tables [[{name}]]")
    return [read(table, (name, index), *arguments) for index, table in enumerate(tables)]


def _unique(path: Path, member: str, names: list[str]) -> None:
    if len(set(names)) < len(names):
        raise ProvisioningError(path, f"expected each of {member} once; got one twice")


def _text(table: dict[str, Any], path: Path, member: str) -> str:
    value = table.get(member)
    if not isinstance(value, str) or not value:
        raise ProvisioningError((*path, member), f"expected {member} as text; got {value!r}")
    return value


def _known_product(table: dict[str, Any], path: Path, known: set[str]) -> str:
    product = _text(table, path, "product")
    if product not in known:
        raise ProvisioningError(
            (*path, "product"),
            f"expected a product of this file ({', '.join(sorted(known))}); got {product!r}",
        )
    return product


def _product(table: dict[str, Any], path: Path) -> str:
    return _text(table, path, "id")


def _codes(document: dict[str, Any]) -> Iterator[ActivationCode]:
    for index, table in enumerate(document.get("product", [])):
        codes = table.get("activation_codes", [])
        if not isinstance(codes, list) or not all(isinstance(c, str) and c for c in codes):
            raise ProvisioningError(
                ("product", index, "activation_codes"), "expected a list of texts"
            )
        for code in codes:
            yield ActivationCode(code, table["id"])


def _thing(table: dict[str, Any], path: Path, known: set[str]) -> ProvisionedThing:
    token, thing_id = _text(table, path, "thing_token"), _text(table, path, "thing_id")
    return ProvisionedThing(token, thing_id, _known_product(table, path, known))


def _firmware(table: dict[str, Any], path: Path, known: set[str]) -> Firmware:
    try:
        image = base64.b64decode(_text(table, path, "base64"), validate=True)
    except binascii.Error as error:
        raise ProvisioningError((*path, "base64"), "expected an image in base64") from error
    texts = [_text(table, path, member) for member in ("id", "mcu", "version")]
    return Firmware(texts[0], _known_product(table, path, known), texts[1], texts[2], image)


def _function(table: dict[str, Any], path: Path) -> Function:
    returns = table.get("returns", "params")
    if returns not in ("params", "result"):
        raise ProvisioningError(
            (*path, "returns"), f"expected returns = 'params' or 'result'; got {returns!r}"
        )
    return Function(_text(table, path, "name"), returns, table.get("result"))


def _app(table: dict[str, Any], path: Path) -> App:
    is_official = table.get("official", True)
    if not isinstance(is_official, bool):
        raise ProvisioningError((*path, "official"), "expected official = true or false")
    session_s = table.get("session_s")
    if session_s is not None and not _is_positive(session_s):
        raise ProvisioningError((*path, "session_s"), "expected session_s as a number of seconds")
    return App(_text(table, path, "id"), is_official, session_s)


def _is_positive(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


def _user(table: dict[str, Any], path: Path) -> User:
    email = _text(table, path, "email")
    if not is_email(email):
        raise ProvisioningError((*path, "email"), f"expected an e-mail address; got {email!r}")
    return User(email.lower(), _text(table, path, "password"))


def _server(document: dict[str, Any]) -> ServerSettings:
    table = document.get("server", {})
    if not isinstance(table, dict):
        raise ProvisioningError(("server",), "expected a table [server]")
    cost = table.get("password_cost")
    if cost is not None and cost not in PASSWORD_COSTS:
        bounds = f"{PASSWORD_COSTS[0]} to {PASSWORD_COSTS[-1]}"
        raise ProvisioningError(
            ("server", "password_cost"), f"expected password_cost from {bounds}; got {cost!r}"
        )
    return ServerSettings(cost, _smtp(table), _mail_from(table))


def _smtp(table: dict[str, Any]) -> str | None:
    smtp = table.get("smtp")
    if smtp is not None and not (isinstance(smtp, str) and SMTP.fullmatch(smtp)):
        raise ProvisioningError(("server", "smtp"), f"expected smtp as host:port; got {smtp!r}")
    return smtp


def _mail_from(table: dict[str, Any]) -> str | None:
    address = table.get("mail_from")
    if address is not None and not is_email(address):
        raise ProvisioningError(
            ("server", "mail_from"), f"expected an e-mail address; got {address!r}"
        )
    return address
