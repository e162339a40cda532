"""The Network Server: sessions, MAC settings and MAC state of devices."""
