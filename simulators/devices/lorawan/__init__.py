"""The parts of a LoRaWAN end device, a file for each idea; the whole is `devices/node.py`."""
