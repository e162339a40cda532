"""What a network can set in a device; all of it starts anew with every join."""

from __future__ import annotations

from simulators.devices.lorawan import adr
from simulators.devices.lorawan.channel_plan import ChannelPlan, default_plan
from simulators.devices.lorawan.settings import Settings
from simulators.lorawan.regions.region import Region, Rx2


class Parameters:
    """
    The present values.

    ``tx_power`` is an index, 0 for the greatest power; ``max_duty_exponent`` n limits the device to
    one part in 2 to the n; ``beacon_hz`` and ``ping_hz`` are 0 where the region's own hold.
    """

    __slots__ = (
        "adr_ack_delay", "adr_ack_limit", "beacon_hz", "data_rate", "downlink_dwell", "enabled",
        "max_duty_exponent", "max_eirp_dbm", "nb_trans", "ping_data_rate", "ping_hz", "plan",
        "region", "rx1_delay_s", "rx1_offset", "rx2", "tx_power", "uplink_dwell",
    )  # fmt: skip

    def __init__(self, region: Region, data_rate: int, channels: int | None = None) -> None:
        self.region = region
        self.plan: ChannelPlan = default_plan(region)
        self.enabled = self.plan.defined if channels is None else channels
        self.data_rate = data_rate
        self.tx_power = 0
        self.nb_trans = 1
        self.max_eirp_dbm = region.max_eirp_dbm
        self.uplink_dwell = region.default_uplink_dwell
        self.downlink_dwell = region.default_downlink_dwell
        self.rx1_delay_s = 1
        self.rx1_offset = 0
        self.rx2: Rx2 = region.rx2
        self.max_duty_exponent = 0
        self.adr_ack_limit = adr.LIMIT
        self.adr_ack_delay = adr.DELAY
        self.beacon_hz = 0
        self.ping_hz = 0
        self.ping_data_rate = region.class_b.ping_slots.data_rate

    @property
    def data_rates(self) -> tuple[int, ...]:
        """The data rates for uplinks at present, ascending."""
        return self.plan.data_rates(self.enabled, dwell=self.uplink_dwell)

    def max_payload(self, data_rate: int) -> int:
        """Application bytes of an uplink, options included."""
        return self.region.max_payload(data_rate, dwell=self.uplink_dwell)


def channel_set(settings: Settings) -> int | None:
    """The channels that a device is set up to use, bit i for channel i; None: all."""
    if settings.channels is None:
        return None
    return sum(1 << channel for channel in set(settings.channels))
