"""What ends a command early: wrong usage, or no judgement possible. One line for the user."""

from __future__ import annotations


class UsageProblem(Exception):  # noqa: N818 - it is the user's problem, told without a traceback
    """Wrong usage or configuration: exit code 2."""


class NoJudgement(Exception):  # noqa: N818 - an outcome, not an error
    """Nothing can be said about the target: exit code 3."""
