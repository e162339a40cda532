"""
Named random streams from one seed.

Every device, actor and channel draws from a stream of its own, so that adding a device changes
nothing for the others. Independent of PYTHONHASHSEED.
"""

from __future__ import annotations

import hashlib
import random


class RandomStreams:
    """Source of independent, reproducible generators, each known by its name."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def integer(self, *name: str | int) -> int:
        """A 64-bit integer that depends on the seed and the name alone."""
        text = "\x1f".join(str(part) for part in (self.seed, *name))
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")

    def stream(self, *name: str | int) -> random.Random:
        """A fresh generator for ``name``; the same name always starts the same sequence."""
        return random.Random(self.integer(*name))
