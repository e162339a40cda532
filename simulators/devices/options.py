"""
A fleet's options, taken from plain documents: which ones there are, and what is wrong with them.

Options are the keyword arguments of a factory or the fields of a dataclass; an unknown one is
answered with the nearest valid word.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")


class FleetError(ValueError):
    """
    A fleet was described wrongly.

    ``option`` is the key at fault within the behaviour; the message is one lower-case phrase.
    """

    def __init__(self, message: str, *, option: str | None = None) -> None:
        super().__init__(message)
        self.option = option


def one_of(what: str, word: Any, words: Iterable[str]) -> str:
    """``word`` when it is one of ``words``; a FleetError naming the nearest one otherwise."""
    known = sorted(words)
    if isinstance(word, str) and word in known:
        return word
    near = difflib.get_close_matches(str(word), known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    message = f"{what} must be one of {', '.join(known)}; got {word!r}{hint}"
    raise FleetError(message, option=what)


def option_names(factory: Callable[..., Any]) -> list[str]:
    """The keyword options of a factory, without the random generator it is handed."""
    return [name for name in _parameters(factory) if name != "rng"]


@cache  # looking at a signature takes longer than building a device
def _parameters(factory: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(factory).parameters


def split(
    options: Mapping[str, Any], names: Iterable[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The options called ``names``, and the rest."""
    wanted = set(names)
    chosen = {name: value for name, value in options.items() if name in wanted}
    return chosen, {name: value for name, value in options.items() if name not in wanted}


def build(
    factory: Callable[..., T],
    options: Mapping[str, Any],
    *arguments: Any,
    also: Iterable[str] = (),
) -> T:
    """
    ``factory(*arguments, **options)`` after a look at the names and the numbers.

    ``also`` are further names that the user could have meant.

    Raises:
        FleetError: an option that the factory does not have, or a number where none is.
    """
    names = option_names(factory)
    for name, value in options.items():
        if name not in names:
            _unknown(name, [*names, *also])
        _check_number(factory, name, value)
    return factory(*arguments, **options)


def _unknown(name: str, names: list[str]) -> None:
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise FleetError(f"option must be one of {', '.join(names)}; got {name!r}{hint}", option=name)


def _check_number(factory: Callable[..., Any], name: str, value: Any) -> None:
    default = _parameters(factory)[name].default
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if isinstance(default, str) and not isinstance(value, str):
        raise FleetError(f"{name} must be a text; got {value!r}", option=name)
    if type(default) in (int, float) and name != "value" and not is_number:
        raise FleetError(f"{name} must be a number; got {value!r}", option=name)
    if name.endswith("_s") and is_number and value < 0:
        raise FleetError(f"{name} must not be negative; got {value!r}", option=name)
