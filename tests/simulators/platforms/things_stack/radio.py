"""Devices' frames as gateways hand them over, and what applications and gateways get of them."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any

from simulators.lorawan.crypto import Session
from simulators.lorawan.keys import SessionKeys
from simulators.lorawan.modulation import Lora, Modulation
from simulators.lorawan.regions.region import Region
from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.messages import Downlink, Scheduled, Up, Uplink

NWK_KEY, APP_KEY = bytes(range(16)), bytes(range(16, 32))
ADDRESS = "26001234"
EU_HZ = (868_100_000, 868_300_000, 868_500_000)
SF7 = Lora(7, 125_000)


@dataclass
class Air:
    """What stands before and behind the Network Server: gateways that hear, servers that note."""

    bench: Any
    ups: list[Up] = field(default_factory=list)
    downlinks: list[Downlink] = field(default_factory=list)
    refusal: StackError | None = None
    lead_us: int = 0  # so long after it is asked a gateway sends

    def __post_init__(self) -> None:
        stack = self.bench.core.stack
        stack.application.handle_up = lambda up, now_us: self.ups.append(up)
        stack.gateways.schedule = self._schedule

    def _schedule(self, downlink: Downlink, now_us: int) -> Scheduled:
        if self.refusal is not None:
            raise self.refusal
        self.downlinks.append(downlink)
        return Scheduled(now_us + self.lead_us, "gtw1", is_rx1=True, is_rx2=False)

    def hear(
        self,
        phy: bytes,
        frequency_hz: int = EU_HZ[0],
        modulation: Modulation = SF7,
        *,
        gateway: str = "gtw1",
        snr: float = 9.5,
    ) -> str | None:
        """Let a gateway hand a frame over; returns the name of the error, if it is refused."""
        bench = self.bench
        uplink = Uplink(
            phy,
            frequency_hz,
            modulation,
            metadata(gateway, snr),
            settings(frequency_hz, modulation),
            gateway,
            bench.now_us,
            [f"gs:uplink:{gateway}"],
        )
        try:
            bench.core.stack.network.handle_uplink(uplink, bench.now_us)
        except StackError as error:
            return error.name.removeprefix("pkg/")
        finally:
            bench.core.stack.network.flush()
        return None

    def wait(self, seconds: float) -> None:
        """Let time go by, with all that is due meanwhile."""
        end_us = self.bench.now_us + round(seconds * 1e6)
        agenda = self.bench.core.stack.agenda
        while (due_us := agenda.next_us) is not None and due_us <= end_us:
            self.bench.now_us = due_us
            self.bench.core.timer(0, due_us)
        self.bench.now_us = end_us

    def send(self, phy: bytes, *where: Any, **options: Any) -> str | None:
        """As ``hear``, and wait until copies are no longer collected."""
        error = self.hear(phy, *where, **options)
        self.wait(0.25)
        return error

    def uplinks(self) -> list[tuple[int, int | None, bytes]]:
        """Counter, port and encrypted payload of all uplinks that the application has got."""
        return [
            (up.message.get("f_cnt", 0), up.message.get("f_port"), up.payload)
            for up in self.ups
            if up.kind == "uplink_message"
        ]

    def counters(self) -> list[int]:
        """Counters of all uplinks that the application has got."""
        return [f_cnt for f_cnt, _, _ in self.uplinks()]


def metadata(gateway: str, snr: float) -> dict[str, Any]:
    token = base64.b64encode(gateway.encode()).decode()
    return {
        "gateway_ids": {"gateway_id": gateway},
        "rssi": -60,
        "snr": snr,
        "uplink_token": token,
    }


def settings(frequency_hz: int, modulation: Modulation) -> dict[str, Any]:
    assert isinstance(modulation, Lora)
    lora = {
        "bandwidth": modulation.bandwidth_hz,
        "spreading_factor": modulation.spreading_factor,
        "coding_rate": modulation.coding_rate,
    }
    return {"data_rate": {"lora": lora}, "frequency": str(frequency_hz)}


def abp_session(address: str = ADDRESS, *, is_1_1: bool = False) -> Session:
    """The session of a device that ``add_abp`` has registered, as the device has it."""
    if not is_1_1:
        return Session(address, SessionKeys.legacy(NWK_KEY, APP_KEY))
    keys = SessionKeys(NWK_KEY, bytes([1] * 16), bytes([2] * 16), APP_KEY)
    return Session(address, keys, is_1_1=True)


def add_abp(
    bench: Any,
    device_id: str = "dev1",
    *,
    address: str = ADDRESS,
    version: str = "MAC_V1_0_3",
    phy_version: str = "PHY_V1_0_3_REV_A",
    plan: str = "EU_863_870",
    mac_settings: dict[str, Any] | None = None,
    nwk_key: bytes = NWK_KEY,
    **more: Any,
) -> None:
    """Register a device that does not join on the Network Server."""
    keys = {"f_nwk_s_int_key": {"key": nwk_key.hex()}}
    if version == "MAC_V1_1":
        keys["s_nwk_s_int_key"] = {"key": "01" * 16}
        keys["nwk_s_enc_key"] = {"key": "02" * 16}
    device = {
        "ids": {
            "device_id": device_id,
            "dev_eui": f"70B3D57ED0{int(address, 16) & 0xFFFFFF:06X}",
            "application_ids": {"application_id": "app1"},
        },
        "frequency_plan_id": plan,
        "lorawan_version": version,
        "lorawan_phy_version": phy_version,
        "session": {"dev_addr": address, "keys": keys},
        "mac_settings": mac_settings or {},
        **more,
    }
    paths = [
        "ids.dev_eui",
        "frequency_plan_id",
        "lorawan_version",
        "lorawan_phy_version",
        "session.dev_addr",
        "session.keys",
        "mac_settings",
        *more,
    ]
    body = {"end_device": device, "field_mask": {"paths": paths}}
    bench.made(f"/ns/applications/app1/devices/{device_id}", body, method="PUT")


def state_of(bench: Any, device_id: str = "dev1") -> dict[str, Any]:
    """A device's state as it is stored."""
    network = bench.core.stack.network
    row = network.devices.find("app1", device_id)
    assert row is not None
    found: dict[str, Any] = network.state(row.number)
    return found


def lowest_uplink(region: Region) -> tuple[int, Modulation]:
    """Frequency and modulation of the first default channel at its highest data rate."""
    channel = region.uplink_channels[0]
    return channel.frequency_hz, region.data_rate(channel.max_data_rate).modulation


ROOT_KEY, NETWORK_ROOT_KEY = bytes([0xA0] * 16), bytes([0xB0] * 16)
JOIN_EUI, DEV_EUI = "0000000000000001", "70b3d57ed0000001"


def add_otaa(
    bench: Any,
    device_id: str = "dev1",
    *,
    version: str = "MAC_V1_0_3",
    phy_version: str = "PHY_V1_0_3_REV_A",
    plan: str = "EU_863_870",
    root_keys: dict[str, Any] | None = None,
    join_server: dict[str, Any] | None = None,
    **more: Any,
) -> None:
    """Register a device that joins, on Join Server and Network Server."""
    ids = {
        "device_id": device_id,
        "dev_eui": DEV_EUI.upper(),
        "join_eui": JOIN_EUI,
        "application_ids": {"application_id": "app1"},
    }
    if root_keys is None:
        root_keys = {"app_key": {"key": ROOT_KEY.hex()}}
        if version == "MAC_V1_1":
            root_keys["nwk_key"] = {"key": NETWORK_ROOT_KEY.hex()}
    put(bench, "js", ids, {"root_keys": root_keys, **(join_server or {})})
    put(
        bench,
        "ns",
        ids,
        {
            "supports_join": True,
            "frequency_plan_id": plan,
            "lorawan_version": version,
            "lorawan_phy_version": phy_version,
            **more,
        },
    )


def put(bench: Any, server: str, ids: dict[str, Any], device: dict[str, Any]) -> None:
    """Set these fields of a device on a server."""
    body = {"end_device": {"ids": ids, **device}, "field_mask": {"paths": list(device)}}
    path = f"/{server}/applications/app1/devices/{ids['device_id']}"
    bench.made(path, body, method="PUT")
