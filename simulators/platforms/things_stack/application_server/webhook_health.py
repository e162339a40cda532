"""
How webhooks fare: which answer, which fail, and which are left alone for a while.

Only deployments that say after how many failures, or for how long, keep count at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.platforms.things_stack.application_server.webhook_store import WebhookStore
from simulators.platforms.things_stack.times import time_text, unix_us

if TYPE_CHECKING:
    from simulators.platforms.things_stack.policy import Policy

Document = dict[str, Any]

_HEALTHY: Document = {"healthy": {}}


class WebhookHealth:
    """The member ``health_status`` of webhooks."""

    def __init__(self, policy: Policy, webhooks: WebhookStore) -> None:
        self._threshold = policy.unhealthy_attempts_threshold
        self._interval_us = policy.unhealthy_retry_interval_s * 1_000_000
        self._webhooks = webhooks
        self.is_kept = self._threshold > 0 or self._interval_us > 0

    def is_muted(self, webhook: Document, now_us: int) -> bool:
        """Whether a webhook has failed too often to be called now."""
        if self._threshold <= 0 or self._interval_us <= 0:
            return False  # nobody is left alone, failures are merely counted
        return _failures(webhook) >= self._threshold and self._is_resting(webhook, now_us)

    def _is_resting(self, webhook: Document, now_us: int) -> bool:
        last = _unhealthy(webhook).get("last_failed_attempt_at")
        return last is not None and now_us <= unix_us(last) + self._interval_us

    def succeeded(self, application: str, webhook_id: str, now_us: int) -> None:
        """A webhook took a message: whatever it did before is forgotten."""
        webhook = self._webhooks.find(application, webhook_id) if self.is_kept else None
        if webhook is not None and webhook.get("health_status") != _HEALTHY:
            self._write(application, webhook, _HEALTHY, now_us)

    def failed(self, application: str, webhook_id: str, details: Document, now_us: int) -> None:
        """A webhook did not take a message; ``details`` say why, as ErrorDetails."""
        webhook = self._webhooks.find(application, webhook_id) if self.is_kept else None
        if webhook is None or self._is_counted_already(webhook, now_us):
            return
        unhealthy = {
            "failed_attempts": str(_failures(webhook) + 1),
            "last_failed_attempt_at": time_text(now_us),
            "last_failed_attempt_details": details,
        }
        self._write(application, webhook, {"unhealthy": unhealthy}, now_us)

    def _is_counted_already(self, webhook: Document, now_us: int) -> bool:
        """Who leaves nobody alone counts one failure in an interval."""
        is_blocking = self._threshold > 0 and self._interval_us > 0
        return not is_blocking and self._is_resting(webhook, now_us)

    def _write(self, application: str, webhook: Document, status: Document, now_us: int) -> None:
        webhook_id: str = webhook["ids"]["webhook_id"]
        changed = webhook | {"health_status": status, "updated_at": time_text(now_us)}
        self._webhooks.write(application, webhook_id, changed)


def _unhealthy(webhook: Document) -> Document:
    unhealthy: Document = webhook.get("health_status", {}).get("unhealthy", {})
    return unhealthy


def _failures(webhook: Document) -> int:
    return int(_unhealthy(webhook).get("failed_attempts", 0))
