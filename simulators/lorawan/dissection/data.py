"""Data frames, told field by field: MIC, payload, MAC commands."""

from __future__ import annotations

from dataclasses import asdict

from simulators.lorawan.crypto import FOptsCipher, Session
from simulators.lorawan.dissection.known import (
    UNKNOWN,
    Document,
    Finding,
    Known,
    NetworkKeys,
    compare,
    judged,
)
from simulators.lorawan.errors import LoRaWanError
from simulators.lorawan.frames import MIC_BYTES, DataFrame
from simulators.lorawan.identifiers import KEY_BYTES
from simulators.lorawan.keys import SessionKeys
from simulators.lorawan.mac_commands import MacCommand, Parsed, cid_of, parse

_NO_KEY = bytes(KEY_BYTES)


def data_frame(frame: DataFrame, phy: bytes, known: Known) -> Document:
    """Fields, MIC, payload and commands of a data frame."""
    f_cnt = _full_counter(frame, known)
    session = _session(frame, known)
    finding = _data_mic(frame, phy, known, session, f_cnt)
    payload = _payload(frame, known, session, f_cnt)
    commands = _commands(frame, known, session, f_cnt, payload, finding.notes)
    bit_4 = {"class_b": frame.class_b} if frame.is_uplink else {"f_pending": frame.f_pending}
    return {
        "dev_addr": frame.dev_addr,
        "f_ctrl": {
            "adr": frame.adr,
            **({"adr_ack_req": frame.adr_ack_req} if frame.is_uplink else {}),
            "ack": frame.ack,
            **bit_4,
        },
        "f_cnt": f_cnt,
        "f_opts": frame.f_opts.hex(),
        "f_port": frame.f_port,
        "frm_payload": frame.frm_payload.hex(),
        "decrypted_payload": None if payload is None else payload.hex(),
        "mac_commands": [_command(each) for each in commands],
    } | judged(frame.mic.hex(), finding)


def _full_counter(frame: DataFrame, known: Known) -> int:
    if known.f_cnt is None:
        return frame.f_cnt
    if known.f_cnt & 0xFFFF != frame.f_cnt:
        raise LoRaWanError(
            f"expected a full counter of the frame's {frame.f_cnt}, such as "
            f"{frame.f_cnt + 0x10000}; got {known.f_cnt}"
        )
    return known.f_cnt


def _session(frame: DataFrame, known: Known) -> Session:
    # A key that is not known stands as zeros; nothing that depends on it is told.
    network = known.network or NetworkKeys(_NO_KEY, _NO_KEY, _NO_KEY)
    keys = SessionKeys(*network, known.app_s_key or _NO_KEY)
    return Session(frame.dev_addr, keys, is_1_1=known.is_1_1)


def _data_mic(frame: DataFrame, phy: bytes, known: Known, session: Session, f_cnt: int) -> Finding:
    if known.network is None:
        return Finding(UNKNOWN, ["the MIC needs the keys of the network session"])
    message, conf_f_cnt = phy[:-MIC_BYTES], (known.conf_f_cnt or 0) if frame.ack else 0
    if frame.is_uplink:
        dr, ch = known.tx_dr or 0, known.tx_ch or 0
        expected = session.uplink_mic(message, f_cnt, conf_f_cnt=conf_f_cnt, tx_dr=dr, tx_ch=ch)
    else:
        expected = session.downlink_mic(message, f_cnt, conf_f_cnt=conf_f_cnt)
    missing = _missing_for_data(frame, known)
    # Half of an uplink's MIC needs none of what may be missing.
    if missing and not (frame.is_uplink and expected[2:] != frame.mic[2:]):
        return Finding(UNKNOWN, [f"the MIC of 1.1 needs {missing}"])
    notes = []
    if known.f_cnt is None:
        notes.append(f"judged with counter {f_cnt}: past 65535 the full counter has to be given")
    return compare(expected, frame.mic, *notes)


def _missing_for_data(frame: DataFrame, known: Known) -> str:
    if not known.is_1_1:
        return ""
    missing = []
    if frame.is_uplink and (known.tx_dr is None or known.tx_ch is None):
        missing.append("data rate and channel of this transmission")
    if frame.ack and known.conf_f_cnt is None:
        missing.append("the counter of the frame acknowledged")
    return ", ".join(missing)


def _payload(frame: DataFrame, known: Known, session: Session, f_cnt: int) -> bytes | None:
    """The payload in plain; None without its key."""
    has_key = known.app_s_key if frame.f_port else known.network
    if frame.f_port is None or not has_key:
        return None
    return session.encrypt_payload(
        frame.frm_payload, f_cnt, is_uplink=frame.is_uplink, f_port=frame.f_port
    )


def _commands(
    frame: DataFrame,
    known: Known,
    session: Session,
    f_cnt: int,
    payload: bytes | None,
    notes: list[str],
) -> list[MacCommand]:
    if frame.f_port == 0:
        parsed = parse(payload or b"", is_uplink=frame.is_uplink)
    elif known.is_1_1:
        parsed = _encrypted_options(frame, session, f_cnt, notes)
    else:
        parsed = parse(frame.f_opts, is_uplink=frame.is_uplink)
        if frame.f_opts and not known.network:
            notes.append(
                "FOpts are read as they stand, as in 1.0.x; a session of 1.1 encrypts them"
            )
    if parsed.problem:
        notes.append(f"MAC commands: {parsed.problem}; left unread: {parsed.rest.hex()}")
    return parsed.commands


def _encrypted_options(frame: DataFrame, session: Session, f_cnt: int, notes: list[str]) -> Parsed:
    """FOpts of 1.1 in the form that makes sense; the one of the erratum comes first."""
    found = []
    for cipher in FOptsCipher:
        session.f_opts_cipher = cipher
        plain = session.encrypt_f_opts(
            frame.f_opts, f_cnt, is_uplink=frame.is_uplink, f_port=frame.f_port
        )
        found.append(parse(plain, is_uplink=frame.is_uplink))
    if found[0].problem and not found[1].problem:
        notes.append("FOpts are encrypted as in the first text of 1.1, without its erratum")
        return found[1]
    return found[0]


def _command(command: MacCommand) -> Document:
    return {"cid": f"{cid_of(command):02x}", "name": command.name, "fields": asdict(command)}
