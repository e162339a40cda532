"""The only sockets, and their in-memory twins."""
