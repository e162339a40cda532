"""Defects of the Network Server's devices."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from simulators.platforms.effects import Answer
from simulators.platforms.things_stack.deviations.changes import (
    on_error,
    renamed,
    with_error_status,
    with_member,
    with_query,
    without,
    without_attribute,
)
from simulators.platforms.things_stack.deviations.deviation import Deviation, OnAnswer


def _forgiven_field(field: str) -> OnAnswer:
    """Accept what is refused for the sake of one field."""

    def change(answer: Answer, document: Any) -> Answer:
        told = str(document["details"][0].get("attributes", {}).get("field", ""))
        is_meant = told.startswith(field)
        return replace(answer, status=200, document={}) if is_meant else answer

    return on_error("pkg/networkserver:field_value", change)


def _without_cause(answer: Answer, document: Any) -> Answer:
    document["details"][0].pop("cause", None)
    return replace(answer, document=document)


DEVIATIONS: dict[str, Deviation] = {
    "ns-versions-as-given": Deviation(
        "Versions are told as they were given.",
        rpcs=("NsEndDeviceRegistry/Set",),
        answer=with_member(lambda old: "1.0.2" if old == "MAC_V1_0_2" else old, "lorawan_version"),
    ),
    "ns-frequencies-as-numbers": Deviation(
        "Frequencies of a device are told as numbers.",
        rpcs=("NsEndDeviceRegistry/Set",),
        answer=with_member(
            lambda old: [int(each) for each in old or ()],
            "mac_settings",
            "factory_preset_frequencies",
        ),
    ),
    "ns-required-unnamed": Deviation(
        "A missing field is not named.",
        rpcs=("NsEndDeviceRegistry/Set",),
        answer=without_attribute("pkg/networkserver:field_value", "field"),
    ),
    "ns-unknown-plan-other-error": Deviation(
        "An unknown frequency plan is refused with another error.",
        rpcs=("NsEndDeviceRegistry/Set",),
        answer=renamed("pkg/frequencyplans:not_found", "pkg/networkserver:no_plan"),
    ),
    "ns-joins-without-eui": Deviation(
        "A device that joins needs no JoinEUI.",
        rpcs=("NsEndDeviceRegistry/Set",),
        answer=_forgiven_field("ids.join_eui"),
    ),
    "ns-abp-without-address": Deviation(
        "A device of ABP needs no address.",
        rpcs=("NsEndDeviceRegistry/Set",),
        answer=_forgiven_field("session.dev_addr"),
    ),
    "ns-1-0-4-without-eui": Deviation(
        "A device of ABP with LoRaWAN 1.0.4 needs no DevEUI.",
        rpcs=("NsEndDeviceRegistry/Set",),
        answer=_forgiven_field("ids.dev_eui"),
    ),
    "ns-any-frequency": Deviation(
        "Every frequency is accepted.",
        rpcs=("NsEndDeviceRegistry/Set",),
        answer=_forgiven_field("mac_settings.factory_preset_frequencies"),
    ),
    "ns-unknown-other-error": Deviation(
        "Reading an unknown device is told with another error by the Network Server.",
        rpcs=("NsEndDeviceRegistry/Get",),
        answer=renamed("pkg/redis:not_found", "pkg/networkserver:device_not_found"),
    ),
    "ns-delete-unknown-other-error": Deviation(
        "Deleting an unknown device is told with another error by the Network Server.",
        rpcs=("NsEndDeviceRegistry/Delete",),
        answer=renamed("pkg/networkserver:device_not_found", "pkg/redis:not_found"),
    ),
    "ns-reset-loses-session": Deviation(
        "A reset to factory defaults does not tell the session.",
        rpcs=("NsEndDeviceRegistry/ResetFactoryDefaults",),
        answer=without("session"),
    ),
    "ns-class-b-without-periodicity": Deviation(
        "A device of class B needs no ping slot periodicity.",
        rpcs=("NsEndDeviceRegistry/Set",),
        answer=_forgiven_field("mac_settings.ping_slot_periodicity.value"),
    ),
    "ns-keys-not-copied": Deviation(
        "The other network session keys are not told.",
        rpcs=("NsEndDeviceRegistry/Get",),
        answer=without("session", "keys", "nwk_s_enc_key"),
    ),
    "ns-euis-taken-400": Deviation(
        "A taken pair of EUIs is answered with status 400 by the Network Server.",
        rpcs=("NsEndDeviceRegistry/Set",),
        answer=with_error_status("pkg/internal/registry:end_device_euis_taken", 400),
    ),
    "ns-adr-both-ways": Deviation(
        "ADR may be told in both ways at once.",
        rpcs=("NsEndDeviceRegistry/Set",),
        answer=_forgiven_field("mac_settings.adr"),
    ),
    "ns-any-data-rate": Deviation(
        "Every data rate of RX2 is accepted.",
        rpcs=("NsEndDeviceRegistry/Set",),
        answer=_forgiven_field("mac_settings.rx2_data_rate_index"),
    ),
    "ns-any-multicast": Deviation(
        "A device of multicast may join, and be of class A.",
        rpcs=("NsEndDeviceRegistry/Set",),
        answer=_forgiven_field("multicast"),
    ),
    "ns-1-1-with-fewer-keys": Deviation(
        "A device of ABP with LoRaWAN 1.1 needs no s_nwk_s_int_key.",
        rpcs=("NsEndDeviceRegistry/Set",),
        answer=_forgiven_field("session.keys.s_nwk_s_int_key"),
    ),
    "ns-any-nwk-s-enc-key": Deviation(
        "A device of ABP may lack nwk_s_enc_key, or have any.",
        rpcs=("NsEndDeviceRegistry/Set",),
        answer=_forgiven_field("session.keys.nwk_s_enc_key"),
    ),
    "ns-joining-changes": Deviation(
        "A device that joins may become one of ABP.",
        rpcs=("NsEndDeviceRegistry/Set",),
        answer=_forgiven_field("supports_join"),
    ),
    "ns-version-cause-untold": Deviation(
        "Why a PHY version is refused is not told.",
        rpcs=("NsEndDeviceRegistry/Set",),
        answer=on_error("pkg/networkserver:field_value", _without_cause),
    ),
    "ns-batch-first-only": Deviation(
        "Of several devices the first alone is deleted on the Network Server.",
        rpcs=("NsEndDeviceBatchRegistry/Delete",),
        before=with_query(lambda query: query.partition("&")[0]),
    ),
    "ns-other-eui-other-error": Deviation(
        "Another EUI of a device is refused with another error by the Network Server.",
        rpcs=("NsEndDeviceRegistry/Set",),
        answer=renamed("pkg/networkserver/redis:read_only_field", "pkg/errors:validation"),
    ),
    "ns-settings-told-wrapped": Deviation(
        "A setting is told as an object with value.",
        rpcs=("NsEndDeviceRegistry/Set",),
        answer=with_member(
            lambda found: (
                {**found, "rx2_frequency": {"value": found["rx2_frequency"]}}
                if found and "rx2_frequency" in found
                else found
            ),
            "mac_settings",
        ),
    ),
    "ns-ids-without-address": Deviation(
        "The identifiers of a device with a session lack its address.",
        rpcs=("NsEndDeviceRegistry/Get",),
        answer=without("ids", "dev_addr"),
    ),
}
