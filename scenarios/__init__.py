"""Scenarios: file format, engine, expectations, trace."""
