"""What no schema can say about ``[network]``, and what needs one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from scenarios.files import FileError, TomlFile
from scenarios.lorawan.enrolment import PLANS
from scenarios.lorawan.formatters import wrong_formatters
from scenarios.mistakes import expected
from simulators.lorawan.errors import LoRaWanError
from simulators.lorawan.regions import region
from simulators.platforms.things_stack import schema
from simulators.platforms.things_stack.plans import plans

# What can be told of a network's side alone.
NEED_NETWORK = (
    "delivered-once", "losses-explained", "windows-hit", "counters-rise", "uplinks-genuine",
    "switches-turned", "decoded",
)  # fmt: skip


def wrong_network(file: TomlFile) -> Iterator[FileError]:
    """Every mistake in ``[network]``, and everything that asks for one where there is none."""
    network = file.document.get("network")
    if network is None:
        yield from _absent(file)
        return
    radio = file.document.get("radio", {}).get("region", "EU868")
    try:
        table = region(radio)
    except LoRaWanError:
        return  # which is told where it stands
    plan = network.get("frequency_plan")
    if plan is None and table.name not in PLANS:
        message = f"expected a frequency_plan for region {table.name}; none is known"
        yield file.error(("network",), message)
    elif plan is not None:
        yield from _wrong_plan(file, plan, table.band_id)
    yield from wrong_formatters(file)
    known = schema.message("MACSettings").fields
    for name in network.get("mac_settings", {}):
        if name not in known:
            message = expected("a MAC setting of the API", name, known)
            yield file.error(("network", "mac_settings", name), message)


def _wrong_plan(file: TomlFile, plan: Any, band_id: str) -> Iterator[FileError]:
    fitting = [name for name, each in plans().items() if each["band_id"] == band_id]
    if plan not in fitting:
        what = f"a frequency plan of {band_id}{f' such as {fitting[0]}' if fitting else ''}"
        yield file.error(("network", "frequency_plan"), expected(what, plan, fitting))


def _absent(file: TomlFile) -> Iterator[FileError]:
    document = file.document
    if document["scenario"]["platform"] != "things-stack":
        return
    for table, kinds in (("fleet", ("actor",)), ("expect", NEED_NETWORK)):
        for position, item in enumerate(document.get(table, ())):
            if item["kind"] in kinds:
                message = f"expected a table [network] for '{item['kind']}'; got none"
                yield file.error((table, position, "kind"), message)
