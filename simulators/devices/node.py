"""
A LoRaWAN end device: what its application, a scenario or a modem can have it do.

All that takes time is a generator for ``yield from`` in a process of the clock; a device does one
thing at a time, so they are called one after the other, by one process.
"""

from __future__ import annotations

from collections.abc import Callable

import simpy

from simulators.clock import Clock
from simulators.devices.lorawan import class_b, idle, joining, rejoining, uplinks
from simulators.devices.lorawan.certification import F_PORT as CERTIFICATION_PORT
from simulators.devices.lorawan.energy import EnergyReport
from simulators.devices.lorawan.multicast import MulticastGroup
from simulators.devices.lorawan.port import NodeRadio
from simulators.devices.lorawan.rejoin_schedule import NEVER_US, Rejoin
from simulators.devices.lorawan.settings import Settings
from simulators.devices.lorawan.start_session import change_class, personalise
from simulators.devices.lorawan.state import Abp, NodeState, Observer, Order, Otaa, Steps
from simulators.devices.lorawan.uplinks import Outcome, UplinkResult
from simulators.lorawan.frames import DataFrame
from simulators.lorawan.mac_commands import DeviceTimeReq, MacCommand, PingSlotInfoReq, encode
from simulators.lorawan.regions.region import Region
from simulators.randomness import Chance

CLASS_B_REQUESTS = 3
REKEY_LIMIT = 64  # uplinks with new keys that a 1.1 device sends without a RekeyConf


class Node(NodeState):
    """One device; its state can be read at any time, see ``lorawan/state.py``."""

    __slots__ = ()

    def __init__(
        self,
        name: str,
        *,
        clock: Clock,
        radio: NodeRadio,
        region: Region,
        identity: Otaa | Abp,
        rng: Chance,
        settings: Settings | None = None,
        drift_ppm: float = 0.0,
        observer: Observer | None = None,
        on_downlink: Callable[[DataFrame], None] | None = None,
    ) -> None:
        super().__init__(
            name,
            clock=clock,
            radio=radio,
            region=region,
            identity=identity,
            rng=rng,
            settings=settings or Settings(),
            drift_ppm=drift_ppm,
            observer=observer,
            on_downlink=on_downlink,
        )
        if isinstance(identity, Abp):
            personalise(self)

    @property
    def is_joined(self) -> bool:
        """Whether there is a session: after a join, or from the factory."""
        return self.session is not None

    def join(self, most: int = 0) -> Steps:
        """
        Join over the air: until it works, or after ``most`` requests.

        Returns:
            A JoinReport; also in ``join_report``.
        """
        self.session = None
        return (yield from joining.join(self, most))

    def uplink(
        self, payload: bytes = b"", *, f_port: int | None = None, is_confirmed: bool = False
    ) -> Steps:
        """
        Send, and keep the windows; MAC commands that wait go with it.

        Args:
            f_port: 1 to 223 for the application; None for an empty frame.
        Returns:
            An UplinkResult.
        """
        if self.unconfirmed_rekeys >= REKEY_LIMIT:
            self.session = None
            return UplinkResult(Outcome.NOT_JOINED)
        if self.certification is not None and self.certification.is_confirmed is not None:
            is_confirmed = self.certification.is_confirmed
        result = yield from uplinks.uplink(self, payload, f_port=f_port, is_confirmed=is_confirmed)
        if self.unconfirmed_rekeys >= 0:
            self.unconfirmed_rekeys += 1
        if self.rejoins is not None:
            self.rejoins = self.rejoins.one_more_uplink()
        return result

    def rest(self, until_us: int, wake: simpy.Event | None = None) -> Steps:
        """
        Sleep or listen, as the class asks, and send what the network has asked for meanwhile.

        Args:
            wake: ends the rest early; an uplink under way is finished first.
        """
        while (now_us := self.clock.now_us()) < until_us:
            if wake is not None and wake.triggered:
                return
            rejoin = None if self.rejoins is None else self.rejoins.due(now_us)
            if self.order is not None:
                yield from self._obey(self.order)
            elif rejoin is not None and self.session is not None:
                yield from self.rejoin(rejoin.rejoin_type, data_rate=rejoin.data_rate)
            elif self.urgent_us <= now_us:
                yield from self._send_at_once()
            elif self.device_class == "A" or self.session is None:
                # Not in a generator of its own: ten thousand of these sleep here.
                over = self.clock.timeout(min(until_us, self._next_duty_us()) - now_us)
                yield over if wake is None else over | wake
            else:
                self.wake = wake
                yield from idle.listen(self, min(until_us, self._next_duty_us()))
                self.wake = None

    def request(self, command: MacCommand) -> None:
        """Put a command into the next uplink: LinkCheckReq, DeviceTimeReq …"""
        self.queue.put(encode(command))

    def rejoin(self, rejoin_type: int, *, data_rate: int = -1) -> Steps:
        """Ask for new keys (1.1); returns whether they came."""
        has_answer = yield from rejoining.rejoin(self, Rejoin(rejoin_type, data_rate))
        if self.rejoins is not None:
            self.rejoins = self.rejoins.sent(self.clock.now_us())
        return has_answer

    def switch_class(self, device_class: str, *, periodicity: int = 0) -> Steps:
        """
        Be of class A, B or C; for class B, ask for the time, tell the ping slots, find a beacon.

        Returns:
            Whether it worked: without an answer or a beacon there is no class B.
        """
        if device_class != "B":
            self.class_b = None
            change_class(self, device_class)
            return True
        tracking = class_b.begin_tracking(self, periodicity)
        for _ in range(CLASS_B_REQUESTS):
            if not tracking.is_known:
                self.request(PingSlotInfoReq(periodicity))
            if self.time is None:
                self.request(DeviceTimeReq())
            yield from self.uplink()
            if tracking.is_known and self.time is not None:
                break
        is_found = tracking.is_known and (yield from class_b.acquire(self))
        if is_found:
            change_class(self, "B")
        else:
            self.class_b = None
        return is_found

    def join_group(self, group: MulticastGroup) -> None:
        """Listen to a multicast group too; to one of class B or C only while of that class."""
        self.groups = (*self.groups, group)

    def leave_group(self, dev_addr: str) -> None:
        """Listen to that group no more."""
        self.groups = tuple(each for each in self.groups if each.dev_addr != dev_addr)

    def reboot(self) -> None:
        """Be switched off and on: what the settings do not keep is lost."""
        kept = self.settings.kept
        session, parameters = self.session, self.parameters
        self.nonces.reboot(
            keeps_dev_nonce="dev_nonce" in kept, keeps_join_nonce="join_nonce" in kept
        )
        self.session = None
        self.start_anew()
        if "session" in kept and session is not None:
            self.session, self.parameters = session, parameters
            if self.settings.device_class == "C":
                change_class(self, "C")
        elif isinstance(self.identity, Abp):
            personalise(self)
        self.tell("none", {"type": "reboot"})

    def energy_report(self) -> EnergyReport:
        """What the radio has used up to now."""
        return self.energy.report(self.clock.now_us())

    def _next_duty_us(self) -> int:
        due_us = self.urgent_us
        if self.rejoins is not None and self.session is not None:
            due_us = min(due_us, self.rejoins.next_us())
        return due_us

    def _send_at_once(self) -> Steps:
        """What cannot wait for the application: a test's answer, an acknowledgement."""
        self.urgent_us = NEVER_US
        reply = b""
        if self.certification is not None:
            reply, self.certification.reply = self.certification.reply, b""
        yield from self.uplink(reply, f_port=CERTIFICATION_PORT if reply else None)

    def _obey(self, order: Order) -> Steps:
        self.order, self.urgent_us = None, NEVER_US
        if order is Order.CLASS_B:
            yield from self.switch_class("B")
            return
        if order is Order.REBOOT:
            self.reboot()
        if isinstance(self.identity, Otaa) and (order is Order.JOIN or self.session is None):
            yield from self.join()
