"""The Application Server: application keys, payload formatters, and where messages go."""
