"""
A curl line that repeats an exchange, with secrets as shell variables.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from conformance.clients.exchange import Exchange

Redact = Callable[[str], str]
_PORTS = {"http": 80, "https": 443}
_PLACEHOLDER = re.compile(r"<([a-z_]+):(\d+)(?::…[^<>]{4})?>")


def curl_line(exchange: Exchange, redact: Redact, origins: Mapping[str, str]) -> str:
    """
    The line; a comment at its end tells which key of the target file fills each variable.

    Args:
        redact: writes placeholders in place of secrets.
        origins: what to say about each placeholder.
    """
    names: dict[str, str] = {}
    line = " | ".join(
        " ".join(_quoted(part, names) for part in command)
        for command in _commands(exchange, redact)
    )
    notes = "; ".join(
        f"{name}: {origins.get(placeholder, 'known only to this run')}"
        for placeholder, name in names.items()
    )
    return f"{line}  # {notes}" if notes else line


def _commands(exchange: Exchange, redact: Redact) -> list[list[str]]:
    """The words of curl; of printf into a plain connection for bytes that curl would tidy up."""
    if exchange.raw is None:
        url = redact(exchange.url + exchange.target)
        return [["curl", "-i", *_options(exchange, redact), url]]
    address = urlsplit(exchange.url)
    host, port = address.hostname or "", str(address.port or _PORTS[address.scheme])
    plain = ["nc", "-w", "5", host, port]
    secured = ["openssl", "s_client", "-quiet", "-connect", f"{host}:{port}"]
    text = "".join(map(_printable, exchange.raw))
    return [["printf", "%b", redact(text)], secured if address.scheme == "https" else plain]


def _printable(byte: int) -> str:
    """A byte as ``printf %b`` reads it."""
    known = {0x0A: "\\n", 0x0D: "\\r", 0x5C: "\\\\"}
    return known.get(byte) or (chr(byte) if 0x20 <= byte < 0x7F else f"\\0{byte:03o}")


def _options(exchange: Exchange, redact: Redact) -> list[str]:
    options = [] if exchange.method == "GET" else ["-X", exchange.method]
    for name, value in exchange.headers.items():
        options += ["-H", redact(f"{name}: {value}")]
    if exchange.body:
        if "content-type" not in (name.lower() for name in exchange.headers):
            options += ["-H", "Content-Type:"]  # or curl would send one of its own
        options += ["--data-raw", redact(exchange.body.decode("utf-8", "replace"))]
    return options


def _quoted(text: str, names: dict[str, str]) -> str:
    """One shell word; placeholders become variables, everything else stays literal."""
    if re.fullmatch(r"[A-Za-z0-9_./:=@%+,-]+", text):
        return text
    if not _PLACEHOLDER.search(text):
        return "'" + text.replace("'", "'\\''") + "'"
    pieces: list[str] = []
    done = 0
    for found in _PLACEHOLDER.finditer(text):
        pieces += [_escaped(text[done : found.start()]), f"${{{_name(found, names)}}}"]
        done = found.end()
    return '"' + "".join([*pieces, _escaped(text[done:])]) + '"'


def _escaped(text: str) -> str:
    return re.sub(r'([\\"$`])', r"\\\1", text)


def _name(found: re.Match[str], names: dict[str, str]) -> str:
    placeholder = found[0]
    if placeholder not in names:
        kind = found[1].upper()
        number = sum(name.startswith(kind) for name in names.values())
        names[placeholder] = f"{kind}_{number + 1}" if number else kind
    return names[placeholder]
