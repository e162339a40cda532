"""POST /v2/things/{token}/code/functions/{name}: calling cloud code."""

import pytest

from conformance.fixtures import Thing
from conformance.judge import Judge
from conformance.outcomes import Inconclusive
from conformance.targets import Target


@pytest.mark.requirement("TIO-FN-001")
def test_declared_functions_answer(thing: Thing, target: Target, requirement: Judge) -> None:
    if not (declared := target.tables("function")):
        raise Inconclusive("the target file names no [[function]]")

    for function in declared:
        answer = thing.call_function(function["name"], function.get("params", {}))

        requirement.check(
            [answer.status, answer.json], expected=[200, function.get("result", answer.json)]
        )


@pytest.mark.requirement("TIO-FN-002")
def test_unknown_function_is_404(thing: Thing, requirement: Judge) -> None:
    answer = thing.call_function("thingrig-no-such-function", {})

    requirement.check(answer.status, expected=404)
