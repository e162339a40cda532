"""Defects of gateways."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from simulators.platforms.effects import Answer
from simulators.platforms.things_stack.deviations.changes import (
    body_without,
    forgiven,
    on_error,
    with_body,
    with_document,
    with_error_status,
    with_member,
    with_status,
    with_time_of_creation,
    without,
    without_attribute,
)
from simulators.platforms.things_stack.deviations.deviation import Deviation, OnAnswer
from simulators.platforms.things_stack.deviations.entities import purges_of, restores_of


def _secrets_allowed(answer: Answer, document: Any) -> Answer:
    missing = document["details"][0].get("attributes", {}).get("missing")
    is_meant = missing == ["RIGHT_GATEWAY_WRITE_SECRETS"]
    return replace(answer, status=200, document={}) if is_meant else answer


def _plans_apart(document: Any) -> Any:
    """Another plan than those that gateways are made with is told by itself alone."""
    if document.get("frequency_plan_id") == "US_902_928_FSB_2":
        document.pop("frequency_plan_ids", None)
    return document


def _with_places() -> OnAnswer:
    """Antennas are told to everybody as they were made."""
    made: dict[str, Any] = {}

    def change(document: Any) -> Any:
        name = document.get("ids", {}).get("gateway_id")
        if "antennas" in document:
            made.setdefault(name, document["antennas"])
            document["antennas"] = made[name]
        return document

    return with_document(change)


DEVIATIONS: dict[str, Deviation] = {
    **restores_of("gateway"),
    **purges_of("gateway", "a"),
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
    "gateway-private-fields-for-everybody": Deviation(
        "A read of a gateway's private fields by others is answered.",
        rpcs=("GatewayRegistry/Get",),
        answer=forgiven("pkg/auth/rights:no_gateway_rights"),
    ),
    "forwarder-without-address": Deviation(
        "The configuration of a packet forwarder lacks the server's address.",
        answer=lambda answer: (
            without("gateway_conf", "server_address")(answer)
            if answer.request.path.endswith("global_conf.json")
            else answer
        ),
    ),
    "statistics-of-any-number": Deviation(
        "Statistics of any number of gateways are told.",
        rpcs=("Gs/BatchGetGatewayConnectionStats",),
        answer=forgiven("pkg/errors:validation"),
    ),
    "statistics-for-everybody": Deviation(
        "Statistics of a gateway need no right.",
        rpcs=("Gs/GetGatewayConnectionStats",),
        answer=forgiven("pkg/auth/rights:no_gateway_rights"),
    ),
    "gateway-read-whole": Deviation(
        "A read of a gateway tells its name, unasked.",
        rpcs=("GatewayRegistry/Get",),
        answer=with_member(lambda name: name or "a name", "name"),
    ),
    "gateway-renamed-by-link": Deviation(
        "A key that may link a gateway may rename it.",
        rpcs=("GatewayRegistry/Update",),
        answer=forgiven("pkg/auth/rights:insufficient_gateway_rights"),
    ),
    "gateway-secrets-for-everybody": Deviation(
        "Secrets of a gateway need no right.",
        rpcs=("GatewayRegistry/Get",),
        answer=forgiven("pkg/auth/rights:insufficient_gateway_rights"),
    ),
    "gateway-update-keeps-time": Deviation(
        "An update of a gateway is told with the time of the creation.",
        rpcs=("GatewayRegistry/Update",),
        answer=with_document(with_time_of_creation),
    ),
    "gateway-secrets-set-by-everybody": Deviation(
        "Secrets of a gateway are set without the right to.",
        rpcs=("GatewayRegistry/Update",),
        answer=on_error("pkg/auth/rights:insufficient_gateway_rights", _secrets_allowed),
    ),
    "gateway-place-for-everybody": Deviation(
        "Everybody is told where a gateway stands.",
        rpcs=("GatewayRegistry/Create", "GatewayRegistry/Get"),
        answer=_with_places(),
    ),
    "gateway-eui-taken-over": Deviation(
        "A gateway can be given the EUI of another one.",
        rpcs=("GatewayRegistry/Update",),
        answer=with_status(200, of=409),
    ),
    "gateways-of-any-time": Deviation(
        "Gateways are listed whenever they were changed.",
        rpcs=("GatewayRegistry/List",),
        before=body_without("filters"),
    ),
    "gateway-plans-apart": Deviation(
        "A frequency plan that an update sets is not told as a list.",
        rpcs=("GatewayRegistry/Update", "GatewayRegistry/Get"),
        answer=with_document(_plans_apart),
    ),
    "empty-gateway-batch": Deviation(
        "A batch of no gateways is deleted.",
        rpcs=("GatewayBatchRegistry/Delete",),
        answer=forgiven("pkg/errors:validation"),
    ),
}
