"""
LoRaWAN as bytes and values: no clock, socket, log, randomness or environment in here.

The standard library and, for AES, `cryptography`.
"""
