"""
PHY payloads as values: join, rejoin, data, proprietary.

Knows the layout alone. Payloads, frame options and join accepts stay encrypted here, and integrity
codes are carried, not checked: keys are the business of `crypto` and `join`. Reserved bits are
ignored when read and zero when written, so a MIC is always judged over the bytes that came.
Source: LoRaWAN 1.0.4, chapters 4 and 6; LoRaWAN 1.1, chapters 4 and 6.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from struct import Struct
from typing import NamedTuple

from simulators.lorawan.errors import LoRaWanError, require
from simulators.lorawan.identifiers import from_air, to_air

LONGEST = 255  # bytes of a PHY payload: the radio counts them in one byte
MIC_BYTES = 4
CF_LIST_BYTES = 16


class FType(IntEnum):
    """The upper three bits of the first byte."""

    JOIN_REQUEST = 0
    JOIN_ACCEPT = 1
    UNCONFIRMED_UP = 2
    UNCONFIRMED_DOWN = 3
    CONFIRMED_UP = 4
    CONFIRMED_DOWN = 5
    REJOIN_REQUEST = 6
    PROPRIETARY = 7


class JoinRequest(NamedTuple):
    """A device asks to be let in."""

    join_eui: str
    dev_eui: str
    dev_nonce: int
    mic: bytes = bytes(MIC_BYTES)


class EncryptedJoinAccept(NamedTuple):
    """A join accept as it travels: 16 or 32 bytes that only the device can read."""

    body: bytes


class JoinAccept(NamedTuple):
    """A join accept in plain: what the device works with from now on."""

    join_nonce: int
    net_id: str
    dev_addr: str
    rx1_data_rate_offset: int = 0
    rx2_data_rate_index: int = 0
    rx_delay: int = 0
    opt_neg: bool = False
    cf_list: bytes = b""
    mic: bytes = bytes(MIC_BYTES)

    @property
    def rx_delay_s(self) -> int:
        """Seconds from the end of an uplink to RX1; 0 on air means 1."""
        return self.rx_delay or 1


class RejoinRequest(NamedTuple):
    """A device of 1.1 asks for new keys: types 0 and 2 name the NetID, type 1 the JoinEUI."""

    rejoin_type: int
    dev_eui: str
    rj_count: int
    net_id: str = ""
    join_eui: str = ""
    mic: bytes = bytes(MIC_BYTES)


class DataFrame(NamedTuple):
    """
    Data and MAC commands, up or down.

    ``f_cnt`` may be the full 32-bit counter; 16 bits of it travel, and what comes from ``decode``
    has those alone. Bit 4 of FCtrl is ``class_b`` in uplinks and ``f_pending`` in downlinks.
    """

    f_type: FType
    dev_addr: str
    f_cnt: int
    f_port: int | None = None
    frm_payload: bytes = b""
    f_opts: bytes = b""
    adr: bool = False
    adr_ack_req: bool = False
    ack: bool = False
    class_b: bool = False
    f_pending: bool = False
    mic: bytes = bytes(MIC_BYTES)

    @property
    def is_uplink(self) -> bool:
        return not self.f_type & 1

    @property
    def is_confirmed(self) -> bool:
        return self.f_type >= FType.CONFIRMED_UP


class Proprietary(NamedTuple):
    """A frame of somebody's own making; nothing behind the first byte is known."""

    payload: bytes
    mhdr: int = FType.PROPRIETARY << 5


Frame = JoinRequest | EncryptedJoinAccept | RejoinRequest | DataFrame | Proprietary

_JOIN_REQUEST = Struct("<B8s8sH4s")
_JOIN_ACCEPT = Struct("<B3s3s4sBB")
_JOIN_ACCEPT_SIZES = (17, 33)  # without and with a CFList
_REJOIN = {0: Struct("<BB3s8sH4s"), 1: Struct("<BB8s8sH4s"), 2: Struct("<BB3s8sH4s")}
FHDR = Struct("<B4sBH")
_SHORTEST_DATA = FHDR.size + MIC_BYTES

# FCtrl. The fourth means one thing in uplinks and another in downlinks.
ADR, ADR_ACK_REQ, ACK, CLASS_B, F_PENDING = 0x80, 0x40, 0x20, 0x10, 0x10
F_OPTS_LENGTH = 0x0F
MAX_F_OPTS = 15
OPT_NEG = 0x80


def decode(phy: bytes) -> Frame:
    """
    Read one PHY payload.

    Args:
        phy: all bytes from MHDR to MIC, without the radio's own checksum.
    Raises:
        LoRaWanError: no frame of this version of LoRaWAN; with the offset of the first byte that
            is wrong, or at which one is missing.
    """
    if not phy:
        raise LoRaWanError("expected a frame; got no bytes", 0)
    if len(phy) > LONGEST:
        raise LoRaWanError(f"expected at most {LONGEST} bytes; got {len(phy)}", LONGEST)
    return _DECODERS[phy[0] >> 5](phy)


def _decode_data(phy: bytes) -> DataFrame:
    size = len(phy)
    if size < _SHORTEST_DATA:
        raise _too_short("a data frame", _SHORTEST_DATA, size)
    mhdr, dev_addr, f_ctrl, f_cnt = FHDR.unpack_from(phy)
    if mhdr & 3:
        raise _wrong_major(mhdr)
    end, mic_at = FHDR.size + (f_ctrl & F_OPTS_LENGTH), size - MIC_BYTES
    if end > mic_at:
        raise LoRaWanError(f"expected {end - FHDR.size} bytes of FOpts before the MIC", mic_at)
    f_port = None if end == mic_at else phy[end]
    if f_port == 0 and end > FHDR.size:
        raise LoRaWanError("expected no FOpts in a frame with FPort 0", end)
    bit_4 = f_ctrl & CLASS_B != 0
    is_downlink = mhdr & 0x20 != 0
    return DataFrame(
        _F_TYPES[mhdr >> 5],
        dev_addr[::-1].hex(),
        f_cnt,
        f_port,
        phy[end + 1 : mic_at],
        phy[FHDR.size : end],
        f_ctrl & ADR != 0,
        f_ctrl & ADR_ACK_REQ != 0,
        f_ctrl & ACK != 0,
        bit_4 and not is_downlink,
        bit_4 and is_downlink,
        phy[mic_at:],
    )


def _decode_join_request(phy: bytes) -> JoinRequest:
    _check("a join request", phy, _JOIN_REQUEST.size)
    _, join_eui, dev_eui, dev_nonce, mic = _JOIN_REQUEST.unpack(phy)
    return JoinRequest(from_air(join_eui), from_air(dev_eui), dev_nonce, mic)


def _decode_join_accept(phy: bytes) -> EncryptedJoinAccept:
    _check("a join accept", phy, *_JOIN_ACCEPT_SIZES)
    return EncryptedJoinAccept(phy[1:])


def _decode_rejoin_request(phy: bytes) -> RejoinRequest:
    _check_major(phy)
    if len(phy) < 2:
        raise LoRaWanError("expected the type of a rejoin request", 1)
    if phy[1] not in _REJOIN:
        raise LoRaWanError(f"expected a rejoin request of type 0, 1 or 2; got {phy[1]}", 1)
    layout = _REJOIN[phy[1]]
    _check(f"a rejoin request of type {phy[1]}", phy, layout.size)
    _, rejoin_type, network, dev_eui, rj_count, mic = layout.unpack(phy)
    name = from_air(network)
    net_id, join_eui = ("", name) if rejoin_type == 1 else (name, "")
    return RejoinRequest(rejoin_type, from_air(dev_eui), rj_count, net_id, join_eui, mic)


def _decode_proprietary(phy: bytes) -> Proprietary:
    return Proprietary(phy[1:], phy[0])


_F_TYPES = tuple(FType)
_DECODERS: dict[int, Callable[[bytes], Frame]] = {
    FType.JOIN_REQUEST: _decode_join_request,
    FType.JOIN_ACCEPT: _decode_join_accept,
    FType.UNCONFIRMED_UP: _decode_data,
    FType.UNCONFIRMED_DOWN: _decode_data,
    FType.CONFIRMED_UP: _decode_data,
    FType.CONFIRMED_DOWN: _decode_data,
    FType.REJOIN_REQUEST: _decode_rejoin_request,
    FType.PROPRIETARY: _decode_proprietary,
}


def _check(name: str, phy: bytes, *sizes: int) -> None:
    _check_major(phy)
    if len(phy) < sizes[0]:
        raise _too_short(name, sizes[0], len(phy))
    if len(phy) not in sizes:
        fitting = max(size for size in sizes if size <= len(phy))
        wanted = " or ".join(str(size) for size in sizes)
        raise LoRaWanError(f"expected {name} of {wanted} bytes; got {len(phy)}", fitting)


def _check_major(phy: bytes) -> None:
    if phy[0] & 3:
        raise _wrong_major(phy[0])


def _wrong_major(mhdr: int) -> LoRaWanError:
    return LoRaWanError(f"expected major version 0; got {mhdr & 3}", 0)


def _too_short(name: str, size: int, seen: int) -> LoRaWanError:
    return LoRaWanError(f"expected {name} of at least {size} bytes; got {seen}", seen)


def encode(frame: Frame) -> bytes:
    """
    Write one PHY payload; the MIC is the frame's own, whatever it is worth.

    Raises:
        LoRaWanError: a value that does not fit its field.
    """
    match frame:
        case DataFrame():
            return _encode_data(frame)
        case JoinRequest():
            return _encode_join_request(frame)
        case RejoinRequest():
            return _encode_rejoin_request(frame)
        case EncryptedJoinAccept():
            _require_size(frame.body, 16, 32, name="an encrypted join accept")
            return bytes((FType.JOIN_ACCEPT << 5,)) + frame.body
        case Proprietary():
            return _fitting(bytes((frame.mhdr,)) + frame.payload)


def _encode_data(frame: DataFrame) -> bytes:
    f_opts, f_port = frame.f_opts, frame.f_port
    if f_port is None and frame.frm_payload:
        raise LoRaWanError("expected a port beside a payload")
    bit_4 = frame.class_b if frame.is_uplink else frame.f_pending
    f_ctrl = (
        require(len(f_opts), 0, MAX_F_OPTS, "a number of bytes of FOpts")
        | (ADR if frame.adr else 0)
        | (ADR_ACK_REQ if frame.adr_ack_req else 0)
        | (ACK if frame.ack else 0)
        | (CLASS_B if bit_4 else 0)
    )
    f_cnt = require(frame.f_cnt, 0, 0xFFFF_FFFF, "a frame counter") & 0xFFFF
    head = FHDR.pack(frame.f_type << 5, to_air(frame.dev_addr), f_ctrl, f_cnt) + f_opts
    if f_port is not None:
        head += bytes((require(f_port, 0, 255, "a port"),)) + frame.frm_payload
    return _fitting(head + _mic(frame.mic))


def _encode_join_request(frame: JoinRequest) -> bytes:
    return _JOIN_REQUEST.pack(
        FType.JOIN_REQUEST << 5,
        to_air(frame.join_eui),
        to_air(frame.dev_eui),
        require(frame.dev_nonce, 0, 0xFFFF, "a DevNonce"),
        _mic(frame.mic),
    )


def _encode_rejoin_request(frame: RejoinRequest) -> bytes:
    rejoin_type = require(frame.rejoin_type, 0, 2, "a type of rejoin request")
    return _REJOIN[rejoin_type].pack(
        FType.REJOIN_REQUEST << 5,
        rejoin_type,
        to_air(frame.join_eui if rejoin_type == 1 else frame.net_id),
        to_air(frame.dev_eui),
        require(frame.rj_count, 0, 0xFFFF, "a rejoin counter"),
        _mic(frame.mic),
    )


def _mic(mic: bytes) -> bytes:
    return _require_size(mic, MIC_BYTES, name="a MIC")


def _require_size(data: bytes, *sizes: int, name: str) -> bytes:
    if len(data) not in sizes:
        wanted = " or ".join(str(size) for size in sizes)
        raise LoRaWanError(f"expected {name} of {wanted} bytes; got {len(data)}")
    return data


def _fitting(phy: bytes) -> bytes:
    require(len(phy), 1, LONGEST, "a number of bytes")
    return phy


def decode_join_accept(plain: bytes) -> JoinAccept:
    """
    Read a join accept that has been decrypted.

    Args:
        plain: MHDR and the 16 or 32 decrypted bytes, MIC included.
    Raises:
        LoRaWanError: another size, or another kind of frame.
    """
    if not plain or plain[0] >> 5 != FType.JOIN_ACCEPT:
        raise LoRaWanError("expected a join accept", 0)
    _check("a join accept", plain, *_JOIN_ACCEPT_SIZES)
    _, join_nonce, net_id, dev_addr, dl_settings, rx_delay = _JOIN_ACCEPT.unpack_from(plain)
    return JoinAccept(
        int.from_bytes(join_nonce, "little"),
        from_air(net_id),
        from_air(dev_addr),
        dl_settings >> 4 & 7,
        dl_settings & 15,
        rx_delay & 15,
        dl_settings >= OPT_NEG,
        plain[_JOIN_ACCEPT.size : -MIC_BYTES],
        plain[-MIC_BYTES:],
    )


def encode_join_accept(frame: JoinAccept) -> bytes:
    """What ``decode_join_accept`` reads; raises LoRaWanError for a value that does not fit."""
    dl_settings = (
        require(frame.rx1_data_rate_offset, 0, 7, "an RX1 data rate offset") << 4
        | require(frame.rx2_data_rate_index, 0, 15, "an RX2 data rate index")
        | (OPT_NEG if frame.opt_neg else 0)
    )
    head = _JOIN_ACCEPT.pack(
        FType.JOIN_ACCEPT << 5,
        require(frame.join_nonce, 0, 0xFFFFFF, "a JoinNonce").to_bytes(3, "little"),
        to_air(frame.net_id),
        to_air(frame.dev_addr),
        dl_settings,
        require(frame.rx_delay, 0, 15, "an RX1 delay"),
    )
    _require_size(frame.cf_list, 0, CF_LIST_BYTES, name="a CFList")
    return head + frame.cf_list + _mic(frame.mic)
