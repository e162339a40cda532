"""
Allure results without secrets: every file that allure-pytest writes is redacted on its way.
"""

from __future__ import annotations

from typing import Any

from scenarios.secrets import SecretRegistry


def redact_allure(secrets: SecretRegistry) -> None:
    """Put a redacting writer in place of allure's own, if allure is in use."""
    try:
        import allure_commons
        from allure_commons.logger import AllureFileLogger
    except ImportError:
        return

    class Redacting(AllureFileLogger):
        def _report_item(self, item: Any) -> None:
            _redact_members(item, secrets)
            super()._report_item(item)  # type: ignore[no-untyped-call]

    for writer in allure_commons.plugin_manager.get_plugins():
        if type(writer) is AllureFileLogger:
            writer.__class__ = Redacting


def _redact_members(item: Any, secrets: SecretRegistry) -> None:
    for name, value in vars(item).items():
        if isinstance(value, str):
            setattr(item, name, _shown(value, secrets))
        elif isinstance(value, list):
            setattr(item, name, [_redacted(each, secrets) for each in value])
        elif hasattr(value, "__dict__"):
            _redact_members(value, secrets)


def _redacted(value: Any, secrets: SecretRegistry) -> Any:
    if hasattr(value, "__dict__") and not isinstance(value, type):
        _redact_members(value, secrets)
        return value
    return _shown(value, secrets) if isinstance(value, str) else secrets.redact(value)


def _shown(text: str, secrets: SecretRegistry) -> str:
    """Without secrets, and without lone surrogates, for which a UTF-8 file has no form."""
    return secrets.redact(text).encode("utf-8", "backslashreplace").decode()
