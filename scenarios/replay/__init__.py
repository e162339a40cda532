"""Replay: what a trace recorded, done again to another target, and what differs."""
