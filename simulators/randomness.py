"""
Named random streams from one seed.

Every device, actor and channel draws from a stream of its own, so that adding a device changes
nothing for the others. Independent of PYTHONHASHSEED.
"""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Sequence
from typing import Protocol, TypeVar

T = TypeVar("T")


class Chance(Protocol):
    """What a user of chance needs at least: random.Random has it, and SmallRandom."""

    def random(self) -> float:
        """A number from 0 up to, not including, 1."""


class FullChance(Chance, Protocol):
    """What behaviours draw from: the methods of random.Random that they use."""

    def uniform(self, a: float, b: float) -> float:
        """A number between a and b."""

    def randint(self, a: int, b: int) -> int:
        """A whole number from a to b, both included."""

    def choice(self, seq: Sequence[T]) -> T:
        """One of them."""

    def expovariate(self, lambd: float) -> float:
        """A waiting time whose mean is 1 / lambd."""


class SmallRandom:
    """
    A generator in some 80 bytes, for what exists by ten thousands: random.Random takes 2.5 KB.

    Source: SplitMix64; Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators" (2014).
    """

    __slots__ = ("_state",)

    def __init__(self, seed: int) -> None:
        self._state = seed & _64_BITS

    def random(self) -> float:
        """As random.Random's: 53 bits of chance."""
        self._state = mixed = (self._state + 0x9E3779B97F4A7C15) & _64_BITS
        mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9 & _64_BITS
        mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB & _64_BITS
        return ((mixed ^ mixed >> 31) >> 11) * 2.0**-53

    def uniform(self, a: float, b: float) -> float:
        """As random.Random's."""
        return a + (b - a) * self.random()

    def randint(self, a: int, b: int) -> int:
        """As random.Random's, for ranges far below 2 to the 53."""
        return a + int(self.random() * (b - a + 1))

    def choice(self, seq: Sequence[T]) -> T:
        """As random.Random's."""
        return seq[int(self.random() * len(seq))]

    def expovariate(self, lambd: float) -> float:
        """As random.Random's."""
        return -math.log(1 - self.random()) / lambd


_64_BITS = 0xFFFFFFFFFFFFFFFF


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

    def small_stream(self, *name: str | int) -> SmallRandom:
        """As ``stream``, in little memory and with ``random()`` alone."""
        return SmallRandom(self.integer(*name))
