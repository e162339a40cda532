"""
Scenarios of LoRaWAN: nodes, a medium, gateways, and a network server behind them.

Without a target the server is the scripted one; with a target its gateway ports are spoken to.
"""
