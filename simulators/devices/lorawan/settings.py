"""
How a kind of end device behaves: one value for all devices of that kind.

Everything in which real stacks differ is a choice here, with its usual value.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from simulators.devices.lorawan.adr import Manner, usual_manner
from simulators.devices.lorawan.energy import PROFILES, Currents
from simulators.devices.lorawan.mac_queue import STICKY
from simulators.devices.lorawan.retries import CONFIRMED_TRIES
from simulators.devices.lorawan.windows import Timing
from simulators.lorawan.crypto import FOptsCipher
from simulators.lorawan.versions import MacVersion

ALL_KEPT = frozenset(("session", "dev_nonce", "join_nonce"))


@dataclass(frozen=True)
class Settings:
    """
    The habits of a kind of device.

    ``data_rate``: index to start with; None: what the join used, or the highest.
    ``channels``: the indices of those that it is set up to use before a network says otherwise, for
    joins too; None: all.
    ``first_f_cnt``: counter of the first uplink of a session; stacks begin at 0 or 1.
    ``duty_cycle``: "off-time", "credit" or "none".
    ``adr_manner``: None: as the version's text says.
    ``sticky``: CIDs of the answers that are repeated.
    ``join_data_rate``: the only one for joins; None: from the highest downwards and round again.
    ``join_pause_s``: least and most time between the end of one attempt and the next.
    ``wide_join_windows``: listen all the time after a join request, so that an answer outside the
    window is noticed; it is not accepted for that.
    ``kept``: what survives a reboot: session (with counters), dev_nonce, join_nonce.
    ``answers_f_pending``: send an empty uplink when the network has more for the device.
    ``ack_pause_s``: in class B and C, after so long a confirmed downlink is acknowledged by an
    empty uplink; None: with the next uplink.
    ``ping_periodicity``: a device of class B has 2 to the 7 minus that many slots per beacon.
    ``first_link_adr_block_only``: a second block of LinkADRReq in one frame is not answered, as in
    LoRaMac-node.
    ``certification``: FPort 224 speaks the certification protocol in the manner of loramac-node or
    basics-modem; empty: it does not.
    """

    version: MacVersion = MacVersion.V1_0_3
    device_class: str = "A"
    ping_periodicity: int = 4
    adr: bool = True
    data_rate: int | None = None
    channels: tuple[int, ...] | None = None
    first_f_cnt: int = 0
    timing: Timing = field(default_factory=Timing)
    duty_cycle: str = "off-time"
    adr_manner: Manner | None = None
    sticky: frozenset[int] = STICKY["spec"]
    f_opts_cipher: FOptsCipher = FOptsCipher.ERRATUM
    confirmed_tries: int = CONFIRMED_TRIES
    join_data_rate: int | None = None
    join_pause_s: tuple[float, float] = (5.0, 10.0)
    wide_join_windows: bool = False
    kept: frozenset[str] = ALL_KEPT
    answers_f_pending: bool = False
    ack_pause_s: float | None = None
    currents: Currents = PROFILES["sx1272"]
    wake_up_us: int = 3000
    antenna_gain_dbi: float = 2.15
    battery: int = 255
    first_link_adr_block_only: bool = False
    certification: str = ""

    @property
    def back_off(self) -> Manner:
        """The manner of giving up when nobody answers."""
        return self.adr_manner or usual_manner(self.version)
