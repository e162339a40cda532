"""What a scenario can expect; a new kind is a new file and a line in ``KINDS``."""

from __future__ import annotations

from collections.abc import Callable

from scenarios.evidence import Evidence
from scenarios.expectations import (
    carries,
    devices_active,
    latencies,
    losses,
    no_duplicates,
    nothing_foreign,
    phones_return,
    resubscribed,
    switches_follow,
    turns_seen,
    values_in_order,
    values_readable,
    watchers_told,
)
from scenarios.expectations.judgement import Judgement
from scenarios.model import Expectation

KINDS: dict[str, Callable[..., Judgement]] = {
    "switches-follow": switches_follow.judge,
    "acknowledged-values-readable": values_readable.judge,
    "no-duplicates": no_duplicates.judge,
    "values-in-order": values_in_order.judge,
    "loss": losses.judge,
    "latency": latencies.judge,
    "devices-active": devices_active.judge,
    "resubscribed": resubscribed.judge,
    "carries": carries.judge,
    "nothing-foreign": nothing_foreign.judge,
    "turns-seen": turns_seen.judge,
    "watchers-told": watchers_told.judge,
    "phones-return": phones_return.judge,
}

ABOUT_PHONES = ("nothing-foreign", "turns-seen", "watchers-told", "phones-return")

NEED_READING = ("acknowledged-values-readable", "no-duplicates", "values-in-order")


def judge(expectation: Expectation, evidence: Evidence) -> Judgement:
    """Judge one expectation by the evidence of a run."""
    return KINDS[expectation.kind](evidence, expectation.on, **expectation.options)
