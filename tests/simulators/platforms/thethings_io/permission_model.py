"""
Who may do what, told a second time and as plainly as possible, to be held against the server.

Knows nothing of the server's code, tables or answers. Rights are recomputed from the whole history
of what holds, each time they are asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, field

Rights = frozenset[str]
EVERYTHING = frozenset({"get", "post", "grant"})
NOTHING: Rights = frozenset()


@dataclass(frozen=True)
class Share:
    """``giver`` lets ``taker`` have rights on a resource of a thing."""

    giver: str
    taker: str
    thing: str
    resource: str
    rights: Rights


@dataclass(frozen=True)
class Letter:
    """What somebody was asked to confirm by e-mail: a share when ``taker`` is another user."""

    number: int
    app: str
    giver: str
    taker: str
    wanted: tuple[tuple[str, str, Rights], ...]  # thing, resource, rights


@dataclass
class Model:
    """Users, official and other apps, things, and everything that holds between them."""

    official: frozenset[str]
    owners: dict[str, str] = field(default_factory=dict)  # thing → user
    shares: list[Share] = field(default_factory=list)
    let: dict[tuple[str, str, str, str], Rights] = field(default_factory=dict)
    members: set[tuple[str, str]] = field(default_factory=set)  # app, user
    letters: list[Letter] = field(default_factory=list)
    _count: int = 0

    # --- what follows from it

    def of_users(self, thing: str, resource: str) -> dict[str, Rights]:
        """Rights of every user: the owner's, and what can be traced back to the owner."""
        held: dict[str, Rights] = {}
        if thing in self.owners:
            held[self.owners[thing]] = EVERYTHING
        while True:
            before = dict(held)
            for share in self.shares:
                if (share.thing, share.resource) == (thing, resource):
                    source = held.get(share.giver, NOTHING)
                    passed = share.rights & source if "grant" in source else NOTHING
                    held[share.taker] = held.get(share.taker, NOTHING) | passed
            if held == before:
                return held

    def of_user(self, user: str, thing: str, resource: str) -> Rights:
        return self.of_users(thing, resource).get(user, NOTHING)

    def of_session(self, app: str, user: str, thing: str, resource: str) -> Rights:
        """What a user can do through an app."""
        own = self.of_user(user, thing, resource)
        if app in self.official:
            return own
        return own & self.let.get((app, user, thing, resource), NOTHING)

    # --- what users do

    def register(self, app: str, user: str) -> None:
        self.members.add((app, user))

    def link(self, app: str, user: str, thing: str) -> bool:
        if app not in self.official or self.owners.get(thing, user) != user:
            return False
        self.owners[thing] = user
        return True

    def unlink(self, app: str, user: str, thing: str) -> bool:
        if app not in self.official or self.owners.get(thing) != user:
            return False
        del self.owners[thing]
        self.shares = [share for share in self.shares if share.thing != thing]
        self.let = {key: rights for key, rights in self.let.items() if key[2] != thing}
        self.letters = [
            letter
            for letter in self.letters
            if all(about != thing for about, _, _ in letter.wanted)
        ]
        return True

    def ask(self, app: str, user: str, thing: str, resource: str, rights: Rights) -> str:
        """An app asks its user: ``refused``, ``granted``, or the letter's number."""
        own = self.of_user(user, thing, resource)
        if not own or not rights <= own:
            return "refused"
        if app in self.official:
            return "granted"
        key = (app, user, thing, resource)
        if rights <= self.let.get(key, NOTHING):
            self.let[key] = rights
            return "granted"
        return self._write(app, user, user, thing, resource, rights)

    def share(
        self, app: str, giver: str, taker: str, thing: str, resource: str, rights: Rights
    ) -> str:
        """A user shares through an app: as ``ask``."""
        own = self.of_session(app, giver, thing, resource)
        if "grant" not in own or not rights <= own:
            return "refused"
        if app in self.official or rights <= self._given(giver, taker, thing, resource):
            self._give(Share(giver, taker, thing, resource, rights))
            return "granted"
        return self._write(app, giver, taker, thing, resource, rights)

    def confirm(self, number: int) -> bool:
        """Somebody opens the link of a letter."""
        found = [letter for letter in self.letters if letter.number == number]
        self.letters = [letter for letter in self.letters if letter.number != number]
        return bool(found) and self._carry_out(found[0])

    # --- how it comes to hold

    def _write(self, app: str, giver: str, taker: str, thing: str, resource: str, rights: Rights):
        self._count += 1
        wanted = ((thing, resource, rights),)
        self.letters.append(Letter(self._count, app, giver, taker, wanted))
        return str(self._count)

    def _carry_out(self, letter: Letter) -> bool:
        for thing, resource, rights in letter.wanted:
            if letter.giver == letter.taker:
                own = self.of_user(letter.giver, thing, resource)
                allowed = bool(own) and rights <= own
            else:
                own = self.of_session(letter.app, letter.giver, thing, resource)
                allowed = "grant" in own and rights <= own
            if not allowed:
                return False
        for thing, resource, rights in letter.wanted:
            key = (letter.app, letter.taker, thing, resource)
            if letter.giver == letter.taker:
                self.let[key] = rights
                continue
            self._give(Share(letter.giver, letter.taker, thing, resource, rights))
            if letter.app not in self.official and (letter.app, letter.taker) in self.members:
                self.let[key] = self.let.get(key, NOTHING) | rights
        return True

    def _given(self, giver: str, taker: str, thing: str, resource: str) -> Rights:
        is_owner = self.owners.get(thing) == giver
        found: Rights = NOTHING
        for share in self.shares:
            if (share.taker, share.thing, share.resource) == (taker, thing, resource) and (
                is_owner or share.giver == giver
            ):
                found |= share.rights
        return found

    def _give(self, new: Share) -> None:
        is_owner = self.owners.get(new.thing) == new.giver
        self.shares = [
            share
            for share in self.shares
            if (share.taker, share.thing, share.resource) != (new.taker, new.thing, new.resource)
            or not (is_owner or share.giver == new.giver)
        ]
        if new.rights:
            self.shares.append(new)
        self._forget_unfounded(new.thing, new.resource)

    def _forget_unfounded(self, thing: str, resource: str) -> None:
        """What a giver has lost, those he gave to have lost for good: it does not come back."""
        held = self.of_users(thing, resource)
        kept: list[Share] = []
        for share in self.shares:
            if (share.thing, share.resource) == (thing, resource):
                source = held.get(share.giver, NOTHING)
                rights = share.rights & source if "grant" in source else NOTHING
                share = Share(share.giver, share.taker, thing, resource, rights)
            if share.rights:
                kept.append(share)
        self.shares = kept
