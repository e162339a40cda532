"""The line finder follows every TOML text that tomllib accepts, and gets stuck in none."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scenarios.toml_lines import Where, line_numbers

FRAGMENTS = (
    "a", "b", "c.d", '"e f"', "'g'", " = ", "=", "\n", "\n\n", "[", "]", "[[", "]]", "{", "}", ",",
    "1", "-2.5e3", "true", "1979-05-27T07:32:00Z", '"x # y"', "'it\"s'", '"""q\n"w" \\"""e"""',
    "'''r\n's'''", '""', "# note\n", " ", "\t", '"\\"\\u0041"', '""""two""""',
)  # fmt: skip


def paths(value: Any, where: Where = ()) -> Iterator[Where]:
    yield where
    if isinstance(value, dict):
        for key, item in value.items():
            yield from paths(item, (*where, key))
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from paths(item, (*where, position))


def check(text: str) -> None:
    document = tomllib.loads(text)
    lines = line_numbers(text)
    assert set(paths(document)) <= set(lines)
    assert all(1 <= line <= text.count("\n") + 1 for line in lines.values())


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=25).map("".join))
@example("[[a]]\n[[a.b]]\nc.d=1\n[[a.b]]\n[a.b.c]\n[a.e]\n[[a]]\n")
@example("a = [ # one\n [1, 2], # two\n {b = [3,\n4]},\n]\n")
@example('a = """"two""""\nb = 1')
@example("a = ''''x''''\nb = {}\n")
@example("[a]\nb.c = {d.e = 1}\n[a.f]")
def test_every_key_of_a_valid_text_is_found(text: str) -> None:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    check(text)


tables = st.recursive(
    st.one_of(st.integers(), st.text(max_size=8), st.booleans()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=5), tables, max_size=4))
def test_every_key_of_a_written_document_is_found(document: dict[str, Any]) -> None:
    text = "".join(f"{quoted(key)} = {written(value)}\n" for key, value in document.items())
    assert tomllib.loads(text) == document
    check(text)


def quoted(text: str) -> str:
    escaped = "".join(c if c.isalnum() else f"\\U{ord(c):08x}" for c in text)
    return f'"{escaped}"'


def written(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quoted(k)} = {written(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[\n" + ",\n".join(map(written, value)) + "\n]"
    if isinstance(value, bool):
        return str(value).lower()
    return quoted(value) if isinstance(value, str) else str(value)


@pytest.mark.parametrize("text", ["", "# only a note", "\n\n", "a=1"])
def test_short_texts(text: str) -> None:
    check(text)
