"""A platform that answers nonsense fails its expectations; it does not stop the run."""

from __future__ import annotations

import io
from functools import partial
from random import Random
from typing import Any

import pytest

from scenarios import results
from scenarios.files import mistakes_in
from scenarios.reading import Setting, read_scenario
from scenarios.virtual import play_virtual
from simulators.transports.http import HttpAnswer
from tests.scenarios.breaking import Broken

NONSENSE: list[Any] = [
    None,
    True,
    0,
    -1.5e300,
    "",
    "\x1b[2J\u202e",
    b"\xff\x00",
    [],
    [None],
    [[]],
    [{}],
    [{"key": "turn"}],
    [{"key": "turn", "value": {"deep": [1]}}],
    [{"key": ["turn"], "value": 1}],
    [{"value": 1, "datetime": "9999-12-31T23:59:59.999Z"}],
    [{"value": 1, "datetime": 5}],
    {},
    {"status": 5},
    {"status": "error"},
    {"status": "error", "message": {"a": [1]}},
    {"status": "created", "thingToken": 7},
    {"status": "created", "thingToken": ""},
    {"date": []},
]
STATUSES = [100, 200, 201, 204, 304, 400, 401, 404, 429, 500, 503, 999]


class Babble:
    """Honest now and then, nonsense otherwise; the same for the same seed."""

    def __init__(self, seed: int, honesty: float) -> None:
        self._rng = Random(seed)
        self._honesty = honesty

    def answer(self, method: str, target: str, document: Any, honest: HttpAnswer) -> HttpAnswer:
        if self._rng.random() < self._honesty:
            return honest
        return HttpAnswer(self._rng.choice(STATUSES), self._rng.choice(NONSENSE))

    def stream(self, documents: list[Any]) -> list[Any]:
        nonsense = [each for each in NONSENSE if not isinstance(each, bytes)]
        return [*documents, self._rng.choice(nonsense), self._rng.choice(nonsense)]


@pytest.mark.parametrize("name", ["office", "trackers", "outage"])
@pytest.mark.parametrize(("seed", "honesty"), [(1, 0.0), (2, 0.5), (3, 0.95)])
def test_nonsense_is_judged(name: str, seed: int, honesty: float) -> None:
    babble = Babble(seed, honesty)
    scenario = read_scenario(name, [Setting("scenario.duration", "12min", "test")])
    trace = io.BytesIO()
    run = play_virtual(
        scenario, trace=trace, wrap=partial(Broken, answer=babble.answer, stream=babble.stream)
    )
    assert run.verdict == "fail"
    about: dict[str, Any] = {"target": None, "settings": {}, "started": "", "finished": ""}
    assert mistakes_in(results.document(run, suite_version="0", about=about), "run") == []
    assert trace.getvalue().endswith(b"\n")
