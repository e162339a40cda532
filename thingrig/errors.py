"""How a command ends when there is no verdict to tell; every message is one line."""

from __future__ import annotations


class UsageProblem(Exception):  # noqa: N818 - a way to end, not a mistake of ours
    """The user asked for something that cannot be; exit code 2."""


class NoJudgement(Exception):  # noqa: N818 - a way to end, not a mistake of ours
    """There is nothing to judge; exit code 3."""
