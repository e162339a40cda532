"""How well a network is heard, counted from what the medium tells."""

from __future__ import annotations

from scenarios.lorawan.coverage import Coverage
from simulators.lorawan.modulation import Lora, Modulation
from simulators.radio.transmission import Reception, Transmission

SECOND_US = 1_000_000
SF7, SF12 = Lora(7, 125_000), Lora(12, 125_000)
ROOFS = {"near": (0.0, 0.0, 0.0), "far": (3000.0, 0.0, 0.0)}


def frame(
    at_s: int, east_m: float, *, of: str = "node", modulation: Modulation = SF7
) -> Transmission:
    start_us = at_s * SECOND_US
    place = (east_m, 0.0, 0.0)
    return Transmission(
        of, start_us, start_us + SECOND_US // 2, 868_100_000, modulation, 16.0, b"x", False, place
    )


def told(coverage: Coverage, sent: Transmission, **outcomes: str) -> None:
    coverage.transmitted(sent)
    for name, outcome in outcomes.items():
        if outcome == "heard":
            coverage.heard(name, Reception(sent, -100.0, 5.0))
        else:
            coverage.lost(name, sent, outcome)


def test_what_arrived_where_and_why_the_rest_did_not() -> None:
    coverage = Coverage(ROOFS)
    told(coverage, frame(1, 100), near="heard", far="heard")
    told(coverage, frame(2, 100), near="heard", far="too weak")
    told(coverage, frame(3, 1400, modulation=SF12), near="collision", far="too weak")
    told(coverage, frame(4, 2000, of="other", modulation=SF12), near="too weak", far="half duplex")
    told(coverage, frame(99, 2000, of="late"))
    coverage.transmitted(frame(5, 0, of="near")._replace(is_downlink=True))

    document = coverage.document(10 * SECOND_US)

    assert document == coverage.document(10 * SECOND_US)
    lost = {"collision": 1, "half duplex": 1}
    total = {"sent": 4, "delivered": 2, "airtime_s": 2.0, "lost": lost}
    sf7 = {"sent": 2, "delivered": 2, "airtime_s": 1.0, "lost": {}}
    sf12 = {"sent": 2, "delivered": 0, "airtime_s": 1.0, "lost": lost}
    assert document == {
        **total,
        "by_data_rate": [
            {"data_rate": "SF7BW125", **sf7},
            {"data_rate": "SF12BW125", **sf12},
        ],
        "by_distance": [
            {"from_m": 0, "to_m": 200, **sf7},
            {"from_m": 1000, "to_m": 1200, "sent": 1, "delivered": 0, "airtime_s": 0.5,
             "lost": {"half duplex": 1}},
            {"from_m": 1400, "to_m": 1600, "sent": 1, "delivered": 0, "airtime_s": 0.5,
             "lost": {"collision": 1}},
        ],
        "by_channel": [{"frequency_hz": 868_100_000, "busy": 0.2, **total}],
        "by_gateway": [
            {"name": "near", "heard": 2, "alone": 1, "lost": {"collision": 1},
             "downlinks": 1, "sending": 0.05},
            {"name": "far", "heard": 1, "alone": 0, "lost": {"half duplex": 1},
             "downlinks": 0, "sending": 0.0},
        ],
    }  # fmt: skip
