"""
A device of 1.0.x and one of 1.1 with their frames, computed by independent implementations.

Both have the same AppKey, JoinEUI, DevEUI and DevAddr.
"""

from __future__ import annotations

from simulators.lorawan.keys import Attempt, RootKeys, SessionKeys

JOIN_EUI, DEV_EUI, DEV_ADDR = "ffffffbb00000000", "ffffffaadeadbeef", "52d4c302"
APP_KEY = bytes.fromhex("404142434445464748494a4b4c4d4e4f")
NWK_KEY = bytes.fromhex("101112131415161718191a1b1c1d1e1f")

ROOT_1_0 = RootKeys(APP_KEY)
ROOT_1_1 = RootKeys(APP_KEY, NWK_KEY)

ATTEMPT_1_0 = Attempt(JOIN_EUI, DEV_EUI, 2)
ATTEMPT_1_1 = Attempt(JOIN_EUI, DEV_EUI, 3)

SESSION_1_0 = SessionKeys.legacy(
    bytes.fromhex("26f623132a659924d9afccf1671cd6fb"),
    bytes.fromhex("4477a56225a6d5edb0315021522a6708"),
)
SESSION_1_1 = SessionKeys(
    bytes.fromhex("2df79c048a3ce10fde9bbb53f38c822a"),
    bytes.fromhex("66e5ce396a0bc88705c7ac81dafdc7ae"),
    bytes.fromhex("a8e105a24bc52a5e4eaaa27014660cd8"),
    bytes.fromhex("ed3bc36591434d8a5437860bb831ee38"),
)
JS_INT_KEY = bytes.fromhex("bb54e3071a17b226aa37fa90e53ca02d")
JS_ENC_KEY = bytes.fromhex("e2cb10dac64d9e98e6c2af30d40f9f43")

JOIN_REQUEST_1_0 = bytes.fromhex("0000000000bbffffffefbeaddeaaffffff02003122b6c0")
JOIN_REQUEST_1_1 = bytes.fromhex("0000000000bbffffffefbeaddeaaffffff0300d7058971")
JOIN_ACCEPT_1_0 = bytes.fromhex("206e2d4b19e9195240ea260881a8037f2a")
JOIN_ACCEPT_1_0_PLAIN = bytes.fromhex("2000000001000002c3d4520000cc322925")
JOIN_ACCEPT_1_1 = bytes.fromhex("20295ab63dc5d1a85a2289386fb8c4dd90")
JOIN_ACCEPT_1_1_PLAIN = bytes.fromhex("2001000001000002c3d4528305fb821ba0")
REJOIN_TYPE_0 = bytes.fromhex("c000010000efbeaddeaaffffff00009fd21c24")
REJOIN_TYPE_1 = bytes.fromhex("c00100000000bbffffffefbeaddeaaffffff0000bf3b7dc8")

UPLINK_1_0 = bytes.fromhex("4002c3d4528000000fae02735368a5ef4fcc")
DOWNLINK_1_0 = bytes.fromhex("6002c3d4520000000ff899fded6d0e20374949b4782e")
UPLINK_1_1 = bytes.fromhex("4002c3d4528201001696012a4720918233")
DOWNLINK_1_1_NETWORK = bytes.fromhex("6002c3d45222000086d7eda6760d")
DOWNLINK_1_1_APPLICATION = bytes.fromhex("6002c3d4520107002a0ad22c4eeca328")
