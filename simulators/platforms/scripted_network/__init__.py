"""
A network server of a few lines: it lets devices in, acknowledges, and sends what it is told to.

For scenarios without a target and for tests of gateways and nodes. LoRaWAN 1.0.x; no ADR, no MAC
commands, no application: whoever needs those needs a platform.
"""
