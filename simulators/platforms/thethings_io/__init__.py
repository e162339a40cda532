"""The thethings.iO reference server (HTTP API v2)."""
