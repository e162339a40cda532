"""Identifiers and versions as people and protocols write them."""

from __future__ import annotations

import pytest

from simulators.lorawan.errors import LoRaWanError
from simulators.lorawan.identifiers import (
    address_block,
    from_air,
    parse_dev_addr,
    parse_eui,
    parse_key,
    parse_net_id,
    to_air,
)
from simulators.lorawan.versions import MacVersion


@pytest.mark.parametrize(
    "text", ["ffffffaadeadbeef", "FF-FF-FF-AA-DE-AD-BE-EF", "ff:ff:ff:aa:de:ad:be:ef"]
)
def test_an_eui_is_read_with_and_without_separators(text: str) -> None:
    assert parse_eui(text) == "ffffffaadeadbeef"


def test_identifiers_are_reversed_on_air() -> None:
    assert to_air("ffffffaadeadbeef") == bytes.fromhex("efbeaddeaaffffff")
    assert from_air(bytes.fromhex("02c3d452")) == "52d4c302"


def test_addresses_net_ids_and_keys_are_read() -> None:
    assert parse_dev_addr("52D4C302") == "52d4c302"
    assert parse_net_id("000013") == "000013"
    assert parse_key("00" * 15 + "Ff") == bytes(15) + b"\xff"


@pytest.mark.parametrize(
    ("parse", "text", "message"),
    [
        (parse_eui, "ffffffaadeadbee", "expected an EUI of 16 hex digits; got 'ffffffaadeadbee'"),
        (parse_dev_addr, "xyz", "expected a device address of 8 hex digits; got 'xyz'"),
        (parse_net_id, "٠٠٠٠١٣", "expected a NetID of 6 hex digits; got '٠٠٠٠١٣'"),
        (parse_key, "00ff", "expected a key of 32 hex digits; got 4 characters"),
        (
            parse_key,
            "404142434445464748494a4b4c4d4e4",
            "expected a key of 32 hex digits; got 31 characters ending in 'd4e4'",
        ),
    ],
)
def test_what_is_no_identifier_is_refused(parse, text: str, message: str) -> None:
    with pytest.raises(LoRaWanError) as refused:
        parse(text)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("net_id", "block"),
    [
        ("000013", "26000000/7"),
        ("000000", "00000000/7"),
        ("000001", "02000000/7"),
        ("20003f", "bf000000/8"),
        ("400001", "c0100000/12"),
        ("6007ff", "effe0000/15"),
        ("600001", "e0020000/15"),
        ("800001", "f0008000/17"),
        ("a00001", "f8002000/19"),
        ("c00001", "fc000400/22"),
        ("e1ffff", "feffff80/25"),
    ],
)
def test_addresses_of_a_network_follow_from_its_net_id(net_id: str, block: str) -> None:
    assert str(address_block(net_id)) == block


def test_a_block_of_addresses_knows_its_members() -> None:
    block = address_block("000013")
    assert block.dev_addr(0x1020304) == "27020304"
    assert "27ffffff" in block
    assert "28000000" not in block
    with pytest.raises(LoRaWanError):
        block.dev_addr(1 << 25)


def test_versions_are_ordered_and_read_by_their_names() -> None:
    names = ["1.0.0", "1.0.1", "1.0.2", "1.0.3", "1.0.4", "1.1"]
    versions = [MacVersion.parse(name) for name in names]
    assert versions == sorted(versions)
    assert [str(version) for version in versions] == names
    assert MacVersion.parse("1.1.0") is MacVersion.V1_1
    with pytest.raises(LoRaWanError, match=r"expected one of 1\.0\.0, .*; got '1\.2'"):
        MacVersion.parse("1.2")
