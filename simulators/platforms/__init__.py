"""Reference servers: the shell, and one package per platform."""
