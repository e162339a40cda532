"""The reference server of The Things Stack: HTTP API v3, one package per server behind it."""
