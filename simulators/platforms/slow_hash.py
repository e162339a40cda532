"""
The slow hash of a password: salted scrypt, as both shells and a provisioning compute it.

Takes tens of milliseconds by design and lets other threads run meanwhile.
"""

from __future__ import annotations

import hashlib

from simulators.platforms.effects import Hash, Hashed

_BLOCK_SIZE = 8
_PARALLELISM = 1
_OVERHEAD = 2  # OpenSSL needs somewhat more than the algorithm's 128 * N * r bytes


def digest_of(password: str, salt: bytes, cost: int) -> bytes:
    """The hash of ``password``, 32 bytes; N is 2 ** ``cost`` (RFC 7914)."""
    rounds = 1 << cost
    return hashlib.scrypt(
        password.encode(),
        salt=salt,
        n=rounds,
        r=_BLOCK_SIZE,
        p=_PARALLELISM,
        maxmem=128 * rounds * _BLOCK_SIZE * _OVERHEAD + (1 << 20),
        dklen=32,
    )


def hashed(work: Hash) -> Hashed:
    """What the effect asks for."""
    return Hashed(work.salt, digest_of(work.password, work.salt, work.cost))
