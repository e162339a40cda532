"""The Identity Server: who exists, who may do what, and the registry of devices' names."""
