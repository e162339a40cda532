"""
What a JSON Schema error means to the person who wrote the file: one phrase, and the nearest word.

In our schemas the ``description`` beside a ``pattern``, ``anyOf``, ``oneOf`` or ``format`` is a
phrase that follows "expected", and ``writeOnly`` marks a secret, whose value is never shown.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from jsonschema.protocols import Validator

from scenarios.toml_lines import Where

SchemaError = Any  # jsonschema's ValidationError, whose own types admit members left unset


class Mistake(NamedTuple):
    """What is wrong, and where in the document."""

    where: Where
    message: str


def find_mistakes(document: Any, validator: Validator) -> list[Mistake]:
    """Everything the schema objects to; a missing key counts only if no unknown key replaces it."""
    errors = list(validator.iter_errors(document))
    misspelt = {tuple(e.absolute_path) for e in errors if e.validator == "additionalProperties"}
    return [
        mistake
        for error in errors
        if not (error.validator == "required" and tuple(error.absolute_path) in misspelt)
        for mistake in _explain(error)
    ]


def expected(what: str, got: Any, valid: Iterable[Any] = (), *, is_secret: bool = False) -> str:
    """``expected …; got 'x'; did you mean 'y'?``"""
    return f"expected {what}; got {'a secret' if is_secret else shown(got)}{nearest(got, valid)}"


def nearest(word: Any, valid: Iterable[Any]) -> str:
    """``; did you mean 'y'?``, or nothing when no valid word is close."""
    words = {str(choice).lower(): str(choice) for choice in valid}
    close = difflib.get_close_matches(str(word).lower(), words, n=1, cutoff=0.5)
    return f"; did you mean '{words[close[0]]}'?" if close else ""


def shown(value: Any) -> str:
    """A value as the user wrote it, on one line and not too long."""
    if isinstance(value, str):
        return repr(value if len(value) <= 60 else value[:57] + "...")
    if isinstance(value, dict):
        return "a table"
    return "a list" if isinstance(value, list) else json.dumps(value)


def table_name(where: Where) -> str:
    """A table as its header is written: ``[[fleet]]``, ``[limits]``, or ``the file``."""
    names = ".".join(str(part) for part in where if isinstance(part, str))
    if not names:
        return "the file"
    return f"[[{names}]]" if isinstance(where[-1], int) else f"[{names}]"


_TYPES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a table",
    "null": "nothing",
}

_LIMITS = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "exclusiveMinimum": "more than {}",
    "exclusiveMaximum": "less than {}",
    "multipleOf": "a multiple of {}",
    "minItems": "a list of at least {}",
    "maxItems": "a list of at most {}",
    "minLength": "text of at least {} characters",
    "maxLength": "text of at most {} characters",
    "minProperties": "a table of at least {} keys",
}


def _explain(error: SchemaError) -> list[Mistake]:
    explain = _EXPLANATIONS.get(str(error.validator), _phrase)
    return explain(error, tuple(error.absolute_path))


def _unknown_key(error: SchemaError, where: Where) -> list[Mistake]:
    valid = sorted(error.schema["properties"])
    unknown = [key for key in error.instance if key not in error.schema["properties"]]
    what = f"a key of {table_name(where)} ({', '.join(valid)})"
    return [Mistake((*where, key), expected(what, key, valid)) for key in unknown]


def _missing_key(error: SchemaError, where: Where) -> list[Mistake]:
    missing = next(key for key in error.validator_value if key not in error.instance)
    return [Mistake(where, f"expected the key '{missing}' in {table_name(where)}; got none")]


def _choice(error: SchemaError, where: Where) -> list[Mistake]:
    value = error.validator_value
    choices = value if error.validator == "enum" else [value]
    what = f"{_name(where)} to be one of {', '.join(str(choice) for choice in choices)}"
    return [Mistake(where, expected(what, error.instance, choices))]


def _type(error: SchemaError, where: Where) -> list[Mistake]:
    if "pattern" in error.schema and "description" in error.schema:
        return _phrase(error, where)
    value = error.validator_value
    names = [_TYPES[name] for name in ([value] if isinstance(value, str) else value)]
    return _judged(error, where, " or ".join(names))


def _alternatives(error: SchemaError, where: Where) -> list[Mistake]:
    if "description" in error.schema:
        return _phrase(error, where)
    deepest = max(error.context or (), key=lambda child: len(child.absolute_path))
    return _explain(deepest)


def _phrase(error: SchemaError, where: Where) -> list[Mistake]:
    if str(error.validator) in _LIMITS:
        return _judged(error, where, _LIMITS[str(error.validator)].format(error.validator_value))
    return _judged(error, where, error.schema.get("description", error.message))


def _judged(error: SchemaError, where: Where, what: str) -> list[Mistake]:
    is_secret = bool(error.schema.get("writeOnly"))
    words = f"{_name(where)} to be {what}"
    return [Mistake(where, expected(words, error.instance, is_secret=is_secret))]


def _name(where: Where) -> str:
    names = [part for part in where if isinstance(part, str)]
    return names[-1] if names else "the file"


_EXPLANATIONS: dict[str, Callable[[SchemaError, Where], list[Mistake]]] = {
    "additionalProperties": _unknown_key,
    "required": _missing_key,
    "enum": _choice,
    "const": _choice,
    "type": _type,
    "anyOf": _alternatives,
    "oneOf": _alternatives,
}
