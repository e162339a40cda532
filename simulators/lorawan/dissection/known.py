"""What somebody knows beside a frame, and what is said about its MIC."""

from __future__ import annotations

from typing import Any, NamedTuple

GOOD, BAD, UNKNOWN = "good", "bad", "unknown"

Document = dict[str, Any]


class NetworkKeys(NamedTuple):
    """The network's keys of a session; in 1.0.x all three are the NwkSKey."""

    f_nwk_s_int_key: bytes
    s_nwk_s_int_key: bytes
    nwk_s_enc_key: bytes


class Known(NamedTuple):
    """What somebody knows beside the frame: everything may be missing."""

    app_key: bytes = b""
    nwk_key: bytes = b""
    join_eui: str = ""
    dev_eui: str = ""
    dev_nonce: int | None = None
    network: NetworkKeys | None = None
    is_1_1: bool = False
    app_s_key: bytes = b""
    f_cnt: int | None = None
    conf_f_cnt: int | None = None
    tx_dr: int | None = None
    tx_ch: int | None = None


class Finding(NamedTuple):
    """Whether a MIC is good, and what there is to say about that."""

    status: str
    notes: list[str]


def judged(mic: str, finding: Finding) -> Document:
    """The last fields of every document."""
    return {"mic": mic, "mic_status": finding.status, "notes": finding.notes}


def compare(expected: bytes, mic: bytes, *notes: str) -> Finding:
    """Good, or bad with what may be the reason."""
    return Finding(GOOD, []) if expected == mic else Finding(BAD, list(notes))
