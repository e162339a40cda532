"""
The values a deployment of thethings.iO could have chosen otherwise, in one place.

The defaults are the reference's. A deliberately wrong server sets some of them wrong.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Policy:
    """What the core looks up instead of knowing."""

    unknown_token_status: int = 403
    unknown_subscriber_status: int = 404
    activation_codes_single_use: bool = True
    written_status: int = 201
    store_parameter: bool = True  # store=false is honoured
    broadcast_parameter: bool = True
    key_alphabet: bool = True  # keys outside letters, digits, . - _ are refused
    all_or_nothing: bool = True  # one bad item refuses the whole write
    read_default_limit: int = 1
    read_cap: int = 1000
    start_inclusive: bool = True
    end_inclusive: bool = False
    newest_first: bool = True
    latest_written_first: bool = True  # among equal datetimes
    default_start_ms: int = 0  # 1970-01-01, as documented
    keep_alive_default_ms: int = 60_000
    keep_alive_min_ms: int = 1_000
    keep_alive_max_ms: int = 2_147_483_647
    keep_alive_late_ms: int = 0
    keep_alive_restarts: bool = True  # every message restarts the keep-alive
    settings_merge: bool = True
    app_read_cap: int = 100
    password_cost: int = 14  # scrypt's N is 2 to this power; takes about 50 ms
    confirmation_s: float = 86_400.0  # how long the link in an e-mail can be used
    confirmations_cap: int = 1000  # links that one account may have waiting
    official_at_once: bool = True  # what an official app grants needs no confirmation
    share_confirmed_by_granted: bool = True  # False: by the user who shares
