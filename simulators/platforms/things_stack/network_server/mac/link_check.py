"""LinkCheckReq: how well the device is heard, and by how many gateways."""

from __future__ import annotations

from simulators.lorawan.mac_commands import LinkCheckAns, LinkCheckReq
from simulators.lorawan.modulation import Lora
from simulators.platforms.things_stack.network_server.demodulation import floor_db
from simulators.platforms.things_stack.network_server.mac.handling import Handling

_MOST_DB = 254


def handle(handling: Handling, command: LinkCheckReq) -> None:
    """Answer with the best margin; an uplink without LoRa has none and gets no answer."""
    handling.tell("link_check.request")
    info = handling.info
    modulation = info.receptions[0].modulation
    snr = info.max_snr
    if snr is None or not isinstance(modulation, Lora):
        return
    margin = max(0, min(_MOST_DB, int(snr - floor_db(modulation))))
    gateways = len({each.gateway for each in info.receptions})
    answer = LinkCheckAns(margin, min(gateways, 255))
    handling.answer(answer)
    handling.tell("link_check.answer", answer)
