"""Join requests, rejoin requests and join accepts, told field by field."""

from __future__ import annotations

from simulators.lorawan.cf_list import Frequencies, decode_cf_list
from simulators.lorawan.dissection.known import (
    BAD,
    GOOD,
    UNKNOWN,
    Document,
    Finding,
    Known,
    compare,
    judged,
)
from simulators.lorawan.errors import LoRaWanError
from simulators.lorawan.frames import (
    MIC_BYTES,
    EncryptedJoinAccept,
    JoinAccept,
    JoinRequest,
    RejoinRequest,
    decode_join_accept,
)
from simulators.lorawan.identifiers import shown_key
from simulators.lorawan.join import accept_mic, decrypt_accept, request_mic
from simulators.lorawan.keys import (
    JOIN_REQUEST,
    Attempt,
    RootKeys,
    SessionKeys,
    derive_join_keys,
    derive_session_keys,
)

_SWAPPED = "the MIC is right under the AppKey: a device of 1.0.x, or its two keys are swapped"


def join_request(frame: JoinRequest, phy: bytes, known: Known) -> Document:
    """Fields and MIC of a join request."""
    fields = {
        "join_eui": frame.join_eui,
        "dev_eui": frame.dev_eui,
        "dev_nonce": frame.dev_nonce,
    }
    return fields | judged(frame.mic.hex(), _join_request_mic(phy, frame.mic, known))


def _join_request_mic(phy: bytes, mic: bytes, known: Known) -> Finding:
    keys = {"NwkKey": known.nwk_key, "AppKey": known.app_key}
    right = [
        name for name, key in keys.items() if key and request_mic(phy[:-MIC_BYTES], key) == mic
    ]
    if right == ["AppKey"] and known.nwk_key:
        return Finding(BAD, [_SWAPPED])
    if right:
        return Finding(GOOD, [])
    if any(keys.values()):
        return Finding(BAD, [])
    return Finding(UNKNOWN, ["the MIC needs the AppKey, or the NwkKey of a device of 1.1"])


def rejoin_request(frame: RejoinRequest, phy: bytes, known: Known) -> Document:
    """Fields and MIC of a rejoin request."""
    network = {"join_eui": frame.join_eui} if frame.rejoin_type == 1 else {"net_id": frame.net_id}
    return {
        "rejoin_type": frame.rejoin_type,
        **network,
        "dev_eui": frame.dev_eui,
        "rj_count": frame.rj_count,
    } | judged(frame.mic.hex(), _rejoin_mic(frame, phy, known))


def _rejoin_mic(frame: RejoinRequest, phy: bytes, known: Known) -> Finding:
    if frame.rejoin_type == 1 and known.nwk_key:
        key = derive_join_keys(known.nwk_key, frame.dev_eui).js_int_key
    elif frame.rejoin_type != 1 and known.network:
        key = known.network.s_nwk_s_int_key
    else:
        name = "NwkKey" if frame.rejoin_type == 1 else "SNwkSIntKey"
        return Finding(UNKNOWN, [f"the MIC needs the {name}"])
    return compare(request_mic(phy[:-MIC_BYTES], key), frame.mic)


def join_accept(frame: EncryptedJoinAccept, phy: bytes, known: Known) -> Document:
    """A join accept with its content, as far as the keys open it."""
    root = RootKeys(known.app_key, known.nwk_key)
    if not root.join_key:
        note = "the content needs the AppKey, or the NwkKey of a device of 1.1"
        return {"encrypted": frame.body.hex()} | judged("", Finding(UNKNOWN, [note]))
    candidates = [_opened(phy, root, known, each) for each in _possible_requests(known)]
    for candidate in candidates:
        if candidate["mic_status"] == GOOD:
            return candidate
    first = candidates[0]
    if _is_right_under_app_key(phy, known):
        return first | judged(first["mic"], Finding(BAD, [_SWAPPED]))
    if first["mic_status"] == BAD:
        first["notes"].append("the fields are what this key makes of the bytes")
    return first


def _is_right_under_app_key(phy: bytes, known: Known) -> bool:
    if not (known.app_key and known.nwk_key):
        return False
    opened = _opened(phy, RootKeys(known.app_key), known, JOIN_REQUEST)
    return bool(opened["mic_status"] == GOOD)


def _possible_requests(known: Known) -> tuple[int, ...]:
    """JoinReqTypes that the accept may answer; after a rejoin it has another key."""
    return (JOIN_REQUEST, 0, 1, 2) if known.nwk_key and known.dev_eui else (JOIN_REQUEST,)


def _opened(phy: bytes, root: RootKeys, known: Known, join_req_type: int) -> Document:
    """The accept as an answer to one kind of request."""
    key = root.join_key
    if join_req_type != JOIN_REQUEST:
        key = derive_join_keys(root.nwk_key, known.dev_eui).js_enc_key
    plain = decrypt_accept(phy, key)
    accept = decode_join_accept(plain)
    attempt = Attempt(known.join_eui, known.dev_eui, known.dev_nonce or 0, join_req_type)
    missing = _missing_for_accept(accept, root, known)
    if missing:
        finding = Finding(UNKNOWN, [f"the MIC of a join accept of 1.1 needs {missing}"])
    else:
        finding = compare(accept_mic(plain, root, attempt), accept.mic)
    document: Document = {"decrypted": plain.hex(), "join_nonce": accept.join_nonce}
    for name in ("net_id", "dev_addr", "opt_neg", "rx1_data_rate_offset", "rx2_data_rate_index"):
        document[name] = getattr(accept, name)
    document |= {"rx_delay": accept.rx_delay, "cf_list": _cf_list(accept, finding)}
    if join_req_type != JOIN_REQUEST:
        document["answers_rejoin_type"] = join_req_type
    if finding.status == GOOD and known.dev_nonce is not None:
        document["session_keys"] = _session_keys(root, attempt, accept)
    return document | judged(accept.mic.hex(), finding)


def _missing_for_accept(accept: JoinAccept, root: RootKeys, known: Known) -> str:
    if not (accept.opt_neg and root.nwk_key):
        return ""
    needed = {
        "JoinEUI": known.join_eui,
        "DevEUI": known.dev_eui,
        "DevNonce": known.dev_nonce is not None,
    }
    return ", ".join(name for name, is_there in needed.items() if not is_there)


def _cf_list(accept: JoinAccept, finding: Finding) -> Document | None:
    if not accept.cf_list:
        return None
    try:
        found = decode_cf_list(accept.cf_list)
    except LoRaWanError as problem:
        finding.notes.append(f"CFList: {problem}")
        return {"raw": accept.cf_list.hex()}
    if isinstance(found, Frequencies):
        return {"type": 0, "frequencies_hz": list(found.frequencies_hz)}
    return {"type": 1, "channels": found.channels}


def _session_keys(root: RootKeys, attempt: Attempt, accept: JoinAccept) -> Document:
    keys = derive_session_keys(root, attempt, accept)
    if keys == SessionKeys.legacy(keys.f_nwk_s_int_key, keys.app_s_key):
        names = {"nwk_s_key": keys.f_nwk_s_int_key, "app_s_key": keys.app_s_key}
    else:
        names = keys._asdict()
    return {name: shown_key(key) for name, key in names.items()}
