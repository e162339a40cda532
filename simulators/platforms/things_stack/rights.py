"""
Rights as sets of bits: 63 of them, in families by the kind of entity they are about.

A right on everything (``_ALL``) stands for all rights of its family, the present and the future.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from simulators.platforms.things_stack.schema import enum

_NUMBERS = {
    str(name): number for number, name in enum("Right").by_number.items() if number
}  # without the invalid one
_NAMES = {number: name for name, number in _NUMBERS.items()}


def of(*names: str) -> int:
    """These rights and no others, as a set."""
    rights = 0
    for name in names:
        rights |= 1 << (_NUMBERS[name] - 1)
    return rights


def names(rights: int) -> list[str]:
    """The rights in a set, in the order of their numbers."""
    return [name for number, name in sorted(_NAMES.items()) if rights >> (number - 1) & 1]


def _family(prefix: str) -> int:
    return of(*(name for name in _NUMBERS if name.startswith(prefix)))


ALL = _family("RIGHT_")
FAMILIES = {
    kind: _family(f"RIGHT_{kind.upper()}_")
    for kind in ("application", "client", "gateway", "organization", "user")
}
_IMPLICATIONS = {
    of("RIGHT_ALL"): ALL,
    **{of(f"RIGHT_{kind.upper()}_ALL"): family for kind, family in FAMILIES.items()},
    of("RIGHT_APPLICATION_LINK"): of(
        "RIGHT_APPLICATION_INFO",
        "RIGHT_APPLICATION_TRAFFIC_READ",
        "RIGHT_APPLICATION_TRAFFIC_DOWN_WRITE",
    ),
    of("RIGHT_GATEWAY_LINK"): of("RIGHT_GATEWAY_INFO"),
}
# Of admins, on everything: no keys of devices or API keys, and nothing that will exist one day.
ADMIN = of(*(name for name in _NUMBERS if not name.endswith(("_KEYS", "_ALL"))))


@cache
def implied(rights: int) -> int:
    """A set, with all that its rights stand for."""
    result = rights
    for right, meant in _IMPLICATIONS.items():
        if result & right:
            result |= meant
    return result


def from_names(rights: Iterable[str]) -> int:
    """A set from names as messages carry them; an invalid one counts for nothing."""
    return of(*(name for name in rights if name in _NUMBERS))
