"""Whatever a server sends: a gateway stays up, answers what has an answer, and says what it did."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulators.lorawan.modulation import Fsk, Lora
from simulators.wire.basics_station.coding import encode as encode_message
from simulators.wire.basics_station.messages import FromServer, XTime
from simulators.wire.errors import WireError
from simulators.wire.semtech_packets import TxPk, txpk_json
from simulators.wire.semtech_udp import PullResp, PushData, TxAck, decode
from tests.simulators.gateways.conftest import Build, Forwarder
from tests.simulators.gateways.stage import SF7
from tests.simulators.gateways.test_basics_station import CONFIG, World, built, dnmsg, xtime

hostile = settings(
    deadline=None,
    max_examples=60,
    # The fixture only builds; every example builds a gateway of its own with it.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=5,
)
TXPK = TxPk(868_100_000, SF7, b"\x60" * 12, tmst=6_000_000, power_dbm=14, inverts_polarity=True)
stamps = (
    st.sampled_from([5_000_000, 5_032_500, 5_032_501, 6_000_000])  # now, too late, just in time
    | st.integers(4_900_000, 8_000_000)
    | st.integers(0, 2**32 - 1)
)


def seldom(strategy: st.SearchStrategy[Any], usual: Any) -> st.SearchStrategy[Any]:
    """``usual`` three times out of four."""
    return st.integers(0, 3).flatmap(lambda chance: strategy if chance == 3 else st.just(usual))


@st.composite
def packets(draw: st.DrawFn) -> dict[str, Any]:
    """Mostly sensible ``txpk``s, with a member or two that are not."""
    packet = TXPK._replace(
        tmst=draw(stamps),
        data=draw(st.binary(max_size=255)),
        modulation=draw(st.sampled_from([SF7, Lora(12, 125_000), Fsk(50_000)])),
        is_immediate=draw(st.booleans()),
        has_header=draw(st.booleans()),
        inverts_polarity=draw(st.booleans()),
    )
    document: dict[str, Any] = json.loads(txpk_json(packet))
    names = st.sampled_from([*document, "tmms", "prea", "ncrc", "powe", "rfch"])
    return document | draw(seldom(st.dictionaries(names, anything, min_size=1, max_size=2), {}))


def cuts(noise: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Where something is replaced, and by what."""
    return st.tuples(st.integers(0, 300), st.integers(0, 300), noise)


@st.composite
def datagrams(draw: st.DrawFn) -> bytes:
    token = draw(st.integers(0, 0xFFFF)).to_bytes(2, "big")
    version, kind = draw(seldom(st.tuples(st.integers(0, 3), st.integers(0, 9)), (2, 3)))
    body = json.dumps({"txpk": draw(packets())}).encode()
    data = bytes((version,)) + token + bytes((kind,)) + (body if kind == 3 else b"")
    begin, end, noise = draw(seldom(cuts(st.binary(max_size=12)), (0, 0, b"")))
    return data[:begin] + noise + data[end:]  # type: ignore[no-any-return]  # bytes all the way


@hostile
@given(sent=st.lists(datagrams(), min_size=1, max_size=10), noise=st.binary(max_size=40))
def test_a_forwarder_says_what_it_does(forwarder: Build, sent: list[bytes], noise: bytes) -> None:
    made = forwarder(has_gps=True, warns_of_power=True)
    made.play(5)
    for data in [*sent, noise]:
        made.answer(data)
        made.gateway._on_up(data)  # the other socket gets it as well
    made.air.uplink()
    made.play(9)

    expected = Counter(token for data in sent if (token := _token(data)) is not None)
    answered = Counter(ack.token for ack in made.of(TxAck))
    assert answered == expected
    assert len(made.of(PushData)) == 1
    made.play(3000)  # nothing may be further ahead
    _check_transmissions(made)
    made.pull_resp(TXPK._replace(tmst=made.gateway.concentrator.count() % 2**32 + 1_000_000))
    made.play(3002)
    assert made.of(TxAck)[-1].token == 7


def _token(data: bytes) -> int | None:
    """The token of a PULL_RESP that says what shall be sent."""
    try:
        datagram = decode(data)
    except WireError:
        return None
    is_order = isinstance(datagram, PullResp) and datagram.version == 2
    return datagram.token if is_order else None


def _check_transmissions(made: Forwarder) -> None:
    """What was taken goes out once, at its stamp; nothing else does; nothing overlaps."""
    told = made.notebook.messages("radio")
    ours = [message for message in told if "power_dbm" in message or "unsent" in message]
    sent = [message for message in ours if "power_dbm" in message]
    assert len(sent) == len(made.air.sent)
    taken = sum(ack.error is None for ack in made.of(TxAck))
    assert len(ours) == taken
    for one, two in zip(made.air.sent, made.air.sent[1:], strict=False):
        assert one.end_us + 2_500 < two.start_us
    for message, transmission in zip(sent, made.air.sent, strict=True):
        assert message["tmst"] == transmission.start_us % 2**32
        assert message["payload"] == transmission.payload.hex()


@st.composite
def messages(draw: st.DrawFn) -> str:
    """Messages of a server, with members that are not as they should be."""
    count = draw(st.integers(0, 5_000_000))
    sensible: FromServer = draw(
        st.sampled_from(
            [
                dnmsg(xtime=xtime(count), diid=draw(st.integers(0, 99))),
                dnmsg(device_class=2, rx1=None),
                dnmsg(device_class=1, rx2=None, gpstime=1_388_102_422_000_000),
                dnmsg(xtime=XTime(0, draw(st.integers(0, 255)), count).value()),
                CONFIG,
            ]
        )
    )
    document: dict[str, Any] = json.loads(encode_message(sensible))
    names = st.sampled_from([*document, "gpstime", "schedule", "MuxTime", "preamble", "bcning"])
    document |= draw(seldom(st.dictionaries(names, anything, min_size=1, max_size=2), {}))
    text = json.dumps(document)
    begin, end, noise = draw(seldom(cuts(st.text(max_size=8)), (0, 0, "")))
    return text[:begin] + noise + text[end:]  # type: ignore[no-any-return]  # text all the way


@hostile
@given(said=st.lists(messages() | st.text(max_size=30), min_size=1, max_size=8))
def test_a_station_says_what_it_does(said: list[str]) -> None:
    world = built(has_gps=True)
    world.play(1.5)
    for text in said:
        if world.lns.socket is not None:
            world.lns.say(text)
    world.play(2)
    world.air.uplink()
    world.play(10)
    _check_reports(world)
    world.play(700)  # it is back, whatever was said, and does as it is told
    world.lns.say(CONFIG)
    world.play(701)
    world.air.uplink()
    world.play(701.1)
    told = world.lns.of("updf")[-1]["upinfo"]["xtime"]
    before = len(world.air.sent)
    world.lns.say(dnmsg(xtime=told, diid=777))
    world.play(705)
    assert len(world.air.sent) > before
    assert 777 in [each["diid"] for each in world.lns.of("dntxed")]


def _check_reports(world: World) -> None:
    """Each report is of a frame on air, at the xtime it tells; no frame is reported twice."""
    starts = [each.start_us for each in world.air.sent]
    reported = [XTime.of(each["xtime"]).micros for each in world.lns.of("dntxed")]
    assert all(times <= 1 for times in Counter(reported).values())
    assert set(reported) <= set(starts)
    for one, two in zip(world.air.sent, world.air.sent[1:], strict=False):
        assert one.end_us < two.start_us


@hostile
@given(
    frames=st.lists(
        st.tuples(st.binary(max_size=255), st.sampled_from([SF7, Lora(12, 125_000)])), max_size=5
    )
)
def test_no_frame_on_air_brings_either_down(
    forwarder: Build, frames: list[tuple[bytes, Lora]]
) -> None:
    made, world = forwarder(), built(is_strict=False)
    for end in (made, world):
        end.play(5)
        for number, (payload, modulation) in enumerate(frames):
            end.air.uplink(payload, modulation=modulation)
            end.play(5.001 + number / 100)
        end.play(6)
    assert [packet.data for push in made.of(PushData) for packet in push.rxpk] == [
        payload for payload, _ in frames
    ]
