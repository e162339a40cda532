"""
Puts a provisioning into the store: what exists is kept, what is new is added.

A conflict is an existing entry that says something else; nothing is changed then.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from hashlib import sha256
from typing import Any

import orjson

from simulators.platforms.passwords import Password, from_text
from simulators.platforms.provisioning import (
    ActivationCode,
    App,
    Firmware,
    Function,
    ProvisionedThing,
    Provisioning,
    User,
    random_code,
    random_user,
)
from simulators.platforms.slow_hash import digest_of
from simulators.platforms.thethings_io.store import Store

_SHORT_SESSION_S = 60  # a tester can wait for its end


class ProvisioningConflict(Exception):  # noqa: N818 - named for what it is
    """The state already holds an entry of that name with other contents."""


def is_empty(store: Store) -> bool:
    """Nothing was ever provisioned."""
    return store.one("SELECT 1 FROM product LIMIT 1") is None


def has_apps(store: Store) -> bool:
    """There is something to log in to."""
    return store.one("SELECT 1 FROM app LIMIT 1") is not None


def provision(store: Store, provisioning: Provisioning, *, password_cost: int) -> list[User]:
    """
    Add what is not there yet; a user who is there keeps the password.

    Returns:
        The users who are new.
    Raises:
        ProvisioningConflict: an entry exists with other contents; the caller rolls back.
    """
    for product in provisioning.products:
        store.change("INSERT OR IGNORE INTO product VALUES (?)", product)
    for code in provisioning.activation_codes:
        _add_code(store, code)
    for thing in provisioning.things:
        _add_thing(store, thing)
    for firmware in provisioning.firmwares:
        _add_firmware(store, firmware)
    for function in provisioning.functions:
        _add_function(store, function)
    for app in provisioning.apps:
        _add_app(store, app)
    return add_users(store, provisioning.users, password_cost=password_cost)


def _is_there(kind: str, name: str, row: tuple[Any, ...] | None, wanted: tuple[Any, ...]) -> bool:
    if row is not None and row != wanted:
        shown = name if len(name) < 12 else f"…{name[-4:]}"
        raise ProvisioningConflict(f"{kind} {shown} exists with other contents")
    return row is not None


def _add_code(store: Store, code: ActivationCode) -> None:
    row = store.one("SELECT product FROM activation_code WHERE code = ?", code.code)
    if not _is_there("activation code", code.code, row, (code.product,)):
        store.change(
            "INSERT INTO activation_code VALUES (NULL, ?, ?, NULL)", code.code, code.product
        )


def _add_thing(store: Store, thing: ProvisionedThing) -> None:
    row = store.one(
        "SELECT thing_token, thing_id, product FROM thing WHERE thing_token = ? OR thing_id = ?",
        thing.thing_token,
        thing.thing_id,
    )
    wanted = (thing.thing_token, thing.thing_id, thing.product)
    if not _is_there("thing", thing.thing_id, row, wanted):
        store.change("INSERT INTO thing VALUES (NULL, ?, ?, ?, 1)", *wanted)


def _add_firmware(store: Store, firmware: Firmware) -> None:
    row = store.one("SELECT * FROM firmware WHERE id = ?", firmware.id)
    wanted = (firmware.id, firmware.product, firmware.mcu, firmware.version, firmware.image)
    if not _is_there("firmware", firmware.id, row, wanted):
        store.change("INSERT INTO firmware VALUES (?, ?, ?, ?, ?)", *wanted)


def _add_function(store: Store, function: Function) -> None:
    row = store.one("SELECT * FROM function WHERE name = ?", function.name)
    wanted = (function.name, function.returns, orjson.dumps(function.result).decode())
    if not _is_there("function", function.name, row, wanted):
        store.change("INSERT INTO function VALUES (?, ?, ?)", *wanted)


def _add_app(store: Store, app: App) -> None:
    row = store.one("SELECT id, is_official, session_s FROM app WHERE id = ?", app.id)
    wanted = (app.id, int(app.is_official), app.session_s)
    if not _is_there("app", app.id, row, wanted):
        store.change("INSERT INTO app VALUES (NULL, ?, ?, ?)", *wanted)


def add_users(store: Store, users: Iterable[User], *, password_cost: int) -> list[User]:
    """Register users in every app; whoever is there already stays as they are. Returns the new."""
    fresh: list[User] = []
    for user in users:
        row = store.one("SELECT number FROM user WHERE email = ?", user.email)
        if row is None:
            fresh.append(user)
        number = _new_user(store, user, password_cost) if row is None else row[0]
        store.change("INSERT OR IGNORE INTO account SELECT NULL, number, ?, '{}' FROM app", number)
    return fresh


def _new_user(store: Store, user: User, password_cost: int) -> int | None:
    # Salted by the address: whoever is told the password here knows it, and nothing is drawn.
    salt = sha256(user.email.encode()).digest()[:16]
    digest = digest_of(user.password, salt, password_cost)
    password = Password(password_cost, salt, digest)
    return store.change(
        "INSERT INTO user VALUES (NULL, ?, ?)", user.email, password.text()
    ).lastrowid


def known_users(store: Store, users: Iterable[User]) -> list[User]:
    """Those of them who can log in with the password given here."""
    return [user for user in users if _can_log_in(store, user)]


def _can_log_in(store: Store, user: User) -> bool:
    row = store.one("SELECT password FROM user WHERE email = ?", user.email)
    if row is None:
        return False
    stored = from_text(row[0])
    return stored.is_made_of(digest_of(user.password, stored.salt, stored.cost))


def fresh_users(store: Store, rng: random.Random, count: int) -> list[User]:
    """So many users whose addresses nobody has."""
    users: list[User] = []
    while len(users) < count:
        user = random_user(rng)
        if store.one("SELECT 1 FROM user WHERE email = ?", user.email) is None:
            users.append(user)
    return users


def main_product(store: Store) -> str | None:
    """The product with most unused activation codes: the one a tester is pointed to."""
    row = store.one(
        "SELECT id FROM product LEFT JOIN activation_code "
        "ON activation_code.product = id AND thing IS NULL "
        "GROUP BY id ORDER BY count(code) DESC, id LIMIT 1"
    )
    return None if row is None else str(row[0])


def top_up(store: Store, rng: random.Random, wanted: int) -> None:
    """Add activation codes to the main product until ``wanted`` are unused."""
    product = main_product(store)
    missing = wanted - len(_unused_codes(store, product))
    while product is not None and missing > 0:
        code = random_code(rng)
        if store.one("SELECT 1 FROM activation_code WHERE code = ?", code) is None:
            _add_code(store, ActivationCode(code, product))
            missing -= 1


def _unused_codes(store: Store, product: str | None) -> list[str]:
    query = "SELECT code FROM activation_code WHERE product = ? AND thing IS NULL ORDER BY number"
    return [code for (code,) in store.all(query, product)]


def contents(store: Store, users: Iterable[User] = ()) -> dict[str, Any]:
    """
    What a tester needs of the main product, as a target file (without platform and url).

    ``users`` are those whose passwords are known; the state holds only their hashes.
    """
    product = main_product(store)
    things = "SELECT thing_token FROM thing WHERE product = ? AND provisioned ORDER BY number"
    firmwares = store.all("SELECT * FROM firmware WHERE product = ? ORDER BY id", product)
    return {
        "credentials": {
            "activation_codes": _unused_codes(store, product),
            "thing_tokens": [token for (token,) in store.all(things, product)],
            **({"product_id": product} if product is not None else {}),
            **_apps(store),
            **_users(users),
        },
        "firmware": [_firmware_entry(row) for row in firmwares],
        "function": [_function_entry(row) for row in store.all("SELECT * FROM function")],
    }


def _apps(store: Store) -> dict[str, Any]:
    """
    The app that a tester uses, one that is not official, and one whose sessions end soon.

    The first is official and keeps its sessions, if there is such an app.
    """
    rows = store.all(
        "SELECT id, is_official, session_s FROM app "
        "ORDER BY is_official DESC, session_s IS NOT NULL, number"
    )
    if not rows:
        return {}
    (app_id, is_official, _), *others = rows
    unofficial = [each for each, is_official, _ in others if not is_official]
    expiring = [
        {"app_id": each, "session_s": session_s}
        for each, _, session_s in others
        if session_s is not None and session_s <= _SHORT_SESSION_S
    ]
    return {
        "app_id": app_id,
        "official_app": bool(is_official),
        **({"unofficial_app_id": unofficial[0]} if unofficial else {}),
        **({"expiring_app": expiring[0]} if expiring else {}),
    }


def _users(users: Iterable[User]) -> dict[str, Any]:
    tables = [{"email": user.email, "password": user.password} for user in users]
    return {"users": tables} if tables else {}


def _firmware_entry(row: tuple[Any, ...]) -> dict[str, Any]:
    firmware = Firmware(*row)
    return {
        "id": firmware.id,
        "version": firmware.version,
        "mcu": firmware.mcu,
        "sha256": firmware.sha256,
    }


def _function_entry(row: tuple[Any, ...]) -> dict[str, Any]:
    params = {"greeting": "hello", "number": 3}
    result = params if row[1] == "params" else orjson.loads(row[2])
    return {"name": row[0], "params": params, "result": result}
