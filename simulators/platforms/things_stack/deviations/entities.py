"""Defects that the registry of any kind of entity can have; the kinds' modules name them."""

from __future__ import annotations

from msgspec.structs import replace

from simulators.platforms.effects import Answer
from simulators.platforms.things_stack.deviations.changes import (
    renamed,
    with_body,
    with_document,
    with_error_status,
    with_member,
    with_status,
    without,
)
from simulators.platforms.things_stack.deviations.deviation import Deviation, OnAnswer


def defects_of(kind: str, article: str) -> dict[str, Deviation]:
    """
    Defects of one kind's registry by name.

    Args:
        kind: ``organization``.
        article: "a" or "an", as sentences about it need.
    """
    registry, plural = f"{kind.title()}Registry", f"{kind}s"
    return {
        f"{kind}-without-contact": Deviation(
            f"A new {kind} has no technical contact.",
            rpcs=(f"{registry}/Create",),
            answer=without("technical_contact"),
        ),
        f"{kind}-id-taken-400": Deviation(
            f"A taken id of {article} {kind} is answered with status 400.",
            rpcs=(f"{registry}/Create",),
            answer=with_error_status("pkg/util/store:id_taken", 400),
        ),
        f"{kind}-update-all": Deviation(
            f"An update of {article} {kind} changes its description too.",
            rpcs=(f"{registry}/Update",),
            before=with_body(
                lambda found: {**found, "field_mask": {"paths": ["name", "description"]}}
            ),
        ),
        f"{plural}-not-listed": Deviation(
            f"The list of {plural} is empty.",
            rpcs=(f"{registry}/List",),
            answer=with_document(lambda _: {}),
        ),
        f"{kind}-delete-message": Deviation(
            f"The deletion of {article} {kind} is answered with a message.",
            rpcs=(f"{registry}/Delete",),
            answer=with_member("gone", "message"),
        ),
        f"{kind}-restore-refused": Deviation(
            f"A deleted {kind} cannot be restored.",
            rpcs=(f"{registry}/Restore",),
            answer=with_status(400),
        ),
        **restores_of(kind),
        **purges_of(kind, article),
    }


def restores_of(kind: str) -> dict[str, Deviation]:
    """Defects of restoring one kind of entity by name."""
    registry = f"{kind.title()}Registry"
    return {
        f"restored-{kind}-still-deleted": Deviation(
            f"A restored {kind} keeps the time of its deletion.",
            rpcs=(f"{registry}/Restore", f"{registry}/Get"),
            answer=_still_deleted(),
        ),
    }


def _still_deleted() -> OnAnswer:
    restored: set[str] = set()

    def changed(answer: Answer) -> Answer:
        path = answer.request.path
        if answer.request.method == "POST":
            restored.add(path.removesuffix("/restore"))
        return since(answer) if path in restored else answer

    since = with_member("2026-01-01T00:00:00Z", "deleted_at")
    return changed


def purges_of(kind: str, article: str) -> dict[str, Deviation]:
    """Defects of purging one kind of entity by name."""
    return {
        f"{kind}-purge-keeps-id": Deviation(
            f"A purge of {article} {kind} is answered but frees nothing.",
            rpcs=(f"{kind.title()}Registry/Purge",),
            before=lambda request: replace(request, path=request.path.removesuffix("/purge")),
        ),
        f"{kind}-purge-other-error": Deviation(
            f"A purge of {article} {kind} by somebody else is refused with another error.",
            answer=renamed(
                f"pkg/identityserver:admins_purge_{kind}s",
                f"pkg/auth/rights:insufficient_{kind}_rights",
            ),
        ),
    }
