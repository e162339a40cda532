"""Everything that a target sends is untrusted: the reports stay whole whatever it is."""

import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from reports import build

SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(1)>"
PAYLOADS = [
    pytest.param(SCRIPT, id="script"),
    pytest.param("\"'><svg onload=alert(1)>", id="attribute"),
    pytest.param("</pre></style></title>" + SCRIPT, id="closing tags"),
    pytest.param("{{ 7 * 7 }}{% include '/etc/passwd' %}", id="template"),
    pytest.param("nul \0 escape \x1b[2J", id="control"),
    pytest.param("lone \ud800 \udfff", id="surrogates"),
    pytest.param("\u202egnp.exe\u2028", id="direction"),
    pytest.param("]]><!-- --!> &bogus; <?php", id="xml"),
    pytest.param("\ufffe\uffff", id="noncharacters"),
    pytest.param("javascript:alert(1)", id="address"),
    pytest.param("x" * 1_000_000, id="1 MB"),
    pytest.param({"deep": {"k<b>": ["<i>", None, 1.5, "\0"]}}, id="document"),
]


class Elements(HTMLParser):
    """Collects the tags and attributes that a browser would see."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: dict[str, set[str]] = {}

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        for name, value in attrs:
            self.attributes.setdefault(name, set()).add(value or "")


def poisoned(lines, payload):
    """The same hostile value everywhere a target or its file could put one."""
    text = payload if isinstance(payload, str) else "document"
    header, footer = lines[0], lines[-1]
    header["target"] |= {"url": f"http://{text}", "lacks": [text]}
    for test in lines[1:-1]:
        test |= {"expected": payload, "actual": payload, "reason": text}
        test["test"] = f"conformance/x.py::test_x[{text[:200]}]"
        test["observed"] = [{"what": text, "value": payload}, payload]
        test["evidence"] = {
            "exchanges": [
                {
                    "request": {
                        "method": text,
                        "target": text,
                        "headers": {text: text},
                        "body": text,
                    },
                    "response": {"status": 200, "headers": {text: text}, "body": text},
                    "error": text,
                    "elapsed_ms": 1.0,
                }
            ],
            "curl": [f"curl -d '{text}'"],
        }
    footer["left_behind"] = [{"kind": text, "what": text, "why": text}]
    footer["reason"] = text
    for entry in footer["requirements"]:
        entry["waiver"] = {"reason": text, "owner": text, "expires": text}
    return lines


@pytest.mark.parametrize("payload", PAYLOADS)
def test_the_page_holds_only_its_own_elements(lines, write, tmp_path, payload):
    """No element, no address and no handler comes from a target."""
    build(write(poisoned(lines, payload)), tmp_path)
    page = (tmp_path / "certificate.html").read_text(encoding="utf-8")

    seen = Elements()
    seen.feed(page)

    assert seen.tags.isdisjoint({"script", "img", "svg", "iframe", "link", "object", "form", "i"})
    assert not [name for name in seen.attributes if name.startswith("on")]
    assert all(address.startswith("#") for address in seen.attributes["href"])
    assert "src" not in seen.attributes
    assert seen.attributes["style"] == {f"flex-grow:{count}" for count in (1, 2, 3)}


@pytest.mark.parametrize("payload", PAYLOADS)
def test_the_page_stays_small_and_visible(lines, write, tmp_path, payload):
    """A megabyte is cut, and no control character survives."""
    build(write(poisoned(lines, payload)), tmp_path)
    page = (tmp_path / "certificate.html").read_text(encoding="utf-8")

    assert len(page) < 300_000
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2028]", page)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_junit_and_badge_stay_well_formed(lines, write, tmp_path, payload):
    """Parsers of build servers accept them, and every test case is there."""
    build(write(poisoned(lines, payload)), tmp_path)

    suites = ElementTree.parse(tmp_path / "junit.xml").getroot()
    badge = ElementTree.parse(tmp_path / "badge.svg").getroot()

    assert [suite.tag for suite in suites] == ["testsuite"]
    assert len(suites.findall("testsuite/testcase")) == 7
    assert badge.tag == "{http://www.w3.org/2000/svg}svg"
    assert (tmp_path / "junit.xml").stat().st_size < 200_000
