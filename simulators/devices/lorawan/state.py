"""
Everything that one end device is and remembers.

The other files of this package are procedures on it, one idea each; ``devices/node.py`` puts them
together. Slots throughout: there may be ten thousand of these.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from enum import Enum
from typing import Any, NamedTuple, Protocol

import simpy

from simulators.clock import Clock
from simulators.devices.lorawan.channel_plan import divisors
from simulators.devices.lorawan.duty_cycle import (
    HOUR_US,
    DutyCycle,
    HourlyCredit,
    OffTime,
    Unlimited,
)
from simulators.devices.lorawan.energy import Energy
from simulators.devices.lorawan.join_budget import JoinBudget
from simulators.devices.lorawan.join_report import NOTHING_TRIED, JoinReport
from simulators.devices.lorawan.mac_queue import MacQueue
from simulators.devices.lorawan.multicast import MulticastGroup
from simulators.devices.lorawan.nonces import Nonces
from simulators.devices.lorawan.parameters import Parameters, channel_set
from simulators.devices.lorawan.port import NodeRadio
from simulators.devices.lorawan.rejoin_schedule import RejoinSchedule
from simulators.devices.lorawan.session import DeviceSession
from simulators.devices.lorawan.settings import Settings
from simulators.devices.lorawan.time_sync import TimeSync
from simulators.lorawan.frames import DataFrame
from simulators.lorawan.keys import RootKeys, SessionKeys
from simulators.lorawan.regions.region import Region
from simulators.randomness import Chance

Steps = Generator[simpy.Event, Any, Any]
NEVER_US = 1 << 62
NOTHING = -1


class Otaa(NamedTuple):
    """Who a device is that joins over the air."""

    dev_eui: str
    join_eui: str
    root: RootKeys


class Abp(NamedTuple):
    """Who a device is that was activated by personalisation."""

    dev_addr: str
    keys: SessionKeys
    dev_eui: str = "0000000000000000"


class Observer(Protocol):
    """Whoever writes the trace; it knows the time by itself."""

    def event(self, device: str, direction: str, channel: str, message: dict[str, Any]) -> None:
        """``direction`` is uplink, downlink or none; ``channel`` is radio."""


class LinkCheck(NamedTuple):
    """What a network said about the last link check."""

    margin_db: int
    gateways: int


class Tally:
    """What a device has done so far."""

    __slots__ = (
        "acknowledged", "app_downlinks", "confirmed", "downlinks", "ignored", "joins",
        "transmissions", "uplinks",
    )  # fmt: skip

    def __init__(self) -> None:
        self.uplinks = 0  # frames with a counter of their own
        self.transmissions = 0  # with repetitions and join requests
        self.confirmed = 0
        self.acknowledged = 0
        self.downlinks = 0  # accepted frames
        self.app_downlinks = 0  # with FPort > 0, or nothing but an ACK
        self.ignored = 0  # heard, and for somebody else or wrong
        self.joins = 0


class BeaconTracking:
    """
    What a class B device remembers: beacons heard and missed, its own ping slots.

    ``periodicity``: 2 to the 7 minus that many slots per beacon; ``is_known``: the network has
    confirmed it, so the slots are used. ``heard_us``: when the last beacon began.
    """

    __slots__ = ("heard", "heard_us", "is_known", "missed", "periodicity")

    def __init__(self, periodicity: int, heard_us: int) -> None:
        self.periodicity = periodicity
        self.is_known = False
        self.heard_us = heard_us
        self.heard = 0
        self.missed = 0


class Certification:
    """
    What a test tool has set in a device by the certification protocol.

    ``is_confirmed``: None leaves it to the application. Counters count from where they were reset.
    """

    __slots__ = ("beacons_from", "counted_from", "is_confirmed", "reply")

    def __init__(self) -> None:
        self.is_confirmed: bool | None = None
        self.counted_from = 0
        self.beacons_from = 0
        self.reply = b""


class Order(Enum):
    """What a device shall do as soon as it can, beside sending."""

    JOIN = "join"
    REBOOT = "reboot"
    CLASS_B = "class B"


class NodeState:
    """One end device; ``name`` is the one in the trace."""

    __slots__ = (
        "ack_due", "adr", "adr_count", "certification", "class_b", "clock", "device_class",
        "drift_ppm", "duty", "energy", "groups", "identity", "is_acknowledged",
        "is_certification_off", "join_budget", "join_report", "last_snr_db", "link_check", "name",
        "nonces", "observer", "on_downlink", "order", "parameters", "period_us", "queue",
        "quiet_until_us", "radio", "region", "rejoins", "rng", "session", "settings", "tally",
        "time", "unconfirmed_rekeys", "uplink_end_us", "urgent_us", "wake",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        *,
        clock: Clock,
        radio: NodeRadio,
        region: Region,
        identity: Otaa | Abp,
        rng: Chance,
        settings: Settings,
        drift_ppm: float = 0.0,
        observer: Observer | None = None,
        on_downlink: Callable[[DataFrame], None] | None = None,
    ) -> None:
        self.name = name
        self.clock = clock
        self.radio = radio
        self.region = region
        self.identity = identity
        self.rng = rng
        self.settings = settings
        self.drift_ppm = drift_ppm
        self.observer = observer
        self.on_downlink = on_downlink
        self.nonces = Nonces()
        self.energy = Energy(settings.currents, clock.now_us())
        self.tally = Tally()
        self.join_report: JoinReport = NOTHING_TRIED
        self.session: DeviceSession | None = None
        self.groups: tuple[MulticastGroup, ...] = ()
        self.is_certification_off = False
        self.wake: simpy.Event | None = None  # ends idle listening, not the windows of an uplink
        self.start_anew()

    def start_anew(self) -> None:
        """All that is lost when the device is switched off."""
        settings, region, now_us = self.settings, self.region, self.clock.now_us()
        rates = region.uplink_data_rates(dwell=region.default_uplink_dwell)
        highest = max(each for each in rates if each <= region.max_adr_data_rate)
        data_rate = highest if settings.data_rate is None else settings.data_rate
        self.parameters = Parameters(region, data_rate, channel_set(settings))
        self.queue = MacQueue(settings.sticky)
        self.device_class = "A"
        self.adr = settings.adr
        self.adr_count = 0
        self.ack_due = NOTHING
        self.is_acknowledged = False
        self.uplink_end_us = 0
        self.time: TimeSync | None = None
        self.order: Order | None = None
        self.quiet_until_us = 0
        self.urgent_us = NEVER_US
        self.last_snr_db = 0.0
        self.link_check: LinkCheck | None = None
        self.class_b: BeaconTracking | None = None
        self.certification: Certification | None = None
        self.rejoins: RejoinSchedule | None = None
        self.unconfirmed_rekeys = NOTHING
        self.period_us = 0
        self.join_budget: JoinBudget | None = None
        is_otaa = isinstance(self.identity, Otaa)
        saved_us = HOUR_US if is_otaa else 0
        self.duty: DutyCycle = duty_cycle(settings.duty_cycle, region, now_us, saved_us)

    def tell(self, direction: str, message: dict[str, Any]) -> None:
        """For the trace; what is costly to say is not even put together without an observer."""
        if self.observer is not None:
            self.observer.event(self.name, direction, "radio", message)


def duty_cycle(manner: str, region: Region, now_us: int, saved_us: int = HOUR_US) -> DutyCycle:
    """The account of a device's time on air, in the manner of that name."""
    limits = divisors(region)
    if manner == "none" or max(limits) <= 1:
        return _UNLIMITED
    if manner == "off-time":
        return OffTime(limits)
    return HourlyCredit(limits, now_us=now_us, credit_us=saved_us)


_UNLIMITED = Unlimited()
