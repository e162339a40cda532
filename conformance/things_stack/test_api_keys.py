"""API keys and rights."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

import pytest

from conformance.clients.exchange import Response
from conformance.judge import Judge
from conformance.stack_fixtures import Stack
from conformance.things_stack.answers import attribute, fields, instant, part, told

INFO = "RIGHT_APPLICATION_INFO"
READ = "RIGHT_APPLICATION_DEVICES_READ"
INSUFFICIENT = [403, "pkg/auth/rights:insufficient_application_rights"]


@pytest.fixture(scope="module")
def path(stack: Stack) -> str:
    """An application whose keys are tested."""
    return f"/applications/{stack.new_application()}"


@pytest.fixture(scope="module")
def created(stack: Stack, path: str) -> Response:
    """The answer to a new key with two rights."""
    return stack.api.post(f"{path}/api-keys", {"name": "ci", "rights": [INFO, READ]})


@pytest.fixture(scope="module")
def key(stack: Stack, created: Response) -> str:
    """That key."""
    return str(stack.given(created)["key"])


@pytest.mark.requirement("TTS-KEY-001")
def test_new_key_is_told_once(created: Response, requirement: Judge) -> None:
    requirement.check(created.status, expected=200)
    expected = {"name": "ci", "rights": [INFO, READ]}
    requirement.check({each: part(created.json, each) for each in expected}, expected=expected)
    parts = str(part(created.json, "key")).split(".")
    is_key = len(parts) == 3 and parts[0] == "NNSXS" and parts[1] == part(created.json, "id")
    requirement.check_that(is_key, expected="NNSXS, the id and a secret", actual=created)


@pytest.mark.requirement("TTS-KEY-002")
def test_list_tells_no_secret(
    stack: Stack, path: str, created: Response, requirement: Judge
) -> None:
    stack.given(created)

    answer = stack.api.get(f"{path}/api-keys")

    listed = part(answer.json, "api_keys") or []
    ids = [part(each, "id") for each in listed]
    requirement.check(part(created.json, "id") in ids, expected=True)
    requirement.check([each for each in listed if "key" in each], expected=[])


@pytest.mark.requirement("TTS-KEY-003")
def test_key_has_its_rights(stack: Stack, path: str, key: str, requirement: Judge) -> None:
    answer = stack.api.get(f"{path}/rights", key=key)

    rights = part(answer.json, "rights")
    requirement.check(sorted(rights or ()), expected=[READ, INFO])


@pytest.mark.requirement("TTS-KEY-004")
def test_missing_right_is_named(stack: Stack, path: str, key: str, requirement: Judge) -> None:
    document = {"application": {"name": "x"}, "field_mask": {"paths": ["name"]}}

    answer = stack.api.put(path, document, key=key)

    requirement.check(told(answer), expected=INSUFFICIENT)
    missing = attribute(answer, "missing")
    requirement.check(missing, expected=["RIGHT_APPLICATION_SETTINGS_BASIC"])


@pytest.mark.requirement("TTS-KEY-005")
@pytest.mark.parametrize("exists", [True, False], ids=["existing", "unknown"])
def test_key_is_for_its_own_application(
    stack: Stack, application: str, key: str, exists: bool, requirement: Judge
) -> None:
    other = application if exists else stack.new_id()

    answer = stack.api.get(f"/applications/{other}/devices", key=key)

    requirement.check_in(answer.status, accepted=[403, 404])


@pytest.mark.requirement("TTS-KEY-006")
def test_right_that_one_has_not_cannot_be_given(
    stack: Stack, path: str, requirement: Judge
) -> None:
    document = {"name": "x", "rights": ["RIGHT_GATEWAY_INFO"]}

    answer = stack.api.post(f"{path}/api-keys", document)

    requirement.check(told(answer), expected=INSUFFICIENT)


@pytest.mark.requirement("TTS-KEY-007")
@pytest.mark.parametrize(
    ("field", "value"),
    [
        pytest.param("rights", [], id="no-right"),
        pytest.param("rights", [INFO, INFO], id="twice"),
        pytest.param("name", "n" * 51, id="long-name"),
        pytest.param("expires_at", "2020-01-01T00:00:00Z", id="past"),
    ],
)
def test_values_have_limits(
    stack: Stack, path: str, field: str, value: Any, requirement: Judge
) -> None:
    document = {"name": "x", "rights": [INFO], field: value}

    answer = stack.api.post(f"{path}/api-keys", document)

    requirement.check(told(answer), expected=[400, "pkg/errors:validation"])
    found = [str(each).partition("[")[0] for each in fields(answer)[:1]]
    requirement.check(found, expected=[field])


@pytest.mark.requirement("TTS-KEY-008")
def test_key_without_rights_is_deleted(stack: Stack, path: str, requirement: Judge) -> None:
    name = stack.new_key(path, INFO).split(".")[1]
    document = {"api_key": {"rights": []}, "field_mask": {"paths": ["rights"]}}

    answer = stack.api.put(f"{path}/api-keys/{name}", document)

    requirement.check([answer.status, answer.json], expected=[200, {}])
    after = stack.api.get(f"{path}/api-keys/{name}")
    requirement.check(after.status, expected=404)


@pytest.mark.requirement("TTS-KEY-009")
def test_deleted_key_is_refused(stack: Stack, path: str, requirement: Judge) -> None:
    key = stack.new_key(path, INFO)

    answer = stack.api.delete(f"{path}/api-keys/{key.split('.')[1]}")

    requirement.check([answer.status, answer.json], expected=[200, {}])
    requirement.check(stack.api.get("/auth_info", key=key).status, expected=401)


@pytest.mark.requirement("TTS-KEY-010")
def test_key_past_its_end_is_refused(stack: Stack, path: str, requirement: Judge) -> None:
    document: dict[str, Any] = {"name": "short", "rights": [INFO]}
    now = stack.given(stack.api.post(f"{path}/api-keys", document))["created_at"]
    end = datetime.fromisoformat(now) + timedelta(seconds=2)  # by the target's clock, not by ours
    document["expires_at"] = f"{end:%Y-%m-%dT%H:%M:%S.%fZ}"
    key = stack.given(stack.api.post(f"{path}/api-keys", document))["key"]

    answer = stack.api.get("/auth_info", key=key)
    deadline = time.monotonic() + 12.0
    while answer.status == 200 and time.monotonic() < deadline:
        time.sleep(0.3)
        answer = stack.api.get("/auth_info", key=key)

    requirement.check(told(answer), expected=[401, "pkg/identityserver:api_key_expired"])


@pytest.mark.requirement("TTS-KEY-020")
def test_end_is_kept_to_the_millisecond(stack: Stack, path: str, requirement: Judge) -> None:
    end = (datetime.now(UTC) + timedelta(hours=6)).replace(microsecond=987_654)
    document = {"name": "ends", "rights": [INFO], "expires_at": end.isoformat()}

    created = stack.given(stack.api.post(f"{path}/api-keys", document))

    read = stack.given(stack.api.get(f"{path}/api-keys/{part(created, 'id')}"))
    for each in (created, read):
        told_end = instant(each, "expires_at")
        is_kept = told_end is not None and abs(told_end - end) <= timedelta(milliseconds=1)
        requirement.check_that(is_kept, expected=f"{end}, to a millisecond", actual=told_end)


@pytest.mark.requirement("TTS-KEY-011")
def test_unknown_key_is_not_found(stack: Stack, path: str, requirement: Judge) -> None:
    answer = stack.api.get(f"{path}/api-keys/{'A' * 39}")

    requirement.check(told(answer), expected=[404, "pkg/identityserver/store:api_key_not_found"])


class Owner(NamedTuple):
    """Whose keys are tested: the path of the entity, its ids, and a right on it."""

    path: str
    ids: dict[str, Any]
    right: str


@pytest.fixture(scope="module")
def owners(stack: Stack) -> Callable[[str], Owner]:
    """An entity of each kind; users and organizations are those of the target file."""

    def owner(kind: str) -> Owner:
        names = {"user": stack.user_id, "organization": stack.organization_id}
        name = names.get(kind) or stack.new_gateway()
        right = "RIGHT_GATEWAY_LINK" if kind == "gateway" else f"RIGHT_{kind.upper()}_INFO"
        return Owner(f"/{kind}s/{name}", {f"{kind}_ids": {f"{kind}_id": name}}, right)

    return cache(owner)


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param("gateway", marks=pytest.mark.requirement("TTS-KEY-012")),
        pytest.param("organization", marks=pytest.mark.requirement("TTS-KEY-013")),
        pytest.param("user", marks=pytest.mark.requirement("TTS-KEY-014")),
    ],
)
def test_other_entities_have_keys_too(
    stack: Stack, owners: Callable[[str], Owner], kind: str, requirement: Judge
) -> None:
    owner = owners(kind)
    document = {"name": stack.new_id(), "rights": [owner.right]}

    created = stack.permitted(stack.api.post(f"{owner.path}/api-keys", document))

    requirement.check([created.status, part(created.json, "rights")], expected=[200, [owner.right]])
    one = f"{owner.path}/api-keys/{part(created.json, 'id')}"
    read = stack.api.get(one)
    requirement.check([read.status, part(read.json, "rights")], expected=[200, [owner.right]])
    requirement.check("key" in read.json, expected=False)
    key = str(part(created.json, "key"))
    info = stack.api.get("/auth_info", key=key)
    requirement.check(part(info.json, "api_key", "entity_ids"), expected=owner.ids)
    requirement.check(stack.api.delete(one).status, expected=200)
    requirement.check(stack.api.get("/auth_info", key=key).status, expected=401)


def update(
    stack: Stack, path: str, key: str, *, mask: list[str] | None = None, **fields: Any
) -> Response:
    """PUT of an API key; ``key`` is its id."""
    document: dict[str, Any] = {"api_key": fields}
    if mask is not None:
        document["field_mask"] = {"paths": mask}
    return stack.api.put(f"{path}/api-keys/{key}", document)


@pytest.mark.requirement("TTS-KEY-015")
@pytest.mark.parametrize(
    ("mask", "expected"),
    [
        pytest.param(["name"], ["new", [INFO, READ]], id="name"),
        pytest.param(None, ["new", [INFO]], id="no-mask"),
    ],
)
def test_update_changes_what_the_mask_names(
    stack: Stack, path: str, mask: list[str] | None, expected: list[Any], requirement: Judge
) -> None:
    name = stack.new_key(path, INFO, READ).split(".")[1]

    answer = update(stack, path, name, mask=mask, name="new", rights=[INFO])

    requirement.check(answer.status, expected=200)
    found = stack.api.get(f"{path}/api-keys/{name}")
    told_of = [part(found.json, "name"), sorted(part(found.json, "rights") or (), reverse=True)]
    requirement.check(told_of, expected=[expected[0], sorted(expected[1], reverse=True)])


@pytest.mark.requirement("TTS-KEY-030")
def test_key_gets_another_end(stack: Stack, path: str, requirement: Judge) -> None:
    name = stack.new_key(path, INFO).split(".")[1]
    end = (datetime.now(UTC) + timedelta(hours=2)).replace(microsecond=0)

    answer = update(stack, path, name, mask=["expires_at"], expires_at=end.isoformat())

    requirement.check(answer.status, expected=200)
    found = stack.api.get(f"{path}/api-keys/{name}")
    told_of = [instant(found.json, "expires_at"), part(found.json, "rights")]
    requirement.check(told_of, expected=[end, [INFO]])


@pytest.fixture(scope="module")
def clerk(stack: Stack, path: str) -> str:
    """A key that may see and change keys, and has one other right."""
    return stack.new_key(path, "RIGHT_APPLICATION_SETTINGS_API_KEYS", INFO)


@pytest.mark.requirement("TTS-KEY-016")
def test_key_gives_no_right_that_it_has_not(
    stack: Stack, path: str, clerk: str, requirement: Judge
) -> None:
    good = stack.api.post(f"{path}/api-keys", {"name": "x", "rights": [INFO]}, key=clerk)
    answer = stack.api.post(f"{path}/api-keys", {"name": "x", "rights": [INFO, READ]}, key=clerk)

    requirement.check(good.status, expected=200)
    requirement.check(
        [*told(answer), attribute(answer, "missing")], expected=[*INSUFFICIENT, [READ]]
    )


@pytest.mark.requirement("TTS-KEY-017")
def test_key_takes_no_right_that_it_has_not(
    stack: Stack, path: str, clerk: str, requirement: Judge
) -> None:
    name = stack.new_key(path, INFO, READ).split(".")[1]
    document = {"api_key": {"rights": [INFO]}, "field_mask": {"paths": ["rights"]}}

    answer = stack.api.put(f"{path}/api-keys/{name}", document, key=clerk)

    requirement.check(
        [*told(answer), attribute(answer, "missing")], expected=[*INSUFFICIENT, [READ]]
    )


@pytest.mark.requirement("TTS-KEY-018")
@pytest.mark.parametrize("is_anonymous", [True, False], ids=["no-token", "other-key"])
def test_rights_of_a_stranger_are_empty(
    stack: Stack, application: str, path: str, is_anonymous: bool, requirement: Judge
) -> None:
    key = None if is_anonymous else stack.new_key(f"/applications/{application}", INFO)

    answer = stack.api.get(f"{path}/rights", key=key)

    if is_anonymous and answer.status == 401:  # a split deployment asks who calls first
        return
    requirement.check([answer.status, answer.json], expected=[200, {}])


@pytest.mark.requirement("TTS-KEY-019")
def test_right_to_everything_is_told_right_by_right(
    stack: Stack, path: str, requirement: Judge
) -> None:
    key = stack.new_key(path, "RIGHT_APPLICATION_ALL")

    answer = stack.api.get(f"{path}/rights", key=key)

    rights = part(answer.json, "rights") or []
    wanted = {INFO, READ, "RIGHT_APPLICATION_TRAFFIC_READ", "RIGHT_APPLICATION_DELETE"}
    requirement.check(sorted(wanted - set(rights)), expected=[])
    strange = [each for each in rights if not each.startswith("RIGHT_APPLICATION_")]
    requirement.check(strange, expected=[])
