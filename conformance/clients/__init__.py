"""Clients that the conformance tests speak through."""
