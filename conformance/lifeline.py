"""A run that somebody started ends with whoever started it, even when that one was killed."""

from __future__ import annotations

import os
import signal
import threading
import time

GRACE_S = 30.0  # for putting away what was created


def end_with(lifeline: int) -> None:
    """Interrupt this process once nobody holds the other end of the pipe ``lifeline``."""
    thread = threading.Thread(target=_watch, args=(lifeline,), daemon=True, name="lifeline")
    thread.start()


def _watch(lifeline: int) -> None:
    while os.read(lifeline, 1):
        pass
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(GRACE_S)
    os._exit(3)
