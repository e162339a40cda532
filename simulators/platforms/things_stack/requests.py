"""
A request as the message of its call: decoded from path, query and body, then checked.

The field mask is looked at before the fields, and both before anybody asks who calls.
"""

from __future__ import annotations

from typing import Any

from simulators.platforms.effects import NOT_GIVEN, Request
from simulators.platforms.things_stack import proto_json, query, schema
from simulators.platforms.things_stack.errors import Invalid, StackError
from simulators.platforms.things_stack.masks import mask_of, with_prefix
from simulators.platforms.things_stack.routes import Route
from simulators.platforms.things_stack.schema import Field, Message
from simulators.platforms.things_stack.validation import Tree, tree_of, validate

Document = dict[str, Any]


def decoded(route: Route, request: Request, values: list[str]) -> Document:
    """
    The message of a request; ``values`` are what the path has in place of its variables.

    Raises:
        GatewayError: no JSON, or not values of their fields.
    """
    message: Document = {}
    if route.has_body:
        raw = request.document
        raw = proto_json.parse(request.body) if raw is NOT_GIVEN else raw
        message = proto_json.decode(route.request, raw)
    else:
        query.bind_query(route, message, request.query)
    query.bind_path(route, message, values)
    return message


def check(route: Route, message: Document, now_us: int) -> None:
    """
    Check the field mask, then the fields.

    Raises:
        StackError: a path that the call does not accept, or an invalid field.
    """
    of: Message = route.request
    tree: Tree = {}
    mask, paths = mask_of(route.rpc), message.get("field_mask", {}).get("paths", [])
    if mask is not None and paths:
        mask.check(paths)
        body = _body_field(of) if mask.is_set else None
        if body is not None:
            mask.check_body(schema.message(body.of), message.get(body.name, {}), paths)
            tree = _masked_tree(of, body, paths)
    invalid = validate(of, message, tree, unix_us=now_us)
    if invalid is not None:
        raise _invalid(of, invalid)


def _masked_tree(of: Message, body: Field, paths: list[str]) -> Tree:
    """A call that sets fields only looks at these, and at what it finds the entity by."""
    if body.of == "APIKey":
        return {}
    others = [field.name for field in of.fields.values() if field.name != body.name]
    return tree_of([*others, f"{body.name}.ids", *with_prefix(body.name, paths)])


def _body_field(of: Message) -> Field | None:
    """The field of a request that holds the entity to be written."""
    for field in of.fields.values():
        if field.kind == "message" and not field.is_list and not field.name.endswith("ids"):
            return field
    return None


def _invalid(of: Message, invalid: Invalid) -> StackError:
    error = invalid.error()
    is_identifier = of.name.endswith("Identifiers")
    return StackError("pkg/ttnpb:identifiers", cause=error) if is_identifier else error
