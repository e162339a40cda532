"""One process that loads a server with Locust's FastHttpUser; prints its cost."""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()  # before anything else is imported, as Locust's own command does

import json  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from typing import Any  # noqa: E402

import gevent  # noqa: E402
from locust import FastHttpUser, constant, task  # noqa: E402
from locust.env import Environment  # noqa: E402

WARM_UP_S = 0.7


class Device(FastHttpUser):  # type: ignore[misc]  # Locust's classes are untyped
    """Writes back to back, a fresh body each time."""

    wait_time = constant(0)
    sequence = 0

    @task  # type: ignore[misc]  # as above
    def write(self) -> None:
        """One write; an answer that is no success counts as a failure."""
        self.sequence += 1
        document = {"values": [{"key": "load", "value": self.sequence / 8}]}
        with self.client.post("/v2/things/token", json=document, catch_response=True) as answer:
            if answer.status_code != 201 or answer.json()["status"] == "error":
                answer.failure(f"status {answer.status_code}")


def main(url: str, users: int, seconds: float) -> None:
    """All users at once; what they do while they are started is not counted."""
    environment: Any = Environment(user_classes=[Device], host=url)
    runner = environment.create_local_runner()
    runner.start(users, spawn_rate=users)
    gevent.sleep(WARM_UP_S)
    requests, begun_s = environment.stats.total.num_requests, time.process_time()
    gevent.sleep(seconds)
    requests = environment.stats.total.num_requests - requests
    cpu_s = time.process_time() - begun_s
    runner.quit()
    if environment.stats.total.num_failures or runner.user_count != 0 or not requests:
        raise SystemExit(f"{environment.stats.total.num_failures} of {requests} failed")
    print(json.dumps({"requests": requests, "cpu_s": cpu_s}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
