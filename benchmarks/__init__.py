"""What is fast, against what: peers measured in the same run, on loopback, bounded in time."""
