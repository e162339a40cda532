"""Joins and confirmed traffic, in every region through both kinds of gateway."""

from __future__ import annotations

import pytest

from simulators.lorawan.regions import REGIONS

from .playing import in_region, played

KINDS = ("packet-forwarder", "basics-station")


@pytest.mark.parametrize("version", ["1.0.2", "1.0.4", "1.1"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", REGIONS)
def test_a_node_joins_and_its_confirmed_uplinks_are_acknowledged(
    name: str, kind: str, version: str
) -> None:
    """Whatever the region, the gateway and the version."""
    scenario = in_region(name, kind, version, scenario__duration="20min")
    run, evidence, _ = played(scenario)

    acknowledged = [j for e, j in run.judgements if e.kind == "acknowledged"]
    node = evidence.nodes[0]
    assert node.is_joined, node.join_report.explain()
    assert acknowledged[0].verdict == "pass", acknowledged[0].reason
    assert acknowledged[0].observed >= 5


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_trace(kind: str) -> None:
    """Byte for byte; another seed gives another one."""
    one, other, different = (
        played(in_region("EU868", kind, scenario__seed=seed))[2] for seed in (1, 1, 2)
    )

    assert one == other
    assert one != different
