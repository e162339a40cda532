"""The one family of errors of everything that reads or builds LoRaWAN bytes."""

from __future__ import annotations


class LoRaWanError(ValueError):
    """
    Bytes or a value are not what LoRaWAN allows.

    ``reason`` is one lower-case phrase: what was expected, what was seen. ``offset`` counts bytes
    from the beginning of what was to be decoded; None where a value was wrong rather than bytes.
    """

    def __init__(self, reason: str, offset: int | None = None) -> None:
        self.reason = reason
        self.offset = offset
        super().__init__(reason if offset is None else f"byte {offset}: {reason}")


class MicError(LoRaWanError):
    """The integrity code does not belong to these bytes, this key and this counter."""


def require(value: int, lowest: int, highest: int, name: str) -> int:
    """
    The value itself.

    Raises:
        LoRaWanError: it does not lie between ``lowest`` and ``highest``.
    """
    if not lowest <= value <= highest:
        raise LoRaWanError(f"expected {name} between {lowest} and {highest}; got {value}")
    return value
