"""
Formatters in JavaScript: which functions of a script are called with what, and what they return.

A script has ``decodeUplink`` and ``normalizeUplink``, ``encodeDownlink``, ``decodeDownlink``, or
the older ``Decoder`` and ``Encoder``. Running it is somebody else's work; see ``scripting``.
"""

from __future__ import annotations

import base64
from typing import Any

import orjson

from simulators.platforms.scripting.worker import Job, Result
from simulators.platforms.things_stack.application_server import normalized_payload
from simulators.platforms.things_stack.errors import StackError

Document = dict[str, Any]

_SCRIPTING = "pkg/scripting/javascript"
_PROCESSING = "pkg/messageprocessors/javascript"

# What each direction adds to a script. The names that scripts see are those of the platform.
_DECODE_UPLINK = """
function main({ bytes, fPort }) {
  if (typeof decodeUplink !== 'function') return { decoded: { data: Decoder(bytes, fPort) } };
  const decoded = decodeUplink({ bytes, fPort });
  const { data, errors } = decoded;
  const isNormalized = !(errors && errors.length) && data && typeof normalizeUplink === 'function';
  return { decoded, normalized: isNormalized ? normalizeUplink({ data }) : undefined };
}
"""
_ENCODE_DOWNLINK = """
function main({ data, fPort }) {
  if (typeof encodeDownlink === 'function') return encodeDownlink({ data, fPort });
  return { bytes: Encoder(data, fPort), fPort };
}
"""
_DECODE_DOWNLINK = """
function main({ bytes, fPort }) {
  return decodeDownlink({ bytes, fPort });
}
"""


def _job(script: str, call: str, value: Document) -> Job:
    # The script begins on a line of its own, so that its places are told right.
    return Job(f"{script}\n{call}", orjson.dumps(value).decode())


def _bytes_input(message: Document) -> Document:
    payload = base64.b64decode(message.get("frm_payload", ""))
    return {"bytes": list(payload), "fPort": message.get("f_port", 0)}


# --- uplinks


def uplink_job(script: str, uplink: Document) -> Job:
    """Decode an uplink's bytes."""
    return _job(script, _DECODE_UPLINK, _bytes_input(uplink))


def uplink_members(result: Result) -> Document:
    """
    What a script adds to an uplink: values, normalized ones, warnings.

    Raises:
        StackError: the script failed, or returned what no uplink can have.
    """
    output = _output(result)
    decoded = _members(output.get("decoded"))
    members = _values(decoded)
    given = output.get("normalized")
    if given is None:
        measurements = [members["decoded_payload"]]
        return members | normalized_payload.inferred(measurements)
    normalized = _members(given)
    _check_errors(normalized)
    data = normalized.get("data")
    if data is None:
        return members
    measurements = data if isinstance(data, list) else [data]
    if not all(isinstance(measurement, dict) for measurement in measurements):
        raise _invalid_output("no object")
    return members | _normalized(measurements, _texts(normalized, "warnings"))


def _normalized(measurements: list[Document], warnings: list[str]) -> Document:
    try:
        return normalized_payload.checked(measurements, warnings)
    except StackError as error:
        raise StackError(f"{_PROCESSING}:output", cause=error) from error


# --- downlinks


def encode_job(script: str, downlink: Document) -> Job:
    """Encode a downlink's values."""
    value = {"data": downlink["decoded_payload"], "fPort": downlink.get("f_port", 0)}
    return _job(script, _ENCODE_DOWNLINK, value)


def encoded_members(result: Result, downlink: Document) -> Document:
    """
    What a script adds to a downlink: bytes, a port, warnings.

    Raises:
        StackError: the script failed, or returned what no downlink can have.
    """
    output = _output(result)
    _check_errors(output)
    payload, f_port = _byte_list(output.get("bytes")), output.get("fPort")
    members: Document = {}
    if payload:
        members["frm_payload"] = base64.b64encode(payload).decode()
    if f_port is not None:
        members["f_port"] = _byte(f_port)
    elif not downlink.get("f_port"):
        members["f_port"] = 1
    return members | _warnings(output)


def decode_job(script: str, downlink: Document) -> Job:
    """Decode a downlink's bytes."""
    return _job(script, _DECODE_DOWNLINK, _bytes_input(downlink))


def decoded_members(result: Result) -> Document:
    """
    What a script adds to a downlink: values, warnings.

    Raises:
        StackError: the script failed, or returned what no downlink can have.
    """
    return _values(_output(result))


# --- what scripts return


def _output(result: Result) -> Document:
    """The object that a script returned."""
    if result.error is not None:
        raise _failure(result)
    if result.value is None:
        cause = StackError(f"{_SCRIPTING}:no_script_output")
        raise StackError(f"{_PROCESSING}:output", cause=cause)
    return _members(result.value)


def _failure(result: Result) -> StackError:
    """Why a script gave nothing, in the platform's words."""
    message = {"message": result.message}
    if result.error == "timeout":
        return StackError(f"{_SCRIPTING}:script_timeout")
    if result.error == "no main":
        return StackError(f"{_SCRIPTING}:entrypoint_not_found", {"entrypoint": "main"})
    if result.error == "compile":
        return StackError(f"{_SCRIPTING}:runtime", message)
    if result.error == "call":
        return StackError(f"{_SCRIPTING}:script", message)
    if result.error == "value":
        return _invalid_output(result.message)
    return StackError(f"{_SCRIPTING}:script_interrupt")  # cut off for something else than time


def _invalid_output(message: str) -> StackError:
    cause = StackError(f"{_SCRIPTING}:runtime", {"message": message})
    return StackError(f"{_PROCESSING}:output", cause=cause)


def _members(value: Any) -> Document:
    if not isinstance(value, dict):
        raise _invalid_output("no object")
    return value


def _values(output: Document) -> Document:
    _check_errors(output)
    data = output.get("data")
    return {"decoded_payload": {} if data is None else _members(data)} | _warnings(output)


def _check_errors(output: Document) -> None:
    errors = _texts(output, "errors")
    if errors:
        raise StackError(f"{_PROCESSING}:output_errors", {"errors": ", ".join(errors)})


def _warnings(output: Document) -> Document:
    warnings = _texts(output, "warnings")
    return {"decoded_payload_warnings": warnings} if warnings else {}


def _texts(output: Document, name: str) -> list[str]:
    """A list of texts; what is none becomes one."""
    values = output.get(name)
    if values is None:
        return []
    if not isinstance(values, list):
        raise _invalid_output(f"{name} are no list")
    return [value if isinstance(value, str) else orjson.dumps(value).decode() for value in values]


def _byte_list(values: Any) -> bytes:
    if values is None:
        return b""
    if isinstance(values, dict) and all(name.isdecimal() for name in values):
        values = list(values.values())  # a typed array
    if not isinstance(values, list):
        raise _invalid_output("bytes are no list")
    return bytes(_byte(value) for value in values)


def _byte(value: Any) -> int:
    """A number as a byte, as the platform does it: cut off, and what is beyond a byte wraps."""
    if isinstance(value, int | float):
        return int(value) & 0xFF
    try:
        return int(float(value)) & 0xFF
    except (TypeError, ValueError, OverflowError):
        return 0
