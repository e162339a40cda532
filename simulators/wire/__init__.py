"""Pure codecs, bytes to values and back: no clock, socket, log or randomness."""
