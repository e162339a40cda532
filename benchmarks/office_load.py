"""One process that plays the library's office on the virtual clock; prints what an hour costs."""

from __future__ import annotations

import json
import sys
import tempfile
import time

from scenarios.reading import read_scenario
from scenarios.virtual import play_virtual


def main(*, has_trace: bool) -> None:
    """The whole scenario, its expectations judged; reading the file is not counted."""
    scenario = read_scenario("office")
    with tempfile.TemporaryFile() as file:
        begun_s = time.process_time()
        run = play_virtual(scenario, trace=file if has_trace else None)
        cpu_s = time.process_time() - begun_s
    if run.verdict != "pass":
        raise SystemExit(f"office ended with {run.verdict}; nothing to be fast about")
    print(json.dumps({"simulated_s": scenario.duration_us / 1e6, "cpu_s": cpu_s}))


if __name__ == "__main__":
    main(has_trace=sys.argv[1] == "trace")
