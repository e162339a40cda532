"""
The app side of thethings.iO from its documents alone, unlike the reference where they are silent.

Statuses, messages, further members, shapes of roles and streams, what a second link brings, who
gets the mail: all of it is another lawful choice. ``python free_platform.py FOLDER`` prints its
URL when it is ready, and writes its mail into the folder.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

CODES = [f"a-code-that-nobody-has-used-{number}" for number in range(5)]
TOKENS = [f"{letter * 40}aaa" for letter in "PQRS"]
APPS = {"home": True, "guest": False, "brief": True}
BRIEF_S = 1.5
GET, POST, GRANT = "get", "post", "grant"
ALL = {GET, POST, GRANT}
SHARED = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET,PUT,POST,DELETE",
    "Access-Control-Allow-Headers": "content-type,authorization",
}

Send = Callable[[Any], Awaitable[None]]


class No(Exception):  # noqa: N818 - an answer
    """A refusal."""

    def __init__(self, status: int, message: str = "no") -> None:
        self.status, self.message = status, message


@dataclass
class Thing:
    """A thing, whose it is, and what it wrote: key to (Unix ms, number, value)."""

    token: str
    id: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    owner: str | None = None
    rows: dict[str, list[tuple[int, int, Any]]] = field(default_factory=dict)
    description: Any = None


@dataclass
class Session:
    """Who calls, from which app, until when."""

    email: str
    app: str
    until: float


class World:
    """Everything in memory."""

    def __init__(self, mail: Path) -> None:
        self.mail = mail
        self.url = ""
        self.codes = set(CODES)
        self.things = {token: Thing(token) for token in TOKENS}
        self.users: dict[str, str] = {}
        self.accounts: dict[tuple[str, str], dict[str, Any]] = {}
        self.sessions: dict[str, Session] = {}
        self.shares: dict[tuple[str, str, str], dict[str, set[str]]] = {}
        self.grants: dict[tuple[str, str, str, str], set[str]] = {}
        self.waiting: dict[str, list[Callable[[], None]]] = {}
        self.objects: dict[tuple[str, ...], dict[str, Any]] = {}
        self.listeners: list[tuple[Callable[[Any], Any], asyncio.Queue[Any]]] = []
        self.count = 0

    def thing(self, name: Any) -> Thing | None:
        """A thing by its token or its id."""
        found = (each for each in self.things.values() if name in (each.token, each.id))
        return next(found, None)

    def of_user(self, email: str, thing: Thing, key: str) -> set[str]:
        """What a user may do: all with their own things, else what was shared."""
        if thing.owner == email:
            return set(ALL)
        return set().union(*self.shares.get((thing.id, key, email), {}).values())

    def may(self, session: Session, thing: Thing | None, key: str) -> set[str]:
        """What a session may do."""
        if thing is None:
            return set()
        flags = self.of_user(session.email, thing, key)
        granted = self.grants.get((session.app, session.email, thing.id, key), set())
        return flags if APPS[session.app] else flags & granted

    def tell(self, event: Any) -> None:
        """Tell everybody whom an event concerns."""
        for sees, queue in self.listeners:
            if (document := sees(event)) is not None:
                queue.put_nowait(document)

    def write(self, thing: Thing, items: list[dict[str, Any]], *, is_told: bool = True) -> None:
        """Store values and tell them."""
        for item in items:
            self.count += 1
            row = (unix_ms(item.get("datetime")), self.count, item["value"])
            thing.rows.setdefault(item["key"], []).append(row)
            thing.rows[item["key"]].sort(key=lambda each: each[:2], reverse=True)
        if is_told:
            self.tell({"thing": thing, "items": items})

    def confirm_later(self, email: str, actions: list[Callable[[], None]]) -> None:
        """Send a message with a link that does it."""
        secret = secrets.token_urlsafe(24)
        self.waiting[secret] = actions
        page = f'<p><a href="{self.url}/yes?s={secret}">Yes</a> <img src="https://e.example/l"></p>'
        head = f"To: <{email}>\nSubject: Is it you?\nContent-Type: text/html\n\n"
        (self.mail / f"{secrets.token_hex(8)}.eml").write_text(head + page)


def unix_ms(text: Any) -> int:
    """A date in either form; the present when there is none."""
    if text is None:
        return time.time_ns() // 1_000_000
    form = "%Y-%m-%dT%H:%M:%S.%fZ" if "-" in str(text) else "%Y%m%d%H%M%S"
    try:
        return round(datetime.strptime(str(text), form).replace(tzinfo=UTC).timestamp() * 1000)
    except ValueError:
        raise No(422, "what a date") from None


def dated(ms: int) -> str:
    """The form that goes out."""
    text = datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def window(request: web.Request, rows: list[tuple[int, int, Any]]) -> list[tuple[int, int, Any]]:
    """The rows that a query asks for; the one at endDate counts."""
    query = request.query
    start, end = unix_ms(query.get("startDate", "19700101000000")), 1 << 60
    if "endDate" in query:
        end = unix_ms(query["endDate"])
    limit = query.get("limit", "1")
    number = int(limit) if limit.isdigit() and len(limit) < 9 else 1
    return [row for row in rows if start <= row[0] <= end][: min(number, 100)]


def shown(key: str, rows: list[tuple[int, int, Any]]) -> list[Any]:
    """Rows with more than anybody asked for."""
    return [
        {"datetime": dated(ms), "value": value, "key": key, "unit": None} for ms, _, value in rows
    ]


class Platform:
    """Endpoints."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def body(self, request: web.Request) -> dict[str, Any]:
        """An object, or a form."""
        data = await request.read()
        try:
            document = json.loads(data)
        except (ValueError, RecursionError):
            document = dict(parse_qsl(data.decode("utf-8", "replace"))) if b"=" in data[:99] else 0
        if not isinstance(document, dict):
            raise No(422, "that is no object")
        try:
            json.dumps(document, ensure_ascii=False).encode()
        except (UnicodeEncodeError, RecursionError):
            raise No(422, "that cannot be kept") from None
        return document

    def session(self, request: web.Request) -> Session:
        """Who calls."""
        found = self.world.sessions.get(request.headers.get("Authorization", ""))
        if found is None or found.until < time.monotonic():
            raise No(401, "who are you?")
        return found

    async def root(self, request: web.Request) -> Any:
        raise No(401, "Invalid session token")

    async def activate(self, request: web.Request) -> Any:
        code = (await self.body(request)).get("activationCode")
        if code not in self.world.codes:
            raise No(400, "activation code not found")
        self.world.codes.remove(str(code))
        thing = Thing(secrets.token_urlsafe(32))
        self.world.things[thing.token] = thing
        return 201, {"status": "created", "thingToken": thing.token, "thingId": thing.id}

    def device(self, request: web.Request) -> Thing:
        """The thing whose token is in the path."""
        if thing := self.world.things.get(request.match_info["token"]):
            return thing
        raise No(403, "Thing token doesn't exist")

    async def device_write(self, request: web.Request) -> Any:
        items = (await self.body(request)).get("values")
        if not isinstance(items, list) or not all("key" in item for item in items):
            raise No(400)
        is_told = request.query.get("broadcast") != "false"
        self.world.write(self.device(request), items, is_told=is_told)
        return 201, {"status": "created"}

    async def device_read(self, request: web.Request) -> Any:
        thing, key = self.device(request), request.match_info["key"]
        if key == "description":
            return 200, [{"key": key, "value": thing.description}] if thing.description else []
        if key not in thing.rows:
            raise No(404, "resource not found")
        return 200, shown(key, window(request, thing.rows[key]))

    async def device_describe(self, request: web.Request) -> Any:
        self.device(request).description = await self.body(request)
        return 200, {"status": "success"}

    async def device_subscribe(self, request: web.Request) -> Any:
        thing = self.device(request)
        await self.stream(
            request, lambda event: event.get("items") if event.get("thing") is thing else None
        )

    async def register(self, request: web.Request) -> Any:
        email, password, app = await self.credentials(request)
        known = self.world.users.setdefault(email, password)
        if (email, app) in self.world.accounts or known != password:
            raise No(409, "we know you")
        self.world.accounts[email, app] = {}
        return 200, self.entered(email, app)

    async def login(self, request: web.Request) -> Any:
        email, password, app = await self.credentials(request)
        if (email, app) not in self.world.accounts:
            raise No(404, "we do not know you")
        if self.world.users[email] != password:
            raise No(403, "not that one")
        return 200, self.entered(email, app)

    async def credentials(self, request: web.Request) -> tuple[str, str, str]:
        found = await self.body(request)
        email, password, app = (found.get(name) for name in ("email", "password", "app"))
        if not all(isinstance(each, str) and each for each in (email, password, app)):
            raise No(422, "something is missing")
        if app not in APPS:
            raise No(404, "what app?")
        return str(email), str(password), str(app)

    def entered(self, email: str, app: str) -> Any:
        token = f"v1.{secrets.token_hex(20)}.{secrets.token_urlsafe(20)}"
        until = time.monotonic() + (BRIEF_S if app == "brief" else 3600)
        session = self.world.sessions[token] = Session(email, app, until)
        roles = [
            {"may": sorted(flags), "resource": key, "of": thing.id}
            for thing in self.world.things.values()
            for key in {
                *thing.rows,
                *(k for t, k, e in self.world.shares if (t, e) == (thing.id, email)),
            }
            if (flags := self.world.may(session, thing, key))
        ]
        return {"user": {"email": email}, "roles": roles, "token": token}

    async def link(self, request: web.Request) -> Any:
        session, body = self.session(request), await self.body(request)
        if not APPS[session.app]:
            raise No(405, "not from here")
        thing = self.world.thing(body.get("thingId") or body.get("thingToken") or "")
        if thing is None:
            raise No(410, "there is no such thing")
        if thing.owner is not None:
            raise No(409, "it has an owner")
        thing.owner = session.email
        return 201, {"status": "success", "message": "linked", "thingId": thing.id, "n": 1}

    async def owned(self, request: web.Request) -> Any:
        email = self.session(request).email
        found = [each for each in self.world.things.values() if each.owner == email]
        return 200, [{"_id": each.id, "resources": len(each.rows)} for each in reversed(found)]

    async def unlink(self, request: web.Request) -> Any:
        session = self.session(request)
        thing = self.world.thing(request.match_info.get("id", ""))
        if thing is None or thing.owner != session.email:
            raise No(409, "not yours")
        thing.owner = None
        self.world.shares = {k: v for k, v in self.world.shares.items() if k[0] != thing.id}
        return 200, {}

    async def resources(self, request: web.Request) -> Any:
        email = self.session(request).email
        found: dict[str, list[str]] = {}
        for thing in self.world.things.values():
            for key in thing.rows if thing.owner == email else ():
                found.setdefault(key, []).append(thing.id)
        rows = [{"things": things, "name": name, "unit": None} for name, things in found.items()]
        return 200, rows[::-1]

    async def read(self, request: web.Request) -> Any:
        session, key = self.session(request), request.match_info["key"]
        if request.query.get("subscribe") == "true":
            return await self.subscribe(request, session, key)
        if key == "description":
            return self.described(request, session)
        things = [
            thing
            for thing in self.world.things.values()
            if GET in self.world.may(session, thing, key)
            and request.match_info.get("id", thing.id) == thing.id
        ]
        if "id" not in request.match_info:
            rows = {each.id: shown(key, window(request, each.rows.get(key, []))) for each in things}
            return 200, {"things": rows}
        if not things:
            raise No(404, "nothing for you")
        found = window(request, things[0].rows.get(key, []))
        if not found and key in things[0].rows:
            raise No(404, "nothing then")
        return 200, shown(key, found)

    def described(self, request: web.Request, session: Session) -> Any:
        things = {
            each.id: {"text": each.description}
            for each in self.world.things.values()
            if GET in self.world.may(session, each, "description")
        }
        if "id" not in request.match_info:
            return 200, things
        if request.match_info["id"] not in things:
            raise No(404, "nothing for you")
        return 200, things[request.match_info["id"]]

    async def subscribe(self, request: web.Request, session: Session, key: str) -> Any:
        name = request.match_info.get("id")

        def sees(event: Any) -> Any:
            thing = event.get("thing")
            if thing is None or name not in (None, thing.id):
                return None
            if GET not in self.world.may(session, thing, key):
                return None
            found = [item["value"] for item in event["items"] if item["key"] == key]
            return {"event": "value", "of": {"thing": thing.id}, "new": found} if found else None

        await self.stream(request, sees)

    async def write(self, request: web.Request) -> Any:
        session, key = self.session(request), request.match_info["key"]
        thing = self.world.thing(request.match_info["id"])
        if thing is None or POST not in self.world.may(session, thing, key):
            raise No(404, "nothing for you")
        items = (await self.body(request)).get("values")
        is_good = isinstance(items, list) and all(
            isinstance(i, dict) and "value" in i for i in items
        )
        if not isinstance(items, list) or not is_good or not items:
            raise No(422, "what values?")
        self.world.write(thing, [{**item, "key": key} for item in items])
        return 200, {"status": "Success", "message": "Created"}

    async def describe(self, request: web.Request) -> Any:
        session, thing = self.session(request), self.world.thing(request.match_info["id"])
        if thing is None or POST not in self.world.may(session, thing, "description"):
            raise No(404, "nothing for you")
        thing.description = await self.body(request)
        return 201, {"stored": True}

    async def grant(self, request: web.Request) -> Any:
        session, body = self.session(request), await self.body(request)
        email, actions = body.get("email"), []
        for key, things in self.asked(body):
            for name, flags in things.items():
                thing = self.world.thing(name)
                wanted = {flag for flag in ALL if isinstance(flags, dict) and flags.get(flag)}
                actions.append(self.permit(session, email, thing, key, wanted))
        if email is None and APPS[session.app]:
            for action in actions:
                action()
            return 200, {"done": True}
        self.world.confirm_later(session.email, actions)
        return 202, {"done": False, "mail": "sent"}

    def asked(self, body: dict[str, Any]) -> Any:
        found = body.get("permissions")
        if not isinstance(found, dict) or not all(
            isinstance(each, dict) for each in found.values()
        ):
            raise No(422, "what permissions?")
        return found.items()

    def permit(
        self, session: Session, email: Any, thing: Thing | None, key: str, wanted: set[str]
    ) -> Callable[[], None]:
        """What is to be done once it is confirmed; refused when it is not the session's to give."""
        own = self.world.of_user(session.email, thing, key) if thing else set()
        is_theirs = GRANT in own or (thing is not None and thing.owner == session.email)
        if thing is None or not wanted <= own or (email is not None and not is_theirs) or not own:
            raise No(404, "not yours to give")
        if email is None:
            place = (session.app, session.email, thing.id, key)
            return lambda: self.world.grants.update({place: wanted})
        given = self.world.shares.setdefault((thing.id, key, str(email)), {})
        return lambda: given.update({session.email: wanted})

    async def confirm(self, request: web.Request) -> Any:
        actions = self.world.waiting.pop(request.query.get("s", ""), None)
        if actions is None:
            raise No(410, "too late")
        for action in actions:
            action()
        return 200, {"thanks": True}

    async def settings(self, request: web.Request) -> Any:
        session = self.session(request)
        mine = self.world.accounts[session.email, session.app]
        if request.method == "GET":
            return 200, {"language": "en", **mine}
        body = await self.body(request)
        password = body.pop("password", None)
        if password is not None and not (isinstance(password, str) and password):
            raise No(422, "what password?")
        if password:
            self.world.users[session.email] = password
        mine.update(body)
        return 200, {"changed": sorted(body)}

    async def date(self, request: web.Request) -> Any:
        if request.query.get("thingToken") not in self.world.things:
            self.session(request)
        is_unix = request.query.get("format") == "unix_timestamp"
        date: Any = int(time.time()) if is_unix else dated(unix_ms(None))
        return 200, {"date": date, "values": [{"value": date}]}

    async def classes(self, request: web.Request) -> Any:
        session = self.session(request)
        scope, *path = [part for part in request.match_info["path"].split("/") if part]
        if scope not in ("me", "app") or not path:
            raise No(404, "where?")
        key = path.pop() if len(path) % 2 == 0 else None
        place = (session.app, session.email if scope == "me" else "", *path)
        objects = self.world.objects.setdefault(place, {})
        if request.query.get("subscribe") == "true" and key is None:
            return await self.stream(
                request, lambda event: event["what"] if event.get("place") == place else None
            )
        return await getattr(self, f"class_{request.method.lower()}")(request, place, objects, key)

    async def class_get(self, _: Any, place: Any, objects: Any, key: str | None) -> Any:
        if key is None:
            return 200, {
                "count": len(objects),
                "items": [objects[k] for k in sorted(objects)[::-1]],
            }
        if key not in objects:
            raise No(410, "gone or never there")
        return 200, objects[key]

    async def class_post(self, request: Any, place: Any, objects: Any, key: str | None) -> Any:
        body = await self.body(request)
        key = key or str(body.get("_id") or secrets.token_hex(4))
        if key in objects:
            raise No(403, "there is one")
        objects[key] = {**body, "_id": key, "_at": time.time_ns() // 1_000_000}
        self.world.tell({"place": place, "what": {"stored": {"_id": key}}})
        return 200, {"object": {"_id": key}}

    async def class_put(self, request: Any, place: Any, objects: Any, key: str | None) -> Any:
        body = await self.body(request)
        if key is None or key not in objects:
            raise No(410, "gone or never there")
        objects[key].update({**body, "_id": key})
        self.world.tell({"place": place, "what": {"changed": key, "now": objects[key]}})
        return 201, objects[key]

    async def class_delete(self, request: Any, place: Any, objects: Any, key: str | None) -> Any:
        if key is None:
            raise No(405, "not a whole collection")
        objects.pop(key, None)
        self.world.tell({"place": place, "what": {"removed": [key]}})
        return 200, {"left": len(objects)}

    async def stream(self, request: web.Request, sees: Callable[[Any], Any]) -> None:
        """Documents on lines of their own, and none at the beginning but for devices."""
        keep_alive = request.query.get("keepAlive", "60000")
        patience_s = int(keep_alive) / 1000 if keep_alive.isdigit() else 60.0
        stream = web.StreamResponse(headers={**SHARED, "Content-Type": "application/json"})
        stream.enable_chunked_encoding()
        await stream.prepare(request)
        listener: tuple[Any, asyncio.Queue[Any]] = (sees, asyncio.Queue())
        self.world.listeners.append(listener)
        if "/things/" in request.path:
            await stream.write(b'{"status":"success","message":"subscribed"}')
        try:
            while True:
                try:
                    document = await asyncio.wait_for(listener[1].get(), patience_s)
                except TimeoutError:
                    document = {}
                await stream.write(json.dumps(document).encode() + b"\n")
        except ConnectionError:
            pass  # the reader is gone
        finally:
            self.world.listeners.remove(listener)


ROUTES = (
    ("GET", "/", "root"),
    ("POST", "/things", "activate"),
    ("POST", "/things/{token}", "device_write"),
    ("GET", "/things/{token}", "device_subscribe"),
    ("GET", "/things/{token}/resources/{key}", "device_read"),
    ("PUT", "/things/{token}/resources/description", "device_describe"),
    ("POST", "/register", "register"),
    ("POST", "/login", "login"),
    ("POST", "/me/things", "link"),
    ("GET", "/me/things", "owned"),
    ("DELETE", "/me/things", "unlink"),
    ("DELETE", "/me/things/{id}", "unlink"),
    ("GET", "/me/resources", "resources"),
    ("PUT", "/me/resources/description/{id}", "describe"),
    ("GET", "/me/resources/{key}", "read"),
    ("GET", "/me/resources/{key}/{id}", "read"),
    ("POST", "/me/resources/{key}/{id}", "write"),
    ("PUT", "/me/grant", "grant"),
    ("GET", "/me/settings", "settings"),
    ("PUT", "/me/settings", "settings"),
    ("GET", "/utils/date", "date"),
    ("GET", "/classes/{path:.*}", "classes"),
    ("POST", "/classes/{path:.*}", "classes"),
    ("PUT", "/classes/{path:.*}", "classes"),
    ("DELETE", "/classes/{path:.*}", "classes"),
)


@web.middleware
async def in_words(request: web.Request, handler: Any) -> web.StreamResponse:
    """Answers and refusals as JSON with a line end; some refusals carry a code."""
    if request.method == "OPTIONS":
        return web.Response(status=200, headers=SHARED)
    try:
        found = await handler(request)
        status, document = found if isinstance(found, tuple) else (200, found)
    except No as no:
        status, document = no.status, {"message": no.message, "status": "error", "at": "here"}
        if status in (404, 409):
            document["code"] = status
    except web.HTTPException as no:
        status, document = no.status, {"status": "error", "message": "not that way"}
    if document is None:
        return web.Response()  # a stream that has ended
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
    kind = "application/json; charset=utf-8"
    return web.Response(
        status=status, body=text.encode() + b"\n", headers={**SHARED, "Content-Type": kind}
    )


def application(world: World) -> web.Application:
    """Every route with one slash after the version and with two, and with one at its end."""
    platform = Platform(world)
    app = web.Application(middlewares=[in_words], client_max_size=1 << 22)
    for method, path, name in ROUTES:
        for start in ("/v2", "/v2/"):
            ends = ("", "/") if path not in ("/",) and ":" not in path else ("",)
            for end in ends:
                app.router.add_route(method, f"{start}{path}{end}", getattr(platform, name))
    app.router.add_get("/yes", platform.confirm)
    return app


async def main() -> None:
    world = World(Path(sys.argv[1]))
    runner = web.AppRunner(application(world))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0]
    world.url = f"http://{host}:{port}"
    print(world.url, flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
