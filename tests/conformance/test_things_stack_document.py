"""The document of The Things Stack's profiles names the requirements that there are."""

from __future__ import annotations

import re
from pathlib import Path

from conformance.requirement import catalogue

DOCUMENT = Path(__file__).parents[2] / "docs" / "things-stack-requirements.md"
PROFILES = ("things-stack/read", "things-stack/registry")
NAMED = re.compile(r"(TTS-[A-Z]+)-(\d{3})(?: to TTS-[A-Z]+-(\d{3}))?")


def test_every_requirement_of_both_profiles_is_named_and_none_that_is_not() -> None:
    """Ranges hold every number between their ends."""
    named = {
        f"{chapter}-{number:03}"
        for chapter, first, last in NAMED.findall(DOCUMENT.read_text(encoding="utf-8"))
        for number in range(int(first), int(last or first) + 1)
    }

    known = {name for name, each in catalogue().items() if each.profile in PROFILES}
    assert sorted(known - named) == []
    assert sorted(named - set(catalogue())) == []
