"""Defects of gateways."""

from __future__ import annotations

from simulators.platforms.things_stack.deviations.changes import (
    forgiven,
    with_body,
    with_document,
    with_error_status,
    with_member,
    with_status,
    without,
    without_attribute,
)
from simulators.platforms.things_stack.deviations.deviation import Deviation

DEVIATIONS: dict[str, Deviation] = {
    "gateway-plan-not-copied": Deviation(
        "The frequency plan of a gateway is not told as a list.",
        rpcs=("GatewayRegistry/Create",),
        answer=without("frequency_plan_ids"),
    ),
    "gateways-public": Deviation(
        "New gateways are public.",
        rpcs=("GatewayRegistry/Create",),
        answer=with_member(True, "status_public"),
    ),
    "gateway-eui-taken-unnamed": Deviation(
        "A taken gateway EUI does not name the gateway.",
        answer=without_attribute("pkg/identityserver:gateway_eui_taken", "gateway_id"),
    ),
    "gateway-id-taken-400": Deviation(
        "A taken gateway id is answered with status 400.",
        rpcs=("GatewayRegistry/Create",),
        answer=with_error_status("pkg/util/store:id_taken", 400),
    ),
    "restored-gateway-eui": Deviation(
        "A restored gateway has an EUI.",
        rpcs=("GatewayRegistry/Get",),
        answer=with_member(lambda eui: eui or "0000000000000001", "ids", "eui"),
    ),
    "organization-gateway-without-contact": Deviation(
        "A gateway of an organization has no contact.",
        rpcs=("GatewayRegistry/Create",),
        answer=lambda answer: (
            without("administrative_contact")(answer)
            if "organizations" in answer.request.path
            else answer
        ),
    ),
    "gateway-update-all": Deviation(
        "An update of a gateway changes its description too.",
        rpcs=("GatewayRegistry/Update",),
        before=with_body(lambda found: {**found, "field_mask": {"paths": ["name", "description"]}}),
    ),
    "never-connected-empty": Deviation(
        "A gateway that never connected has empty statistics.",
        answer=forgiven("pkg/gatewayserver:not_connected"),
    ),
    "batch-stats-404": Deviation(
        "Statistics of several gateways are refused when one is not connected.",
        rpcs=("Gs/BatchGetGatewayConnectionStats",),
        answer=with_status(404),
    ),
    "gateways-listed-bare": Deviation(
        "The list of gateways tells ids and times alone.",
        rpcs=("GatewayRegistry/List",),
        answer=with_document(
            lambda found: {"gateways": [{"ids": each["ids"]} for each in found.get("gateways", ())]}
        ),
    ),
}
