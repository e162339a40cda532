"""
Why a join failed, told to people: what the node saw, what gateways saw, the likeliest cause.

A request is followed on its way to the server and back; the one that came farthest is explained.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from scenarios.lorawan.evidence import LorawanEvidence
from scenarios.lorawan.watch import AtGateway, GatewayNotes, Request, SentAnswer
from simulators.devices.lorawan.join_report import JoinReport, Outcome
from simulators.devices.node import Node
from simulators.lorawan.modulation import datr

TOLERANCE_US = 1_000  # between when an accept was due and when it was sent; drift is below it
DELAYS_US = (5_000_000, 6_000_000)


class Case(NamedTuple):
    """One node whose join failed, with the request that came farthest."""

    node: Node
    report: JoinReport
    request: Request | None
    gateways: dict[str, GatewayNotes]
    network_view: str | None

    @property
    def heard(self) -> dict[str, AtGateway]:
        """The gateways that heard the request."""
        at = {} if self.request is None else self.request.at
        return {name: each for name, each in at.items() if each.rssi_dbm is not None}

    @property
    def answers(self) -> list[tuple[str, SentAnswer]]:
        """Accepts that the server had gateways send for it."""
        return [(name, answer) for name, at in self.heard.items() for answer in at.answers]


class Finding(NamedTuple):
    """What gateways saw, the likeliest cause, and what to do next."""

    seen: str
    cause: str
    step: str


def explain_join(evidence: LorawanEvidence, node: Node) -> str:
    """One paragraph about a node that has not joined."""
    requests = evidence.watch.requests.get(node.name, ())
    cases = [
        Case(node, node.join_report, each, evidence.watch.gateways, evidence.network_view(node))
        for each in requests
    ] or [Case(node, node.join_report, None, evidence.watch.gateways, None)]
    case = max(reversed(cases), key=_distance)
    seen, cause, step = find(case)
    network = f" The network server: {case.network_view}." if case.network_view else ""
    return (
        f"{node.name} has not joined. The node: {node.join_report.explain()}. "
        f"The gateways: {seen}.{network} Likeliest cause: {cause}. Next: {step}."
    )


def find(case: Case) -> Finding:
    """The first of the ordered questions that has an answer."""
    for question in QUESTIONS:
        finding = question(case)
        if finding is not None:
            return finding
    raise AssertionError("the last question always has an answer")


def _distance(case: Case) -> tuple[int, ...]:
    """How far a request came: heard, forwarded, acknowledged, answered, on air again."""
    at = list(case.heard.values())
    return (
        sum(answer.sent_us is not None for _, answer in case.answers),
        len(case.answers),
        any(each.is_acknowledged for each in at),
        any(each.is_forwarded for each in at),
        len(at),
    )


def _sent(case: Case) -> str:
    """The accepts on air, in words."""
    told = [
        f"{name} sent an accept {_seconds(_late_us(case, answer))} after the request, "
        f"on {_megahertz(answer.frequency_hz)} with {answer.data_rate}"
        for name, answer in case.answers
        if answer.sent_us is not None
    ]
    return "; ".join(told) or "the request was heard and passed on"


def _late_us(case: Case, answer: SentAnswer) -> int:
    assert case.request is not None
    assert answer.sent_us is not None
    return answer.sent_us - case.request.end_us


def _seconds(us: int) -> str:
    return f"{us / 1_000_000:.6g} s"


def _megahertz(hz: int) -> str:
    return f"{hz / 1_000_000:g} MHz"


def _not_sent(case: Case) -> Finding | None:
    if case.request is not None:
        return None
    return Finding(
        "there was nothing to hear",
        "the node sent no join request within the scenario",
        "let the scenario last longer, or look at the node's duty cycle, channels and DevNonce",
    )


def _node_knows(case: Case) -> Finding | None:
    told = case.report.most_telling
    if told is None or told.outcome not in _KNOWN:
        return None
    cause, step = _KNOWN[told.outcome]
    return Finding(_sent(case), f"{cause}: {told.detail}", step)


_KNOWN = {
    Outcome.WRONG_MIC: (
        "the keys or EUIs of node and server differ",
        "compare AppKey (1.1: NwkKey too), DevEUI and JoinEUI on both sides, digit by digit",
    ),
    Outcome.OLD_NONCE: (
        "the server's JoinNonce is not greater than the last one that the node accepted",
        "the server has lost its counter: let it go on where it was, or reset the node",
    ),
    Outcome.SETTINGS_REFUSED: (
        "the accept holds settings that the region does not have",
        "compare region and version of the regional parameters on both sides",
    ),
    Outcome.OUTSIDE_WINDOW: (
        "the accept came outside the node's windows",
        "compare the join accept delays (5 s and 6 s), and look at the clocks' drift",
    ),
    Outcome.NOT_READABLE: (
        "the answer is no join accept",
        "look at its bytes: thingrig frame decode",
    ),
}


def _nobody_heard(case: Case) -> Finding | None:
    request = case.request
    if case.heard or request is None:
        return None
    reasons = {name: at.lost for name, at in request.at.items()}
    told = ", ".join(f"{name} did not ({reason})" for name, reason in reasons.items())
    seen = f"none heard the request on {_megahertz(request.frequency_hz)}: {told or 'none was on'}"
    for reason, (cause, step) in _UNHEARD.items():
        if reason in reasons.values():
            return Finding(seen, cause, step)
    return Finding(seen, "no gateway was listening yet", "see why the gateways did not start")


_UNHEARD = {
    "too weak": (
        "no gateway is in reach",
        "move node or gateway, lower join_data_rate, or choose another [radio] path_loss",
    ),
    "not listened": (
        "no gateway listens to the node's channels",
        "compare region, sub_band and channels of node and gateway",
    ),
    "collision": ("other frames disturbed it", "try again, or let fewer nodes join at a time"),
    "no demodulator": ("the gateway was busy with other frames", "add a gateway"),
    "half duplex": ("the gateway was sending at the time", "try again, or add a gateway"),
}


def _not_connected(case: Case) -> Finding | None:
    notes = [case.gateways[name] for name in case.heard]
    if any(each.is_connected for each in notes):
        return None
    told = [f"{n.name} heard the request and has no server{_because(n.failure)}" for n in notes]
    return Finding(
        "; ".join(told),
        "the server does not answer the gateway",
        "check the server's address and port, that its gateway port is open, and the gateway's key",
    )


def _because(failure: str) -> str:
    return f" ({failure})" if failure else ""


def _not_forwarded(case: Case) -> Finding | None:
    if any(at.is_forwarded for at in case.heard.values()):
        return None
    return Finding(
        f"{', '.join(case.heard)} heard the request and did not pass it on",
        "the gateway was not connected yet, or its filters (JoinEui, NetID) refuse the request",
        "look at router_config in the trace, and compare the JoinEUI",
    )


def _not_acknowledged(case: Case) -> Finding | None:
    if any(at.is_acknowledged for at in case.heard.values()):
        return None
    return Finding(
        f"{', '.join(case.heard)} passed the request on and got no PUSH_ACK",
        "the datagram, or its acknowledgement, was lost, or the server does not know the gateway",
        "register the gateway's EUI at the server, and look at firewalls for UDP",
    )


def _silent(case: Case) -> Finding | None:
    if case.answers:
        return None
    seen = f"{', '.join(case.heard)} passed the request on; the server sent nothing back"
    if case.network_view is not None:
        cause = f"the server refused the request: {case.network_view}"
        return Finding(seen, cause, "correct the device at the server, or the node's identity")
    request = case.request
    dev_eui = request.dev_eui if request is not None else ""
    nonce = "" if request is None else int.from_bytes(request.payload[17:19], "little")
    return Finding(
        seen,
        f"the server does not know DevEUI {dev_eui} with that JoinEUI (perhaps one is "
        f"byte-reversed), has another AppKey, or has seen DevNonce {nonce} before",
        "compare EUIs and AppKey at the server; if it has seen the DevNonce, reset those there, or "
        "choose another --seed (1.0.4 and 1.1: a greater first_dev_nonce)",
    )


def _refused_by_gateway(case: Case) -> Finding | None:
    errors = [(name, answer.error) for name, answer in case.answers if answer.error]
    if not errors or any(answer.sent_us is not None for _, answer in case.answers):
        return None
    seen = "; ".join(f"{name} got an accept and refused it ({error})" for name, error in errors)
    if any(_was_over(case, answer) for _, answer in case.answers):
        return Finding(seen, *_ERRORS["TOO_LATE"])
    for words, (cause, step) in _ERRORS.items():
        if any(words in error for _, error in errors):
            return Finding(seen, cause, step)
    return Finding(seen, f"the gateway cannot send it: {errors[0][1]}", "look at the downlink")


def _was_over(case: Case, answer: SentAnswer) -> bool:
    """Forwarders call it TOO_EARLY when a time has passed long ago: their counters are unsigned."""
    assert case.request is not None
    return answer.after_us is not None and answer.ordered_us > case.request.end_us + answer.after_us


_ERRORS = {
    "TOO_LATE": (
        "the server answered too late",
        "look at the server's load and at the network's latency; a join has 5 s, no more",
    ),
    "TOO_EARLY": (
        "the server ordered a time far ahead",
        "see that it counts from this request's tmst",
    ),
    "TX_FREQ": ("the frequency is not the gateway's", "compare the region on both sides"),
    "TX_POWER": ("the gateway does not know that power", "let the server order a usual one"),
    "COLLISION": ("the gateway is already sending then", "add a gateway, or try again"),
    "before router_config": (
        "a strict station takes no downlinks, for it does not know the region's name in "
        "router_config",
        "let the server send a name that Basics Station knows, or set strict = false",
    ),
    "another session": (
        "the server answered for an earlier session of the station",
        "let the server take xtime from this request",
    ),
}


def _not_on_air(case: Case) -> Finding | None:
    if any(answer.sent_us is not None for _, answer in case.answers):
        return None
    unsent = [(name, answer.unsent) for name, answer in case.answers if answer.unsent]
    told = "; ".join(f"{name} did not send the accept ({reason})" for name, reason in unsent)
    return Finding(
        told or "the accept was ordered and not sent within the scenario",
        unsent[0][1] if unsent else "the scenario ended first",
        "look at the gateway's duty cycle and queue",
    )


def _wrong_time(case: Case) -> Finding | None:
    late = [_late_us(case, answer) for _, answer in case.answers if answer.sent_us is not None]
    if any(abs(us - due_us) <= TOLERANCE_US for us in late for due_us in DELAYS_US):
        return None
    return Finding(
        _sent(case),
        f"the accept was sent {_seconds(late[0])} after the request; joins have RX1 after 5 s and "
        "RX2 after 6 s",
        "set the server's join accept delay to 5 s; its RX delay is for data alone",
    )


def _wrong_place(case: Case) -> Finding | None:
    request = case.request
    assert request is not None
    due = expected_windows(case.node, request)
    sent = [answer for _, answer in case.answers if answer.sent_us is not None]
    if any((answer.frequency_hz, answer.data_rate) in due for answer in sent):
        return None
    windows = " or ".join(f"{_megahertz(hz)} with {rate}" for hz, rate in due)
    return Finding(
        _sent(case),
        f"the accept was sent where the node does not listen; it listens on {windows}",
        "compare region and frequency plan of server and node, RX1DROffset and RX2 among them",
    )


def expected_windows(node: Node, request: Request) -> list[tuple[int, str | int]]:
    """Frequency and data rate of both windows after a join request."""
    table = node.region
    data_rate = table.find_data_rate(request.modulation, is_downlink=False)
    for each in table.join_channels:
        if each.frequency_hz == request.frequency_hz and data_rate is not None:
            dwell = table.default_downlink_dwell
            first = table.rx1_data_rate(data_rate, 0, downlink_dwell=dwell)
            rates = (first, each.rx2.data_rate)
            places = (each.rx1_frequency_hz, each.rx2.frequency_hz)
            words = [datr(table.data_rate(rate).modulation) for rate in rates]
            return list(zip(places, words, strict=True))
    return []


def _lost_on_the_way_back(case: Case) -> Finding:
    losses = [answer.node_lost for _, answer in case.answers if answer.node_lost]
    reason = losses[0] if losses else "no reason is known"
    return Finding(
        _sent(case),
        f"the accept did not reach the node ({reason})",
        "move node or gateway, or let the gateway send with more power",
    )


QUESTIONS: tuple[Callable[[Case], Finding | None], ...] = (
    _not_sent,
    _node_knows,
    _nobody_heard,
    _not_connected,
    _not_forwarded,
    _not_acknowledged,
    _silent,
    _refused_by_gateway,
    _not_on_air,
    _wrong_time,
    _wrong_place,
    _lost_on_the_way_back,
)
