"""Messages in the binary form of protocol buffers, to and from their canonical JSON form."""
