"""What a tracker measures: where its radio is, as latitude, longitude and altitude."""

from __future__ import annotations

import math
from dataclasses import dataclass

from simulators.clock import Clock
from simulators.devices.behaviours import Behaviour
from simulators.devices.lorawan.port import HasPlace, NodeRadio

METRES_PER_DEGREE = 111_200.0
NOWHERE = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Origin:
    """Where on Earth the scenario's point (0, 0) is, in degrees."""

    latitude: float = 52.37
    longitude: float = 4.9


def located(origin: Origin, clock: Clock, radio: NodeRadio) -> Behaviour:
    """The place of a radio that has one; of another the origin."""
    east_per_degree = METRES_PER_DEGREE * math.cos(math.radians(origin.latitude))

    def sample(unix_us: int) -> dict[str, float]:
        at_us = max(0, unix_us - clock.start_unix_us)
        east, north, up = radio.position(at_us) if isinstance(radio, HasPlace) else NOWHERE
        return {
            "latitude": origin.latitude + north / METRES_PER_DEGREE,
            "longitude": origin.longitude + east / east_per_degree,
            "altitude": up,
        }

    return sample
