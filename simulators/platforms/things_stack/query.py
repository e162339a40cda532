"""What stands in an address: variable parts of the path and query parameters, into a message."""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from simulators.platforms.things_stack.errors import INVALID_ARGUMENT, GatewayError
from simulators.platforms.things_stack.proto_json import ABSENT, Document, from_text, put
from simulators.platforms.things_stack.routes import Route
from simulators.platforms.things_stack.schema import Field, Message, message

_MOST_PARAMETERS = 1000


class _Place(NamedTuple):
    """A field, the message that has it, and the key when it is a map's entry."""

    owner: Message
    field: Field
    container: Document
    key: str | None


def bind_path(route: Route, document: Document, values: list[str]) -> None:
    """
    Set the fields that a path names; they win over a body.

    Raises:
        GatewayError: not a value of its field.
    """
    for binding, text in zip(route.bindings, values, strict=True):
        place = _place(route.request, document, list(binding))
        if place is not None:
            _set(place, [text], ".".join(binding))


def bind_query(route: Route, document: Document, query: str) -> None:
    """
    Set the fields that query parameters name; unknown parameters are ignored.

    Raises:
        GatewayError: not a value of its field, or one value given twice.
    """
    bound = set(route.bindings)
    for name, texts in _parameters(query).items():
        path, key = _path_of(name)
        if tuple(path) in bound or not _exists(route.request, path, key):
            continue
        place = _place(route.request, document, path, key)
        if place is not None:
            _set(place, texts, name)


def _parameters(query: str) -> dict[str, list[str]]:
    try:
        pairs = parse_qsl(
            query, keep_blank_values=True, errors="replace", max_num_fields=_MOST_PARAMETERS
        )
    except ValueError as error:
        raise GatewayError(INVALID_ARGUMENT, "too many query parameters") from error
    parameters: dict[str, list[str]] = {}
    for name, text in pairs:
        parameters.setdefault(name, []).append(text)
    return parameters


def _path_of(name: str) -> tuple[list[str], str | None]:
    """``a.b[key]`` as path and key."""
    head, bracket, rest = name.partition("[")
    return head.split("."), rest.removesuffix("]") if bracket else None


def _exists(of: Message, path: list[str], key: str | None) -> bool:
    """Whether a path leads to something that text can set."""
    for index, name in enumerate(path):
        field = of.by_input.get(name)
        if field is None:
            return False
        is_last = index == len(path) - 1
        if field.kind == "mask":
            return is_last or path[index + 1 :] == ["paths"]
        if is_last:
            return _is_settable(field, key)
        if field.kind != "message" or field.is_list or field.is_map:
            return False
        of = message(field.of)
    return False


def _is_settable(field: Field, key: str | None) -> bool:
    if field.is_map:
        return key is not None
    return key is None and field.kind not in ("message", "struct")


def _place(
    of: Message, document: Document, path: list[str], key: str | None = None
) -> _Place | None:
    """Where a path leads, making the messages on the way."""
    for name in path[:-1]:
        field = of.by_input[name]
        if field.kind == "mask":
            return _Place(of, field, document, "paths")
        if field.name not in document:
            put(of, document, field, {})
        document, of = document[field.name], message(field.of)
    field = of.by_input[path[-1]]
    return _Place(of, field, document, key)


def _set(place: _Place, texts: list[str], name: str) -> None:
    field = place.field
    if field.kind == "mask":
        _set_mask(place, texts, name)
    elif field.is_map:
        place.container.setdefault(field.name, {})[place.key] = _single(texts, name)
    elif field.is_list:
        one = Field(field.name, field.kind, field.of, field.width, wrapper="")
        place.container[field.name] = [from_text(one, text, name) for text in texts]
    else:
        value: Any = from_text(field, _single(texts, name), name)
        if value is ABSENT:
            place.container.pop(field.name, None)
        else:
            put(place.owner, place.container, field, value)


def _set_mask(place: _Place, texts: list[str], name: str) -> None:
    """One list with commas, or each path by itself as ``field_mask.paths``."""
    if place.key != "paths":
        texts = [path for path in _single(texts, name).split(",") if path]
    mask = place.container.setdefault(place.field.name, {})
    mask["paths"] = [*mask.get("paths", []), *texts]


def _single(texts: list[str], name: str) -> str:
    if len(texts) > 1:
        shown = ", ".join(texts)
        raise GatewayError(
            INVALID_ARGUMENT, f'too many values for field "{name.split(".")[-1]}": {shown}'
        )
    return texts[0]
