"""Bearer tokens: ``PREFIX.ID.SECRET``, of which the server keeps a hash of the secret."""

from __future__ import annotations

import base64
import hashlib
import hmac
import random
from typing import NamedTuple

from simulators.platforms.things_stack.errors import StackError

API_KEY, ACCESS_TOKEN, SESSION = "key", "acc", "ssn"
_KINDS = (API_KEY, ACCESS_TOKEN, "ref", "aut", SESSION)
_ID_BYTES, _SECRET_BYTES = 24, 32


class Token(NamedTuple):
    """The parts of a token; ``kind`` is one of three letters."""

    kind: str
    id: str
    secret: str

    def text(self) -> str:
        """As it is shown once and then carried by requests."""
        return f"{_base32(self.kind.encode())}.{self.id}.{self.secret}"

    def digest(self) -> bytes:
        """
        What the store keeps of the secret.

        One round is enough: nobody guesses 256 random bits.
        """
        return hashlib.sha256(self.secret.encode()).digest()

    def matches(self, digest: bytes) -> bool:
        """Whether the secret is the stored one; takes the same time whatever the answer."""
        return hmac.compare_digest(self.digest(), digest)


def new_token(kind: str, rng: random.Random) -> Token:
    """A fresh token."""
    return Token(kind, _base32(rng.randbytes(_ID_BYTES)), _base32(rng.randbytes(_SECRET_BYTES)))


def split(text: str) -> Token:
    """
    A token in its parts.

    Raises:
        StackError: it does not have three parts, or no known prefix.
    """
    parts = text.split(".")
    kind = _PREFIXES.get(parts[0])
    if len(parts) != 3 or kind is None:
        raise StackError("pkg/auth:token")
    return Token(kind, parts[1], parts[2])


def _base32(data: bytes) -> str:
    return base64.b32encode(data).decode().rstrip("=")


_PREFIXES = {_base32(kind.encode()): kind for kind in _KINDS}
