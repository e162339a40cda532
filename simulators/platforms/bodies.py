"""
Request bodies as devices send them: JSON whatever the Content-Type says, forms, MessagePack.

Many devices name no type or a wrong one, so JSON is tried first; only a body that is none is read
as what the type says. Raises BodyError for the rest.
"""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qsl

import msgspec
import orjson

from simulators.platforms.effects import NOT_GIVEN, Request

_FORM = "application/x-www-form-urlencoded"
_MESSAGE_PACK = ("application/msgpack", "application/x-msgpack", "application/vnd.msgpack")
_MEMBER = re.compile(r"\[([^\[\]]*)\]")
_DEEPEST = 32  # brackets in one form name


class BodyError(ValueError):
    """The body is none of the forms that are understood."""


def unambiguous_document_of(request: Request) -> Any:
    """
    The body as a value; not one that names a member twice.

    Raises:
        BodyError: as ``document_of``, or a member is there twice.
    """
    document = document_of(request)
    if request.document is NOT_GIVEN and not _has_every_text(request.body, document):
        _refuse_repeats(request.body)
    return document


def _has_every_text(body: bytes, document: Any) -> bool:
    """No text of the body was lost; tells quickly that all is well, and never so in error."""
    if b"\\" in body:
        return False
    try:
        return body.count(b'"') == orjson.dumps(document).count(b'"')
    except TypeError:  # nested too deeply to be written
        return False


def _refuse_repeats(body: bytes) -> None:
    try:
        json.loads(body, object_pairs_hook=_refuse_repeated)
    except RecursionError as error:
        raise BodyError("body is nested too deeply") from error
    except BodyError:
        raise
    except ValueError:  # no JSON but a form or MessagePack, which was read before
        return


def _refuse_repeated(pairs: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in pairs}) < len(pairs):
        raise BodyError("body has a member twice")


def document_of(request: Request) -> Any:
    """
    The body as a value; of a repeated member the last counts.

    Raises:
        BodyError: it is neither JSON nor what its Content-Type says.
    """
    if request.document is not NOT_GIVEN:
        return request.document
    try:
        return orjson.loads(request.body)
    except orjson.JSONDecodeError as error:
        kind = (request.header(b"content-type") or "").partition(";")[0].strip().lower()
        if kind == _FORM:
            return _form(request.body)
        if kind in _MESSAGE_PACK:
            return _message_pack(request.body)
        raise BodyError("body is not valid JSON") from error


def _message_pack(body: bytes) -> Any:
    try:
        return msgspec.msgpack.decode(body)
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        raise BodyError("body is not valid MessagePack") from error


def _form(body: bytes) -> Any:
    """``values[0][key]=k&values[0][value]=v`` as nested objects and lists, as jQuery writes it."""
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=20_000)
    except ValueError as error:
        raise BodyError("body is not a valid form") from error
    root: dict[str, Any] = {}
    for name, value in pairs:
        _plant(root, _steps(name), value)
    return _lists(root)


def _steps(name: str) -> list[str]:
    head, bracket, rest = name.partition("[")
    steps = [head, *_MEMBER.findall(bracket + rest)]
    if len(steps) > _DEEPEST:
        raise BodyError("form is nested too deeply")
    return steps


def _plant(node: dict[str, Any], steps: list[str], value: str) -> None:
    for step in steps[:-1]:
        child = node.setdefault(step or str(len(node)), {})
        if not isinstance(child, dict):
            raise BodyError("form gives a value and members to the same name")
        node = child
    node[steps[-1] or str(len(node))] = value


def _lists(node: Any) -> Any:
    """Objects whose names are all numbers become lists, in the order of those numbers."""
    if not isinstance(node, dict):
        return node
    values = {name: _lists(child) for name, child in node.items()}
    if values and all(name.isascii() and name.isdigit() and len(name) < 10 for name in values):
        return [values[name] for name in sorted(values, key=int)]
    return values
