"""How often a caller may ask: the generic cell rate algorithm, one cell per key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from simulators.platforms.things_stack.policy import RateLimit

if TYPE_CHECKING:
    from simulators.platforms.things_stack.call import Call

_MINUTE_US = 60_000_000
_SECOND_US = 1_000_000
_SWEEP_AT = 10_000  # keys, before those that are full again are forgotten


def limit_key(call: Call, *, is_stream: bool) -> str:
    """What a call is counted under: method, entity and token; anonymous callers share one."""
    method = f"/ttn.lorawan.v3.{call.route.rpc}"
    key = f"grpc:stream:accept:{method}" if is_stream else f"grpc:method:{method}"
    entity = "" if is_stream else _entity(call.message)
    authorization = (call.request.header(b"authorization") or "").split(".")
    token = f":token:{authorization[1][:64]}" if len(authorization) == 3 else ""
    return f"{key}{entity}{token}"


def _entity(message: dict[str, Any]) -> str:
    """The first entity that a request names: ``:application:app1``."""
    for name, value in message.items():
        if name.endswith("_id") and isinstance(value, str):
            return f":{name[:-3]}:{value}"
        if isinstance(value, dict) and name != "field_mask":
            found = _entity(value)
            if found:
                return found
    return ""


class Verdict(NamedTuple):
    """Whether a request passes, and what the answer's headers say."""

    is_allowed: bool
    limit: int
    available: int
    reset_s: int
    retry_s: int

    def headers(self) -> list[tuple[str, str]]:
        """As the stack spells them."""
        return [
            ("X-Rate-Limit-Limit", str(self.limit)),
            ("X-Rate-Limit-Available", str(self.available)),
            ("X-Rate-Limit-Reset", str(self.reset_s)),
            ("X-Rate-Limit-Retry", str(self.retry_s)),
        ]


class RateLimiter:
    """
    Remembers per key when its allowance will be whole again.

    Source: ITU-T I.371, virtual scheduling algorithm.
    """

    def __init__(self, limit: RateLimit) -> None:
        self.limit = limit
        self._period_us = _MINUTE_US / limit.per_minute
        self._whole_us: dict[str, float] = {}

    def take(self, key: str, now_us: int) -> Verdict:
        """Count a request of ``key``, unless there have been too many."""
        tolerance_us = self._period_us * self.limit.burst
        old_us = max(self._whole_us.get(key, 0.0), float(now_us))
        new_us = old_us + self._period_us
        late_us = new_us - tolerance_us - now_us
        if late_us > 0:
            return self._verdict(old_us - now_us, late_us)
        self._sweep(now_us)
        self._whole_us[key] = new_us
        return self._verdict(new_us - now_us, 0.0)

    def _verdict(self, missing_us: float, late_us: float) -> Verdict:
        available = int((self._period_us * self.limit.burst - missing_us) / self._period_us)
        seconds = (_up_to_seconds(missing_us), _up_to_seconds(late_us))
        return Verdict(late_us <= 0, self.limit.burst, max(available, 0), *seconds)

    def _sweep(self, now_us: int) -> None:
        if len(self._whole_us) >= _SWEEP_AT:
            self._whole_us = {key: us for key, us in self._whole_us.items() if us > now_us}


def _up_to_seconds(us: float) -> int:
    return -int(-us // _SECOND_US)
