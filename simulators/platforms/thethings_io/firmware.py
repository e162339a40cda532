"""Firmware: the latest image of every microcontroller, and the images themselves."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from simulators.platforms.effects import Answer, Arguments, Effects, Request
from simulators.platforms.thethings_io.refusals import Refused

if TYPE_CHECKING:
    from simulators.platforms.thethings_io.core import Core


def latest(core: Core, request: Request, arguments: Arguments, now_us: int) -> Effects:
    """The highest version for each microcontroller of the thing's product."""
    thing = core.thing(arguments)
    rows = core.store.all("SELECT id, version, mcu FROM firmware WHERE product = ?", thing.product)
    newest: dict[str, dict[str, str]] = {}
    for firmware_id, version, mcu in sorted(rows, key=lambda row: _order(row[1])):
        newest[mcu] = {"_id": firmware_id, "version": version, "mcu": mcu}
    document = {"status": "success", "firmwares": [newest[mcu] for mcu in sorted(newest)]}
    return [Answer(request, 200, document)]


def _order(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"[0-9]{1,18}", version)]


def download(core: Core, request: Request, arguments: Arguments, now_us: int) -> Effects:
    """The bytes of an image of the thing's product."""
    thing = core.thing(arguments)
    row = core.store.one(
        "SELECT image FROM firmware WHERE id = ? AND product = ?", arguments[1], thing.product
    )
    if row is None:
        raise Refused(404, "firmware not found")
    return [Answer(request, 200, row[0], "application/octet-stream")]
