"""How a password is stored: ``scrypt$cost$salt$hash``, so that costs may change over the years."""

from __future__ import annotations

import base64
import hmac
from typing import NamedTuple

_KIND = "scrypt"


class Password(NamedTuple):
    """A salted slow hash and the cost it was made with."""

    cost: int
    salt: bytes
    digest: bytes

    def text(self) -> str:
        """As the store keeps it."""
        salt, digest = (base64.b64encode(part).decode() for part in (self.salt, self.digest))
        return f"{_KIND}${self.cost}${salt}${digest}"

    def is_made_of(self, digest: bytes) -> bool:
        """Whether the hash is this one; takes the same time whatever the answer."""
        return hmac.compare_digest(self.digest, digest)


def from_text(text: str) -> Password:
    """The stored form read again."""
    _, cost, salt, digest = text.split("$")
    return Password(int(cost), base64.b64decode(salt), base64.b64decode(digest))
