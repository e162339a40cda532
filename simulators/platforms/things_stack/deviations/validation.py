"""Defects of validation."""

from __future__ import annotations

import re

from simulators.platforms.things_stack.deviations.changes import forgiven, renamed, with_query
from simulators.platforms.things_stack.deviations.deviation import Deviation

DEVIATIONS: dict[str, Deviation] = {
    "application-id-any": Deviation(
        "Every application id is accepted.",
        rpcs=("ApplicationRegistry/Get",),
        answer=forgiven("pkg/errors:validation"),
    ),
    "device-id-other-error": Deviation(
        "A wrong device id is refused with another error.",
        rpcs=("EndDeviceRegistry/Create",),
        answer=renamed("pkg/errors:validation", "pkg/errors:invalid_id"),
    ),
    "identifiers-plain-validation": Deviation(
        "A wrong identifier is refused as a plain validation error.",
        answer=renamed("pkg/ttnpb:identifiers", "pkg/errors:validation"),
    ),
    "short-user-id-accepted": Deviation(
        "A user id of one character is accepted.",
        rpcs=("UserRegistry/Get",),
        answer=forgiven("pkg/errors:validation"),
    ),
    "gateway-id-any": Deviation(
        "Every gateway id is accepted.",
        rpcs=("GatewayRegistry/Get",),
        answer=forgiven("pkg/errors:validation"),
    ),
    "any-limit-accepted": Deviation(
        "Every limit is accepted.",
        rpcs=("ApplicationRegistry/List",),
        before=with_query(lambda query: re.sub(r"limit=\d+", "limit=1", query)),
    ),
    "any-order-accepted": Deviation(
        "Every order is accepted.",
        rpcs=("ApplicationRegistry/List",),
        before=with_query(lambda query: re.sub(r"order=[^&]*", "", query)),
    ),
}
