"""What one process at a time may use; the system sets it free when the process ends, however."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import IO


def locked(path: Path, what: str) -> IO[str]:
    """
    A file that is locked until it is closed; made when it is missing.

    Args:
        what: is expected, in words.
    Raises:
        OSError: another process has it, or it cannot be locked.
    """
    lock = path.open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        if isinstance(error, BlockingIOError):
            raise OSError(error.errno, f"expected {what}; it is in use") from error
        raise
    return lock
