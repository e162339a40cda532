"""A reference server in memory, users of its API, and one run's inventory."""

from __future__ import annotations

import random
from typing import Any

from simulators.apps.things_stack.api import Api, ApiError, Doors, Steps
from simulators.apps.things_stack.inventory import DeviceEntry, GatewayEntry, Inventory
from simulators.clock import VirtualClock
from simulators.platforms.memory import MemoryTransport
from simulators.platforms.things_stack.core import Core
from simulators.platforms.things_stack.database import open_database
from simulators.platforms.things_stack.policy import Policy
from simulators.platforms.things_stack.provisioning import DEMO_USER, default_provisioning
from simulators.platforms.things_stack.stock import provision
from simulators.platforms.things_stack.tables_of_servers import TABLES

KEY = "000102030405060708090A0B0C0D0E0F"
OTAA = DeviceEntry(
    "otaa-1", "0200000000000001", "0000000000000000", "MAC_V1_0_3", "PHY_V1_0_3_REV_A",
    root_keys={"app_key": KEY},
)  # fmt: skip
ABP = DeviceEntry(
    "abp-1", "0200000000000002", "", "MAC_V1_0_3", "PHY_V1_0_3_REV_A",
    session_keys={"f_nwk_s_int_key": KEY, "app_s_key": KEY},
    device_class="C", frequencies_hz=(868_100_000, 868_300_000),
    mac_settings={"desired_rx1_delay": 1},
)  # fmt: skip
GATEWAY = GatewayEntry("run-1-north", "02000000000000B1", needs_key=True)
INVENTORY = Inventory(
    "run-1", f"users/{DEMO_USER}", "run-1", "EU_863_870_TTN", (OTAA, ABP), (GATEWAY,)
)


class Bench:
    """A network, its clock, and three users of one key."""

    def __init__(self, policy: Policy | None = None) -> None:
        self.clock = VirtualClock()
        self._database = open_database(None, TABLES)
        core = Core(self._database, random.Random(1), policy=policy or Policy(password_cost=1))
        provisioning = default_provisioning(random.Random(2))
        provision(core.stack, provisioning, tenant="", now_us=self.clock.unix_us())
        keys = {each.owner_id: each.key for each in provisioning.api_keys}
        self.key = keys[DEMO_USER]
        self.transport = MemoryTransport(core, self.clock)
        self.apis = [self.api(self.key) for _ in range(3)]

    def close(self) -> None:
        self._database.close()

    def api(self, key: str) -> Api:
        return Api(self.clock, Doors(self.transport), key, user="tester")

    def run(self, steps: Steps) -> Any:
        return self.clock.run(until=self.clock.process(steps))

    def get(self, path: str) -> Any:
        """An answer to the user, or the status of a refusal."""
        try:
            return self.run(self.apis[0].call("GET", path))
        except ApiError as problem:
            return problem.status
