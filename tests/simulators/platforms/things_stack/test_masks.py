"""Field masks: what a call accepts, and what a path selects."""

from __future__ import annotations

import pytest

from simulators.platforms.things_stack.errors import StackError
from simulators.platforms.things_stack.masks import assign, mask_of, select
from simulators.platforms.things_stack.schema import message

DEVICE = message("EndDevice")
STORED = {
    "ids": {"device_id": "dev1", "application_ids": {"application_id": "app1"}},
    "name": "Meter",
    "mac_settings": {"adr": {"static": {"nb_trans": 2}}, "resets_f_cnt": False},
}


def test_forbidden_paths_are_told_in_the_order_of_the_request():
    with pytest.raises(StackError) as error:
        mask_of("EndDeviceRegistry/Get").check(["formatters", "name", "frequency_plan_id"])
    assert error.value.attributes == {"forbidden_paths": ["formatters", "frequency_plan_id"]}
    assert error.value.name == "pkg/rpcmiddleware/validator:field_mask_paths"


@pytest.mark.parametrize(
    ("rpc", "path", "is_allowed"),
    [
        ("EndDeviceRegistry/Update", "ids.dev_eui", False),
        ("EndDeviceRegistry/Get", "ids.dev_eui", True),
        ("NsEndDeviceRegistry/Set", "ids.dev_addr", False),
        ("NsEndDeviceRegistry/Set", "session.dev_addr", True),
        ("AsEndDeviceRegistry/Set", "session", False),
        ("AsEndDeviceRegistry/Set", "session.keys.app_s_key.key", True),
        ("AsEndDeviceRegistry/Get", "pending_session", True),
        ("NsEndDeviceRegistry/Set", "mac_settings.adr.mode.static.nb_trans", True),
        ("NsEndDeviceRegistry/Set", "mac_settings.adr.static.nb_trans", False),
        ("JsEndDeviceRegistry/Set", "root_keys.app_key.key", True),
        ("JsEndDeviceRegistry/Set", "name", False),
        ("JsEndDeviceRegistry/Set", "", False),
    ],
)
def test_allowed_paths(rpc, path, is_allowed):
    mask = mask_of(rpc)
    if is_allowed:
        mask.check([path])
    else:
        with pytest.raises(StackError):
            mask.check([path])


def test_a_parent_leaves_no_room_for_fields_that_the_call_does_not_set():
    mask = mask_of("NsEndDeviceRegistry/Set")
    body = {"session": {"dev_addr": "2600ABCD", "last_a_f_cnt_down": 3}}
    mask.check_body(DEVICE, body, ["session.dev_addr"])
    with pytest.raises(StackError) as error:
        mask.check_body(DEVICE, body, ["session"])
    assert error.value.attributes == {"path": "session.last_a_f_cnt_down"}
    assert error.value.message == (
        "error:pkg/rpcmiddleware/validator:non_zero_path "
        "(path `session.last_a_f_cnt_down` is not zero)"
    )


@pytest.mark.parametrize(
    ("paths", "selected"),
    [
        ([], {}),
        (["name"], {"name": "Meter"}),
        (["description"], {}),
        (["ids.device_id"], {"ids": {"device_id": "dev1"}}),
        (["ids", "ids.device_id"], {"ids": STORED["ids"]}),
        (["ids.device_id", "ids"], {"ids": STORED["ids"]}),
        (["mac_settings.adr.mode.static"],
         {"mac_settings": {"adr": {"static": {"nb_trans": 2}}}}),
        (["mac_settings.adr.mode"], {"mac_settings": {"adr": {"static": {"nb_trans": 2}}}}),
        (["mac_settings.resets_f_cnt"], {"mac_settings": {"resets_f_cnt": False}}),
        (["nowhere.at.all"], {}),
    ],
)  # fmt: skip
def test_selected(paths, selected):
    assert select(DEVICE, STORED, paths) == selected


@pytest.mark.parametrize(
    ("source", "paths", "result"),
    [
        ({"name": "New"}, ["name"], {"name": "New", "description": "old"}),
        ({"name": "New"}, ["description"], {"name": "Old"}),
        ({"session": {"dev_addr": "2600ABCD"}}, ["session.dev_addr"],
         {"name": "Old", "description": "old", "session": {"dev_addr": "2600ABCD"}}),
        ({}, ["session.dev_addr"], {"name": "Old", "description": "old"}),
    ],
)  # fmt: skip
def test_assigned(source, paths, result):
    target = {"name": "Old", "description": "old"}
    assign(DEVICE, target, source, paths)
    assert target == result


def test_assigning_one_of_a_oneof_unsets_the_others():
    target = {"mac_settings": {"adr": {"dynamic": {}}}}
    source = {"mac_settings": {"adr": {"disabled": {}}}}
    assign(DEVICE, target, source, ["mac_settings.adr.mode"])
    assert target == {"mac_settings": {"adr": {"disabled": {}}}}
