"""Defects of what everybody may know."""

from __future__ import annotations

import re
from typing import Any

from simulators.platforms.things_stack.deviations.changes import (
    renamed,
    with_document,
    with_member,
    with_query,
    with_status,
    without,
)
from simulators.platforms.things_stack.deviations.deviation import Deviation


def _without_rx2(document: Any) -> Any:
    for band in document["descriptions"].values():
        for description in band["band"].values():
            description.pop("default_rx2_parameters", None)
    return document


DEVIATIONS: dict[str, Deviation] = {
    "plans-without-band": Deviation(
        "Frequency plans lack their band.",
        rpcs=("Configuration/ListFrequencyPlans",),
        answer=with_document(
            lambda found: {
                "frequency_plans": [
                    {key: each[key] for key in each if key != "band_id"}
                    for each in found["frequency_plans"]
                ]
            }
        ),
    ),
    "base-frequency-ignored": Deviation(
        "base_frequency is overlooked.",
        rpcs=("Configuration/ListFrequencyPlans",),
        before=with_query(lambda query: re.sub(r"base_frequency=\d+", "", query)),
    ),
    "is-configuration-secret": Deviation(
        "The settings of the Identity Server need a token.",
        rpcs=("Is/GetConfiguration",),
        answer=with_status(403),
    ),
    "foreign-dev-addr": Deviation(
        "A device address of another network is handed out.",
        rpcs=("Ns/GenerateDevAddr",),
        answer=with_member("FE000001", "dev_addr"),
    ),
    "net-id-as-number": Deviation(
        "The NetID is a number.",
        rpcs=("Ns/GetNetID",),
        answer=with_member(19, "net_id"),
    ),
    "mac-settings-numbers": Deviation(
        "Frequencies in the default MAC settings are numbers.",
        rpcs=("Ns/GetDefaultMACSettings",),
        answer=with_document(
            lambda found: {
                key: int(value) if key.endswith("frequency") else value
                for key, value in found.items()
            }
        ),
    ),
    "short-join-eui": Deviation(
        "The default JoinEUI is short.",
        rpcs=("Js/GetDefaultJoinEUI",),
        answer=with_member("00000000", "join_eui"),
    ),
    "no-protobuf-format": Deviation(
        "Webhooks have no protobuf format.",
        rpcs=("ApplicationWebhookRegistry/GetFormats",),
        answer=without("formats", "protobuf"),
    ),
    "band-without-rx2": Deviation(
        "Bands are described without RX2.",
        rpcs=("Configuration/ListBands",),
        answer=with_document(_without_rx2),
    ),
    "band-version-ignored": Deviation(
        "phy_version is overlooked.",
        rpcs=("Configuration/ListBands",),
        before=with_query(lambda query: ""),
    ),
    "phy-versions-of-all-bands": Deviation(
        "band_id is overlooked in the list of versions.",
        rpcs=("Configuration/GetPhyVersions",),
        before=with_query(lambda query: ""),
    ),
    "unknown-band-other-error": Deviation(
        "An unknown band is told with another error.",
        answer=renamed("pkg/band:band_not_found", "pkg/redis:not_found"),
    ),
    "plans-of-all-bands": Deviation(
        "band_id is overlooked in the list of plans.",
        rpcs=("Configuration/ListFrequencyPlans",),
        before=with_query(lambda query: re.sub(r"band_id=\w+", "", query)),
    ),
}
