"""A trace that a user names: read, or one line about what is wrong with it."""

from __future__ import annotations

from pathlib import Path

from scenarios.files import FileError, mistakes_in
from scenarios.trace import Trace, TraceError, read_trace
from thingrig.errors import UsageProblem
from thingrig.run_view import printable


def readable_trace(path: Path) -> Trace:
    """
    The trace in a file.

    Raises:
        FileError: it cannot be read, or its header is none of a trace.
        UsageProblem: one of its lines is damaged.
    """
    try:
        trace = read_trace(path)
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or str(problem)
        raise FileError(
            path, None, f"expected a readable file; got '{reason.lower()}'"
        ) from problem
    except RecursionError as problem:
        raise FileError(path, None, "expected a trace; got too deep a nesting") from problem
    except TraceError as problem:
        raise UsageProblem(printable(str(problem))) from problem
    mistakes = mistakes_in(trace.header, "trace")
    if mistakes:
        raise FileError(path, 1, printable(mistakes[0]))
    return trace
