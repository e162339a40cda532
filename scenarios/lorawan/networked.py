"""
A LoRaWAN scenario at a network that is used over its API.

Everything that is needed is registered first, and removed when all is over, whatever happened. On
the virtual clock the network is the reference server in memory; in real time it is behind sockets.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, closing
from dataclasses import dataclass, field
from functools import partial
from typing import BinaryIO

from scenarios.collector import calm_collector
from scenarios.lorawan.enrolment import Enrolment
from scenarios.lorawan.playing import GRACE_S, MEMORY_URL, GatewayPorts, socket_ways
from scenarios.lorawan.world import Joined, LorawanProgress, LorawanWorld, Ways
from scenarios.model import Scenario
from scenarios.recorder import Recorder
from scenarios.run import Run, Stage
from simulators.apps.things_stack.api import Api, ApiError, Doors, Steps
from simulators.apps.things_stack.inventory import Inventory
from simulators.apps.things_stack.registering import Book
from simulators.clock import MICROSECONDS, Clock, VirtualClock, WallClock
from simulators.platforms.effects import Post
from simulators.platforms.memory import MemoryTransport
from simulators.platforms.scripting.worker import Result
from simulators.platforms.things_stack.core import Core
from simulators.platforms.things_stack.database import open_database
from simulators.platforms.things_stack.policy import Policy
from simulators.platforms.things_stack.provisioning import DEMO_USER, default_provisioning
from simulators.platforms.things_stack.stock import provision
from simulators.platforms.things_stack.tables_of_servers import TABLES
from simulators.randomness import RandomStreams
from simulators.transports.http import TransportError
from simulators.transports.post_port import PostPort
from simulators.transports.sockets import SocketTransport
from simulators.transports.udp import MemoryDatagrams
from simulators.transports.websocket import MemoryWebSockets

MEMORY_WEBHOOK = "http://application/thingrig"
REGISTRARS = 8  # calls at a time
TOLD = 5  # lines about what is left behind; results and ledger have all of it
PATIENCE_S = 1800.0  # for registering everything, and for removing it
USER, REGISTRAR, ADMIN = "application", "registrar", "administrator"

Work = Callable[[Sequence[Api], Api | None], Steps]  # users of the API, and an administrator


class NetworkError(Exception):
    """What a scenario needs could not be registered: no judgement is possible."""


@dataclass(frozen=True)
class NetworkAccess:
    """
    How a network's API is reached, and as whom.

    Attributes:
        urls: by component, of those that are elsewhere than at ``url``.
        admin_api_key: of an administrator, who purges what was deleted; empty: ids stay taken.
        owner: ``users/…`` or ``organizations/…``.
        webhook_listen: host and port to listen on for webhooks; 0 is a free one.
        webhook_url: how the network reaches that; empty: as it is.
    """

    url: str
    api_key: str = field(repr=False)
    owner: str
    admin_api_key: str = field(default="", repr=False)
    urls: Mapping[str, str] = field(default_factory=dict)
    frequency_plan: str = ""
    ssl_context: ssl.SSLContext | None = None
    max_requests_per_s: float | None = None
    webhook_listen: tuple[str, int] | None = None
    webhook_url: str = ""


# --- on the virtual clock


def play_virtual(
    scenario: Scenario,
    *,
    trace: BinaryIO | None = None,
    progress: LorawanProgress | None = None,
) -> Run:
    """
    Play in virtual time with the reference server in memory.

    Raises:
        NetworkError: it refused something that the scenario needs.
    """
    clock = VirtualClock(start=scenario.start)
    streams = RandomStreams(scenario.seed)
    stage = Stage(scenario, clock, "virtual", trace)
    with ExitStack() as memory:
        database = memory.enter_context(closing(open_database(None, TABLES)))
        core = Core(database, streams.stream("platform"), policy=Policy(password_cost=1))
        provisioning = default_provisioning(streams.stream("platform", "provisioning"))
        provision(core.stack, provisioning, tenant="", now_us=clock.unix_us())
        key = next(each.key for each in provisioning.api_keys if each.owner_id == DEMO_USER)
        stage.secrets.add("api_key", key)
        transport = memory.enter_context(closing(MemoryTransport(core, clock)))
        transport.on_cut_off = partial(_mark_cut_off, stage.recorder)
        enrolment = Enrolment(
            scenario,
            prefix="thingrig",
            owner=f"users/{DEMO_USER}",
            webhook=MEMORY_WEBHOOK if _wants_webhook(scenario) else "",
            is_fresh=False,
        )
        apis = _apis(clock, Doors(transport), key)
        try:
            clock.run(until=clock.process(enrolment.registrar.register(apis)))
        except ApiError as problem:
            raise NetworkError(str(problem)) from problem
        transport.latency_us = scenario.latency_us
        datagrams = MemoryDatagrams(clock, delay_us=scenario.latency_us)
        sockets = MemoryWebSockets(clock, delay_us=scenario.latency_us)
        transport.serve_gateways(core, datagrams, sockets)
        world = LorawanWorld(
            scenario,
            clock=clock,
            ways=Ways(datagrams, sockets, MEMORY_URL),
            recorder=stage.recorder,
            progress=progress,
            joined=Joined(enrolment.membership(), Api(clock, Doors(transport), key, user=USER)),
        )
        transport.on_post = partial(_posted, world)
        try:
            with calm_collector():
                clock.run(until=clock.process(world.conduct()))
        except KeyboardInterrupt:
            stage.is_interrupted = True  # what lives in memory alone needs no removal
            return stage.finish(world)
        if stage.recorder is not None:
            stage.recorder.stop()
        run = stage.finish(world)
        transport.latency_us = 0
        clock.run(until=clock.process(enrolment.registrar.remove(apis)))
        world.evidence.network_side().left += enrolment.registrar.left
        return run


def _posted(world: LorawanWorld, post: Post) -> int:
    assert world.evidence.at_network is not None
    world.evidence.at_network.application.post(post.body)
    return 200


def _wants_webhook(scenario: Scenario) -> bool:
    network = scenario.lorawan.network if scenario.lorawan is not None else None
    return network is not None and network.webhook


def _mark_cut_off(recorder: Recorder | None, result: Result) -> None:
    """A trace from here on need not be the same once more: a script was too much for its limits."""
    if recorder is not None:
        message = {"kind": "script-cut-off", "reason": result.error}
        recorder.event("platform", "none", "fault", message)


# --- in real time


async def play_wall(
    scenario: Scenario,
    access: NetworkAccess,
    ports: GatewayPorts,
    *,
    prefix: str,
    book: Book | None = None,
    trace: BinaryIO | None = None,
    progress: LorawanProgress | None = None,
    tell: Callable[[str], None] = lambda text: None,
) -> Run:
    """
    Play in real time at a network behind sockets; cancelling it is interrupting it.

    Args:
        prefix: of everything that is registered; used once.
        book: where everything is noted before it is registered.
        tell: told in one line each what is registered, and what could not be removed.
    Raises:
        NetworkError: it refused something that the scenario needs, or gave no answer.
    """
    async with AsyncExitStack() as stack:
        posts = await _post_port(scenario, access, stack)
        enrolment = Enrolment(
            scenario,
            prefix=prefix,
            owner=access.owner,
            plan=access.frequency_plan,
            webhook=_webhook_url(access, posts, prefix),
            is_fresh=True,
            book=book,
        )
        try:
            tell(_plan_of(enrolment.inventory))
            await _carry_out(access, lambda apis, _: enrolment.registrar.register(apis))
            run, world = await _play(scenario, access, ports, enrolment, posts, trace, progress)
        except ApiError as problem:
            raise NetworkError(str(problem)) from problem
        finally:
            await _tidy(access, enrolment, tell)
    at = world.evidence.network_side()
    at.left += enrolment.registrar.left
    at.reserved += enrolment.registrar.reserved
    return run


async def _post_port(
    scenario: Scenario, access: NetworkAccess, stack: AsyncExitStack
) -> PostPort | None:
    """Where webhooks arrive, when the scenario has one."""
    if not _wants_webhook(scenario) or access.webhook_listen is None:
        return None
    try:
        posts = await PostPort.listen(*access.webhook_listen)
    except TransportError as problem:
        raise NetworkError(str(problem)) from problem
    stack.callback(posts.close)
    return posts


def _webhook_url(access: NetworkAccess, posts: PostPort | None, prefix: str) -> str:
    """The path is the run's own, so that nobody else's messages count."""
    if posts is None or access.webhook_listen is None:
        return ""
    base = access.webhook_url or f"http://{access.webhook_listen[0]}:{posts.port}"
    return f"{base.rstrip('/')}/{prefix}"


async def _play(
    scenario: Scenario,
    access: NetworkAccess,
    ports: GatewayPorts,
    enrolment: Enrolment,
    posts: PostPort | None,
    trace: BinaryIO | None,
    progress: LorawanProgress | None,
) -> tuple[Run, LorawanWorld]:
    clock = WallClock()
    stage = Stage(scenario, clock, "wall", trace, url=access.url)
    stage.secrets.add("api_key", access.api_key)
    for key in enrolment.registrar.gateway_keys.values():
        stage.secrets.add("gateway_key", key)
    async with AsyncExitStack() as stack:
        api = Api(clock, _doors(clock, access, stack), access.api_key, user=USER)
        world = LorawanWorld(
            scenario,
            clock=clock,
            ways=socket_ways(clock, ports, stack),
            recorder=stage.recorder,
            progress=progress,
            joined=Joined(enrolment.membership(), api),
        )
        if posts is not None and world.evidence.at_network is not None:
            take = world.evidence.at_network.application.post
            posts.received = partial(_own_post, enrolment.inventory.prefix, clock, take)
        conducted = clock.process(world.conduct())
        conducted.callbacks.append(lambda _: clock.finish())
        try:
            await clock.play(scenario.duration_us / MICROSECONDS + GRACE_S)
        except asyncio.CancelledError:
            stage.is_interrupted = True
        return stage.finish(world), world


def _own_post(
    prefix: str, clock: WallClock, take: Callable[[bytes], None], path: str, body: bytes
) -> None:
    if path.endswith(f"/{prefix}"):
        clock.enter(take, body)


async def _carry_out(access: NetworkAccess, work: Work) -> None:
    """Do something over the API, before or after the scenario's own time."""
    clock = WallClock()
    problems: list[ApiError] = []

    async with AsyncExitStack() as stack:
        doors = _doors(clock, access, stack)
        apis = _apis(clock, doors, access.api_key)
        admin = (
            Api(clock, doors, access.admin_api_key, user=ADMIN) if access.admin_api_key else None
        )

        def steps() -> Steps:
            try:
                yield from work(apis, admin)
            except ApiError as problem:
                problems.append(problem)
            clock.finish()

        clock.process(steps())
        await clock.play(PATIENCE_S)
    if problems:
        raise problems[0]


async def _tidy(access: NetworkAccess, enrolment: Enrolment, tell: Callable[[str], None]) -> None:
    """Remove everything; an interrupt meanwhile leaves the rest, which is named."""
    registrar = enrolment.registrar
    try:
        await _carry_out(access, registrar.remove)
    finally:
        registrar.left += [f"{what}: not removed" for what in registrar.remaining()]
        for left in registrar.left[:TOLD]:
            tell(f"left behind: {left}")
        if (more := len(registrar.left) - TOLD) > 0:
            tell(f"left behind: {more} more")
        if registrar.reserved:
            tell(f"deleted, but their ids stay taken: {', '.join(registrar.reserved)}")


def _plan_of(inventory: Inventory) -> str:
    devices, gateways = len(inventory.devices), len(inventory.gateways)
    what = f"{devices} device{'s' * (devices != 1)} and {gateways} gateway{'s' * (gateways != 1)}"
    return f"registering {what} as {inventory.prefix}, with plan {inventory.frequency_plan_id}"


def _doors(clock: WallClock, access: NetworkAccess, stack: AsyncExitStack) -> Doors:
    def transport(url: str) -> SocketTransport:
        made = SocketTransport(
            clock,
            url,
            ssl_context=access.ssl_context,
            max_requests_per_s=access.max_requests_per_s,
        )
        stack.callback(made.close)
        return made

    elsewhere = {component: transport(url) for component, url in access.urls.items()}
    return Doors(transport(access.url), elsewhere)


def _apis(clock: Clock, doors: Doors, api_key: str) -> list[Api]:
    return [Api(clock, doors, api_key, user=f"{REGISTRAR}-{n}") for n in range(REGISTRARS)]
