"""
Gateways: what they hear on the medium goes to a network server, what it wants sent goes on air.

A gateway does the same on both clocks; only its transport differs.
"""
