"""
Rules of fields, checked after decoding; the reasons are worded as the stack words them.

Of several mistakes the first in the message's order is told; which one is free.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from simulators.platforms.things_stack.errors import Invalid
from simulators.platforms.things_stack.schema import NO_ZERO, Field, Message, enum, message
from simulators.platforms.things_stack.times import NANOSECONDS, parse_time

Document = dict[str, Any]
Tree = dict[str, "Tree"]  # paths to look at; an empty tree means everything below
Check = Callable[[Any], "str | None"]  # a value to the reason why it is refused

_HOST = r"(?:(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9\-]*[a-zA-Z0-9])\.)*"
_HOST += r"(?:[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9\-]*[A-Za-z0-9])(?::[0-9]{1,5})?$|^$"
PATTERNS = {
    "id": r"^[a-z0-9](?:[-]?[a-z0-9]){2,}$",
    "user_id": r"^[a-z0-9](?:[-]?[a-z0-9]){1,}$",
    "address": f"^{_HOST}",
    "gateway_address": f"^([a-z]{{2,5}}://)?{_HOST}",
    "claim_code": r"^[a-zA-Z0-9]{1,32}$",
}
_COMPILED = {name: re.compile(text.replace("$", r"\Z")) for name, text in PATTERNS.items()}
_EMAIL = re.compile(r"[^@\s<>()\[\],;:\"\\]{1,64}@(?=.{1,255}\Z)[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
_NOT_IN_URI = re.compile(r"[\x00-\x20\x7f]")
_TOO_LONG = 100_000  # patterns are not tried on longer texts; no field may be so long


def tree_of(paths: Iterable[str]) -> Tree:
    """Paths as a tree; a parent covers its children."""
    tree: Tree = {}
    whole: set[str] = set()
    for path in sorted(paths, key=len):
        names = path.split(".")
        parents = (".".join(names[:count]) for count in range(1, len(names)))
        if whole.isdisjoint(parents):
            node = tree
            for name in names:
                node = node.setdefault(name, {})
            whole.add(path)
    return tree


def validate(of: Message, document: Document, tree: Tree, *, unix_us: int) -> Invalid | None:
    """What is wrong with a message, as far as ``tree`` goes; None when it is right."""
    for field in of.fields.values():
        below = _below(tree, field)
        if below is None:
            continue
        invalid = _validate_field(of, field, document.get(field.name), below, unix_us)
        if invalid is not None:
            return invalid
    for group, (names, is_required) in of.oneofs.items():
        is_looked_at = not tree or group in tree
        if is_required and is_looked_at and not any(name in document for name in names):
            return Invalid(of.name, group, "value is required")
    return None


def _below(tree: Tree, field: Field) -> Tree | None:
    """The part of a tree that is about a field; None when the tree leaves it out."""
    if not tree:
        return tree
    if field.oneof is not None and field.oneof in tree:
        inner = tree[field.oneof]
        return inner.get(field.name) if inner else {}
    return tree.get(field.name)


def _validate_field(
    of: Message, field: Field, value: Any, below: Tree, unix_us: int
) -> Invalid | None:
    rules = field.rules
    if value is None and "required" in rules:
        return Invalid(of.name, field.name, "value is required")
    if field.kind == "time":
        reason = _time_reason(rules, value, unix_us)
        return Invalid(of.name, field.name, reason) if reason else None
    if field.is_list or field.is_map:
        return _validate_many(of, field, value or (), unix_us)
    if field.wrapper is not None:
        return _validate_wrapper(of, field, value)
    if field.kind == "message":
        return _embedded(of, field.name, field, value, below, unix_us)
    zero = field.zero
    if value is None:
        value = None if zero is NO_ZERO else zero
    reason = _reason(_checks(of.name, field.name), value)
    return Invalid(of.name, field.name, reason) if reason else None


def _embedded(
    of: Message, name: str, field: Field, value: Any, below: Tree, unix_us: int
) -> Invalid | None:
    if value is None:
        return None
    cause = validate(message(field.of), value, below, unix_us=unix_us)
    reason = "embedded message failed validation"
    return Invalid(of.name, name, reason, cause) if cause else None


def _validate_wrapper(of: Message, field: Field, value: Any) -> Invalid | None:
    reason = None if value is None else _reason(_checks(of.name, field.name), value)
    if not reason:
        return None
    if not field.wrapper:
        return Invalid(of.name, field.name, reason)
    cause = Invalid(field.wrapper, "value", reason)
    return Invalid(of.name, field.name, "embedded message failed validation", cause)


def _validate_many(of: Message, field: Field, values: Any, unix_us: int) -> Invalid | None:
    reason = _count_reason(field, values)
    if reason:
        return Invalid(of.name, field.name, reason)
    pairs = values.items() if isinstance(values, dict) else enumerate(values)
    checks, key_checks = _checks(of.name, field.name), _key_checks(of.name, field.name)
    for key, value in pairs:
        name = f"{field.name}[{key}]"
        reason = (_reason(key_checks, key) if field.is_map else None) or _reason(checks, value)
        if reason:
            return Invalid(of.name, name, reason)
        if field.kind == "message":
            invalid = _embedded(of, name, field, value, {}, unix_us)
            if invalid is not None:
                return invalid
    return None


def _count_reason(field: Field, values: Any) -> str | None:
    rules, count = field.rules, len(values)
    if count > int(rules.get("max_items", count)):
        return f"value must contain no more than {rules['max_items']} item(s)"
    if count < int(rules.get("min_items", 0)):
        return f"value must contain at least {rules['min_items']} item(s)"
    if count > int(rules.get("max_pairs", count)):
        return f"value must contain no more than {rules['max_pairs']} pair(s)"
    if "unique" in rules and len(set(values)) < count:
        return "repeated value must contain unique items"
    return None


def _time_reason(rules: dict[str, str], value: str | None, unix_us: int) -> str | None:
    if value is None or not ("gt_now" in rules or "lt_now" in rules):
        return None
    is_later = parse_time(value) > unix_us * (NANOSECONDS // 1_000_000)
    if "gt_now" in rules:
        return None if is_later else "value must be greater than now"
    return "value must be less than now" if is_later else None


def _reason(checks: list[Check], value: Any) -> str | None:
    for check in checks:
        reason = check(value)
        if reason:
            return reason
    return None


@cache
def _checks(owner: str, name: str) -> list[Check]:
    """What a single value of a field must satisfy."""
    field = message(owner).fields[name]
    prefix = "items." if field.is_list else "values." if field.is_map else ""
    rules = _with_prefix(field.rules, prefix)
    checks = [_RULES[rule](text, field) for rule, text in rules.items() if rule in _RULES]
    if field.kind == "enum" and not enum(field.of).is_open:
        known = frozenset(enum(field.of).by_number.values())
        checks.append(
            lambda value: None if value in known else "value must be one of the defined enum values"
        )
    if field.kind == "hex":
        checks.append(_width_check(field.width))
    bounds = _bounds_check(rules)
    if bounds is not None:
        checks.append(bounds)
    if "ignore_empty" in rules:
        return [_unless_empty(check) for check in checks]
    return checks


@cache
def _key_checks(owner: str, name: str) -> list[Check]:
    field = message(owner).fields[name]
    text = Field(name, "string")
    rules = _with_prefix(field.rules, "keys.")
    return [_RULES[rule](value, text) for rule, value in rules.items() if rule in _RULES]


def _with_prefix(rules: dict[str, str], prefix: str) -> dict[str, str]:
    return {
        name.removeprefix(prefix): text
        for name, text in rules.items()
        if name.startswith(prefix) and (prefix or "." not in name)
    }


def _unless_empty(check: Check) -> Check:
    return lambda value: check(value) if value else None


def _pattern_check(name: str, _: Field) -> Check:
    pattern, shown = _COMPILED[name], PATTERNS[name].replace("\\", "\\\\")
    reason = f'value does not match regex pattern "{shown}"'
    return lambda value: (
        None if len(value) < _TOO_LONG and pattern.match(value) is not None else reason
    )


def _length_check(text: str, field: Field) -> Check:
    most, unit = int(text), "bytes" if field.kind == "bytes" else "runes"
    reason = f"value length must be at most {most} {unit}"
    return lambda value: reason if _length(field, value) > most else None


def _least_length_check(text: str, field: Field) -> Check:
    least, unit = int(text), "bytes" if field.kind == "bytes" else "runes"
    reason = f"value length must be at least {least} {unit}"
    return lambda value: reason if _length(field, value) < least else None


def _length(field: Field, value: str) -> int:
    return len(base64.b64decode(value)) if field.kind == "bytes" else len(value)


def _width_check(width: int) -> Check:
    reason = f"value length must be {width} bytes"
    return lambda value: reason if value and len(value) != 2 * width else None


def _choice_check(text: str, _: Field) -> Check:
    words = text.split(",")
    reason = f"value must be in list [{' '.join(words)}]"
    return lambda value: None if value in words else reason


def _not_in_check(text: str, _: Field) -> Check:
    numbers = [int(word) for word in text.split(",")]
    reason = f"value must not be in list [{' '.join(map(str, numbers))}]"
    return lambda value: reason if value in numbers else None


def _email_check(_: str, __: Field) -> Check:
    reason = "value must be a valid email address"
    return lambda value: None if _EMAIL.fullmatch(value[:400]) else reason


def _uri_check(_: str, __: Field) -> Check:
    return _uri_reason


def _uri_reason(value: str) -> str | None:
    if _NOT_IN_URI.search(value):
        return "value must be a valid URI"
    try:
        parts = urlsplit(value)
        _ = parts.port  # read: only then is it checked
    except ValueError:
        return "value must be a valid URI"
    return None if parts.scheme else "value must be absolute"


def _outside_check(text: str, _: Field) -> Check:
    least = int(text)
    reason = f"value must be outside range (0, {least})"
    return lambda value: reason if 0 < int(value) < least else None


def _bounds_check(rules: dict[str, str]) -> Check | None:
    low, above, high = rules.get("gte"), rules.get("gt"), rules.get("lte")
    least = low if low is not None else above
    if least is None and high is None:
        return None
    if least is not None and high is not None:
        bracket = "[" if low is not None else "("
        reason = f"value must be inside range {bracket}{least}, {high}]"
    elif least is not None:
        reason = f"value must be greater than or equal to {least}"
    else:
        reason = f"value must be less than or equal to {high}"

    def check(value: Any) -> str | None:
        number = float(value)
        is_low = least is not None and (
            number < float(least) or (low is None and number == float(least))
        )
        is_high = high is not None and number > float(high)
        return reason if is_low or is_high else None

    return check


_RULES: dict[str, Callable[[str, Field], Check]] = {
    "pattern": _pattern_check,
    "max_len": _length_check,
    "min_len": _least_length_check,
    "in": _choice_check,
    "not_in": _not_in_check,
    "email": _email_check,
    "uri": _uri_check,
    "zero_or_gte": _outside_check,
}
