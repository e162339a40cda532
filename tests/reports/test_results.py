"""Reading results files."""

import json
from pathlib import Path

import pytest

from reports.results import ResultsError, read_results


def test_header_tests_and_footer_are_told_apart(lines, write):
    """Each line goes where its type says."""
    results = read_results(write(lines))

    assert results.header["profile"] == "thethings-io/device"
    assert [test["verdict"] for test in results.tests[:3]] == ["pass", "pass", "fail"]
    assert results.footer is not None
    assert results.footer["executed"] == 7


def test_a_last_line_cut_off_is_an_interrupted_run(lines, write):
    """What was written before the cut is kept; there is no footer."""
    path = write(lines)
    path.write_bytes(path.read_bytes()[:-40])

    results = read_results(path)

    assert results.footer is None
    assert len(results.tests) == 7


def test_line_separators_inside_values_do_not_cut_lines(lines, write):
    """U+2028 and U+0085 are ordinary characters in JSON text."""
    lines[3]["actual"] = "a\u2028b\u0085c"
    path = write(lines)
    path.write_text(
        "\n".join(json.dumps(line, ensure_ascii=False) for line in lines), encoding="utf-8"
    )

    assert read_results(path).tests[2]["actual"] == "a\u2028b\u0085c"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"", ":1: expected the header", id="empty"),
        pytest.param(b'{"type":"test"}\n', ":1: expected the header", id="no header"),
        pytest.param(b'{"type":"header"}\n{"ty\n{}\n', ":2: expected a JSON object", id="broken"),
        pytest.param(b'{"type":"header"}\n[]\n', ":2: expected a JSON object", id="no object"),
    ],
)
def test_what_is_no_results_file_is_named_with_its_line(tmp_path: Path, content, message):
    """The message leads to the line."""
    path = tmp_path / "results.jsonl"
    path.write_bytes(content)

    with pytest.raises(ResultsError, match=message):
        read_results(path)
