"""The flags of a permission, as tests give them."""

from __future__ import annotations

from collections.abc import Mapping

Flags = Mapping[str, bool]

GET = {"get": True, "post": False, "grant": False}
POST = {"get": True, "post": True, "grant": False}
GRANT = {"get": True, "post": False, "grant": True}
NONE = {"get": False, "post": False, "grant": False}
