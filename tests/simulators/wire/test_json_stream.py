"""The stream reader is fed whole, byte by byte, and in random cuts: the documents are the same."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.wire.json_stream import JsonStream, JsonStreamError

settings.register_profile("streams", deadline=None, max_examples=60)
settings.load_profile("streams")
texts = st.text(max_size=8)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
containers = st.lists(values, max_size=4) | st.dictionaries(texts, values, max_size=4)
gaps = st.text(alphabet=" \t\r\n", max_size=3)


def joined(documents: list[Any], spaces: list[str], *, ascii_only: bool) -> bytes:
    texts = [json.dumps(document, ensure_ascii=ascii_only) for document in documents]
    pieces = [text + space for text, space in zip(texts, spaces, strict=True)]
    return "".join(pieces).encode("utf-8", "surrogatepass" if ascii_only else "strict")


@st.composite
def streams(draw: st.DrawFn, documents: Any = containers) -> tuple[list[Any], bytes]:
    chosen = draw(st.lists(documents, max_size=5))
    spaces = draw(st.lists(gaps, min_size=len(chosen), max_size=len(chosen)))
    return chosen, joined(chosen, spaces, ascii_only=draw(st.booleans()))


@given(streams())
def test_whole_and_coalesced(case: tuple[list[Any], bytes]) -> None:
    documents, data = case

    assert JsonStream().feed(data) == documents


@given(streams())
def test_byte_by_byte(case: tuple[list[Any], bytes]) -> None:
    documents, data = case
    reader = JsonStream()

    assert [d for i in range(len(data)) for d in reader.feed(data[i : i + 1])] == documents
    assert reader.finish() == []


@given(streams(), st.lists(st.integers(min_value=0, max_value=400), max_size=6))
def test_cut_anywhere(case: tuple[list[Any], bytes], cuts: list[int]) -> None:
    documents, data = case
    reader = JsonStream()
    borders = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [data[a:b] for a, b in itertools.pairwise(borders)]

    assert [document for piece in pieces for document in reader.feed(piece)] == documents


@given(st.lists(values, max_size=5))
def test_any_documents_between_newlines(documents: list[Any]) -> None:
    data = joined(documents, ["\n"] * len(documents), ascii_only=True)

    assert JsonStream().feed(data) == documents


@given(streams())
def test_every_prefix_gives_the_first_documents_only(case: tuple[list[Any], bytes]) -> None:
    documents, data = case
    for end in range(len(data)):
        got = JsonStream().feed(data[:end])
        assert got == documents[: len(got)]


@given(st.binary(max_size=60))
def test_random_bytes_give_documents_or_the_one_error(data: bytes) -> None:
    reader = JsonStream()
    try:
        documents = reader.feed(data) + reader.finish()
    except JsonStreamError:
        return
    assert json.loads(f"[{','.join(json.dumps(d) for d in documents)}]") == documents


@pytest.mark.parametrize(
    ("data", "documents"),
    [
        pytest.param(b'{"a":"}]\\"{["}[]', [{"a": '}]"{['}, []], id="brackets in strings"),
        pytest.param(b'"\\\\"{}', ["\\", {}], id="escaped backslash before the quote"),
        pytest.param(b"1 true null ", [1, True, None], id="words"),
        pytest.param(b'1{"a":2}3 ', [1, {"a": 2}, 3], id="word directly before an object"),
        pytest.param(b" \r\n\t", [], id="whitespace alone"),
    ],
)
def test_borders(data: bytes, documents: list[Any]) -> None:
    assert JsonStream().feed(data) == documents


def test_a_last_word_is_complete_at_the_end() -> None:
    reader = JsonStream()

    assert reader.feed(b"12") == []
    assert reader.finish() == [12]


@pytest.mark.parametrize(
    "data", [b"{]", b"[1,]", b"NaN ", b"]", b'"\xff"', b"[" * 100_000 + b"]" * 100_000]
)
def test_what_is_not_json_is_an_error(data: bytes) -> None:
    reader = JsonStream()

    with pytest.raises(JsonStreamError):
        reader.finish() if reader.feed(data) == [] else None


def test_an_endless_document_is_an_error() -> None:
    reader = JsonStream(longest=100)

    with pytest.raises(JsonStreamError, match="at most 100 bytes"):
        reader.feed(b"[" + b"1," * 60)


def test_the_end_within_a_document_is_an_error() -> None:
    reader = JsonStream()
    reader.feed(b'{"a":')

    with pytest.raises(JsonStreamError, match="the stream ended"):
        reader.finish()
