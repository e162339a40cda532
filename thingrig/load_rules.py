"""What a load may do to a target: never more than it allows, and nothing unasked on a network."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from conformance.targets import Target
from scenarios.load import planned_rate_per_s
from scenarios.model import Scenario
from thingrig.errors import UsageProblem


@dataclass(frozen=True)
class Rules:
    """``--rate`` and ``--remote-load``."""

    rate: float | None
    is_remote_allowed: bool

    def applied(self, scenario: Scenario, target: Target) -> Target:
        """
        The target with the rate that holds: the lowest of its own limit and ``--rate``.

        Raises:
            UsageProblem: no such rate, a load that exceeds it, or a target that needs more words.
        """
        if self.rate is not None and not self.rate > 0:
            raise UsageProblem(f"expected --rate to be more than 0; got '{self.rate:g}'")
        rates = [rate for rate in (self.rate, target.max_requests_per_s) if rate is not None]
        if scenario.load is not None:
            self._check_remote(target, bool(rates))
            _check_plan(scenario, min(rates, default=float("inf")))
        return replace(target, max_requests_per_s=min(rates, default=None))

    def _check_remote(self, target: Target, has_rate: bool) -> None:
        if is_loopback(target.url):
            return
        if not self.is_remote_allowed:
            what = "expected --remote-load for a load on a target that is not on loopback"
            raise UsageProblem(f"{what}; got '{target.url}'")
        if not has_rate:
            what = "expected --rate or limits.max_requests_per_s for a target not on loopback"
            raise UsageProblem(f"{what}; got none")


def _check_plan(scenario: Scenario, rate: float) -> None:
    """Values held back by our own limit would look like a slow platform."""
    planned = planned_rate_per_s(scenario.fleets)
    if planned > rate:
        what = f"expected a load of at most {rate:g} requests/s, as limits or --rate say"
        raise UsageProblem(f"{what}; got {planned:g} values/s with all devices at work")


def is_loopback(url: str) -> bool:
    """Whether a URL names this machine by its loopback address or as localhost."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
