"""Scripts in their process: what they give, and how they are stopped."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from simulators.platforms.scripting.worker import Job, Result, ScriptWorker

NOON_MS = 1_706_702_400_000  # 2024-01-31T12:00:00Z


@pytest.fixture(scope="module")
def worker() -> Iterator[ScriptWorker]:
    worker = ScriptWorker(time_s=0.1, patience_s=1.0)
    yield worker
    worker.close()


def run(worker: ScriptWorker, script: str, value: str = "1") -> Result:
    return worker.run(Job(script, value, NOON_MS, 5))


def returned(worker: ScriptWorker, expression: str) -> Result:
    return run(worker, f"function main(value) {{ return {expression}; }}")


def test_value_comes_back(worker: ScriptWorker) -> None:
    script = "function main({ a }) { return { sum: a + 1, text: 'é€😀', list: [a, null, true] }; }"
    value = {"sum": 2.5, "text": "é€😀", "list": [1.5, None, True]}

    assert run(worker, script, '{"a":1.5}') == Result(value)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("undefined", None),
        ("{ a: undefined, b: [undefined] }", {"a": None, "b": [None]}),
        ("[NaN, 1 / 0]", [None, None]),
        ("'\\ud800'", "\ufffd"),
        ("24.8 - 24", 0.8000000000000007),
        ("new Date(0)", "1970-01-01T00:00:00.000Z"),
    ],
)
def test_what_json_cannot_say_is_null(worker: ScriptWorker, expression: str, value: object) -> None:
    assert returned(worker, expression) == Result(value)


def test_time_and_chance_come_with_the_job(worker: ScriptWorker) -> None:
    expression = "[Date.now(), new Date(), Date(), new Date() instanceof Date, Math.random()]"
    first = returned(worker, expression)

    assert first.value[:4] == [
        NOON_MS,
        "2024-01-31T12:00:00.000Z",
        "Wed Jan 31 2024 12:00:00 GMT+0000",
        True,
    ]
    assert 0 <= first.value[4] < 1
    assert returned(worker, expression) == first


def test_chance_differs_with_the_seed(worker: ScriptWorker) -> None:
    script = "function main() { return Math.random(); }"
    values = {worker.run(Job(script, "1", NOON_MS, seed)).value for seed in range(20)}

    assert len(values) == 20


def test_no_script_sees_what_another_left(worker: ScriptWorker) -> None:
    run(worker, "globalThis.left = 1; Array.prototype.left = 1; function main() {}")

    assert returned(worker, "[typeof left, typeof [].left]").value == ["undefined", "undefined"]


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("while (true) {}", Result(error="timeout")),
        ("function main() { while (true) {} }", Result(error="timeout")),
        (
            "function main() { try { for (;;) {} } finally { for (;;) {} } }",
            Result(error="timeout"),
        ),
        ("function main() { return /(a+)+b/.test('a'.repeat(40)); }", Result(error="timeout")),
        ("function main() { throw { toString() { for (;;) {} } }; }", Result(error="timeout")),
        (
            "function main() { const a = []; for (;;) a.push(new Array(1000).fill(1)); }",
            Result(error="memory"),
        ),
        ("function main() { let a = 'a'; for (;;) a += a; }", Result(error="memory")),
        ("function main() { return new ArrayBuffer(1e9); }", Result(error="memory")),
        ("function main() { return 'a'.repeat(1e6); }", Result(error="memory")),
    ],
)
def test_what_takes_too_much_is_cut_off(
    worker: ScriptWorker, script: str, expected: Result
) -> None:
    result = run(worker, script)

    assert result == expected
    assert result.is_cut_off
    assert returned(worker, "value") == Result(1)


def test_process_that_does_not_answer_is_replaced(worker: ScriptWorker) -> None:
    """Such as when it is told how an error is shown, after its time was over."""
    script = "Error.prototype.toString = () => { for (;;) {} }; function main() { for (;;) {} }"

    assert run(worker, script) == Result(error="timeout")
    assert returned(worker, "value") == Result(1)


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("", Result(error="no main")),
        ("const main = 3", Result(error="no main")),
        ("syntax error", Result(None, "compile", "SyntaxError: expecting ';' at <input>:1:8")),
        (
            "missing()",
            Result(
                None, "compile", "ReferenceError: missing is not defined at <eval> (<input>:1:1)"
            ),
        ),
        ("function main() { throw 'no'; }", Result(None, "call", "no")),
        (
            "function inner() {\n  throw new TypeError('no'); }\nfunction main() { inner(); }",
            Result(None, "call", "TypeError: no at inner (<input>:2:13)"),
        ),
    ],
)
def test_failures_say_which_step_it_was_and_where(
    worker: ScriptWorker, script: str, expected: Result
) -> None:
    result = run(worker, script)

    assert result == expected
    assert not result.is_cut_off


@pytest.mark.parametrize("expression", ["() => 1", "{ f() {} }", "10n", "Symbol()", "globalThis"])
def test_what_is_no_value_is_a_failure_of_its_own(worker: ScriptWorker, expression: str) -> None:
    assert returned(worker, expression).error == "value"


@pytest.mark.parametrize("levels", [101, 5000])
def test_value_has_at_most_a_hundred_levels(worker: ScriptWorker, levels: int) -> None:
    script = "function main(n) { let a = 1; for (let i = 0; i < n; i++) a = [a]; return a; }"

    assert run(worker, script, str(levels)).error == "value"
    assert run(worker, script, "100").error is None


def test_there_is_no_way_out_of_the_engine(worker: ScriptWorker) -> None:
    names = "require process std os console fetch XMLHttpRequest performance SharedArrayBuffer"
    expression = f"'{names}'.split(' ').filter(name => typeof globalThis[name] !== 'undefined')"

    assert returned(worker, expression) == Result([])


def test_process_has_no_environment_files_or_sockets(
    worker: ScriptWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "of somebody")
    worker.close()
    assert returned(worker, "value") == Result(1)
    process = worker._process
    assert process is not None
    with open(f"/proc/{process.pid}/environ", "rb") as environment:
        assert environment.read() == b"TZ=UTC\0LC_ALL=C.UTF-8\0"
    with open(f"/proc/{process.pid}/limits") as limits:
        limit = {line[:26].strip(): line[26:].split()[0] for line in limits}
    assert limit["Max open files"] == "3"
    assert limit["Max file size"] == "0"
    assert sorted(os.listdir(f"/proc/{process.pid}/fd")) == ["0", "1", "2"]


def test_process_that_died_is_replaced(worker: ScriptWorker) -> None:
    assert returned(worker, "value") == Result(1)
    assert worker._process is not None
    worker._process.kill()
    worker._process.wait()

    assert returned(worker, "value") == Result(1)
