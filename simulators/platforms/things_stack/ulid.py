"""ULIDs: 26 characters, sortable by the millisecond they were made in."""

from __future__ import annotations

import random
from itertools import product

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32
_PAIRS = ["".join(pair) for pair in product(_ALPHABET, repeat=2)]


def ulid(unix_us: int, rng: random.Random) -> str:
    """A fresh one of that time."""
    number = (unix_us // 1000) << 80 | rng.getrandbits(80)
    return "".join([_PAIRS[number >> shift & 1023] for shift in range(120, -1, -10)])
