"""
A LoRaWAN network server of a few pages; it knows its devices from a list and keeps nothing.

It answers joins, acknowledges, sets data rates, and sends what it is told to; scenarios without a
target are played against it. It speaks with gateways as both their protocols want it.
"""
