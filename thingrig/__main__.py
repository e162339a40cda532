"""``python -m thingrig``: the command line, with our packages before those of the folder."""

from __future__ import annotations

import sys
from pathlib import Path


def _prefer_our_packages() -> None:
    """``-m`` puts the working folder first; a ``conformance`` folder there is not ours."""
    ours = str(Path(__file__).resolve().parent.parent)
    sys.path[:] = [ours, *(entry for entry in sys.path[1:] if entry != ours)]


if __name__ == "__main__":
    _prefer_our_packages()
    from thingrig.cli import main

    main()
