"""Collections that nobody has used before, for tests of classes."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from conformance.clients.app_session import Collection
from conformance.clients.exchange import Response
from conformance.outcomes import Inconclusive
from conformance.people import User
from conformance.run import Run
from conformance.thethings_io.shapes import shown

SCOPES = pytest.mark.parametrize("scope", ["me", "app"])
_numbers = count(1)


def new_name(run: Run, word: str = "class") -> str:
    """A name for a collection."""
    return f"{run.prefix}{run.worker or 'w'}-{next(_numbers)}-{word}"


def new_collection(run: Run, user: User, scope: str, *path: str) -> Collection:
    """A collection of its own, or one beneath it."""
    return user.collection(scope, new_name(run), *path)


def filled(collection: Collection, *keys: str) -> Collection:
    """
    A collection with an object for each key; its title names the key.

    Raises:
        Inconclusive: one of them was refused.
    """
    for key in keys:
        answer = collection.add({"title": f"title of {key}"}, key)
        if not answer.is_success:
            raise Inconclusive(f"an object could not be stored: {answer.summary()}")
    return collection


def title(answer: Response) -> Any:
    """The title of an object; the answer whole when it has none."""
    document = answer.json
    return document.get("title") if isinstance(document, dict) else shown(answer)
