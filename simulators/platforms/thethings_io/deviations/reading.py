"""Defects of reading one resource, of the names of resources, and of all resources."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from simulators.platforms.effects import Answer, Request
from simulators.platforms.thethings_io.core import Core
from simulators.platforms.thethings_io.deviations.changes import (
    is_good,
    key_of,
    refused,
    says,
    token_of,
    with_document,
    with_each_row,
    with_members,
    with_path,
    with_query,
    with_rows,
    with_status,
)
from simulators.platforms.thethings_io.deviations.deviation import Before, Deviation, OnAnswer
from simulators.platforms.thethings_io.refusals import NO_RESOURCE, NO_THING

READ, NAMES, ALL = ("TIO-RD",), ("TIO-RES",), ("TIO-ALL",)


def _is_timeline(answer: Answer) -> bool:
    return is_good(answer) and not key_of(answer.request).startswith(("$", "%24"))


def _more(query: dict[str, str]) -> dict[str, str]:
    limit = query.get("limit", "")
    return {**query, "limit": str(int(limit) + 1)} if limit.isdigit() and int(limit) else query


def _without_start(query: dict[str, str]) -> dict[str, str]:
    return {name: query[name] for name in query if name != "startDate"}


def _without_end_beside_start(query: dict[str, str]) -> dict[str, str]:
    return _without(query, "endDate") if "startDate" in query else query


def _without(query: dict[str, str], *names: str) -> dict[str, str]:
    return {name: query[name] for name in query if name not in names}


def _whole_second(name: str) -> Before:
    """An ISO bound loses its milliseconds."""

    def change(query: dict[str, str]) -> dict[str, str]:
        text = query.get(name, "")
        return {**query, name: f"{text[:19]}.000Z"} if text.endswith("Z") else query

    return with_query(change)


def _refuse_bound(name: str, sign: str, at: int) -> Before:
    def change(query: dict[str, str]) -> dict[str, str]:
        return {**query, "limit": "-1"} if query.get(name, "")[at : at + 1] == sign else query

    return with_query(change)


def _forgetful() -> OnAnswer:
    """With limit=3 every read after the first brings a row less."""
    seen: dict[str, int] = {}

    def change(rows_answer: Answer) -> Answer:
        request = rows_answer.request
        if "limit=3" not in request.query.split("&") or "endDate" in request.query:
            return rows_answer
        again = seen[request.path] = seen.get(request.path, -1) + 1
        rows = rows_answer.document
        return replace(rows_answer, document=rows[: max(0, len(rows) - again)])

    return lambda answer: change(answer) if _is_timeline(answer) else answer


def _lists_what_was_asked() -> tuple[Before, OnAnswer]:
    """Keys that were asked for are listed from then on."""
    asked: dict[str, list[str]] = {}

    def before(request: Request) -> Request:
        if request.path.count("/") > 4:
            asked.setdefault(token_of(request), []).append(key_of(request))
        return request

    def answer(found: Answer) -> Answer:
        if not is_good(found) or not isinstance(found.document, dict):
            return found
        names = {*found.document["resources"], *asked.get(token_of(found.request), ())}
        return replace(found, document={**found.document, "resources": sorted(names)})

    return before, answer


_ASKED_BEFORE, _ASKED_ANSWER = _lists_what_was_asked()


def _remembers_misses() -> tuple[Before, OnAnswer]:
    """A key that was looked for in vain stays unknown."""
    missed: set[str] = set()

    def before(request: Request) -> Request:
        return replace(request, path=f"{request.path}.") if request.path in missed else request

    def answer(found: Answer) -> Answer:
        if says(NO_RESOURCE)(found):
            missed.add(found.request.path)
        return found

    return before, answer


def _remembers_rows() -> OnAnswer:
    """A read without a query is answered as it was the first time."""
    known: dict[str, Any] = {}

    def answer(found: Answer) -> Answer:
        if not _is_timeline(found) or found.request.query:
            return found
        return replace(found, document=known.setdefault(found.request.path, found.document))

    return answer


def _from_the_start() -> tuple[Before, OnAnswer]:
    """With startDate alone the rows count from the oldest one on."""

    def change(query: dict[str, str]) -> dict[str, str]:
        limit = query.get("limit", "")
        is_asked = "startDate" in query and "endDate" not in query and limit.isdigit()
        return {**query, "limit": "1000", "counted": limit} if is_asked else query

    def answer(found: Answer) -> Answer:
        counted = found.request.arguments().get("counted")
        if counted is None or not _is_timeline(found):
            return found
        return replace(found, document=found.document[-int(counted) :])

    return with_query(change), answer


_MISSES_BEFORE, _MISSES_ANSWER = _remembers_misses()
_START_BEFORE, _START_ANSWER = _from_the_start()


def _one_for_all(core: Core) -> None:
    """Every token that a thing has leads to the first thing."""
    true, first = core.store.thing, []

    def thing(token: str) -> Any:
        found = true(token)
        if found is not None:
            first.append(found)
        return first[0] if found is not None else None

    setattr(core.store, "thing", thing)  # noqa: B010 - a method is replaced on purpose


def _shorter_dates(entry: dict[str, Any]) -> dict[str, Any]:
    rows = [{**row, "datetime": f"{row['datetime'][:19]}Z"} for row in entry["values"]]
    return {**entry, "values": rows}


def _strings(entry: dict[str, Any]) -> dict[str, Any]:
    rows = [
        {**row, "value": str(row["value"])} if isinstance(row["value"], int | float) else row
        for row in entry["values"]
    ]
    return {**entry, "values": rows}


def _names(change: Any) -> OnAnswer:
    return with_document(lambda document: {**document, "resources": change(document["resources"])})


DEVIATIONS = {
    "read-unescapes-twice": Deviation(
        "What is escaped in a path is unescaped twice.",
        READ,
        before=with_path(lambda path: path.replace("%25", "%")),
    ),
    "read-203": Deviation(
        "Rows are answered with status 203.",
        READ,
        answer=with_status(203, lambda answer: _is_timeline(answer) and bool(answer.document)),
    ),
    "read-bare-object": Deviation(
        "A single row comes without its array.",
        READ,
        answer=with_document(
            lambda rows: rows[0] if len(rows) == 1 else rows,
            lambda answer: _is_timeline(answer) and "limit" not in answer.request.query,
        ),
    ),
    "read-without-key": Deviation(
        "Rows do not show their key.",
        READ,
        answer=with_each_row(
            lambda row: {name: row[name] for name in row if name != "key" or "datetime" not in row}
        ),
    ),
    "read-ascending": Deviation("Rows come oldest first.", policy={"newest_first": False}),
    "read-default-10": Deviation(
        "Without a limit ten rows come.", policy={"read_default_limit": 10}
    ),
    "read-limit-one-more": Deviation(
        "A limit brings one row more.", READ, before=with_query(_more)
    ),
    "read-remembers-misses": Deviation(
        "A key that was looked for in vain stays unknown.",
        READ,
        before=_MISSES_BEFORE,
        answer=_MISSES_ANSWER,
    ),
    "read-remembers-rows": Deviation(
        "A read without a query is answered as it was the first time.",
        READ,
        answer=_remembers_rows(),
    ),
    "start-counts-from-oldest": Deviation(
        "With startDate alone a limit counts from the oldest row.",
        READ,
        before=_START_BEFORE,
        answer=_START_ANSWER,
    ),
    "read-limit-ignored": Deviation(
        "limit is ignored.", READ, before=with_query(lambda query: _without(query, "limit"))
    ),
    "read-limit-100-refused": Deviation(
        "A limit of 100 and more is refused.",
        READ,
        before=with_query(
            lambda query: {**query, "limit": "-1"} if len(query.get("limit", "")) > 2 else query
        ),
    ),
    "read-cap-50": Deviation("No more than 50 rows come.", policy={"read_cap": 50}),
    "read-cap-5000": Deviation("As many as 5000 rows come.", policy={"read_cap": 5000}),
    "start-exclusive": Deviation(
        "The row at startDate is left out.", policy={"start_inclusive": False}
    ),
    "end-inclusive": Deviation("The row at endDate is included.", policy={"end_inclusive": True}),
    "start-until-2030": Deviation(
        "With startDate alone rows up to the year 2030 come.",
        READ,
        before=with_query(
            lambda query: (
                {**query, "endDate": "20300101000000"}
                if "startDate" in query and "endDate" not in query
                else query
            )
        ),
    ),
    "start-ignored": Deviation("startDate is ignored.", READ, before=with_query(_without_start)),
    "end-ignored": Deviation(
        "endDate is ignored.", READ, before=with_query(lambda query: _without(query, "endDate"))
    ),
    "start-whole-second": Deviation(
        "startDate loses its milliseconds.", READ, before=_whole_second("startDate")
    ),
    "end-whole-second": Deviation(
        "endDate loses its milliseconds.", READ, before=_whole_second("endDate")
    ),
    "end-ignored-beside-start": Deviation(
        "endDate is ignored beside startDate.", READ, before=with_query(_without_end_beside_start)
    ),
    "limit-ignored-beside-end": Deviation(
        "limit is ignored beside endDate.",
        READ,
        before=with_query(
            lambda query: {**query, "limit": "1000"} if "endDate" in query else query
        ),
    ),
    "start-2000": Deviation(
        "Without startDate rows from the year 2000 on come.",
        policy={"default_start_ms": 946_684_800_000},
    ),
    "start-compact-refused": Deviation(
        "startDate is refused in the form YYYYMMDDTHHmmss.",
        READ,
        before=_refuse_bound("startDate", "T", 8),
    ),
    "end-without-z-refused": Deviation(
        "endDate is refused in ISO form without fraction.",
        READ,
        before=with_query(
            lambda query: (
                {**query, "limit": "-1"}
                if len(query.get("endDate", "")) == 19 and "-" in query["endDate"]
                else query
            )
        ),
    ),
    "read-nothing-404": Deviation(
        "No row in the time asked for is answered with status 404.",
        READ,
        answer=refused(404, NO_RESOURCE, lambda answer: is_good(answer) and answer.document == []),
    ),
    "read-never-400": Deviation(
        "A key that was never written is answered with status 400.",
        READ,
        answer=with_status(400, says(NO_RESOURCE)),
    ),
    "read-never-text": Deviation(
        "A key that was never written says not found.",
        READ,
        answer=with_members(says(NO_RESOURCE), message="not found"),
    ),
    "read-unknown-token-text": Deviation(
        "A read with a token that no thing has says forbidden.",
        READ,
        answer=with_members(says(NO_THING), message="forbidden"),
    ),
    "read-forgetful": Deviation("A row is lost with every read.", READ, answer=_forgetful()),
    "one-thing-for-all": Deviation("All things are one.", setup=_one_for_all),
    "names-203": Deviation("Names are answered with status 203.", NAMES, answer=with_status(203)),
    "names-lower-case": Deviation(
        "Names are listed in lower case.",
        NAMES,
        answer=_names(lambda names: [name.lower() for name in names]),
    ),
    "names-twice": Deviation(
        "Names are listed twice.", NAMES, answer=_names(lambda names: names + names)
    ),
    "names-that-were-asked": Deviation(
        "Keys that were only read are listed.",
        ("TIO-RES", "TIO-RD"),
        before=_ASKED_BEFORE,
        answer=_ASKED_ANSWER,
    ),
    "all-203": Deviation(
        "All resources are answered with status 203.", ALL, answer=with_status(203)
    ),
    "all-empty-entry": Deviation(
        "A resource without values has an entry.",
        ALL,
        answer=with_rows(lambda rows: [*rows, {"key": "empty", "values": []}]),
    ),
    "all-entry-twice": Deviation(
        "Every resource has two entries.", ALL, answer=with_rows(lambda rows: rows + rows)
    ),
    "all-default-10": Deviation(
        "Without a limit ten values of each resource come.",
        ALL,
        before=with_query(lambda query: {"limit": "10", **query}),
    ),
    "all-limit-ignored": Deviation(
        "limit is ignored for all resources.",
        ALL,
        before=with_query(lambda query: _without(query, "limit")),
    ),
    "all-strings": Deviation(
        "Numbers and booleans of all resources are strings.", ALL, answer=with_each_row(_strings)
    ),
    "all-short-dates": Deviation(
        "Datetimes of all resources have no milliseconds.",
        ALL,
        answer=with_each_row(_shorter_dates),
    ),
}
