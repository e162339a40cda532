"""Pages and orders of lists, as requests ask for them."""

from __future__ import annotations

from simulators.platforms.things_stack.call import Call
from simulators.platforms.things_stack.identity.entities import Page


def page_of(call: Call, orders: dict[str, str]) -> Page:
    """The part of a list that a request asks for; ``orders`` are columns by name."""
    message = call.message
    order: str = message.get("order", "")
    column = orders.get(order.removeprefix("-"), next(iter(orders.values())))
    limit = message.get("limit") or call.stack.policy.default_page
    offset = (max(message.get("page", 1), 1) - 1) * limit
    return Page(column, order.startswith("-"), limit, offset)


def tell_total(call: Call, total: int) -> None:
    """Say how many there are before paging."""
    call.headers.append(("X-Total-Count", str(total)))
