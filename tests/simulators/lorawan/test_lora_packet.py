"""
Ten thousand frames before a judge that shares nothing with this project: npm's lora-packet.

Optional on a desk: needs ``node``, and the module installed in the folder that LORA_PACKET_HOME
names (``npm install --prefix FOLDER lora-packet``).
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from simulators.lorawan.crypto import Session
from simulators.lorawan.frames import (
    ACK,
    ADR,
    ADR_ACK_REQ,
    CLASS_B,
    JoinAccept,
    JoinRequest,
    RejoinRequest,
)
from simulators.lorawan.join import open_accept, open_request, protect_accept, protect_request
from simulators.lorawan.keys import (
    Attempt,
    RootKeys,
    SessionKeys,
    derive_join_keys,
    derive_session_keys,
)

SCRIPT = Path(__file__).with_name("lora_packet.js")
FRAMES, MADE = 10_000, 2_000
DAMAGED = 20  # every so manieth frame has a wrong MIC, and has to be found out

# What goes to the judge, and what it must find.
Line = dict[str, Any]


@pytest.fixture(scope="module")
def judge() -> Any:
    """A function that gives lines to one process of Node and returns its answers."""
    home = os.environ.get("LORA_PACKET_HOME", "")
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    if not (Path(home) / "node_modules" / "lora-packet").is_dir():
        pytest.skip("LORA_PACKET_HOME names no folder in which lora-packet is installed")

    def ask(lines: list[Line]) -> list[Line]:
        text = "".join(json.dumps(line) + "\n" for line in lines)
        done = subprocess.run(
            ["node", str(SCRIPT)], input=text, capture_output=True, text=True, timeout=100
        )
        assert done.returncode == 0, done.stderr[-2000:]
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        assert len(answers) == len(lines)
        return answers

    return ask


def counter(rng: random.Random, bits: int) -> int:
    """A number of up to so many bits; small ones and the greatest come often."""
    return rng.choice([rng.getrandbits(bits), rng.getrandbits(bits // 2), 0, (1 << bits) - 1])


def session_keys(rng: random.Random, *, is_1_1: bool) -> SessionKeys:
    if is_1_1:
        return SessionKeys(*(rng.randbytes(16) for _ in range(4)))
    return SessionKeys.legacy(rng.randbytes(16), rng.randbytes(16))


def data_fields(rng: random.Random, keys: SessionKeys, *, is_1_1: bool) -> Line:
    """A data frame in plain, with all that is needed to protect it."""
    f_port = rng.choice([None, 0, rng.randint(1, 223), rng.randint(224, 255)])
    f_opts = b"" if f_port == 0 else rng.randbytes(rng.choice([0, 0, 1, 7, 15]))
    size = (
        0 if f_port is None else rng.choice([0, rng.randint(1, 15), 16, 17, rng.randint(18, 227)])
    )
    is_uplink, ack = rng.random() < 0.5, rng.random() < 0.3
    return {
        "is_uplink": is_uplink,
        "is_1_1": is_1_1,
        "is_confirmed": rng.random() < 0.5,
        "dev_addr": f"{rng.getrandbits(32):08x}",
        "f_cnt": counter(rng, 32),
        "f_port": f_port,
        "frm_payload": rng.randbytes(size).hex(),
        "f_opts": f_opts.hex(),
        "adr": rng.random() < 0.5,
        "adr_ack_req": is_uplink and rng.random() < 0.2,
        "ack": ack,
        "bit_4": rng.random() < 0.2,
        "conf_f_cnt": counter(rng, 16) if ack else 0,
        "tx_dr": rng.randrange(16) if is_uplink else 0,
        "tx_ch": rng.randrange(96) if is_uplink else 0,
        **{name: key.hex() for name, key in keys._asdict().items()},
    }


def protect(fields: Line, keys: SessionKeys) -> bytes:
    """The frame as ThingRig makes it."""
    session = Session(fields["dev_addr"], keys, is_1_1=fields["is_1_1"])
    names = {"adr": ADR, "adr_ack_req": ADR_ACK_REQ, "ack": ACK, "bit_4": CLASS_B}
    arguments = {
        "f_opts": bytes.fromhex(fields["f_opts"]),
        "f_ctrl": sum(bit for name, bit in names.items() if fields[name]),
        "is_confirmed": fields["is_confirmed"],
        "conf_f_cnt": fields["conf_f_cnt"],
    }
    head = fields["f_cnt"], fields["f_port"], bytes.fromhex(fields["frm_payload"])
    if fields["is_uplink"]:
        return session.protect_uplink(
            *head, **arguments, tx_dr=fields["tx_dr"], tx_ch=fields["tx_ch"]
        )
    return session.protect_downlink(*head, **arguments)


FOUND_IN_DATA = [
    "is_uplink",
    "is_confirmed",
    "dev_addr",
    "f_port",
    "frm_payload",
    "f_opts",
    "adr",
    "adr_ack_req",
    "ack",
    "bit_4",
]


def data(rng: random.Random, is_1_1: bool) -> tuple[Line, Line]:
    keys = session_keys(rng, is_1_1=is_1_1)
    fields = data_fields(rng, keys, is_1_1=is_1_1)
    found = {name: fields[name] for name in FOUND_IN_DATA}
    line = {"job": "judgeData", "phy": protect(fields, keys).hex(), **fields}
    return line, {"mic": True, "f_cnt": fields["f_cnt"] & 0xFFFF, **found}


def data_1_0(rng: random.Random) -> tuple[Line, Line]:
    return data(rng, False)


def data_1_1(rng: random.Random) -> tuple[Line, Line]:
    return data(rng, True)


def eui(rng: random.Random) -> str:
    return f"{rng.getrandbits(64):016x}"


def join_request(rng: random.Random) -> tuple[Line, Line]:
    frame, key = JoinRequest(eui(rng), eui(rng), counter(rng, 16)), rng.randbytes(16)
    phy = protect_request(frame, key)
    found = {name: getattr(frame, name) for name in ("join_eui", "dev_eui", "dev_nonce")}
    return {"job": "judgeJoinRequest", "phy": phy.hex(), "key": key.hex()}, {"mic": True, **found}


def rejoin_request(rng: random.Random) -> tuple[Line, Line]:
    rejoin_type, network = rng.randrange(3), f"{rng.getrandbits(24):06x}"
    names = {"join_eui": eui(rng)} if rejoin_type == 1 else {"net_id": network}
    frame = RejoinRequest(rejoin_type, eui(rng), counter(rng, 16), **names)
    s_nwk_s_int_key, js_int_key = rng.randbytes(16), rng.randbytes(16)
    phy = protect_request(frame, js_int_key if rejoin_type == 1 else s_nwk_s_int_key)
    line = {
        "job": "judgeRejoinRequest",
        "phy": phy.hex(),
        "s_nwk_s_int_key": s_nwk_s_int_key.hex(),
        "js_int_key": js_int_key.hex(),
    }
    return line, {
        "mic": True,
        "rejoin_type": rejoin_type,
        "dev_eui": frame.dev_eui,
        "network": frame.join_eui or frame.net_id,
    }


def accept_fields(rng: random.Random) -> tuple[JoinAccept, RootKeys, Attempt]:
    """A join accept of 1.0.x, of 1.1, or of a 1.1 device that falls back; or after a rejoin."""
    kind = rng.choice(["1.0", "1.1", "1.1", "fallback", "rejoin"])
    root = RootKeys(rng.randbytes(16), b"" if kind == "1.0" else rng.randbytes(16))
    join_req_type = rng.randrange(3) if kind == "rejoin" else 0xFF
    accept = JoinAccept(
        counter(rng, 24),
        f"{rng.getrandbits(24):06x}",
        f"{rng.getrandbits(32):08x}",
        rx1_data_rate_offset=rng.randrange(8),
        rx2_data_rate_index=rng.randrange(16),
        rx_delay=rng.randrange(16),
        opt_neg=kind in ("1.1", "rejoin"),
        cf_list=rng.choice([b"", rng.randbytes(16)]),
    )
    return accept, root, Attempt(eui(rng), eui(rng), counter(rng, 16), join_req_type)


def accept_line(accept: JoinAccept, root: RootKeys, attempt: Attempt) -> Line:
    return {
        "app_key": root.app_key.hex(),
        "nwk_key": root.nwk_key.hex(),
        "join_nonce": accept.join_nonce,
        "net_id": accept.net_id,
        "dev_addr": accept.dev_addr,
        "dl_settings": accept.opt_neg << 7
        | accept.rx1_data_rate_offset << 4
        | accept.rx2_data_rate_index,
        "rx_delay": accept.rx_delay,
        "cf_list": accept.cf_list.hex(),
        "join_req_type": attempt.join_req_type,
        "join_eui": attempt.join_eui,
        "dev_eui": attempt.dev_eui,
        "nonce": attempt.nonce,
    }


FOUND_IN_ACCEPT = ["join_nonce", "net_id", "dev_addr", "dl_settings", "rx_delay", "cf_list"]


def join_accept(rng: random.Random) -> tuple[Line, Line]:
    accept, root, attempt = accept_fields(rng)
    fields = accept_line(accept, root, attempt)
    joining = derive_join_keys(root.nwk_key, attempt.dev_eui) if root.nwk_key else None
    is_rejoin = attempt.join_req_type != 0xFF
    line = {
        "job": "judgeJoinAccept",
        "phy": protect_accept(accept, root, attempt).hex(),
        "encryption_key": (joining.js_enc_key if joining and is_rejoin else root.join_key).hex(),
        **fields,
    }
    keys = derive_session_keys(root, attempt, accept)
    return line, {
        "mic": True,
        **{name: fields[name] for name in FOUND_IN_ACCEPT},
        **{name: key.hex() for name, key in keys._asdict().items()},
        "js_int_key": joining.js_int_key.hex() if joining else "",
        "js_enc_key": joining.js_enc_key.hex() if joining else "",
    }


KINDS = (data_1_0, data_1_0, data_1_1, data_1_1, join_request, rejoin_request, join_accept)


def spoil(line: Line, found: Line, rng: random.Random) -> None:
    """Flip one bit of the MIC; a join accept is encrypted as a whole, so it loses its key."""
    if line["job"] == "judgeJoinAccept":
        line["nwk_key"] = line["app_key"] = rng.randbytes(16).hex()
        found.clear()
    else:
        phy = bytearray.fromhex(line["phy"])
        phy[-rng.randint(1, 4)] ^= 1 << rng.randrange(8)
        line["phy"] = phy.hex()
    found["mic"] = False


@pytest.mark.timeout(150)
def test_every_frame_is_read_there_as_it_was_meant(judge: Any) -> None:
    """Fields, integrity, payloads, FOpts, join accepts and every derived key."""
    rng = random.Random(5)
    lines: list[Line] = []
    expected: list[Line] = []
    for number in range(FRAMES):
        line, found = KINDS[number % len(KINDS)](rng)
        if number % DAMAGED == 0:
            spoil(line, found, rng)
        lines.append(line)
        expected.append(found)
    assert min(Counter(line["job"] for line in lines).values()) > FRAMES // 10

    answers = judge(lines)

    wrong = [
        (line, found, answer)
        for line, found, answer in zip(lines, expected, answers, strict=True)
        if {name: answer.get(name) for name in found} != found
    ]
    assert wrong[:3] == []
    assert sum(not answer["mic"] for answer in answers) == FRAMES // DAMAGED


@pytest.mark.timeout(150)
def test_data_frames_made_there_are_read_here(judge: Any) -> None:
    rng = random.Random(6)
    sessions = [session_keys(rng, is_1_1=number % 2 == 1) for number in range(MADE)]
    lines = [
        {"job": "makeData", **data_fields(rng, keys, is_1_1=number % 2 == 1)}
        for number, keys in enumerate(sessions)
    ]

    for line, keys, made in zip(lines, sessions, judge(lines), strict=True):
        session = Session(line["dev_addr"], keys, is_1_1=line["is_1_1"])
        phy = bytes.fromhex(made["phy"])
        if line["is_uplink"]:
            numbers = {name: line[name] for name in ("conf_f_cnt", "tx_dr", "tx_ch")}
            frame = session.open_uplink(phy, line["f_cnt"], **numbers)
        else:
            frame = session.open_downlink(phy, line["f_cnt"], conf_f_cnt=line["conf_f_cnt"])
        assert (frame.frm_payload.hex(), frame.f_opts.hex()) == (
            line["frm_payload"],
            line["f_opts"],
        )
        assert (frame.f_port, frame.f_cnt) == (line["f_port"], line["f_cnt"])
        assert (frame.is_uplink, frame.is_confirmed) == (line["is_uplink"], line["is_confirmed"])
        assert (frame.adr, frame.adr_ack_req, frame.ack) == (
            line["adr"],
            line["adr_ack_req"],
            line["ack"],
        )
        assert (frame.class_b or frame.f_pending) == line["bit_4"]
        assert protect(line, keys) == phy


def test_join_requests_made_there_are_read_here(judge: Any) -> None:
    rng = random.Random(7)
    frames = [JoinRequest(eui(rng), eui(rng), counter(rng, 16)) for _ in range(200)]
    keys = [rng.randbytes(16) for _ in frames]
    lines = [
        {"job": "makeJoinRequest", "key": key.hex(), **_texts(frame)}
        for frame, key in zip(frames, keys, strict=True)
    ]

    for frame, key, made in zip(frames, keys, judge(lines), strict=True):
        phy = bytes.fromhex(made["phy"])
        assert open_request(phy, key) == frame._replace(mic=phy[-4:])


def _texts(frame: JoinRequest) -> Line:
    return {name: value for name, value in frame._asdict().items() if name != "mic"}


def test_join_accepts_made_there_are_read_here(judge: Any) -> None:
    """Answers to join requests: its maker has no key of its own for answers to rejoin requests."""
    rng = random.Random(8)
    fields = [accept_fields(rng) for _ in range(500)]
    fields = [each for each in fields if each[2].join_req_type == 0xFF]
    assert len(fields) > 300

    made = judge([{"job": "makeJoinAccept", **accept_line(*each)} for each in fields])

    for (accept, root, attempt), answer in zip(fields, made, strict=True):
        phy = bytes.fromhex(answer["phy"])
        assert open_accept(phy, root, attempt)._replace(mic=bytes(4)) == accept
        assert protect_accept(accept, root, attempt) == phy
