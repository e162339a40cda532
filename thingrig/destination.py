"""Where something is played to: a target file, a URL, or an embedded server of our own."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from conformance import targets
from conformance.clients.mailbox import Mail, read_mail
from scenarios.engine import Access
from scenarios.files import FileError
from scenarios.people import AppAccess
from simulators.apps.person import DEFAULT_ADDRESS
from simulators.platforms.embedded import EmbeddedError, embedded_server
from simulators.platforms.provisioning import (
    DEMO_APP,
    DEMO_UNOFFICIAL_APP,
    default_provisioning,
)
from simulators.randomness import RandomStreams
from thingrig.errors import NoJudgement, UsageProblem


@contextmanager
def destination(platform: str, path: str | None, url: str | None) -> Iterator[targets.Target]:
    """
    The target of that platform; without file and URL an embedded server, for as long as it lasts.

    Raises:
        FileError: the target file is wrong.
        UsageProblem: it is for another platform, or not to be written to.
        NoJudgement: the embedded server did not start.
    """
    with _found(platform, path, url) as target:
        if target.platform != platform:
            what = f"expected a target of platform {platform}"
            raise UsageProblem(f"{what}; got '{target.platform}'")
        if "write" not in target.allow:
            raise UsageProblem("expected a target whose limits.allow holds 'write'; got none")
        yield target


@contextmanager
def _found(platform: str, path: str | None, url: str | None) -> Iterator[targets.Target]:
    if path is not None:
        yield targets.read_target(path, url=url)
        return
    if url is not None:
        targets.check_url(url)
        yield targets.Target(platform, url.rstrip("/"), document=_built_in_document())
        return
    try:
        with embedded_server(platform) as server:
            yield targets.from_document(server.target, kind="embedded")
    except EmbeddedError as problem:
        raise NoJudgement(str(problem)) from problem


def access_to(target: targets.Target) -> Access:
    """The credentials that devices and people may use."""
    return Access(
        activation_codes=tuple(target.credential("activation_codes", ())),
        thing_tokens=tuple(target.credential("thing_tokens", ())),
        product_id=target.credential("product_id"),
        app=_apps_of(target),
    )


def _apps_of(target: targets.Target) -> AppAccess | None:
    """Apps, accounts and the mail; a mailbox behind IMAP would hold up everybody else."""
    if not target.credential("app_id"):
        return None
    mailbox = target.document.get("mailbox", {})
    return AppAccess(
        app_id=target.credential("app_id"),
        unofficial_app_id=target.credential("unofficial_app_id"),
        accounts=tuple((user["email"], user["password"]) for user in _users_of(target)),
        can_register="registration" not in target.lacks,
        letters=FolderLetters(Path(mailbox["folder"])) if "folder" in mailbox else None,
        address=mailbox.get("address", DEFAULT_ADDRESS),
    )


def _users_of(target: targets.Target) -> list[dict[str, Any]]:
    return list(target.credential("users", ()))


class FolderLetters:
    """
    What people get by e-mail, from the folder that a target file names.

    Each message is read once: whoever asks is held up, and so is everybody else.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: set[str] = set()
        self._texts: dict[str, list[str]] = {}

    def texts(self, address: str) -> list[str]:
        """See Letters; a folder that cannot be read has nothing in it."""
        for path in sorted(self._folder.rglob("*")):
            name = path.name.partition(":")[0]  # a reader beside us may have marked it as seen
            if name not in self._known and path.parent.name != "tmp" and path.is_file():
                self._known.add(name)
                with contextlib.suppress(OSError):
                    self._take(read_mail(path.read_bytes()))
        return self._texts.get(address.lower(), [])

    def _take(self, mail: Mail) -> None:
        for address in mail.to:
            self._texts.setdefault(address, []).append(mail.text)


def tls_to(target: targets.Target) -> ssl.SSLContext | None:
    """What to trust; None without TLS."""
    if not target.url.startswith("https:"):
        return None
    try:
        return ssl.create_default_context(cafile=target.ca_file)
    except (OSError, ssl.SSLError) as problem:
        raise FileError(str(target.ca_file), None, "expected certificates in PEM form") from problem


def _built_in_document() -> dict[str, Any]:
    """For a URL without a target file: what ``thingrig serve`` gives out when told nothing else."""
    provisioning = default_provisioning(RandomStreams(0).stream("thethings-io", "provisioning"))
    codes = [each.code for each in provisioning.activation_codes]
    tokens = [each.thing_token for each in provisioning.things]
    apps = {"app_id": DEMO_APP, "unofficial_app_id": DEMO_UNOFFICIAL_APP}
    return {"credentials": {"activation_codes": codes, "thing_tokens": tokens, **apps}}
