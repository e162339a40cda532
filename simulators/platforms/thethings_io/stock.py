"""
Puts a provisioning into the store: what exists is kept, what is new is added.

A conflict is an existing entry that says something else; nothing is changed then.
"""

from __future__ import annotations

import random
from typing import Any

import orjson

from simulators.platforms.provisioning import (
    ActivationCode,
    Firmware,
    Function,
    ProvisionedThing,
    Provisioning,
    random_code,
)
from simulators.platforms.thethings_io.store import Store


class ProvisioningConflict(Exception):  # noqa: N818 - named for what it is
    """The state already holds an entry of that name with other contents."""


def is_empty(store: Store) -> bool:
    """Nothing was ever provisioned."""
    return store.one("SELECT 1 FROM product LIMIT 1") is None


def provision(store: Store, provisioning: Provisioning) -> None:
    """
    Add what is not there yet.

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


def contents(store: Store) -> dict[str, Any]:
    """What a tester needs of the main product, as a target file (without platform and url)."""
    product = main_product(store)
    things = "SELECT thing_token FROM thing WHERE product = ? AND provisioned ORDER BY number"
    firmwares = store.all("SELECT * FROM firmware WHERE product = ? ORDER BY id", product)
    return {
        "credentials": {
            "activation_codes": _unused_codes(store, product),
            "thing_tokens": [token for (token,) in store.all(things, product)],
            **({"product_id": product} if product is not None else {}),
        },
        "firmware": [_firmware_entry(row) for row in firmwares],
        "function": [_function_entry(row) for row in store.all("SELECT * FROM function")],
    }


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
