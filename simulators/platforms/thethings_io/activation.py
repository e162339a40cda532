"""Activation: a code becomes a thing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.platforms.effects import Answer, Arguments, Effects, Request
from simulators.platforms.provisioning import random_token
from simulators.platforms.thethings_io.arguments import json_object
from simulators.platforms.thethings_io.refusals import NO_CODE, Refused

if TYPE_CHECKING:
    from simulators.platforms.thethings_io.core import Core


def activate(core: Core, request: Request, arguments: Arguments, now_us: int) -> Effects:
    """Use up an activation code and answer the new thing's token and id."""
    body = json_object(request)
    code = body.get("activationCode")
    if not isinstance(code, str) or not code:
        raise Refused(400, "activationCode is missing")
    product = _product_of(core, code)
    _check_product(core, body.get("productId"), product)
    thing_token, thing_id = _new_name(core, "thing_token"), _new_name(core, "thing_id")
    _store(core, code, thing_token, thing_id, product)
    return [Answer(request, 201, _created(thing_token, thing_id))]


def _created(thing_token: str, thing_id: str) -> dict[str, Any]:
    return {
        "status": "created",
        "message": "thing activated",
        "thingToken": thing_token,
        "thingId": thing_id,
    }


def _product_of(core: Core, code: str) -> str:
    row = core.store.one("SELECT product, thing FROM activation_code WHERE code = ?", code)
    if row is None or (row[1] is not None and core.policy.activation_codes_single_use):
        raise Refused(400, NO_CODE)
    return str(row[0])


def _check_product(core: Core, product_id: Any, product: str) -> None:
    if product_id is None:
        (products,) = core.store.one("SELECT count(*) FROM product") or (0,)
        if products > 1:
            raise Refused(400, "productId is missing")
    elif product_id != product:
        raise Refused(400, "product not found")


def _new_name(core: Core, column: str) -> str:
    """A token nobody has; the generator repeats itself when a server restarts with its seed."""
    while True:
        name = random_token(core.rng)
        if core.store.one(f"SELECT 1 FROM thing WHERE {column} = ?", name) is None:  # noqa: S608
            return name


def _store(core: Core, code: str, thing_token: str, thing_id: str, product: str) -> None:
    thing = core.store.change(
        "INSERT INTO thing VALUES (NULL, ?, ?, ?, 0)", thing_token, thing_id, product
    ).lastrowid
    core.store.change("UPDATE activation_code SET thing = ? WHERE code = ?", thing, code)
