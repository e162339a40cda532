"""
URI templates as addresses of webhooks use them: all forms of RFC 6570 with texts as values.

Source: RFC 6570, section 3.2 and appendix A.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import quote

_EXPRESSION = re.compile(r"\{([+#./;?&]?)([^{}]*)\}")
_VARIABLE = re.compile(r"([A-Za-z0-9_.%]+)(?:\*|:(\d{1,4}))?", re.ASCII)
_RESERVED = ":/?#[]@!$&'()*+,;="


class _Form(NamedTuple):
    first: str
    separator: str
    is_named: bool = False
    if_empty: str = ""
    safe: str = ""


_FORMS = {
    "": _Form("", ","),
    "+": _Form("", ",", safe=_RESERVED),
    "#": _Form("#", ",", safe=_RESERVED),
    ".": _Form(".", "."),
    "/": _Form("/", "/"),
    ";": _Form(";", ";", is_named=True),
    "?": _Form("?", "&", is_named=True, if_empty="="),
    "&": _Form("&", "&", is_named=True, if_empty="="),
}


def expand(template: str, values: Mapping[str, str]) -> str:
    """
    Fill a template in; variables without a value are left out.

    Raises:
        ValueError: the template is none.
    """
    result = _EXPRESSION.sub(lambda match: _expanded(match[1], match[2], values), template)
    if "{" in _EXPRESSION.sub("", template) or "}" in _EXPRESSION.sub("", template):
        raise ValueError(f"expected a URI template; got {template!r}")
    return result


def _expanded(operator: str, names: str, values: Mapping[str, str]) -> str:
    form = _FORMS[operator]
    parts = []
    for one in names.split(","):
        match = _VARIABLE.fullmatch(one)
        if match is None:
            raise ValueError(f"expected a variable's name; got {one!r}")
        value = values.get(match[1])
        if value is not None:
            parts.append(_part(form, match[1], value[: int(match[2])] if match[2] else value))
    return form.first + form.separator.join(parts) if parts else ""


def _part(form: _Form, name: str, value: str) -> str:
    text = quote(value, safe=form.safe)
    if not form.is_named:
        return text
    return f"{name}={text}" if text else f"{name}{form.if_empty}"
