"""Defects of $geo, $settings, the description and tags."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from msgspec.structs import replace

from simulators.platforms.effects import Answer, Request
from simulators.platforms.thethings_io.deviations.changes import (
    document_of,
    is_good,
    items_of,
    key_of,
    refusing_items,
    token_of,
    with_each_item,
    with_each_row,
    with_rows,
    with_status,
)
from simulators.platforms.thethings_io.deviations.deviation import Before, Deviation, OnAnswer

WRITE, READ = ("TIO-WR",), ("TIO-RD",)
AT = "2024-01-31T12:00:00.000Z"


def _writes(name: str) -> Callable[[Answer], bool]:
    """Whether an accepted write is one to a magic resource."""
    return lambda answer: (
        is_good(answer)
        and any(
            str(item.get("key")).startswith(name)
            for item in items_of(answer.request)
            if isinstance(item, dict)
        )
    )


def _in(name: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> OnAnswer:
    """Another row in a read of one magic resource."""
    return with_each_row(lambda row: change(row) if row.get("key") == name else row)


def _swapped(row: dict[str, Any]) -> dict[str, Any]:
    value = row["value"]
    return {**row, "value": {**value, "coordinates": value["coordinates"][::-1]}}


def _rounded(decimals: int) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def change(row: dict[str, Any]) -> dict[str, Any]:
        numbers = [round(number, decimals) for number in row["value"]["coordinates"]]
        return {**row, "value": {**row["value"], "coordinates": numbers}}

    return change


def _without_empty(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "value": {name: value for name, value in row["value"].items() if value}}


def _lazy() -> Before:
    """A position less than about a degree from the one before is ignored."""
    last: dict[str, list[float]] = {}

    def before(request: Request) -> Request:
        for item in items_of(request):
            where = _coordinates(item)
            if where is None:
                continue
            known = last.get(token_of(request), [999.0, 999.0])
            if max(abs(a - b) for a, b in zip(where, known, strict=False)) <= 1.05:
                return with_each_item(lambda item: {**item, "key": "$ignored"})(request)
            last[token_of(request)] = where
        return request

    return before


def _coordinates(item: Any) -> list[float] | None:
    value = item.get("value") if isinstance(item, dict) and item.get("key") == "$geo" else None
    found = value.get("coordinates") if isinstance(value, dict) else None
    is_pair = isinstance(found, list) and all(isinstance(number, int | float) for number in found)
    return found if is_pair else None


def _without_escape(request: Request) -> Request:
    return replace(request, path=request.path.replace("%24", "%25%32%34"))


def _path_replaces_all(item: dict[str, Any]) -> dict[str, Any]:
    name, _, path = str(item.get("key")).partition(".")
    if name != "$settings" or not path:
        return item
    value = item["value"]
    for member in reversed(path.split(".")):
        value = {member: value}
    return {**item, "key": "$settings", "value": value}


def _path_as_object(item: dict[str, Any]) -> dict[str, Any]:
    root, *path = str(item.get("key")).split(".")
    if root != "$settings" or len(path) < 2 or "value" not in item:
        return item
    value = item["value"]
    for name in reversed(path[1:]):
        value = {name: value}
    return {**item, "key": f"{root}.{path[0]}", "value": value}


def _shallow(answer: Answer) -> Answer:
    if not is_good(answer) or not isinstance(answer.document, list):
        return answer
    rows = [
        {**row, "value": None}
        if str(row.get("key")).startswith("$settings") and str(row["key"]).count(".") > 1
        else row
        for row in answer.document
    ]
    return replace(answer, document=rows)


def _first_counts() -> Before:
    """A path that has a value keeps it."""
    known: set[tuple[str, str]] = set()

    def before(request: Request) -> Request:
        keys = {
            (token_of(request), str(item.get("key")))
            for item in items_of(request)
            if isinstance(item, dict)
        }
        paths = {each for each in keys if each[1].startswith("$settings.")}
        if paths & known:
            return with_each_item(lambda item: {**item, "key": "$ignored"})(request)
        known.update(paths)
        return request

    return before


def _merged_objects() -> Before:
    """An object that is written to a path is merged into the one before."""
    known: dict[tuple[str, str], dict[str, Any]] = {}

    def change(token: str, item: dict[str, Any]) -> dict[str, Any]:
        key, value = str(item.get("key")), item.get("value")
        if not key.startswith("$settings.") or not isinstance(value, dict):
            return item
        merged = known[token, key] = {**known.get((token, key), {}), **value}
        return {**item, "value": merged}

    return lambda request: with_each_item(lambda item: change(token_of(request), item))(request)


def _strings(row: dict[str, Any]) -> dict[str, Any]:
    value = row["value"]
    is_path = str(row.get("key")).startswith("$settings.")
    return {**row, "value": str(value)} if is_path and isinstance(value, int | float) else row


def _merged() -> Before:
    """A description is merged into the one before."""
    known: dict[str, dict[str, Any]] = {}

    def before(request: Request) -> Request:
        document = document_of(request)
        if request.method != "PUT" or not isinstance(document, dict):
            return request
        known[token_of(request)] = {**known.get(token_of(request), {}), **document}
        return replace(request, body=orjson.dumps(known[token_of(request)]))

    return before


def _full_ones() -> Before:
    """An empty description is accepted and changes nothing."""
    known: dict[str, Any] = {}

    def before(request: Request) -> Request:
        if request.method != "PUT":
            return request
        document = document_of(request) or known.get(token_of(request), {})
        known[token_of(request)] = document
        return replace(request, body=orjson.dumps(document))

    return before


def _kept(request: Request) -> Request:
    """A tag that is to be deleted is looked for, and stays."""
    if request.method != "DELETE":
        return request
    return replace(request, method="GET", path=request.path.rpartition("/")[0])


def _shared_tags() -> OnAnswer:
    """The tags of every thing are listed for all."""
    known: dict[str, dict[str, Any]] = {}

    def answer(found: Answer) -> Answer:
        if not is_good(found):
            return found
        if found.request.method == "POST":
            known[found.document["_id"]] = {name: found.document[name] for name in ("_id", "name")}
        if found.request.method == "DELETE":
            known.pop(key_of(found.request), None)
        if found.request.method != "GET":
            return found
        others = [tag for tag in known.values() if tag not in found.document]
        return replace(found, document=[*found.document, *others])

    return answer


DEVIATIONS = {
    "geo-write-202": Deviation(
        "A write of $geo is answered with status 202.",
        WRITE,
        answer=with_status(202, _writes("$geo")),
    ),
    "geo-latitude-first": Deviation(
        "$geo shows its latitude first.", READ, answer=_in("$geo", _swapped)
    ),
    "geo-three-decimals": Deviation(
        "$geo is read with three decimals.", READ, answer=_in("$geo", _rounded(3))
    ),
    "geo-six-decimals": Deviation(
        "$geo is read with six decimals.", READ, answer=_in("$geo", _rounded(6))
    ),
    "geo-with-datetime": Deviation(
        "$geo shows a datetime.", READ, answer=_in("$geo", lambda row: {**row, "datetime": AT})
    ),
    "geo-pair-refused": Deviation(
        "$geo takes no pair of numbers.",
        WRITE,
        before=refusing_items(
            lambda item: item.get("key") == "$geo" and isinstance(item.get("value"), list)
        ),
    ),
    "geo-beside-null-refused": Deviation(
        "$geo takes no geo beside null.",
        WRITE,
        before=refusing_items(lambda item: item.get("key") == "$geo" and item.get("value") is None),
    ),
    "geo-lazy": Deviation(
        "$geo ignores a position close to the one before.", WRITE, before=_lazy()
    ),
    "dollar-escaped-unknown": Deviation(
        "An escaped $ in a path is not understood.", READ, before=_without_escape
    ),
    "settings-write-202": Deviation(
        "A write of $settings is answered with status 202.",
        WRITE,
        answer=with_status(202, _writes("$settings")),
    ),
    "settings-one-member": Deviation(
        "$settings shows only the member that was written last.",
        READ,
        answer=_in("$settings", lambda row: {**row, "value": dict([*row["value"].items()][-1:])}),
    ),
    "settings-drop-empty": Deviation(
        "Members of $settings that are empty, zero or false are lost.",
        READ,
        answer=_in("$settings", _without_empty),
    ),
    "settings-with-datetime": Deviation(
        "$settings shows a datetime.",
        READ,
        answer=_in("$settings", lambda row: {**row, "datetime": AT}),
    ),
    "settings-path-with-datetime": Deviation(
        "A path of $settings shows a datetime.",
        READ,
        answer=with_each_row(
            lambda row: (
                {**row, "datetime": AT} if str(row.get("key")).startswith("$settings.") else row
            )
        ),
    ),
    "settings-path-replaces": Deviation(
        "Writing a path of $settings removes all others.",
        WRITE,
        before=with_each_item(_path_replaces_all),
        policy={"settings_merge": False},
    ),
    "settings-path-as-object": Deviation(
        "Writing a path of $settings replaces the member at its beginning.",
        WRITE,
        before=with_each_item(_path_as_object),
    ),
    "settings-shallow": Deviation(
        "A path of $settings reads one member deep.", READ, answer=_shallow
    ),
    "settings-first-counts": Deviation(
        "A path of $settings keeps its first value.", WRITE, before=_first_counts()
    ),
    "settings-path-merges": Deviation(
        "An object written to a path of $settings is merged into the one before.",
        WRITE,
        before=_merged_objects(),
    ),
    "settings-strings": Deviation(
        "Numbers and booleans of a path of $settings read as strings.",
        READ,
        answer=with_each_row(_strings),
    ),
    "description-201": Deviation(
        "A description that is put is answered with status 201.",
        ("TIO-DESC",),
        answer=with_status(201, lambda answer: answer.request.method == "PUT" and is_good(answer)),
    ),
    "description-bare": Deviation(
        "A description reads without its row.",
        ("TIO-DESC",),
        answer=with_rows(lambda rows: [row["value"] for row in rows]),
    ),
    "description-merged": Deviation(
        "A description that is put is merged into the one before.", ("TIO-DESC",), before=_merged()
    ),
    "description-empty-ignored": Deviation(
        "An empty description is accepted and changes nothing.", ("TIO-DESC",), before=_full_ones()
    ),
    "tags-not-listed": Deviation("No tag is listed.", ("TIO-TAG",), answer=with_rows(lambda _: [])),
    "tags-lower-case": Deviation(
        "Tags are listed in lower case.",
        ("TIO-TAG",),
        answer=with_rows(lambda rows: [{**row, "name": row["name"].lower()} for row in rows]),
    ),
    "tags-shared": Deviation(
        "The tags of every thing are listed for all.", ("TIO-TAG",), answer=_shared_tags()
    ),
    "tags-stay": Deviation("A tag that was deleted stays.", ("TIO-TAG",), before=_kept),
}
