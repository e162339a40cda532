"""POST /v2/things/{token}: what is accepted, what is stored, what is refused."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from conformance.clients.thethings_io import ThethingsClient
from conformance.fixtures import Thing
from conformance.judge import Judge
from conformance.thethings_io.shapes import (
    ERROR,
    REFUSED_TOKEN,
    body_status,
    datetimes,
    is_error,
    is_refused,
    seconds_apart,
    shown,
    values,
)

BAD_KEYS = [
    pytest.param("with space", id="space"),
    pytest.param("with/slash", id="slash"),
    pytest.param("grün", id="umlaut"),
    pytest.param("a:b", id="colon"),
    pytest.param("a#b", id="hash"),
    pytest.param("a%b", id="percent"),
    pytest.param("a,b", id="comma"),
    pytest.param("a$b", id="dollar-inside"),
    pytest.param("a\nb", id="line-end"),
    pytest.param("a\n", id="line-end-last"),
    pytest.param("a[0]", id="brackets"),
]


@pytest.mark.requirement("TIO-WR-001")
def test_accepted_write_is_201_or_200(thing: Thing, requirement: Judge) -> None:
    answer = thing.write([{"key": thing.key("fun"), "value": "9000"}])

    requirement.check_in(answer.status, accepted=[201, 200])


@pytest.mark.requirement("TIO-WR-002")
def test_accepted_write_is_201(thing: Thing, requirement: Judge) -> None:
    answer = thing.write([{"key": thing.key("fun"), "value": "9000"}])

    requirement.check(answer.status, expected=201)


@pytest.mark.requirement("TIO-WR-003")
def test_accepted_write_says_created_or_success(thing: Thing, requirement: Judge) -> None:
    answer = thing.write([{"key": thing.key("fun"), "value": "9000"}])

    requirement.check_in(body_status(answer), accepted=["created", "success"])


@pytest.mark.requirement("TIO-WR-004")
def test_written_value_can_be_read(thing: Thing, requirement: Judge) -> None:
    key = thing.key("fun")

    thing.write([{"key": key, "value": 21.5}])

    requirement.check(values(thing.read(key)), expected=[21.5])


@pytest.mark.requirement("TIO-WR-004")
def test_written_value_can_be_read_after_it_was_looked_for(
    thing: Thing, requirement: Judge
) -> None:
    key = thing.key("fun")
    thing.read(key)

    thing.write([{"key": key, "value": 21.5}])

    requirement.check(values(thing.read(key)), expected=[21.5])


@pytest.mark.requirement("TIO-WR-004")
def test_body_may_have_line_ends_and_spaces(thing: Thing, requirement: Judge) -> None:
    key = thing.key("fun")
    body = f"""{{"values":
        [{{
            "key" : "{key}",
            "value": "9000"
        }}]
    }}"""

    thing.api.send(
        "POST",
        f"/v2/things/{thing.token}",
        body=body.encode(),
        headers={"Accept": "application/json", "Content-Type": "application/json"},
    )

    requirement.check(values(thing.read(key)), expected=["9000"])


STRINGS = [
    "9000", "-1", "007", "21.50", "1e3", "true", "false", "null", "undefined", "NaN",
    "2024-01-31T12:00:00.000Z", "20240131120000", "", " ", " padded ", "[1]", '{"a":1}', "on",
    "2024-01-31T12:00:00Z", "2024-01-31", "x" * 1000,
]  # fmt: skip


@pytest.mark.requirement("TIO-WR-005")
@pytest.mark.parametrize("value", STRINGS, ids=[text[:12].strip() or "blank" for text in STRINGS])
def test_string_stays_string(thing: Thing, requirement: Judge, value: str) -> None:
    requirement.check(written_and_read(thing, value), expected=[value])


@pytest.mark.requirement("TIO-WR-005")
@pytest.mark.parametrize("length", [5_000, 70_000])
def test_long_string_is_refused_or_kept_whole(
    thing: Thing, requirement: Judge, length: int
) -> None:
    key, text = thing.key("long"), "0123456789" * (length // 10)

    answer = thing.write([{"key": key, "value": text}])

    requirement.check_that(
        is_refused(answer) or values(thing.read(key)) == [text],
        expected=f"{length} characters, or a refusal",
        actual=shown(answer),
    )


@pytest.mark.requirement("TIO-WR-006")
@pytest.mark.parametrize(
    "value",
    [0, 1, -1, 9000, 2**31, -(2**31) - 1, 2**32, 9007199254740991, -9007199254740991,
     21.5, -0.25, 24.805999999999997, 0.1, 3.141592653589793, 1e-7, 1.5e300],
)  # fmt: skip
def test_number_stays_the_same_number(thing: Thing, requirement: Judge, value: float) -> None:
    requirement.check(written_and_read(thing, value), expected=[value])


@pytest.mark.requirement("TIO-WR-007")
@pytest.mark.parametrize("value", [True, False])
def test_boolean_stays_boolean(thing: Thing, requirement: Judge, value: bool) -> None:
    requirement.check(written_and_read(thing, value), expected=[value])


@pytest.mark.requirement("TIO-WR-008")
@pytest.mark.parametrize(
    "value",
    [
        pytest.param([], id="empty"),
        pytest.param([3, 1, 2], id="unsorted"),
        pytest.param(["1", 1, True, 1.5, None], id="mixed"),
        pytest.param([[1, [2, [3, []]]]], id="nested"),
        pytest.param([{"a": 1}, {"a": 1}], id="objects-twice"),
        pytest.param(["only one"], id="single"),
    ],
)
def test_array_stays_the_same_array(thing: Thing, requirement: Judge, value: list[Any]) -> None:
    requirement.check(written_and_read(thing, value), expected=[value])


@pytest.mark.requirement("TIO-WR-009")
@pytest.mark.parametrize(
    "value",
    [
        pytest.param({}, id="empty"),
        pytest.param({"a": {"b": {"c": {"d": [1, {"e": False}]}}}}, id="nested"),
        pytest.param({"n": 1, "s": "1", "b": True, "z": None, "l": [], "o": {}}, id="types"),
        pytest.param({"key": "k", "value": 1, "datetime": "x", "geo": 0}, id="own-words"),
        pytest.param({"": 1, "a.b": 2, "$c": 3, "ä": 4, "With Case": 5}, id="names"),
        pytest.param({"__proto__": 1, "constructor": {"toString": 2}}, id="script-names"),
    ],
)
def test_object_stays_the_same_object(
    thing: Thing, requirement: Judge, value: dict[str, Any]
) -> None:
    requirement.check(written_and_read(thing, value), expected=[value])


@pytest.mark.requirement("TIO-WR-010")
@pytest.mark.parametrize(
    "value",
    [
        pytest.param("Grüße, naïve façade", id="latin"),
        pytest.param("温度 Температура θερμοκρασία حرارة", id="scripts"),
        pytest.param("21 °C ± ½ µ€", id="signs"),
        pytest.param("🌡️ 😀 𝄞", id="beyond-first-plane"),
        pytest.param("e\u0301 is not \u00e9", id="not-normalised"),
        pytest.param('say "hi" \\ back / slash', id="quotes"),
        pytest.param("line\nend\r\n\ttab", id="line-ends"),
        pytest.param("<script>alert('&amp;')</script>", id="markup"),
        pytest.param("'; DROP TABLE things; --", id="sql"),
        pytest.param("\u2028\u2029\ufeff\u200b", id="invisible"),
        pytest.param("\ufefffirst", id="mark-first"),
        pytest.param("\x01\x08\x0c\x1b\x1f\x7f", id="control"),
        pytest.param("a\x00b", id="nul"),
    ],
)
def test_every_character_comes_back(thing: Thing, requirement: Judge, value: str) -> None:
    requirement.check(written_and_read(thing, value), expected=[value])


@pytest.mark.requirement("TIO-WR-010")
@pytest.mark.parametrize("text", ["Grüße 21 °C", "温度", "😀"])
def test_characters_may_be_sent_unescaped(thing: Thing, requirement: Judge, text: str) -> None:
    key = thing.key("utf-8")

    thing.api.send(
        "POST",
        f"/v2/things/{thing.token}",
        body=f'{{"values":[{{"key":"{key}","value":"{text}"}}]}}'.encode(),
        headers={"Content-Type": "application/json"},
    )

    requirement.check(values(thing.read(key)), expected=[text])


@pytest.mark.requirement("TIO-WR-011")
def test_null_comes_back(thing: Thing, requirement: Judge) -> None:
    requirement.check(written_and_read(thing, None), expected=[None])


@pytest.mark.requirement("TIO-WR-012")
def test_every_key_of_a_request_is_stored(thing: Thing, requirement: Judge) -> None:
    keys = [thing.key(name) for name in ("one", "two", "three", "four")]

    thing.write([{"key": key, "value": number} for number, key in enumerate(keys)])

    requirement.check([values(thing.read(key)) for key in keys], expected=[[0], [1], [2], [3]])


@pytest.mark.requirement("TIO-WR-013")
@pytest.mark.parametrize("query", [{}, {"store": "true"}], ids=["plain", "store"])
def test_value_is_stored_once(thing: Thing, requirement: Judge, query: dict[str, str]) -> None:
    key = thing.key("once")

    thing.write([{"key": key, "value": "only"}], **query)

    requirement.check(values(thing.read(key, limit=10)), expected=["only"])


@pytest.mark.requirement("TIO-WR-014")
def test_hundred_values_are_stored(thing: Thing, requirement: Judge) -> None:
    keys = [thing.key("first"), thing.key("last")]
    batch = [
        {"key": keys[n // 50], "value": n, "datetime": f"2024013112{n // 60:02}{n % 60:02}"}
        for n in range(100)
    ]

    thing.write(batch)

    stored = [values(thing.read(key, limit=100)) for key in keys]
    requirement.check(stored, expected=[list(range(49, -1, -1)), list(range(99, 49, -1))])


@pytest.mark.requirement("TIO-WR-015")
def test_thousand_values_are_accepted(thing: Thing, requirement: Judge) -> None:
    answer = thing.write([{"key": thing.key("many"), "value": n} for n in range(1000)])

    requirement.check_in(answer.status, accepted=[201, 200])


@pytest.mark.requirement("TIO-WR-016")
@pytest.mark.parametrize(
    "name",
    ["lower", "UPPER", "Mixed9", "0123456789", "a.b", "a-b", "a_b", "analog_light", "v1.2-rc_3"],
)
def test_key_alphabet(thing: Thing, requirement: Judge, name: str) -> None:
    key = thing.key("alphabet") + name

    thing.write([{"key": key, "value": name}])

    requirement.check(values(thing.read(key)), expected=[name])


@pytest.mark.requirement("TIO-WR-016")
@pytest.mark.parametrize("symbol", [".", "-", "_"])
def test_key_may_end_in_a_symbol(thing: Thing, requirement: Judge, symbol: str) -> None:
    key = thing.key("end") + symbol

    thing.write([{"key": key, "value": 1}])

    requirement.check(values(thing.read(key)), expected=[1])


@pytest.mark.requirement("TIO-WR-016")
@pytest.mark.parametrize("symbol", ["7", ".", "-", "_"])
def test_key_may_begin_with_any_symbol(thing: Thing, requirement: Judge, symbol: str) -> None:
    key = symbol + thing.key("begin")

    thing.write([{"key": key, "value": 1}])

    requirement.check(values(thing.read(key)), expected=[1])


@pytest.mark.requirement("TIO-WR-017")
@pytest.mark.parametrize("twins", [("led", "LED"), ("a.b", "a_b"), ("a-b", "a_b"), ("t", "tt")])
def test_similar_keys_are_different_resources(
    thing: Thing, requirement: Judge, twins: tuple[str, str]
) -> None:
    stem = thing.key("twin")
    first, second = (stem + name for name in twins)

    thing.write([{"key": first, "value": 1}])
    thing.write([{"key": second, "value": 2}])

    rows = [thing.read(key, limit=10).json for key in (first, second)]
    told = [[(row.get("key"), row.get("value")) for row in each] for each in rows if is_rows(each)]
    requirement.check(told, expected=[[(first, 1)], [(second, 2)]])


@pytest.mark.requirement("TIO-WR-017")
@pytest.mark.parametrize("length", [65, 129, 257])
def test_long_keys_are_refused_or_kept_whole(thing: Thing, requirement: Judge, length: int) -> None:
    stem = thing.key("long").ljust(length - 1, "k")
    keys = [f"{stem}1", f"{stem}2"]

    answers = [thing.write([{"key": key, "value": key[-1]}]) for key in keys]

    stored = [values(thing.read(key, limit=10)) for key in keys]
    requirement.check_that(
        all(map(is_refused, answers)) or stored == [["1"], ["2"]],
        expected=f"two resources with keys of {length} characters, or refusals",
        actual=stored,
    )


@pytest.mark.requirement("TIO-WR-018")
@pytest.mark.parametrize("name", BAD_KEYS)
def test_key_outside_the_alphabet_is_refused(thing: Thing, requirement: Judge, name: str) -> None:
    answer = thing.write([{"key": thing.key("bad") + name, "value": 1}])

    requirement.check_that(is_refused(answer), expected=f"a 4xx with {ERROR}", actual=shown(answer))


@pytest.mark.requirement("TIO-WR-019")
@pytest.mark.parametrize("name", BAD_KEYS)
def test_key_outside_the_alphabet_is_400(thing: Thing, requirement: Judge, name: str) -> None:
    requirement.check(
        thing.write([{"key": thing.key("bad") + name, "value": 1}]).status, expected=400
    )


@pytest.mark.requirement("TIO-WR-020")
@pytest.mark.parametrize(
    "rest",
    [
        pytest.param('"value":1,"datetime":"never"', id="bad-datetime"),
        pytest.param('"datetime":"20240131120000"', id="no-value"),
        pytest.param('"value":1,"geo":"nowhere"', id="bad-geo"),
    ],
)
def test_refused_write_leaves_nothing(
    thing: Thing, api: ThethingsClient, requirement: Judge, rest: str
) -> None:
    key = thing.key("refused")

    answer = api.send(
        "POST",
        f"/v2/things/{thing.token}",
        body=f'{{"values":[{{"key":"{key}",{rest}}}]}}'.encode(),
        headers={"Content-Type": "application/json"},
    )

    left = values(thing.read(key))
    was_taken = answer.is_success and not is_error(answer.json)
    requirement.check_that(
        was_taken or not isinstance(left, list) or left == [], expected="no rows", actual=left
    )


@pytest.mark.requirement("TIO-WR-021")
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'{"values":[{"key":"a","value":1}]', id="cut-short"),
        pytest.param(b"temperature=21", id="plain-text"),
        pytest.param(b"{'values':[]}", id="single-quotes"),
        pytest.param(b'{"values":[{"key":"a","value":1}]} trailing', id="trailing"),
        pytest.param(b'{"values":[{"key":"a","value":"\xff\xfe"}]}', id="not-utf-8"),
        pytest.param(b'{"values":[{"key":"a","value":1},]}', id="comma-too-many"),
        pytest.param(b'{"values":[{"key":"a","value":NaN}]}', id="nan"),
        pytest.param(b'{"values":[{"key":"a","value":-Infinity}]}', id="infinity"),
    ],
)
def test_body_that_is_not_json_is_400(
    thing: Thing, api: ThethingsClient, requirement: Judge, body: bytes
) -> None:
    answer = api.send(
        "POST",
        f"/v2/things/{thing.token}",
        body=body,
        headers={"Content-Type": "application/json"},
    )

    requirement.check([answer.status, is_error(answer.json)], expected=[400, True])


@pytest.mark.requirement("TIO-WR-022")
@pytest.mark.parametrize(
    "document",
    [
        pytest.param({}, id="empty-object"),
        pytest.param({"value": 1, "key": "a"}, id="value-without-list"),
        pytest.param({"values": "none"}, id="values-string"),
        pytest.param({"values": 7}, id="values-number"),
        pytest.param({"values": None}, id="values-null"),
        pytest.param([], id="array"),
        pytest.param("text", id="string"),
        pytest.param(None, id="null"),
    ],
)
def test_body_without_values_is_400(thing: Thing, requirement: Judge, document: Any) -> None:
    answer = thing.api.send("POST", f"/v2/things/{thing.token}", json=document)

    requirement.check([answer.status, is_error(answer.json)], expected=[400, True])


@pytest.mark.requirement("TIO-WR-023")
@pytest.mark.parametrize(
    "item",
    [
        pytest.param({"value": 1}, id="no-key"),
        pytest.param({}, id="empty"),
        pytest.param("text", id="string"),
        pytest.param(7, id="number"),
        pytest.param(None, id="null"),
    ],
)
def test_value_without_key_is_400(thing: Thing, requirement: Judge, item: Any) -> None:
    answer = thing.write([item])

    requirement.check([answer.status, is_error(answer.json)], expected=[400, True])


@pytest.mark.requirement("TIO-WR-024")
def test_key_without_value_is_400(thing: Thing, requirement: Judge) -> None:
    answer = thing.write([{"key": thing.key("novalue")}])

    requirement.check([answer.status, is_error(answer.json)], expected=[400, True])


@pytest.mark.requirement("TIO-WR-025")
def test_empty_list_of_values_is_400(thing: Thing, requirement: Judge) -> None:
    requirement.check(thing.write([]).status, expected=400)


@pytest.mark.requirement("TIO-WR-026")
def test_one_bad_value_keeps_the_others_out(thing: Thing, requirement: Judge) -> None:
    key = thing.key("good")

    thing.write([{"key": key, "value": 1}, {"key": "bad key", "value": 2}])

    requirement.check(thing.read(key).status, expected=404)


@pytest.mark.requirement("TIO-WR-027")
def test_write_with_unknown_token_is_refused(
    api: ThethingsClient, unknown_token: str, requirement: Judge
) -> None:
    answer = api.write(unknown_token, [{"key": "a", "value": 1}])

    requirement.check_in(answer.status, accepted=REFUSED_TOKEN)
    requirement.check_that(is_error(answer.json), expected=ERROR, actual=shown(answer))


@pytest.mark.requirement("TIO-WR-028")
def test_write_with_unknown_token_says_so(
    api: ThethingsClient, unknown_token: str, requirement: Judge
) -> None:
    answer = api.write(unknown_token, [{"key": "a", "value": 1}]).json

    message = answer.get("message") if isinstance(answer, dict) else answer
    requirement.check(message, expected="Thing token doesn't exist")


@pytest.mark.requirement("TIO-WR-029")
def test_store_false_is_not_stored(thing: Thing, requirement: Judge) -> None:
    key = thing.key("volatile")
    thing.given([{"key": key, "value": "kept"}])

    answer = thing.write([{"key": key, "value": "passing"}], store="false")

    requirement.check(answer.is_success, expected=True)
    requirement.check(values(thing.read(key, limit=10)), expected=["kept"])


@pytest.mark.requirement("TIO-WR-029")
def test_store_false_counts_for_every_value(thing: Thing, requirement: Judge) -> None:
    key = thing.key("volatile")
    thing.given([{"key": key, "value": "kept"}])

    thing.write([{"key": key, "value": n} for n in range(3)], store="false")

    requirement.check(values(thing.read(key, limit=10)), expected=["kept"])


@pytest.mark.requirement("TIO-WR-030")
def test_broadcast_false_is_stored(thing: Thing, requirement: Judge) -> None:
    key = thing.key("quiet")

    thing.write([{"key": key, "value": "kept"}], broadcast="false")

    requirement.check(values(thing.read(key, limit=10)), expected=["kept"])


@pytest.mark.requirement("TIO-WR-031")
@pytest.mark.parametrize("parameter", ["store", "broadcast"])
def test_true_is_the_default(thing: Thing, requirement: Judge, parameter: str) -> None:
    key = thing.key("explicit")

    thing.write([{"key": key, "value": "kept"}], **{parameter: "true"})

    requirement.check(values(thing.read(key, limit=10)), expected=["kept"])


@pytest.mark.requirement("TIO-WR-032")
def test_neither_stored_nor_broadcast(thing: Thing, requirement: Judge) -> None:
    key = thing.key("nowhere")

    answer = thing.write([{"key": key, "value": 1}], store="false", broadcast="false")

    requirement.check_in(answer.status, accepted=[201, 200])
    requirement.check(thing.read(key).status, expected=404)


@pytest.mark.requirement("TIO-WR-033")
def test_value_with_geo_is_stored(thing: Thing, requirement: Judge) -> None:
    key = thing.key("placed")

    thing.write([{"key": key, "value": 23, "geo": {"lat": 41.4121132, "long": 2.2199454}}])

    requirement.check(values(thing.read(key)), expected=[23])


@pytest.mark.requirement("TIO-WR-034")
def test_geo_in_strings_is_accepted(thing: Thing, requirement: Judge) -> None:
    key = thing.key("placed")

    thing.write([{"key": key, "value": 5, "geo": {"lat": "41.4121", "long": "2.2199"}}])

    requirement.check(values(thing.read(key)), expected=[5])


@pytest.mark.requirement("TIO-WR-035")
def test_geo_that_is_shown_is_the_one_sent(thing: Thing, requirement: Judge) -> None:
    key = thing.key("placed")
    thing.given([{"key": key, "value": 23, "geo": {"lat": 41.4121132, "long": 2.2199454}}])

    row = first_row(thing.read(key).json)

    sent = {"lat": 41.4121132, "long": 2.2199454}
    requirement.check(row.get("geo", sent), expected=sent)


@pytest.mark.requirement("TIO-WR-036")
def test_value_is_stored_at_its_datetime(thing: Thing, requirement: Judge) -> None:
    key = thing.key("dated")

    thing.write([{"key": key, "value": 23, "datetime": "20150520130000"}])

    requirement.check(datetimes(thing.read(key)), expected=["2015-05-20T13:00:00.000Z"])


@pytest.mark.requirement("TIO-WR-037")
def test_dated_values_are_sorted(thing: Thing, requirement: Judge) -> None:
    key = thing.key("batch")
    hours = {13: 23, 14: 24, 15: 25, 12: 22}

    thing.write(
        [{"key": key, "value": v, "datetime": f"20150520{h}0000"} for h, v in hours.items()]
    )

    requirement.check(values(thing.read(key, limit=10)), expected=[25, 24, 23, 22])


@pytest.mark.requirement("TIO-WR-038")
def test_each_value_keeps_its_own_datetime(thing: Thing, requirement: Judge) -> None:
    key, other = thing.key("mixed"), thing.key("other")

    thing.write(
        [
            {"key": key, "value": "then", "datetime": "20150520130000"},
            {"key": other, "value": "now"},
            {"key": key, "value": "earlier", "datetime": "20140520130000"},
            {"key": key, "value": "now"},
        ]
    )

    requirement.check(values(thing.read(key, limit=10)), expected=["now", "then", "earlier"])
    requirement.check(values(thing.read(other, startDate="20200101000000")), expected=["now"])


@pytest.mark.requirement("TIO-WR-039")
def test_undated_value_has_the_time_of_receipt(thing: Thing, requirement: Judge) -> None:
    key = thing.key("now")

    thing.given([{"key": key, "value": 1}])
    now = datetime.now(UTC)

    stamp = first_row(thing.read(key).json).get("datetime")
    requirement.check_that(
        seconds_apart(stamp, now) <= 5.0, expected=f"{now.isoformat()}, to 5 s", actual=stamp
    )


@pytest.mark.requirement("TIO-WR-040")
def test_time_of_receipt_has_milliseconds(thing: Thing, requirement: Judge) -> None:
    key = thing.key("now")
    for number in range(6):
        thing.given([{"key": key, "value": number}])

    stamps = datetimes(thing.read(key, limit=6))

    requirement.check_that(
        len(stamps) == 6 and any(not str(stamp).endswith("0Z") for stamp in stamps),
        expected="six times of receipt, not all of them whole hundredths of a second",
        actual=stamps,
    )


@pytest.mark.requirement("TIO-WR-041")
def test_one_request_has_one_time_of_receipt(thing: Thing, requirement: Judge) -> None:
    keys = [thing.key("one"), thing.key("two")]
    thing.given([{"key": key, "value": 1} for key in keys])

    first, second = (datetimes(thing.read(key)) for key in keys)

    requirement.check(second, expected=first)


@pytest.mark.requirement("TIO-WR-042")
def test_equal_datetimes_are_both_kept(thing: Thing, requirement: Judge) -> None:
    key = thing.key("twice")
    for value in ("first", "second"):
        thing.given([{"key": key, "value": value, "datetime": "20240131120000"}])

    requirement.check(values(thing.read(key, limit=10)), expected=["second", "first"])


@pytest.mark.requirement("TIO-WR-043")
def test_further_writes_add_rows(thing: Thing, requirement: Judge) -> None:
    key = thing.key("series")

    for minute in range(4):
        thing.write([{"key": key, "value": minute, "datetime": f"202401311200{minute:02}"}])

    requirement.check(values(thing.read(key, limit=10)), expected=[3, 2, 1, 0])


@pytest.mark.requirement("TIO-WR-043")
def test_equal_values_are_rows_of_their_own(thing: Thing, requirement: Judge) -> None:
    key = thing.key("steady")

    for minute in range(3):
        thing.write([{"key": key, "value": 21.5, "datetime": f"202401311200{minute:02}"}])

    requirement.check(values(thing.read(key, limit=10)), expected=[21.5, 21.5, 21.5])


@pytest.mark.requirement("TIO-WR-043")
def test_writes_at_the_same_time_are_all_stored(thing: Thing, requirement: Judge) -> None:
    key = thing.key("together")
    batches = [[{"key": key, "value": n, "datetime": f"202401311200{n:02}"}] for n in range(12)]

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(thing.write, batches))

    accepted = [n for n, answer in enumerate(answers) if answer.is_success]
    requirement.check(values(thing.read(key, limit=20)), expected=accepted[::-1])


@pytest.mark.requirement("TIO-WR-044")
def test_content_type_may_carry_a_charset(
    thing: Thing, api: ThethingsClient, requirement: Judge
) -> None:
    key = thing.key("charset")

    api.send(
        "POST",
        f"/v2/things/{thing.token}",
        body=f'{{"values":[{{"key":"{key}","value":"°"}}]}}'.encode(),
        headers={"Content-Type": "application/json; charset=utf-8"},
    )

    requirement.check(values(thing.read(key)), expected=["°"])


def written_and_read(thing: Thing, value: Any) -> Any:
    """Write one value under a fresh key; what a read of that key brings."""
    key = thing.key("value")
    thing.write([{"key": key, "value": value}])
    return values(thing.read(key))


def is_rows(document: Any) -> bool:
    """Whether a document is an array of objects."""
    return isinstance(document, list) and all(isinstance(row, dict) for row in document)


def first_row(document: Any) -> dict[str, Any]:
    """The first row of a read, or an empty one."""
    return document[0] if is_rows(document) and document else {}
