"""Defects of users."""

from __future__ import annotations

from simulators.platforms.things_stack.deviations.changes import (
    forgiven,
    with_error_status,
    with_member,
    with_status,
    without,
)
from simulators.platforms.things_stack.deviations.deviation import Deviation
from simulators.platforms.things_stack.deviations.entities import purges_of, restores_of

DEVIATIONS: dict[str, Deviation] = {
    **restores_of("user"),
    **purges_of("user", "a"),
    "user-without-address": Deviation(
        "A user is not told its own address.",
        rpcs=("UserRegistry/Get",),
        answer=without("primary_email_address"),
    ),
    "user-private-fields-for-everybody": Deviation(
        "A read of a user's private fields by others is answered.",
        rpcs=("UserRegistry/Get",),
        answer=forgiven("pkg/auth/rights:no_user_rights"),
    ),
    "users-listed-for-everybody": Deviation(
        "Everybody may list users.",
        rpcs=("UserRegistry/List",),
        answer=forgiven("pkg/auth/rights:no_admin"),
    ),
    "user-update-answers-more": Deviation(
        "An update of a user answers a field that its mask does not name.",
        rpcs=("UserRegistry/Update",),
        answer=with_member("not this", "description"),
    ),
    "user-admin-for-everybody": Deviation(
        "Everybody may say who is an administrator.",
        rpcs=("UserRegistry/Update",),
        answer=forgiven("pkg/identityserver:update_admin_field"),
    ),
    "user-password-told": Deviation(
        "A new user is told with its password.",
        rpcs=("UserRegistry/Create",),
        answer=with_member("a password", "password"),
    ),
    "user-id-taken-400": Deviation(
        "A taken user id is answered with status 400.",
        rpcs=("UserRegistry/Create",),
        answer=with_error_status("pkg/util/store:id_taken", 400),
    ),
    "user-restore-refused": Deviation(
        "A deleted user cannot be restored.",
        rpcs=("UserRegistry/Restore",),
        answer=with_status(400),
    ),
}
