"""
Data frames with their integrity and encryption, in sessions of 1.0.x and of 1.1.

Counters are full 32-bit counters here; 16 bits of them travel. A session keeps no counter.
Source: LoRaWAN 1.0.4, sections 4.3.3 and 4.4; LoRaWAN 1.1, sections 4.3.1.6, 4.3.3, 4.4 and the
erratum on the encryption of FOpts.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from enum import Enum
from struct import Struct
from typing import NoReturn

from cryptography.hazmat.primitives.cmac import CMAC

from simulators.lorawan.aes import BLOCK, ccm_payload, encryptor, fresh_cmac, keyed_cmac
from simulators.lorawan.contexts import CONTEXTS, Contexts
from simulators.lorawan.errors import LoRaWanError, MicError, require
from simulators.lorawan.frames import (
    ACK,
    FHDR,
    LONGEST,
    MAX_F_OPTS,
    MIC_BYTES,
    DataFrame,
    FType,
    decode,
)
from simulators.lorawan.identifiers import from_air, to_air
from simulators.lorawan.keys import SessionKeys

UP, DOWN = 0, 1
MAX_F_CNT = 0xFFFF_FFFF

_A = Struct("<B4xB4sIBB").pack
_NONCE = Struct("<4xB4sI").pack  # the blocks above are those of CCM with this nonce
_A_F_OPTS = Struct("<B3xBB4sIBB").pack
_B = Struct("<BHBBB4sIBB").pack
# The same for uplinks of 1.0.x, where more of it is zero: fewer arguments cost less.
_A_UP = Struct("<B5x4sIxB").pack
_B_UP_AND_HEAD = Struct("<B5x4sIxBB4sBHB").pack
_HEAD_SIZE = 9  # MHDR to FPort, without FOpts
_MAX_PAYLOAD = LONGEST - _HEAD_SIZE - MIC_BYTES
_NUMBERS = [bytes((number,)) for number in range(256)]
_number = int.from_bytes


class FOptsCipher(Enum):
    """The two forms in which devices of 1.1 encrypt FOpts."""

    ERRATUM = "1.1.1"  # byte 4 of the block names the counter, its last is 1: most stacks
    FIRST = "1.1.0"  # the first text of 1.1: both are 0


# Encrypts with AppSKey; CMACs under FNwkSIntKey and SNwkSIntKey; encrypts with NwkSEncKey.
_Encrypt = Callable[[bytes], bytes]
_Ready = tuple[_Encrypt, Callable[[], CMAC], Callable[[], CMAC], _Encrypt | None]


class Session:
    """What both ends of a device's session share: address, keys, generation."""

    __slots__ = (
        "_address", "_contexts", "_is_used", "_ready", "f_opts_cipher", "is_1_1", "keys",
    )  # fmt: skip

    def __init__(
        self,
        dev_addr: str,
        keys: SessionKeys,
        *,
        is_1_1: bool = False,
        f_opts_cipher: FOptsCipher = FOptsCipher.ERRATUM,
        contexts: Contexts = CONTEXTS,
    ) -> None:
        self._address = to_air(dev_addr)
        self._contexts = contexts
        self._ready: _Ready | None = None
        self._is_used = False
        self.keys = keys
        self.is_1_1 = is_1_1
        self.f_opts_cipher = f_opts_cipher

    @property
    def dev_addr(self) -> str:
        return from_air(self._address)

    def protect_uplink(
        self,
        f_cnt: int,
        f_port: int | None = None,
        payload: bytes = b"",
        *,
        f_ctrl: int = 0,
        f_opts: bytes = b"",
        is_confirmed: bool = False,
        conf_f_cnt: int = 0,
        tx_dr: int = 0,
        tx_ch: int = 0,
    ) -> bytes:
        """
        The PHY payload of an uplink, encrypted and with its MIC.

        Args:
            f_ctrl: ADR, ADR_ACK_REQ, ACK, CLASS_B, joined by ``|``.
            conf_f_cnt: with ACK, the counter of the confirmed downlink that is acknowledged.
            tx_dr, tx_ch: data rate index and channel index of this very transmission. These three
                matter in 1.1 alone.
        Raises:
            LoRaWanError: what does not fit into a frame.
        """
        size = len(payload)
        if f_port and not (f_opts or f_ctrl & 15 or self.is_1_1 or size > _MAX_PAYLOAD):
            # Nearly every uplink is of this kind, and in one piece it costs two thirds of what it
            # costs in the pieces below: here a call is as dear as a block of AES.
            encrypt, mac, _, _ = self._ready or self._set_up()
            address = self._address
            try:
                block = _A_UP(1, address, f_cnt, 1)
                if size > BLOCK:
                    block = _more_blocks(block, size)
                message = _B_UP_AND_HEAD(
                    0x49, address, f_cnt, size + _HEAD_SIZE,
                    0x80 if is_confirmed else 0x40, address, f_ctrl, f_cnt & 0xFFFF, f_port,
                ) + (_number(payload) ^ _number(encrypt(block)[:size])).to_bytes(size)  # fmt: skip
            except struct.error:
                pass  # a number does not fit; below it is named
            else:
                state = mac()
                state.update(message)
                return message[BLOCK:] + state.finalize()[:MIC_BYTES]
        mhdr = (FType.CONFIRMED_UP if is_confirmed else FType.UNCONFIRMED_UP) << 5
        message = self._message(UP, mhdr, f_ctrl, f_cnt, f_port, payload, f_opts)
        if not f_ctrl & ACK:
            conf_f_cnt = 0
        mic = self.uplink_mic(message, f_cnt, conf_f_cnt=conf_f_cnt, tx_dr=tx_dr, tx_ch=tx_ch)
        return message + mic

    def protect_downlink(
        self,
        f_cnt: int,
        f_port: int | None = None,
        payload: bytes = b"",
        *,
        f_ctrl: int = 0,
        f_opts: bytes = b"",
        is_confirmed: bool = False,
        conf_f_cnt: int = 0,
    ) -> bytes:
        """
        The PHY payload of a downlink, encrypted and with its MIC.

        Args:
            f_cnt: in 1.1 of AFCntDown when there is a port other than 0, else of NFCntDown.
            f_ctrl: ADR, ACK, F_PENDING, joined by ``|``.
            conf_f_cnt: with ACK, the counter of the confirmed uplink that is acknowledged; matters
                in 1.1 alone.
        Raises:
            LoRaWanError: what does not fit into a frame.
        """
        mhdr = (FType.CONFIRMED_DOWN if is_confirmed else FType.UNCONFIRMED_DOWN) << 5
        message = self._message(DOWN, mhdr, f_ctrl, f_cnt, f_port, payload, f_opts)
        if not f_ctrl & ACK:
            conf_f_cnt = 0
        return message + self.downlink_mic(message, f_cnt, conf_f_cnt=conf_f_cnt)

    def open_uplink(
        self, phy: bytes, f_cnt: int, *, conf_f_cnt: int = 0, tx_dr: int = 0, tx_ch: int = 0
    ) -> DataFrame:
        """
        Read an uplink whose MIC is right: payload and FOpts plain, ``f_cnt`` in full.

        Arguments as those of ``protect_uplink``.

        Raises:
            MicError: another key, counter, channel or data rate, or damaged bytes.
            LoRaWanError: no uplink.
        """
        frame = _decode(phy, is_uplink=True)
        if not frame.ack:
            conf_f_cnt = 0
        message = phy[:-MIC_BYTES]
        mic = self.uplink_mic(message, f_cnt, conf_f_cnt=conf_f_cnt, tx_dr=tx_dr, tx_ch=tx_ch)
        return self.plain(frame, f_cnt) if mic == frame.mic else _refuse(mic, frame, phy)

    def open_downlink(self, phy: bytes, f_cnt: int, *, conf_f_cnt: int = 0) -> DataFrame:
        """
        Read a downlink whose MIC is right: payload and FOpts plain, ``f_cnt`` in full.

        Arguments as those of ``protect_downlink``.

        Raises:
            MicError: another key or counter, or damaged bytes.
            LoRaWanError: no downlink.
        """
        frame = _decode(phy, is_uplink=False)
        if not frame.ack:
            conf_f_cnt = 0
        mic = self.downlink_mic(phy[:-MIC_BYTES], f_cnt, conf_f_cnt=conf_f_cnt)
        return self.plain(frame, f_cnt) if mic == frame.mic else _refuse(mic, frame, phy)

    def plain(self, frame: DataFrame, f_cnt: int) -> DataFrame:
        """The frame with payload and FOpts decrypted and the full counter; no MIC is looked at."""
        f_type, dev_addr, _, f_port, payload, f_opts = frame[:6]
        is_uplink = frame.is_uplink
        if payload and f_port is not None:
            payload = self.encrypt_payload(payload, f_cnt, is_uplink=is_uplink, f_port=f_port)
        if f_opts:
            f_opts = self.encrypt_f_opts(f_opts, f_cnt, is_uplink=is_uplink, f_port=f_port)
        return DataFrame(f_type, dev_addr, f_cnt, f_port, payload, f_opts, *frame[6:])

    def uplink_mic(
        self, message: bytes, f_cnt: int, *, conf_f_cnt: int = 0, tx_dr: int = 0, tx_ch: int = 0
    ) -> bytes:
        """MIC of an uplink; ``message`` is everything before it."""
        _, forwarding, serving, _ = self._ready or self._set_up()
        mic = self._mic(forwarding, UP, message, f_cnt)
        if not self.is_1_1:
            return mic
        return self._mic(serving, UP, message, f_cnt, conf_f_cnt, tx_dr, tx_ch)[:2] + mic[:2]

    def downlink_mic(self, message: bytes, f_cnt: int, *, conf_f_cnt: int = 0) -> bytes:
        """MIC of a downlink; ``message`` is everything before it."""
        _, _, serving, _ = self._ready or self._set_up()
        return self._mic(serving, DOWN, message, f_cnt, conf_f_cnt if self.is_1_1 else 0)

    def encrypt_payload(self, payload: bytes, f_cnt: int, *, is_uplink: bool, f_port: int) -> bytes:
        """Encrypt a payload, or decrypt it: the same bytes are added again."""
        size = len(payload)
        if not size:
            return payload
        if f_port:
            if not self._is_used and self.keys.app_s_key and size <= LONGEST:
                self._is_used = True
                nonce = _NONCE(not is_uplink, self._address, _checked(f_cnt))
                return ccm_payload(self.keys.app_s_key, nonce, payload)
            encrypt = (self._ready or self._set_up())[0]
        else:
            encrypt = self._network_encryptor()
        blocks = _A(1, not is_uplink, self._address, _checked(f_cnt), 0, 1)
        if size > BLOCK:
            blocks = _more_blocks(blocks, size)
        return _xor(payload, encrypt(blocks))

    def encrypt_f_opts(
        self, f_opts: bytes, f_cnt: int, *, is_uplink: bool, f_port: int | None
    ) -> bytes:
        """Encrypt FOpts, or decrypt them; in 1.0.x they are as they are."""
        if not self.is_1_1 or not f_opts:
            return f_opts
        which, number = 0, 0
        if self.f_opts_cipher is FOptsCipher.ERRATUM:
            which, number = (2 if f_port and not is_uplink else 1), 1
        block = _A_F_OPTS(1, which, not is_uplink, self._address, _checked(f_cnt), 0, number)
        return _xor(f_opts, self._network_encryptor()(block))

    @property
    def has_contexts(self) -> bool:
        """Whether its keys are set up at present."""
        return self._ready is not None

    def forget_contexts(self) -> None:
        """Give back what was set up for the keys; it is set up again when it is needed twice."""
        self._ready = None
        self._is_used = False

    def _set_up(self) -> _Ready:
        """
        Contexts for the keys, kept from the second use on.

        A server of very many devices hears most of them once before it has to give something back,
        and contexts that are kept so long cost it four times what they cost when freed at once.
        """
        keys, is_kept = self.keys, self._is_used
        mac = keyed_cmac if is_kept else fresh_cmac
        forwarding = mac(keys.f_nwk_s_int_key) if keys.f_nwk_s_int_key else _without_mac
        is_one = keys.s_nwk_s_int_key == keys.f_nwk_s_int_key
        serving = forwarding if is_one else mac(keys.s_nwk_s_int_key)
        # In 1.0.x this one is used on port 0 alone: too rarely to be kept.
        network = encryptor(keys.nwk_s_enc_key) if is_kept and self.is_1_1 else None
        application = encryptor(keys.app_s_key) if keys.app_s_key else _without_key
        ready = (application, forwarding, serving, network)
        if is_kept:
            self._ready = ready
            self._contexts.admit(self)
        self._is_used = True
        return ready

    def _network_encryptor(self) -> _Encrypt:
        kept = (self._ready or self._set_up())[3]
        return kept or encryptor(self.keys.nwk_s_enc_key)

    def _message(
        self,
        direction: int,
        mhdr: int,
        f_ctrl: int,
        f_cnt: int,
        f_port: int | None,
        payload: bytes,
        f_opts: bytes,
    ) -> bytes:
        """Everything of a data frame before its MIC."""
        require(len(f_opts), 0, MAX_F_OPTS, "a number of bytes of FOpts")
        require(f_ctrl & 15, 0, 0, "no length of FOpts in the bits of FCtrl,")
        if f_opts and f_port == 0:
            raise LoRaWanError("expected no FOpts in a frame with FPort 0")
        is_uplink = direction == UP
        f_ctrl = require(f_ctrl, 0, 255, "the bits of FCtrl") | len(f_opts)
        message = FHDR.pack(mhdr, self._address, f_ctrl, _checked(f_cnt) & 0xFFFF)
        message += self.encrypt_f_opts(f_opts, f_cnt, is_uplink=is_uplink, f_port=f_port)
        if f_port is not None:
            message += _NUMBERS[require(f_port, 0, 255, "a port")]
            message += self.encrypt_payload(payload, f_cnt, is_uplink=is_uplink, f_port=f_port)
        elif payload:
            raise LoRaWanError("expected a port beside a payload")
        require(len(message), 0, LONGEST - MIC_BYTES, "a number of bytes before the MIC")
        return message

    def _mic(
        self,
        mac: Callable[[], CMAC],
        direction: int,
        message: bytes,
        f_cnt: int,
        conf_f_cnt: int = 0,
        tx_dr: int = 0,
        tx_ch: int = 0,
    ) -> bytes:
        size, low = len(message), conf_f_cnt & 0xFFFF
        try:
            block = _B(0x49, low, tx_dr, tx_ch, direction, self._address, f_cnt, 0, size)
        except struct.error as error:
            raise LoRaWanError(
                f"expected a frame counter of 32 bits, data rate and channel of 8; got {f_cnt}, "
                f"{tx_dr}, {tx_ch}"
            ) from error
        state = mac()
        state.update(block + message)
        return state.finalize()[:MIC_BYTES]


def _without_key(blocks: bytes) -> bytes:
    """A network server has no application key: it passes payloads on as they are."""
    raise LoRaWanError("expected the application's session key; got none")


def _without_mac() -> CMAC:
    """An application server has no network keys: it sees payloads alone."""
    raise LoRaWanError("expected the network's session keys; got none")


def full_f_cnt(low: int, *, at_least: int) -> int:
    """
    The least 32-bit counter from ``at_least`` on whose lower 16 bits are ``low``.

    Raises:
        LoRaWanError: there is none, the counter is used up.
    """
    return _checked(at_least + (low - at_least & 0xFFFF))


def _checked(f_cnt: int) -> int:
    return require(f_cnt, 0, MAX_F_CNT, "a frame counter")


def _decode(phy: bytes, *, is_uplink: bool) -> DataFrame:
    frame = decode(phy)
    if not isinstance(frame, DataFrame) or frame.is_uplink != is_uplink:
        raise LoRaWanError(f"expected {'an uplink' if is_uplink else 'a downlink'}", 0)
    return frame


def _refuse(mic: bytes, frame: DataFrame, phy: bytes) -> NoReturn:
    at = len(phy) - MIC_BYTES
    raise MicError(f"expected MIC {mic.hex()}; got {frame.mic.hex()}", at)


def _more_blocks(first: bytes, size: int) -> bytes:
    """The counter blocks for ``size`` bytes; they differ in their last byte."""
    head, count = first[:-1], -(-size // BLOCK)
    return b"".join([head + number for number in _NUMBERS[1 : count + 1]])


def _xor(data: bytes, keystream: bytes) -> bytes:
    # As whole numbers: one operation in C, whatever the length.
    size = len(data)
    return (_number(data) ^ _number(keystream[:size])).to_bytes(size)
