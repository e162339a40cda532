"""
The servers of one deployment and what they share.

Servers call each other through the functions of these objects, never through each other's tables.
"""

from __future__ import annotations

import random
import sqlite3

from simulators.platforms.effects import Effect
from simulators.platforms.things_stack.agenda import Agenda
from simulators.platforms.things_stack.application_server.server import ApplicationServer
from simulators.platforms.things_stack.database import Database
from simulators.platforms.things_stack.events.subscriptions import Events
from simulators.platforms.things_stack.gateway_server.server import GatewayServer
from simulators.platforms.things_stack.identity.server import IdentityServer
from simulators.platforms.things_stack.join_server.server import JoinServer
from simulators.platforms.things_stack.network_server.server import NetworkServer
from simulators.platforms.things_stack.policy import Policy


class Stack:
    """
    The servers.

    ``rng`` is the source of ids, ``secrets`` of what nobody may guess.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        policy: Policy,
        rng: random.Random,
        secrets: random.Random,
    ) -> None:
        self.connection = connection
        self.policy = policy
        self.rng = rng
        self.secrets = secrets
        database = Database(connection)
        self.outbox: list[Effect] = []  # the core takes them after each request, message or timer
        self.agenda = Agenda()
        self.events = Events(policy, rng, self.outbox)
        self.identity = IdentityServer(database, policy)
        self.join = JoinServer(self, database)
        self.network = NetworkServer(self, database)
        self.application = ApplicationServer(self, database)
        self.gateways = GatewayServer(self)
