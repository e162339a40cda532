"""When and how devices listen: the windows after an uplink, the continuous one, ping slots."""

from __future__ import annotations

from typing import Any

from simulators.lorawan.class_b import BEACON_PERIOD_S, BEACON_PERIOD_US, next_ping_slot_us
from simulators.lorawan.errors import LoRaWanError
from simulators.lorawan.gps_time import to_gps_us, to_unix_us
from simulators.lorawan.regions.region import FHDR_AND_PORT, DataRate
from simulators.platforms.things_stack.configuration import rate_document
from simulators.platforms.things_stack.network_server.building import Draft
from simulators.platforms.things_stack.network_server.device import Device
from simulators.platforms.things_stack.network_server.mac.documents import PING_PERIODS
from simulators.platforms.things_stack.network_server.uplink_info import UplinkInfo
from simulators.platforms.things_stack.times import time_text

Document = dict[str, Any]

SECOND_US = 1_000_000
# How long before a ping slot a gateway is asked.
_AHEAD_OF_SLOT_US = 2_000_000


def longest_in(device: Device, row: DataRate) -> int:
    """M of a downlink with a data rate; less where the device's time on air is limited."""
    is_dwell = device.mac_state["current_parameters"].get("downlink_dwell_time")
    return ((row.max_payload_dwell or 0) if is_dwell else row.max_payload) + FHDR_AND_PORT


class Windows:
    """Those of both windows after an uplink that can still be met: frequency and data rate."""

    def __init__(
        self,
        device: Device,
        info: UplinkInfo,
        rx1: tuple[int, DataRate] | None,
        rx2: tuple[int, DataRate],
    ) -> None:
        self.info = info
        self._device = device
        self._rx1 = rx1
        self._rx2 = rx2

    @classmethod
    def of(cls, device: Device, info: UplinkInfo, now_us: int) -> Windows | None:
        """The windows; None when both are over."""
        first_us = rx1_us(device, info)
        if now_us >= first_us + SECOND_US:
            return None
        parameters = device.mac_state["current_parameters"]
        rx2 = int(parameters["rx2_frequency"]), _rx2_row(device)
        rx1 = _rx1(device, info, parameters) if now_us < first_us else None
        return cls(device, info, rx1, rx2)

    @property
    def longest(self) -> int:
        """M of the window that takes more."""
        windows = [each for each in (self._rx1, self._rx2) if each is not None]
        return max(longest_in(self._device, row) for _, row in windows)

    def request(self, drafted: Draft) -> Document:
        """A TxRequest with the windows that the frame fits into."""
        parameters = self._device.mac_state["current_parameters"]
        request: Document = {"rx1_delay": parameters.get("rx1_delay") or 1}
        for name, window in (("rx1", self._rx1), ("rx2", self._rx2)):
            if window is not None and drafted.payload_size <= longest_in(self._device, window[1]):
                request[f"{name}_data_rate"] = rate_document(window[1].modulation)
                request[f"{name}_frequency"] = str(window[0])
        return request


def rx1_us(device: Device, info: UplinkInfo) -> int:
    received_us: int = info.received_us
    return received_us + device.traits.rx1_delay_s * SECOND_US


def _rx1(device: Device, info: UplinkInfo, parameters: Document) -> tuple[int, DataRate] | None:
    """Frequency and data rate of RX1, None where the region has none for this uplink."""
    channels = parameters["channels"]
    if info.channel_index >= len(channels):
        return None
    frequency = int(channels[info.channel_index].get("downlink_frequency", "0"))
    region = device.region
    try:
        rate = region.rx1_data_rate(
            info.data_rate_index,
            parameters.get("rx1_data_rate_offset", 0),
            downlink_dwell=bool(parameters.get("downlink_dwell_time")),
        )
        row = region.data_rate(rate)
    except LoRaWanError:
        return None
    return (frequency, row) if frequency else None


def _rx2_row(device: Device) -> DataRate:
    """The data rate of RX2; the region's, where a caller has set one that it does not have."""
    index = device.mac_state["current_parameters"].get("rx2_data_rate_index", 0)
    return _row(device, index, device.region.rx2.data_rate)


def _row(device: Device, index: int, default: int) -> DataRate:
    try:
        return device.region.data_rate(index)
    except LoRaWanError:
        return device.region.data_rate(default)


def rx2_now(device: Device, now_us: int) -> tuple[Document, DataRate]:
    """Class C listens where RX2 is, always."""
    parameters, row = device.mac_state["current_parameters"], _rx2_row(device)
    request = {
        "class": "CLASS_C",
        "rx2_data_rate": rate_document(row.modulation),
        "rx2_frequency": parameters["rx2_frequency"],
    }
    return request, row


def ping_slot(device: Device, now_us: int) -> tuple[Document, DataRate]:
    """The next slot of a device in class B that a gateway can still be asked for."""
    region, state = device.region, device.mac_state
    parameters = state["current_parameters"]
    period = PING_PERIODS.index(state.get("ping_slot_periodicity", PING_PERIODS[-1]))
    address = device.state["session"]["dev_addr"]
    gps_us = next_ping_slot_us(to_gps_us(now_us + _AHEAD_OF_SLOT_US), address, period)
    usual = region.class_b.ping_slots.data_rate
    row = _row(device, parameters.get("ping_slot_data_rate_index_value", usual), usual)
    beacon_s = gps_us // BEACON_PERIOD_US * BEACON_PERIOD_S
    frequency = parameters.get("ping_slot_frequency") or str(
        region.ping_slot_frequency_hz(address, beacon_s)
    )
    request = {
        "class": "CLASS_B",
        "rx2_data_rate": rate_document(row.modulation),
        "rx2_frequency": frequency,
        "absolute_time": time_text(to_unix_us(gps_us)),
    }
    return request, row
