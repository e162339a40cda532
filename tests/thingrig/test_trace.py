"""``thingrig trace pcap`` writes captures that Wireshark reads, whatever it is given."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scenarios.files import mistakes_in
from scenarios.secrets import SecretRegistry
from scenarios.trace import Event, TraceWriter
from simulators.lorawan.modulation import Fsk, Lora
from simulators.wire.loratap import Capture, read_captures
from tests.simulators.gateways.loop import APP_KEY, DEV_EUI, JOIN_EUI, KINDS, Loop, in_memory
from thingrig import cli

HEADER = {
    "scenario": "loop", "platform": "things-stack", "seed": 1, "clock": "virtual",
    "start": "2024-01-01T00:00:00.000000Z", "duration_us": 120_000_000,
}  # fmt: skip
START_US = 1_704_067_200_000_000
EUI = "b827ebfffe000001"
HEARD = {
    "payload": "4002c3d4528000000fae02735368a5ef4fcc", "frequency_hz": 868_100_000,
    "data_rate": "SF7BW125", "gateway_eui": EUI, "tmst": 5_000_000, "rssi_dbm": -35.2,
    "snr_db": 9.0, "start_us": 4_948_544,
}  # fmt: skip
SENT = {
    "payload": "6002c3d4520000000ff899fded6d0e20374949b4782e", "frequency_hz": 869_525_000,
    "data_rate": "SF9BW125", "coding_rate": "4/6", "gateway_eui": EUI, "tmst": 6_000_000,
    "power_dbm": 29.15, "airtime_us": 205_824,
}  # fmt: skip
NODES = {"payload": HEARD["payload"], "frequency_hz": 868_100_000, "data_rate": 50_000}


def written(path: Path, events: list[Event], **header: Any) -> Path:
    """A trace file."""
    with path.open("wb") as file:
        writer = TraceWriter(file, {**HEADER, **header}, SecretRegistry())
        for event in events:
            writer.event(event)
    return path


def pcap(*arguments: str | Path) -> int:
    return cli.exit_code(["trace", "pcap", *map(str, arguments)])


EVENTS = [
    Event(4_948_544, "node-1", "uplink", "radio", NODES),
    Event(5_000_000, "gateway-1", "uplink", "radio", HEARD),
    Event(5_000_000, "gateway-2", "uplink", "radio", {"lost": "too weak", "sender": "node-1"}),
    Event(5_000_000, "gateway-1", "uplink", "udp", {"type": "PUSH_DATA", "payload": "00"}),
    Event(6_000_000, "gateway-1", "downlink", "radio", SENT),
    Event(7_000_000, "gateway-1", "downlink", "radio", {**SENT, "unsent": "duty cycle"}),
    Event(8_000_000, "gateway-1", "downlink", "radio", {**SENT, "implicit_header": True}),
]
UP = Capture(
    START_US + 5_000_000, 868_100_000, Lora(7, 125_000), bytes.fromhex(HEARD["payload"]),  # type: ignore[arg-type]
    -35, 9.0, EUI, 5_000_000,
)  # fmt: skip
DOWN = Capture(
    START_US + 6_000_000, 869_525_000, Lora(9, 125_000, "4/6"), bytes.fromhex(SENT["payload"]),  # type: ignore[arg-type]
    gateway_eui=EUI, tmst=6_000_000, is_downlink=True,
)  # fmt: skip
BEACON = DOWN._replace(
    unix_us=START_US + 8_000_000, is_downlink=False, has_implicit_header=True
)  # fmt: skip


def test_gateways_have_their_say(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trace, file = written(tmp_path / "trace.jsonl", EVENTS), tmp_path / "new" / "out.pcap"
    assert pcap(trace, file, "--loratap", "1") == 0
    assert list(read_captures(file.read_bytes())) == [UP, DOWN, BEACON]
    assert capsys.readouterr().out == f"3 frames of gateway-1: {file}\n"


def test_version_0_by_default(tmp_path: Path) -> None:
    trace, file = written(tmp_path / "trace.jsonl", EVENTS), tmp_path / "out.pcap"
    assert pcap(trace, file) == 0
    read = list(read_captures(file.read_bytes()))
    assert [(each.gateway_eui, each.rssi_dbm) for each in read] == [
        ("0" * 16, -35),
        ("0" * 16, None),
        ("0" * 16, None),
    ]


def test_a_chosen_device_has_its_say(tmp_path: Path) -> None:
    trace, file = written(tmp_path / "trace.jsonl", EVENTS), tmp_path / "out.pcap"
    assert pcap(trace, file, "--device", "node-1") == 0
    ((at, hertz, modulation, payload, rssi, *_),) = read_captures(file.read_bytes())
    assert (at, hertz, modulation, rssi) == (
        START_US + 4_948_544,
        868_100_000,
        Fsk(50_000),
        None,
    )
    assert payload.hex() == NODES["payload"]


def test_without_gateways_everybody_has(tmp_path: Path) -> None:
    trace, file = written(tmp_path / "trace.jsonl", EVENTS[:1]), tmp_path / "out.pcap"
    assert pcap(trace, file) == 0
    assert len(list(read_captures(file.read_bytes()))) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"payload": "4"}, "expected payload in hexadecimal; got '4'"),
        ({"payload": None}, "expected payload; got none"),
        ({"payload": "00" * 256}, "expected payload of at most 255 bytes; got 256"),
        ({"frequency_hz": "868"}, "expected frequency_hz from 1 to 4294967295; got '868'"),
        ({"data_rate": "SF99BW125"}, "expected a data rate and coding rate of LoRa; got SF99BW"),
        ({"data_rate": None}, "expected a data rate such as 'SF7BW125' or 50000; got None"),
        ({"coding_rate": "4/9"}, "expected a data rate and coding rate of LoRa; got SF7BW125, 4/9"),
        ({"gateway_eui": "01"}, "expected gateway_eui of 8 bytes; got 1"),
        ({"rssi_dbm": "loud"}, "expected rssi_dbm from -1000 to 1000; got 'loud'"),
    ],
)
def test_a_damaged_event_is_named_and_nothing_is_written(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    change: dict[str, Any],
    message: str,
) -> None:
    events = [EVENTS[0], Event(5_000_000, "gateway-1", "uplink", "radio", {**HEARD, **change})]
    trace, file = written(tmp_path / "trace.jsonl", events), tmp_path / "out.pcap"
    file.write_text("kept")
    assert pcap(trace, file) == 2
    assert capsys.readouterr().err.startswith(f"thingrig: {trace}:3: {message}")
    assert file.read_text() == "kept"


def test_wrong_usage_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trace = written(tmp_path / "trace.jsonl", EVENTS)
    silent = written(tmp_path / "silent.jsonl", EVENTS[2:4])
    late = written(tmp_path / "late.jsonl", EVENTS, start="2200-01-01T00:00:00.000000Z")
    no_day = written(tmp_path / "no-day.jsonl", EVENTS, start="2024-13-01T00:00:00.000000Z")
    before = trace.read_bytes()
    cases = [
        ((trace, tmp_path / "o", "--device", "gatewy-1"), 2, "did you mean 'gateway-1'?"),
        ((trace, tmp_path / "o", "--loratap", "2"), 2, "--loratap"),
        ((tmp_path / "missing", tmp_path / "o"), 2, "missing: expected a readable file"),
        ((trace, trace), 2, "expected another file than the trace"),
        ((trace, tmp_path), 2, "expected a writable folder; got"),
        ((silent, tmp_path / "o"), 3, "silent.jsonl holds no frame on air"),
        ((late, tmp_path / "o"), 2, "late.jsonl:3: expected a time between 1970 and 2106"),
        ((no_day, tmp_path / "o"), 2, "no-day.jsonl:1: expected start to be a time"),
    ]
    for arguments, code, words in cases:
        assert pcap(*arguments) == code
        error = capsys.readouterr().err
        assert words in error
        assert error.count("\n") == 1
    assert trace.read_bytes() == before
    assert not (tmp_path / "o").exists()


def test_events_keep_the_schema() -> None:
    """What gateways and nodes tell, through both kinds of gateway."""
    for kind in KINDS:
        for at, device, direction, channel, message in played(kind).notebook.events:
            line = {"at": at, "device": device, "direction": direction}
            line |= {"channel": channel, "message": message}
            assert mistakes_in(json.loads(json.dumps(line)), "trace") == []


def played(kind: str) -> Loop:
    loop = in_memory(kind, "EU868")
    loop.clock.play(120)
    return loop


class Tshark:
    """Debian's tshark, with the keys of one device."""

    def __init__(self, folder: Path, loop: Loop) -> None:
        session = loop.node.session
        assert session is not None
        keys = session.crypto.keys
        self._environment = {**os.environ, "HOME": str(folder)}
        self._address = session.dev_addr
        self._session = (keys.f_nwk_s_int_key.hex(), keys.app_s_key.hex())

    def fields(self, file: Path, *names: str) -> list[list[str]]:
        """These fields of every frame."""
        for options in (self._old_keys(), self._new_keys()):
            command = ["tshark", "-r", str(file), *options, "-T", "fields", "-E", "separator=|"]
            for name in names:
                command += ["-e", name]
            done = subprocess.run(command, capture_output=True, text=True, env=self._environment)
            if done.returncode == 0:
                return [line.split("|") for line in done.stdout.splitlines()]
        raise AssertionError(done.stderr)

    def _old_keys(self) -> Iterator[str]:
        """Up to 4.0: one table; addresses and EUIs as they are on air."""
        address = bytes.fromhex(self._address)[::-1].hex()
        join_eui = bytes.fromhex(JOIN_EUI)[::-1].hex()
        rows = [
            (address, *self._session, "0" * 16),
            ("0" * 8, APP_KEY.hex(), APP_KEY.hex(), join_eui),
        ]
        for row in rows:
            yield from ("-o", f"uat:encryption_keys_lorawan:{_row(row)}")

    def _new_keys(self) -> Iterator[str]:
        """Later: two tables."""
        for address in (self._address, bytes.fromhex(self._address)[::-1].hex()):
            yield from ("-o", f"uat:session_keys_lorawan:{_row((address, *self._session))}")
        for eui in (DEV_EUI, bytes.fromhex(DEV_EUI)[::-1].hex()):
            yield from ("-o", f"uat:root_keys_lorawan:{_row((eui, APP_KEY.hex()))}")


def _row(words: tuple[str, ...]) -> str:
    return ",".join(f'"{word}"' for word in words)


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
@pytest.mark.parametrize("kind", KINDS)
def test_tshark_finds_nothing_malformed_and_no_bad_mic(tmp_path: Path, kind: str) -> None:
    """A join, two confirmed uplinks and their answers, with the keys given."""
    loop = played(kind)
    events = [Event(*each) for each in loop.notebook.events]
    trace, file = written(tmp_path / "trace.jsonl", events), tmp_path / "out.pcap"
    assert pcap(trace, file) == 0

    seen = Tshark(tmp_path, loop).fields(
        file,
        "_ws.malformed",
        "_ws.expert.severity",
        "lorawan.mic.status",
        "lorawan.frmpayload_decrypted",
        "loratap.channel.frequency",
        "frame.time_epoch",
    )

    assert [row[0] for row in seen] == [""] * 6
    good, unknown = "1", "2"
    # Older versions have no key for a join accept; nothing is bad.
    statuses = [row[2] for row in seen]
    assert statuses[:1] + statuses[2:] == [good] * 5
    assert statuses[1] in (good, unknown)
    assert [row[3].replace("<MISSING>", "") for row in seen] == [
        "", "", b"one".hex(), "", b"two".hex(), b"down".hex(),
    ]  # fmt: skip
    told = [event for event in events if "gateway_eui" in event.message]
    assert [int(row[4]) for row in seen] == [event.message["frequency_hz"] for event in told]
    assert [row[5] for row in seen] == [
        f"{1_704_067_200 + event.at // 1_000_000}.{event.at % 1_000_000:06d}000" for event in told
    ]
