"""
JUnit XML for build servers: one test case per conformance test.

A fail is a failure also when it is waived or its level is "should": the message says so. What could
not be judged is an error, what was left out is skipped.
"""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

from reports.results import Document, Results
from reports.text import cut, literal, shown

# Everything outside XML 1.0's production [2] Char.
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_DECLARATION = '<?xml version="1.0" encoding="utf-8"?>\n'
_ELEMENTS = {
    "fail": "failure",
    "error": "error",
    "inconclusive": "error",
    "not applicable": "skipped",
    "not run": "skipped",
}


def junit(document: Document, results: Results) -> str:
    """The run as a JUnit document; well-formed whatever a target has sent."""
    suite = ElementTree.Element("testsuite", name=_legal(f"thingrig {document['profile']}"))
    required = {entry["id"]: entry for entry in document["requirements"]}
    for test in results.tests:
        _add_case(suite, test, [required[key] for key in test["requirements"] if key in required])
    if document["verdict"] != "certified" and suite.find("testcase/failure") is None:
        _add_run(suite, document)
    _add_totals(suite, document, results)
    root = ElementTree.Element("testsuites")
    root.append(suite)
    ElementTree.indent(root)
    return _DECLARATION + ElementTree.tostring(root, encoding="unicode") + "\n"


def _add_case(suite: ElementTree.Element, test: Document, required: list[Document]) -> None:
    path, _, name = test["test"].partition("::")
    module = path.removesuffix(".py").replace("/", ".")
    duration = f"{test.get('duration_s') or 0.0:.3f}"
    case = ElementTree.SubElement(
        suite, "testcase", classname=_legal(module), name=_legal(name or path), time=duration
    )
    element = _ELEMENTS.get(test["verdict"])
    if element is None:
        return
    outcome = ElementTree.SubElement(
        case, element, type=test["verdict"], message=_legal(_message(test, required))
    )
    if element != "skipped":
        outcome.text = _legal(_details(test))


def _message(test: Document, required: list[Document]) -> str:
    names = ", ".join(f"{entry['id']} ({entry['level']})" for entry in required)
    waived = any(entry["waiver"] for entry in required) and test["verdict"] == "fail"
    reason = shown(test.get("reason") or "", longest=300)
    return f"{test['verdict']}{' (waived)' if waived else ''}: {names or '-'} {reason}".strip()


def _details(test: Document) -> str:
    evidence: dict[str, Any] = test.get("evidence") or {}
    parts = [
        f"expected: {literal(test.get('expected'))}",
        f"actual: {literal(test.get('actual'))}",
        *(cut(line) for line in evidence.get("curl", [])),
    ]
    return "\n".join(parts)


def _add_run(suite: ElementTree.Element, document: Document) -> None:
    """A run that is not certified without a failed test: it must not look like a success."""
    case = ElementTree.SubElement(suite, "testcase", classname="thingrig", name="run", time="0.000")
    kind = "failure" if document["verdict"] == "not certified" else "error"
    message = _legal(shown(document["reason"] or document["summary"], longest=300))
    ElementTree.SubElement(case, kind, type=document["verdict"], message=message)


def _add_totals(suite: ElementTree.Element, document: Document, results: Results) -> None:
    suite.set("tests", str(len(suite.findall("testcase"))))
    for attribute, element in (("failures", "failure"), ("errors", "error")):
        suite.set(attribute, str(len(suite.findall(f"testcase/{element}"))))
    suite.set("skipped", str(len(suite.findall("testcase/skipped"))))
    suite.set("time", f"{sum(test.get('duration_s') or 0.0 for test in results.tests):.3f}")
    # The schema in use by build servers knows no time zone; the run's times are UTC.
    suite.set("timestamp", _legal(str(document["started"])[:19]))


def _legal(text: str) -> str:
    return _ILLEGAL.sub("\N{REPLACEMENT CHARACTER}", text)
