"""The cyclic collector while a simulation runs."""

from __future__ import annotations

import gc

from scenarios.collector import calm_collector


def test_the_collector_is_as_before_once_the_simulation_is_over() -> None:
    before = (gc.get_threshold(), gc.get_freeze_count())

    with calm_collector():
        within = (gc.get_threshold(), gc.get_freeze_count())

    assert within > before
    assert (gc.get_threshold(), gc.get_freeze_count()) == before
