"""Conformance tests for thethings.iO, a file per chapter of its documentation."""
