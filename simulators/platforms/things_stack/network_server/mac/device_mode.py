"""The class that a device is in: told by a command from 1.1 on, by a bit for class B."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.lorawan.mac_commands import DeviceModeConf, DeviceModeInd
from simulators.lorawan.versions import MacVersion
from simulators.platforms.things_stack.network_server.device import Device
from simulators.platforms.things_stack.network_server.mac.documents import CLASSES
from simulators.platforms.things_stack.network_server.mac.handling import Handling
from simulators.platforms.things_stack.network_server.uplink_info import UplinkInfo

if TYPE_CHECKING:
    from simulators.platforms.things_stack.stack import Stack

_NAMES = {"CLASS_A": "ns.class.switch.a", "CLASS_B": "ns.class.switch.b"}


def handle(handling: Handling, command: DeviceModeInd) -> None:
    """Follow the device into class A or C, and tell it the class that the network sees it in."""
    handling.tell("device_mode.indication", command)
    device = handling.device
    if command.device_class == 0:
        switch(handling, "CLASS_A")
    elif command.device_class == 2 and device.document.get("supports_class_c"):
        switch(handling, "CLASS_C")
    answer = DeviceModeConf(CLASSES.index(device.mac_state.get("device_class", "CLASS_A")))
    handling.answer(answer)
    handling.tell("device_mode.confirmation", answer)


def switch(handling: Handling, name: str) -> None:
    """Note the class, if it is another one."""
    state = handling.device.mac_state
    if state.get("device_class", "CLASS_A") == name:
        return
    if name == "CLASS_A":
        del state["device_class"]
    else:
        state["device_class"] = name
    handling.publish(_NAMES.get(name, "ns.class.switch.c"))
    handling.device.save()


def follow_bit(stack: Stack, device: Device, info: UplinkInfo, now_us: int) -> None:
    """A device that has found a beacon sets a bit in its uplinks, and clears it without one."""
    state = device.mac_state
    is_b = state.get("device_class") == "CLASS_B"
    if info.frame.class_b == is_b or not device.document.get("supports_class_b"):
        return
    handling = Handling(stack, device, info, now_us)
    if info.frame.class_b:
        if "ping_slot_periodicity" in state:
            switch(handling, "CLASS_B")
        return
    is_c = device.version() < MacVersion.V1_1 and device.document.get("supports_class_c")
    switch(handling, "CLASS_C" if is_c else "CLASS_A")
