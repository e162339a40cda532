"""
The values a deployment of The Things Stack chooses, in one place; the defaults are the reference's.

A deliberately wrong server sets some of them wrong.
"""

from __future__ import annotations

from dataclasses import dataclass

HOUR_US = 3_600_000_000


@dataclass(frozen=True, slots=True)
class RateLimit:
    """Requests of one caller and kind on one entity: so many a minute, so many at once."""

    per_minute: int
    burst: int


@dataclass(frozen=True, slots=True)
class Policy:
    """What the core looks up instead of knowing."""

    tenants: tuple[str, ...] = ()  # by the first label of the host; the first is for others
    is_split: bool = False  # servers that each authenticate callers themselves
    refuses_http_1_0: bool = False  # as a proxy in front does, with 426
    rate_limit: RateLimit | None = None
    restore_us: int = 24 * HOUR_US  # how long a deleted entity can be restored
    admin_rights_all: bool = False  # admins may read keys, too
    users_create_applications: bool = True
    users_create_gateways: bool = True
    users_create_clients: bool = True
    users_create_organizations: bool = True
    registration: bool = True  # anybody may become a user
    admin_approval: bool = False  # whom an admin approves first
    password_min_length: int = 8
    password_max_length: int = 1000
    password_cost: int = 14  # scrypt's N is 2 to this power; takes about 50 ms
    dev_eui_block: str = "70B3D57ED0"  # start of the DevEUIs that are issued; "": none are
    dev_eui_limit: int = 1000  # for one application
    net_id: str = "000013"
    dev_addr_prefix: str = "26000000/7"
    default_join_eui: str = "0000000000000000"
    join_eui_prefix: str = "0000000000000000/0"
    host: str = "thingrig"  # where events come from, and the address of every server
    events_kept: int = 0  # of each entity, for those who ask later; 0: storage is not enabled
    default_page: int = 100
    requires_registered_gateways: bool = False
    fallback_plan: str = ""  # of packet forwarders that are not registered; "": they are refused
    udp_burst: int = 10  # datagrams of one gateway within 10 ms; 0: any number
    udp_address_block_s: int = 0  # for so long no other address speaks for a gateway; 0: any may
    stats_kept_s: int = 48 * 3600  # of gateways that have gone; 0, as without a cache: not kept
    admits_unauthenticated_stations: bool = False  # unless a gateway's registration forbids it
    storage_integration: bool = False  # hosted deployments have it, the open source server not
    # Webhooks that fail so often in a row are left alone for so long; their health is not kept when
    # both are 0, and merely watched when one is.
    unhealthy_attempts_threshold: int = 0
    unhealthy_retry_interval_s: int = 0
