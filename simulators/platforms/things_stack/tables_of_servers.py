"""The tables of every server, for whoever opens the database."""

from __future__ import annotations

from simulators.platforms.things_stack.application_server import server as application
from simulators.platforms.things_stack.identity import server as identity
from simulators.platforms.things_stack.join_server import server as join
from simulators.platforms.things_stack.network_server import device_store as network
from simulators.platforms.things_stack.network_server import downlinks, in_flight

TABLES = (
    identity.TABLES
    + join.TABLES
    + network.TABLES
    + downlinks.TABLES
    + in_flight.TABLES
    + application.TABLES
)
