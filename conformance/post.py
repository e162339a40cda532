"""
The mail of the run's users, and sharing as an arrangement: done, and confirmed by e-mail where the
platform asks for it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import pytest

from conformance.clients.exchange import Response
from conformance.clients.mailbox import Mail, MailboxError, open_mailbox
from conformance.outcomes import Inconclusive, NotApplicable, NotRun
from conformance.people import Home, User
from conformance.run import Run
from conformance.thethings_io.app_shapes import seen
from conformance.tidy import FLAGS

MAIL_S = {"folder": 5.0, "imap": 60.0}
"""How long a message may take until it can be read."""
LOOK_S = 0.1
WITHOUT_MAIL_S = 2.0

Flags = Mapping[str, bool]


class Post:
    """The mail of the run's users."""

    def __init__(self, run: Run) -> None:
        document = run.target.document.get("mailbox")
        if not document:
            raise NotRun("the target file has no [mailbox]")
        self._run = run
        self._mailbox = open_mailbox(document)
        self.patience_s = MAIL_S["folder" if "folder" in document else "imap"]
        self._seen: set[Mail] = set()

    def new(self, *addresses: str) -> list[Mail]:
        """
        Mail for these addresses with links in it that nobody has looked at yet.

        Raises:
            Inconclusive: the mailbox cannot be read.
        """
        try:
            found = [mail for each in addresses for mail in self._mailbox.messages(each)]
        except MailboxError as problem:
            raise Inconclusive(f"the mailbox cannot be read: {problem}") from problem
        fresh = [mail for mail in dict.fromkeys(found) if mail.links and mail not in self._seen]
        self._seen.update(fresh)
        return fresh

    def wait_for(self, *addresses: str) -> Mail | None:
        """The next mail with a link, or None when none has come in time."""
        deadline = time.monotonic() + self.patience_s
        while not (found := self.new(*addresses)) and time.monotonic() < deadline:
            time.sleep(LOOK_S)
        return found[0] if found else None

    def link_in(self, mail: Mail) -> str:
        """The link that confirms: one of the platform's own if there is any."""
        own = [link for link in mail.links if link.startswith(self._run.target.url)]
        longest = max(own or mail.links, key=len)
        self._run.secrets.add("confirmation", longest.rstrip("/").rpartition("/")[2])
        return longest

    def open(self, link: str) -> Response:
        """What a browser does when the link is clicked."""
        return self._run.open_link(link)


class Confirming:
    """Waits until something is so, and opens the links that arrive meanwhile."""

    def __init__(self, run: Run, post: Post | None) -> None:
        self._run = run
        self._post = post

    def until(self, is_so: Callable[[], bool], *addresses: str) -> bool:
        """Whether it is so in time; links in mail to these addresses are opened."""
        patience_s = self._post.patience_s if self._post else WITHOUT_MAIL_S
        deadline = time.monotonic() + patience_s
        while not is_so():
            if time.monotonic() > deadline:
                self._explain()
                return False
            if self._post:
                for mail in self._post.new(*addresses):
                    self._post.open(self._post.link_in(mail))
            time.sleep(LOOK_S / 4)
        return True

    def put_aside(self, *addresses: str) -> None:
        """Wait for the next mail and leave it as it is, lest somebody else takes it for theirs."""
        if self._post:
            self._post.wait_for(*addresses)

    def _explain(self) -> None:
        """Without a mailbox nobody knows whether a confirmation is waited for."""
        why = "it is not effective at once, and a confirmation cannot be read"
        if "mailbox" in self._run.target.lacks:
            raise NotApplicable(f"{why}: the target file declares that the target lacks mailbox")
        if self._post is None:
            raise NotRun(f"{why}: the target file has no [mailbox], nor lacks 'mailbox'")

    def share(self, home: Home, other: User, keys: list[str], flags: Flags, text: str) -> Response:
        """
        Share resources, and wait until the other reads ``text`` in the first; the answer.

        Raises:
            Inconclusive: that does not happen.
        """
        answer = home.owner.grant({key: {home.id: dict(flags)} for key in keys}, email=other.email)
        reads = lambda: seen([text], other.read(keys[0], home.id)) == [text]  # noqa: E731
        if not answer.is_success or not self.until(reads, other.email, home.owner.email):
            raise Inconclusive(f"what was shared cannot be read: {answer.summary()}")
        return answer

    def take_back(self, home: Home, other: User, keys: list[str], text: str) -> bool:
        """Take every flag back; whether the other reads ``text`` no more."""
        home.owner.grant(
            {key: {home.id: dict.fromkeys(FLAGS, False)} for key in keys}, email=other.email
        )
        reads = lambda: seen([text], other.read(keys[0], home.id)) == []  # noqa: E731
        return self.until(reads, other.email, home.owner.email)


@pytest.fixture(scope="session")
def post(run: Run) -> Post:
    """The mailbox of the target file."""
    return Post(run)


@pytest.fixture(scope="session")
def confirming(run: Run, request: pytest.FixtureRequest) -> Confirming:
    """Confirms what tests share, if there is a mailbox."""
    has_mailbox = run.target.document.get("mailbox") and "mailbox" not in run.target.lacks
    return Confirming(run, request.getfixturevalue("post") if has_mailbox else None)
