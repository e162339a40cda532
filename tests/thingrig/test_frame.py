"""``thingrig frame decode``: readable, as JSON, one line for a mistake, and no key in full."""

from __future__ import annotations

import json

import pytest

from thingrig import cli

UPLINK = "4002c3d4528000000fae02735368a5ef4fcc"
OLD = [
    "--nwk-s-key",
    "26f623132a659924d9afccf1671cd6fb",
    "--app-s-key",
    "4477a56225a6d5edb0315021522a6708",
]
NEW = [
    "--f-nwk-s-int-key",
    "2df79c048a3ce10fde9bbb53f38c822a",
    "--s-nwk-s-int-key",
    "66e5ce396a0bc88705c7ac81dafdc7ae",
    "--nwk-s-enc-key",
    "a8e105a24bc52a5e4eaaa27014660cd8",
    "--app-s-key",
    "ed3bc36591434d8a5437860bb831ee38",
]
KEY = "404142434445464748494a4b4c4d4e4f"
JOIN = [
    "--app-key",
    KEY,
    "--nwk-key",
    "101112131415161718191a1b1c1d1e1f",
    "--join-eui",
    "FF-FF-FF-BB-00-00-00-00",
    "--dev-eui",
    "ffffffaadeadbeef",
    "--dev-nonce",
    "3",
]


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert cli.exit_code(["frame", "decode", *arguments]) == 0
    return capsys.readouterr().out


def test_a_data_frame_is_told_line_by_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert [line.split(maxsplit=1) for line in told(capsys, UPLINK, *OLD).splitlines()] == [
        ["bytes", UPLINK],
        ["type", "UNCONFIRMED_UP"],
        ["DevAddr", "52d4c302"],
        ["FCtrl", "adr"],
        ["FCnt", "0"],
        ["FPort", "15"],
        ["FRMPayload", "ae02735368"],
        ["decrypted", "68656c6c6f  'hello'"],
        ["MIC", "a5ef4fcc  good"],
    ]


def test_json_has_everything(capsys: pytest.CaptureFixture[str]) -> None:
    uplink = "4002c3d4528201001696012a4720918233"
    found = json.loads(told(capsys, uplink, *NEW, "--tx-dr", "5", "--tx-ch", "2", "--json"))
    assert found["mic_status"] == "good"
    assert found["decrypted_payload"] == "6869"
    assert found["mac_commands"][0]["name"] == "RekeyInd"


def test_options_reach_what_they_are_for(capsys: pytest.CaptureFixture[str]) -> None:
    acknowledgement = "6002c3d45222000086d7eda6760d"
    assert "eda6760d  unknown" in told(capsys, acknowledgement, *NEW)
    assert "eda6760d  good" in told(capsys, acknowledgement, *NEW, "--conf-f-cnt", "1")
    assert "a5ef4fcc  bad" in told(capsys, UPLINK, *OLD, "--f-cnt", "65536")
    assert "RekeyConf minor_version=1" in told(capsys, acknowledgement, *NEW)


def test_a_join_is_told_with_the_ends_of_its_keys(capsys: pytest.CaptureFixture[str]) -> None:
    accept = told(capsys, "20295ab63dc5d1a85a2289386fb8c4dd90", *JOIN)
    assert "fb821ba0  good" in accept
    assert "app_s_key=…ee38" in accept
    assert "ed3bc36591434d8a" not in accept
    request = told(capsys, "0000000000bbffffffefbeaddeaaffffff0300d7058971", *JOIN)
    assert "d7058971  good" in request
    assert "JoinEUI             ffffffbb00000000" in request


def test_hex_may_be_written_in_pieces(capsys: pytest.CaptureFixture[str]) -> None:
    whole = told(capsys, UPLINK)
    assert told(capsys, "40 02 c3 d4", "528000000fae02735368A5EF4FCC") == whole
    assert told(capsys, f"0x{UPLINK}") == whole


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["4002zz"], "HEX: expected hex digits; got 'z' at 4"),
        (["400"], "HEX: expected two digits for each byte; got 3 digits"),
        (["40"], "byte 1: expected a data frame of at least 12 bytes; got 1"),
        ([""], "byte 0: expected a frame; got no bytes"),
        ([UPLINK[:-2], "--f-cnt", "1"], "expected a full counter of the frame's 0, such as 65536"),
        ([UPLINK, "--app-key", KEY[:-1]], "'--app-key': expected a key of 32 hex digits; got 31"),
        ([UPLINK, "--dev-eui", KEY], "'--dev-eui': expected an EUI of 16 hex digits; got 32"),
        ([UPLINK, "--f-cnt", KEY], "'--f-cnt': expected a whole number from 0 to 4294967295"),
        ([UPLINK, "--tx-dr", "-1"], "'--tx-dr': expected a whole number from 0 to 255"),
        ([UPLINK, "--tx-dr", "1"], "--tx-dr: expected --tx-ch beside it"),
        ([UPLINK, *NEW[2:]], "--s-nwk-s-int-key: expected --f-nwk-s-int-key beside it"),
        ([UPLINK, *NEW, *OLD], "expected --nwk-s-key of 1.0.x or three keys of 1.1; got both"),
        ([UPLINK, "--app-kye", KEY], "got '--app-kye'; did you mean '--app-key'?"),
        ([], "missing argument 'HEX'"),
    ],
)
def test_a_mistake_is_one_line_without_a_key(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = cli.exit_code(["frame", "decode", *arguments])
    seen = capsys.readouterr()
    assert KEY[:-4] not in seen.err
    assert code == 2
    assert (seen.out, seen.err.count("\n")) == ("", 1)
    assert message in seen.err


def test_an_unknown_subcommand_is_answered_with_the_nearest(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.exit_code(["frame", "deocde"]) == 2
    assert "Did you mean 'decode'?" in capsys.readouterr().err
