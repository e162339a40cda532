"""What a deployment keeps of how webhooks fare."""

from __future__ import annotations

import pytest

from simulators.platforms.effects import Post
from tests.simulators.platforms.things_stack.traffic import Traffic, add_device, encrypted

HOOK = "/as/webhooks/app1/hook1"
SEEN = f"{HOOK}?field_mask=health_status"
BOTH = {"unhealthy_attempts_threshold": 3, "unhealthy_retry_interval_s": 60}


class Hook:
    """A webhook that is called for uplinks, and whoever answers there."""

    def __init__(self, bench):
        self.bench = bench
        bench.application()
        add_device(bench)
        self.traffic = Traffic(bench)
        bench.listen({"identifiers": [{"application_ids": {"application_id": "app1"}}]})
        self.write(base_url="https://example.com", format="json", uplink_message={})
        self.f_cnt = 0

    def write(self, **fields):
        body = {"webhook": fields, "field_mask": {"paths": list(fields)}}
        return self.bench.made(HOOK, body, method="PUT")

    def uplink(self):
        """Whether the webhook is called for another uplink."""
        self.f_cnt += 1
        self.traffic.uplink(encrypted(b"\x01", self.f_cnt), self.f_cnt)
        outbox = self.bench.core.stack.outbox
        posts = [each for each in outbox if isinstance(each, Post)]
        outbox[:] = [each for each in outbox if not isinstance(each, Post)]
        self.last = posts[0].number if posts else None
        return bool(posts)

    def answers(self, *statuses):
        """Answer as many uplinks."""
        for status in statuses:
            assert self.uplink()
            self.bench.core.stack.application.posted(self.last, status, "", self.bench.now_us)

    def health(self):
        return self.bench.made(SEEN, None, method="GET").get("health_status")

    def failures(self):
        return self.health()["unhealthy"]["failed_attempts"]


@pytest.fixture
def hook(with_policy):
    return Hook(with_policy(**BOTH))


def test_health_is_not_kept_unless_a_deployment_says_so(bench):
    hook = Hook(bench)
    hook.answers(200, 500, 500, 500, 500)
    assert hook.health() is None
    assert hook.uplink()


def test_webhook_is_healthy_once_it_has_taken_a_message(hook):
    assert hook.health() is None
    hook.answers(204)
    assert hook.health() == {"healthy": {}}


def test_failures_are_counted_and_the_last_is_kept(hook):
    hook.answers(200, 404)
    hook.bench.wait(1)
    hook.answers(503)
    unhealthy = hook.health()["unhealthy"]
    details = unhealthy.pop("last_failed_attempt_details")
    assert unhealthy == {
        "failed_attempts": "2",
        "last_failed_attempt_at": "2024-01-31T12:00:01Z",
    }
    assert (details["namespace"], details["name"]) == (
        "pkg/applicationserver/io/web/sink", "request",
    )  # fmt: skip
    assert details["code"] == 14
    assert details["attributes"] == {
        "webhook_id": "hook1", "url": "https://example.com", "status_code": 503,
    }  # fmt: skip


def test_members_of_the_health_can_be_asked_for(hook):
    hook.answers(500)
    path = "health_status.status.unhealthy.failed_attempts"
    shown = hook.bench.made(f"{HOOK}?field_mask={path}", None, method="GET")
    assert shown["health_status"] == {"unhealthy": {"failed_attempts": "1"}}
    listed = hook.bench.made(f"/as/webhooks/app1?field_mask={path}", None, method="GET")
    assert listed["webhooks"][0]["health_status"] == {"unhealthy": {"failed_attempts": "1"}}
    assert "health_status" not in hook.bench.made(HOOK, None, method="GET")


def test_success_makes_a_webhook_healthy_again(hook):
    hook.answers(500, 500, 200)
    assert hook.health() == {"healthy": {}}
    hook.answers(500)
    assert hook.failures() == "1"


def test_no_answer_is_a_failure(hook):
    hook.answers(None)
    assert hook.failures() == "1"


def test_webhook_that_keeps_failing_is_left_alone_for_a_while(hook):
    hook.answers(500, 500, 500)
    hook.traffic.events()
    assert not hook.uplink()
    (event,) = [each for each in hook.traffic.events() if each["name"] == "as.webhook.fail"]
    assert event["data"]["name"] == "webhook_disabled"
    assert hook.failures() == "3"
    hook.bench.wait(61)
    hook.answers(500)
    assert hook.failures() == "4"
    assert not hook.uplink()
    hook.bench.wait(61)
    hook.answers(200)
    assert hook.health() == {"healthy": {}}


def test_deployment_that_only_watches_leaves_nobody_alone(with_policy):
    hook = Hook(with_policy(unhealthy_retry_interval_s=60))
    hook.answers(500, 500, 500)
    assert hook.failures() == "1"  # one in an interval counts
    hook.bench.wait(61)
    hook.answers(500)
    assert hook.failures() == "2"


def test_health_survives_a_change_and_can_be_set(hook):
    hook.answers(500, 500, 500)
    hook.write(base_url="https://other.example.com")
    assert hook.failures() == "3"
    hook.write(health_status={"healthy": {}})
    hook.answers(200)


def test_webhook_that_is_gone_when_it_fails_stays_gone(hook):
    assert hook.uplink()
    hook.bench.delete(HOOK)
    hook.bench.core.stack.application.posted(hook.last, 500, "", hook.bench.now_us)
    assert hook.bench.get(HOOK)[0] == 404


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        ({}, {"unhealthy_retry_interval": "0s"}),
        (BOTH, {"unhealthy_retry_interval": "60s", "unhealthy_attempts_threshold": "3"}),
    ],
)
def test_configuration_tells_whether_health_is_kept(with_policy, policy, told):
    document = with_policy(**policy).made("/as/configuration", None, method="GET")
    assert document["configuration"]["webhooks"] == told
