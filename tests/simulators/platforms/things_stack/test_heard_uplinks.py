"""What is kept of the last uplinks of a device."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.platforms.things_stack.network_server.traffic import (
    MOST_HEARD,
    Heard,
    Traffic,
    decode,
    encode,
)

_snr = st.one_of(st.none(), st.decimals(-200, 200, places=2).map(float))
_heard = st.builds(Heard, st.integers(0, 0xFFFF_FFFF), st.integers(0, 15), _snr, st.integers(1, 50))


@given(st.lists(_heard, max_size=MOST_HEARD + 5))
def test_the_last_uplinks_are_kept_as_they_were(uplinks: list[Heard]) -> None:
    traffic = Traffic()
    for each in uplinks:
        traffic.note(each)
    again = decode(encode(traffic))
    assert again.heard == uplinks[-MOST_HEARD:]
    assert again.f_cnt_up == (uplinks[-1].f_cnt if uplinks else 0)


@pytest.mark.parametrize("snr", [1e39, -1e300, 1.7e308])
def test_an_snr_that_no_radio_has_stays_a_number(snr: float) -> None:
    traffic = Traffic()
    traffic.note(Heard(1, 5, snr, 1))
    kept = traffic.heard[0].max_snr
    assert kept is not None
    assert math.isfinite(kept)
    assert math.copysign(1, kept) == math.copysign(1, snr)
