"""Windows of nodes: what counts as caught, and what a transceiver does with one thing at a time."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest
import simpy

from simulators.lorawan.airtime import time_on_air_us
from simulators.lorawan.modulation import Fsk, Lora, Modulation
from simulators.radio.medium import FOREVER_US
from simulators.radio.mobility import Mobility, Route, Still
from simulators.radio.node_radio import MediumRadio
from simulators.radio.transmission import Reception
from tests.simulators.radio.air import CHANNEL_HZ, FRAME, SF7, SF9, SF12, Air, air
from tests.simulators.radio.test_medium import Book

SYMBOL_US = 1024  # of SF7
PREAMBLE_US = 8 * SYMBOL_US
NEAR = (30.0, 0.0, 0.0)


def radio(there: Air, name: str = "node", mobility: Mobility | None = None) -> MediumRadio:
    return MediumRadio(there.clock, there.medium, name, mobility or Still((0.0, 0.0, 0.0)))


def listened(
    there: Air, open_us: int, close_us: int, modulation: Modulation = SF7
) -> list[tuple[int, str | None]]:
    """What one window comes to: the time, and the sender of what was heard."""
    ends: list[tuple[int, str | None]] = []
    event = radio(there).listen(
        frequency_hz=CHANNEL_HZ, modulation=modulation, open_us=open_us, close_us=close_us
    )
    event.callbacks.append(lambda done: ends.append((there.clock.now_us(), sender(done))))
    there.clock.run(until=60_000_000)
    return ends


def sender(event: simpy.Event) -> str | None:
    reception: Any = event.value
    return None if reception is None else reception.transmission.sender


def downlink(there: Air, at_us: int, **options: Any) -> int:
    return there.send("server", at_us, is_downlink=True, **{"position": NEAR, **options})


@pytest.mark.parametrize(
    ("opens_us", "closes_us", "is_caught"),
    [
        pytest.param(0, PREAMBLE_US, True, id="the whole preamble"),
        pytest.param(3 * SYMBOL_US, PREAMBLE_US, True, id="its last five symbols"),
        pytest.param(3 * SYMBOL_US + 1, PREAMBLE_US, False, id="a little less at the beginning"),
        pytest.param(-100_000, 5 * SYMBOL_US, True, id="its first five symbols"),
        pytest.param(-100_000, 5 * SYMBOL_US - 1, False, id="a little less at the end"),
        pytest.param(100_000, 200_000, False, id="none of it"),
    ],
)
def test_five_symbols_of_the_preamble_must_lie_within_the_window(
    opens_us: int, closes_us: int, is_caught: bool
) -> None:
    there = air()
    end_us = downlink(there, 1_000_000)
    ends = listened(there, 1_000_000 + opens_us, 1_000_000 + closes_us)
    assert ends == [(end_us, "server") if is_caught else (1_000_000 + closes_us, None)]


def test_a_window_that_is_opened_while_the_preamble_lasts_catches_the_frame() -> None:
    there = air()
    end_us = downlink(there, 1_000_000)
    there.clock.run(until=1_000_000 + 2 * SYMBOL_US)
    assert listened(there, there.clock.now_us(), 1_100_000) == [(end_us, "server")]


def test_an_empty_window_ends_when_it_closes() -> None:
    assert listened(air(), 1_000_000, 1_030_000) == [(1_030_000, None)]


@pytest.mark.parametrize("other", [{"frequency_hz": 868_300_000}, {"modulation": SF9}])
def test_a_frame_that_the_window_is_not_tuned_to_is_not_heard(other: dict[str, Any]) -> None:
    there = air()
    downlink(there, 1_000_000, **other)
    assert listened(there, 900_000, 1_100_000) == [(1_100_000, None)]


def test_the_coding_rate_stands_in_the_header_and_need_not_be_known() -> None:
    there = air()
    end_us = downlink(there, 1_000_000, modulation=Lora(7, 125_000, "4/8"))
    assert listened(there, 900_000, 1_100_000) == [(end_us, "server")]


def test_uplinks_of_other_nodes_are_not_heard() -> None:
    there = air()
    there.send("another", 1_000_000, position=NEAR)
    assert listened(there, 900_000, 1_100_000) == [(1_100_000, None)]


def test_fsk_needs_two_bytes_of_its_preamble() -> None:
    fsk = Fsk(50_000)
    for opens_us, heard in ((3 * 160, "server"), (3 * 160 + 1, None)):
        there = air()
        end_us = downlink(there, 1_000_000, modulation=fsk, position=(10.0, 0.0, 0.0))
        ends = listened(there, 1_000_000 + opens_us, 1_000_000 + 800, fsk)
        assert ends == [(end_us if heard else 1_000_800, heard)]


def test_a_frame_caught_and_disturbed_ends_a_window_that_has_closed() -> None:
    there = air()
    end_us = downlink(there, 1_000_000)
    there.send("another", 1_020_000, position=NEAR)
    assert listened(there, 999_000, 1_010_000) == [(end_us, None)]


def test_after_a_disturbed_frame_an_open_window_goes_on() -> None:
    there = air()
    downlink(there, 1_000_000)
    there.send("another", 1_020_000, position=NEAR)
    end_us = downlink(there, 2_000_000)
    assert listened(there, 999_000, FOREVER_US) == [(end_us, "server")]


def test_an_open_end_leaves_nothing_behind_when_replaced() -> None:
    """A class C node opens such windows all its life."""
    there = air()
    node = radio(there)
    for _ in range(1000):
        node.listen(
            frequency_hz=CHANNEL_HZ, modulation=SF12, open_us=there.clock.now_us(),
            close_us=FOREVER_US,
        )  # fmt: skip
    assert there.clock.peek() == float("inf")


def test_the_event_of_a_replaced_window_never_happens() -> None:
    there = air()
    node = radio(there)
    happened = []
    for modulation in (SF12, SF7):
        event = node.listen(
            frequency_hz=CHANNEL_HZ, modulation=modulation, open_us=0, close_us=5_000_000
        )
        event.callbacks.append(lambda _, which=modulation: happened.append(which))
    downlink(there, 1_000_000)
    there.clock.run()
    assert happened == [SF7]


def test_a_node_that_sends_does_not_listen() -> None:
    there = air()
    node = radio(there)
    event = node.listen(frequency_hz=CHANNEL_HZ, modulation=SF7, open_us=0, close_us=5_000_000)
    end_us = node.transmit(FRAME, frequency_hz=868_300_000, modulation=SF7, power_dbm=14.0)
    downlink(there, 1_000_000)
    there.clock.run()
    assert end_us == time_on_air_us(SF7, len(FRAME)) == 56_576
    assert not event.triggered


def test_a_window_must_close_after_it_opens() -> None:
    with pytest.raises(ValueError, match="expected a window after 10 µs; got one until 9 µs"):
        radio(air()).listen(frequency_hz=CHANNEL_HZ, modulation=SF7, open_us=10, close_us=9)


def test_uplink_and_answer_between_two_processes() -> None:
    """The usual exchange: node sends, gateway answers a second later, node hears it in RX1."""
    there = air()
    node = radio(there)
    heard: list[Reception | None] = []

    def device() -> Generator[simpy.Event, Any, None]:
        end_us = node.transmit(FRAME, frequency_hz=CHANNEL_HZ, modulation=SF7, power_dbm=14.0)
        heard.append(
            (
                yield node.listen(
                    frequency_hz=CHANNEL_HZ, modulation=SF7,
                    open_us=end_us + 990_000, close_us=end_us + 1_030_000,
                )
            )
        )  # fmt: skip

    there.clock.process(device())
    end_us = downlink(there, 1_056_576, payload=b"answer")
    there.clock.run()
    assert [each and each.transmission.payload for each in heard] == [b"answer"]
    assert there.clock.now_us() == end_us
    assert there.gateway.outcomes == [(56_576, "node", None)]


def test_a_node_that_walks_away_is_heard_until_it_is_too_far() -> None:
    there = air()
    route = Route([(0, NEAR), (100_000_000, (3000.0, 0.0, 0.0))])
    node = radio(there, "walker", route)

    def device() -> Generator[simpy.Event, Any, None]:
        for _ in range(5):
            node.transmit(FRAME, frequency_hz=CHANNEL_HZ, modulation=SF7, power_dbm=14.0)
            yield there.clock.timeout(20_000_000)

    there.clock.process(device())
    there.clock.run()
    assert [reason for _, _, reason in there.gateway.outcomes] == [
        None, "too weak", "too weak", "too weak", "too weak",
    ]  # fmt: skip
    assert there.gateway.receptions[0].rssi_dbm == pytest.approx(-110.8, abs=0.05)


def test_an_observer_learns_why_a_tuned_node_did_not_hear() -> None:
    there = air()
    there.medium.observer = book = Book()
    for name, open_us, place in (
        ("early", 0, NEAR), ("late", 1_020_000, NEAR), ("far", 0, (9000.0, 0.0, 0.0)),
        ("right", 0, NEAR),
    ):  # fmt: skip
        radio(there, name, Still(place)).listen(
            frequency_hz=CHANNEL_HZ, modulation=SF7, open_us=open_us,
            close_us=1_001_000 if name == "early" else 2_000_000,
        )  # fmt: skip
    downlink(there, 1_000_000)
    there.clock.run()
    assert book.lines[1:] == [
        ("lost", "early", "server", "window missed"),
        ("lost", "late", "server", "window missed"),
        ("lost", "far", "server", "too weak"),
        ("heard", "right", "server"),
    ]


def test_a_busy_node_has_no_second_demodulator() -> None:
    there = air()
    there.medium.observer = book = Book()
    downlink(there, 1_000_000, payload=bytes(100))
    downlink(there, 1_100_000, power_dbm=-5.0)
    listened(there, 0, 2_000_000)
    assert book.lines[2:] == [
        ("lost", "node", "server", "no demodulator"),
        ("heard", "node", "server"),
    ]
