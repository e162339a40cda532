"""
The peer: an uplink of LoRaWAN 1.0.x as the documents of `cryptography` lead one to write it.

New cipher and CMAC objects for each frame, as every example makes them. What is packed, and how
keystream and payload are added, is as in ThingRig: the difference measured is the contexts.
"""

from __future__ import annotations

from struct import Struct

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

_A = Struct("<B4xB4sIBB")
_B0 = Struct("<B4xB4sIBB")
_HEAD = Struct("<B4sBHB")


def protect_uplink(
    nwk_s_key: bytes,
    app_s_key: bytes,
    address: bytes,
    f_cnt: int,
    f_port: int,
    payload: bytes,
    f_ctrl: int,
) -> bytes:
    """A PHY payload, encrypted and with its MIC; ``address`` in the order of transmission."""
    size = len(payload)
    encryptor = Cipher(algorithms.AES(app_s_key), modes.ECB()).encryptor()
    blocks = b"".join(
        _A.pack(1, 0, address, f_cnt, 0, number) for number in range(1, -(-size // 16) + 1)
    )
    keystream = encryptor.update(blocks) + encryptor.finalize()
    added = int.from_bytes(payload, "big") ^ int.from_bytes(keystream[:size], "big")
    head = _HEAD.pack(0x40, address, f_ctrl, f_cnt & 0xFFFF, f_port)
    message = head + added.to_bytes(size, "big")
    cmac = CMAC(algorithms.AES(nwk_s_key))
    cmac.update(_B0.pack(0x49, 0, address, f_cnt, 0, len(message)) + message)
    return message + cmac.finalize()[:4]
