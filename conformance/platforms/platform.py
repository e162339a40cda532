"""
What a run needs to know about the platform that it judges; a platform is a file in this folder.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from conformance.targets import Target

if TYPE_CHECKING:
    from conformance.choice import Choice
    from conformance.run import Run
    from conformance.tidy import Cleaned


@dataclass(frozen=True)
class Platform:
    """
    One platform.

    Attributes:
        plugins: modules with the fixtures of its tests.
        preflight: why a target cannot be judged, in one phrase, or None.
        gone: why a target can no longer be reached, or None.
        request_kind: the kind of a request, from method and path, in the words of ``--plan``.
        useful_jobs: how many processes find things of their own.
        clean: removes what a ledger says still exists.
        not_covered: chapters and transports of its documents that are not tested.
        created: kinds of requests that leave something behind, for ``--plan``.
        left: those of them whose objects cannot be removed, and what is left.
        uses_codes: whether devices are activated with codes.
    """

    plugins: tuple[str, ...]
    preflight: Callable[[Run], str | None]
    gone: Callable[[Run], str | None]
    request_kind: Callable[[str, str], str]
    useful_jobs: Callable[[Choice, int], int]
    clean: Callable[[Target, Sequence[dict[str, Any]]], Iterator[Cleaned]]
    not_covered: tuple[str, ...]
    created: tuple[str, ...]
    left: Mapping[str, str]
    uses_codes: bool = False
