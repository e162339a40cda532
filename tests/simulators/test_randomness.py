"""Named random streams: stable, independent, free of the interpreter's hash seed."""

from __future__ import annotations

import subprocess
import sys

from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.randomness import RandomStreams, SmallRandom

PUBLISHED = 11356044162549210053
names = st.lists(st.text(max_size=5) | st.integers(), min_size=1, max_size=3)


def test_a_stream_is_a_published_value() -> None:
    assert RandomStreams(1).integer("device", "thermometer-1") == PUBLISHED
    assert RandomStreams(1).stream("a").random() == RandomStreams(1).stream("a").random()


def test_the_hash_seed_changes_nothing() -> None:
    program = (
        "from simulators.randomness import RandomStreams;"
        "print(RandomStreams(1).integer('device', 'thermometer-1'))"
    )
    texts = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "2")
    }

    assert texts == {f"{PUBLISHED}\n"}


@settings(deadline=None, max_examples=50)
@given(st.integers(), names, names)
def test_different_names_are_different_streams(
    seed: int, one: list[str | int], other: list[str | int]
) -> None:
    streams = RandomStreams(seed)
    texts = ["\x1f".join(map(str, name)) for name in (one, other)]

    same = streams.stream(*one).random() == streams.stream(*other).random()

    assert same == (texts[0] == texts[1])


def test_a_small_stream_is_the_published_sequence() -> None:
    """SplitMix64 from the seed 1234567, the upper 53 bits of each value."""
    published = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    small = SmallRandom(1234567)

    assert [int(small.random() * 2**53) for _ in published] == [value >> 11 for value in published]


def test_small_streams_are_named_as_the_others() -> None:
    streams = RandomStreams(1)

    assert streams.small_stream("a", 1).random() == streams.small_stream("a", 1).random()
    assert streams.small_stream("a", 1).random() != streams.small_stream("a", 2).random()
