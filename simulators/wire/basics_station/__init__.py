"""
The protocol between LoRa Basics Station and its LNS, and the discovery before it: both sides.

Messages are JSON in WebSocket text frames; everything here is values and text. Frequencies are in
Hz, ``xtime`` and ``gpstime`` in µs, EUIs hexadecimal in lower case.
"""
