"""
What can be told about one frame with the keys and numbers that somebody knows of it.

The answer is plain data, ready for JSON. It holds no key in full, neither one that was given nor
one that follows from it: the last four characters are enough to compare.
"""

from __future__ import annotations

from collections.abc import Callable

from simulators.lorawan.dissection.data import data_frame
from simulators.lorawan.dissection.joining import join_accept, join_request, rejoin_request
from simulators.lorawan.dissection.known import (
    UNKNOWN,
    Document,
    Finding,
    Known,
    judged,
)
from simulators.lorawan.frames import (
    DataFrame,
    EncryptedJoinAccept,
    Frame,
    FType,
    JoinRequest,
    Proprietary,
    RejoinRequest,
    decode,
)


def dissect(phy: bytes, known: Known) -> Document:
    """
    Tell everything about one PHY payload.

    Returns:
        ``phy_payload``, ``f_type``, the frame's fields, ``mic``, ``mic_status`` (good, bad or
        unknown) and ``notes``, a list of sentences.
    Raises:
        LoRaWanError: the bytes are no frame, or a counter given for it is not its own.
    """
    frame = decode(phy)
    document: Document = {"phy_payload": phy.hex(), "f_type": FType(phy[0] >> 5).name}
    return document | _DISSECTORS[type(frame)](frame, phy, known)


def _proprietary(frame: Proprietary, phy: bytes, known: Known) -> Document:
    finding = Finding(UNKNOWN, ["nothing is known of a proprietary frame but its first byte"])
    return {"payload": frame.payload.hex()} | judged("", finding)


_DISSECTORS: dict[type[Frame], Callable[..., Document]] = {
    JoinRequest: join_request,
    EncryptedJoinAccept: join_accept,
    RejoinRequest: rejoin_request,
    DataFrame: data_frame,
    Proprietary: _proprietary,
}
