"""What a load may do to a target: never more than it allows, and nothing unasked on a network."""

from __future__ import annotations

import ipaddress
import math
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from conformance.targets import Target
from scenarios.load import planned_rate_per_s
from scenarios.model import Scenario
from thingrig.errors import UsageProblem


def limited(target: Target, rate: float | None) -> Target:
    """
    The target with the rate that holds: the lowest of its own limit and ``--rate``.

    Raises:
        UsageProblem: no such rate.
    """
    if rate is not None and not 0 < rate < math.inf:
        raise UsageProblem(f"expected --rate to be a number more than 0; got '{rate:g}'")
    rates = [each for each in (rate, target.max_requests_per_s) if each is not None]
    return replace(target, max_requests_per_s=min(rates, default=None))


def check_haste(target: Target, speed: float) -> None:
    """
    A recording that is played faster than it was made is a load, as far as networks can tell.

    Raises:
        UsageProblem: a target that is not on loopback, and no rate.
    """
    if speed > 1 and target.max_requests_per_s is None and not is_loopback(target.url):
        what = "expected --rate or limits.max_requests_per_s to go faster than recorded"
        raise UsageProblem(f"{what} on a target not on loopback; got none")


@dataclass(frozen=True)
class Rules:
    """``--rate`` and ``--remote-load``."""

    rate: float | None
    is_remote_allowed: bool

    def applied(self, scenario: Scenario, target: Target) -> Target:
        """
        The target with the rate that holds.

        Raises:
            UsageProblem: no such rate, a load that exceeds it, or a target that needs more words.
        """
        target = limited(target, self.rate)
        if scenario.load is not None:
            self._check_remote(target, target.max_requests_per_s is not None)
            _check_plan(scenario, target.max_requests_per_s or math.inf)
        return target

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
