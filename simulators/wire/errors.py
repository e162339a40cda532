"""The one error of the wire: a peer sent something that its protocol does not allow."""

from __future__ import annotations


class WireError(ValueError):
    """One lower-case phrase: what was expected, what was seen, where."""
