"""The plugin on small test files: how every way to end becomes a verdict and an exit code."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

MARK = "@pytest.mark.requirement('DEMO-00{}')\n"
MUST, SHOULD, INFO = (MARK.format(number) for number in (1, 2, 3))
PASSING = (
    MUST
    + "def test_must(api, requirement):\n    requirement.check(api.ping().status, expected=401)\n"
)


@pytest.fixture
def judged(
    judge_by: Callable[..., Any], fake: Callable[..., Any], write_target: Callable[..., Path]
) -> Callable[..., Any]:
    """Judges a target that keeps every promise unless a behaviour is given."""

    def judge(source: str, *options: str, **target: Any) -> Any:
        behaviour = target.pop("behaviour", None)
        server = fake(behaviour) if behaviour else fake()
        return judge_by(source, "--target", str(write_target(server.url, **target)), *options)

    return judge


def test_a_kept_promise_is_certified(judged: Callable[..., Any]) -> None:
    ran = judged(PASSING)
    assert (ran.code, ran.tests) == (0, {"test_must": "pass"})
    assert ran.footer["verdict"] == "certified"
    assert "certified" in ran.words


def test_a_broken_must_is_exit_code_1(judged: Callable[..., Any]) -> None:
    ran = judged(PASSING.replace("401", "200"))
    [line] = [line for line in ran.results if line["type"] == "test"]
    assert ran.code == 1
    assert (line["verdict"], line["expected"], line["actual"]) == ("fail", 200, 401)
    assert line["evidence"]["exchanges"][-1]["response"]["status"] == 401
    assert line["evidence"]["curl"][-1].endswith("/v2/")
    assert ran.footer["verdict"] == "not certified"
    assert ran.footer["reason"] == "failed: DEMO-001"


def test_a_broken_should_and_info_change_nothing(judged: Callable[..., Any]) -> None:
    ran = judged(
        PASSING
        + SHOULD + "def test_should(requirement):\n    requirement.check(1, expected=2)\n"
        + INFO + "def test_info(requirement):\n    requirement.check(1, expected=2)\n"
    )  # fmt: skip
    assert ran.tests == {"test_must": "pass", "test_should": "fail", "test_info": "pass"}
    assert (ran.code, ran.footer["counts"]["should"]["fail"]) == (0, 1)


ENDINGS = {
    "no check": ("pass", "error", 3),
    "plain assert": ("assert False", "error", 3),
    "our mistake": ("undefined_name", "error", 3),
    "not arranged": ("thing.given([{'key': 'bad', 'value': 1}])", "inconclusive", 3),
    "no good answer": ("api.ping().ok_json()", "inconclusive", 3),
    "skipped": ("pytest.skip('later')", "not run", 3),
    "check after check": (
        "requirement.check(1, expected=1); requirement.check(1, expected=2)", "fail", 1,
    ),
}  # fmt: skip


@pytest.mark.parametrize("ending", ENDINGS, ids=lambda name: name.replace(" ", "-"))
def test_every_ending_is_a_verdict(judged: Callable[..., Any], ending: str) -> None:
    body, verdict, code = ENDINGS[ending]

    def refuses_writes(method: str, path: str, data: bytes) -> tuple[int, str, bytes]:
        if method == "POST" and b"bad" in data:
            return 400, "application/json", b'{"status":"error","message":"no"}'
        answer = {"status": "created", "thingToken": "N" * 43, "thingId": "I" * 43}
        status = 201 if method == "POST" else 401
        return status, "application/json", json.dumps(answer).encode()

    source = f"{MUST}def test_it(api, thing, requirement):\n    {body}\n"
    ran = judged(source, behaviour=refuses_writes)
    assert (ran.tests, ran.code) == ({"test_it": verdict}, code)


def test_a_teardown_that_breaks_is_our_error_but_hides_no_fail(judged: Callable[..., Any]) -> None:
    ran = judged(
        "@pytest.fixture\ndef broken():\n    yield\n    1 / 0\n"
        + MUST + "def test_a(broken, requirement):\n    requirement.check(1, expected=1)\n"
        + MUST + "def test_b(broken, requirement):\n    requirement.check(1, expected=2)\n"
    )  # fmt: skip
    assert ran.tests == {"test_a": "error", "test_b": "fail"}
    assert ran.code == 1


def test_a_file_that_cannot_be_collected_certifies_nothing(judged: Callable[..., Any]) -> None:
    ran = judged("import no_such_module\n", "--continue-on-collection-errors")
    assert ran.code == 3
    assert ran.footer["verdict"] == "inconclusive"


def test_no_test_at_all_certifies_nothing(judged: Callable[..., Any]) -> None:
    ran = judged("")
    assert (ran.code, ran.footer["executed"]) == (3, 0)
    assert ran.footer["reason"] == "not run: DEMO-001"


def test_a_declared_lack_is_not_applicable_and_a_missing_key_is_not_run(
    judged: Callable[..., Any], tmp_path: Path
) -> None:
    source = (
        PASSING + SHOULD + "def test_should(requirement):\n    requirement.check(1, expected=1)\n"
    )
    first = judged(source)
    assert first.tests["test_should"] == "pass"
    catalogue = tmp_path / "suite" / "catalogue"
    text = (catalogue / "demo.toml").read_text()
    changed = text.replace('polite."\n', 'polite."\nneeds = ["firmware"]\n')
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "demo.toml").write_text(changed)
    options = ("--catalogue", str(tmp_path / "other"))
    assert judged(source, *options).tests["test_should"] == "not run"
    lacking = judged(source, *options, top='lacks = ["firmware"]')
    assert lacking.tests["test_should"] == "not applicable"
    assert lacking.footer["counts"]["not applicable"] == 1


def test_only_is_partial_and_the_exit_code_speaks_for_the_chosen(
    judged: Callable[..., Any],
) -> None:
    source = (
        PASSING + SHOULD + "def test_should(requirement):\n    requirement.check(1, expected=1)\n"
    )
    ran = judged(source, "--only", "DEMO-001")
    assert (ran.code, ran.tests) == (0, {"test_must": "pass"})
    assert ran.results[0]["scope"] == "partial"
    assert ran.footer["verdict"] == "inconclusive"


def test_selecting_by_name_is_partial(judged: Callable[..., Any]) -> None:
    ran = judged(PASSING, "-k", "must")
    assert (ran.code, ran.results[0]["scope"]) == (0, "partial")
    assert ran.footer["verdict"] == "inconclusive"


WAIVER = '[[waiver]]\nrequirement = "{}"\nreason = "known"\nowner = "me"\nexpires = {}\n'


@pytest.mark.parametrize(
    ("requirement", "expires", "is_broken", "code", "verdict"),
    [
        pytest.param("DEMO-001", "2999-01-01", True, 0, "certified", id="used"),
        pytest.param("DEMO-001", "2020-01-01", True, 1, "not certified", id="expired"),
        pytest.param("DEMO-001", "2999-01-01", False, 1, "not certified", id="unused"),
        pytest.param("DEMO-002", "2999-01-01", False, 0, "certified", id="not-executed"),
    ],
)
def test_waivers_stand_beside_a_fail(
    judged: Callable[..., Any], tmp_path: Path, requirement: str, expires: str, is_broken: bool,
    code: int, verdict: str,
) -> None:  # fmt: skip
    waivers = tmp_path / "waivers.toml"
    waivers.write_text(WAIVER.format(requirement, expires))
    source = PASSING.replace("401", "200") if is_broken else PASSING
    ran = judged(source, "--waivers", str(waivers))
    assert (ran.code, ran.footer["verdict"]) == (code, verdict)
    counts = ran.footer["counts"]
    assert (counts["fail"], counts["waived"]) == (int(is_broken), int(code == 0 and is_broken))


def test_a_waived_fail_is_told_in_a_partial_scope_too(
    judged: Callable[..., Any], tmp_path: Path
) -> None:
    waivers = tmp_path / "waivers.toml"
    waivers.write_text(WAIVER.format("DEMO-001", "2999-01-01"))
    broken = PASSING.replace("401", "200")
    ran = judged(broken, "--waivers", str(waivers), "--only", "DEMO-001")
    assert (ran.code, ran.footer["verdict"]) == (0, "inconclusive")
    assert ran.footer["reason"] == "partial scope (only DEMO-001): certified, 1 waived"


def test_an_unknown_id_in_the_waivers_is_wrong_usage(
    judged: Callable[..., Any], tmp_path: Path
) -> None:
    waivers = tmp_path / "waivers.toml"
    waivers.write_text(WAIVER.format("DEMO-01", "2999-01-01"))
    ran = judged(PASSING, "--waivers", str(waivers))
    assert ran.code == 2
    assert "waivers.toml:2: expected the id of a requirement; got 'DEMO-01'" in ran.words
    assert not (ran.out / "results.jsonl").exists()


@pytest.mark.parametrize("status", [429, 403])
def test_a_limit_stops_the_run(judged: Callable[..., Any], status: int) -> None:
    def limited(method: str, path: str, data: bytes) -> tuple[int, str, bytes]:
        if "resources" in path:
            return status, "application/json", b'{"status":"error","message":"rate limit exceeded"}'
        return 401, "application/json", b'{"status":"error","message":"no"}'

    ran = judged(
        MUST + "def test_a(api, requirement):\n    api.resources('x')\n"
        + PASSING.replace("001", "002").replace("must", "b"),
        behaviour=limited,
    )  # fmt: skip
    assert ran.tests == {"test_a": "inconclusive", "test_b": "not run"}
    assert (ran.code, ran.footer["verdict"]) == (3, "inconclusive")
    assert ran.footer["reason"].startswith("blocked: the target limits our requests")


def test_reading_is_all_that_a_reader_does(judged: Callable[..., Any]) -> None:
    ran = judged(
        PASSING + SHOULD + "def test_write(api, requirement):\n    api.write('x', [])\n",
        more='[limits]\nallow = ["read"]',
    )
    assert ran.tests == {"test_must": "pass", "test_write": "not run"}
    assert ran.code == 0


def test_the_rate_is_kept(judged: Callable[..., Any]) -> None:
    ran = judged(
        MUST + "def test_rate(api, requirement):\n"
        "    started = time.monotonic()\n"
        "    for _ in range(5): api.ping()\n"
        "    took = time.monotonic() - started\n"
        "    requirement.check_that(took >= 0.75, expected='slow', actual=took)\n",
        more="[limits]\nmax_requests_per_s = 5",
    )
    assert (ran.code, ran.tests) == (0, {"test_rate": "pass"})


def test_a_process_that_dies_is_our_error(judged: Callable[..., Any]) -> None:
    ran = judged(
        MUST + "def test_dies(requirement):\n    os._exit(7)\n"
        + SHOULD + "def test_lives(requirement):\n    requirement.check(1, expected=1)\n",
        "-p", "xdist.plugin", "-n", "2",
    )  # fmt: skip
    assert ran.tests == {"test_dies": "error", "test_lives": "pass"}
    assert ran.code == 3


def test_workers_change_no_verdict_and_share_codes(judged: Callable[..., Any]) -> None:
    source = "".join(
        MUST + f"def test_{number}(own_thing, requirement):\n"
        "    requirement.check(own_thing.write([{'key': 'a', 'value': 1}]).status, expected=201)\n"
        for number in range(6)
    )  # fmt: skip
    alone = judged(source)
    both = judged(source, "-p", "xdist.plugin", "-n", "2")
    assert alone.tests == both.tests == {f"test_{number}": "pass" for number in range(6)}
    assert alone.code == both.code == 0
    ledger = [json.loads(line) for line in (both.out / "ledger.jsonl").read_text().splitlines()]
    things = [line["what"] for line in ledger if line.get("kind") == "thing"]
    assert 1 <= len(set(things)) == len(things) <= 3


def test_an_unknown_mark_is_our_error(judged: Callable[..., Any]) -> None:
    ran = judged(MUST.replace("001", "999") + "def test_x(requirement):\n    pass\n")
    assert ran.tests == {"test_x": "error"}
    assert ran.code == 3


def test_the_plugin_leaves_other_tests_alone(
    tmp_path: Path, run_python: Callable[..., Any]
) -> None:
    """Without conformance tests there is no option to obey, no fixture, no output folder."""
    (tmp_path / "test_other.py").write_text(
        "import pytest\n"
        "def test_fixtures(request):\n"
        "    with pytest.raises(pytest.FixtureLookupError):\n"
        "        request.getfixturevalue('thing')\n"
        "    assert not request.config.pluginmanager.has_plugin('conformance-session')\n"
    )
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    command = ["-P", "-m", "pytest", "-p", "conformance.plugin", "-q", "test_other.py"]
    ran = run_python(command, tmp_path, tmp_path / "out")
    assert ran.code == 0, ran.words
    assert not ran.out.exists()
