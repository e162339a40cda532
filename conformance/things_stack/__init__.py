"""Tests of The Things Stack, HTTP API v3: a file per chapter."""
