"""A small picture of the verdict for a project's page: plain SVG, nothing loaded from elsewhere."""

from __future__ import annotations

from html import escape

from reports.results import Document
from reports.text import shown

_COLOURS = {"certified": "#1a7f37", "not certified": "#b3261e", "inconclusive": "#8a5a00"}
_CHARACTER = 7  # pixels, wide enough for a bold capital in every usual sans-serif
_SVG = """\
<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" role="img" aria-label="{label}">
<title>{label}</title>
<rect width="{width}" height="20" rx="3" fill="#3d444d"/>
<rect x="{left}" width="{right}" height="20" rx="3" fill="{colour}"/>
<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">
<text x="8" y="14">{profile}</text><text x="{text}" y="14">{verdict}</text>
</g></svg>
"""


def badge(document: Document) -> str:
    """The profile on the left, the verdict in its colour on the right."""
    profile = shown(document["profile"], longest=40)
    verdict = document["summary"] + (" (part)" if document["scope"] == "partial" else "")
    left = _CHARACTER * len(profile) + 16
    right = _CHARACTER * len(verdict) + 16
    return _SVG.format(
        width=left + right,
        left=left,
        right=right,
        text=left + 8,
        colour=_COLOURS.get(document["verdict"], "#57606a"),
        profile=escape(profile),
        verdict=escape(verdict),
        label=escape(f"{profile}: {verdict}"),
    )
