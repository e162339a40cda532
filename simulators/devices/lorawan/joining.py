"""
Joining over the air, step by step: channel, nonce, request, windows, judgement, new session.

Source: LoRaWAN 1.0.4, chapter 6; LoRaWAN 1.1, section 6.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from simulators.devices.lorawan import air
from simulators.devices.lorawan.channel_plan import Choice, Group, band_of
from simulators.devices.lorawan.join_budget import JoinBudget
from simulators.devices.lorawan.join_report import (
    NOTHING_TRIED,
    JoinAttempt,
    JoinReport,
    Outcome,
    mistaken_keys,
)
from simulators.devices.lorawan.mac_answers import is_downlink_rate
from simulators.devices.lorawan.nonces import DevNoncesUsedUpError
from simulators.devices.lorawan.parameters import channel_set
from simulators.devices.lorawan.reception import (
    Plan,
    Tuning,
    receive,
    receive_wide,
    tell_ignored,
    tuning_of,
)
from simulators.devices.lorawan.start_session import common_version, start_session
from simulators.devices.lorawan.state import NodeState, Otaa, Steps
from simulators.lorawan.airtime import time_on_air_us
from simulators.lorawan.errors import LoRaWanError, MicError
from simulators.lorawan.frames import JoinAccept, JoinRequest
from simulators.lorawan.join import open_accept, protect_request
from simulators.lorawan.keys import Attempt
from simulators.lorawan.regions.region import JOIN_ACCEPT_DELAY1_US, JoinChannel, Region
from simulators.radio.transmission import Reception

JOIN_REQUEST_BYTES = 23
BANK = 8
TRIES_PER_DATA_RATE = 2


def join(node: NodeState, most: int = 0) -> Steps:
    """
    Try until joined, or ``most`` times.

    Returns:
        A JoinReport, which stays in ``node.join_report``.
    """
    report = NOTHING_TRIED
    while not report.is_joined and not (most and report.requests >= most):
        if report.requests:
            shortest, longest = node.settings.join_pause_s
            pause_s = shortest + (longest - shortest) * node.rng.random()
            yield node.clock.sleep(pause_s)
        attempt = yield from _attempt(node, report)
        report = node.join_report = report.with_attempt(attempt)
        node.tell("none", {"type": "join", **attempt.document()})
        if attempt.outcome is Outcome.NOT_SENT:
            break
    return report


def _attempt(node: NodeState, report: JoinReport) -> Steps:
    """One request and what came of it: a JoinAttempt."""
    identity = node.identity
    assert isinstance(identity, Otaa)
    region = node.region
    channels, data_rate = join_channels(node, report.requests)
    modulation = region.data_rate(data_rate).modulation
    airtime_us = time_on_air_us(modulation, JOIN_REQUEST_BYTES)
    choice = yield from _find_channel(node, channels, airtime_us)
    now_us = node.clock.now_us()
    not_sent = JoinAttempt(now_us, -1, 0, modulation, 0, Outcome.NOT_SENT)
    if choice is None:
        return not_sent._replace(detail="no channel may be used")
    try:
        nonce = node.nonces.next_dev_nonce(node.settings.version, node.rng)
    except DevNoncesUsedUpError:
        return not_sent._replace(detail="every DevNonce has been used")
    request = JoinRequest(identity.join_eui, identity.dev_eui, nonce)
    phy = protect_request(request, identity.root.join_key)
    about = _about(request) if node.observer is not None else None
    sent = air.send(node, phy, choice, data_rate, about)
    attempt = JoinAttempt(
        now_us, nonce, choice.frequency_hz, modulation, airtime_us, Outcome.NO_ANSWER
    )
    answers = Answers(
        node,
        Attempt(identity.join_eui, identity.dev_eui, nonce),
        [each.dev_nonce for each in report.attempts],
        choice.channel,
        data_rate,
        attempt,
    )
    yield from answers.wait(sent.end_us, _windows(node, choice, data_rate))
    return answers.told


class Answers:
    """What came in answer to one join request; ``told`` is the attempt as it stands."""

    def __init__(
        self,
        node: NodeState,
        attempt: Attempt,
        earlier: list[int],
        channel: int,
        data_rate: int,
        told: JoinAttempt,
    ) -> None:
        self._node = node
        self._attempt = attempt
        self._earlier = earlier
        self._channel = channel
        self._data_rate = data_rate
        self.told = told

    def wait(self, end_us: int, plan: Plan) -> Steps:
        """Keep the windows."""
        if self._node.settings.wide_join_windows:
            yield from receive_wide(self._node, end_us, plan, self.take, self.miss)
        else:
            yield from receive(self._node, end_us, plan, self.take)

    def take(self, node: NodeState, reception: Reception) -> bool:
        """Judge what a window brought; the session begins if it is right."""
        phy = reception.transmission.payload
        identity = node.identity
        assert isinstance(identity, Otaa)
        try:
            accept = open_accept(phy, identity.root, self._attempt)
        except MicError:
            why = mistaken_keys(phy, identity.root, self._attempt, self._earlier)
            return self._refuse(reception, Outcome.WRONG_MIC, why)
        except LoRaWanError as error:
            return self._refuse(reception, Outcome.NOT_READABLE, str(error))
        refusal = self._refusal(accept)
        if refusal is not None:
            return self._refuse(reception, *refusal)
        remark = start_session(node, accept, self._attempt, self._channel, self._data_rate)
        self.told = self.told._replace(outcome=Outcome.JOINED, detail=remark)
        return True

    def miss(self, node: NodeState, reception: Reception, window: str, off_us: int) -> None:
        """A frame that no real window would have caught."""
        when = "late" if off_us > 0 else "early"
        why = f"{abs(off_us)} µs too {when} for {window}"
        self._refuse(reception, Outcome.OUTSIDE_WINDOW, why)
        self.told = self.told._replace(window=window, off_us=off_us)

    def _refusal(self, accept: JoinAccept) -> tuple[Outcome, str] | None:
        node, nonces = self._node, self._node.nonces
        # A network of 1.0.x, which a 1.1 device puts up with, draws its nonces at random.
        if not nonces.accepts(accept.join_nonce, common_version(node.settings.version, accept)):
            why = f"{accept.join_nonce} after {nonces.join_nonce}"
            return Outcome.OLD_NONCE, why
        region = node.region
        if accept.rx1_data_rate_offset > region.max_rx1_offset:
            return Outcome.SETTINGS_REFUSED, f"RX1DROffset {accept.rx1_data_rate_offset}"
        if not is_downlink_rate(region, accept.rx2_data_rate_index):
            return Outcome.SETTINGS_REFUSED, f"RX2 data rate DR{accept.rx2_data_rate_index}"
        return None

    def _refuse(self, reception: Reception, outcome: Outcome, detail: str) -> bool:
        node = self._node
        node.tally.ignored += 1
        tell_ignored(node, reception, f"{outcome.value}: {detail}")
        order = list(Outcome)
        if order.index(outcome) >= order.index(self.told.outcome):
            self.told = self.told._replace(outcome=outcome, detail=detail)
        return False


class _Open(NamedTuple):
    """The join channels for one request, by data rate."""

    channels: tuple[JoinChannel, ...]
    data_rate: int


def join_channels(node: NodeState, number: int) -> _Open:
    """
    Channels and data rate of request ``number``, counted from 0.

    In a plan with channels of two widths: one bank of eight after the other at the lowest data
    rate, then one wide channel. Elsewhere: any channel, from the highest data rate downwards.
    """
    allowed = channel_set(node.settings)
    channels = tuple(
        each for each in node.region.join_channels if allowed is None or allowed >> each.channel & 1
    )
    lowest = min(each.min_data_rate for each in channels)
    wide = [each for each in channels if each.min_data_rate > lowest]
    if wide:
        return _from_banks(channels, lowest, wide, number)
    return _down_the_ladder(node, channels, number)


def _from_banks(
    channels: tuple[JoinChannel, ...], lowest: int, wide: list[JoinChannel], number: int
) -> _Open:
    banks: dict[int, list[JoinChannel]] = {}
    for each in channels:
        if each.min_data_rate == lowest:
            banks.setdefault(each.channel // BANK, []).append(each)
    turn, place = divmod(number, len(banks) + 1)
    if place < len(banks):
        return _Open(tuple(list(banks.values())[place]), lowest)
    each = wide[turn % len(wide)]
    return _Open((each,), each.min_data_rate)


def _down_the_ladder(node: NodeState, channels: tuple[JoinChannel, ...], number: int) -> _Open:
    fixed = node.settings.join_data_rate
    highest = max(each.max_data_rate for each in channels)
    lowest = min(each.min_data_rate for each in channels)
    rates = range(highest, lowest - 1, -1) if fixed is None else [fixed]
    data_rate = rates[number // TRIES_PER_DATA_RATE % len(rates)]
    fitting = [each for each in channels if each.min_data_rate <= data_rate <= each.max_data_rate]
    return _Open(tuple(fitting), data_rate)


def _find_channel(node: NodeState, channels: tuple[JoinChannel, ...], airtime_us: int) -> Steps:
    """A Choice, after waiting for the budget of joins and the duty cycle; or None."""
    if node.join_budget is None:
        node.join_budget = JoinBudget(node.clock.now_us())
    groups = list(_groups(node.region, channels))
    while True:
        wait_us = node.join_budget.wait_us(airtime_us, node.clock.now_us())
        if wait_us:
            yield node.clock.timeout(wait_us)
            continue
        choice: Choice | None = yield from air.find_channel(node, groups, airtime_us)
        now_us = node.clock.now_us()
        if choice is None:
            return None
        if not node.join_budget.wait_us(airtime_us, now_us):
            node.join_budget.spend(airtime_us, now_us)
            return choice


def _groups(region: Region, channels: tuple[JoinChannel, ...]) -> Iterator[Group]:
    for each in channels:
        band = band_of(region, each.frequency_hz)
        limit_dbm = region.sub_bands[band].max_eirp_dbm
        choice = Choice(each.channel, band, each.frequency_hz, each.rx1_frequency_hz, limit_dbm)
        yield Group(band, (choice,))


def _windows(node: NodeState, choice: Choice, data_rate: int) -> Plan:
    """With the region's defaults: nothing that a network has set holds for a join."""
    region = node.region
    rx1_data_rate = region.rx1_data_rate(data_rate, 0, downlink_dwell=region.default_downlink_dwell)
    rx1 = Tuning(choice.rx1_frequency_hz, region.data_rate(rx1_data_rate).modulation)
    rx2 = next(each.rx2 for each in region.join_channels if each.channel == choice.channel)
    return Plan(JOIN_ACCEPT_DELAY1_US, rx1, tuning_of(node, *rx2))


def _about(request: JoinRequest) -> dict[str, Any]:
    return {
        "type": "join-request",
        "join_eui": request.join_eui,
        "dev_eui": request.dev_eui,
        "dev_nonce": request.dev_nonce,
    }
