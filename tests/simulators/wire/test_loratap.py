"""Capture files: literal bytes, what version 0 keeps, and files that are none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.lorawan.modulation import Fsk, Lora
from simulators.wire.errors import WireError
from simulators.wire.loratap import Capture, file_header, loratap_header, read_captures, record

HEARD = Capture(
    1_704_067_200_123_456, 868_100_000, Lora(7, 125_000), bytes.fromhex("4001"), -42, 9.25,
    "b827ebfffe000001", 0xFFFFFFFE, channel=2, rf_chain=1,
)  # fmt: skip
SENT = Capture(
    0, 923_300_000, Lora(12, 500_000, "4/8"), b"\x60", gateway_eui="b827ebfffe000001", tmst=1,
    is_downlink=True,
)  # fmt: skip
BEACON = SENT._replace(is_downlink=False, has_implicit_header=True)
FSK = Capture(1, 868_800_000, Fsk(50_000), b"\xe0", -139, 0.0)

# Version 0: version, padding, length, Hz, width, SF, RSSI three times, SNR, sync word.
V0 = [
    (HEARD, "00 00 000f 33be27a0 01 07 61 61 ff 25 34"),
    (SENT, "00 00 000f 370870a0 04 0c ff ff ff 00 34"),
    (FSK, "00 00 000f 33c8d600 00 00 00 00 ff 00 34"),
]
# Version 1 goes on with EUI, counter, flags, coding rate, bit rate, channel, chain, tag.
V1 = [
    (
        HEARD,
        "01 00 0023 33be27a0 01 07 61 61 ff 25 34 b827ebfffe000001 fffffffe 08 05 0000 02 01 0000",
    ),
    (
        SENT,
        "01 00 0023 370870a0 04 0c ff ff ff 00 34 b827ebfffe000001 00000001 22 08 0000 00 00 0000",
    ),
    (
        BEACON,
        "01 00 0023 370870a0 04 0c ff ff ff 00 34 b827ebfffe000001 00000001 24 08 0000 00 00 0000",
    ),
    (
        FSK,
        "01 00 0023 33c8d600 00 00 00 00 ff 00 34 0000000000000000 00000000 09 00 c350 00 00 0000",
    ),
]


@pytest.mark.parametrize(("capture", "header"), V0)
def test_version_0(capture: Capture, header: str) -> None:
    assert loratap_header(capture, 0) == bytes.fromhex(header)


@pytest.mark.parametrize(("capture", "header"), V1)
def test_version_1(capture: Capture, header: str) -> None:
    assert loratap_header(capture, 1) == bytes.fromhex(header)
    assert list(read_captures(file_header() + record(capture, version=1))) == [capture]


def test_a_file_holds_records_in_order() -> None:
    assert file_header() == bytes.fromhex("d4c3b2a1 0200 0400 00000000 00000000 ffff0000 0e010000")
    assert record(HEARD)[:16] == bytes.fromhex("80009265 40e20100 11000000 11000000")
    data = file_header() + record(HEARD) + record(SENT, version=1) + record(FSK)
    assert list(read_captures(data)) == [
        HEARD._replace(gateway_eui="0" * 16, tmst=0, channel=0, rf_chain=0),
        SENT,
        FSK,
    ]


@pytest.mark.parametrize(
    ("rssi_dbm", "snr_db", "shown"),
    [(-200, -40.0, "00 00 ff 80"), (200, 40.0, "fe fe ff 7f"), (-0.4, -0.1, "8b 8b ff 00")],
)
def test_what_a_byte_cannot_hold_is_clamped(rssi_dbm: float, snr_db: float, shown: str) -> None:
    header = loratap_header(HEARD._replace(rssi_dbm=rssi_dbm, snr_db=snr_db), 0)
    assert header[10:14] == bytes.fromhex(shown)


def test_an_unknown_version_is_refused() -> None:
    with pytest.raises(ValueError, match="expected LoRaTap version 0 or 1; got 2"):
        record(HEARD, version=2)


WHOLE = file_header() + record(HEARD, version=1)


@pytest.mark.parametrize("size", [size for size in range(len(WHOLE)) if size != 24])
def test_a_cut_file_is_told(size: int) -> None:
    with pytest.raises(WireError, match="expected "):
        list(read_captures(WHOLE[:size]))


@given(st.binary(max_size=80), st.integers(0, 90), st.integers(0, 90))
def test_no_bytes_do_more_than_raise_one_error(noise: bytes, begin: int, end: int) -> None:
    for data in (noise, file_header() + noise, WHOLE[:begin] + noise + WHOLE[end:]):
        try:
            list(read_captures(data))
        except WireError:
            continue
