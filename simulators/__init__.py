"""Everything that pretends: devices, transports, reference servers."""
