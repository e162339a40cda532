"""Defects of OAuth clients."""

from __future__ import annotations

from simulators.platforms.things_stack.deviations.changes import forgiven, with_member, without
from simulators.platforms.things_stack.deviations.deviation import Deviation
from simulators.platforms.things_stack.deviations.entities import defects_of

DEVIATIONS: dict[str, Deviation] = {
    **defects_of("client", "a"),
    "client-approved-at-once": Deviation(
        "A client is approved without review.",
        rpcs=("ClientRegistry/Create",),
        answer=with_member("STATE_APPROVED", "state"),
    ),
    "client-state-for-everybody": Deviation(
        "Everybody may change the state of a client.",
        rpcs=("ClientRegistry/Update",),
        answer=forgiven("pkg/identityserver:update_admin_field"),
    ),
    "client-without-secret": Deviation(
        "A new client is not told its secret.",
        rpcs=("ClientRegistry/Create",),
        answer=without("secret"),
    ),
}
