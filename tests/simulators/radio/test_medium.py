"""The medium on its clock: who hears whom, and the reason of every loss."""

from __future__ import annotations

import pytest

from simulators.clock import VirtualClock
from simulators.lorawan.modulation import Fsk, Lora
from simulators.radio.medium import Medium
from simulators.radio.path_loss import PATH_LOSSES, Shadowing
from simulators.radio.sensitivity import SENSITIVITIES
from simulators.radio.transmission import Reception, Transmission
from simulators.randomness import RandomStreams
from tests.simulators.radio.air import CHANNEL_HZ, FRAME, SF7, SF12, Air, Gateway, air

FAR = (10_000.0, 0.0, 0.0)  # 177.3 dB away by LoRaSim's path loss
FIRST_SYMBOLS_US = 5 * 1024  # of SF7; a receiver needs five of them


def test_a_frame_arrives_at_its_end_with_its_level() -> None:
    """14 dBm less 127.41 dB at 40 m; the noise of 125 kHz is -117.03 dBm."""
    there = air()
    there.send("node", 1000, position=(40.0, 0.0, 0.0))
    assert there.outcomes() == {"node": None}
    (reception,) = there.gateway.receptions
    assert there.gateway.outcomes == [(1000 + 56_576, "node", None)]
    assert reception.rssi_dbm == pytest.approx(-113.41)
    assert reception.snr_db == pytest.approx(3.62, abs=0.01)
    assert reception.transmission.payload == FRAME


def test_a_frame_below_the_sensitivity_is_too_weak() -> None:
    there = air()
    there.send("near", 0, modulation=SF12, position=(900.0, 0.0, 0.0))
    there.send("far", 10_000_000, modulation=SF12, position=FAR)
    assert there.outcomes() == {"near": None, "far": "too weak"}


def test_a_channel_that_is_not_listened_to_is_told_apart() -> None:
    there = air(listens=lambda frequency_hz, modulation: frequency_hz == CHANNEL_HZ)
    there.send("one", 0)
    there.send("two", 0, frequency_hz=868_300_000)
    assert there.outcomes() == {"one": None, "two": "not listened"}


def test_a_gateway_that_is_switched_off_hears_nothing_until_it_is_attached_again() -> None:
    there = air()
    there.medium.detach("gw")
    there.send("one", 0)
    there.clock.timeout(100_000).callbacks.append(lambda _: there.medium.attach(there.gateway))
    there.send("two", 100_001)
    assert there.outcomes() == {"one": "not listened", "two": None}


def test_equal_frames_on_one_channel_are_both_lost() -> None:
    there = air()
    there.send("one", 0)
    there.send("two", 30_000)
    assert there.outcomes() == {"one": "collision", "two": "collision"}


def test_frames_that_only_touch_do_not_collide() -> None:
    there = air()
    end_us = there.send("one", 0)
    there.send("two", end_us)
    assert there.outcomes() == {"one": None, "two": None}


def test_the_stronger_frame_is_captured() -> None:
    there = air()
    there.send("strong", 0, power_dbm=14.0)
    there.send("weak", 0, power_dbm=7.9)
    assert there.outcomes() == {"strong": None, "weak": "collision"}


def test_other_channels_and_spreading_factors_do_not_collide() -> None:
    there = air()
    there.send("one", 0)
    there.send("two", 0, frequency_hz=868_300_000)
    there.send("three", 0, modulation=SF12)
    assert there.outcomes() == {"one": None, "two": None, "three": None}


def test_a_much_stronger_frame_of_another_spreading_factor_disturbs() -> None:
    """SF7 bears SF12 until it is 20 dB stronger, over the whole of the frame."""
    for position, outcome in (((100.0, 0.0, 0.0), None), ((10.0, 0.0, 0.0), "collision")):
        there = air()
        there.send("loud", 0, modulation=SF12, position=position)
        there.send("quiet", 100_000, position=(95.0, 0.0, 0.0))
        assert there.outcomes()["quiet"] == outcome


def test_an_old_frame_that_outlasts_newer_ones_still_meets_them() -> None:
    """The newer one is over long before; it must not have been forgotten."""
    there = air("aloha")
    there.send("long", 0, payload=bytes(255))
    there.send("short", 100_000)
    there.send("next", 300_000, frequency_hz=868_300_000)
    there.send("last", 395_000)
    assert there.outcomes() == {
        "long": "collision", "short": "collision", "next": None, "last": "collision",
    }  # fmt: skip


def test_a_gateway_that_sends_is_deaf_to_what_it_was_receiving() -> None:
    there = air()
    there.send("before", 0)
    there.send("gw", 10_000, is_downlink=True, frequency_hz=869_525_000)
    there.send("within", 20_000, frequency_hz=868_300_000)
    assert there.outcomes() == {"before": "half duplex", "within": "half duplex"}


def test_a_gateway_that_stops_sending_in_time_hears_the_rest_of_a_preamble() -> None:
    there = air()
    end_us = there.send("gw", 0, is_downlink=True, frequency_hz=869_525_000)
    there.send("in time", end_us - 3 * 1024)
    there.send("too late", end_us - 3 * 1024 - 1, frequency_hz=868_300_000)
    assert there.outcomes() == {"in time": None, "too late": "half duplex"}


def test_a_gateway_that_sends_at_the_moment_a_frame_ends_has_heard_it() -> None:
    there = air()
    there.send("gw", 56_576, is_downlink=True, frequency_hz=869_525_000)
    there.send("node", 0)
    assert there.outcomes() == {"node": None}


def test_another_gateways_downlink_makes_nobody_deaf() -> None:
    there = air()
    there.send("node", 0)
    there.send("another", 0, is_downlink=True, frequency_hz=869_525_000)
    assert there.outcomes() == {"node": None}


def test_eight_frames_at_once_are_demodulated_and_the_ninth_is_not() -> None:
    there = air()
    for number in range(9):
        there.send(f"node-{number}", number, frequency_hz=867_000_000 + number * 200_000)
    outcomes = there.outcomes()
    assert outcomes.pop("node-8") == "no demodulator"
    assert set(outcomes.values()) == {None}


def test_demodulators_go_by_the_end_of_the_preamble_not_by_its_start() -> None:
    """A slow frame starts first, but its preamble ends last: it is the one that finds none."""
    there = air(demodulators=1)
    there.send("slow", 0, modulation=SF12)
    there.send("fast", 10_000, frequency_hz=868_300_000)
    there.send("later", 400_000, frequency_hz=868_300_000)
    # The fast one is over before the slow preamble ends at 262 ms; then the slow one has it.
    assert there.outcomes() == {"slow": None, "fast": None, "later": "no demodulator"}

    there = air(demodulators=1)
    there.send("slow", 0, modulation=SF12)
    there.send("fast", 240_000, frequency_hz=868_300_000)
    assert there.outcomes() == {"slow": "no demodulator", "fast": None}


def test_wide_channels_and_fsk_have_a_demodulator_of_their_own() -> None:
    there = air(demodulators=1)
    there.send("multi", 0)
    there.send("wide", 0, modulation=Lora(7, 250_000), frequency_hz=868_300_000)
    there.send("fsk", 0, modulation=Fsk(50_000), frequency_hz=868_800_000, position=(9.0, 0, 0))
    there.send("fsk too", 1, modulation=Fsk(50_000), frequency_hz=868_500_000, position=(9.0, 0, 0))
    assert there.outcomes() == {
        "multi": None, "wide": None, "fsk": None, "fsk too": "no demodulator",
    }  # fmt: skip


def test_a_frame_lost_at_one_gateway_arrives_at_another() -> None:
    """Each gateway captures the node beside it."""
    there = air()
    east = Gateway(there.clock, "east", (100.0, 0.0, 0.0))
    there.medium.attach(east)
    there.send("west node", 0, position=(10.0, 0.0, 0.0))
    there.send("east node", 0, position=(90.0, 0.0, 0.0))
    assert there.outcomes() == {"west node": None, "east node": "collision"}
    assert [(sender, reason) for _, sender, reason in east.outcomes] == [
        ("west node", "collision"),
        ("east node", None),
    ]


def test_lorasim_ignores_what_is_too_weak_to_be_received_and_ns3_does_not() -> None:
    """Just below the sensitivity of SF7 the other frame is 2 dB weaker: within the 6 dB."""
    weak = SENSITIVITIES["lorasim"].dbm(SF7) - 0.5
    loss_db = PATH_LOSSES["lorasim"].loss_db(100.0)
    for model, outcome in (("lorasim", None), ("goursaud", "collision")):
        there = air(model, sensitivity=SENSITIVITIES["lorasim"])
        there.send("heard", 0, power_dbm=weak + 2 + loss_db)
        there.send("unheard", 0, power_dbm=weak + loss_db)
        assert there.outcomes() == {"heard": outcome, "unheard": "too weak"}


def test_shadowing_weakens_a_link_by_its_own_amount() -> None:
    clock = VirtualClock()
    shadowing = Shadowing(RandomStreams(3), sigma_db=8.0)
    medium = Medium(clock, path_loss=PATH_LOSSES["lorasim"], shadowing=shadowing)
    gateway = Gateway(clock)
    medium.attach(gateway)
    there = Air(clock, medium, gateway)
    for number in range(2):
        there.send("node", number * 1_000_000, position=(40.0, 0.0, 0.0))
    clock.run()
    levels = [reception.rssi_dbm for reception in gateway.receptions]
    expected = 14.0 - 127.41 - shadowing.link_db("node", "gw")
    assert levels == [pytest.approx(expected), pytest.approx(expected)]


def test_a_frame_must_start_now_and_last() -> None:
    there = air()
    for start_us, end_us in ((5, 10), (0, 0)):
        frame = Transmission(
            "node", start_us, end_us, CHANNEL_HZ, SF7, 14.0, b"", False, (0.0, 0.0, 0.0)
        )
        with pytest.raises(ValueError, match="expected a frame that starts at 0 µs and lasts"):
            there.medium.transmit(frame)


def test_who_listens_before_talking_hears_what_is_strong_enough_and_not_long_over() -> None:
    there = air()
    end_us = there.send("node", 1000, position=(1.0, 0.0, 0.0))  # -80.1 dBm at the origin
    origin = (0.0, 0.0, 0.0)

    def is_busy(**options: object) -> bool:
        return there.medium.is_busy(origin, CHANNEL_HZ, **options)  # type: ignore[arg-type]  # a test's shorthand

    assert not is_busy()
    there.clock.run(until=2000)
    assert is_busy(threshold_dbm=-81.0)
    assert not is_busy(threshold_dbm=-80.0)
    assert not is_busy(threshold_dbm=-81.0, except_from="node")
    assert not there.medium.is_busy(origin, 868_300_000, threshold_dbm=-81.0)
    there.clock.run(until=end_us + 5000)
    assert not is_busy(threshold_dbm=-81.0)
    assert not is_busy(threshold_dbm=-81.0, for_us=5000)
    assert is_busy(threshold_dbm=-81.0, for_us=5001)


class Book:
    """An observer that writes everything down."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, ...]] = []

    def transmitted(self, transmission: Transmission) -> None:
        self.lines.append(("transmitted", transmission.sender))

    def heard(self, receiver: str, reception: Reception) -> None:
        self.lines.append(("heard", receiver, reception.transmission.sender))

    def lost(self, receiver: str, transmission: Transmission, reason: str) -> None:
        self.lines.append(("lost", receiver, transmission.sender, reason))


def test_an_observer_is_told_everything_in_order() -> None:
    there = air()
    book = Book()
    there.medium.observer = book
    there.send("one", 0)
    there.send("two", 100, power_dbm=-60.0)
    there.clock.run()
    assert book.lines == [
        ("transmitted", "one"),
        ("transmitted", "two"),
        ("heard", "gw", "one"),
        ("lost", "gw", "two", "too weak"),
    ]
