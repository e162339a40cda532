"""The command line: one module per command, each importing its package when it runs."""

__version__ = "0.1.0"
