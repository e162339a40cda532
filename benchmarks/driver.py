"""The fleet driver, and whole sensors on top of it, against wrk; all on one static nginx."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.figures import Aim, Figure, Report, interleaved
from benchmarks.processes import free_port, result_of, running, wrk

CONNECTIONS = 64
BODY = b'{"values":[{"key":"load","value":1.125}]}'
_NGINX = """
daemon off; master_process off; error_log stderr crit; pid {folder}/nginx.pid;
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_requests 1000000000;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    location / {{ default_type application/json; return 201 '{{"status":"created"}}'; }}
  }}
}}
"""


def run(*, rounds: int, seconds: int) -> Report:
    """wrk, driver and sensors in turn, each alone on the sink."""
    costs: dict[str, list[float]] = {"wrk": [], "raw": [], "sensors": []}
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        config = folder / "nginx.conf"
        config.write_text(_NGINX.format(folder=folder, port=port))
        argv = ["nginx", "-e", "stderr", "-p", str(folder), "-c", str(config)]
        with running(argv, port=port):
            measures = _measures(f"http://127.0.0.1:{port}", seconds, folder, costs)
            interleaved(rounds, *measures)
    return _report(costs)


def _measures(
    url: str, seconds: int, folder: Path, costs: dict[str, list[float]]
) -> list[Callable[[], None]]:
    def by_wrk() -> None:
        path = f"{url}/v2/things/token"
        load = wrk(path, BODY, connections=CONNECTIONS, seconds=seconds, folder=folder)
        costs["wrk"].append(load.cpu_s / load.requests * 1e6)

    def by(mode: str) -> Callable[[], None]:
        def measure() -> None:
            found = result_of("benchmarks.driver_load", mode, url, str(CONNECTIONS), str(seconds))
            costs[mode].append(found["cpu_s"] / found["requests"] * 1e6)

        return measure

    return [by_wrk, by("raw"), by("sensors")]


def _report(costs: dict[str, list[float]]) -> Report:
    peer = Figure("wrk", costs["wrk"], "us CPU/request")
    driver = Figure("fleet driver", costs["raw"], "us CPU/request")
    whole = Figure("whole sensors", costs["sensors"], "us CPU/request")
    return Report(
        "Fleet against wrk",
        [peer, driver, whole],
        [
            Aim("fleet driver, CPU per request over wrk", driver.median / peer.median, 1.35, False),
            Aim("whole sensors, CPU per request over wrk", whole.median / peer.median, 2.0, False),
        ],
        note=f"nginx, one process, static answer; {CONNECTIONS} connections, closed loop.",
    )
