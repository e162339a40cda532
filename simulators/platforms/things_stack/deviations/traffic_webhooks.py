"""Defects of webhooks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from msgspec.structs import replace

from simulators.platforms.effects import Answer, Post
from simulators.platforms.things_stack.core import Core
from simulators.platforms.things_stack.deviations.changes import (
    document_of,
    with_body,
    with_document,
    with_error_status,
    with_status,
    without,
)
from simulators.platforms.things_stack.deviations.deviation import Deviation, OnEffects, Setup
from simulators.platforms.things_stack.deviations.hooks import without_event

Document = dict[str, Any]
_REGISTRY = "ApplicationWebhookRegistry/"
_KEY_HEADERS = ("X-Downlink-Apikey", "X-Downlink-Push", "X-Downlink-Replace")
_OWN = ("content-type", "user-agent", "x-tts-domain", *(each.lower() for each in _KEY_HEADERS))


def _on_post(change: Callable[[Post], Post]) -> OnEffects:
    return lambda effects: [change(each) if isinstance(each, Post) else each for each in effects]


def _without_counter(post: Post) -> Post:
    try:
        document = orjson.loads(post.body)
    except orjson.JSONDecodeError:
        return post
    document.get("uplink_message", {}).pop("f_cnt", None)
    return replace(post, body=orjson.dumps(document))


def _called_json(post: Post) -> Post:
    headers = [(name, value) for name, value in post.headers if name != "Content-Type"]
    return replace(post, headers=(*headers, ("Content-Type", "application/json")))


def _own_headers(post: Post) -> Post:
    headers = tuple(pair for pair in post.headers if pair[0].lower() in _OWN)
    return replace(post, headers=headers)


def _anonymous(post: Post) -> Post:
    hidden = ("user-agent", "x-tts-domain")
    return replace(
        post, headers=tuple(each for each in post.headers if each[0].lower() not in hidden)
    )


def _without_key(post: Post) -> Post:
    headers = tuple(pair for pair in post.headers if pair[0] != _KEY_HEADERS[0])
    return replace(post, headers=headers)


def _always_addresses(post: Post) -> Post:
    names = [name for name, _ in post.headers]
    more = [(name, post.url) for name in _KEY_HEADERS[1:] if name not in names]
    return replace(post, headers=(*post.headers, *more))


def _on_wanting(change: Callable[[list[Document], str], list[Document]]) -> Setup:
    """Other webhooks are called than want to be, or otherwise."""

    def setup(core: Core) -> None:
        webhooks = core.stack.application.webhooks

        def changed(application: str, kind: str) -> list[Document]:
            return change(webhooks.all(application), kind)

        webhooks.wanting = changed  # type: ignore[method-assign]

    return setup


def _all(webhooks: list[Document], kind: str) -> list[Document]:
    return [{kind: {}, **each} for each in webhooks]


def _unmasked(webhooks: list[Document], kind: str) -> list[Document]:
    wanting = [each for each in webhooks if kind in each]
    return [{name: each[name] for name in each if name != "field_mask"} for each in wanting]


def _without_normalized(webhooks: list[Document], kind: str) -> list[Document]:
    return [] if kind == "uplink_normalized" else _wanting(webhooks, kind)


def _json_only(_: Any) -> Any:
    return {"formats": {"json": "JSON"}}


def _known_format(document: Any) -> Any:
    webhook = document.get("webhook", {})
    if webhook.get("format") not in (None, "json", "protobuf"):
        webhook["format"] = "json"
    return document


_KEPT = "X-Kept-Content-Type"


def _with_kind_kept(webhooks: list[Document], kind: str) -> list[Document]:
    return [_kind_kept(each) for each in _wanting(webhooks, kind)]


def _kind_kept(webhook: Document) -> Document:
    headers = {
        _KEPT if name.lower() == "content-type" else name: value
        for name, value in webhook.get("headers", {}).items()
    }
    return {**webhook, "headers": headers}


def _of_own_kind(post: Post) -> Post:
    headers = dict(post.headers)
    if _KEPT in headers:
        headers["Content-Type"] = headers.pop(_KEPT)
    return replace(post, headers=tuple(headers.items()))


def _wanting(webhooks: list[Document], kind: str) -> list[Document]:
    return [each for each in webhooks if kind in each and not each.get("paused")]


def _paused_too(webhooks: list[Document], kind: str) -> list[Document]:
    return [each for each in webhooks if kind in each]


def _nothing_queued(webhooks: list[Document], kind: str) -> list[Document]:
    return [] if kind == "downlink_queued" else _wanting(webhooks, kind)


def _without_time(post: Post) -> Post:
    try:
        document = orjson.loads(post.body)
    except orjson.JSONDecodeError:
        return post
    document.pop("received_at", None)
    return replace(post, body=orjson.dumps(document))


def _without_app_eui(webhooks: list[Document], kind: str) -> list[Document]:
    return [
        orjson.loads(orjson.dumps(each).replace(b"{appEUI}", b"{unknown}"))
        for each in _wanting(webhooks, kind)
    ]


def _on_status(change: Callable[[int], int]) -> Setup:
    """What webhooks answer is taken for something else."""

    def setup(core: Core) -> None:
        posts = core.stack.application.webhook_posts
        posted = posts.posted

        def changed(number: int, status: int | None, said: str, now_us: int) -> None:
            posted(number, None if status is None else change(status), said, now_us)

        posts.posted = changed  # type: ignore[method-assign]

    return setup


def _all_healthy(answer: Answer) -> Answer:
    if "health_status" not in answer.request.query or answer.status != 200:
        return answer
    document = document_of(answer)
    for each in document.get("webhooks", ()):
        each["health_status"] = {"healthy": {}}
    return replace(answer, document=document)


def _takes_while_paused(core: Core) -> None:
    webhooks = core.stack.application.webhooks
    find = webhooks.find

    def changed(application: str, webhook_id: str) -> Document | None:
        webhook = find(application, webhook_id)
        return webhook and {name: webhook[name] for name in webhook if name != "paused"}

    webhooks.find = changed  # type: ignore[method-assign]


DEVIATIONS: dict[str, Deviation] = {
    "webhook-formats-json": Deviation(
        "Protobuf is not among the formats of webhooks.",
        rpcs=(f"{_REGISTRY}GetFormats",),
        answer=with_document(_json_only),
    ),
    "webhook-answer-without-url": Deviation(
        "A webhook that is set is answered without base_url.",
        rpcs=(f"{_REGISTRY}Set",),
        answer=without("base_url"),
    ),
    "webhook-list-empty": Deviation(
        "Webhooks are not listed.", rpcs=(f"{_REGISTRY}List",), answer=without("webhooks")
    ),
    "webhook-any-format": Deviation(
        "Webhooks of unknown formats get JSON.",
        rpcs=(f"{_REGISTRY}Set",),
        before=with_body(_known_format),
    ),
    "webhook-missing-200": Deviation(
        "A webhook that does not exist is answered with an empty object.",
        rpcs=(f"{_REGISTRY}Get",),
        answer=lambda answer: (
            replace(answer, status=200, document={}) if answer.status == 404 else answer
        ),
    ),
    "webhook-without-counter": Deviation(
        "Webhooks get uplinks without counter.", effects=_on_post(_without_counter)
    ),
    "webhook-protobuf-as-json": Deviation(
        "Webhooks that ask for protobuf get JSON's content type.", effects=_on_post(_called_json)
    ),
    "webhook-url-with-slash": Deviation(
        "Addresses of webhooks get a slash at their end.",
        effects=_on_post(lambda post: replace(post, url=f"{post.url}/")),
    ),
    "webhook-headers-lost": Deviation(
        "Headers that a webhook was given are not sent.", effects=_on_post(_own_headers)
    ),
    "webhook-key-lost": Deviation(
        "The downlink key of a webhook is not sent.", effects=_on_post(_without_key)
    ),
    "webhook-addresses-always": Deviation(
        "Webhooks without downlink key are told where to push.",
        effects=_on_post(_always_addresses),
    ),
    "webhook-gets-everything": Deviation(
        "Webhooks get messages that they have not enabled.", setup=_on_wanting(_all)
    ),
    "webhook-unmasked": Deviation(
        "Field masks of webhooks are overlooked.", setup=_on_wanting(_unmasked)
    ),
    "webhook-failure-not-told": Deviation(
        "Applications are not told of webhooks that fail.", setup=without_event("as.webhook.fail")
    ),
    "webhook-push-202": Deviation(
        "A push through a webhook is answered with status 202.",
        rpcs=("ApplicationWebhookDownlinks/Push",),
        answer=with_status(202),
    ),
    "webhook-push-anywhere": Deviation(
        "A push through a webhook that does not exist is refused with status 403.",
        rpcs=("ApplicationWebhookDownlinks/Push",),
        answer=with_error_status("pkg/applicationserver/io/web:webhook_not_found", 403),
    ),
    "webhook-own-content-type": Deviation(
        "A webhook's own header replaces the content type of its format.",
        setup=_on_wanting(_with_kind_kept),
        effects=_on_post(_of_own_kind),
    ),
    "webhook-without-time": Deviation(
        "Webhooks do not tell when a message was received.", effects=_on_post(_without_time)
    ),
    "webhook-never-paused": Deviation(
        "Webhooks that are paused are called.", setup=_on_wanting(_paused_too)
    ),
    "webhook-queued-not-told": Deviation(
        "Webhooks are not told of queued downlinks.", setup=_on_wanting(_nothing_queued)
    ),
    "webhook-other-agent": Deviation(
        "Webhooks are sent without User-Agent and X-Tts-Domain.", effects=_on_post(_anonymous)
    ),
    "webhook-without-normalized": Deviation(
        "Measurements are not delivered on their own.", setup=_on_wanting(_without_normalized)
    ),
    "hook-replacement-pushed": Deviation(
        "What a webhook is given to replace the queue goes behind it.",
        rpcs=("ApplicationWebhookDownlinks/Replace",),
        before=lambda request: replace(request, path=f"{request.path.removesuffix('replace')}push"),
    ),
    "hook-for-everybody": Deviation(
        "Everybody may give downlinks to a webhook.",
        rpcs=("ApplicationWebhookDownlinks/Push",),
        answer=with_status(200, of=403),
    ),
    "webhook-without-app-eui": Deviation(
        "Webhooks do not know the variable appEUI.", setup=_on_wanting(_without_app_eui)
    ),
    "webhook-redirect-succeeds": Deviation(
        "A webhook that answers with 3xx counts as told.",
        setup=_on_status(lambda status: 200 if 300 <= status <= 399 else status),
    ),
    "webhook-success-is-200": Deviation(
        "Of the answers of webhooks only 200 is success.",
        setup=_on_status(lambda status: 500 if 201 <= status <= 299 else status),
    ),
    "webhook-always-healthy": Deviation(
        "Webhooks are healthy whatever they answer.",
        rpcs=(f"{_REGISTRY}List",),
        answer=_all_healthy,
    ),
    "hook-takes-while-paused": Deviation(
        "A webhook that is paused takes downlinks.", setup=_takes_while_paused
    ),
}
