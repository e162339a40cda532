"""JUnit XML for build servers."""

from xml.etree import ElementTree

from reports import build


def suite(path, out):
    build(path, out)
    return ElementTree.parse(out / "junit.xml").getroot()[0]


def test_totals_count_the_cases(lines, write, tmp_path):
    """Inconclusive is an error, not applicable is skipped; neither looks like a pass."""
    found = suite(write(lines), tmp_path)

    assert {key: found.get(key) for key in ("tests", "failures", "errors", "skipped")} == {
        "tests": "7",
        "failures": "2",
        "errors": "1",
        "skipped": "1",
    }
    assert found.get("timestamp") == "2026-11-20T10:00:00"


def test_a_failure_tells_expected_actual_and_curl(lines, write, tmp_path):
    """Enough to repeat it without opening another file."""
    failure = suite(write(lines), tmp_path).find("testcase[@name='test_rd-003']/failure")

    assert failure is not None
    assert failure.get("message") == "fail: TIO-RD-003 (must)"
    assert failure.text == (
        'expected: []\nactual: [{"key": "t", "value": 1}]\n'
        'curl -s "http://127.0.0.1:6001/v2/things/$THING_TOKEN/resources/t"'
    )


def test_a_waived_fail_stays_a_failure_and_says_so(lines, write, tmp_path):
    """A waiver stands beside a fail, it never turns it into a pass."""
    waiver = {"reason": "known", "owner": "ops", "expires": "2027-01-01"}
    lines[-1]["requirements"][2]["waiver"] = waiver

    failure = suite(write(lines), tmp_path).find("testcase[@name='test_rd-003']/failure")

    assert failure is not None
    assert failure.get("message") == "fail (waived): TIO-RD-003 (must)"


def test_a_waiver_out_of_date_is_a_failure(lines, write, tmp_path):
    """The run is not certified although no test failed."""
    passed = [test | {"verdict": "pass"} for test in lines[1:-1]]
    footer = lines[-1] | {"reason": "the waiver of TIO-RD-003 expired on 2026-01-01"}

    found = suite(write([lines[0], *passed, footer]), tmp_path)

    failure = found.find("testcase[@name='run']/failure")
    assert failure is not None
    assert failure.get("message") == "the waiver of TIO-RD-003 expired on 2026-01-01"


def test_a_run_that_could_not_start_is_an_error(lines, write, tmp_path):
    """Without this case a build server would see an empty run and show it green."""
    footer = lines[-1] | {"verdict": "inconclusive", "reason": "connection refused", "executed": 0}

    found = suite(write([lines[0], footer]), tmp_path)

    assert found.get("errors") == "1"
    error = found.find("testcase/error")
    assert error is not None
    assert error.get("message") == "connection refused"
