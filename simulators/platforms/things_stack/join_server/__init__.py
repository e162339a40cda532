"""The Join Server: root keys and nonces of devices that join."""
