"""
AES-128 blocks and CMAC from `cryptography`, set up once for a key that is used often.

Setting a key up costs several times what a frame costs afterwards, and takes about one kilobyte.
Source: RFC 4493 (CMAC), RFC 3610 (CCM).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESCCM
from cryptography.hazmat.primitives.cmac import CMAC

BLOCK = 16
_TAG = 4


def encryptor(key: bytes) -> Callable[[bytes], bytes]:
    """A function that encrypts whole blocks, each by itself."""
    # ECB has no state between blocks: one context serves every caller and is never finalized.
    return _cipher(key).encryptor().update


def decrypt(key: bytes, blocks: bytes) -> bytes:
    """What an encryptor was given."""
    return _cipher(key).decryptor().update(blocks)


def keyed_cmac(key: bytes) -> Callable[[], CMAC]:
    """A function that gives a CMAC under this key, ready to be fed."""
    return CMAC(algorithms.AES(key)).copy


def fresh_cmac(key: bytes) -> Callable[[], CMAC]:
    """The same, set up anew each time: for a key that is used once."""
    return partial(CMAC, algorithms.AES(key))


def cmac(key: bytes, message: bytes) -> bytes:
    """The 16 bytes of a CMAC, with a key that is not worth keeping."""
    state = CMAC(algorithms.AES(key))
    state.update(message)
    return state.finalize()


def ccm_payload(key: bytes, nonce: bytes, payload: bytes) -> bytes:
    """
    A payload encrypted as in CCM, or decrypted, with a key that is not worth keeping.

    Args:
        nonce: 13 bytes, which leave two for the number of the block.

    Source: RFC 3610, section 2.3. Costs a third of an encryptor of blocks; the tag is not needed.
    """
    return AESCCM(key, _TAG).encrypt(nonce, payload, None)[:-_TAG]


def _cipher(key: bytes) -> Cipher[modes.ECB]:
    # LoRaWAN defines its modes itself, from single blocks; ECB here is that block and no more.
    return Cipher(algorithms.AES(key), modes.ECB())  # noqa: S305
